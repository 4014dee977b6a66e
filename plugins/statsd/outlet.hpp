// SPDX-License-Identifier: Apache-2.0
//
// Where packets leave: UDP, TCP, or a Unix socket of either type. Nothing is sent twice and nothing
// is kept: what the kernel does not take within a moment is lost, and counted. What it took may
// still be lost on the way or in the receiver's buffer; only the receiver can tell. On the
// exporter-thread, the last packets of all on the main-thread.
#pragma once

#include "statsd/pacer.hpp"
#include "statsd/packets.hpp"
#include "support/counters.hpp"
#include "support/descriptor.hpp"
#include "support/unix_address.hpp"

#include <latmon/host.h>

#include <sys/socket.h>
#include <cstdint>
#include <span>
#include <string>

namespace latmon::plugins::statsd {

// unix_stream: packets behind their lengths, as Datadog's Agent reads them. tcp: lines.
enum class Transport : std::uint8_t { udp, tcp, unix_datagram, unix_stream };

struct OutletOptions {
    Transport transport = Transport::udp;
    std::string host = "127.0.0.1";  // Of UDP and TCP: an address, or a name.
    std::uint16_t port = 8125;
    std::string unix_path{};            // Of a Unix socket.
    std::int64_t bytes_per_second = 0;  // Of UDP, at most; 0: no limit.
};

class Outlet {
public:
    Outlet(const latmon_host_t* host, const OutletOptions& options);
    Outlet(const Outlet&) = delete;
    Outlet& operator=(const Outlet&) = delete;

    // Makes or mends the connection if that is due; asks for the name's address. May wait for a
    // name server, some seconds at most. [exporter-thread]
    void prepare();

    // Hands packets to the kernel, no faster than allowed, and counts what became of each.
    void send(std::span<const Packet> packets);

private:
    // How many of them were taken; 0: the first will not be.
    [[nodiscard]] std::size_t send_some(std::span<const Packet> packets);
    // How many the kernel took, or -1 and errno.
    [[nodiscard]] int send_datagrams(std::span<const Packet> packets) const;
    [[nodiscard]] int send_on_stream(const Packet& packet);
    // What the pacer lets go now, at least one packet; sleeps for it.
    [[nodiscard]] std::size_t wait_for_turn(std::span<const Packet> packets);
    // True if the same packet may be tried again.
    [[nodiscard]] bool recover(int error);
    [[nodiscard]] bool wait_writable() const;
    void count_sent(std::span<const Packet> packets);
    void count_lost(std::span<const Packet> packets);

    [[nodiscard]] bool is_udp() const noexcept { return options_.transport == Transport::udp; }
    [[nodiscard]] bool is_unix() const noexcept { return !options_.unix_path.empty(); }
    void resolve();
    // All of them return zero, or why not, as an errno value.
    [[nodiscard]] int connect_unix();
    [[nodiscard]] int connect_to(const sockaddr* address, socklen_t bytes);
    [[nodiscard]] int connect_again();
    void report(const std::string& trouble);
    void report_error(int error);

    const latmon_host_t* host_;
    OutletOptions options_;
    std::string shown_name_;  // For the log.
    UnixAddress unix_{};
    Descriptor socket_;
    sockaddr_storage address_{};  // That the socket of UDP or TCP is connected to.
    socklen_t address_bytes_ = 0;
    Pacer pacer_;
    bool is_name_ = false;              // Not an address: it may move.
    std::int64_t next_attempt_ns_ = 0;  // CLOCK_MONOTONIC; to connect, or to ask for the address.
    std::int64_t give_up_ns_ = 0;       // CLOCK_MONOTONIC; of the send that is under way.
    std::int64_t last_trouble_ns_ = 0;  // CLOCK_MONOTONIC
    bool is_in_trouble_ = false;        // The log knows.
    bool has_failed_ = false;           // The packet under way met an error already.
    std::uint64_t lost_reported_ = 0;   // Lost packets that the log knows of.
    Counter packets_sent_;
    Counter packets_lost_;
    Counter bytes_sent_;
    Counter lines_sent_;
    Counter lines_lost_;
    Counter values_sent_;
    Counter values_lost_;
    Counter refusals_;
};

}  // namespace latmon::plugins::statsd
