// SPDX-License-Identifier: Apache-2.0
//
// The Ring over io_uring: one instance per core-thread, opened by that thread (SINGLE_ISSUER binds
// a ring to it). Needs Linux 6.1 for DEFER_TASKRUN and multishot recvmsg. Together with
// ring_uring.cpp the only place that knows liburing.
//
// How a wait ends: the next deadline is an absolute timerfd that the ring polls; another thread's
// wake() is an eventfd that the ring reads; everything else is a completion of a user's operation.
#pragma once

#include "base/error.hpp"
#include "base/fd.hpp"
#include "reactor/ring.hpp"

#include <liburing.h>
#include <memory>
#include <vector>

namespace latmon {

struct UringOptions {
    std::uint32_t sockets_max = 0;  // Open at once, of every kind.
};

class UringRing final : public Ring {
public:
    // Errors carry ExitCode::permission and name the cause (sysctl, seccomp, kernel version, a
    // limit) and the cure. [core-thread, before the start barrier]
    [[nodiscard]] static Result<std::unique_ptr<UringRing>> open(const UringOptions& options);
    ~UringRing() override;
    UringRing(const UringRing&) = delete;
    UringRing& operator=(const UringRing&) = delete;

    Outcome<SocketId> open_udp(const SocketOptions& options) noexcept override;
    Outcome<SocketId> open_tcp(const SocketOptions& options) noexcept override;
    Outcome<SocketId> open_listener(const SocketOptions& options) noexcept override;
    void close(SocketId socket) noexcept override;
    Endpoint peer(SocketId socket) const noexcept override;
    Outcome<SocketError> take_error(SocketId socket) noexcept override;

    void prepare_receive_datagrams(Operation& operation, SocketId socket) noexcept override;
    void prepare_send_datagram(Operation& operation, SocketId socket,
                               const Message& message) noexcept override;
    void prepare_accept(Operation& operation, SocketId listener) noexcept override;
    void prepare_connect(Operation& operation, SocketId socket,
                         const Endpoint& remote) noexcept override;
    void prepare_send_stream(Operation& operation, SocketId socket,
                             const Message& message) noexcept override;
    void prepare_receive_stream(Operation& operation, SocketId socket,
                                std::span<std::byte> buffer) noexcept override;
    void prepare_cancel(Operation& operation) noexcept override;

    Datagram datagram(const Completion& completion) noexcept override;
    void release_buffer(std::uint16_t buffer_index) noexcept override;

    void submit() noexcept override;
    void wait(Instant until) noexcept override;
    void poll() noexcept override;
    std::uint32_t drain(std::span<Ready> ready) noexcept override;
    void wake() noexcept override;
    const RingCounters& counters() const noexcept override { return counters_; }

private:
    // A socket's place in the table; its index is the SocketId and, if registered, the ring's
    // index.
    struct Slot {
        int fd = -1;
        bool is_registered = false;
    };

    explicit UringRing(std::uint32_t sockets_max);
    [[nodiscard]] Result<void> set_up();
    [[nodiscard]] Result<void> set_up_buffers();
    [[nodiscard]] Outcome<SocketId> adopt(Outcome<Fd> fd, bool is_registered) noexcept;
    [[nodiscard]] io_uring_sqe* next_entry(Operation* operation) noexcept;
    void use_socket(io_uring_sqe& entry, SocketId socket) const noexcept;
    void prepare_timer_poll() noexcept;
    void prepare_wake_read() noexcept;
    [[nodiscard]] bool take(const io_uring_cqe& entry, Ready& ready) noexcept;
    [[nodiscard]] Ready accepted(Ready ready) noexcept;

    io_uring ring_{};
    bool has_ring_ = false;
    Fd timer_fd_;
    Fd wake_fd_;
    Instant timer_armed_for_{};
    std::uint64_t wake_value_ = 0;
    Operation timer_operation_;
    Operation wake_operation_;

    io_uring_buf_ring* buffer_ring_ = nullptr;  // Page-aligned memory shared with the kernel.
    std::byte* buffers_ = nullptr;              // receive_buffers x receive_buffer_bytes.
    msghdr receive_header_{};                   // Lengths only: the layout of a receive buffer.

    std::vector<Slot> slots_;
    std::vector<SocketId> free_slots_;                 // A stack; never grows beyond slots_.
    std::vector<sockaddr_storage> connect_addresses_;  // By slot: borrowed by the kernel.
    RingCounters counters_;
};

}  // namespace latmon
