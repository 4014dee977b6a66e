// SPDX-License-Identifier: Apache-2.0
//
// Claims about when simulated targets are away, and about the link that a stream sees.
#include "loadgen/outages.hpp"
#include "loadgen/simulated_link.hpp"

#include <doctest/doctest.h>

namespace latmon::loadgen {
namespace {

constexpr Instant origin{12'345};
constexpr OutageOptions fifth{.period = Duration::from_s(10), .length = Duration::from_s(2)};

bool is_away(const Outages& outages, std::uint32_t target, std::int64_t ms) {
    return outages.is_away(target, origin + Duration::from_ms(ms));
}

TEST_CASE("outages: a target is away at the end of every period") {
    const Outages outages(fifth, 1, origin);
    CHECK_FALSE(is_away(outages, 0, 0));
    CHECK_FALSE(is_away(outages, 0, 7'999));
    CHECK(is_away(outages, 0, 8'000));
    CHECK(is_away(outages, 0, 9'999));
    CHECK_FALSE(is_away(outages, 0, 10'000));
    CHECK(is_away(outages, 0, 18'000));
}

TEST_CASE("outages: at any time the same share of targets is away") {
    const Outages outages(fifth, 100, origin);
    for (std::int64_t ms = 50; ms < 20'000; ms += 100) {
        int away = 0;
        for (std::uint32_t target = 0; target < 100; ++target) {
            away += is_away(outages, target, ms) ? 1 : 0;
        }
        CHECK(away == 20);
    }
}

TEST_CASE("outages: only the share that was asked for ever goes away") {
    OutageOptions options = fifth;
    options.share_percent = 7;
    const Outages outages(options, 1'000, origin);
    int goers = 0;
    for (std::uint32_t target = 0; target < 1'000; ++target) {
        bool goes = false;
        for (std::int64_t ms = 0; ms < 10'000; ms += 500) {
            goes = goes || is_away(outages, target, ms);
        }
        goers += goes ? 1 : 0;
    }
    CHECK(goers == 70);
    CHECK_FALSE(is_away(Outages({.period = {}, .length = {}}, 1, origin), 0, 9'000));
}

TEST_CASE("simulated_link: the ways there and back are lost independently") {
    constexpr int draws = 100'000;
    LinkOptions options;
    options.forward.loss_percent = options.reverse.loss_percent = 50;
    SimulatedLink link(options, 1, origin);
    int equal = 0;
    for (int draw = 0; draw < draws; ++draw) {
        const Crossing crossing{.target = 0, .size_bytes = 100, .at = origin};
        if (link.forward.cross(crossing).fate == link.reverse.cross(crossing).fate) ++equal;
    }
    CHECK(equal > draws / 2 - 800);
    CHECK(equal < draws / 2 + 800);
}

TEST_CASE("simulated_link: a stream loses nothing and keeps its order, but is as slow") {
    LinkOptions options;
    options.forward.loss_percent = options.reverse.duplicate_percent = 100;
    options.reverse.reorder_percent = 100;
    options.reverse.reorder_by = Duration::from_s(1);
    options.forward.delay = Duration::from_ms(3);
    SimulatedLink link(for_streams(options), 1, origin);
    const Crossing crossing{.target = 0, .size_bytes = 100, .at = origin};
    CHECK(link.delays());
    CHECK(link.forward.cross(crossing).fate == Fate::arrives);
    CHECK(link.forward.cross(crossing).arrival == origin + Duration::from_ms(3));
    CHECK(link.reverse.cross(crossing).arrival == origin);
    CHECK_FALSE(link.reverse.cross(crossing).is_doubled);
}

}  // namespace
}  // namespace latmon::loadgen
