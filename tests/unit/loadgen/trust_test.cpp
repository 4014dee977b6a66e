// SPDX-License-Identifier: Apache-2.0
//
// Claims about when a load says that its run cannot be put down to latmon.
#include "loadgen/trust.hpp"

#include <doctest/doctest.h>

namespace latmon::loadgen {
namespace {

constexpr Duration limit = Duration::from_us(100);

Histogram late_by(Duration lateness, int count) {
    Histogram histogram;
    for (int index = 0; index < 1'000 - count; ++index) {
        histogram.record(Duration{});
    }
    for (int index = 0; index < count; ++index) {
        histogram.record(lateness);
    }
    return histogram;
}

TEST_CASE("trust: nothing wrong is nothing said") {
    Trust trust(limit);
    trust.doubt_lateness("own", late_by(limit * 100, 10));  // The p99 is still 0.
    trust.doubt_lateness("own", Histogram());
    trust.doubt_count("drops", 0);
    trust.doubt_share("missed", 1, 1'000);
    trust.doubt_share("missed", 0, 0);
    CHECK(trust.reasons().empty());
    Report report;
    trust.describe(report);
    CHECK(report.as_json() == "{\"is_trustworthy\": true, \"distrust_reasons\": []}\n");
}

TEST_CASE("trust: lateness, drops and missed slots each say what they are") {
    Trust trust(limit);
    trust.doubt_lateness("own", late_by(Duration{200'000}, 11));
    trust.doubt_count("drops", 1);
    trust.doubt_share("missed", 2, 1'000);
    REQUIRE(trust.reasons().size() == 3);
    CHECK(trust.reasons()[0].starts_with("own_p99_ns is "));
    CHECK(trust.reasons()[0].ends_with(", more than 100000"));
    CHECK(trust.reasons()[1] == "drops is 1");
    CHECK(trust.reasons()[2] == "missed is 2 of 1000");
    Report report;
    trust.describe(report);
    CHECK(report.as_json().starts_with("{\"is_trustworthy\": false, \"distrust_reasons\": [\"own"));
}

}  // namespace
}  // namespace latmon::loadgen
