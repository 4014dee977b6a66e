// SPDX-License-Identifier: Apache-2.0
//
// The HMAC TLV covers the Sequence Number and all TLVs before it, and nothing else passes for
// verified. The golden octets were sealed by another implementation (Python's hmac).
#include "wire/tlv_integrity.hpp"

#include "unit/wire/hex.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

const HmacKey key(from_hex("abababababababababababababababab"));

const Octets sealed = from_hex(
    "80040004 b8000000 8005000c 000000010000000000000000"
    "80080010 90023245382a5bd883ae86ff81eccfb2");
constexpr std::size_t sealed_at = 24;
constexpr std::uint32_t sequence = 7;

Integrity verdict(const Octets& tlvs, bool is_required = true) {
    return check_integrity(tlvs, {sequence, &key, is_required}).verdict;
}

Octets with(const Octets& tlvs, std::string_view appended) {
    Octets result = tlvs;
    const Octets more = from_hex(appended);
    result.insert(result.end(), more.begin(), more.end());
    return result;
}

TEST_CASE("tlv integrity: golden octets verify, and are what we make") {
    const TlvIntegrity integrity = check_integrity(sealed, {sequence, &key, false});
    CHECK(integrity.verdict == Integrity::verified);
    CHECK(integrity.hmac_at == sealed_at);

    Octets unsealed = sealed;
    std::fill(unsealed.begin() + sealed_at + 4, unsealed.end(), std::byte{0});
    seal_tlvs(unsealed, sealed_at, sequence, key);
    CHECK(unsealed == sealed);
}

TEST_CASE("tlv integrity: an HMAC TLV alone covers the Sequence Number") {
    const Octets alone = from_hex("80080010 cbb0859323912d1a17dd43f7bc735303");
    CHECK(check_integrity(alone, {8, &key, true}).verdict == Integrity::verified);
    CHECK(check_integrity(alone, {9, &key, true}).verdict == Integrity::failed);
}

TEST_CASE("tlv integrity: each flipped bit is noticed but for the HMAC TLV's own flags") {
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        if (bit / 8 == sealed_at) continue;
        Octets bad = sealed;
        bad[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
        if (verdict(bad) == Integrity::verified) FAIL_CHECK(bit);
    }
}

TEST_CASE("tlv integrity: only Extra Padding and odd octets may stand behind") {
    CHECK(verdict(with(sealed, "80010000 80010003 aabbcc")) == Integrity::verified);
    CHECK(verdict(with(sealed, "000000")) == Integrity::verified);
    CHECK(verdict(with(sealed, "8001ffff")) == Integrity::verified);  // M=1, later.
    CHECK(verdict(with(sealed, "80030004 00000000")) == Integrity::failed);
    CHECK(verdict(with(sealed, "80030009 00000000")) == Integrity::failed);
    CHECK(verdict(with(sealed, to_hex(sealed))) == Integrity::failed);
}

TEST_CASE("tlv integrity: an HMAC TLV of another length fails") {
    CHECK(verdict(from_hex("80080000")) == Integrity::failed);
    CHECK(verdict(from_hex("8008000f cbb0859323912d1a17dd43f7bc7353")) == Integrity::failed);
    CHECK(verdict(from_hex("80080011 cbb0859323912d1a17dd43f7bc73530300")) == Integrity::failed);
}

TEST_CASE("tlv integrity: without a key what is sealed fails, the rest may pass") {
    CHECK(check_integrity(sealed, {sequence, nullptr, false}).verdict == Integrity::failed);
    CHECK(check_integrity(from_hex("80030004 00000000"), {sequence, nullptr, false}).verdict ==
          Integrity::unsealed);
}

TEST_CASE("tlv integrity: where it is required only nothing and lone padding go without") {
    CHECK(verdict({}) == Integrity::unsealed);
    CHECK(verdict(from_hex("0000")) == Integrity::unsealed);
    CHECK(verdict(from_hex("80010002 0000")) == Integrity::unsealed);
    CHECK(verdict(from_hex("80010002 0000 80010000")) == Integrity::failed);
    CHECK(verdict(from_hex("80030004 00000000")) == Integrity::failed);
    CHECK(verdict(from_hex("80030009 00000000")) == Integrity::failed);
    CHECK(verdict(from_hex("80030004 00000000"), false) == Integrity::unsealed);
}

}  // namespace
}  // namespace latmon
