// SPDX-License-Identifier: Apache-2.0
//
// A Ring on which nothing ever happens: no socket is to be had, what is sent is forgotten, nothing
// arrives, no wait lasts. What stands above it then does, and costs, what it does by itself. Used
// on one thread.
#pragma once

#include "reactor/ring.hpp"

#include <cerrno>

namespace latmon::test {

class IdleRing : public Ring {
public:
    explicit IdleRing(const StampAbility& ability = {}) noexcept : ability_(ability) {}

    Outcome<SocketId> open_udp(const SocketOptions&) noexcept override { return refused(); }
    Outcome<SocketId> open_tcp(const SocketOptions&) noexcept override { return refused(); }
    Outcome<SocketId> open_listener(const SocketOptions&) noexcept override { return refused(); }
    void close(SocketId) noexcept override {}
    Endpoint peer(SocketId) const noexcept override { return {}; }
    const StampAbility& stamp_ability() const noexcept override { return ability_; }
    std::uint32_t receive_drops(SocketId) const noexcept override { return 0; }
    Outcome<SocketError> take_error(SocketId) noexcept override { return std::unexpected(EAGAIN); }
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
    static Outcome<SocketId> refused() noexcept { return std::unexpected(EPERM); }

    StampAbility ability_;
    RingCounters counters_;
};

}  // namespace latmon::test
