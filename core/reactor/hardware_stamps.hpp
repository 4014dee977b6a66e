// SPDX-License-Identifier: Apache-2.0
//
// Whether a network card stamps packets by a clock of its own, and switching that on: it is a
// setting of the interface, not of a socket, and stays when latmon ends. What a socket asks for is
// in socket.hpp. Allocates; used while latmon is set up.
#pragma once

#include "base/error.hpp"

#include <string>

struct ethtool_ts_info;

namespace latmon {

// What the card can do.
struct HardwareStamps {
    bool has_rx = false;   // Stamps whatever arrives, not only PTP's packets.
    bool has_tx = false;   // Stamps what leaves.
    int clock_index = -1;  // Of /dev/ptpN, the card's clock; -1: none.
};

// What the kernel's answer means. Pure.
[[nodiscard]] HardwareStamps hardware_stamps_in(const ethtool_ts_info& info) noexcept;

// Asks the driver: ETHTOOL_GET_TS_INFO of linux/ethtool.h. An error names an interface that does
// not exist or that has no driver to ask. Needs no privilege. [main-thread]
[[nodiscard]] Result<HardwareStamps> ask_hardware_stamps(const std::string& interface);

// Switches the card's stamps on, in both directions and for every packet, unless they are:
// SIOCSHWTSTAMP, needs CAP_NET_ADMIN. An error says what is missing and what to do. [main-thread]
[[nodiscard]] Result<void> enable_hardware_stamps(const std::string& interface);

}  // namespace latmon
