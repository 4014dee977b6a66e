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
#include "loadgen/waiting.hpp"

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

// The Python tool's replies are longer than the request by as much as its name is longer.
constexpr std::size_t reply_slack_bytes = 256;

// Not the other side's, nor the network's.
bool is_our_fault(int error_number) noexcept {
    return error_number != 0 && error_number != ECONNREFUSED && error_number != EHOSTUNREACH &&
           error_number != ENETUNREACH;
}

class UdpTransport final : public Transport {
public:
    UdpTransport(const TransportOptions& options, ProbeFormat& format, std::vector<Fd> sockets)
        : options_(options),
          format_(format),
          sockets_(std::move(sockets)),
          packets_(options.batch, std::vector<std::byte>(format.size_bytes_max())),
          outgoing_(2 * std::size_t{options.batch}),
          incoming_(receive_batch, format.size_bytes_max() + reply_slack_bytes) {}

    // [main-thread]
    [[nodiscard]] Result<void> begin();

    void send(std::span<Shot> shots) override;
    void receive(Duration wait, ReplySink& sink) override;
    void describe(Report& report, Trust& trust) const override;

private:
    void send_group(const Fd& socket, std::span<Shot> shots);
    void drain(std::uint32_t socket_index, ReplySink& sink);
    void hand_on(std::uint32_t socket_index, int count, ReplySink& sink);
    [[nodiscard]] std::uint16_t ssid_of(std::uint32_t sender) const noexcept {
        return static_cast<std::uint16_t>(1 + sender % options_.senders_per_socket);
    }

    // A socket's only sender needs no SSID to be known: a reflector without RFC 8972 returns none.
    [[nodiscard]] std::uint32_t sender_of(std::uint32_t first, std::uint16_t ssid) const noexcept {
        return ssid < 1 || ssid > options_.senders_per_socket ? first : first + ssid - 1;
    }

    TransportOptions options_;
    ProbeFormat& format_;
    std::vector<Fd> sockets_;
    Fd epoll_;
    std::vector<std::vector<std::byte>> packets_;
    SendBatch outgoing_;
    ReceiveBatch incoming_;
    OsClock clock_;
    std::vector<bool> is_second_;  // Of outgoing_: one that was doubled on purpose.
    std::uint64_t doubled_ = 0;
    std::uint64_t refusals_ = 0;
    std::uint64_t own_send_errors_ = 0;
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
        const std::span<std::byte> packet = packets_[index];
        const std::uint32_t sender = shots[index].sender;
        format_.write(shots[index], ssid_of(sender), packet);
        for (int copy = 0; copy < (shots[index].is_doubled ? 2 : 1); ++copy) {
            outgoing_.add(packet.first(format_.size_bytes(sender)));
            is_second_.push_back(copy > 0);
        }
    }
    const std::span<const int> results = outgoing_.flush(socket);
    std::size_t sent = 0;
    for (std::size_t index = 0; index < results.size(); ++index) {
        if (results[index] == ECONNREFUSED) ++refusals_;
        if (is_our_fault(results[index])) ++own_send_errors_;
        if (is_second_[index]) {
            doubled_ += results[index] == 0 ? 1U : 0U;
        } else {
            shots[sent++].error_number = results[index];
        }
    }
    is_second_.clear();
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
        const std::uint32_t first = socket_index * options_.senders_per_socket;
        Arrived reply{.sender = first,
                      .echo = format_.read(first, datagram.data),
                      .raw_at = raw_at,
                      .read_lateness = std::nullopt};
        if (datagram.is_truncated) reply.echo.reset();  // We asked for nothing as long.
        if (reply.echo) reply.sender = sender_of(first, reply.echo->ssid);
        if (datagram.arrival) reply.read_lateness = wall_at - *datagram.arrival;
        sink.on_reply(reply);
    }
}

void UdpTransport::describe(Report& report, Trust& trust) const {
    std::uint64_t drops = 0;
    for (const Fd& socket : sockets_) {
        drops += kernel_drops(socket);
    }
    report.add("sockets", std::uint64_t{sockets_.size()});
    report.add_none("broken_connections");
    report.add("doubled_on_purpose_packets", doubled_);
    report.add("refusals", refusals_);
    report.add("receive_errors", receive_errors_);
    report.add("own_send_errors", own_send_errors_);
    report.add("own_kernel_dropped_packets", drops);
    trust.doubt_count("own_send_errors", own_send_errors_);
    trust.doubt_count("own_kernel_dropped_packets", drops);
}

Result<void> UdpTransport::begin() {
    epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_.is_open()) return fail_errno(ExitCode::failure, "no epoll descriptor", errno);
    for (std::uint32_t index = 0; index < sockets_.size(); ++index) {
        epoll_event event{.events = EPOLLIN, .data = {.u32 = index}};
        if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, sockets_[index].get(), &event) != 0) {
            return fail_errno(ExitCode::failure, "a socket cannot be waited for", errno);
        }
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Transport>> open_udp_transport(const TransportOptions& options,
                                                      ProbeFormat& format) {
    const std::uint32_t per_socket = options.senders_per_socket;
    const std::uint32_t count = (options.sender_count + per_socket - 1) / per_socket;
    const Result<void> reserved = reserve_descriptors(count);
    if (!reserved) return std::unexpected(reserved.error());
    std::vector<Fd> sockets;
    for (std::uint32_t index = 0; index < count; ++index) {
        Result<Fd> socket = open_probing_udp(path_of(options, index));
        if (!socket) return std::unexpected(socket.error());
        sockets.push_back(std::move(*socket));
    }
    std::unique_ptr<UdpTransport> transport =
        std::make_unique<UdpTransport>(options, format, std::move(sockets));
    const Result<void> begun = transport->begin();
    if (!begun) return std::unexpected(begun.error());
    return transport;
}

}  // namespace latmon::loadgen
