// SPDX-License-Identifier: Apache-2.0
//
// See sample_fields.hpp.
#include "probe/sample_fields.hpp"

#include "probe/exchanges.hpp"

#include <algorithm>
#include <cstdlib>

namespace latmon {

Sample make_sample(latmon_kind_t kind, latmon_status_t status,
                   latmon_protocol_t protocol) noexcept {
    Sample sample{};
    sample.kind = static_cast<std::uint8_t>(kind);
    sample.status = static_cast<std::uint8_t>(status);
    sample.protocol = static_cast<std::uint8_t>(protocol);
    return sample;
}

void set_schedule(Sample& sample, WallTime wall, Instant due, Duration lateness,
                  Instant now) noexcept {
    sample.scheduled_ns = (wall - (now - due)).ns;
    sample.lateness_ns = lateness.ns;
    sample.valid |= LATMON_HAS_SCHEDULE;
}

void set_error(Sample& sample, int error_number) noexcept {
    sample.error = error_number;
    sample.valid |= LATMON_HAS_ERROR;
}

void set_peer_fields(Sample& sample, const Endpoint& peer, std::uint16_t ssid) noexcept {
    if (peer == Endpoint{}) return;
    std::copy(peer.address.begin(), peer.address.end(), sample.peer_address);
    sample.peer_port = peer.port;
    sample.ssid = ssid;
    sample.valid |= LATMON_HAS_PEER;
}

void set_stamps(Sample& sample, WireTime t1, const ReflectorPacket& reply, WallTime t4) noexcept {
    // The peer may stamp in PTP format, whose seconds are TAI: without a TAI offset that we know to
    // be right, its stamps say nothing but their difference.
    const bool is_ptp = decode_error_estimate(reply.error_estimate).is_ptp;
    const WallTime t2 = is_ptp ? from_ptp(reply.t2, t4, Duration{}) : from_ntp(reply.t2, t4);
    const WallTime t3 = is_ptp ? from_ptp(reply.t3, t4, Duration{}) : from_ntp(reply.t3, t4);
    sample.t1_ns = from_ntp(t1, t4).ns;
    sample.t4_ns = t4.ns;
    sample.t1_stamp = LATMON_STAMP_USER;
    sample.t4_stamp = LATMON_STAMP_USER;
    sample.valid |= LATMON_HAS_T1 | LATMON_HAS_T4;
    if (!is_ptp) {
        sample.t2_ns = t2.ns;
        sample.t3_ns = t3.ns;
        sample.t2_stamp = LATMON_STAMP_PEER;
        sample.t3_stamp = LATMON_STAMP_PEER;
        sample.valid |= LATMON_HAS_T2 | LATMON_HAS_T3;
    }
    if (t3 > t2) {
        sample.turnaround_ns = (t3 - t2).ns;
        sample.valid |= LATMON_HAS_TURNAROUND;
    }
}

void set_round_trip(Sample& sample, Duration rtt_user) noexcept {
    sample.rtt_user_ns = rtt_user.ns;
    sample.valid |= LATMON_HAS_RTT | LATMON_HAS_RTT_USER;
    if (sample.turnaround_ns > rtt_user.ns) {
        sample.turnaround_ns = 0;
        sample.valid &= ~LATMON_HAS_TURNAROUND;
    }
    sample.rtt_ns = rtt_user.ns - sample.turnaround_ns;
    // The round trip is by a clock that does not jump: if our wall stamps disagree with it, they
    // do.
    const std::int64_t wall_ns = sample.t4_ns - sample.t1_ns;
    if (std::abs(wall_ns - rtt_user.ns) > limits::clock_step_ns) {
        sample.blame |= LATMON_BLAME_CLOCK_STEPPED;
    }
}

void set_path(Sample& sample, const ReflectorPacket& reply, const ReplyPath& path) noexcept {
    sample.peer_sequence = reply.sequence;
    sample.valid |= LATMON_HAS_PEER_SEQUENCE;
    if (reply.sender_ttl != 0) {
        sample.ttl_fwd = reply.sender_ttl;
        sample.valid |= LATMON_HAS_TTL_FWD;
    }
    if (path.ttl != 0) {
        sample.ttl_rev = path.ttl;
        sample.valid |= LATMON_HAS_TTL_REV;
    }
    if (path.has_traffic_class) {
        sample.dscp_rev = static_cast<std::uint8_t>(path.traffic_class >> 2U);
        sample.valid |= LATMON_HAS_DSCP_REV;
    }
}

std::uint32_t blame_since(const CoreContext& context, RawInstant sent, Duration lateness) noexcept {
    const RawInstant since = sent - lateness;
    std::uint32_t blame = 0;
    if (lateness.ns > limits::sent_late_ns) blame |= LATMON_BLAME_SENT_LATE;
    if (context.reactor.stalled_since(since)) blame |= LATMON_BLAME_LOOP_STALLED;
    if (context.reactor.overflowed_since(since)) blame |= LATMON_BLAME_OVERFLOW;
    if (context.wall_watch.stepped_since(since)) blame |= LATMON_BLAME_CLOCK_STEPPED;
    return blame;
}

}  // namespace latmon
