// SPDX-License-Identifier: Apache-2.0
//
// Claims about one direction of the simulated link. Seeds are fixed: the same figures every time.
// Bounds are five standard deviations.
#include "loadgen/link_direction.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <vector>

namespace latmon::loadgen {
namespace {

constexpr int draws = 100'000;
constexpr Duration spacing = Duration::from_ms(1);

std::vector<Passage> cross(const DirectionOptions& options, std::uint64_t seed = 7) {
    LinkDirection direction(options, 1, seed);
    std::vector<Passage> passages;
    for (int draw = 0; draw < draws; ++draw) {
        passages.push_back(
            direction.cross({.target = 0, .size_bytes = 100, .at = Instant{} + spacing * draw}));
    }
    return passages;
}

std::vector<bool> losses(const DirectionOptions& options, std::uint64_t seed = 7) {
    std::vector<bool> found;
    for (const Passage& passage : cross(options, seed)) {
        found.push_back(passage.fate == Fate::lost);
    }
    return found;
}

std::ptrdiff_t lost_of(const std::vector<bool>& found) {
    return std::ranges::count(found, true);
}

DirectionOptions plain() {
    return {.delay = {}, .jitter = {}, .reorder_by = {}, .queue_max = {}};
}

TEST_CASE("link: nothing is asked, so nothing is done") {
    const LinkDirection direction(plain(), 1, 1);
    CHECK_FALSE(direction.delays());
    const std::vector<Passage> passages = cross(plain());
    for (int draw = 0; draw < draws; ++draw) {
        const Passage& passage = passages[static_cast<std::size_t>(draw)];
        REQUIRE(passage.fate == Fate::arrives);
        REQUIRE(passage.arrival == Instant{} + spacing * draw);
        REQUIRE_FALSE(passage.is_doubled);
    }
}

TEST_CASE("link: 100 % loses everything, 2 % two in a hundred") {
    DirectionOptions options = plain();
    options.loss_percent = 100;
    CHECK(lost_of(losses(options)) == draws);
    options.loss_percent = 2;
    CHECK(std::abs(lost_of(losses(options)) - 2'000) < 225);
}

TEST_CASE("link: the same seed loses the same packets, with or without jitter") {
    DirectionOptions options = plain();
    options.loss_percent = 5;
    DirectionOptions other = options;
    other.jitter = Duration::from_us(10);
    CHECK(losses(options) == losses(other));
    CHECK(losses(options) != losses(other, 8));
}

TEST_CASE("link: bursts are as long as asked, and the loss stays the same") {
    DirectionOptions options = plain();
    options.loss_percent = 10;
    options.loss_burst = 5;
    const std::vector<bool> found = losses(options);
    std::ptrdiff_t bursts = 0;
    for (std::size_t index = 1; index < found.size(); ++index) {
        if (found[index] && !found[index - 1]) ++bursts;
    }
    const double lost = static_cast<double>(lost_of(found));
    CHECK(std::abs(lost / draws - 0.1) < 0.015);
    CHECK(std::abs(lost / static_cast<double>(bursts) - 5) < 0.5);
}

TEST_CASE("link: a burst is one target's own") {
    DirectionOptions options = plain();
    options.loss_percent = 50;
    options.loss_burst = 1'000;
    LinkDirection direction(options, 2, 7);
    int different = 0;
    for (int draw = 0; draw < draws; ++draw) {
        const Fate one = direction.cross({.target = 0, .size_bytes = 100, .at = {}}).fate;
        const Fate other = direction.cross({.target = 1, .size_bytes = 100, .at = {}}).fate;
        if (one != other) ++different;
    }
    CHECK(different > draws / 10);
}

TEST_CASE("link: a burst can be so short that its loss cannot be had") {
    CHECK(loss_burst_min(50) == doctest::Approx(1));
    CHECK(loss_burst_min(75) == doctest::Approx(3));
    CHECK(loss_burst_min(0) == doctest::Approx(1));
}

TEST_CASE("link: jitter has the shape that was asked for") {
    struct Case {
        JitterShape shape;
        double mean_us;
        double deviation_us;
    };
    // A delay of 500 us keeps the normal one from being cut at 0. The heavy tail's deviation is
    // sqrt(3) times its mean, but converges too slowly to be asked.
    for (const Case& each : {Case{JitterShape::uniform, 525, 14.4},
                             {JitterShape::normal, 500, 50},
                             {JitterShape::exponential, 550, 50},
                             {JitterShape::heavy_tail, 550, 0}}) {
        DirectionOptions options = plain();
        options.delay = Duration::from_us(500);
        options.jitter = Duration::from_us(50);
        options.jitter_shape = each.shape;
        double sum = 0;
        double squares = 0;
        const std::vector<Passage> passages = cross(options);
        for (int draw = 0; draw < draws; ++draw) {
            const Instant sent = Instant{} + spacing * draw;
            const Duration took = passages[static_cast<std::size_t>(draw)].arrival - sent;
            const double us = static_cast<double>(took.ns) / 1e3;
            sum += us;
            squares += us * us;
        }
        const double mean = sum / draws;
        CHECK(std::abs(mean - each.mean_us) < 2);
        if (each.deviation_us == 0) continue;
        CHECK(std::abs(std::sqrt(squares / draws - mean * mean) - each.deviation_us) < 1);
    }
}

TEST_CASE("link: nothing takes longer than delay_max(), and a uniform jitter comes near it") {
    for (const JitterShape shape : {JitterShape::uniform, JitterShape::normal,
                                    JitterShape::exponential, JitterShape::heavy_tail}) {
        DirectionOptions options = plain();
        options.delay = Duration::from_us(500);
        options.jitter = Duration::from_us(50);
        options.jitter_shape = shape;
        options.reorder_by = spacing;
        const Duration unpassed_max = delay_max(options);
        options.reorder_percent = 10;
        CHECK(delay_max(options) == unpassed_max + spacing);
        Duration longest;
        const std::vector<Passage> passages = cross(options);
        for (int draw = 0; draw < draws; ++draw) {
            const Instant sent = Instant{} + spacing * draw;
            longest = std::max(longest, passages[static_cast<std::size_t>(draw)].arrival - sent);
        }
        CHECK(longest <= delay_max(options));
        if (shape == JitterShape::uniform) CHECK(longest > delay_max(options) * 99 / 100);
    }
}

TEST_CASE("link: no jitter reorders a target's packets") {
    DirectionOptions options = plain();
    options.jitter = spacing * 10;
    options.jitter_shape = JitterShape::heavy_tail;
    CHECK(std::ranges::is_sorted(cross(options), {}, &Passage::arrival));
}

TEST_CASE("link: as many packets as asked are passed by others") {
    DirectionOptions options = plain();
    options.reorder_percent = 10;
    options.reorder_by = spacing * 3 / 2;
    CHECK(LinkDirection(options, 1, 1).delays());
    const std::vector<Passage> passages = cross(options);
    std::ptrdiff_t passed = 0;
    for (std::size_t index = 1; index < passages.size(); ++index) {
        if (passages[index - 1].arrival > passages[index].arrival) ++passed;
    }
    // One that is followed by another that is held up is not passed.
    CHECK(std::abs(passed - draws * 9 / 100) < 450);
}

TEST_CASE("link: duplicates are as many as asked") {
    DirectionOptions options = plain();
    options.duplicate_percent = 2;
    const std::vector<Passage> passages = cross(options);
    CHECK(std::abs(std::ranges::count(passages, true, &Passage::is_doubled) - 2'000) < 225);
}

TEST_CASE("link: a bit rate spaces packets out, and a full queue drops them") {
    DirectionOptions options = plain();
    options.bits_per_s = 800'000;  // 100 octets take 1 ms.
    options.queue_max = Duration::from_ms(2);
    LinkDirection direction(options, 2, 1);
    CHECK(direction.delays());
    for (int packet = 1; packet <= 3; ++packet) {
        const Passage passage = direction.cross({.target = 0, .size_bytes = 100, .at = Instant{}});
        CHECK(passage.arrival == Instant{} + Duration::from_ms(packet));
    }
    CHECK(direction.cross({.target = 0, .size_bytes = 100, .at = Instant{}}).fate ==
          Fate::queue_full);
    CHECK(direction.cross({.target = 1, .size_bytes = 100, .at = Instant{}}).arrival ==
          Instant{} + Duration::from_ms(1));
}

}  // namespace
}  // namespace latmon::loadgen
