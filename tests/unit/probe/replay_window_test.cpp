// SPDX-License-Identifier: Apache-2.0
//
// Each number is admitted once, in whatever order they come, as long as they are not too old.
#include "probe/replay_window.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <numeric>
#include <random>
#include <set>
#include <vector>

namespace latmon {
namespace {

constexpr std::uint32_t width = ReplayWindow::width;
constexpr Instant now{1'000};

}  // namespace

TEST_CASE("replay_window: a fresh number is admitted, the same again is not") {
    ReplayWindow window;
    for (std::uint32_t sequence = 0; sequence < 5'000; ++sequence) {
        CHECK(window.admit(sequence, now));
        CHECK(!window.admit(sequence, now));
    }
}

TEST_CASE("replay_window: the first may be any number") {
    for (const std::uint32_t first : {0U, 1U, width, 0x8000'0000U, 0xffff'ffffU}) {
        ReplayWindow window;
        CHECK(window.admit(first, now));
        CHECK(!window.admit(first, now));
        CHECK(window.admit(first + 1, now));
        CHECK(window.admit(first - 1, now));
    }
}

TEST_CASE("replay_window: numbers out of order are admitted once each") {
    std::vector<std::uint32_t> order(width);
    std::iota(order.begin(), order.end(), 10'000U);
    std::mt19937_64 random(1);
    std::ranges::shuffle(order, random);
    ReplayWindow window;
    for (const std::uint32_t sequence : order)
        CHECK(window.admit(sequence, now));
    for (const std::uint32_t sequence : order)
        CHECK(!window.admit(sequence, now));
}

TEST_CASE("replay_window: what is 1,024 behind is too old to tell, 1,023 is not") {
    ReplayWindow window;
    CHECK(window.admit(5'000, now));
    CHECK(window.admit(5'000 - width + 1, now));
    CHECK(!window.admit(5'000 - width, now));
    CHECK(!window.admit(5'000 - 2 * width, now));
    CHECK(!window.admit(0, now));
}

TEST_CASE("replay_window: a jump forgets what fell out, and nothing else") {
    for (const std::uint32_t jump :
         {1U, 63U, 64U, 65U, width - 1, width, width + 1, 5 * width, 1'000'000U, 0x7fff'0000U}) {
        CAPTURE(jump);
        ReplayWindow window;
        for (std::uint32_t sequence = 0; sequence < 100; ++sequence)
            CHECK(window.admit(sequence, now));
        const std::uint32_t highest = 99 + jump;
        CHECK(window.admit(highest, now));
        for (std::uint32_t behind = 1; behind < width; ++behind) {
            const std::uint32_t sequence = highest - behind;
            const bool was_seen = sequence < 100;
            if (window.admit(sequence, now) == was_seen) FAIL_CHECK("number ", sequence);
        }
        for (std::uint32_t sequence = 0; sequence < 100; ++sequence)
            CHECK(!window.admit(sequence, now));
    }
}

TEST_CASE("replay_window: numbers wrap") {
    ReplayWindow window;
    const std::uint32_t first = 0xffff'fe00U;  // 512 before the end.
    for (std::uint32_t count = 0; count < 2 * width; ++count) {
        CHECK(window.admit(first + count, now));
        CHECK(!window.admit(first + count, now));
        if (count >= width) CHECK(!window.admit(first + count - width, now));
    }
    CHECK(!window.admit(0xffff'ffffU, now));
}

TEST_CASE("replay_window: no number is ever admitted twice, whatever comes") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        std::mt19937_64 random(seed);
        ReplayWindow window;
        std::set<std::uint32_t> admitted;
        std::uint32_t around = 0xffff'f000U;
        for (int count = 0; count < 20'000; ++count) {
            if (random() % 500 == 0) around += static_cast<std::uint32_t>(random() % 3'000);
            const std::uint32_t sequence = ++around - static_cast<std::uint32_t>(random() % 1'500);
            if (!window.admit(sequence, now)) continue;
            const bool is_new = admitted.insert(sequence).second;
            if (!is_new) FAIL_CHECK("number ", sequence);
        }
        CHECK(admitted.size() > 5'000);
    }
}

TEST_CASE("replay_window: a sender that starts again is heard after ten seconds of silence") {
    ReplayWindow window;
    CHECK(window.admit(100'000, now));
    CHECK(!window.admit(0, now + Duration::from_s(5)));
    CHECK(!window.admit(1, now + Duration::from_s(10)));  // What is refused does not count.
    CHECK(window.admit(2, now + Duration::from_s(10) + Duration{1}));
    CHECK(!window.admit(2, now + Duration::from_s(10) + Duration{2}));
    CHECK(window.admit(3, now + Duration::from_s(10) + Duration{3}));
}

}  // namespace latmon
