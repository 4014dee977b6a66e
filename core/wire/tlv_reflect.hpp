// SPDX-License-Identifier: Apache-2.0
//
// What a reflector does with the TLVs of a request (RFC 8972 section 4): turns them into those of
// the reply where they stand, so that the reply is exactly as long. Pure; used on core-threads;
// allocates nothing. Never aims a reply elsewhere nor multiplies it: types 9, 10 and 12 are
// answered as unrecognised.
//
//     1 Extra Padding       echoed
//     2 Location            answered, or zeroed if the policy does not tell
//     3 Timestamp Info      filled
//     4 Class of Service    DSCP2 and ECN as received (erratum 8199); RP=1 if DSCP1 is not granted
//     5 Direct Measurement  R_RxC and R_TxC filled; U=1 if nobody counts
//     6 Access Report       echoed; U=1 if its Access ID is invalid
//     7 Follow-Up           the previous reply, or zero if that is unknown (erratum 8339)
//     8 HMAC                verified before anything else, made anew for the reply
//   252 descriptor          given to the caller, echoed
//   253 exchange            given to the caller, filled
//   all others              U=1, copied
//   a bad length            M=1, nothing behind it is looked at
//   a failed HMAC           I=1 in every TLV, copied, nothing is used
#pragma once

#include "wire/descriptor.hpp"
#include "wire/location.hpp"
#include "wire/tlv_integrity.hpp"
#include "wire/tlv_values.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace latmon {

// A session's state. All counts wrap. RFC 8972 does not say whether a packet counts itself, so that
// of a foreign peer only differences between two replies mean something.
struct SessionFacts {
    std::uint32_t received_count = 0;  // Requests of this session, this one included.
    std::uint32_t sent_count = 0;      // Replies of this session, this one included.
    std::optional<FollowUp>
        previous{};  // When the previous reply left; nothing if not known (yet).
};

// What the reflector knows when it answers.
struct ReflectorFacts {
    TlvSeal seal{};                    // With the request's Sequence Number.
    std::uint32_t reply_sequence = 0;  // Sequence Number of the reply's base packet.
    TimestampInfo timestamp_info{};
    // The IP header's octet of DSCP and ECN; nothing if the kernel did not say: then a Class of
    // Service TLV is answered with U=1.
    std::optional<std::uint8_t> traffic_class{};
    std::uint64_t allowed_dscps = 0;        // Bit n: a reply may have DSCP n because a sender asks.
    const SessionFacts* session = nullptr;  // None: stateless.
    const LocationFacts* location = nullptr;  // None: Location TLVs are answered with U=1.
    ExchangeInfo exchange{};
};

struct TlvOutcome {
    std::uint32_t count = 0;               // TLVs walked, a malformed one included.
    std::uint32_t unrecognized_count = 0;  // Of those, answered with U=1.
    bool is_malformed = false;             // One was answered with M=1.
    bool has_failed_integrity = false;     // All were answered with I=1.
    // DSCP that the reply must have, 0..63; nothing if the request has no Class of Service TLV.
    std::optional<std::uint8_t> reply_dscp;
    std::optional<ExchangeInfo> exchange;      // As the sender sent it.
    std::optional<std::uint32_t> sender_sent;  // S_TxC of a Direct Measurement TLV.
    std::optional<Descriptor> descriptor;
    bool is_descriptor_invalid = false;  // One of ours came that cannot be read.
};

// `tlvs` is what stands behind the base packet. Never changes its length. If a TLV has a bad length
// and the HMAC was good, the HMAC TLV is still made anew: with the old one the sender would discard
// the M flag along with everything else. [core-thread]
[[nodiscard]] TlvOutcome reflect_tlvs(std::span<std::byte> tlvs,
                                      const ReflectorFacts& facts) noexcept;

}  // namespace latmon
