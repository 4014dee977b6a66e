// SPDX-License-Identifier: Apache-2.0
//
// `loadgen targets`: prints a configuration for latmon with as many targets as `loadgen reflect`
// simulates, and the exporters that are to be sized. Nothing is sent.
#pragma once

#include "base/error.hpp"
#include "loadgen/target_format.hpp"

#include <cstdint>
#include <string>

namespace latmon::loadgen {

struct TargetsOptions {
    std::string base = "127.1.0.0";
    std::uint32_t target_count = 0;
    std::uint16_t udp_port = 0;  // The targets'; 0: none over UDP. One of the two is given.
    std::uint16_t tcp_port = 0;
    PacketKind packets = PacketKind::stamp;
    std::string key_file;
    double interval_ms = 1'000;
    double timeout_s = 1;
    std::uint32_t size_bytes = 44;
    std::string exporter = "null";
    std::string exporters_file;  // TOML that stands in place of that exporter; "": none.
    std::string name = "loadgen";
    std::uint16_t latmon_udp_port = 8'001;
    std::uint16_t latmon_tcp_port = 8'000;
};

// The TOML, with labels t00001 and so on; an error if the addresses do not exist, or the file of
// exporters cannot be read. [main-thread]
[[nodiscard]] Result<std::string> targets_text(const TargetsOptions& options);

}  // namespace latmon::loadgen
