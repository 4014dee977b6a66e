// SPDX-License-Identifier: Apache-2.0
//
// See answer.hpp.
#include "probe/answer.hpp"

#include "base/limits.hpp"
#include "clock/wall_watch.hpp"

#include <algorithm>
#include <cstdlib>

namespace latmon {
namespace {

// The peer's kernel has sent the reply within a second of its program's wish, or never.
constexpr Duration exact_t3_max = Duration::from_s(1);
// Two readings of the wall clock on two CPUs may differ by this much.
constexpr Duration reading_noise{1'000};

// The stamps that count, each as our wall clock showed it then.
struct Chosen {
    WallTime t1;
    WallTime t4;
    Duration round;  // T4 - T1 on the steady clock.
    bool is_t1_kernel = false;
    bool is_t4_kernel = false;
    bool is_card = false;  // `round` is by the card's clock.
};

// How far our wall clock moved against the steady one during the exchange.
Duration wall_moved(const Answer& answer) noexcept {
    return answer.received.wall_minus_raw - answer.sent.wall_minus_raw;
}

// Whether it did so by more than a slew explains and this.
bool has_moved_by(const Answer& answer, std::int64_t allowance_ns) noexcept {
    const Duration lawful = lawful_slew(answer.received.raw - answer.sent.raw,
                                        answer.received.uncertainty + answer.sent.uncertainty);
    return std::abs(wall_moved(answer).ns) > lawful.ns + allowance_ns;
}

// Whether something that lasted so long can lie within `whole`.
bool fits(Duration part, Duration whole) noexcept {
    return part >= -reading_noise && part <= whole + reading_noise;
}

Chosen choose(const Answer& answer) noexcept {
    const LocalStamp& sent = answer.sent;
    const LocalStamp& received = answer.received;
    Chosen chosen{.t1 = sent.user(), .t4 = received.user(), .round = received.raw - sent.raw};
    if (has_wall_jumped(answer)) return chosen;
    const Duration user_round = chosen.round;
    const Duration tx = sent.kernel - sent.user();
    if (sent.has_kernel && fits(tx, chosen.round)) {
        chosen.is_t1_kernel = true;
        chosen.t1 = sent.kernel;
        chosen.round = chosen.round - tx;
    }
    const Duration rx = received.user() - received.kernel;
    if (received.has_kernel && fits(rx, chosen.round)) {
        chosen.is_t4_kernel = true;
        chosen.t4 = received.kernel;
        chosen.round = chosen.round - rx;
    }
    chosen.round = std::min(chosen.round, user_round);
    if (sent.has_card && received.has_card) {
        const Duration by_card = received.card - sent.card;
        // A card that is further from the wire than the kernel is another card: of a bond, say.
        chosen.is_card = by_card.ns > 0 && by_card <= chosen.round;
        if (chosen.is_card) chosen.round = by_card;
    }
    return chosen;
}

latmon_stamp_t kind_of(bool is_card, bool is_kernel) noexcept {
    if (is_card) return LATMON_STAMP_HW;
    return is_kernel ? LATMON_STAMP_KERNEL : LATMON_STAMP_USER;
}

void set_local(Sample& sample, const Answer& answer, const Chosen& chosen) noexcept {
    sample.t1_ns = chosen.t1.ns;
    sample.t4_ns = chosen.t4.ns;
    sample.t1_stamp = kind_of(chosen.is_card, chosen.is_t1_kernel);
    sample.t4_stamp = kind_of(chosen.is_card, chosen.is_t4_kernel);
    sample.valid |= LATMON_HAS_T1 | LATMON_HAS_T4;
    if (chosen.is_t1_kernel) {
        sample.local_tx_ns = (chosen.t1 - answer.sent.user()).ns;
        sample.valid |= LATMON_HAS_LOCAL_TX;
    }
    if (chosen.is_t4_kernel) {
        sample.local_rx_ns = (answer.received.user() - chosen.t4).ns;
        sample.valid |= LATMON_HAS_LOCAL_RX;
        if (sample.local_rx_ns > limits::received_late_ns) {
            sample.blame |= LATMON_BLAME_RECEIVED_LATE;
        }
    }
    if (has_moved_by(answer, limits::clock_step_ns)) sample.blame |= LATMON_BLAME_CLOCK_STEPPED;
}

void set_peer(Sample& sample, const PeerStamps& peer, Duration round) noexcept {
    if (peer.is_absolute) {
        sample.t2_ns = peer.t2.ns;
        sample.t3_ns = peer.t3.ns;
        sample.t2_stamp = static_cast<std::uint8_t>(peer.t2_kind);
        sample.t3_stamp = static_cast<std::uint8_t>(peer.t3_kind);
        sample.valid |= LATMON_HAS_T2 | LATMON_HAS_T3;
    }
    if (!peer.has_t3) {
        sample.t3_ns = 0;
        sample.t3_stamp = LATMON_STAMP_NONE;
        sample.valid &= ~LATMON_HAS_T3;
    }
    // Equal stamps are one stamp: such a reflector says nothing about its turnaround.
    const Duration turnaround = peer.t3 - peer.t2;
    if (turnaround.ns > 0 && turnaround < round) {
        sample.turnaround_ns = turnaround.ns;
        sample.valid |= LATMON_HAS_TURNAROUND;
    }
    if (peer.peer_rx) {
        sample.peer_rx_ns = peer.peer_rx->ns;
        sample.valid |= LATMON_HAS_PEER_RX;
    }
    if (peer.peer_tx) {
        sample.peer_tx_ns = peer.peer_tx->ns;
        sample.valid |= LATMON_HAS_PEER_TX;
    }
}

void set_round_trip(Sample& sample, const Answer& answer, Duration round) noexcept {
    if (!answer.wants_rtt) return;
    sample.rtt_user_ns = (answer.received.raw - answer.sent.raw).ns;
    sample.rtt_ns = round.ns - sample.turnaround_ns;
    sample.valid |= LATMON_HAS_RTT | LATMON_HAS_RTT_USER;
}

void set_one_way(Sample& sample, const OneWayDelays& delays) noexcept {
    sample.owd_class = static_cast<std::uint8_t>(delays.owd_class);
    if (delays.has_values) {
        sample.owd_fwd_ns = delays.forward.ns;
        sample.owd_rev_ns = delays.reverse.ns;
        sample.valid |= LATMON_HAS_OWD_FWD | LATMON_HAS_OWD_REV;
    }
    if (delays.has_bounds) {
        sample.owd_fwd_lo_ns = delays.forward_lo.ns;
        sample.owd_fwd_hi_ns = delays.forward_hi.ns;
        sample.owd_rev_lo_ns = delays.reverse_lo.ns;
        sample.owd_rev_hi_ns = delays.reverse_hi.ns;
        sample.valid |= LATMON_HAS_OWD_FWD_LO_HI | LATMON_HAS_OWD_REV_LO_HI;
    }
}

// Without T3 the way back cannot be told from the time that the far end took, and so the middle of
// what causality allows means nothing; how the way there changes is still seen.
void set_way_there(Sample& sample, const PathStamps& stamps) noexcept {
    sample.owd_class = LATMON_OWD_RELATIVE;
    sample.owd_fwd_ns = (stamps.t2 - stamps.t1).ns;
    sample.valid |= LATMON_HAS_OWD_FWD;
}

void set_clock_errors(Sample& sample, const ClockClaims& claims) noexcept {
    if (claims.local_error) {
        sample.clock_error_local_ns = claims.local_error->ns;
        sample.valid |= LATMON_HAS_CLOCK_ERROR_LOCAL;
    }
    if (claims.remote_error) {
        sample.clock_error_remote_ns = claims.remote_error->ns;
        sample.valid |= LATMON_HAS_CLOCK_ERROR_REMOTE;
    }
}

// How far the kernel's stamps may have been mapped wrongly: each is some time away from the reading
// that maps it. Meanwhile the clock ran at its usual rate; what of its movement that does not
// explain may all have happened right then.
Duration mapping_error(const Answer& answer, const Chosen& chosen) noexcept {
    if (!chosen.is_t1_kernel && !chosen.is_t4_kernel) return {};
    const Duration whole = answer.received.raw - answer.sent.raw;
    const auto usual = [&](Duration passed) {
        return Duration{passed.ns / 1'000 * answer.wall_rate_ppb / 1'000'000};
    };
    const Duration unusual = wall_moved(answer) - usual(whole);
    const Duration away = usual(whole - chosen.round);
    return Duration{std::abs(unusual.ns) + std::abs(away.ns)};
}

// The exchange on one clock: T1 as the wall clock of T4 would have shown it.
PathStamps path_stamps(const Answer& answer, const Chosen& chosen) noexcept {
    const LocalStamp& received = answer.received;
    return {.t1 = chosen.t1 + wall_moved(answer),
            .t2 = answer.peer.t2,
            .t3 = answer.peer.t3,
            .t4 = chosen.t4,
            .at = received.raw,
            .wall_minus_raw = received.wall_minus_raw,
            .uncertainty =
                received.uncertainty + answer.sent.uncertainty + mapping_error(answer, chosen)};
}

}  // namespace

bool has_wall_jumped(const Answer& answer) noexcept {
    // The loop may have seen it go and come back.
    const bool is_seen = (answer.sample.blame & LATMON_BLAME_CLOCK_STEPPED) != 0;
    return is_seen || has_moved_by(answer, limits::wall_moved_ns);
}

bool take_exact_t3(PeerStamps& peer, WallTime exact, latmon_stamp_t kind) noexcept {
    const Duration later = exact - peer.t3;
    if (later < -reading_noise || later > exact_t3_max) return false;
    peer.peer_tx = later;
    peer.t3 = exact;
    peer.t3_kind = kind;
    return true;
}

void complete(Answer& answer, PathClock& path_clock) noexcept {
    Sample& sample = answer.sample;
    const Chosen chosen = choose(answer);
    // A stamp that was not believed leaves open how long the packet waited.
    const bool may_have_waited =
        answer.may_have_waited || (answer.received.has_kernel && !chosen.is_t4_kernel);
    const bool is_steady = answer.peer.is_steady && !has_wall_jumped(answer);
    set_local(sample, answer, chosen);
    set_peer(sample, answer.peer, chosen.round);
    set_round_trip(sample, answer, chosen.round);
    set_clock_errors(sample, answer.claims);
    const PathStamps stamps = path_stamps(answer, chosen);
    // RFC 8762 demands no order of the peer's stamps; causality does.
    const Duration turnaround = stamps.t3 - stamps.t2;
    const bool is_causal = turnaround.ns >= 0 && turnaround <= stamps.t4 - stamps.t1;
    if (answer.peer.is_absolute && is_steady && !may_have_waited && is_causal) {
        const OneWayDelays delays = path_clock.judge(stamps, answer.claims);
        answer.peer.has_t3 ? set_one_way(sample, delays) : set_way_there(sample, stamps);
    }
}

}  // namespace latmon
