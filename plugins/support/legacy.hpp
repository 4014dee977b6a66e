// SPDX-License-Identifier: Apache-2.0
//
// Samples in the form of the ancestor, the Python latency-monitor: one metric, one point, octet for
// octet as its json.dumps() wrote them.
//
//   {"metric": "udp.wan.rtt", "points": [[1768219134587069267, 282072]], "tags": ["source:a",
//    "target:b", "isp:c"]}
//
// There, lost is 0 and so is a negative one-way delay; nowhere else in latmon. Any thread.
#pragma once

#include <latmon/host.h>
#include <latmon/sample.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace latmon::plugins {

struct LegacyPoint {
    std::string_view metric;  // Such as "udp.wan.rtt".
    std::int64_t time_ns;   // CLOCK_REALTIME, since 1970: of the result, but of a connect's start.
    std::int64_t value_ns;  // 0: lost, or negative.
};

// The "source:" and "target:" tags. Of a reflection the receiver says them: the source is the other
// end, by the name it gave or else by its address, and the target is this node.
class LegacyEnds {
public:
    LegacyEnds(const latmon_sample_t& sample, const latmon_series_t& series);
    [[nodiscard]] std::string_view source() const noexcept {
        return address_.empty() ? series_.source : std::string_view(address_);
    }
    [[nodiscard]] std::string_view target() const noexcept { return series_.target; }

private:
    const latmon_series_t& series_;
    std::string address_;
};

// What the ancestor would have said of `sample`, or nothing: it knew no late replies, no
// duplicates, no counters, and no round trips where they are switched off.
//
//   exchange    PROTOCOL.wan.rtt    rtt_user_ns: it stamped in user space
//   connect     tcp.wan.latency     rtt_ns
//   reflection  PROTOCOL.wan.owd    t2 - t1, by two clocks
[[nodiscard]] std::optional<LegacyPoint> legacy_point(const latmon_sample_t& sample,
                                                      const latmon_series_t& series);

// Appends the JSON text, without a newline. False, and nothing appended, if there is no point.
bool append_legacy_sample(std::string& out, const latmon_sample_t& sample,
                          const latmon_series_t& series);

}  // namespace latmon::plugins
