// SPDX-License-Identifier: Apache-2.0
//
// The Ring over io_uring: one instance per core-thread, opened by that thread (SINGLE_ISSUER binds
// a ring to it). Needs Linux 6.1 for DEFER_TASKRUN and multishot recvmsg. Together with its three
// .cpp files (ring_uring: operations, ring_setup: opening, ring_stamps: time stamps) the only place
// that knows liburing.
//
// How a wait ends: by the time limit of the system call; by another thread's wake(), an eventfd
// that the ring reads; everything else is a completion of a user's operation.
//
// Stamps of what is sent lie in the socket's error queue. From Linux 6.17 on the ring itself takes
// them from there; before, its user is told to read the queue. The keys of a socket with one peer
// are counted here (KeyCount); of others the kernel takes them with each datagram, or there are
// none.
#pragma once

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/zeroed_array.hpp"
#include "reactor/key_count.hpp"
#include "reactor/ring.hpp"

#include <liburing.h>
#include <memory>
#include <optional>
#include <vector>

namespace latmon {

struct UringOptions {
    std::uint32_t sockets_max = 0;  // Open at once, of every kind.
    // The most that is made of the kernel's stamps of what is sent; less where it can do less.
    TxStampWay best_tx_way = TxStampWay::ring;
    bool may_have_keys = true;
};

// To be called for each completion that has been read. In a ring of 32-octet completions Linux 6.18
// leaves out the last place before the queue wraps whenever what it has to put there is of 32
// octets (io_cqe_cache_refill, which was made for rings of mixed sizes): it moves the tail past it
// and writes its note of that elsewhere, so that the completion of the round before would be read
// once more. Without user data it is nobody's.
inline void retire(io_uring_cqe& entry) noexcept {
    entry.user_data = 0;
}

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
    const StampAbility& stamp_ability() const noexcept override { return ability_; }
    std::uint32_t receive_drops(SocketId socket) const noexcept override;
    Outcome<SocketError> take_error(SocketId socket) noexcept override;

    void prepare_receive_datagrams(Operation& operation, SocketId socket) noexcept override;
    void prepare_tx_stamps(Operation& operation, SocketId socket) noexcept override;
    void prepare_send_datagram(Operation& operation, SocketId socket,
                               const Message& message) noexcept override;
    void prepare_accept(Operation& operation, SocketId listener) noexcept override;
    void prepare_connect(Operation& operation, SocketId socket,
                         const Endpoint& remote) noexcept override;
    void prepare_send_stream(Operation& operation, SocketId socket,
                             const Message& message) noexcept override;
    void prepare_receive_stream(Operation& operation, SocketId socket,
                                StreamInput& input) noexcept override;
    std::optional<WallTime> arrival_of(const StreamInput& input) const noexcept override;
    void prepare_cancel(Operation& operation) noexcept override;

    Datagram datagram(const Completion& completion) noexcept override;
    void release_buffer(std::uint16_t buffer_index) noexcept override;

    void submit() noexcept override;
    void wait(Instant until, Duration patience = {}) noexcept override;
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
        bool is_stream = false;
        bool is_connected = false;  // Datagrams go to one peer.
        bool resets_on_close = false;
        bool wants_stamps = false;
        bool wants_hardware_stamps = false;
        bool stamps_tx = false;    // What it sends is stamped.
        bool counts_keys = false;  // Its keys are found by key_counts_.
    };

    // What sendmsg(2) wants of one message, and a key that is not the message's own.
    struct SendHeader {
        msghdr header{};
        alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(std::uint32_t))> control{};
    };

    // One datagram and its stamp on a pair of sockets: see probe_stamps().
    struct StampTrial;

    explicit UringRing(const UringOptions& options);
    [[nodiscard]] Result<void> set_up(const UringOptions& options);
    [[nodiscard]] int set_up_ring(bool has_large_completions) noexcept;
    [[nodiscard]] Result<void> set_up_buffers();
    [[nodiscard]] Outcome<SocketId> adopt(Outcome<Fd> fd, const Slot& kind) noexcept;
    [[nodiscard]] const Slot& slot(SocketId socket) const noexcept;
    [[nodiscard]] Slot& slot(SocketId socket) noexcept;
    [[nodiscard]] io_uring_sqe* next_entry(Operation* operation) noexcept;
    void use_socket(io_uring_sqe& entry, SocketId socket) const noexcept;
    void prepare_wake_read() noexcept;
    void fetch_deferred() noexcept;
    [[nodiscard]] bool take(const io_uring_cqe& entry, Ready& ready) noexcept;
    [[nodiscard]] bool follow_up(const io_uring_cqe& entry, Ready& ready) noexcept;
    [[nodiscard]] std::int32_t accepted(int fd, SocketId listener) noexcept;

    [[nodiscard]] StampAbility probe_stamps(const UringOptions& options) noexcept;
    [[nodiscard]] bool probe_ring_way(StampTrial& trial) noexcept;
    [[nodiscard]] Outcome<void> start_tx_stamps(SocketId socket) noexcept;
    [[nodiscard]] std::optional<std::uint32_t> key_to_send(SocketId socket,
                                                           const Message& message) noexcept;
    [[nodiscard]] const msghdr& header_with(const io_uring_sqe& entry, const Message& message,
                                            std::optional<std::uint32_t> key) noexcept;
    [[nodiscard]] bool find_key(SocketId socket, TxStamp& stamp) noexcept;
    void note_counted(SocketId socket, std::int32_t result) noexcept;

    io_uring ring_{};
    bool has_ring_ = false;
    bool has_patience_ = false;  // The kernel can wait for several completions: Linux 6.12.
    Fd wake_fd_;
    std::uint64_t wake_value_ = 0;
    Operation wake_operation_;

    io_uring_buf_ring* buffer_ring_ = nullptr;  // Page-aligned memory shared with the kernel.
    std::byte* buffers_ = nullptr;              // receive_buffers x receive_buffer_bytes.
    msghdr receive_header_{};                   // Lengths only: the layout of a receive buffer.

    std::vector<Slot> slots_;
    std::vector<SocketId> free_slots_;  // A stack; never grows beyond slots_.
    StampAbility ability_;
    Fd stamp_keeper_;  // See probe_stamps().
    Operation probe_operation_;
    std::optional<ZeroedArray<KeyCount>> key_counts_;  // By slot; none: nothing is stamped.
    // By submission entry: borrowed until it is submitted (IORING_FEAT_SUBMIT_STABLE).
    std::vector<SendHeader> send_headers_;
    std::vector<sockaddr_in6> connect_addresses_;  // Each also large enough for IPv4.
    RingCounters counters_;
};

}  // namespace latmon
