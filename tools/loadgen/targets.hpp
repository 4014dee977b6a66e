// SPDX-License-Identifier: Apache-2.0
//
// `loadgen targets`: prints a configuration for latmon with as many targets as `loadgen reflect`
// simulates. Nothing is sent.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string>

namespace latmon::loadgen {

struct TargetsOptions {
    std::string base = "127.1.0.0";
    std::uint32_t target_count = 0;
    std::uint16_t port = 0;  // The targets', over UDP.
    double interval_ms = 1'000;
    double timeout_s = 1;
    std::uint32_t size_bytes = 44;
    std::string exporter = "null";
    std::string name = "loadgen";
    std::uint16_t latmon_udp_port = 8'001;
    std::uint16_t latmon_tcp_port = 8'000;
};

// The TOML, with labels t00001 and so on; an error if the addresses do not exist. [main-thread]
[[nodiscard]] Result<std::string> targets_text(const TargetsOptions& options);

}  // namespace latmon::loadgen
