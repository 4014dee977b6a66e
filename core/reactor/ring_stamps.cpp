// SPDX-License-Identifier: Apache-2.0
//
// The ring's time stamps: what the running kernel can do, proved by a packet while the ring is
// opened, and how the stamps of what is sent come to their user. Constants are in uring_stamps.hpp.
#include "base/assert.hpp"
#include "reactor/control.hpp"
#include "reactor/ring_uring.hpp"
#include "reactor/socket.hpp"
#include "reactor/uring_stamps.hpp"

#include <poll.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace latmon {
namespace {

// A stamp of what is sent over the loopback interface is there when the send returns, and so is
// what was sent.
constexpr int trial_rounds = 8;
constexpr int trial_wait_ms = 1;
// The kernel starts stamping what it receives a little after it was asked to, in a work queue: some
// milliseconds if it has not done so before, more on a busy host.
constexpr int trial_receives = 50;

}  // namespace

TxStamp read_tx_stamp(const io_uring_cqe& entry) noexcept {
    UringTimespec time{};
    std::memcpy(&time, entry.big_cqe, sizeof(time));
    const bool is_hardware = (entry.flags & completion_stamp_is_hardware) != 0;
    return {.key = static_cast<std::uint32_t>(entry.res),
            .point = stamp_point(entry.flags >> completion_stamp_type_shift),
            .source = is_hardware ? StampSource::hardware : StampSource::kernel,
            .time = wall_time(static_cast<std::int64_t>(time.seconds),
                              static_cast<std::int64_t>(time.nanoseconds))};
}

// -- What the kernel can do ----------------------------------------------------------------------

struct UringRing::StampTrial {
    Fd receiver;
    Fd sender;
    Message message;
    std::array<std::byte, 4> payload{};
    bool has_path = false;  // Something has arrived: the loopback interface is up.

    [[nodiscard]] bool open() noexcept {
        const Endpoint any = *parse_endpoint("127.0.0.1", 0);
        Outcome<Fd> bound = open_udp_socket({.local = any, .wants_stamps = true});
        if (!bound) return false;
        sockaddr address{};
        socklen_t length = sizeof(address);
        if (::getsockname(bound->get(), &address, &length) != 0) return false;
        Outcome<Fd> connected = open_udp_socket({.remote = from_sockaddr(address)});
        if (!connected) connected = open_udp_socket({});
        if (!connected) return false;
        receiver = std::move(*bound);
        sender = std::move(*connected);
        message.set_payload(payload);
        return request_stamps(sender.get(), {.wants_tx = true}).has_value();
    }

    [[nodiscard]] bool send() const noexcept {
        const msghdr header = message.header();
        return ::sendmsg(sender.get(), &header, MSG_DONTWAIT) >= 0;
    }

    // The kernel reads control messages before it looks for a route.
    [[nodiscard]] bool takes_key() noexcept {
        Message keyed;
        keyed.set_payload(payload);
        keyed.set_key(1);
        const msghdr header = keyed.header();
        const ssize_t sent = ::sendmsg(sender.get(), &header, MSG_DONTWAIT);
        return sent >= 0 || errno != EINVAL;
    }

    [[nodiscard]] bool has_stamp_queued() const noexcept {
        if (!has_path) return true;
        const Outcome<SocketError> entry = take_socket_error(sender.get());
        return entry && entry->stamp.source != StampSource::none;
    }

    // Sends a datagram; whether it arrives with a stamp.
    [[nodiscard]] bool receives_stamp() noexcept {
        if (!send()) return false;
        StreamInput input;
        input.set_buffer(payload);
        pollfd readable{.fd = receiver.get(), .events = POLLIN, .revents = 0};
        ::poll(&readable, 1, trial_wait_ms);
        const ssize_t octets = ::recvmsg(receiver.get(), &input.header(), MSG_DONTWAIT);
        if (octets >= 0) has_path = true;
        const bool has_stamp = octets >= 0 && arrival_in(input.header()).has_value();
        if (octets >= 0 && !has_stamp) ::poll(nullptr, 0, trial_wait_ms);
        return has_stamp;
    }
};

// Which of the kernel's ways work is decided by a datagram to ourselves. Without a loopback
// interface that is up there is none to be had; then by what the kernel accepts.
StampAbility UringRing::probe_stamps(const UringOptions& options) noexcept {
    StampAbility ability;
    StampTrial trial;
    // The kernel stamps what it receives only while some socket wants it, and starts late. One that
    // is never bound keeps it at that, so that the first packet of each later socket is stamped.
    Outcome<Fd> keeper = open_udp_socket({.wants_stamps = true});
    if (!keeper || !trial.open()) return ability;
    stamp_keeper_ = std::move(*keeper);
    if (options.may_have_keys) ability.has_keys = trial.takes_key();
    for (int round = 0; round < trial_receives && !ability.has_rx; ++round) {
        ability.has_rx = trial.receives_stamp();
        if (!trial.has_path && round + 1 >= trial_rounds) ability.has_rx = true;
    }
    // A kernel with the ring's way has keys.
    const bool may_use_ring = options.best_tx_way == TxStampWay::ring && ability.has_keys &&
                              (ring_.flags & IORING_SETUP_CQE32) != 0;
    if (may_use_ring && probe_ring_way(trial)) {
        ability.tx = TxStampWay::ring;
    } else if (options.best_tx_way != TxStampWay::none && trial.has_stamp_queued()) {
        ability.tx = TxStampWay::error_queue;
    }
    return ability;
}

// Whether the ring hands out stamps that lie in the trial's error queue. Leaves the ring empty.
bool UringRing::probe_ring_way(StampTrial& trial) noexcept {
    io_uring_sqe* const entry = next_entry(&probe_operation_);
    ::io_uring_prep_rw(IORING_OP_URING_CMD, entry, trial.sender.get(), nullptr, 0, 0);
    entry->cmd_op = socket_op_tx_timestamp;
    ::io_uring_sqe_set_data(entry, &probe_operation_);
    bool has_stamp = false;
    for (int round = 0; round < trial_rounds && probe_operation_.is_active; ++round) {
        __kernel_timespec patience{.tv_sec = 0, .tv_nsec = trial_wait_ms * 1'000'000LL};
        io_uring_cqe* first = nullptr;
        ::io_uring_submit_and_wait_timeout(&ring_, &first, 1, &patience, nullptr);
        unsigned head = 0;
        unsigned seen = 0;
        io_uring_for_each_cqe(&ring_, head, first) {
            ++seen;
            const bool is_own = first->user_data != 0;
            retire(*first);
            if (!is_own) continue;
            const bool has_more = (first->flags & IORING_CQE_F_MORE) != 0;
            has_stamp = has_stamp || has_more;
            if (!has_more) probe_operation_.is_active = false;
        }
        ::io_uring_cq_advance(&ring_, seen);
        if (round == 0 && probe_operation_.is_active) {
            // It was accepted at least.
            if (!trial.has_path) has_stamp = true;
            prepare_cancel(probe_operation_);
        }
    }
    return has_stamp;
}

// -- Stamps of what is sent ----------------------------------------------------------------------

// Only now does the socket stamp what it sends: stamps that nobody reads would fill up the memory
// of its receive buffer, which the error queue shares.
Outcome<void> UringRing::start_tx_stamps(SocketId socket) noexcept {
    Slot& stamped = slot(socket);
    LATMON_ASSERT(stamped.wants_stamps);
    // Even where the kernel takes keys: a control message costs a connected socket the route that
    // it remembers, a microsecond in all.
    const bool counts_keys = !stamped.is_stream && stamped.is_connected;
    const bool has_keys = stamped.is_stream || counts_keys || ability_.has_keys;
    if (ability_.tx == TxStampWay::none || !has_keys) return std::unexpected(EOPNOTSUPP);
    if (stamped.stamps_tx) return {};
    Outcome<void> result =
        request_stamps(stamped.fd, {.is_stream = stamped.is_stream,
                                    .wants_hardware = stamped.wants_hardware_stamps,
                                    .wants_tx = true});
    if (!result) return result;
    stamped.stamps_tx = true;
    stamped.counts_keys = counts_keys;
    if (counts_keys) (*key_counts_)[static_cast<std::size_t>(socket)] = {};
    return {};
}

void UringRing::prepare_tx_stamps(Operation& operation, SocketId socket) noexcept {
    io_uring_sqe* const entry = next_entry(&operation);
    if (!start_tx_stamps(socket)) {
        ::io_uring_prep_nop(entry);
        operation.follow = Operation::Follow::refused;
    } else if (ability_.tx == TxStampWay::ring) {
        ::io_uring_prep_rw(IORING_OP_URING_CMD, entry, 0, nullptr, 0, 0);
        entry->cmd_op = socket_op_tx_timestamp;
        use_socket(*entry, socket);
        operation.follow = Operation::Follow::stamps;
        operation.socket = socket;
    } else {
        // An error queue with something in it raises POLLERR, which poll(2) always reports.
        ::io_uring_prep_poll_multishot(entry, 0, POLLERR);
        use_socket(*entry, socket);
    }
    ::io_uring_sqe_set_data(entry, &operation);
}

Outcome<SocketError> UringRing::take_error(SocketId socket) noexcept {
    for (;;) {
        Outcome<SocketError> error = take_socket_error(slot(socket).fd);
        if (!error || error->error_number != 0) return error;
        if (error->stamp.source == StampSource::none) continue;
        if (!slot(socket).counts_keys || find_key(socket, error->stamp)) return error;
    }
}

// -- Keys ----------------------------------------------------------------------------------------

// The key that this datagram has to bring along, if any: the kernel refuses one that the socket
// does not expect.
std::optional<std::uint32_t> UringRing::key_to_send(SocketId socket,
                                                    const Message& message) noexcept {
    const Slot& sender = slot(socket);
    if (!sender.stamps_tx || !message.has_key()) return std::nullopt;
    if (!sender.counts_keys) return message.key();
    KeyCount& count = (*key_counts_)[static_cast<std::size_t>(socket)];
    const std::uint32_t number = count.before_send(message.key());
    if (count.has_failed() && ability_.has_keys) return number;
    return std::nullopt;
}

// The kernel has read it when the entry has been submitted: io_uring_prep_sendmsg(3).
const msghdr& UringRing::header_with(const io_uring_sqe& entry, const Message& message,
                                     std::optional<std::uint32_t> key) noexcept {
    SendHeader& copy = send_headers_[static_cast<std::size_t>(&entry - ring_.sq.sqes)];
    const bool is_its_own = key && message.has_key() && *key == message.key();
    copy.header = is_its_own ? message.header() : message.header_without_key();
    if (key && !is_its_own) {
        // Only a connected socket's keys are counted, and its messages have no other control data.
        LATMON_ASSERT(copy.header.msg_controllen == 0);
        cmsghdr control{};
        control.cmsg_len = CMSG_LEN(sizeof(*key));
        control.cmsg_level = SOL_SOCKET;
        control.cmsg_type = scm_ts_opt_id;
        std::memcpy(copy.control.data(), &control, sizeof(control));
        std::memcpy(copy.control.data() + CMSG_LEN(0), &*key, sizeof(*key));
        copy.header.msg_control = copy.control.data();
        copy.header.msg_controllen = copy.control.size();
    }
    return copy.header;
}

// False if nobody knows whose stamp it is.
bool UringRing::find_key(SocketId socket, TxStamp& stamp) noexcept {
    KeyCount& count = (*key_counts_)[static_cast<std::size_t>(socket)];
    const std::optional<std::uint32_t> key = count.key_of(stamp.key);
    if (key) stamp.key = *key;
    return key.has_value();
}

void UringRing::note_counted(SocketId socket, std::int32_t result) noexcept {
    KeyCount& count = (*key_counts_)[static_cast<std::size_t>(socket)];
    if (result >= 0) {
        count.on_sent();
    } else if (count.on_failed() && !ability_.has_keys) {
        // Those under way still come.
        StampRequest paused{.is_stream = slot(socket).is_stream,
                            .wants_hardware = slot(socket).wants_hardware_stamps,
                            .wants_tx = true,
                            .is_tx_paused = true};
        static_cast<void>(request_stamps(slot(socket).fd, paused));
    }
}

}  // namespace latmon
