// SPDX-License-Identifier: Apache-2.0
//
// Senders over UDP. Up to 64 of them (an option) share a socket and differ by SSID: thousands of
// senders then cost tens of descriptors, and neighbours in the schedule that are due together go
// out with one system call. They are stamped before it, so that RTT holds the sending of those in
// front: some 2 us each, and only when we are behind; --batch 1 never does it. A reflector sees
// each sender as a session of its own either way; it counts by address, port and SSID.
#include "loadgen/datagrams.hpp"
#include "loadgen/process.hpp"
#include "loadgen/sockets.hpp"
#include "loadgen/transport.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace latmon::loadgen {
namespace {

constexpr std::size_t receive_batch = 32;
// Batches taken from one socket before the schedule is looked at again.
constexpr int batches_per_turn = 4;

class UdpTransport final : public Transport {
public:
    UdpTransport(const TransportOptions& options, std::vector<Fd> sockets, Fd epoll)
        : options_(options),
          sockets_(std::move(sockets)),
          epoll_(std::move(epoll)),
          packets_(options.batch, blank_request(options.size_bytes)),
          outgoing_(options.batch),
          incoming_(receive_batch, options.size_bytes + 1) {}

    void send(std::span<Shot> shots) override;
    void receive(Duration wait, ReplySink& sink) override;
    void describe(Report& report) const override;

private:
    void send_group(const Fd& socket, std::span<Shot> shots);
    void drain(std::uint32_t socket_index, ReplySink& sink);
    void hand_on(std::uint32_t socket_index, int count, ReplySink& sink);
    [[nodiscard]] std::uint16_t ssid_of(std::uint32_t sender) const noexcept {
        return static_cast<std::uint16_t>(1 + sender % options_.senders_per_socket);
    }
    [[nodiscard]] std::uint32_t sender_of(std::uint32_t socket_index,
                                          std::span<const std::byte> reply) const noexcept;

    TransportOptions options_;
    std::vector<Fd> sockets_;
    Fd epoll_;
    std::vector<std::vector<std::byte>> packets_;
    SendBatch outgoing_;
    ReceiveBatch incoming_;
    OsClock clock_;
    std::uint64_t refusals_ = 0;
    std::uint64_t receive_errors_ = 0;
};

void UdpTransport::send(std::span<Shot> shots) {
    while (!shots.empty()) {
        const std::uint32_t socket_index = shots.front().sender / options_.senders_per_socket;
        std::size_t count = 0;
        while (count < shots.size() && count < options_.batch &&
               shots[count].sender / options_.senders_per_socket == socket_index) {
            ++count;
        }
        send_group(sockets_[socket_index], shots.first(count));
        shots = shots.subspan(count);
    }
}

void UdpTransport::send_group(const Fd& socket, std::span<Shot> shots) {
    for (std::size_t index = 0; index < shots.size(); ++index) {
        std::vector<std::byte>& packet = packets_[index];
        stamp(shots[index], ssid_of(shots[index].sender), packet);
        outgoing_.add(packet);
    }
    const std::span<const int> results = outgoing_.flush(socket);
    for (std::size_t index = 0; index < shots.size(); ++index) {
        shots[index].error_number = results[index];
        if (results[index] == ECONNREFUSED) ++refusals_;
    }
}

void UdpTransport::receive(Duration wait, ReplySink& sink) {
    std::array<epoll_event, 64> events{};
    const std::size_t count = wait_for_events(epoll_.get(), wait, events);
    for (std::size_t index = 0; index < count; ++index) {
        drain(events[index].data.u32, sink);
    }
}

void UdpTransport::drain(std::uint32_t socket_index, ReplySink& sink) {
    for (int batch = 0; batch < batches_per_turn; ++batch) {
        const int count = incoming_.receive(sockets_[socket_index]);
        if (count == -ECONNREFUSED) {
            ++refusals_;  // Reading it clears it.
            continue;
        }
        if (count < 0 && count != -EAGAIN && count != -EINTR) ++receive_errors_;
        if (count <= 0) return;
        hand_on(socket_index, count, sink);
        if (static_cast<std::size_t>(count) < incoming_.capacity()) return;
    }
}

void UdpTransport::hand_on(std::uint32_t socket_index, int count, ReplySink& sink) {
    const RawInstant raw_at = clock_.raw_now();
    const WallTime wall_at = clock_.wall_now();
    for (int index = 0; index < count; ++index) {
        const ReceivedDatagram datagram = incoming_.datagram(static_cast<std::size_t>(index));
        Arrived reply{.sender = sender_of(socket_index, datagram.data),
                      .data = datagram.data,
                      .raw_at = raw_at,
                      .read_lateness = std::nullopt};
        if (datagram.is_truncated) reply.data = {};  // We asked for nothing as long.
        if (datagram.arrival) reply.read_lateness = wall_at - *datagram.arrival;
        sink.on_reply(reply);
    }
}

// A socket's only sender needs no SSID to be known: a reflector without RFC 8972 returns none.
std::uint32_t UdpTransport::sender_of(std::uint32_t socket_index,
                                      std::span<const std::byte> reply) const noexcept {
    const std::uint32_t first = socket_index * options_.senders_per_socket;
    const std::optional<ReflectorPacket> packet = decode_reflector(reply);
    if (!packet || options_.senders_per_socket == 1) return first;
    if (packet->ssid < 1 || packet->ssid > options_.senders_per_socket) return first;
    return first + packet->ssid - 1;
}

void UdpTransport::describe(Report& report) const {
    std::uint64_t drops = 0;
    for (const Fd& socket : sockets_) {
        drops += kernel_drops(socket);
    }
    report.add("sockets", std::uint64_t{sockets_.size()});
    report.add("refusals", refusals_);
    report.add("receive_errors", receive_errors_);
    report.add("own_kernel_dropped_packets", drops);
}

}  // namespace

Result<std::unique_ptr<Transport>> open_udp_transport(const TransportOptions& options) {
    const std::uint32_t per_socket = options.senders_per_socket;
    const std::uint32_t count = (options.sender_count + per_socket - 1) / per_socket;
    const Result<void> reserved = reserve_descriptors(count);
    if (!reserved) return std::unexpected(reserved.error());
    Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll.is_open()) return fail_errno(ExitCode::failure, "no epoll descriptor", errno);
    std::vector<Fd> sockets;
    for (std::uint32_t index = 0; index < count; ++index) {
        Result<Fd> socket = open_probing_udp(options.target);
        if (!socket) return std::unexpected(socket.error());
        epoll_event event{.events = EPOLLIN, .data = {.u32 = index}};
        if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, socket->get(), &event) != 0) {
            return fail_errno(ExitCode::failure, "a socket cannot be waited for", errno);
        }
        sockets.push_back(std::move(*socket));
    }
    return std::make_unique<UdpTransport>(options, std::move(sockets), std::move(epoll));
}

}  // namespace latmon::loadgen
