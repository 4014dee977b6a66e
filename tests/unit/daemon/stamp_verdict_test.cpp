// SPDX-License-Identifier: Apache-2.0
//
// Claims about how a verdict is said: what was not proved is never said to work.
#include "daemon/stamp_verdict.hpp"

#include <doctest/doctest.h>
#include <cerrno>

namespace latmon {
namespace {

StampVerdict verdict_of(StampProof tx, StampProof rx) {
    StampVerdict verdict;
    verdict.interface = "eth0";
    verdict.target = *parse_endpoint("192.0.2.1", 862);
    verdict.tx = tx;
    verdict.rx = rx;
    verdict.hardware_fault = "it has none";
    return verdict;
}

TEST_CASE("stamp_verdict: what was proved is said, and who was asked for the rest") {
    CHECK(describe(verdict_of(StampProof::proved, StampProof::proved)) ==
          "eth0: transmit stamps of the kernel proved; receive stamps of the kernel proved; "
          "hardware stamps: no (it has none)");
    CHECK(describe(verdict_of(StampProof::not_seen, StampProof::not_seen)) ==
          "eth0: transmit stamps of the kernel not seen; receive stamps of the kernel not seen; "
          "hardware stamps: no (it has none)");
    CHECK(describe(verdict_of(StampProof::proved, StampProof::no_packet))
              .find("receive stamps of the kernel unproved, 192.0.2.1:862 did not reply") !=
          std::string::npos);
}

TEST_CASE("stamp_verdict: a packet that could not be sent proves nothing, and says why") {
    StampVerdict verdict = verdict_of(StampProof::no_packet, StampProof::no_packet);
    CHECK(describe(verdict).find("transmit stamps of the kernel unproved, no UDP target") !=
          std::string::npos);
    verdict.send_error = ENETUNREACH;
    CHECK(describe(verdict).find("nothing can be sent to 192.0.2.1:862 (Network is unreachable)") !=
          std::string::npos);
}

TEST_CASE("stamp_verdict: a card that can is said to") {
    StampVerdict verdict = verdict_of(StampProof::proved, StampProof::proved);
    verdict.can_hardware = true;
    CHECK(describe(verdict).ends_with("hardware stamps: can"));
}

}  // namespace
}  // namespace latmon
