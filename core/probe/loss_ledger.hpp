// SPDX-License-Identifier: Apache-2.0
//
// Finds out where probes were lost. A stateful reflector counts what reaches it and puts the count
// into every reply (RFC 8762 section 4.3), so that two replies enclose a gap about which everything
// is known: what was sent in it, what of that reached the reflector, and what came back. What our
// own kernel says completes it: no transmit stamp, the probe never left this host; a drop of our
// receive buffer, the reply had made it back.
//
//   sequence       7  8  9 10 11 12        sent between the two answers     4
//   answered       a  l  l  l  l  a        reached the reflector            14 - 11 - 1 = 2
//   reflector's   11  .  .  .  . 14        lost: 2 forward, 2 on the way back
//
// Which of several losses in one gap fell on which way nobody can tell; how many on each, exactly.
// Pure bookkeeping over the probe's flights; owned by one probe; allocates nothing.
#pragma once

#include "config/config.hpp"
#include "probe/in_flight.hpp"

#include <optional>

namespace latmon {

enum class LossAddress : std::uint8_t { unknown, forward, reverse, local_tx, local_rx };

// What is known at the moment of one answer, beside its flight.
struct AnswerFacts {
    std::uint32_t drops = 0;  // Of our socket's receive buffer, when the reply was queued there.
    bool has_drops = false;
    bool says_stateful = false;  // The reflector told us that it counts.
    RawInstant answered;
};

class LossLedger {
public:
    explicit LossLedger(ReflectorMode mode) noexcept : mode_(mode) {}

    // Told of each loss of which the address is known. [core-thread]
    class User {
    public:
        virtual void on_loss(Flight& flight, LossAddress address) noexcept = 0;

    protected:
        ~User() = default;
    };

    // A path was opened: the reflector counts from 0 again, if it counts at all. Losses before are
    // settled. `first` is the sequence number of the first probe on it.
    void restart(std::uint32_t first) noexcept;

    // A flight was answered for the first time: its `peer_sequence` is set.
    void note_answer(Flight& flight, const AnswerFacts& facts) noexcept;
    // The reflector counted one more than the answers show, and it is no loss: a probe that came
    // to it twice, or whose reply came too late but came.
    void note_extra_reply() noexcept { ++extra_replies_; }
    // The kernel gave a transmit stamp on this path: those that lack one did not leave.
    void note_tx_stamp(std::uint32_t sequence) noexcept {
        has_tx_stamps_ = true;
        newest_stamped_ = sequence;
    }

    // Settles all gaps that are closed: enclosed by answers, with nothing outstanding in between.
    void settle(InFlight& flights, User& user) noexcept;
    // Gives up waiting for all lost flights up to and with `last`: what our own kernel says about
    // them is all there is. `drops` as in AnswerFacts, asked for now.
    void settle_without_answer(InFlight& flights, std::uint32_t last,
                               std::optional<std::uint32_t> drops, User& user) noexcept;

    // The first flight whose loss is not yet told, or null. [core-thread]
    [[nodiscard]] Flight* oldest_unreported(InFlight& flights) noexcept;

private:
    struct Gap {
        std::uint32_t lost = 0;
        std::uint32_t unstamped = 0;  // Of these, those that the kernel never stamped.
    };
    struct Verdict {
        Gap lost;
        bool knows_arrivals = false;
        std::uint32_t reverse = 0;   // Of the lost, those that the reflector counted.
        std::uint32_t local_rx = 0;  // Of these, those that our receive buffer dropped.
    };

    [[nodiscard]] bool counts() const noexcept;
    [[nodiscard]] bool is_unstamped(const Flight& flight) const noexcept;
    [[nodiscard]] Gap measure(InFlight& flights, std::uint32_t end) const noexcept;
    [[nodiscard]] std::uint32_t drops_until(std::uint32_t drops) const noexcept;
    [[nodiscard]] std::optional<std::int64_t> arrivals_until(const Flight& answer) noexcept;
    void close_gap(InFlight& flights, const Flight& answer, User& user) noexcept;
    void tell(InFlight& flights, std::uint32_t end, Verdict verdict, User& user) noexcept;

    ReflectorMode mode_;
    bool says_stateful_ = false;
    bool is_proved_stateful_ = false;  // Its count differed from ours: it is no copy.
    bool has_tx_stamps_ = false;
    bool has_highest_ = false;
    bool has_rebase_ = false;
    bool has_peer_max_ = false;
    bool is_gap_broken_ = false;  // Losses since the last settled answer were told without one.
    std::uint32_t newest_stamped_ = 0;
    std::uint32_t first_ = 0;         // Of this path.
    std::uint32_t next_ = 0;          // All flights before are settled.
    std::uint32_t scan_ = 0;          // All before are at least no longer outstanding.
    std::uint32_t highest_ = 0;       // The highest count that came in any reply,
    RawInstant highest_answered_;     // and when that reply came.
    std::uint32_t rebase_at_ = 0;     // From this answer on the reflector counts anew.
    std::uint32_t peer_max_ = 0;      // The highest count, of settled answers.
    std::uint32_t drops_ = 0;         // Of our buffer, already accounted for.
    std::uint32_t drops_latest_ = 0;  // As any answer told.
    std::uint32_t extra_replies_ = 0;
    std::int64_t balance_ = 0;  // Probes that reached the reflector and are not accounted for.
};

}  // namespace latmon
