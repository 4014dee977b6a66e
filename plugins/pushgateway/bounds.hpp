// SPDX-License-Identifier: Apache-2.0
//
// The buckets' bounds, as numbers and as the label `le` has them: in seconds, written as Prometheus
// writes them, so that the same bound always has the same text.
#pragma once

#include "pushgateway/snapshot.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace latmon::plugins::pushgateway {

inline constexpr std::array<std::int64_t, bucket_count> bounds_ns = [] {
    std::array<std::int64_t, bucket_count> bounds{};
    std::int64_t decade_ns = 1'000;
    for (std::size_t index = 0; index < bucket_count; ++index) {
        constexpr std::int64_t steps[] = {1, 2, 5};
        bounds[index] = decade_ns * steps[index % 3];
        if (index % 3 == 2) decade_ns *= 10;
    }
    return bounds;
}();
static_assert(bounds_ns.back() == 10'000'000'000);

inline constexpr std::array<std::string_view, bucket_count> bound_words{
    "1e-06",  "2e-06", "5e-06", "1e-05", "2e-05", "5e-05", "0.0001", "0.0002",
    "0.0005", "0.001", "0.002", "0.005", "0.01",  "0.02",  "0.05",   "0.1",
    "0.2",    "0.5",   "1",     "2",     "5",     "10"};

}  // namespace latmon::plugins::pushgateway
