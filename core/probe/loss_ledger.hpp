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
    // `reorder_max`: replies that are further apart do not overtake each other; a timeout.
    explicit LossLedger(ReflectorMode mode, Duration reorder_max = Duration::from_s(1)) noexcept
        : mode_(mode), reorder_max_(reorder_max) {}

    // Told of each loss of which the address is known. [core-thread]
    class User {
    public:
        virtual void on_loss(Flight& flight, LossAddress address) noexcept = 0;

    protected:
        ~User() = default;
    };

    // A path was opened: the reflector counts from 0 again, if it counts at all. `first` is the
    // sequence number of the first probe on it; those before have no answer any more.
    void restart(std::uint32_t first) noexcept;

    // What the reflector of the path is, if it is another one from now on; before restart().
    void set_mode(ReflectorMode mode) noexcept { mode_ = mode; }

    // A flight was answered for the first time: its `peer_sequence` is set.
    void note_answer(Flight& flight, const AnswerFacts& facts) noexcept;
    // A reply came to a flight that has ended: a second one, or one too late. The reflector counted
    // it as its `count`-th, and it is no loss. What was told of the flight stays told.
    void note_extra_reply(Flight& flight, std::uint32_t count) noexcept;
    // The kernel gave a transmit stamp on this path: those that lack one did not leave.
    void note_tx_stamp(std::uint32_t sequence) noexcept {
        has_tx_stamps_ = true;
        if (static_cast<std::int32_t>(sequence - newest_stamped_) > 0) newest_stamped_ = sequence;
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
        std::uint32_t unstamped = 0;      // Of these, those that the kernel never stamped.
        std::uint32_t extra_replies = 0;  // Of those that the closing answer's count includes,
        std::uint32_t later_replies = 0;  // and of the others.
    };
    struct Verdict {
        Gap lost;
        bool knows_arrivals = false;
        std::uint32_t count = 0;     // The reflector's, in the answer that closed the gap.
        std::uint32_t reverse = 0;   // Of the lost, those that the reflector counted.
        std::uint32_t local_rx = 0;  // Of these, those that our receive buffer dropped.
    };

    [[nodiscard]] bool counts() const noexcept;
    [[nodiscard]] bool is_unstamped(const Flight& flight) const noexcept;
    [[nodiscard]] Gap measure(InFlight& flights, std::uint32_t end,
                              std::uint32_t count) const noexcept;
    [[nodiscard]] std::uint32_t drops_until(std::uint32_t drops) const noexcept;
    [[nodiscard]] std::optional<std::int64_t> arrivals_until(const Flight& answer) noexcept;
    void close_gap(InFlight& flights, const Flight& answer, User& user) noexcept;
    void tell(InFlight& flights, std::uint32_t end, Verdict verdict, User& user) noexcept;
    void age_balance(RawInstant sent) noexcept;

    ReflectorMode mode_;
    Duration reorder_max_;
    bool has_path_ = false;
    bool says_stateful_ = false;
    bool is_proved_stateful_ = false;  // Its count differed from ours: it is no copy.
    bool has_tx_stamps_ = false;
    bool has_highest_ = false;
    bool has_rebase_ = false;
    bool has_peer_max_ = false;
    bool is_off_balance_ = false;  // Since `off_balance_since_`.
    bool is_gap_broken_ = false;   // Losses since the last settled answer were told without one.
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
    RawInstant off_balance_since_;
    std::uint32_t times_off_balance_ = 0;
};

}  // namespace latmon
