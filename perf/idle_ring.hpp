// SPDX-License-Identifier: Apache-2.0
//
// A Ring on which nothing ever happens: what is sent is forgotten, nothing arrives, no wait lasts.
// What stands above it then costs what it costs by itself. Used on one thread.
#pragma once

#include "reactor/ring.hpp"

namespace latmon {

class IdleRing final : public Ring {
public:
    Outcome<SocketId> open_udp(const SocketOptions&) noexcept override { return SocketId{0}; }
    Outcome<SocketId> open_tcp(const SocketOptions&) noexcept override { return SocketId{0}; }
    Outcome<SocketId> open_listener(const SocketOptions&) noexcept override { return SocketId{0}; }
    void close(SocketId) noexcept override {}
    Endpoint peer(SocketId) const noexcept override { return {}; }
    const StampAbility& stamp_ability() const noexcept override { return ability_; }
    std::uint32_t receive_drops(SocketId) const noexcept override { return 0; }
    Outcome<SocketError> take_error(SocketId) noexcept override { return std::unexpected(11); }
    void prepare_receive_datagrams(Operation&, SocketId) noexcept override {}
    void prepare_tx_stamps(Operation&, SocketId) noexcept override {}
    void prepare_send_datagram(Operation&, SocketId, const Message&) noexcept override {}
    void prepare_accept(Operation&, SocketId) noexcept override {}
    void prepare_connect(Operation&, SocketId, const Endpoint&) noexcept override {}
    void prepare_send_stream(Operation&, SocketId, const Message&) noexcept override {}
    void prepare_receive_stream(Operation&, SocketId, StreamInput&) noexcept override {}
    std::optional<WallTime> arrival_of(const StreamInput&) const noexcept override { return {}; }
    void prepare_cancel(Operation&) noexcept override {}
    Datagram datagram(const Completion&) noexcept override { return {}; }
    void release_buffer(std::uint16_t) noexcept override {}
    void submit() noexcept override {}
    void wait(Instant, Duration) noexcept override {}
    void poll() noexcept override {}
    std::uint32_t drain(std::span<Ready>) noexcept override { return 0; }
    void wake() noexcept override {}
    const RingCounters& counters() const noexcept override { return counters_; }

private:
    StampAbility ability_{.tx = TxStampWay::ring, .has_keys = true, .has_rx = true};
    RingCounters counters_;
};

}  // namespace latmon
