// SPDX-License-Identifier: Apache-2.0
//
// Where losses fell, against scripts of what happened to each probe: one rule at a time.
#include "probe/loss_ledger.hpp"

#include "unit/probe/ledger_bench.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

// An explicit instantiation may name private members: 2^32 probes cannot be sent here, so the table
// of flights is set to just before its numbers wrap.
template <auto next, auto oldest>
struct Seeded {
    friend void seed(InFlight& flights, std::uint32_t sequence) {
        flights.*next = sequence;
        flights.*oldest = sequence;
    }
};
void seed(InFlight& flights, std::uint32_t sequence);
template struct Seeded<&InFlight::next_, &InFlight::oldest_>;

constexpr LossAddress unknown = LossAddress::unknown;
constexpr LossAddress forward = LossAddress::forward;
constexpr LossAddress reverse = LossAddress::reverse;
constexpr LossAddress local_tx = LossAddress::local_tx;
constexpr LossAddress local_rx = LossAddress::local_rx;

}  // namespace

TEST_CASE("loss_ledger: the picture of its header: two of four lost on the way back") {
    LedgerBench bench;
    bench.send_many(13);
    for (std::uint32_t sequence = 0; sequence < 8; ++sequence)
        bench.answer(sequence, sequence + 4);  // Eleven at sequence 7: it had counted before.
    bench.answer(12, 14);
    CHECK(bench.told.empty());  // Four are outstanding in between.
    bench.lose(8, 11);
    CHECK(bench.count(reverse) == 2);
    CHECK(bench.count(forward) == 2);
    CHECK(bench.told.size() == 4);
}

TEST_CASE("loss_ledger: what the reflector counted was lost on the way back, what not, before") {
    for (const bool is_reverse : {false, true}) {
        LedgerBench bench;
        bench.send_many(5);
        bench.answer(0, 0);
        bench.answer(4, is_reverse ? 4 : 1);
        bench.lose(1, 3);
        CHECK(bench.count(is_reverse ? reverse : forward) == 3);
        CHECK(bench.told.size() == 3);
    }
}

TEST_CASE("loss_ledger: each of several gaps has its own") {
    LedgerBench bench;
    bench.send_many(9);
    bench.answer(0, 0);
    bench.answer(3, 1);  // 1 and 2 never came there.
    bench.answer(6, 4);  // 4 and 5 did.
    bench.answer(8, 5);  // 7 did not.
    bench.lose(1);
    bench.lose(2);
    CHECK(bench.told == Told{{1, forward}, {2, forward}});
    bench.lose(4);
    bench.lose(5);
    bench.lose(7);
    CHECK(bench.told == Told{{1, forward}, {2, forward}, {4, reverse}, {5, reverse}, {7, forward}});
}

TEST_CASE("loss_ledger: a mixed gap has exact counts, whichever they are") {
    for (std::uint32_t counted = 0; counted <= 6; ++counted) {
        LedgerBench bench;
        bench.send_many(8);
        bench.answer(0, 0);
        bench.answer(7, 1 + counted);
        bench.lose(1, 6);
        CHECK(bench.count(reverse) == counted);
        CHECK(bench.count(forward) == 6 - counted);
    }
}

TEST_CASE("loss_ledger: nothing is told while an earlier probe is still outstanding") {
    LedgerBench bench;
    bench.send_many(6);
    bench.answer(0, 0);
    bench.lose(2);
    bench.answer(5, 3);
    CHECK(bench.told.empty());
    bench.lose(1);
    CHECK(bench.told.empty());
    bench.answer(3, 1);
    CHECK(bench.told == Told{{1, forward}, {2, forward}});
    bench.answer(4, 2);
    CHECK(bench.told.size() == 2);
}

TEST_CASE("loss_ledger: the first answer of a new session counts from 0") {
    LedgerBench bench;
    bench.send_many(6);
    bench.lose(0, 3);
    CHECK(bench.told.empty());
    bench.answer(4, 3);  // It counted three before this one.
    CHECK(bench.count(reverse) == 3);
    CHECK(bench.count(forward) == 1);
    bench.answer(5, 4);
    CHECK(bench.told.size() == 4);
}

TEST_CASE("loss_ledger: a path opened anew has a session of its own, from its first probe on") {
    LedgerBench bench;
    bench.send_many(3);
    bench.answer(0, 0);
    bench.lose(1, 2);
    bench.give_up(2);
    CHECK(bench.count(unknown) == 2);
    bench.ledger.restart(3);
    bench.send_many(4);
    bench.lose(3, 4);
    bench.answer(5, 1);
    CHECK(bench.count(reverse) == 1);
    CHECK(bench.count(forward) == 1);
}

TEST_CASE("loss_ledger: of a session that was counting already nothing is known before the first") {
    // The last two are more than half the space away: a count is no signed number.
    for (const std::uint32_t before : {5U, 1'000'000U, 0x8000'0005U, 0xffff'fff0U}) {
        CAPTURE(before);
        LedgerBench bench;
        bench.send_many(9);
        bench.lose(0, 1);
        bench.answer(2, before);
        CHECK(bench.told == Told{{0, unknown}, {1, unknown}});
        bench.answer(4, before + 1);
        bench.answer(6, before + 3);
        bench.answer(8, before + 4);
        bench.lose(3);
        bench.lose(5);
        bench.lose(7);
        CHECK(bench.told ==
              Told{{0, unknown}, {1, unknown}, {3, forward}, {5, reverse}, {7, forward}});
    }
}

TEST_CASE("loss_ledger: a reflector that never says so is stateful once its count is not ours") {
    LedgerBench bench;
    bench.says_stateful = false;
    bench.send_many(8);
    bench.answer(0, 0);
    bench.answer(2, 2);
    bench.lose(1);  // It copies, or it counted: nobody can tell.
    CHECK(bench.told == Told{{1, unknown}});
    bench.answer(4, 3);
    bench.lose(3);
    CHECK(bench.told.at(3) == forward);
    bench.answer(6, 5);
    bench.answer(7, 6);
    bench.lose(5);
    CHECK(bench.told.at(5) == reverse);
}

TEST_CASE("loss_ledger: losses told before the proof do not weigh on those after it") {
    LedgerBench bench;
    bench.says_stateful = false;
    bench.send_many(30);
    bench.answer(0, 0);
    for (std::uint32_t sequence = 1; sequence <= 9; sequence += 2) {
        bench.answer(sequence + 1, sequence + 1);
        bench.lose(sequence);
    }
    CHECK(bench.count(unknown) == 5);
    std::uint32_t counted = 10;
    for (std::uint32_t sequence = 11; sequence <= 19; sequence += 2) {
        bench.answer(sequence + 1, ++counted);
        bench.lose(sequence);
    }
    CHECK(bench.count(forward) == 5);
    CHECK(bench.count(reverse) == 0);
}

TEST_CASE("loss_ledger: of a reflector that copies our numbers nothing is known") {
    LedgerBench bench;
    bench.says_stateful = false;
    bench.send_many(10);
    for (const std::uint32_t sequence : {0U, 3U, 4U, 9U})
        bench.answer(sequence, sequence);
    bench.lose(1, 2);
    bench.lose(5, 8);
    CHECK(bench.count(unknown) == 6);
    CHECK(bench.told.size() == 6);
}

TEST_CASE("loss_ledger: what the operator says about the reflector counts") {
    LedgerBench stateful(ReflectorMode::stateful);
    stateful.says_stateful = false;
    stateful.send_many(3);
    stateful.answer(0, 0);
    stateful.answer(2, 2);
    stateful.lose(1);
    CHECK(stateful.told == Told{{1, reverse}});

    LedgerBench stateless(ReflectorMode::stateless);
    stateless.send_many(3);
    stateless.answer(0, 0);
    stateless.answer(2, 1);
    stateless.lose(1);
    CHECK(stateless.told == Told{{1, unknown}});
}

TEST_CASE("loss_ledger: replies in another order are no losses, and hide none") {
    LedgerBench bench;
    bench.send_many(8);
    bench.answer(0, 0);
    bench.answer(2, 1);  // Overtook 1 on the way there.
    bench.answer(1, 2);
    bench.answer(3, 3);
    bench.answer(5, 5);  // Overtook 4 on the way back.
    bench.answer(4, 4);
    CHECK(bench.told.empty());
    bench.answer(7, 6);
    bench.lose(6);
    CHECK(bench.told == Told{{6, forward}});
}

TEST_CASE("loss_ledger: of losses beside reordered probes the sums are right in the end") {
    LedgerBench bench;
    bench.send_many(8);
    bench.answer(0, 0);
    bench.answer(3, 1);
    bench.answer(2, 2);  // 2 came there after 3, and 1 not at all:
    bench.lose(1);       // for a moment it looks as if it had.
    CHECK(bench.told.size() == 1);
    bench.answer(5, 4);
    bench.lose(4);  // This one did.
    bench.answer(6, 5);
    bench.answer(7, 6);
    CHECK(bench.count(forward) == 1);
    CHECK(bench.count(reverse) == 1);
}

TEST_CASE("loss_ledger: a probe that came there twice hides no loss on the way there") {
    LedgerBench bench;
    bench.send_many(5);
    bench.answer(0, 0);
    bench.come_back(0, 1);
    bench.answer(2, 2);
    bench.lose(1);
    CHECK(bench.told == Told{{1, forward}});
    bench.answer(4, 4);
    bench.lose(3);
    CHECK(bench.told.at(3) == reverse);
}

TEST_CASE("loss_ledger: a copy made on the way back was counted once") {
    LedgerBench bench;
    bench.send_many(3);
    bench.answer(0, 0);
    bench.come_back(0, 0);
    bench.answer(2, 2);
    bench.lose(1);
    CHECK(bench.told == Told{{1, reverse}});
}

TEST_CASE("loss_ledger: a copy belongs behind its probe, not to a gap before that is still open") {
    LedgerBench bench;
    bench.send_many(6);
    bench.answer(0, 0);
    bench.answer(2, 2);
    bench.come_back(2, 3);  // While 1 may still be answered.
    bench.answer(3, 4);
    bench.lose(1);
    CHECK(bench.told == Told{{1, reverse}});
    bench.answer(5, 5);
    bench.lose(4);
    CHECK(bench.told.at(4) == forward);
}

TEST_CASE("loss_ledger: a reply that comes while its gap is open makes its probe no loss") {
    LedgerBench bench;
    bench.send_many(5);
    bench.answer(0, 0);
    bench.lose(1, 3);
    bench.come_back(2, 1);  // Told at once; of the others one came there.
    bench.answer(4, 3);
    CHECK(bench.count(reverse) == 1);
    CHECK(bench.count(forward) == 1);
    CHECK(bench.told.size() == 2);
}

TEST_CASE("loss_ledger: a reply that comes after its gap was closed changes nothing") {
    LedgerBench bench;
    bench.send_many(7);
    bench.answer(0, 0);
    bench.answer(2, 2);
    bench.lose(1);
    CHECK(bench.told == Told{{1, reverse}});
    bench.come_back(1, 1);
    bench.answer(4, 4);
    bench.lose(3);
    bench.answer(6, 5);
    bench.lose(5);
    CHECK(bench.told == Told{{1, reverse}, {3, reverse}, {5, forward}});
}

TEST_CASE("loss_ledger: a late reply is of its own probe, whichever of its gap was told so") {
    LedgerBench bench;
    bench.send_many(7);
    bench.answer(0, 0);
    bench.answer(3, 2);  // One of 1 and 2 came there.
    bench.lose(1, 2);
    CHECK(bench.count(forward) == 1);
    CHECK(bench.count(reverse) == 1);
    const std::uint32_t told_forward = bench.told.at(1) == forward ? 1 : 2;
    bench.come_back(told_forward, 1);  // It was this one: nothing is new about the counts.
    bench.answer(6, 4);
    bench.lose(4, 5);
    CHECK(bench.count(reverse) == 2);
    CHECK(bench.count(forward) == 2);
}

TEST_CASE("loss_ledger: a reflector that counts anew leaves one gap unknown, and no more") {
    LedgerBench bench;
    std::uint32_t counted = 100;
    bench.send_many(1);
    bench.answer(0, counted);
    bench.send_many(2);
    bench.answer(2, ++counted);
    bench.lose(1);
    CHECK(bench.told == Told{{1, forward}});
    bench.send_many(4);  // It starts again: 3..5 are lost, 6 is the first that it counts.
    bench.lose(3, 5);
    bench.answer(6, 0);
    CHECK(bench.count(unknown) == 3);
    bench.send_many(4);
    bench.answer(8, 1);
    bench.lose(7);
    bench.answer(10, 3);
    bench.lose(9);
    CHECK(bench.told.at(7) == forward);
    CHECK(bench.told.at(9) == reverse);
}

TEST_CASE("loss_ledger: a reflector that counts anew while a gap is open is noticed in its place") {
    LedgerBench bench;
    bench.send_many(4);
    bench.answer(0, 50);
    bench.answer(2, 52);
    bench.answer(3, 53);  // 1 is still outstanding.
    bench.send_many(3);   // 4, 5, 6
    bench.answer(5, 0);
    bench.answer(6, 1);
    bench.lose(1);
    CHECK(bench.told == Told{{1, reverse}});
    bench.lose(4);
    CHECK(bench.told.at(4) == unknown);
}

TEST_CASE("loss_ledger: without an answer only our own kernel knows anything") {
    LedgerBench bench;
    bench.send(true);
    bench.answer(0, 0);
    bench.send();
    for (int count = 0; count < 4; ++count)
        bench.send(true);
    bench.lose(1, 5);
    CHECK(bench.told.empty());
    CHECK(bench.ledger.oldest_unreported(bench.flights)->sequence == 1);
    bench.give_up(3, 1);
    CHECK(bench.told == Told{{1, local_tx}, {2, local_rx}, {3, unknown}});
    CHECK(bench.ledger.oldest_unreported(bench.flights)->sequence == 4);
    bench.give_up(5, 1);
    CHECK(bench.told.at(4) == unknown);
    CHECK(bench.told.at(5) == unknown);
    CHECK(bench.ledger.oldest_unreported(bench.flights) == nullptr);
}

TEST_CASE("loss_ledger: the gap that was given up stays unknown, the next is known") {
    LedgerBench bench;
    bench.send_many(9);
    bench.answer(0, 0);
    bench.lose(1, 2);
    bench.give_up(2);
    bench.lose(3);
    bench.answer(4, 3);  // Two of 1..3 arrived; which of them, nobody knows.
    CHECK(bench.told == Told{{1, unknown}, {2, unknown}, {3, unknown}});
    bench.answer(6, 4);
    bench.lose(5);
    bench.answer(8, 6);
    bench.lose(7);
    CHECK(bench.told.at(5) == forward);
    CHECK(bench.told.at(7) == reverse);
}

TEST_CASE("loss_ledger: giving up twice tells nothing twice") {
    LedgerBench bench;
    bench.send_many(4);
    bench.answer(0, 0);
    bench.lose(1, 2);
    bench.give_up(2);
    bench.give_up(1);
    bench.give_up(2);
    CHECK(bench.told.size() == 2);
    bench.answer(3, 1);
    CHECK(bench.told.size() == 2);
}

TEST_CASE("loss_ledger: our numbers and the reflector's may wrap") {
    LedgerBench bench;
    std::uint32_t sequence = 0xffff'fffcU;
    seed(bench.flights, sequence);
    bench.ledger.restart(sequence);
    std::uint32_t counted = 0xffff'fffeU;
    bench.send_many(1);
    bench.answer(sequence, counted);
    for (int round = 0; round < 4; ++round) {
        bench.send_many(5);
        bench.answer(sequence + 2, counted + 1);  // +1 never arrived,
        bench.answer(sequence + 4, counted + 3);  // +3 did.
        bench.answer(sequence + 5, counted + 4);
        bench.lose(sequence + 1);
        bench.lose(sequence + 3);
        CHECK(bench.told.at(sequence + 1) == forward);
        CHECK(bench.told.at(sequence + 3) == reverse);
        sequence += 5;
        counted += 4;
    }
    CHECK(bench.told.size() == 8);
}

}  // namespace latmon
