// SPDX-License-Identifier: Apache-2.0
//
// One answered exchange between its reply and its sample: some of its stamps are still on their
// way. Ours of the transmission may come after the reply; the exact T3 comes with the next reply
// (Follow-Up Telemetry, RFC 8972 section 4.7). Once it is complete, its time is split:
//
//   due -> user send -> kernel T1 -> (network) -> kernel T2 -> user -> kernel T3 -> (network) ->
//    lateness    local_tx                          peer_rx     peer_tx      kernel T4 -> user
//                                                                                local_rx
//
// Plain values and arithmetic; used on one core-thread; allocates nothing.
#pragma once

#include "clock/path_clock.hpp"
#include "reactor/stamp.hpp"
#include "sample/sample.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

namespace latmon {

// A stamp of this host's: user space's, and what the kernel or the card made of it.
struct LocalStamp {
    RawInstant raw;           // User space, on the steady clock.
    Duration wall_minus_raw;  // Of our clocks at that time, right within
    Duration uncertainty;     // so much.
    bool has_kernel = false;
    WallTime kernel;  // As our wall clock showed it.
    bool has_card = false;
    WallTime card;  // By the card's own clock: only two of these can be compared.

    [[nodiscard]] WallTime user() const noexcept { return WallTime{raw.ns + wall_minus_raw.ns}; }
};

// What the peer said about its own stamps.
struct PeerStamps {
    WallTime t2;
    WallTime t3;
    bool has_t3 = true;        // False: `t3` is T2, before which it cannot have been.
    bool is_absolute = false;  // They can be compared with ours, and not only with each other.
    bool is_steady = true;     // Its clock was not set between them, as far as anybody knows.
    latmon_stamp_t t2_kind = LATMON_STAMP_PEER;
    latmon_stamp_t t3_kind = LATMON_STAMP_PEER;
    std::optional<Duration> peer_rx;  // Its kernel's receive to its user space.
    std::optional<Duration> peer_tx;  // Its user space's T3 to its kernel's.
};

// What the sample's stamps, round trips and one-way delays are made of.
struct AnswerStamps {
    LocalStamp sent;
    LocalStamp received;
    PeerStamps peer;
    ClockClaims claims;
    std::int64_t wall_rate_ppb = 0;  // WallWatch::usual_ppb(), of our own.
    bool wants_rtt = true;
    // T2 or T4 is of user space, though on this path the kernel's are to be had: how long the
    // packet lay there before is not known.
    bool may_have_waited = false;
    bool waits_for_tx_stamp = false;
    bool waits_for_follow_up = false;
    Instant wait_until;  // Then it is complete, whatever is missing.
};

struct Answer : AnswerStamps {
    Sample sample;  // Everything that does not depend on stamps.
};

// A sample without what complete() fills in, for as long as its answer waits: thousands of probes
// have one each.
class BegunSample {
public:
    explicit BegunSample(const Sample& sample) noexcept
        : time_ns_(sample.time_ns),
          scheduled_ns_(sample.scheduled_ns),
          lateness_ns_(sample.lateness_ns) {
        std::memcpy(labels_.data(), reinterpret_cast<const std::byte*>(&sample) + labels_at,
                    labels_.size());
    }

    [[nodiscard]] Sample sample() const noexcept {
        Sample sample{};
        sample.time_ns = time_ns_;
        sample.scheduled_ns = scheduled_ns_;
        sample.lateness_ns = lateness_ns_;
        std::memcpy(reinterpret_cast<std::byte*>(&sample) + labels_at, labels_.data(),
                    labels_.size());
        return sample;
    }

private:
    // All fields from here to the end. What lies between is complete()'s, which writes each of them
    // that `valid` names, T1 too; and `value`, which is no exchange's.
    static constexpr std::size_t labels_at = offsetof(Sample, series_id);
    static_assert(offsetof(Sample, rtt_ns) == 3 * sizeof(std::int64_t));
    static_assert(offsetof(Sample, value) + sizeof(std::int64_t) == labels_at);

    std::int64_t time_ns_;
    std::int64_t scheduled_ns_;
    std::int64_t lateness_ns_;
    std::array<std::byte, sizeof(Sample) - labels_at> labels_;
};

// Replaces T3 by the exact one, if it makes sense: not before the one in the packet, and within a
// second of it. False: it did not.
[[nodiscard]] bool take_exact_t3(PeerStamps& peer, WallTime exact, latmon_stamp_t kind) noexcept;

// Whether our wall clock was set, or the host suspended, between the exchange's first stamp and its
// last. Its slew of up to 500 ppm is none of that.
[[nodiscard]] bool has_wall_jumped(const Answer& answer) noexcept;

// Fills in the sample's stamps, round trips and one-way delays from all that is known.
// - rtt: by the card's stamps if both ends of ours have one, else by the kernel's, else by user
//   space's. The kernel's are of the wall clock; each is brought to the steady one by the pair of
//   readings next to it, so that a slew in between costs nothing.
// - if has_wall_jumped(), nobody knows which clock the kernel's stamps show: the round trip is by
//   user space's on the steady clock, the stamps are named so, and of the ways nothing is said.
// - nor if the peer's clock may have been set between its stamps, nor if a packet may have waited
//   where nobody stamped it: the network did not take that time.
// - without T3 the round trip holds what the far end took, and of the ways there is the one there
//   alone, and only as far as it changes.
// - a turnaround that is longer than the round trip is a lie and is left out.
void complete(Answer& answer, PathClock& path_clock) noexcept;

}  // namespace latmon
