// SPDX-License-Identifier: Apache-2.0
//
// Pauses and Retry-After, without a clock.
#include "push/retry.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins::push {
namespace {

using std::chrono::milliseconds;

// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
constexpr std::int64_t example_s = 784'111'777;

TEST_CASE("retry: Retry-After in seconds is taken as it stands, up to an hour") {
    CHECK(parse_retry_after("0", 0) == 0);
    CHECK(parse_retry_after("120", 0) == 120);
    CHECK(parse_retry_after(" \t7 ", 0) == 7);
    CHECK(parse_retry_after("3600", 0) == 3'600);
    CHECK(parse_retry_after("3601", 0) == 3'600);
    CHECK(parse_retry_after("99999999999999999999999", 0) == 3'600);
}

TEST_CASE("retry: Retry-After as a date of any of the three forms is the time until then") {
    for (const char* const date : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
        CAPTURE(date);
        CHECK(parse_retry_after(date, example_s - 30) == 30);
        CHECK(parse_retry_after(date, example_s) == 0);
        CHECK(parse_retry_after(date, example_s + 30) == 0);
        CHECK(parse_retry_after(date, 0) == 3'600);
    }
    CHECK(parse_retry_after("Saturday, 21-Nov-26 17:54:10 GMT", 1'795'283'650 - 9) == 9);
    CHECK(parse_retry_after("Thu, 29 Feb 2024 23:59:60 GMT", 1'709'251'190) == 10);
}

TEST_CASE("retry: what is neither a number nor a date is no Retry-After") {
    for (const char* const text :
         {"", " ", "-1", "1.5", "soon", "12s", "Sun, 06 Nov 1994 08:49:37", "1994-11-06",
          "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 06 Now 1994 08:49:37 GMT",
          "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
          "Sun, 06 Nov 1994 08:49:37 GMT+1", "Thu, 29 Feb 2023 00:00:00 GMT"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_retry_after(text, 0).has_value());
    }
}

TEST_CASE("retry: the longest pause doubles with each failure up to retry_max") {
    Backoff backoff(milliseconds(500), milliseconds(3'000));
    for (const int whole_ms : {500, 1'000, 2'000, 3'000, 3'000}) {
        CHECK(backoff.pause(1.0, {}) == milliseconds(whole_ms));
    }
    backoff.reset();
    CHECK(backoff.pause(1.0, {}) == milliseconds(500));
}

TEST_CASE("retry: jitter makes it any part of that, from nothing on") {
    Backoff backoff(milliseconds(1'000), milliseconds(60'000));
    CHECK(backoff.pause(0.0, {}) == milliseconds(0));
    CHECK(backoff.pause(0.25, {}) == milliseconds(500));
    CHECK(backoff.pause(0.5, {}) == milliseconds(2'000));
}

TEST_CASE("retry: no pause is shorter than what the server asked for, nor than an hour of it") {
    Backoff backoff(milliseconds(1'000), milliseconds(60'000));
    CHECK(backoff.pause(1.0, 30) == milliseconds(30'000));
    CHECK(backoff.pause(1.0, 1) == milliseconds(2'000));
    CHECK(backoff.pause(1.0, 1'000'000) == milliseconds(3'600'000));
}

TEST_CASE("retry: wrong credentials wait for the longest, at once") {
    Backoff backoff(milliseconds(500), milliseconds(60'000));
    CHECK(backoff.longest({}) == milliseconds(60'000));
    CHECK(backoff.longest(120) == milliseconds(120'000));
    CHECK(backoff.pause(1.0, {}) == milliseconds(60'000));
}

}  // namespace
}  // namespace latmon::plugins::push
