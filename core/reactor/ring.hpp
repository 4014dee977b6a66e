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
#include "reactor/stamp.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
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
    bool resets_on_close = false;  // TCP: close with FIN and RST, leaving no TIME_WAIT behind.
    // Packets are stamped where they arrive, and after prepare_tx_stamps() where they leave, as far
    // as StampAbility goes. Of a listener: what is accepted, too.
    bool wants_stamps = false;
    bool wants_hardware_stamps = false;      // By the card too.
    std::uint32_t receive_buffer_bytes = 0;  // SO_RCVBUF; 0: what suits the kind of socket.
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
    // When the kernel took it from the driver, CLOCK_REALTIME (Clock::wall_of_kernel() maps it);
    // and when the card saw it, by the card's own clock.
    StampSource arrived_by = StampSource::none;
    WallTime arrived;
    bool has_hardware_time = false;
    WallTime hardware_time;
    // Datagrams that this socket's buffer had no room for, since it was opened until this one came
    // (SO_RXQ_OVFL). While there are none the kernel does not say.
    bool has_drops = false;
    std::uint32_t drops = 0;
};

// One entry of a socket's error queue (IP_RECVERR, ip(7)): an ICMP error, or one of this host's.
struct SocketError {
    int error_number = 0;                 // Positive errno value.
    bool is_from_network = false;         // An ICMP message, not this host.
    std::uint32_t payload_bytes = 0;      // How many of `payload` are there.
    std::array<std::byte, 24> payload{};  // Start of the datagram of ours that it is about.
    // ee_type and ee_code of an ICMP message: sock_extended_err of ip(7).
    std::uint8_t icmp_type = 0;
    std::uint8_t icmp_code = 0;
    TxStamp stamp{};  // If `source` is not none, the entry is a stamp and no error.
};

// A completion and whom it belongs to.
struct Ready {
    Operation* operation = nullptr;
    Completion completion;
};

struct RingCounters {
    std::uint64_t submissions = 0;           // System calls that submitted.
    std::uint64_t waits = 0;                 // System calls that waited.
    std::uint64_t polls = 0;                 // Those that fetched completions and did not wait.
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

    // How far stamps go here. Constant from construction.
    [[nodiscard]] virtual const StampAbility& stamp_ability() const noexcept = 0;

    // Datagrams that this socket's receive buffer had no room for, since it was opened: the same
    // count as Datagram::drops, asked for (SO_MEMINFO). One system call.
    [[nodiscard]] virtual std::uint32_t receive_drops(SocketId socket) const noexcept = 0;

    // Takes one entry off the socket's error queue; EAGAIN if it is empty. Stamps lie there too,
    // and those that prepare_tx_stamps() has not brought yet come this way: whoever reads the queue
    // for an error must take them.
    [[nodiscard]] virtual Outcome<SocketError> take_error(SocketId socket) noexcept = 0;

    // Operations. Each sets operation.is_active and completes through drain(). Buffers and messages
    // are borrowed until the completion.
    // Multishot; each completion with a buffer holds one datagram: see datagram().
    virtual void prepare_receive_datagrams(Operation& operation, SocketId socket) noexcept = 0;
    // Multishot, on a socket with `wants_stamps`, a stream being connected and nothing sent on it
    // yet: from now on, what it sends is stamped. Each completion with a stamp brings one of a
    // packet of ours; one without says that the error queue wants to be read by take_error(), until
    // EAGAIN: what is left there is not told of again.
    // Ends with -EOPNOTSUPP at once if there is no way to get stamps. Without keys
    // (StampAbility::has_keys) that is so for datagrams of a socket that is not connected; on one
    // that is, each datagram must have a key, and after a send that failed there are no more.
    // A packet may have no stamp (it was lost on this host) or more than one (it was sent again).
    virtual void prepare_tx_stamps(Operation& operation, SocketId socket) noexcept = 0;
    // Result: octets sent, or -errno. Never waits: a full socket buffer is -EAGAIN.
    virtual void prepare_send_datagram(Operation& operation, SocketId socket,
                                       const Message& message) noexcept = 0;
    // Multishot; each result is a SocketId, or -errno.
    virtual void prepare_accept(Operation& operation, SocketId listener) noexcept = 0;
    virtual void prepare_connect(Operation& operation, SocketId socket,
                                 const Endpoint& remote) noexcept = 0;
    // Stream. Completes when all of the message is in the kernel's hands, or with an error. The
    // key of its stamps is the number of octets sent over this socket before its last octet
    // (SOF_TIMESTAMPING_OPT_ID_TCP).
    virtual void prepare_send_stream(Operation& operation, SocketId socket,
                                     const Message& message) noexcept = 0;
    // Stream. Result: octets read, 0 at the end of the stream; afterwards arrival_of(input) tells
    // when the last of them arrived.
    virtual void prepare_receive_stream(Operation& operation, SocketId socket,
                                        StreamInput& input) noexcept = 0;
    // When the kernel took the last octets of a completed receive from the driver, CLOCK_REALTIME;
    // none: unknown.
    [[nodiscard]] virtual std::optional<WallTime> arrival_of(
        const StreamInput& input) const noexcept = 0;
    // Asks the kernel to end an active operation, which then completes, with -ECANCELED or, if it
    // was faster, with its result.
    virtual void prepare_cancel(Operation& operation) noexcept = 0;

    // Reads of what a completion brought.
    [[nodiscard]] virtual Datagram datagram(const Completion& completion) noexcept = 0;
    virtual void release_buffer(std::uint16_t buffer_index) noexcept = 0;

    // The loop. submit() hands over what was prepared and returns at once.
    virtual void submit() noexcept = 0;
    // Submits, then sleeps until there is a completion, `until` has come, or wake() was called; but
    // for `patience` at least, or until `until`, so that several are handed out at one awakening.
    virtual void wait(Instant until, Duration patience = {}) noexcept = 0;
    // Submits, and lets completions that are due arrive, without sleeping.
    virtual void poll() noexcept = 0;
    // Moves up to ready.size() completions out, oldest first, and returns how many.
    [[nodiscard]] virtual std::uint32_t drain(std::span<Ready> ready) noexcept = 0;

    // Ends a wait() under way or, if there is none, the next. [any-thread]
    virtual void wake() noexcept = 0;

    [[nodiscard]] virtual const RingCounters& counters() const noexcept = 0;
};

}  // namespace latmon
