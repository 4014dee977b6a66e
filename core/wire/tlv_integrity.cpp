// SPDX-License-Identifier: Apache-2.0
//
// See tlv_integrity.hpp.
#include "wire/tlv_integrity.hpp"

#include "base/assert.hpp"
#include "wire/octets.hpp"
#include "wire/tlv.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace latmon {
namespace {

static_assert(hmac_tlv_bytes == tlv_header_bytes + mac_bytes);

using SequenceOctets = std::array<std::byte, sizeof(std::uint32_t)>;

SequenceOctets octets_of(std::uint32_t sequence) noexcept {
    SequenceOctets octets;
    store_big_endian<0>(std::span(octets), sequence);
    return octets;
}

struct Survey {
    std::uint32_t count = 0;          // TLVs, one that is too long included.
    std::uint32_t padding_count = 0;  // Of those, Extra Padding.
    std::optional<TlvView> hmac;      // The first.
    bool is_misplaced = false;        // Something else than Extra Padding stands behind it.
};

void count(Survey& survey, std::uint8_t type) noexcept {
    const bool is_padding = type == static_cast<std::uint8_t>(TlvType::extra_padding);
    survey.count += 1;
    survey.padding_count += is_padding ? 1 : 0;
    if (survey.hmac && !is_padding) survey.is_misplaced = true;
}

Survey survey_of(std::span<const std::byte> tlvs) noexcept {
    Survey survey;
    TlvReader reader(tlvs);
    while (const std::optional<TlvView> tlv = reader.next()) {
        count(survey, tlv->type);
        if (tlv->is(TlvType::hmac) && !survey.hmac) survey.hmac = tlv;
    }
    if (reader.is_malformed()) count(survey, std::to_integer<std::uint8_t>(reader.rest()[1]));
    return survey;
}

}  // namespace

TlvIntegrity check_integrity(std::span<const std::byte> tlvs, const TlvSeal& seal) noexcept {
    constexpr TlvIntegrity failed{.verdict = Integrity::failed};
    const Survey survey = survey_of(tlvs);
    if (!survey.hmac) {
        const bool is_exempt =
            survey.count == 0 || (survey.count == 1 && survey.padding_count == 1);
        return seal.is_required && !is_exempt ? failed : TlvIntegrity{};
    }
    if (seal.key == nullptr || survey.is_misplaced) return failed;
    if (survey.hmac->value.size() != mac_bytes) return failed;
    const SequenceOctets sequence = octets_of(seal.sequence);
    const bool is_good = seal.key->verify(sequence, tlvs.first(survey.hmac->at),
                                          survey.hmac->value.first<mac_bytes>());
    if (!is_good) return failed;
    return {.verdict = Integrity::verified, .hmac_at = survey.hmac->at};
}

void seal_tlvs(std::span<std::byte> tlvs, std::size_t hmac_at, std::uint32_t sequence,
               const HmacKey& key) noexcept {
    LATMON_ASSERT(hmac_at + hmac_tlv_bytes <= tlvs.size());
    const Mac mac = key.mac(octets_of(sequence), tlvs.first(hmac_at));
    const std::span<std::byte> value = tlvs.subspan(hmac_at + tlv_header_bytes, mac_bytes);
    std::copy(mac.begin(), mac.end(), value.begin());
}

}  // namespace latmon
