// SPDX-License-Identifier: Apache-2.0
//
// The HMAC TLV (RFC 8972 section 4.8): HMAC over the packet's Sequence Number and all TLVs before
// it. Only Extra Padding may stand behind it, which it does not cover. Pure; used on core-threads;
// allocates nothing.
#pragma once

#include "wire/hmac.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace latmon {

inline constexpr std::uint32_t hmac_tlv_bytes = 20;

// What is known before TLVs are looked at.
struct TlvSeal {
    std::uint32_t sequence = 0;    // Sequence Number of the packet that the TLVs are in.
    const HmacKey* key = nullptr;  // None: there is nothing to verify with.
    // True for an authenticated session, and for one without if the operator wants its TLVs sealed.
    bool is_required = false;
};

enum class Integrity : std::uint8_t {
    unsealed,  // There is no HMAC TLV, and none is needed.
    verified,
    // It does not match, stands elsewhere, has no 16 octets, cannot be verified for want of a key,
    // or is missing where it is required.
    failed
};

struct TlvIntegrity {
    Integrity verdict = Integrity::unsealed;
    std::size_t hmac_at = 0;  // Of the HMAC TLV's header, if verified.
};

// A packet whose only TLV is Extra Padding needs no HMAC TLV even if it is required, nor does one
// without TLVs. [any-thread]
[[nodiscard]] TlvIntegrity check_integrity(std::span<const std::byte> tlvs,
                                           const TlvSeal& seal) noexcept;

// Writes the HMAC over `sequence` and what stands before `hmac_at` into the HMAC TLV there.
// [any-thread]
void seal_tlvs(std::span<std::byte> tlvs, std::size_t hmac_at, std::uint32_t sequence,
               const HmacKey& key) noexcept;

}  // namespace latmon
