// SPDX-License-Identifier: Apache-2.0
//
// How probes get to the reflector and replies back: over UDP or over TCP. One thread sends,
// receives and waits; a transport stamps as near to the system call as it can and judges nothing.
#pragma once

#include "base/address.hpp"
#include "base/error.hpp"
#include "base/time.hpp"
#include "loadgen/report.hpp"
#include "wire/stamp.hpp"

#include <sys/epoll.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace latmon::loadgen {

// One probe that is due. The transport fills in what is below the line.
struct Shot {
    std::uint64_t slot = 0;
    std::uint32_t sender = 0;
    std::uint32_t sequence = 0;
    Instant deadline;
    // ----
    Instant sent_at;  // The three clocks, just before the system call.
    RawInstant raw_sent_at;
    WireTime t1;
    int error_number = 0;  // 0: the kernel has it.
};

// One packet that came for a sender.
struct Arrived {
    std::uint32_t sender = 0;
    std::span<const std::byte> data;
    RawInstant raw_at;                      // When we read it.
    std::optional<Duration> read_lateness;  // From the kernel's arrival to then.
};

class ReplySink {
public:
    virtual void on_reply(const Arrived& reply) = 0;

protected:
    ~ReplySink() = default;
};

class Transport {
public:
    virtual ~Transport() = default;

    // Sends in order; never waits.
    virtual void send(std::span<Shot> shots) = 0;

    // Waits for at most `wait` until something comes, and hands on what is there. 0: does not wait.
    virtual void receive(Duration wait, ReplySink& sink) = 0;

    // Its own figures.
    virtual void describe(Report& report) const = 0;
};

struct TransportOptions {
    Endpoint target;
    std::uint32_t sender_count = 1;
    std::uint32_t senders_per_socket = 64;  // UDP: they are told apart by SSID.
    std::uint32_t size_bytes = 44;
    std::uint32_t batch = 16;
};

// [main-thread; TCP blocks until all connections stand, a few seconds at most]
[[nodiscard]] Result<std::unique_ptr<Transport>> open_udp_transport(
    const TransportOptions& options);
[[nodiscard]] Result<std::unique_ptr<Transport>> open_tcp_transport(
    const TransportOptions& options);

// -- For transports -------------------------------------------------------------------------------

// Reads the clocks into `shot` and puts the request at the head of `packet`, which has 44 octets.
void stamp(Shot& shot, std::uint16_t ssid, std::span<std::byte> packet) noexcept;

// A request of `size_bytes` without its head: padding and its TLV header.
[[nodiscard]] std::vector<std::byte> blank_request(std::uint32_t size_bytes);

// As epoll_pwait2(2), to the nanosecond; returns how many events there are, 0 on a signal.
[[nodiscard]] std::size_t wait_for_events(int epoll, Duration wait,
                                          std::span<epoll_event> events) noexcept;

}  // namespace latmon::loadgen
