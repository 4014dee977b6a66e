// SPDX-License-Identifier: Apache-2.0
//
// What one interface was seen to do about time stamps, and how that is said. Setting a socket
// option proves nothing: drivers and virtual interfaces accept it and stay silent, so the verdict
// is of a packet that was really sent. Plain values and text; how they come about is in
// stamp_proof.hpp. [any-thread]
#pragma once

#include "base/address.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace latmon {

// What is known of the kernel's stamp of one direction.
enum class StampProof : std::uint8_t {
    proved,    // A packet came with one.
    not_seen,  // A packet went or came, and none was with it.
    no_packet  // There was no packet to judge by: none could be sent, or nobody answered.
};

struct StampVerdict {
    std::string interface;
    Endpoint target;  // Whom the packet went to; of "lo" ourselves.
    StampProof tx = StampProof::no_packet;
    StampProof rx = StampProof::no_packet;
    int send_error = 0;  // Errno value: why no packet could be sent; 0: one was, or none was tried.
    bool can_hardware = false;   // The card stamps both ways, whatever the packet is.
    std::string hardware_fault;  // Else why not.
};

// "proved", "not seen", "unproved".
[[nodiscard]] std::string_view proof_word(StampProof proof) noexcept;

// One line without a newline: "eth0: transmit stamps of the kernel proved; receive stamps of the
// kernel unproved, 192.0.2.1:862 did not reply; hardware stamps: no (...)".
[[nodiscard]] std::string describe(const StampVerdict& verdict);

}  // namespace latmon
