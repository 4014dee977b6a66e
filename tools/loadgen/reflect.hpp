// SPDX-License-Identifier: Apache-2.0
//
// `loadgen reflect`: many targets that answer STAMP, simulated by a few threads, so that one latmon
// can be given thousands of paths on one host. This file starts the threads, shows how they are
// doing, and adds up what they did; the answering is in reflect_udp.* and reflect_tcp.*.
#pragma once

#include "base/error.hpp"
#include "loadgen/simulated_link.hpp"

#include <cstdint>
#include <string>

namespace latmon::loadgen {

struct ReflectOptions {
    std::string base = "127.1.0.0";
    std::uint32_t target_count = 0;
    std::uint16_t udp_port = 0;
    std::uint16_t tcp_port = 0;  // 0: no TCP.
    LinkOptions link;  // UDP only: what a TCP stream carries is neither lost nor reordered.
    std::uint32_t threads = 1;  // For UDP; TCP has one of its own.
    std::uint32_t batch = 32;
    double seconds = 10;
    bool json = false;
    bool quiet = false;
};

// Answers until the time is over or a signal comes, then prints the accounts on stdout. True if
// they balance and something was answered. [main-thread]
[[nodiscard]] Result<bool> run_reflect(const ReflectOptions& options);

}  // namespace latmon::loadgen
