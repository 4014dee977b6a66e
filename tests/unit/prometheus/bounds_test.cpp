// SPDX-License-Identifier: Apache-2.0
//
// Classic buckets over a native histogram's: where a value counts, and where it may not.
#include "prometheus/bounds.hpp"

#include "support/driver/window_maker.hpp"

#include <doctest/doctest.h>
#include <random>

namespace latmon::plugins::prometheus {
namespace {

const Bounds usual(Bounds::default_ns());

TEST_CASE("bounds: the usual ones are 1, 2 and 5 per decade, written as Prometheus writes them") {
    REQUIRE(usual.size() == 22);
    CHECK(usual[0].text == "1e-06");
    CHECK(usual[6].text == "0.0001");
    CHECK(usual[18].text == "1");
    CHECK(usual[18].open_text == "1.0");
    CHECK(usual[21].text == "10");
    CHECK(usual[21].ns == 10'000'000'000);
}

TEST_CASE("bounds: a value on a bound is in its bucket, and the next nanosecond is not") {
    CHECK(usual.place_of_value(1'000) == 0);
    CHECK(usual.place_of_value(1'001) == 1);
    CHECK(usual.place_of_value(0) == 0);
    CHECK(usual.place_of_value(10'000'000'000) == 21);
    CHECK(usual.place_of_value(10'000'000'001) == 22);
}

TEST_CASE("bounds: a bucket never counts under a bound that one of its values may be above") {
    std::mt19937_64 random(1);
    std::uniform_real_distribution<double> exponent(2.0, 10.5);
    for (int round = 0; round < 20'000; ++round) {
        const std::int64_t value_ns = static_cast<std::int64_t>(std::pow(10.0, exponent(random)));
        const std::int32_t index = driver::bucket_index(value_ns);
        // Somebody else in the window was slower.
        const std::size_t place = usual.place_of_bucket(index, 100'000'000'000);
        const std::size_t true_place = usual.place_of_value(value_ns);
        CHECK(place >= true_place);
        // And if it counts above its bound, it was within a bucket's width of it.
        if (place > true_place) {
            CHECK(static_cast<double>(value_ns) * 1.00544 >=
                  static_cast<double>(usual[true_place].ns));
            CHECK(place == true_place + 1);
        }
    }
}

TEST_CASE("bounds: where the window's largest value says so, a bucket counts exactly") {
    std::mt19937_64 random(2);
    std::uniform_real_distribution<double> exponent(2.0, 10.5);
    for (int round = 0; round < 20'000; ++round) {
        const std::int64_t value_ns = static_cast<std::int64_t>(std::pow(10.0, exponent(random)));
        CHECK(usual.place_of_bucket(driver::bucket_index(value_ns), value_ns) ==
              usual.place_of_value(value_ns));
    }
    for (std::size_t place = 0; place < usual.size(); ++place) {
        const std::int64_t ns = usual[place].ns;
        CHECK(usual.place_of_bucket(driver::bucket_index(ns), ns) == place);
        CHECK(usual.place_of_bucket(driver::bucket_index(ns + 1), ns + 1) == place + 1);
    }
}

TEST_CASE("bounds: without any everything is above them") {
    const Bounds none;
    CHECK(none.place_of_value(1) == 0);
    CHECK(none.place_of_bucket(-1'000, 1) == 0);
}

TEST_CASE("bounds: a text is whole nanoseconds or no bound") {
    CHECK(bound_ns("0.001") == 1'000'000);
    CHECK(bound_ns("1e-6") == 1'000);
    CHECK(bound_ns("0.000000001") == 1);
    CHECK(bound_ns("300") == 300'000'000'000);
    for (const char* const text :
         {"", "x", "0", "-1", "1e-10", "0.0000000015", "1 ", "nan", "inf", "1e30"}) {
        CAPTURE(text);
        CHECK(bound_ns(text) == 0);
    }
}

TEST_CASE("bounds: numbers are written as Go writes them") {
    CHECK(float_text(0.00005) == "5e-05");
    CHECK(float_text(0.0001) == "0.0001");
    CHECK(float_text(123456.5) == "123456.5");
    CHECK(float_text(1e6) == "1e+06");
    CHECK(float_text(0) == "0");
    CHECK(float_text(-0.5) == "-0.5");
    CHECK(float_text(std::numeric_limits<double>::infinity()) == "+Inf");
    CHECK(float_text(std::numeric_limits<double>::quiet_NaN()) == "NaN");
}

}  // namespace
}  // namespace latmon::plugins::prometheus
