// SPDX-License-Identifier: Apache-2.0
//
// `loadgen probe`: an open-loop load of probes on one reflector, at a rate that does not
// depend on the answers, and what came of it. It measures its own lateness as well, sending and
// reading, so that what is its own fault is never put down to the reflector.
#pragma once

#include "base/error.hpp"
#include "base/time.hpp"
#include "loadgen/link_direction.hpp"
#include "loadgen/target_format.hpp"
#include "wire/tlv_request.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace latmon::loadgen {

struct ProbeOptions {
    std::string host;
    std::uint16_t port = 0;
    bool is_tcp = false;
    PacketKind packets = PacketKind::stamp;
    std::string key_file;            // "": without authentication.
    std::string source_base;         // "": as the kernel chooses.
    std::uint32_t source_count = 1;  // With a base: no more than there are sockets.
    TlvSet tlvs = tlv_set::none;
    std::uint32_t sender_count = 1;
    std::uint64_t rate_per_s = 1'000;               // Of all senders together.
    std::vector<std::uint32_t> sizes_bytes = {44};  // Of the senders in turn.
    DirectionOptions link;  // Of requests before they leave; neither delay nor bit rate.
    std::uint64_t seed = 1;
    double seconds = 10;
    double timeout_s = 1;
    std::uint32_t senders_per_socket = 64;
    std::uint32_t batch = 16;      // Most probes between two looks at the replies.
    double late_limit_us = 1'000;  // A probe that is later than this is missed, not sent.
    bool spin = false;             // Never sleep.
    Duration spin_last = Duration::from_us(100);  // Sleep until so long before a slot, then spin.
    std::optional<std::uint32_t> cpu;             // Nothing: where the kernel likes.
    Duration trust_lateness = Duration::from_ms(1);
    bool json = false;
};

// From a slot to the timeout of the probe that leaves as late as can be, in seconds.
[[nodiscard]] inline double seconds_open(const ProbeOptions& options) noexcept {
    return static_cast<double>(delay_max(options.link).ns) / 1e9 + options.timeout_s;
}

// Probes until the time is over or a signal comes, waits a timeout for the last answers, and prints
// the accounts on stdout. True if they balance and something was answered. [main-thread]
[[nodiscard]] Result<bool> run_probe(const ProbeOptions& options);

}  // namespace latmon::loadgen
