// SPDX-License-Identifier: Apache-2.0
//
// Losses on this very host, as far as its kernel tells: what never left it, what it refused to
// send, and replies for which there was no room.
#include "unit/probe/ledger_bench.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

constexpr LossAddress unknown = LossAddress::unknown;
constexpr LossAddress forward = LossAddress::forward;
constexpr LossAddress reverse = LossAddress::reverse;
constexpr LossAddress local_tx = LossAddress::local_tx;
constexpr LossAddress local_rx = LossAddress::local_rx;

}  // namespace

TEST_CASE(
    "loss_ledger: what has no transmit stamp never left, if a later one has and nobody saw "
    "it") {
    LedgerBench bench;
    bench.send(true);
    bench.send();  // Its stamp never comes.
    bench.send(true);
    bench.answer(0, 0);
    bench.answer(2, 1);
    bench.lose(1);
    CHECK(bench.told == Told{{1, local_tx}});
}

TEST_CASE("loss_ledger: a stamp that is merely late is no reason") {
    LedgerBench bench;
    bench.send(true);
    bench.send();
    bench.send();  // Neither has one so far.
    bench.answer(0, 0);
    bench.answer(2, 1);
    bench.lose(1);
    CHECK(bench.told == Told{{1, forward}});
}

TEST_CASE("loss_ledger: without stamps at all nothing is said to have stayed here") {
    LedgerBench bench;
    bench.send_many(3);
    bench.answer(0, 0);
    bench.answer(2, 1);
    bench.lose(1);
    CHECK(bench.told == Told{{1, forward}});
}

TEST_CASE("loss_ledger: what the reflector counted has left, stamp or not") {
    LedgerBench bench;
    bench.send(true);
    bench.send();
    bench.send(true);
    bench.answer(0, 0);
    bench.answer(2, 2);
    bench.lose(1);
    CHECK(bench.told == Told{{1, reverse}});
}

TEST_CASE("loss_ledger: of a gap's losses those with a stamp are the ones that arrived") {
    LedgerBench bench;
    bench.send(true);
    bench.send();      // 1: stayed here.
    bench.send(true);  // 2: one of these two arrived.
    bench.send(true);
    bench.send(true);
    bench.answer(0, 0);
    bench.answer(4, 2);
    bench.lose(1, 3);
    CHECK(bench.told.at(1) == local_tx);
    CHECK(bench.count(reverse) == 1);
    CHECK(bench.count(forward) == 1);
}

TEST_CASE("loss_ledger: the numbers that the local host refused to send are no losses") {
    LedgerBench bench;
    bench.send_many(6);
    bench.answer(0, 0);
    bench.refuse(1);
    bench.refuse(2);
    bench.answer(4, 2);
    bench.lose(3);
    CHECK(bench.told == Told{{3, reverse}});
    bench.answer(5, 3);
    CHECK(bench.told.size() == 1);
}

TEST_CASE("loss_ledger: what our receive buffer dropped had come back") {
    LedgerBench bench;
    bench.send_many(6);
    bench.answer(0, 0);
    bench.answer(5, 4, 2);  // 3 of 4 arrived there; of these 2 were dropped here.
    bench.lose(1, 4);
    CHECK(bench.count(local_rx) == 2);
    CHECK(bench.count(reverse) == 1);
    CHECK(bench.count(forward) == 1);
}

TEST_CASE("loss_ledger: drops beyond what was lost on the way back are of something else") {
    LedgerBench bench;
    bench.send_many(5);
    bench.answer(0, 0);
    bench.answer(2, 2, 7);
    bench.lose(1);
    CHECK(bench.told == Told{{1, local_rx}});
    bench.answer(4, 4, 7);
    bench.lose(3);
    CHECK(bench.told.at(3) == reverse);
}

TEST_CASE("loss_ledger: bursts of drops in several gaps have each their own") {
    LedgerBench bench;
    bench.send_many(12);
    bench.answer(0, 0);
    bench.answer(4, 4, 2);    // 1..3 arrived there; 2 drops.
    bench.answer(7, 7, 2);    // 5 and 6 too; none.
    bench.answer(11, 11, 5);  // 8..10 too; 3 drops, known before any gap is closed.
    bench.lose(1, 3);
    CHECK(bench.count(local_rx) == 2);
    CHECK(bench.count(reverse) == 1);
    bench.lose(5, 6);
    CHECK(bench.count(local_rx) == 2);
    CHECK(bench.count(reverse) == 3);
    bench.lose(8, 10);
    CHECK(bench.count(local_rx) == 5);
    CHECK(bench.count(reverse) == 3);
}

TEST_CASE("loss_ledger: drops count without a reflector that counts, for what has left") {
    LedgerBench bench(ReflectorMode::stateless);
    bench.send(true);
    bench.send();
    bench.send(true);
    bench.send(true);
    bench.send(true);
    bench.answer(0, 0);
    bench.answer(4, 4, 1);
    bench.lose(1, 3);
    CHECK(bench.told.at(1) == local_tx);
    CHECK(bench.count(local_rx) == 1);
    CHECK(bench.count(unknown) == 1);
}

}  // namespace latmon
