// SPDX-License-Identifier: Apache-2.0
//
// What an operator may write for a number, and in which unit: one table for the file and for the
// command line. The bounds that are latmon's own come from limits.hpp. Pure.
#pragma once

#include "base/limits.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace latmon {

struct DurationRange {
    Duration min;
    Duration max;
    Duration unit;
    std::string_view unit_name;
    bool allows_zero = false;  // In addition to [min, max]: switches something off.
};

inline constexpr DurationRange interval_range{Duration{limits::interval_ns_min},
                                              Duration{limits::interval_ns_max},
                                              Duration::from_ms(1), "milliseconds"};
inline constexpr DurationRange timeout_range{Duration{limits::timeout_ns_min},
                                             Duration{limits::timeout_ns_max}, Duration::from_s(1),
                                             "seconds"};
inline constexpr DurationRange jitter_range{Duration{}, Duration{limits::interval_ns_max / 2},
                                            Duration::from_ms(1), "milliseconds"};
inline constexpr DurationRange node_interval_range{Duration::from_s(1), Duration::from_s(86'400),
                                                   Duration::from_s(1), "seconds", true};
inline constexpr DurationRange resolve_interval_range{Duration::from_s(1), Duration::from_s(86'400),
                                                      Duration::from_s(1), "seconds"};

inline constexpr DurationRange error_bound_range{Duration{1}, Duration::from_s(16),
                                                 Duration::from_us(1), "microseconds", true};

inline constexpr DurationRange objective_rtt_range{Duration{1}, Duration{limits::timeout_ns_max},
                                                   Duration::from_us(1), "microseconds"};

// A number that is neither a time nor a count.
struct NumberRange {
    double min;
    double max;
    std::string_view unit_name;
};

inline constexpr NumberRange drift_range{1, 100'000, "parts per million"};
inline constexpr NumberRange percent_range{0.000001, 100, "percent"};

struct IntegerRange {
    std::uint64_t min;
    std::uint64_t max;
    std::string_view unit_name;  // "": a bare number.
};

inline constexpr IntegerRange port_range{1, 65'535, "a port"};
inline constexpr IntegerRange stamp_port_range{0, 65'535, "a port, or 0 for none,"};
// The ancestor took up to 65,535 octets, which no datagram holds; such a size is cut, not refused.
inline constexpr IntegerRange size_range{0, 65'535, "octets"};
inline constexpr IntegerRange max_lost_range{1, 1'000'000, "probes"};
inline constexpr IntegerRange dscp_range{0, 63, "a code point"};
inline constexpr IntegerRange queue_samples_range{limits::queue_samples_min,
                                                  limits::queue_samples_max, "samples"};
inline constexpr IntegerRange rate_range{1, 100'000'000, "datagrams a second"};
inline constexpr IntegerRange burst_range{1, 100'000'000, "datagrams"};
inline constexpr IntegerRange sessions_range{1, limits::sessions_per_core, "sessions"};
inline constexpr IntegerRange connections_range{4, limits::admin_connections_max, "connections"};
inline constexpr IntegerRange probes_range{1, limits::admin_probes_max, "probes"};
inline constexpr IntegerRange probe_count_range{1, limits::admin_probe_count_max, "probes"};
inline constexpr IntegerRange admin_port_range{0, 65'535, "a port"};
inline constexpr IntegerRange cpu_range{0, 4'095, "a CPU"};

// "milliseconds from 0.1 to 86400000", "a port from 1 to 65535".
[[nodiscard]] std::string describe(const DurationRange& range);
[[nodiscard]] std::string describe(const IntegerRange& range);
[[nodiscard]] std::string describe(const NumberRange& range);

// `count` units as a Duration, rounded to whole nanoseconds; nullopt if that is out of range, or
// not a number at all.
[[nodiscard]] std::optional<Duration> to_duration(double count, const DurationRange& range);

[[nodiscard]] constexpr bool contains(const IntegerRange& range, std::int64_t value) noexcept {
    return value >= 0 && static_cast<std::uint64_t>(value) >= range.min &&
           static_cast<std::uint64_t>(value) <= range.max;
}

// A NaN is within no range.
[[nodiscard]] constexpr bool contains(const NumberRange& range, double value) noexcept {
    return value >= range.min && value <= range.max;
}

}  // namespace latmon
