// SPDX-License-Identifier: Apache-2.0
//
// `loadgen reflect`: many targets that answer, simulated by a few threads, so that one latmon can
// be given thousands of paths on one host. This file starts the threads, shows how they are doing,
// and adds up what they did; the answering is in reflect_udp.* and reflect_tcp.*.
#pragma once

#include "base/error.hpp"
#include "loadgen/address_list.hpp"
#include "loadgen/simulated_link.hpp"
#include "loadgen/target_format.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace latmon::loadgen {

struct ReflectOptions {
    std::string base = "127.1.0.0";
    std::uint32_t target_count = 0;
    std::uint16_t udp_port = 0;  // 0: no UDP; one of the two is given.
    std::uint16_t tcp_port = 0;  // 0: no TCP.
    PacketKind packets = PacketKind::stamp;
    std::string key_file;       // "": without authentication.
    LinkOptions link;           // TCP as for_streams() makes of it.
    std::uint32_t threads = 1;  // For UDP; TCP has one of its own.
    std::uint32_t batch = 32;
    std::vector<std::uint32_t> cpus;  // Threads in turn; none: where the kernel likes.
    bool spin = false;                // Never sleep.
    Duration spin_last;               // Sleep until so long before a reply is due, then spin.
    Duration trust_lateness = Duration::from_ms(1);
    double seconds = 10;
    bool json = false;
    bool quiet = false;
};

// Answers until the time is over or a signal comes, then prints the accounts on stdout. True if
// they balance and something was answered. [main-thread]
[[nodiscard]] Result<bool> run_reflect(const ReflectOptions& options);

// -- For its threads ------------------------------------------------------------------------------

// What all of them share, and none of them changes.
struct ReflectSetup {
    const ReflectOptions& options;
    const AddressList& addresses;
    const HmacKey* key;  // Null: without authentication.
    Instant start;
};

// How long a thread may sleep that must be awake for `due`, or nothing: it is to spin.
[[nodiscard]] inline Duration sleep_time(const ReflectOptions& options, Instant now,
                                         Instant due) noexcept {
    if (options.spin) return Duration{};
    return std::max(due - now - options.spin_last, Duration{});
}

}  // namespace latmon::loadgen
