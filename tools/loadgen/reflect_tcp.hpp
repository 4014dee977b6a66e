// SPDX-License-Identifier: Apache-2.0
//
// One thread that accepts for all simulated targets over TCP and answers framed STAMP, or messages
// of latency-monitor's, on the connections that speak it; one that says nothing is a plain connect,
// which is answer enough. Delay and bit rate are simulated, loss is not: in a stream there is no
// losing. A connection whose peer does not read is not read from either. T2 is the kernel's receipt
// of the last octets that one read has: exact for a request alone in it, too late for one with
// others behind it, which is counted.
#pragma once

#include "base/fd.hpp"
#include "loadgen/delay_queue.hpp"
#include "loadgen/histogram.hpp"
#include "loadgen/reflect.hpp"
#include "loadgen/reflect_counts.hpp"
#include "wire/ancestor_stream.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace latmon::loadgen {

class TcpTargets {
public:
    // [main-thread]
    TcpTargets(const ReflectSetup& setup, Fd listener, Fd epoll);

    // Until `end` or a stop signal. [its own thread]
    void run(Instant end);

    [[nodiscard]] const TcpCounts& counts() const noexcept { return counts_; }
    // These only when the thread has ended. How long requests were in our sockets,
    [[nodiscard]] const Histogram& read_lateness() const noexcept { return read_lateness_; }
    // and how much later than due delayed replies left.
    [[nodiscard]] const Histogram& departure_lateness() const noexcept { return lateness_; }

private:
    struct Connection {
        Fd socket;
        std::uint64_t id = 0;
        std::uint32_t target = 0;
        std::vector<std::byte> input;   // Not yet whole frames.
        std::vector<std::byte> output;  // Not yet taken by the kernel.
        AncestorStream messages;
        bool has_preface = false;
        std::uint32_t sequence = 0;  // Of the next reply.
    };

    // Of what one read gave.
    struct Receipt {
        Instant at;  // When we read it.
        WallTime wall;
        std::optional<Duration> dwell;  // How long it had then been in our socket.
    };
    struct Request {
        std::span<std::byte> item;  // Behind a frame's header if there are any.
        bool is_last = false;       // Nothing came behind it in the same read.
    };

    void turn(Instant end);
    void accept_all();
    [[nodiscard]] std::optional<std::uint32_t> target_of(const Fd& socket) const noexcept;
    void serve(std::uint64_t id);
    // These are false when the connection is over.
    [[nodiscard]] bool read(Connection& connection);
    [[nodiscard]] bool take_preface(Connection& connection);
    [[nodiscard]] bool take_frames(Connection& connection);
    [[nodiscard]] bool take_messages(Connection& connection);
    [[nodiscard]] static bool write(Connection& connection);
    void take_frame(Connection& connection, Request frame);
    void take_request(Connection& connection, Request request);
    void note_lateness(bool is_last) noexcept;
    void reply(Connection& connection, std::span<std::byte> item, const Ticket& ticket,
               WallTime t3);
    void send_due();
    void settle(Connection& connection, bool is_alive, bool was_blocked);
    void watch(const Connection& connection, bool is_known) const noexcept;
    [[nodiscard]] std::size_t header_bytes() const noexcept;

    const ReflectOptions& options_;
    const AddressList& addresses_;
    TargetFormat format_;
    Fd listener_;
    Fd epoll_;
    SimulatedLink link_;
    std::size_t wire_bytes_;  // Of IP and TCP.
    std::unordered_map<std::uint64_t, Connection> connections_;
    std::uint64_t last_id_ = 0;
    std::vector<std::byte> scratch_;
    DelayQueue waiting_;
    OsClock clock_;
    Receipt receipt_;  // Of the latest read.
    TcpCounts counts_;
    Histogram read_lateness_;
    Histogram lateness_;
};

}  // namespace latmon::loadgen
