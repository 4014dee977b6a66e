// SPDX-License-Identifier: Apache-2.0
//
// What the reactor and the probes need from the kernel: sockets, operations on them that complete
// later, and waiting. UringRing does it with io_uring; scenario tests put a simulated network
// behind the same interface and run the very same reactor and probes in virtual time. One ring
// belongs to one core-thread; nothing here allocates after construction. An interface and not a
// template: a virtual call costs 2 ns beside a system call, and probes stay ordinary .cpp files.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"
#include "reactor/message.hpp"
#include "reactor/operation.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

namespace latmon {

// Names a socket within its ring.
using SocketId = std::int32_t;
inline constexpr SocketId no_socket = -1;

// A positive errno value: set-up calls on a core-thread must not allocate a message.
template <typename T>
using Outcome = std::expected<T, int>;

struct SocketOptions {
    Endpoint local{};                 // Address all zero: any. Port 0: any.
    Endpoint remote{};                // Address all zero: not connected (UDP), later (TCP).
    const char* interface = nullptr;  // SO_BINDTODEVICE; null or "": none.
    std::uint8_t dscp = 0;
    bool is_ipv6 = false;          // Family of the socket.
    bool is_shared = false;        // SO_REUSEPORT: every core binds the same port.
    bool is_reflector = false;     // Wants the packet's local address; sends with TTL 255.
    bool is_short_lived = false;   // Not worth a registered file.
    bool resets_on_close = false;  // TCP: close with RST, leaving no TIME_WAIT behind.
};

// A received datagram, lying in a receive buffer until release_buffer().
struct Datagram {
    std::span<std::byte> payload;
    Endpoint source;
    Endpoint local{};                // Address it was sent to; port 0. Zero if not asked for.
    std::uint8_t ttl = 0;            // 0: unknown.
    std::uint8_t traffic_class = 0;  // DSCP << 2 | ECN.
    bool has_traffic_class = false;
    bool is_truncated = false;  // It was longer than any probe may be.
};

// One entry of a socket's error queue (IP_RECVERR, ip(7)): an ICMP error, or one of this host's.
struct SocketError {
    int error_number = 0;                 // Positive errno value.
    bool is_from_network = false;         // An ICMP message, not this host.
    std::uint32_t payload_bytes = 0;      // How many of `payload` are there.
    std::array<std::byte, 16> payload{};  // Start of the datagram of ours that it is about.
};

// A completion and whom it belongs to.
struct Ready {
    Operation* operation = nullptr;
    Completion completion;
};

struct RingCounters {
    std::uint64_t submissions = 0;           // System calls that submitted.
    std::uint64_t waits = 0;                 // System calls that waited.
    std::uint64_t completion_overflows = 0;  // Times the kernel had to queue completions aside.
};

class Ring {
public:
    virtual ~Ring() = default;

    // Sockets. Never block; errors are errno values. A listener is bound to `local` and listens.
    [[nodiscard]] virtual Outcome<SocketId> open_udp(const SocketOptions& options) noexcept = 0;
    [[nodiscard]] virtual Outcome<SocketId> open_tcp(const SocketOptions& options) noexcept = 0;
    [[nodiscard]] virtual Outcome<SocketId> open_listener(
        const SocketOptions& options) noexcept = 0;
    // Closes at once; operations on it must have ended or been cancelled.
    virtual void close(SocketId socket) noexcept = 0;
    // The other end of a connected stream; zero if it is gone.
    [[nodiscard]] virtual Endpoint peer(SocketId socket) const noexcept = 0;

    // Takes one entry off the socket's error queue; EAGAIN if it is empty.
    [[nodiscard]] virtual Outcome<SocketError> take_error(SocketId socket) noexcept = 0;

    // Operations. Each sets operation.is_active and completes through drain(). Buffers and messages
    // are borrowed until the completion.
    // Multishot; each completion with a buffer holds one datagram: see datagram().
    virtual void prepare_receive_datagrams(Operation& operation, SocketId socket) noexcept = 0;
    // Result: octets sent, or -errno. Never waits: a full socket buffer is -EAGAIN.
    virtual void prepare_send_datagram(Operation& operation, SocketId socket,
                                       const Message& message) noexcept = 0;
    // Multishot; each result is a SocketId, or -errno.
    virtual void prepare_accept(Operation& operation, SocketId listener) noexcept = 0;
    virtual void prepare_connect(Operation& operation, SocketId socket,
                                 const Endpoint& remote) noexcept = 0;
    // Stream. Completes when all of the message is in the kernel's hands, or with an error.
    virtual void prepare_send_stream(Operation& operation, SocketId socket,
                                     const Message& message) noexcept = 0;
    // Stream. Result: octets read, 0 at the end of the stream.
    virtual void prepare_receive_stream(Operation& operation, SocketId socket,
                                        std::span<std::byte> buffer) noexcept = 0;
    // Asks the kernel to end an active operation, which then completes, with -ECANCELED or, if it
    // was faster, with its result.
    virtual void prepare_cancel(Operation& operation) noexcept = 0;

    // Reads of what a completion brought.
    [[nodiscard]] virtual Datagram datagram(const Completion& completion) noexcept = 0;
    virtual void release_buffer(std::uint16_t buffer_index) noexcept = 0;

    // The loop. submit() hands over what was prepared and returns at once.
    virtual void submit() noexcept = 0;
    // Submits, then sleeps until there is a completion, `until` has come, or wake() was called.
    virtual void wait(Instant until) noexcept = 0;
    // Submits, and lets completions that are due arrive, without sleeping.
    virtual void poll() noexcept = 0;
    // Moves up to ready.size() completions out, oldest first, and returns how many.
    [[nodiscard]] virtual std::uint32_t drain(std::span<Ready> ready) noexcept = 0;

    // Ends a wait() under way or, if there is none, the next. [any-thread]
    virtual void wake() noexcept = 0;

    [[nodiscard]] virtual const RingCounters& counters() const noexcept = 0;
};

}  // namespace latmon
