// SPDX-License-Identifier: Apache-2.0
//
// Claims about Prometheus' text and OpenMetrics.
#include "admin/exposition.hpp"

#include <doctest/doctest.h>
#include <array>
#include <cmath>

namespace latmon {
namespace {

constexpr std::array<std::int64_t, 2> bounds{1'500'000, 1'000'000'000};
constexpr std::array<std::int64_t, 4> values{1'500'000, 1'500'001, 2'000'000'000, 7};

TEST_CASE("exposition: a histogram counts what is at or below each bound, to the nanosecond") {
    Exposition page(ExpositionForm::text);
    page.add_histogram("x_seconds", "X", bounds, values);
    CHECK(page.finish() ==
          "# HELP x_seconds X\n# TYPE x_seconds histogram\n"
          "x_seconds_bucket{le=\"0.0015\"} 2\nx_seconds_bucket{le=\"1.0\"} 3\n"
          "x_seconds_bucket{le=\"+Inf\"} 4\nx_seconds_sum 2.003000008\nx_seconds_count 4\n");
}

TEST_CASE("exposition: OpenMetrics has units and an end") {
    Exposition page(ExpositionForm::openmetrics);
    page.add_gauge("x_seconds", "X", 0.25);
    page.add_gauge("y", "Y", 1);
    CHECK(page.finish() ==
          "# HELP x_seconds X\n# TYPE x_seconds gauge\n# UNIT x_seconds seconds\nx_seconds 0.25\n"
          "# HELP y Y\n# TYPE y gauge\ny 1\n# EOF\n");
}

TEST_CASE("exposition: what is no number is written as one") {
    Exposition page(ExpositionForm::text);
    page.add_gauge("a", "A", std::nan(""));
    page.add_gauge("b", "B", -INFINITY);
    const std::string text = page.finish();
    CHECK(text.find("\na NaN\n") != std::string::npos);
    CHECK(text.find("\nb -Inf\n") != std::string::npos);
}

TEST_CASE("exposition: the form is the one that is liked best, text if none is") {
    CHECK(choose_form("") == ExpositionForm::text);
    CHECK(choose_form("application/openmetrics-text;version=1.0.0,*/*;q=0.1") ==
          ExpositionForm::openmetrics);
    CHECK(content_type(ExpositionForm::text).starts_with("text/plain; version=0.0.4"));
}

}  // namespace
}  // namespace latmon
