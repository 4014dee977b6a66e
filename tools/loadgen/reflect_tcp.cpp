// SPDX-License-Identifier: Apache-2.0
//
// See reflect_tcp.hpp.
#include "loadgen/reflect_tcp.hpp"

#include "loadgen/process.hpp"
#include "loadgen/stream_read.hpp"
#include "loadgen/waiting.hpp"
#include "wire/frame.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace latmon::loadgen {
namespace {

constexpr Duration wait_max = Duration::from_ms(100);  // So that a stop is seen.
constexpr std::size_t read_bytes = 65'536;
constexpr std::size_t output_bytes_max = 1U << 20U;
constexpr std::size_t waiting_max = 65'536;
constexpr int accepts_per_turn = 256;
constexpr Duration pause_without_descriptors = Duration::from_ms(10);
constexpr std::uint64_t listener_id = 0;
constexpr std::size_t ipv4_tcp_bytes = 52;  // With time stamps, as Linux has them.
constexpr std::size_t ipv6_tcp_bytes = 72;

bool may_try_again(int error_number) noexcept {
    return error_number == EAGAIN || error_number == EINTR;
}

void append(std::vector<std::byte>& to, std::span<const std::byte> data) {
    to.insert(to.end(), data.begin(), data.end());
}

}  // namespace

TcpTargets::TcpTargets(const ReflectSetup& setup, Fd listener, Fd epoll)
    : options_(setup.options),
      addresses_(setup.addresses),
      format_(setup.options.packets, setup.key),
      listener_(std::move(listener)),
      epoll_(std::move(epoll)),
      link_(for_streams(setup.options.link), setup.options.target_count, setup.start),
      wire_bytes_(setup.addresses.is_ipv6() ? ipv6_tcp_bytes : ipv4_tcp_bytes),
      scratch_(read_bytes),
      waiting_(waiting_max) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = listener_id}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &event);
}

void TcpTargets::run(Instant end) {
    refuse_timer_slack();
    while (!stop_requested() && clock_.now() < end) {
        turn(end);
        send_due();
    }
    counts_.frames_unsent.add(waiting_.size());
}

void TcpTargets::turn(Instant end) {
    const Instant now = clock_.now();
    Duration pause = options_.spin ? Duration{} : std::clamp(end - now, Duration{}, wait_max);
    if (!waiting_.is_empty()) {
        pause = std::min(pause, sleep_time(options_, now, waiting_.next_due()));
    }
    std::array<epoll_event, 256> events{};
    const std::size_t count = wait_for_events(epoll_.get(), pause, events);
    for (std::size_t index = 0; index < count; ++index) {
        const std::uint64_t id = events[index].data.u64;
        if (id == listener_id) {
            accept_all();
        } else {
            serve(id);
        }
    }
}

// -- Connections ----------------------------------------------------------------------------------

void TcpTargets::accept_all() {
    for (int turn = 0; turn < accepts_per_turn; ++turn) {
        Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket.is_open()) {
            if (may_try_again(errno)) return;
            counts_.accept_errors.add(1);
            // The listener stays readable: without descriptors this would be a busy loop.
            if (errno == EMFILE || errno == ENFILE) {
                sleep_until(clock_.now() + pause_without_descriptors);
            }
            return;
        }
        counts_.accepted.add(1);
        const std::optional<std::uint32_t> target = target_of(socket);
        if (!target) {
            counts_.not_ours.add(1);
            continue;
        }
        if (link_.outages.is_away(*target, clock_.now())) {
            counts_.away.add(1);
            continue;
        }
        const int no_delay = 1;
        ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof(no_delay));
        Connection& connection = connections_[++last_id_];
        connection.id = last_id_;
        connection.target = *target;
        connection.socket = std::move(socket);
        watch(connection, false);
    }
}

std::optional<std::uint32_t> TcpTargets::target_of(const Fd& socket) const noexcept {
    sockaddr_storage local{};
    socklen_t length = sizeof(local);
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&local), &length);
    return addresses_.index_of(from_sockaddr(reinterpret_cast<const sockaddr&>(local)).address);
}

void TcpTargets::serve(std::uint64_t id) {
    const std::unordered_map<std::uint64_t, Connection>::iterator found = connections_.find(id);
    if (found == connections_.end()) return;
    Connection& connection = found->second;
    const bool was_blocked = !connection.output.empty();
    bool is_alive = write(connection);
    if (is_alive && connection.output.empty()) is_alive = read(connection) && write(connection);
    settle(connection, is_alive, was_blocked);
}

// The connection may not be used afterwards.
void TcpTargets::settle(Connection& connection, bool is_alive, bool was_blocked) {
    if (!is_alive) {
        connections_.erase(connection.id);
    } else if (was_blocked != !connection.output.empty()) {
        watch(connection, true);
    }
}

// What waits to be written is waited for alone: reading would only add to it.
void TcpTargets::watch(const Connection& connection, bool is_known) const noexcept {
    const bool is_blocked = !connection.output.empty();
    epoll_event event{.events = is_blocked ? EPOLLOUT : EPOLLIN, .data = {.u64 = connection.id}};
    ::epoll_ctl(epoll_.get(), is_known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, connection.socket.get(),
                &event);
}

// -- Reading --------------------------------------------------------------------------------------

bool TcpTargets::read(Connection& connection) {
    const StreamRead input = read_stream(connection.socket, scratch_);
    if (input.count == 0) return false;
    if (input.count < 0) return may_try_again(errno);
    receipt_ = {.at = clock_.now(), .wall = clock_.wall_now(), .dwell = std::nullopt};
    receipt_.dwell = dwell_of(input.arrival, receipt_.wall);
    if (link_.outages.is_away(connection.target, receipt_.at)) {
        counts_.away.add(1);
        return false;
    }
    append(connection.input, std::span(scratch_).first(static_cast<std::size_t>(input.count)));
    const bool is_fine = format_.kind() == PacketKind::ancestor
                             ? take_messages(connection)
                             : take_preface(connection) && take_frames(connection);
    if (!is_fine) counts_.closed_broken.add(1);
    return is_fine;
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
    append(connection.output, reply);
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
        const std::span<std::byte> frame = input.subspan(done, frame_bytes);
        done += frame_bytes;
        take_frame(connection, {.item = frame, .is_last = done == input.size()});
    }
    connection.input.erase(connection.input.begin(),
                           connection.input.begin() + static_cast<std::ptrdiff_t>(done));
    return connection.output.size() <= output_bytes_max;
}

void TcpTargets::take_frame(Connection& connection, Request frame) {
    counts_.frames_received.add(1);
    const std::span<std::byte, frame_header_bytes> head = frame.item.first<frame_header_bytes>();
    const std::optional<FrameHeader> header = decode_frame_header(head);
    if (header->type == FrameType::descriptor || header->type == FrameType::bye) {
        counts_.frames_other.add(1);
    } else if (header->type != FrameType::probe) {
        counts_.frames_bad.add(1);
    } else {
        encode_frame_header({.pdu_bytes = header->pdu_bytes, .type = FrameType::reflected}, head);
        take_request(connection, frame);
    }
}

bool TcpTargets::take_messages(Connection& connection) {
    AncestorStream& messages = connection.messages;
    const std::span<std::byte> input = connection.input;
    messages.look(input);
    AncestorStream::Outcome outcome = messages.next();
    for (; outcome == AncestorStream::Outcome::message; outcome = messages.next()) {
        counts_.frames_received.add(1);
        take_request(connection,
                     {.item = input.subspan(messages.message_at(), messages.message_bytes()),
                      .is_last = messages.is_last()});
    }
    if (outcome == AncestorStream::Outcome::broken) return false;
    const std::span<const std::byte> rest = messages.remainder();
    connection.input = std::vector<std::byte>(rest.begin(), rest.end());
    return connection.output.size() <= output_bytes_max;
}

// -- Answering ------------------------------------------------------------------------------------

std::size_t TcpTargets::header_bytes() const noexcept {
    return format_.kind() == PacketKind::ancestor ? 0 : frame_header_bytes;
}

void TcpTargets::take_request(Connection& connection, Request request) {
    const std::span<std::byte> item = request.item;
    if (!format_.read(item.subspan(header_bytes()), receipt_.wall)) {
        counts_.frames_bad.add(1);
        return;
    }
    note_lateness(request.is_last);
    const Duration dwell = receipt_.dwell.value_or(Duration{});
    const Instant received = receipt_.at - dwell;
    Crossing crossing{
        .target = connection.target, .size_bytes = item.size() + wire_bytes_, .at = received};
    crossing.at = link_.forward.cross(crossing).arrival;
    const Ticket ticket{.route = {},
                        .connection = connection.id,
                        .t2 = receipt_.wall - dwell + (crossing.at - received),
                        .dwell = dwell,
                        .sequence = connection.sequence++,
                        .has_kernel_t2 = receipt_.dwell.has_value()};
    const Instant due = link_.reverse.cross(crossing).arrival;
    if (!link_.delays()) {
        reply(connection, item, ticket, std::max(ticket.t2, clock_.wall_now()));
    } else if (!waiting_.push(due, item, ticket)) {
        counts_.frames_queue_full.add(1);
    }
}

void TcpTargets::note_lateness(bool is_last) noexcept {
    if (!receipt_.dwell) {
        counts_.frames_unstamped.add(1);
        return;
    }
    if (!is_last) counts_.frames_sharing_stamp.add(1);
    read_lateness_.record(*receipt_.dwell);
}

void TcpTargets::reply(Connection& connection, std::span<std::byte> item, const Ticket& ticket,
                       WallTime t3) {
    format_.write(item.subspan(header_bytes()), {.t2 = ticket.t2,
                                                 .t3 = t3,
                                                 .dwell = ticket.dwell,
                                                 .sequence = ticket.sequence,
                                                 .has_kernel_t2 = ticket.has_kernel_t2});
    append(connection.output, item);
    counts_.frames_answered.add(1);
}

void TcpTargets::send_due() {
    while (!waiting_.is_empty()) {
        const Duration lateness = clock_.now() - waiting_.next_due();
        if (lateness < Duration{}) break;
        DelayQueue::Entry& entry = waiting_.pop();
        const std::unordered_map<std::uint64_t, Connection>::iterator found =
            connections_.find(entry.ticket.connection);
        if (found == connections_.end()) {
            counts_.frames_unsent.add(1);
            continue;
        }
        lateness_.record(lateness);
        Connection& connection = found->second;
        const bool was_blocked = !connection.output.empty();
        reply(connection, entry.data, entry.ticket, entry.ticket.t2 + lateness);
        const bool is_full = connection.output.size() > output_bytes_max;
        settle(connection, !is_full && write(connection), was_blocked);
    }
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
