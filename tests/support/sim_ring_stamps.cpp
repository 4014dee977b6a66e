// SPDX-License-Identifier: Apache-2.0
//
// The time stamps of sim_ring.hpp: those of packets sent become completions, or entries of the
// error queue; those of streams lie beside what was received, as the kernel lays them.
#include "base/assert.hpp"
#include "reactor/control.hpp"
#include "support/sim_ring.hpp"

#include <poll.h>
#include <array>
#include <cerrno>
#include <cstring>

namespace latmon::sim {

const StampAbility& SimRing::stamp_ability() const noexcept {
    ability_ = {};
    if (refuse_stamps) return ability_;
    ability_.tx = has_stamps_in_error_queue ? TxStampWay::error_queue : TxStampWay::ring;
    ability_.has_keys = has_stamp_keys;
    ability_.has_rx = true;
    return ability_;
}

std::uint32_t SimRing::receive_drops(SocketId id) const noexcept {
    return at(id).drops;
}

void SimRing::prepare_tx_stamps(Operation& operation, SocketId id) noexcept {
    Socket& socket = at(id);
    LATMON_ASSERT(!operation.is_active && socket.wants_stamps && socket.stamps == nullptr);
    operation.is_active = true;
    const bool has_keys = socket.is_stream || socket.is_connected || has_stamp_keys;
    if (stamp_ability().tx == TxStampWay::none || !has_keys) {
        complete(&operation, {.result = -EOPNOTSUPP});
        return;
    }
    socket.stamps_tx = true;
    socket.stamps = &operation;
    if (has_stamps_in_error_queue) {
        if (!socket.errors.empty()) tell_error_queue(socket);
        return;
    }
    const auto is_stamp = [](const SocketError& entry) {
        return entry.stamp.source != StampSource::none;
    };
    for (const SocketError& entry : socket.errors) {
        if (is_stamp(entry)) complete(&operation, {.has_more = true, .stamp = entry.stamp});
    }
    std::erase_if(socket.errors, is_stamp);
}

void SimRing::plan_stamp(SocketId id, Duration delay, std::uint32_t key, StampPoint point) {
    if (!at(id).stamps_tx) return;
    simulation_.at(simulation_.now_ns() + delay.ns, [=, this, generation = at(id).generation] {
        Socket& socket = at(id);
        if (!socket.is_open || socket.generation != generation) return;
        give_stamp(socket, {.key = key,
                            .point = point,
                            .source = StampSource::kernel,
                            .time = clock_.kernel_now()});
    });
}

void SimRing::give_stamp(Socket& socket, const TxStamp& stamp) {
    if (socket.stamps != nullptr && !has_stamps_in_error_queue) {
        complete(socket.stamps, {.has_more = true, .stamp = stamp});
        return;
    }
    SocketError entry;
    entry.stamp = stamp;
    socket.errors.push_back(entry);
    tell_error_queue(socket);
}

void SimRing::tell_error_queue(Socket& socket) {
    if (socket.stamps == nullptr || !has_stamps_in_error_queue) return;
    complete(socket.stamps, {.result = POLLERR, .has_more = true});
}

// The stamp of the last of the first `octets` octets that wait.
void SimRing::put_arrival(const Socket& socket, std::size_t octets, StreamInput& input) {
    auto segment = socket.segments.begin();
    while (octets > segment->octets) {
        octets -= segment->octets;
        ++segment;
    }
    msghdr& header = input.header();
    header.msg_controllen = CMSG_SPACE(3 * sizeof(timespec));
    cmsghdr* const control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SO_TIMESTAMPING;
    control->cmsg_len = CMSG_LEN(3 * sizeof(timespec));
    const std::array<timespec, 3> times{timespec{.tv_sec = segment->arrived.ns / 1'000'000'000,
                                                 .tv_nsec = segment->arrived.ns % 1'000'000'000}};
    std::memcpy(CMSG_DATA(control), times.data(), sizeof(times));
}

std::optional<WallTime> SimRing::arrival_of(const StreamInput& input) const noexcept {
    return arrival_in(input.header());
}

}  // namespace latmon::sim
