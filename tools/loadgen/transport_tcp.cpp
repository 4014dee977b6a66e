// SPDX-License-Identifier: Apache-2.0
//
// Senders over TCP: one kept connection each, opened before the first slot, with STAMP in frames or
// with messages of latency-monitor's, one behind the other. A connection that
// breaks stays broken and its slots are send errors: a load that reconnects would measure something
// else.
#include "loadgen/process.hpp"
#include "loadgen/sockets.hpp"
#include "loadgen/stream_read.hpp"
#include "loadgen/transport.hpp"
#include "loadgen/waiting.hpp"
#include "probe/frame_reader.hpp"
#include "wire/ancestor_stream.hpp"
#include "wire/frame.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace latmon::loadgen {
namespace {

constexpr Duration connect_max = Duration::from_s(5);
constexpr Duration connect_turn = Duration::from_ms(100);  // So that a stop is seen.
constexpr std::size_t read_bytes = 65'536;

struct Connection {
    Fd socket;
    FrameReader reader;
    AncestorStream messages;
    std::vector<std::byte> unread;  // Of a message whose head is not there yet.
    std::vector<std::byte> unsent;  // The rest of a frame that the kernel did not take.
    bool is_greeted = false;        // Our preface is out.
    bool is_open = false;           // Theirs is in.
    int error_number = 0;           // Not 0: broken for good.
};

class TcpTransport final : public Transport {
public:
    TcpTransport(const TransportOptions& options, ProbeFormat& format, Fd epoll)
        : options_(options),
          format_(format),
          epoll_(std::move(epoll)),
          connections_(options.sender_count),
          frame_(frame_header_bytes + format.size_bytes_max()),
          scratch_(read_bytes) {}

    // Opens all connections, or says why not.
    [[nodiscard]] Result<void> connect();

    void send(std::span<Shot> shots) override;
    void receive(Duration wait, ReplySink& sink) override { turn(wait, &sink); }
    void describe(Report& report, Trust& trust) const override;

private:
    // Of the latest read.
    struct Receipt {
        RawInstant raw_at;
        std::optional<Duration> dwell;  // How long it had then been in our socket.
    };

    [[nodiscard]] Result<void> begin_all();
    void turn(Duration wait, ReplySink* sink);
    void greet(std::uint32_t sender);
    void read(std::uint32_t sender, ReplySink* sink);
    void take(std::uint32_t sender, std::span<const std::byte> data, ReplySink* sink);
    // Of what has nothing behind it: with the last octets of a read came its stamp.
    [[nodiscard]] std::optional<Duration> lateness(bool is_last) const noexcept {
        return is_last ? receipt_.dwell : std::nullopt;
    }
    void flush(Connection& connection);
    void put(Connection& connection, std::span<const std::byte> data);
    void fail_connection(Connection& connection, int error_number);

    void take_messages(std::uint32_t sender, std::span<const std::byte> data, ReplySink* sink);

    TransportOptions options_;
    ProbeFormat& format_;
    Fd epoll_;
    std::vector<Connection> connections_;
    std::vector<std::byte> frame_;
    std::vector<std::byte> scratch_;
    OsClock clock_;
    Receipt receipt_;
    std::uint64_t broken_ = 0;
    std::uint64_t open_ = 0;
    int last_error_ = 0;
};

// -- Opening --------------------------------------------------------------------------------------

Result<void> TcpTransport::begin_all() {
    for (std::uint32_t sender = 0; sender < options_.sender_count; ++sender) {
        Result<Fd> socket = begin_connect(path_of(options_, sender));
        if (!socket) return std::unexpected(socket.error());
        epoll_event event{
            .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | static_cast<unsigned>(EPOLLET),
            .data = {.u32 = sender}};
        if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket->get(), &event) != 0) {
            return fail_errno(ExitCode::failure, "a socket cannot be waited for", errno);
        }
        connections_[sender].socket = std::move(*socket);
    }
    return {};
}

Result<void> TcpTransport::connect() {
    const Result<void> begun = begin_all();
    if (!begun) return std::unexpected(begun.error());
    const Instant end = clock_.now() + connect_max;
    while (open_ + broken_ < options_.sender_count && clock_.now() < end && !stop_requested()) {
        turn(connect_turn, nullptr);
    }
    if (open_ == options_.sender_count) return {};
    return fail_errno(
        ExitCode::failure,
        fmt::format("{} of {} connections to {} opened within {} s", open_, options_.sender_count,
                    to_string(options_.target), connect_max / Duration::from_s(1)),
        last_error_ == 0 ? ETIMEDOUT : last_error_);
}

void TcpTransport::greet(std::uint32_t sender) {
    Connection& connection = connections_[sender];
    int error_number = 0;
    socklen_t length = sizeof(error_number);
    ::getsockopt(connection.socket.get(), SOL_SOCKET, SO_ERROR, &error_number, &length);
    if (error_number != 0) {
        fail_connection(connection, error_number);
        return;
    }
    connection.is_greeted = true;
    if (!options_.is_framed) {
        connection.is_open = true;
        ++open_;
        return;
    }
    std::array<std::byte, preface_bytes> preface{};
    encode_preface({.ssid = static_cast<std::uint16_t>(1 + sender % 65'535), .boot_nonce = 1},
                   preface);
    put(connection, preface);
}

void TcpTransport::fail_connection(Connection& connection, int error_number) {
    if (connection.error_number != 0) return;
    connection.error_number = error_number;
    last_error_ = error_number;
    ++broken_;
    if (connection.is_open) --open_;
    connection.is_open = false;
    connection.socket.reset();
}

// -- Sending --------------------------------------------------------------------------------------

void TcpTransport::send(std::span<Shot> shots) {
    for (Shot& shot : shots) {
        Connection& connection = connections_[shot.sender];
        if (connection.error_number == 0) flush(connection);
        shot.error_number = connection.error_number;
        if (shot.error_number == 0 && !connection.unsent.empty()) shot.error_number = EAGAIN;
        if (shot.error_number != 0) continue;
        // The SSID stands in the preface; in the packet it is the same.
        const std::uint16_t ssid = static_cast<std::uint16_t>(1 + shot.sender % 65'535);
        const std::span<std::byte> frame = frame_;
        const std::size_t size_bytes = format_.size_bytes(shot.sender);
        encode_frame_header(
            {.pdu_bytes = static_cast<std::uint16_t>(size_bytes), .type = FrameType::probe},
            frame.first<frame_header_bytes>());
        const std::span<std::byte> packet = frame.subspan(frame_header_bytes, size_bytes);
        format_.write(shot, ssid, packet);
        put(connection, options_.is_framed ? frame.first(frame_header_bytes + size_bytes) : packet);
        shot.error_number = connection.error_number;
    }
}

// What the kernel does not take is kept: a frame once begun must be finished.
void TcpTransport::put(Connection& connection, std::span<const std::byte> data) {
    const ssize_t count =
        ::send(connection.socket.get(), data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
        fail_connection(connection, errno);
        return;
    }
    const std::size_t taken = count < 0 ? 0 : static_cast<std::size_t>(count);
    const std::span<const std::byte> rest = data.subspan(taken);
    connection.unsent.assign(rest.begin(), rest.end());
}

void TcpTransport::flush(Connection& connection) {
    if (connection.unsent.empty()) return;
    const std::vector<std::byte> rest = std::exchange(connection.unsent, {});
    put(connection, rest);
}

// -- Receiving ------------------------------------------------------------------------------------

void TcpTransport::turn(Duration wait, ReplySink* sink) {
    std::array<epoll_event, 64> events{};
    const std::size_t count = wait_for_events(epoll_.get(), wait, events);
    for (std::size_t index = 0; index < count; ++index) {
        const std::uint32_t sender = events[index].data.u32;
        Connection& connection = connections_[sender];
        const bool is_writable = (events[index].events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0;
        if (connection.error_number == 0 && is_writable) {
            if (connection.is_greeted) {
                flush(connection);
            } else {
                greet(sender);
            }
        }
        if (connection.error_number == 0 && connection.is_greeted) read(sender, sink);
    }
}

// To the end, for an edge is told once.
void TcpTransport::read(std::uint32_t sender, ReplySink* sink) {
    Connection& connection = connections_[sender];
    while (connection.error_number == 0) {
        const StreamRead input = read_stream(connection.socket, scratch_);
        const ssize_t count = input.count;
        if (count < 0 && errno == EAGAIN) return;
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            fail_connection(connection, count < 0 ? errno : ECONNRESET);
            return;
        }
        receipt_ = {.raw_at = clock_.raw_now(),
                    .dwell = dwell_of(input.arrival, clock_.wall_now())};
        take(sender, std::span(scratch_).first(static_cast<std::size_t>(count)), sink);
        if (static_cast<std::size_t>(count) < scratch_.size()) return;
    }
}

void TcpTransport::take(std::uint32_t sender, std::span<const std::byte> data, ReplySink* sink) {
    if (!options_.is_framed) {
        take_messages(sender, data, sink);
        return;
    }
    Connection& connection = connections_[sender];
    for (;;) {
        switch (connection.reader.next(data)) {
            case FrameReader::Outcome::needs_more:
                return;
            case FrameReader::Outcome::broken:
                fail_connection(connection, EPROTO);
                return;
            case FrameReader::Outcome::preface:
                connection.is_open = true;
                ++open_;
                break;
            case FrameReader::Outcome::frame:
                if (sink == nullptr || connection.reader.header().type != FrameType::reflected) {
                    break;
                }
                sink->on_reply({.sender = sender,
                                .echo = format_.read(sender, connection.reader.head()),
                                .raw_at = receipt_.raw_at,
                                .read_lateness = lateness(data.empty())});
                break;
        }
    }
}

void TcpTransport::take_messages(std::uint32_t sender, std::span<const std::byte> data,
                                 ReplySink* sink) {
    Connection& connection = connections_[sender];
    std::vector<std::byte> input = std::exchange(connection.unread, {});
    input.insert(input.end(), data.begin(), data.end());
    connection.messages.look(input);
    for (;;) {
        switch (connection.messages.next()) {
            case AncestorStream::Outcome::broken:
                fail_connection(connection, EPROTO);
                return;
            case AncestorStream::Outcome::needs_more:
                connection.unread.assign(connection.messages.remainder().begin(),
                                         connection.messages.remainder().end());
                return;
            case AncestorStream::Outcome::message:
                if (sink == nullptr) break;
                const std::span<const std::byte> message =
                    std::span(input).subspan(connection.messages.message_at());
                sink->on_reply({.sender = sender,
                                .echo = format_.read(sender, message),
                                .raw_at = receipt_.raw_at,
                                .read_lateness = lateness(connection.messages.is_last())});
                break;
        }
    }
}

// A connection that breaks, or takes no more, is the other side's doing.
void TcpTransport::describe(Report& report, Trust& trust) const {
    static_cast<void>(trust);
    report.add("sockets", std::uint64_t{connections_.size()});
    report.add("broken_connections", broken_);
    for (const char* name : {"doubled_on_purpose_packets", "refusals", "receive_errors",
                             "own_send_errors", "own_kernel_dropped_packets"}) {
        report.add_none(name);
    }
}

}  // namespace

Result<std::unique_ptr<Transport>> open_tcp_transport(const TransportOptions& options,
                                                      ProbeFormat& format) {
    const Result<void> reserved = reserve_descriptors(options.sender_count);
    if (!reserved) return std::unexpected(reserved.error());
    Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll.is_open()) return fail_errno(ExitCode::failure, "no epoll descriptor", errno);
    std::unique_ptr<TcpTransport> transport =
        std::make_unique<TcpTransport>(options, format, std::move(epoll));
    const Result<void> connected = transport->connect();
    if (!connected) return std::unexpected(connected.error());
    return transport;
}

}  // namespace latmon::loadgen
