// SPDX-License-Identifier: Apache-2.0
//
// What `latmon ping` is asked for, checked, with every default filled in; the defaults stand here
// and only here. A plain value: made from the command line, turned into a plan by ping_plan.cpp.
// [main-thread]
#pragma once

#include "config/config.hpp"

#include <cstdint>
#include <string>

namespace latmon {

// Which addresses of a name are wanted.
enum class AddressFamily : std::uint8_t { any, ipv4, ipv6 };

struct PingOptions {
    std::string host;              // Address or name, without port and brackets.
    std::uint16_t port = 862;      // The STAMP port (RFC 8762 section 4.1).
    std::uint64_t count = 10;      // Probes.
    std::uint32_t size_bytes = 0;  // 0: as many octets as packet and TLVs take.
    Duration interval = Duration::from_s(1);
    Duration timeout = Duration::from_s(1);
    AddressFamily family = AddressFamily::any;
    bool is_tcp = false;
    ProbeProtocol protocol = ProbeProtocol::stamp;
    TimestampFormat timestamp_format = TimestampFormat::ntp;
    StampPolicy stamps = StampPolicy::automatic;
    Precision precision = Precision::balanced;
    std::string key_file;   // "": unauthenticated.
    std::string source;     // "": the kernel's choice.
    std::string interface;  // "": the kernel's choice.
    std::uint8_t dscp = 0;
    bool is_json = false;
    bool is_quiet = false;  // No line, and no object, per exchange.
};

}  // namespace latmon
