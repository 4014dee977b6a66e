// SPDX-License-Identifier: Apache-2.0
//
// Windows out of samples, as latmon would make them, by the slowest and plainest means: what a test
// expects must not come from the code that it judges. Percentiles, objectives and bursts are not
// made. One thread.
#pragma once

#include <latmon/latmon.h>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace latmon::driver {

// The bucket of schema 7 that a value other than 0 is in; of its magnitude if it is negative.
[[nodiscard]] std::int32_t bucket_index(std::int64_t value_ns);

class WindowMaker {
public:
    void take(const latmon_sample_t& sample);

    // All samples since the last call, one window per series, by id; valid until the next call.
    [[nodiscard]] const std::vector<const latmon_window_t*>& windows(std::int64_t begin_ns,
                                                                     std::int64_t length_ns);

private:
    struct Values {
        latmon_distribution_t sums{};
        std::map<std::int32_t, std::uint32_t> positive;
        std::map<std::int32_t, std::uint32_t> negative;

        void take(std::int64_t value_ns);
    };
    struct Made {
        latmon_window_t window{};
        Values rtt;
        Values owd_fwd;
        Values owd_rev;
        std::vector<latmon_bucket_t> buckets;

        void place(Values& values, latmon_distribution_t& distribution);
    };

    std::map<std::uint32_t, std::unique_ptr<Made>> open_;
    std::map<std::uint32_t, std::unique_ptr<Made>> closed_;
    std::vector<const latmon_window_t*> shown_;
};

}  // namespace latmon::driver
