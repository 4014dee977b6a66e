// SPDX-License-Identifier: Apache-2.0
//
// The Ring over io_uring: operations, the loop's kernel side, and the sockets' table. What can go
// wrong while it is set up is told in ring_setup.cpp.
#include "reactor/ring_uring.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "reactor/control.hpp"
#include "reactor/socket.hpp"

#include <poll.h>
#include <sys/timerfd.h>
#include <cerrno>
#include <cstring>

namespace latmon {
namespace {

// Marks the completions of the timer and of wake(), which are the ring's own.
void never_called(Operation&, const Completion&) noexcept {
    LATMON_ASSERT(false);
}

}  // namespace

UringRing::UringRing(std::uint32_t sockets_max)
    : timer_operation_(never_called),
      wake_operation_(never_called),
      slots_(sockets_max),
      connect_addresses_(sockets_max) {
    free_slots_.reserve(sockets_max);
    for (std::uint32_t slot = sockets_max; slot > 0; --slot) {
        free_slots_.push_back(static_cast<SocketId>(slot - 1));
    }
}

// -- Sockets ------------------------------------------------------------------------------------

Outcome<SocketId> UringRing::adopt(Outcome<Fd> fd, bool is_registered) noexcept {
    if (!fd) return std::unexpected(fd.error());
    if (free_slots_.empty()) return std::unexpected(ENFILE);
    const SocketId socket = free_slots_.back();
    if (is_registered) {
        const int number = fd->get();
        const int result =
            ::io_uring_register_files_update(&ring_, static_cast<unsigned>(socket), &number, 1);
        if (result < 0) return std::unexpected(-result);
    }
    free_slots_.pop_back();
    slots_[static_cast<std::size_t>(socket)] = {fd->release(), is_registered};
    return socket;
}

Outcome<SocketId> UringRing::open_udp(const SocketOptions& options) noexcept {
    return adopt(open_udp_socket(options), !options.is_short_lived);
}

Outcome<SocketId> UringRing::open_tcp(const SocketOptions& options) noexcept {
    return adopt(open_tcp_socket(options), !options.is_short_lived);
}

Outcome<SocketId> UringRing::open_listener(const SocketOptions& options) noexcept {
    return adopt(open_tcp_listener(options), true);
}

void UringRing::close(SocketId socket) noexcept {
    Slot& slot = slots_[static_cast<std::size_t>(socket)];
    LATMON_ASSERT(slot.fd >= 0);
    if (slot.is_registered) {
        const int none = -1;
        ::io_uring_register_files_update(&ring_, static_cast<unsigned>(socket), &none, 1);
    }
    ::close(slot.fd);
    slot = {};
    free_slots_.push_back(socket);
}

Endpoint UringRing::peer(SocketId socket) const noexcept {
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    const int fd = slots_[static_cast<std::size_t>(socket)].fd;
    if (::getpeername(fd, generic, &length) != 0) return {};
    return from_sockaddr(*generic);
}

Outcome<SocketError> UringRing::take_error(SocketId socket) noexcept {
    // A plain call: it never blocks, and errors are rare.
    return take_socket_error(slots_[static_cast<std::size_t>(socket)].fd);
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
    }
    return entry;
}

void UringRing::use_socket(io_uring_sqe& entry, SocketId socket) const noexcept {
    const Slot& slot = slots_[static_cast<std::size_t>(socket)];
    LATMON_ASSERT(slot.fd >= 0);
    entry.fd = slot.is_registered ? socket : slot.fd;
    if (slot.is_registered) entry.flags |= IOSQE_FIXED_FILE;
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
    ::io_uring_prep_sendmsg(entry, 0, &message.header(), MSG_DONTWAIT | MSG_NOSIGNAL);
    use_socket(*entry, socket);
    ::io_uring_sqe_set_data(entry, &operation);
}

void UringRing::prepare_accept(Operation& operation, SocketId listener) noexcept {
    io_uring_sqe* const entry = next_entry(&operation);
    ::io_uring_prep_multishot_accept(entry, 0, nullptr, nullptr, SOCK_CLOEXEC);
    use_socket(*entry, listener);
    ::io_uring_sqe_set_data(entry, &operation);
    operation.yields_socket = true;
}

void UringRing::prepare_connect(Operation& operation, SocketId socket,
                                const Endpoint& remote) noexcept {
    sockaddr_storage& address = connect_addresses_[static_cast<std::size_t>(socket)];
    const socklen_t length = as_sockaddr(remote, address);
    io_uring_sqe* const entry = next_entry(&operation);
    ::io_uring_prep_connect(entry, 0, reinterpret_cast<const sockaddr*>(&address), length);
    use_socket(*entry, socket);
    ::io_uring_sqe_set_data(entry, &operation);
}

void UringRing::prepare_send_stream(Operation& operation, SocketId socket,
                                    const Message& message) noexcept {
    io_uring_sqe* const entry = next_entry(&operation);
    // MSG_WAITALL: io_uring goes on after a short send by itself (io_uring_prep_sendmsg(3)).
    ::io_uring_prep_sendmsg(entry, 0, &message.header(), MSG_WAITALL | MSG_NOSIGNAL);
    use_socket(*entry, socket);
    ::io_uring_sqe_set_data(entry, &operation);
}

void UringRing::prepare_receive_stream(Operation& operation, SocketId socket,
                                       std::span<std::byte> buffer) noexcept {
    io_uring_sqe* const entry = next_entry(&operation);
    ::io_uring_prep_recv(entry, 0, buffer.data(), buffer.size(), 0);
    use_socket(*entry, socket);
    ::io_uring_sqe_set_data(entry, &operation);
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

void UringRing::wait(Instant until) noexcept {
    if (until != timer_armed_for_) {
        const itimerspec when{
            .it_interval = {},
            .it_value = {.tv_sec = until.ns / 1'000'000'000, .tv_nsec = until.ns % 1'000'000'000}};
        const int result = ::timerfd_settime(timer_fd_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
        LATMON_ASSERT(result == 0);
        timer_armed_for_ = until;
    }
    ++counters_.waits;
    const int result = ::io_uring_submit_and_wait(&ring_, 1);
    LATMON_ASSERT(result >= 0 || result == -EBUSY || result == -EAGAIN || result == -EINTR);
}

void UringRing::poll() noexcept {
    if (::io_uring_sq_ready(&ring_) > 0) {
        ++counters_.submissions;
        ::io_uring_submit_and_get_events(&ring_);
        return;
    }
    // The kernel raises these flags in shared memory when entering it would bring completions
    // (IORING_SETUP_TASKRUN_FLAG, io_uring_setup(2)): spinning costs no system call.
    const unsigned flags = __atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED);
    if ((flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0) {
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
    }
    ::io_uring_cq_advance(&ring_, seen);
    return count;
}

// Reads one entry. False if it was the ring's own and is dealt with.
bool UringRing::take(const io_uring_cqe& entry, Ready& ready) noexcept {
    auto* const operation =
        reinterpret_cast<Operation*>(static_cast<std::uintptr_t>(entry.user_data));
    if (operation == nullptr) return false;  // A cancel's.
    ready.operation = operation;
    ready.completion = {
        .result = entry.res,
        .has_more = (entry.flags & IORING_CQE_F_MORE) != 0,
        .has_buffer = (entry.flags & IORING_CQE_F_BUFFER) != 0,
        .buffer_index = static_cast<std::uint16_t>(entry.flags >> IORING_CQE_BUFFER_SHIFT)};
    if (operation == &timer_operation_ || operation == &wake_operation_) {
        if (operation == &timer_operation_) timer_armed_for_ = {};
        if (ready.completion.has_more) return false;
        operation->is_active = false;
        operation == &timer_operation_ ? prepare_timer_poll() : prepare_wake_read();
        return false;
    }
    if (operation->yields_socket && entry.res >= 0) ready = accepted(ready);
    return true;
}

// Gives an accepted descriptor its place in the table. None left: the connection is closed, and the
// user told so.
Ready UringRing::accepted(Ready ready) noexcept {
    const Outcome<SocketId> socket = adopt(Fd(ready.completion.result), false);
    ready.completion.result = socket ? *socket : -socket.error();
    return ready;
}

void UringRing::prepare_timer_poll() noexcept {
    io_uring_sqe* const entry = next_entry(&timer_operation_);
    ::io_uring_prep_poll_multishot(entry, timer_fd_.get(), POLLIN);
    ::io_uring_sqe_set_data(entry, &timer_operation_);
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
