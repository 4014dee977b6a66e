// SPDX-License-Identifier: Apache-2.0
//
// How probes get to the reflector and replies back: over UDP or over TCP. One thread sends,
// receives and waits; a transport stamps as near to the system call as it can and judges nothing.
#pragma once

#include "base/address.hpp"
#include "base/error.hpp"
#include "base/time.hpp"
#include "loadgen/address_list.hpp"
#include "loadgen/probe_format.hpp"
#include "loadgen/report.hpp"
#include "loadgen/sockets.hpp"
#include "loadgen/trust.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace latmon::loadgen {

// One packet that came for a sender.
struct Arrived {
    std::uint32_t sender = 0;
    std::optional<Echo> echo;               // Nothing: it is no reply.
    RawInstant raw_at;                      // When we read it.
    std::optional<Duration> read_lateness;  // From the kernel's arrival to then, if it says.
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

    // Its own figures, and what they say against us.
    virtual void describe(Report& report, Trust& trust) const = 0;
};

struct TransportOptions {
    Endpoint target;
    std::optional<AddressList> sources;  // Of sockets in turn; nothing: as the kernel chooses.
    std::uint32_t sender_count = 1;
    std::uint32_t senders_per_socket = 64;  // UDP: they are told apart by SSID.
    std::uint32_t batch = 16;
    bool is_framed = true;  // TCP: STAMP in frames; false: messages of latency-monitor's.
};

// Where socket number `index` goes from and to.
[[nodiscard]] inline ProbePath path_of(const TransportOptions& options, std::uint32_t index) {
    ProbePath path{.target = options.target, .source = std::nullopt};
    if (options.sources) path.source = options.sources->at(index % options.sources->size());
    return path;
}

// `format` outlives them. [main-thread; TCP blocks until all connections stand, a few seconds at
// most]
[[nodiscard]] Result<std::unique_ptr<Transport>> open_udp_transport(const TransportOptions& options,
                                                                    ProbeFormat& format);
[[nodiscard]] Result<std::unique_ptr<Transport>> open_tcp_transport(const TransportOptions& options,
                                                                    ProbeFormat& format);

}  // namespace latmon::loadgen
