// SPDX-License-Identifier: Apache-2.0
//
// See reflect_tcp.hpp.
#include "loadgen/reflect_tcp.hpp"

#include "loadgen/process.hpp"
#include "loadgen/stamp_reply.hpp"
#include "wire/frame.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace latmon::loadgen {
namespace {

constexpr int wait_ms = 100;  // So that a stop is seen.
constexpr std::size_t read_bytes = 65'536;
constexpr std::size_t output_bytes_max = 1U << 20U;
constexpr int accepts_per_turn = 256;
constexpr Duration pause_without_descriptors = Duration::from_ms(10);

bool may_try_again(int error_number) noexcept {
    return error_number == EAGAIN || error_number == EINTR;
}

}  // namespace

TcpTargets::TcpTargets(const AddressList& addresses, Fd listener, Fd epoll)
    : addresses_(addresses),
      listener_(std::move(listener)),
      epoll_(std::move(epoll)),
      scratch_(read_bytes) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = listener_.get()}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &event);
}

void TcpTargets::run(Instant end) {
    std::array<epoll_event, 256> events{};
    while (!stop_requested() && clock_.now() < end) {
        const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), wait_ms);
        for (int index = 0; index < count; ++index) {
            const int fd = events[static_cast<std::size_t>(index)].data.fd;
            if (fd == listener_.get()) {
                accept_all();
            } else {
                serve(fd);
            }
        }
    }
}

void TcpTargets::accept_all() {
    for (int turn = 0; turn < accepts_per_turn; ++turn) {
        Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket.is_open()) {
            if (may_try_again(errno)) return;
            counts_.accept_errors.add(1);
            sleep_until(clock_.now() + pause_without_descriptors);
            return;
        }
        counts_.accepted.add(1);
        if (!is_for_target(socket)) {
            counts_.not_ours.add(1);
            continue;
        }
        const int no_delay = 1;
        ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof(no_delay));
        const int fd = socket.get();
        Connection& connection = connections_[fd];
        connection.socket = std::move(socket);
        watch(connection, false);
    }
}

bool TcpTargets::is_for_target(const Fd& socket) const noexcept {
    sockaddr_in local{};
    socklen_t length = sizeof(local);
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&local), &length);
    return addresses_.contains(ntohl(local.sin_addr.s_addr));
}

void TcpTargets::serve(int fd) {
    const std::unordered_map<int, Connection>::iterator found = connections_.find(fd);
    if (found == connections_.end()) return;
    Connection& connection = found->second;
    const bool was_blocked = !connection.output.empty();
    bool is_alive = write(connection);
    if (is_alive && connection.output.empty()) is_alive = read(connection) && write(connection);
    if (!is_alive) {
        connections_.erase(found);
    } else if (was_blocked != !connection.output.empty()) {
        watch(connection, true);
    }
}

// What waits to be written is waited for alone: reading would only add to it.
void TcpTargets::watch(const Connection& connection, bool is_known) const noexcept {
    const bool is_blocked = !connection.output.empty();
    epoll_event event{.events = is_blocked ? EPOLLOUT : EPOLLIN,
                      .data = {.fd = connection.socket.get()}};
    ::epoll_ctl(epoll_.get(), is_known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, connection.socket.get(),
                &event);
}

bool TcpTargets::read(Connection& connection) {
    const ssize_t count = ::recv(connection.socket.get(), scratch_.data(), scratch_.size(), 0);
    if (count == 0) return false;
    if (count < 0) return may_try_again(errno);
    connection.input.insert(connection.input.end(), scratch_.begin(), scratch_.begin() + count);
    if (!take_preface(connection) || !take_frames(connection)) {
        counts_.closed_broken.add(1);
        return false;
    }
    return true;
}

bool TcpTargets::take_preface(Connection& connection) {
    if (connection.has_preface || connection.input.size() < preface_bytes) return true;
    const std::span<const std::byte> input = connection.input;
    const std::optional<Preface> preface = decode_preface(input.first<preface_bytes>());
    if (!preface) return false;
    counts_.prefaces.add(1);
    connection.has_preface = true;
    std::array<std::byte, preface_bytes> reply{};
    encode_preface({.ssid = preface->ssid, .boot_nonce = 1}, reply);
    connection.output.insert(connection.output.end(), reply.begin(), reply.end());
    connection.input.erase(connection.input.begin(), connection.input.begin() + preface_bytes);
    return true;
}

bool TcpTargets::take_frames(Connection& connection) {
    if (!connection.has_preface) return true;
    std::size_t done = 0;
    const std::span<std::byte> input = connection.input;
    while (input.size() - done >= frame_header_bytes) {
        const std::optional<FrameHeader> header =
            decode_frame_header(input.subspan(done).first<frame_header_bytes>());
        if (!header) return false;
        const std::size_t frame_bytes = frame_header_bytes + header->pdu_bytes;
        if (input.size() - done < frame_bytes) break;
        take_frame(connection, input.subspan(done, frame_bytes));
        done += frame_bytes;
    }
    connection.input.erase(connection.input.begin(),
                           connection.input.begin() + static_cast<std::ptrdiff_t>(done));
    return connection.output.size() <= output_bytes_max;
}

void TcpTargets::take_frame(Connection& connection, std::span<std::byte> frame) {
    counts_.frames_received.add(1);
    const std::span<std::byte, frame_header_bytes> head = frame.first<frame_header_bytes>();
    const std::optional<FrameHeader> header = decode_frame_header(head);
    const std::span<std::byte> packet = frame.subspan(frame_header_bytes);
    const WallTime t2 = clock_.wall_now();
    if (header->type == FrameType::descriptor || header->type == FrameType::bye) {
        counts_.frames_other.add(1);
        return;
    }
    const std::optional<SenderPacket> request = read_request(packet, t2);
    if (header->type != FrameType::probe || !request) {
        counts_.frames_bad.add(1);
        return;
    }
    const FrameHeader reply{.pdu_bytes = header->pdu_bytes, .type = FrameType::reflected};
    encode_frame_header(reply, head);
    const WallTime t3 = std::max(t2, clock_.wall_now());
    write_reply(packet, *request, connection.sequence++, {.t2 = t2, .t3 = t3});
    connection.output.insert(connection.output.end(), frame.begin(), frame.end());
    counts_.frames_answered.add(1);
}

bool TcpTargets::write(Connection& connection) {
    if (connection.output.empty()) return true;
    const ssize_t count = ::send(connection.socket.get(), connection.output.data(),
                                 connection.output.size(), MSG_NOSIGNAL);
    if (count < 0) return may_try_again(errno);
    connection.output.erase(connection.output.begin(), connection.output.begin() + count);
    return true;
}

}  // namespace latmon::loadgen
