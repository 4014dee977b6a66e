// SPDX-License-Identifier: Apache-2.0
//
// Claims about the simulated link's chance. Seeds are fixed: the same figures every time.
#include "loadgen/simulated_link.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <vector>

namespace latmon::loadgen {
namespace {

constexpr int draws = 100'000;

std::vector<bool> forward_losses(LinkOptions options) {
    SimulatedLink link(options);
    std::vector<bool> losses;
    for (int draw = 0; draw < draws; ++draw) {
        losses.push_back(link.loses_forward());
        (void)link.next_delay();
    }
    return losses;
}

TEST_CASE("simulated_link: 0 % loses nothing and 100 % everything") {
    SimulatedLink link(
        {.loss_forward_percent = 0, .loss_reverse_percent = 100, .delay = {}, .jitter = {}});
    for (int draw = 0; draw < draws; ++draw) {
        REQUIRE_FALSE(link.loses_forward());
        REQUIRE(link.loses_reverse());
    }
}

TEST_CASE("simulated_link: loss comes out as asked, within five standard deviations") {
    const std::vector<bool> losses =
        forward_losses({.loss_forward_percent = 2, .delay = {}, .jitter = {}});
    const std::ptrdiff_t lost = std::count(losses.begin(), losses.end(), true);
    CHECK(lost > 2'000 - 225);
    CHECK(lost < 2'000 + 225);
}

TEST_CASE("simulated_link: the same seed loses the same packets, with or without jitter") {
    const LinkOptions plain{.loss_forward_percent = 5, .delay = {}, .jitter = {}, .seed = 7};
    LinkOptions other = plain;
    other.jitter = Duration::from_us(10);
    CHECK(forward_losses(plain) == forward_losses(other));
    other.seed = 8;
    CHECK(forward_losses(plain) != forward_losses(other));
}

TEST_CASE("simulated_link: the ways there and back are lost independently") {
    SimulatedLink link(
        {.loss_forward_percent = 50, .loss_reverse_percent = 50, .delay = {}, .jitter = {}});
    int equal = 0;
    for (int draw = 0; draw < draws; ++draw) {
        if (link.loses_forward() == link.loses_reverse()) ++equal;
    }
    CHECK(equal > draws / 2 - 800);
    CHECK(equal < draws / 2 + 800);
}

TEST_CASE("simulated_link: delay is at least as asked and jitter fills its range") {
    SimulatedLink link({.delay = Duration::from_us(100), .jitter = Duration::from_us(50)});
    Duration least = Duration::from_s(1);
    Duration greatest;
    for (int draw = 0; draw < draws; ++draw) {
        const Duration delay = link.next_delay();
        least = std::min(least, delay);
        greatest = std::max(greatest, delay);
    }
    CHECK(least >= Duration::from_us(100));
    CHECK(least < Duration::from_us(101));
    CHECK(greatest > Duration::from_us(149));
    CHECK(greatest <= Duration::from_us(150));
    CHECK(link.delays());
    CHECK_FALSE(SimulatedLink(LinkOptions{}).delays());
}

}  // namespace
}  // namespace latmon::loadgen
