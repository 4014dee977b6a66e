// SPDX-License-Identifier: Apache-2.0
//
// A probe's table of flights with its ledger of losses, and the calls that the book of exchanges
// makes to them, one line each. Every reading of its clock is later than the one before.
#pragma once

#include "probe/loss_ledger.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <map>
#include <optional>
#include <vector>

namespace latmon {

using Told = std::map<std::uint32_t, LossAddress>;

class LedgerBench final : private LossLedger::User {
public:
    // No more than `reorder_max` calls may lie between replies that overtook each other.
    explicit LedgerBench(ReflectorMode mode = ReflectorMode::automatic,
                         Duration reorder_max = Duration{1'000'000})
        : ledger(mode, reorder_max) {}

    std::uint32_t send(bool is_stamped = false) {
        Flight& flight = flights.begin();
        flight.sent_raw = tick();
        if (is_stamped) stamp(flight.sequence);
        return flight.sequence;
    }
    void send_many(int count) {
        while (count-- > 0)
            static_cast<void>(send());
    }
    void stamp(std::uint32_t sequence) {
        flights.find(sequence)->t1_source = StampSource::kernel;
        ledger.note_tx_stamp(sequence);
    }
    void refuse(std::uint32_t sequence) { flights.end(*flights.find(sequence), lost); }
    void lose(std::uint32_t sequence) {
        Flight& flight = *flights.find(sequence);
        flights.end(flight, lost);
        flight.is_reported = false;
        ledger.settle(flights, *this);
    }
    void lose(std::uint32_t from, std::uint32_t to) {
        for (; from != to + 1; ++from)
            lose(from);
    }
    // The probe is answered, and `count` is the reflector's number; `drops`: those told with it.
    void answer(std::uint32_t sequence, std::uint32_t count, std::uint32_t drops = 0) {
        Flight& flight = *flights.find(sequence);
        flights.end(flight, Flight::State::answered);
        flight.peer_sequence = count;
        ledger.note_answer(flight, {.drops = drops,
                                    .has_drops = drops > 0,
                                    .says_stateful = says_stateful,
                                    .answered = tick()});
        ledger.settle(flights, *this);
    }
    // One more reply, to a probe that has been answered or given up.
    void come_back(std::uint32_t sequence, std::uint32_t count) {
        Flight& flight = *flights.find(sequence);
        ledger.note_extra_reply(flight, count);
        if (flight.state == Flight::State::answered) return;
        if (flight.is_reported) return;
        flight.is_reported = true;
        ++slow;
    }
    void give_up(std::uint32_t last, std::optional<std::uint32_t> drops = std::nullopt) {
        ledger.settle_without_answer(flights, last, drops, *this);
    }
    [[nodiscard]] std::uint32_t count(LossAddress address) const {
        return static_cast<std::uint32_t>(std::count_if(
            told.begin(), told.end(), [&](const auto& one) { return one.second == address; }));
    }

    std::vector<Flight> slots = std::vector<Flight>(512);
    InFlight flights{slots};
    LossLedger ledger;
    Told told;
    std::uint32_t slow = 0;  // Told as lost because a reply came, though too late.
    bool says_stateful = true;

private:
    static constexpr Flight::State lost = Flight::State::lost;

    void on_loss(Flight& flight, LossAddress address) noexcept override {
        const bool is_new = told.emplace(flight.sequence, address).second;
        CHECK(is_new);
        CHECK(flight.is_reported);
        CHECK(flight.state == lost);
    }
    RawInstant tick() { return now_ = now_ + Duration{1}; }

    RawInstant now_{1'000};
};

}  // namespace latmon
