// SPDX-License-Identifier: Apache-2.0
//
// Claims about the accounts of a probing load: which replies count as what, and that it all adds
// up.
#include "loadgen/ledger.hpp"

#include <doctest/doctest.h>

namespace latmon::loadgen {
namespace {

constexpr Duration timeout = Duration::from_ms(100);
constexpr std::uint32_t senders = 2;

// A thousand slots a second, given to the ledger by hand.
struct Bench {
    SlotGrid grid{Instant{0}, 1'000, senders};
    Ledger ledger{grid, timeout, 256};

    static RawInstant at_ms(std::int64_t ms) { return RawInstant{} + Duration::from_ms(ms); }
    static WireTime t1_of(std::uint64_t slot) { return WireTime{slot + 1'000}; }

    void send(std::uint64_t slot, std::int64_t ms) {
        ledger.expire(at_ms(ms));
        ledger.on_sent(slot, t1_of(slot), at_ms(ms));
    }
    std::optional<Duration> reply(std::uint64_t slot, std::int64_t ms) {
        const Echo echo{
            .sequence = grid.sequence(slot), .t1 = t1_of(slot), .turnaround = std::nullopt};
        return ledger.on_reply(grid.sender(slot), echo, at_ms(ms));
    }
    [[nodiscard]] bool is_balanced() const {
        const LedgerCounts& counts = ledger.counts();
        return counts.slots == counts.sent + counts.missed + counts.send_errors +
                                   counts.lost_on_purpose + counts.left_waiting &&
               counts.sent == counts.answered + counts.lost + ledger.in_flight() &&
               counts.replies == counts.answered + counts.late + counts.duplicates + counts.invalid;
    }
};

TEST_CASE("ledger: a reply in time is an answer, with the time it took") {
    Bench bench;
    bench.send(0, 0);
    CHECK(bench.reply(0, 100) == timeout);
    CHECK(bench.ledger.counts().answered == 1);
    CHECK(bench.ledger.in_flight() == 0);
    CHECK(bench.is_balanced());
}

TEST_CASE("ledger: a second reply is a duplicate and not another answer") {
    Bench bench;
    bench.send(0, 0);
    REQUIRE(bench.reply(0, 1));
    CHECK_FALSE(bench.reply(0, 2));
    CHECK(bench.ledger.counts().answered == 1);
    CHECK(bench.ledger.counts().duplicates == 1);
    CHECK(bench.is_balanced());
}

TEST_CASE("ledger: a reply after the timeout is late and lost, whether or not it had expired") {
    for (const bool is_expired_first : {false, true}) {
        Bench bench;
        bench.send(0, 0);
        if (is_expired_first) bench.ledger.expire(Bench::at_ms(101));
        CHECK_FALSE(bench.reply(0, 101));
        CHECK(bench.ledger.counts().lost == 1);
        CHECK(bench.ledger.counts().late == 1);
        CHECK(bench.ledger.counts().answered == 0);
        CHECK_FALSE(bench.reply(0, 102));
        CHECK(bench.ledger.counts().duplicates == 1);
        CHECK(bench.is_balanced());
    }
}

TEST_CASE("ledger: what has no answer after the timeout is lost, and not before") {
    Bench bench;
    bench.send(0, 0);
    bench.send(1, 1);
    bench.ledger.expire(Bench::at_ms(100));
    CHECK(bench.ledger.counts().lost == 0);
    bench.ledger.expire(Bench::at_ms(101));
    CHECK(bench.ledger.counts().lost == 1);
    CHECK(bench.ledger.in_flight() == 1);
    CHECK(bench.is_balanced());
}

TEST_CASE("ledger: a missed slot or a send error neither expires nor can be answered") {
    Bench bench;
    bench.ledger.on_missed(0);
    bench.ledger.on_send_error(1);
    bench.send(2, 2);
    CHECK_FALSE(bench.reply(0, 3));
    CHECK_FALSE(bench.reply(1, 3));
    bench.ledger.expire(Bench::at_ms(1'000));
    CHECK(bench.ledger.counts().lost == 1);
    CHECK(bench.ledger.counts().invalid == 2);
    CHECK(bench.is_balanced());
}

TEST_CASE("ledger: what was lost on purpose is apart, not expected back, and never lost") {
    Bench bench;
    bench.ledger.on_lost_on_purpose(0);
    CHECK(bench.ledger.in_flight() == 0);
    CHECK_FALSE(bench.reply(0, 1));
    bench.ledger.expire(Bench::at_ms(1'000));
    CHECK(bench.ledger.counts().lost_on_purpose == 1);
    CHECK(bench.ledger.counts().lost == 0);
    CHECK(bench.ledger.counts().invalid == 1);
    CHECK(bench.is_balanced());
}

TEST_CASE("ledger: probes that pass others are answered and lost as their own") {
    Bench bench;
    bench.send(2, 0);  // 0 and 1 wait.
    const Echo early{
        .sequence = bench.grid.sequence(1), .t1 = std::nullopt, .turnaround = std::nullopt};
    CHECK_FALSE(bench.ledger.on_reply(bench.grid.sender(1), early, Bench::at_ms(1)));
    CHECK(bench.ledger.counts().invalid == 1);
    CHECK(bench.reply(2, 1) == Duration::from_ms(1));
    bench.send(0, 2);
    bench.send(1, 3);
    CHECK(bench.reply(1, 4) == Duration::from_ms(1));
    bench.ledger.expire(Bench::at_ms(200));
    CHECK(bench.ledger.counts().answered == 2);
    CHECK(bench.ledger.counts().lost == 1);
    CHECK(bench.ledger.counts().slots == 3);
    CHECK(bench.is_balanced());
}

TEST_CASE("ledger: what waits when nothing more is sent is counted, and holds no loss back") {
    Bench bench;
    bench.send(0, 0);
    bench.send(2, 0);  // 1 waits.
    bench.ledger.expire(Bench::at_ms(200));
    CHECK(bench.ledger.in_flight() == 1);  // Nobody looks behind what waits,
    bench.ledger.abandon_waiting();
    bench.ledger.expire(Bench::at_ms(200));  // until it does not any more.
    CHECK(bench.ledger.counts().left_waiting == 1);
    CHECK(bench.ledger.counts().lost == 2);
    CHECK(bench.ledger.in_flight() == 0);
    CHECK(bench.is_balanced());
}

TEST_CASE("ledger: a reply to another T1, another sender or no slot of ours is invalid") {
    Bench bench;
    bench.send(0, 0);
    Echo packet;
    packet.t1 = WireTime{1};
    CHECK_FALSE(bench.ledger.on_reply(0, packet, Bench::at_ms(1)));
    packet.t1 = Bench::t1_of(0);
    CHECK_FALSE(bench.ledger.on_reply(1, packet, Bench::at_ms(1)));
    packet.sequence = 0xffff'ffff;
    CHECK_FALSE(bench.ledger.on_reply(0, packet, Bench::at_ms(1)));
    bench.ledger.on_invalid();
    CHECK(bench.ledger.counts().invalid == 4);
    CHECK(bench.ledger.in_flight() == 1);
    CHECK(bench.is_balanced());
}

TEST_CASE("ledger: a reply of a kind that does not echo T1 is known by its number alone") {
    Bench bench;
    bench.send(0, 0);
    CHECK(bench.ledger.on_reply(0, Echo{}, Bench::at_ms(7)) == Duration::from_ms(7));
    CHECK_FALSE(bench.ledger.on_reply(1, Echo{}, Bench::at_ms(7)));
    CHECK(bench.ledger.counts().invalid == 1);
}

TEST_CASE("ledger: entries are used again, and a reply to what they held before is invalid") {
    Bench bench;
    for (std::uint64_t slot = 0; slot < 1'000; ++slot) {
        bench.send(slot, static_cast<std::int64_t>(slot));
        if (slot % 3 == 0) REQUIRE(bench.reply(slot, static_cast<std::int64_t>(slot)));
    }
    CHECK_FALSE(bench.reply(0, 1'000));
    CHECK(bench.ledger.counts().invalid == 1);
    bench.ledger.expire(Bench::at_ms(2'000));
    CHECK(bench.ledger.counts().answered == 334);
    CHECK(bench.ledger.counts().lost == 666);
    CHECK(bench.is_balanced());
}

}  // namespace
}  // namespace latmon::loadgen
