// SPDX-License-Identifier: Apache-2.0
//
// The best guess of an offset: what it follows, and what it is not moved by.
#include "clock/offset_line.hpp"

#include <doctest/doctest.h>
#include <cmath>
#include <cstdlib>

namespace latmon {
namespace {

constexpr Duration us = Duration::from_us(1);
constexpr Duration second = Duration::from_s(1);
constexpr RawInstant start{77'000'000'000};

// Offset of a clock that runs 40 ppm fast.
Duration truth(RawInstant at) {
    return Duration::from_s(-3) + (at - start) / 25'000;
}

bool is_near(Duration value, Duration wanted, Duration tolerance) {
    return std::abs((value - wanted).ns) <= tolerance.ns;
}

TEST_CASE("offset_line: nothing added is nothing guessed") {
    OffsetLine line;
    CHECK(line.offset_at(start) == Duration{});
    CHECK(line.skew_ppb() == 0);
    line.add(start, us * 7, us * 100);
    CHECK(line.offset_at(start) == us * 7);
    line.reset();
    CHECK(line.offset_at(start) == Duration{});
}

TEST_CASE("offset_line: a line is found, whatever the rate of exchanges") {
    for (const Duration every : {us * 100, us * 10'000, second, second * 30}) {
        OffsetLine line;
        RawInstant at = start;
        for (int count = 0; count < 3'000; ++count) {
            at = at + every;
            line.add(at, truth(at), us * 100);
        }
        CHECK(is_near(line.offset_at(at), truth(at), us));
        // A tenth of a second of the fastest is not long enough to see 40 ppm of 1 us.
        if (every >= us * 10'000) CHECK(std::abs(line.skew_ppb() - 40'000) < 1'000);
    }
}

TEST_CASE("offset_line: what was queued hardly counts") {
    OffsetLine line;
    RawInstant at = start;
    for (int count = 0; count < 60'000; ++count) {
        at = at + us * 10'000;
        const Duration queue = count % 10 == 0 ? Duration{} : us * (count % 37 * 100);
        line.add(at, truth(at) + queue / 2, us * 100 + queue);
    }
    CHECK(is_near(line.offset_at(at), truth(at), us));
    CHECK(line.residual() < us);
}

TEST_CASE("offset_line: a queue of two minutes does not move the guess") {
    OffsetLine line;
    RawInstant at = start;
    for (int count = 0; count < 240; ++count) {
        at = at + second;
        const Duration queue = count < 120 ? Duration{} : us * 50'000;
        line.add(at, truth(at) + queue / 2, us * 100 + queue);
        if (count > 30) CHECK(is_near(line.offset_at(at), truth(at), us * 50));
    }
}

TEST_CASE("offset_line: a new path is believed when the old one is forgotten") {
    OffsetLine line;
    RawInstant at = start;
    for (int count = 0; count < 1'000; ++count) {
        at = at + second;
        const Duration longer = count < 300 ? Duration{} : us * 10'000;
        line.add(at, truth(at) + longer / 2, us * 100 + longer);
    }
    CHECK(is_near(line.offset_at(at), truth(at) + us * 5'000, us * 50));
}

TEST_CASE("offset_line: a slew that begins and ends is followed within seconds") {
    OffsetLine line;
    RawInstant at = start;
    Duration offset;
    for (int count = 0; count < 120'000; ++count) {
        at = at + us * 1'000;
        const bool is_slewing = count >= 40'000 && count < 80'000;
        offset = offset + Duration{is_slewing ? 100 : 0};  // 100 ppm
        line.add(at, offset, us * 100);
        CHECK(is_near(line.offset_at(at), offset, us * 10));
    }
    CHECK(std::abs(line.skew_ppb()) < 3'000);
}

TEST_CASE("offset_line: the residual is what the line leaves unexplained") {
    OffsetLine line;
    RawInstant at = start;
    for (int count = 0; count < 3'000; ++count) {
        at = at + second;
        const Duration noise = us * 10 * ((count / 17) % 2 == 0 ? 1 : -1);
        line.add(at, truth(at) + noise, us * 100);
    }
    CHECK(line.residual() > us * 4);
    CHECK(line.residual() < us * 15);
}

}  // namespace
}  // namespace latmon
