// SPDX-License-Identifier: Apache-2.0
//
// The Ring over io_uring: operations, the loop's kernel side, and the sockets' table. What can go
// wrong while it is set up is told in ring_setup.cpp, time stamps are in ring_stamps.cpp.
#include "reactor/ring_uring.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "reactor/control.hpp"
#include "reactor/socket.hpp"
#include "reactor/uring_stamps.hpp"

#include <linux/sock_diag.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

namespace latmon {
namespace {

// Calls for what the kernel has put off, at one go.
constexpr std::uint32_t fetches_max = 8;

// Marks the completions of wake(), which are the ring's own.
void never_called(Operation&, const Completion&) noexcept {
    LATMON_ASSERT(false);
}

}  // namespace

UringRing::UringRing(const UringOptions& options)
    : wake_operation_(never_called), slots_(options.sockets_max), probe_operation_(never_called) {
    free_slots_.reserve(options.sockets_max);
    for (std::uint32_t slot = options.sockets_max; slot > 0; --slot) {
        free_slots_.push_back(static_cast<SocketId>(slot - 1));
    }
}

// -- Sockets ------------------------------------------------------------------------------------

UringRing::Slot& UringRing::slot(SocketId socket) noexcept {
    LATMON_ASSERT(socket >= 0 && static_cast<std::size_t>(socket) < slots_.size());
    return slots_[static_cast<std::size_t>(socket)];
}

const UringRing::Slot& UringRing::slot(SocketId socket) const noexcept {
    return const_cast<UringRing*>(this)->slot(socket);
}

Outcome<SocketId> UringRing::adopt(Outcome<Fd> fd, const Slot& kind) noexcept {
    if (!fd) return std::unexpected(fd.error());
    if (free_slots_.empty()) return std::unexpected(ENFILE);
    const SocketId socket = free_slots_.back();
    if (kind.is_registered) {
        const int number = fd->get();
        const int result =
            ::io_uring_register_files_update(&ring_, static_cast<unsigned>(socket), &number, 1);
        if (result < 0) return std::unexpected(-result);
    }
    free_slots_.pop_back();
    Slot& place = slot(socket);
    place = kind;
    place.fd = fd->release();
    return socket;
}

Outcome<SocketId> UringRing::open_udp(const SocketOptions& options) noexcept {
    return adopt(open_udp_socket(options),
                 {.is_registered = !options.is_short_lived,
                  .is_connected = options.remote.port != 0 || !is_unspecified(options.remote),
                  .wants_stamps = options.wants_stamps,
                  .wants_hardware_stamps = options.wants_hardware_stamps});
}

Outcome<SocketId> UringRing::open_tcp(const SocketOptions& options) noexcept {
    return adopt(open_tcp_socket(options),
                 {.is_registered = !options.is_short_lived,
                  .is_stream = true,
                  .resets_on_close = options.resets_on_close,
                  .wants_stamps = options.wants_stamps,
                  .wants_hardware_stamps = options.wants_hardware_stamps});
}

Outcome<SocketId> UringRing::open_listener(const SocketOptions& options) noexcept {
    return adopt(open_tcp_listener(options),
                 {.is_registered = true,
                  .is_stream = true,
                  .wants_stamps = options.wants_stamps,
                  .wants_hardware_stamps = options.wants_hardware_stamps});
}

void UringRing::close(SocketId socket) noexcept {
    Slot& closed = slot(socket);
    LATMON_ASSERT(closed.fd >= 0);
    if (closed.is_registered) {
        const int none = -1;
        ::io_uring_register_files_update(&ring_, static_cast<unsigned>(socket), &none, 1);
    }
    // A FIN before the RST: a peer that reads then sees a connection that ended, not one that broke
    // (tcp_recvmsg() asks for the end of the stream before it asks for errors, Linux 6.18).
    if (closed.resets_on_close) ::shutdown(closed.fd, SHUT_WR);
    ::close(closed.fd);
    closed = {};
    free_slots_.push_back(socket);
}

Endpoint UringRing::peer(SocketId socket) const noexcept {
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::getpeername(slot(socket).fd, generic, &length) != 0) return {};
    return from_sockaddr(*generic);
}

std::uint32_t UringRing::receive_drops(SocketId socket) const noexcept {
    std::array<std::uint32_t, SK_MEMINFO_VARS> figures{};
    socklen_t length = sizeof(figures);
    ::getsockopt(slot(socket).fd, SOL_SOCKET, SO_MEMINFO, figures.data(), &length);
    return figures[SK_MEMINFO_DROPS];
}

// -- Operations ---------------------------------------------------------------------------------

io_uring_sqe* UringRing::next_entry(Operation* operation) noexcept {
    io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
    if (entry == nullptr) {  // The queue is full of prepared entries: hand them over.
        submit();
        entry = ::io_uring_get_sqe(&ring_);
    }
    LATMON_ASSERT(entry != nullptr);
    if (operation != nullptr) {
        LATMON_ASSERT(!operation->is_active);
        operation->is_active = true;
        operation->follow = Operation::Follow::nothing;
    }
    return entry;
}

void UringRing::use_socket(io_uring_sqe& entry, SocketId socket) const noexcept {
    const Slot& used = slot(socket);
    LATMON_ASSERT(used.fd >= 0);
    entry.fd = used.is_registered ? socket : used.fd;
    if (used.is_registered) entry.flags |= IOSQE_FIXED_FILE;
}

void UringRing::prepare_receive_datagrams(Operation& operation, SocketId socket) noexcept {
    io_uring_sqe* const entry = next_entry(&operation);
    ::io_uring_prep_recvmsg_multishot(entry, 0, &receive_header_, 0);
    use_socket(*entry, socket);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = 0;
    ::io_uring_sqe_set_data(entry, &operation);
}

void UringRing::prepare_send_datagram(Operation& operation, SocketId socket,
                                      const Message& message) noexcept {
    io_uring_sqe* const entry = next_entry(&operation);
    const std::optional<std::uint32_t> key = key_to_send(socket, message);
    constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    if (message.is_plain() && !key) {  // Spares the kernel the reading of a msghdr.
        const std::span<const std::byte> payload = message.plain_payload();
        ::io_uring_prep_send(entry, 0, payload.data(), payload.size(), flags);
    } else {
        ::io_uring_prep_sendmsg(entry, 0, &header_with(*entry, message, key), flags);
    }
    use_socket(*entry, socket);
    ::io_uring_sqe_set_data(entry, &operation);
    if (slot(socket).counts_keys && message.has_key()) {
        operation.follow = Operation::Follow::counted_send;
        operation.socket = socket;
    }
}

void UringRing::prepare_accept(Operation& operation, SocketId listener) noexcept {
    io_uring_sqe* const entry = next_entry(&operation);
    ::io_uring_prep_multishot_accept(entry, 0, nullptr, nullptr, SOCK_CLOEXEC);
    use_socket(*entry, listener);
    ::io_uring_sqe_set_data(entry, &operation);
    operation.follow = Operation::Follow::accept;
    operation.socket = listener;
}

void UringRing::prepare_connect(Operation& operation, SocketId socket,
                                const Endpoint& remote) noexcept {
    io_uring_sqe* const entry = next_entry(&operation);
    sockaddr_storage whole{};
    const socklen_t length = as_sockaddr(remote, whole);
    sockaddr_in6& address = connect_addresses_[static_cast<std::size_t>(entry - ring_.sq.sqes)];
    LATMON_ASSERT(length <= sizeof(address));
    std::memcpy(&address, &whole, length);
    ::io_uring_prep_connect(entry, 0, reinterpret_cast<const sockaddr*>(&address), length);
    use_socket(*entry, socket);
    ::io_uring_sqe_set_data(entry, &operation);
}

void UringRing::prepare_send_stream(Operation& operation, SocketId socket,
                                    const Message& message) noexcept {
    io_uring_sqe* const entry = next_entry(&operation);
    // MSG_WAITALL: io_uring goes on after a short send by itself (io_uring_prep_sendmsg(3)).
    const msghdr& header = header_with(*entry, message, std::nullopt);
    ::io_uring_prep_sendmsg(entry, 0, &header, MSG_WAITALL | MSG_NOSIGNAL);
    use_socket(*entry, socket);
    ::io_uring_sqe_set_data(entry, &operation);
}

void UringRing::prepare_receive_stream(Operation& operation, SocketId socket,
                                       StreamInput& input) noexcept {
    io_uring_sqe* const entry = next_entry(&operation);
    ::io_uring_prep_recvmsg(entry, 0, &input.header(), 0);
    use_socket(*entry, socket);
    ::io_uring_sqe_set_data(entry, &operation);
}

std::optional<WallTime> UringRing::arrival_of(const StreamInput& input) const noexcept {
    return arrival_in(input.header());
}

void UringRing::prepare_cancel(Operation& operation) noexcept {
    io_uring_sqe* const entry = next_entry(nullptr);
    ::io_uring_prep_cancel(entry, &operation, 0);
    ::io_uring_sqe_set_data(entry, nullptr);  // Its own completion interests nobody.
}

// -- Receive buffers ----------------------------------------------------------------------------

Datagram UringRing::datagram(const Completion& completion) noexcept {
    LATMON_ASSERT(completion.has_buffer && completion.result >= 0);
    std::byte* const buffer =
        buffers_ + std::size_t{completion.buffer_index} * limits::receive_buffer_bytes;
    io_uring_recvmsg_out* const out =
        ::io_uring_recvmsg_validate(buffer, completion.result, &receive_header_);
    LATMON_ASSERT(out != nullptr);

    Datagram datagram;
    auto* const payload =
        static_cast<std::byte*>(::io_uring_recvmsg_payload(out, &receive_header_));
    datagram.payload = {
        payload, ::io_uring_recvmsg_payload_length(out, completion.result, &receive_header_)};
    datagram.source = from_sockaddr(*static_cast<sockaddr*>(::io_uring_recvmsg_name(out)));
    datagram.is_truncated = (out->flags & MSG_TRUNC) != 0;

    cmsghdr* control = ::io_uring_recvmsg_cmsg_firsthdr(out, &receive_header_);
    for (; control != nullptr;
         control = ::io_uring_recvmsg_cmsg_nexthdr(out, &receive_header_, control)) {
        read_control(*control, datagram);
    }
    return datagram;
}

void UringRing::release_buffer(std::uint16_t buffer_index) noexcept {
    LATMON_ASSERT(buffer_index < limits::receive_buffers);
    ::io_uring_buf_ring_add(buffer_ring_,
                            buffers_ + std::size_t{buffer_index} * limits::receive_buffer_bytes,
                            limits::receive_buffer_bytes, buffer_index,
                            ::io_uring_buf_ring_mask(limits::receive_buffers), 0);
    ::io_uring_buf_ring_advance(buffer_ring_, 1);
}

// -- The loop -----------------------------------------------------------------------------------

void UringRing::submit() noexcept {
    if (::io_uring_sq_ready(&ring_) == 0) return;
    ++counters_.submissions;
    const int result = ::io_uring_submit(&ring_);
    // -EBUSY and -EAGAIN: the kernel wants completions taken first; entries stay in the queue.
    LATMON_ASSERT(result >= 0 || result == -EBUSY || result == -EAGAIN || result == -EINTR);
}

void UringRing::wait(Instant until, Duration patience) noexcept {
    submit();
    if (::io_uring_sq_ready(&ring_) > 0) return;  // No memory just now: not to be slept over.
    const Duration left = std::max(until - OsClock{}.now(), Duration{});
    __kernel_timespec limit{.tv_sec = left.ns / 1'000'000'000, .tv_nsec = left.ns % 1'000'000'000};
    io_uring_getevents_arg argument{};
    argument.ts = reinterpret_cast<std::uintptr_t>(&limit);
    unsigned completions = 1;
    if (has_patience_ && patience.ns > 0) {
        // min_wait_usec of io_uring_enter(2), which liburing 2.3 calls padding: until that has
        // passed the kernel waits for so many completions, then for one.
        argument.pad = static_cast<std::uint32_t>(std::min(patience, left).ns / 1'000);
        completions = limits::completion_batch;
    }
    ++counters_.waits;
    const bool is_registered = ring_.enter_ring_fd != ring_.ring_fd;
    const unsigned flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG |
                           (is_registered ? IORING_ENTER_REGISTERED_RING : 0U);
    const int result =
        ::io_uring_enter2(static_cast<unsigned>(ring_.enter_ring_fd), 0, completions, flags,
                          reinterpret_cast<sigset_t*>(&argument), sizeof(argument));
    LATMON_ASSERT(result >= 0 || result == -ETIME || result == -EBUSY || result == -EAGAIN ||
                  result == -EINTR);
    fetch_deferred();
}

void UringRing::poll() noexcept {
    if (::io_uring_sq_ready(&ring_) > 0) {
        ++counters_.submissions;
        ::io_uring_submit_and_get_events(&ring_);
        return;
    }
    fetch_deferred();
}

// The kernel raises these flags in shared memory when entering it would bring completions
// (IORING_SETUP_TASKRUN_FLAG, io_uring_setup(2)): spinning costs no system call. What it has put
// off may take several: a wait that ended by its limit runs none of it on Linux 6.1, and from 6.13
// on each call runs some 20 pieces. Replies must not lie there while their exchanges run out of
// time.
void UringRing::fetch_deferred() noexcept {
    for (std::uint32_t round = 0; round < fetches_max; ++round) {
        const unsigned flags = __atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED);
        if ((flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) == 0) return;
        ++counters_.polls;
        ::io_uring_get_events(&ring_);
    }
}

std::uint32_t UringRing::drain(std::span<Ready> ready) noexcept {
    if (::io_uring_cq_has_overflow(&ring_)) ++counters_.completion_overflows;
    std::uint32_t count = 0;
    std::uint32_t seen = 0;
    unsigned head = 0;
    io_uring_cqe* entry = nullptr;
    io_uring_for_each_cqe(&ring_, head, entry) {
        if (count == ready.size()) break;
        ++seen;
        if (take(*entry, ready[count])) ++count;
        retire(*entry);
    }
    ::io_uring_cq_advance(&ring_, seen);
    return count;
}

// Reads one entry. False if it was the ring's own and is dealt with.
bool UringRing::take(const io_uring_cqe& entry, Ready& ready) noexcept {
    auto* const operation =
        reinterpret_cast<Operation*>(static_cast<std::uintptr_t>(entry.user_data));
    if (operation == nullptr) return false;  // A cancel's, or a place that was skipped.
    LATMON_ASSERT(operation->is_active || operation == &probe_operation_);
    ready.operation = operation;
    ready.completion = {
        .result = entry.res,
        .has_more = (entry.flags & IORING_CQE_F_MORE) != 0,
        .has_buffer = (entry.flags & IORING_CQE_F_BUFFER) != 0,
        .buffer_index = static_cast<std::uint16_t>(entry.flags >> IORING_CQE_BUFFER_SHIFT),
        .stamp = {}};
    if (operation == &probe_operation_) return false;
    if (operation == &wake_operation_) {
        operation->is_active = false;
        prepare_wake_read();
        return false;
    }
    return operation->follow == Operation::Follow::nothing || follow_up(entry, ready);
}

// What the ring has to do with a completion first. False if there is nothing left to tell the user.
bool UringRing::follow_up(const io_uring_cqe& entry, Ready& ready) noexcept {
    Completion& completion = ready.completion;
    const SocketId socket = ready.operation->socket;
    switch (ready.operation->follow) {
        case Operation::Follow::accept:
            if (entry.res >= 0) completion.result = accepted(entry.res, socket);
            break;
        case Operation::Follow::stamps:
            if (!completion.has_more) break;
            completion = {.has_more = true, .stamp = read_tx_stamp(entry)};
            return !slot(socket).counts_keys || find_key(socket, completion.stamp);
        case Operation::Follow::refused:
            completion.result = -EOPNOTSUPP;
            break;
        case Operation::Follow::counted_send:
            note_counted(socket, entry.res);
            break;
        case Operation::Follow::nothing:
            break;
    }
    return true;
}

// Gives an accepted descriptor its place in the table. None left: the connection is closed, and the
// user told so.
std::int32_t UringRing::accepted(int fd, SocketId listener) noexcept {
    Slot kind = slot(listener);
    kind.is_registered = false;
    const Outcome<SocketId> socket = adopt(Fd(fd), kind);
    return socket ? *socket : -socket.error();
}

void UringRing::prepare_wake_read() noexcept {
    io_uring_sqe* const entry = next_entry(&wake_operation_);
    ::io_uring_prep_read(entry, wake_fd_.get(), &wake_value_, sizeof(wake_value_), 0);
    ::io_uring_sqe_set_data(entry, &wake_operation_);
}

void UringRing::wake() noexcept {
    const std::uint64_t one = 1;
    // Fails only if the counter is about to overflow; then a wake-up is pending anyway.
    [[maybe_unused]] const ssize_t written = ::write(wake_fd_.get(), &one, sizeof(one));
}

}  // namespace latmon
