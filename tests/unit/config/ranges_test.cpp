// SPDX-License-Identifier: Apache-2.0
//
// Claims about numbers of an operator's unit.
#include "config/ranges.hpp"

#include <doctest/doctest.h>
#include <limits>

namespace latmon {
namespace {

TEST_CASE("ranges: a number of a unit becomes whole nanoseconds") {
    CHECK(to_duration(1'000, interval_range) == Duration::from_s(1));
    CHECK(to_duration(0.25, interval_range) == Duration::from_us(250));
    CHECK(to_duration(1.5, timeout_range) == Duration::from_ms(1'500));
    CHECK(to_duration(0.0, jitter_range) == Duration{});
}

TEST_CASE("ranges: the bounds themselves are within, the next nanosecond is not") {
    CHECK(to_duration(0.1, interval_range) == Duration{limits::interval_ns_min});
    CHECK(to_duration(0.099999, interval_range) == std::nullopt);
    CHECK(to_duration(86'400'000, interval_range) == Duration{limits::interval_ns_max});
    CHECK(to_duration(86'400'000.001, interval_range) == std::nullopt);
    CHECK(to_duration(-0.000001, jitter_range) == std::nullopt);
}

TEST_CASE("ranges: what is no number, or overflows, is out of range") {
    CHECK(to_duration(std::numeric_limits<double>::quiet_NaN(), interval_range) == std::nullopt);
    CHECK(to_duration(std::numeric_limits<double>::infinity(), interval_range) == std::nullopt);
    CHECK(to_duration(1e300, interval_range) == std::nullopt);
    CHECK(to_duration(-1e300, interval_range) == std::nullopt);
}

TEST_CASE("ranges: zero is off only where it may be") {
    CHECK(to_duration(0, node_interval_range) == Duration{});
    CHECK(to_duration(0.5, node_interval_range) == std::nullopt);
    CHECK(to_duration(0, resolve_interval_range) == std::nullopt);
}

TEST_CASE("ranges: a description has the unit and both bounds") {
    CHECK(describe(interval_range) == "milliseconds from 0.1 to 86400000");
    CHECK(describe(node_interval_range) == "0 (off), or seconds from 1 to 86400");
    CHECK(describe(port_range) == "a port from 1 to 65535");
}

TEST_CASE("ranges: integers are held against both bounds") {
    CHECK(contains(port_range, 1));
    CHECK(contains(port_range, 65'535));
    CHECK_FALSE(contains(port_range, 0));
    CHECK_FALSE(contains(port_range, 65'536));
    CHECK_FALSE(contains(port_range, -1));
}

TEST_CASE("ranges: a number without a unit of time is held against both bounds") {
    CHECK(contains(drift_range, 1.0));
    CHECK(contains(drift_range, 100'000.0));
    CHECK_FALSE(contains(drift_range, 0.999));
    CHECK_FALSE(contains(drift_range, 100'000.1));
    CHECK_FALSE(contains(drift_range, std::numeric_limits<double>::quiet_NaN()));
    CHECK(describe(drift_range) == "parts per million from 1 to 100000");
}

}  // namespace
}  // namespace latmon
