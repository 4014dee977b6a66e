// SPDX-License-Identifier: Apache-2.0
//
// Whether a run can be put down to latmon: what the load did wrong itself, in words. A load that
// was late, or that dropped packets for want of room, says so before anybody blames the other side.
// Pure; main thread.
#pragma once

#include "base/time.hpp"
#include "loadgen/histogram.hpp"
#include "loadgen/report.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace latmon::loadgen {

class Trust {
public:
    // `limit` is of the 99th percentile of what we were late by.
    explicit Trust(Duration limit) noexcept : limit_(limit) {}

    void doubt_lateness(std::string_view name, const Histogram& lateness);
    // Any of these is one too many.
    void doubt_count(std::string_view name, std::uint64_t count);
    // What does not add up, or has nothing in it, shows nothing.
    void doubt_flow(bool is_balanced, std::uint64_t answered);
    // More than one in a thousand of `all` is.
    void doubt_share(std::string_view name, std::uint64_t count, std::uint64_t all);

    [[nodiscard]] const std::vector<std::string>& reasons() const noexcept { return reasons_; }

    // is_trustworthy and distrust_reasons.
    void describe(Report& report) const;

private:
    Duration limit_;
    std::vector<std::string> reasons_;
};

}  // namespace latmon::loadgen
