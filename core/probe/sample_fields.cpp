// SPDX-License-Identifier: Apache-2.0
//
// See sample_fields.hpp.
#include "probe/sample_fields.hpp"

#include "probe/exchanges.hpp"

#include <algorithm>

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

void set_reply(Sample& sample, const ReflectorPacket& reply) noexcept {
    sample.peer_sequence = reply.sequence;
    sample.valid |= LATMON_HAS_PEER_SEQUENCE;
    if (reply.sender_ttl == 0) return;
    sample.ttl_fwd = reply.sender_ttl;
    sample.valid |= LATMON_HAS_TTL_FWD;
}

void set_path(Sample& sample, const ReplyPath& path) noexcept {
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
    if (context.reactor.stolen_since(since)) blame |= LATMON_BLAME_CPU_STEAL;
    if (context.reactor.overflowed_since(since)) blame |= LATMON_BLAME_OVERFLOW;
    if (context.wall_watch.stepped_since(since)) blame |= LATMON_BLAME_CLOCK_STEPPED;
    const Instant now = context.reactor.arrival().now;
    if (!context.own_clock.state().is_synchronized_at(now)) blame |= LATMON_BLAME_CLOCK_UNSYNCED;
    return blame;
}

}  // namespace latmon
