// SPDX-License-Identifier: Apache-2.0
//
// See stamp_verdict.hpp.
#include "daemon/stamp_verdict.hpp"

#include "base/assert.hpp"

#include <fmt/format.h>
#include <cstring>

namespace latmon {
namespace {

std::string describe_tx(const StampVerdict& verdict) {
    if (verdict.send_error != 0) {
        return fmt::format("unproved, nothing can be sent to {} ({})", to_string(verdict.target),
                           ::strerrordesc_np(verdict.send_error));
    }
    if (verdict.tx == StampProof::no_packet) return "unproved, no UDP target lies behind it";
    return std::string(proof_word(verdict.tx));
}

std::string describe_rx(const StampVerdict& verdict) {
    const bool has_asked = verdict.tx != StampProof::no_packet;
    if (verdict.rx == StampProof::no_packet && has_asked) {
        return fmt::format("unproved, {} did not reply", to_string(verdict.target));
    }
    return std::string(proof_word(verdict.rx));
}

}  // namespace

std::string_view proof_word(StampProof proof) noexcept {
    switch (proof) {
        case StampProof::proved:
            return "proved";
        case StampProof::not_seen:
            return "not seen";
        case StampProof::no_packet:
            return "unproved";
    }
    LATMON_ASSERT(false);
    return "";
}

std::string describe(const StampVerdict& verdict) {
    return fmt::format(
        "{}: transmit stamps of the kernel {}; receive stamps of the kernel {}; hardware stamps: "
        "{}",
        verdict.interface, describe_tx(verdict), describe_rx(verdict),
        verdict.can_hardware ? "can" : fmt::format("no ({})", verdict.hardware_fault));
}

}  // namespace latmon
