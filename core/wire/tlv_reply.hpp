// SPDX-License-Identifier: Apache-2.0
//
// What a sender reads in the TLVs of a reply (RFC 8972 section 4): skips those with U, stops at M,
// discards all at I or if their HMAC does not verify. Nothing depends on a TLV coming back: many
// reflectors zero, cut or echo them. Pure; used on core-threads; allocates nothing.
#pragma once

#include "wire/tlv_integrity.hpp"
#include "wire/tlv_values.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace latmon {

// A TLV that is there twice counts once, the first time.
struct ReplyTlvs {
    std::optional<FollowUp> follow_up;  // Nothing either if the reflector sent zeroes: not known.
    std::optional<TimestampInfo> timestamp_info;
    std::optional<ClassOfService> class_of_service;
    std::optional<DirectMeasurement> direct_measurement;
    std::optional<AccessReport> access_report;
    std::optional<ExchangeInfo> exchange;
    bool is_verified = false;  // An HMAC TLV was there, and matches.
    std::uint32_t unrecognized_count =
        0;                              // TLVs with U, or that we did not ask for and do not know.
    std::uint32_t malformed_count = 0;  // 1 if the walk stopped: M, or a bad length.
    std::uint32_t integrity_count = 0;  // TLVs with I; 1 if it is we who could not verify.
};

// `tlvs` is what stands behind the base packet of the reply; `seal` has the reply's own Sequence
// Number. [core-thread]
[[nodiscard]] ReplyTlvs read_reply_tlvs(std::span<const std::byte> tlvs,
                                        const TlvSeal& seal) noexcept;

}  // namespace latmon
