// SPDX-License-Identifier: Apache-2.0
//
// Whatever arrives in a datagram: reading its base packet, with and without authentication, and
// asking whether it is a reflection must neither crash nor break what wire/stamp.hpp and
// wire/auth.hpp promise. A libFuzzer target. TLVs have a target of their own.
#include "base/assert.hpp"
#include "wire/auth.hpp"
#include "wire/stamp.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace latmon {
namespace {

using Octets = std::span<const std::byte>;

constexpr WallTime now{1'790'000'000'000'000'000};

const HmacKey& key() {
    static const HmacKey instance(std::as_bytes(std::span("secret")));
    return instance;
}

// What was decoded must survive being encoded and decoded again.
void check_round_trips(Octets data) {
    std::array<std::byte, limits::stamp_base_bytes> base{};
    const auto sender = decode_sender(data);
    LATMON_ASSERT(sender.has_value() == (data.size() >= limits::stamp_request_bytes_min));
    if (sender) {
        encode_sender(*sender, base);
        LATMON_ASSERT(decode_sender(base) == sender);
        const std::size_t known = std::min<std::size_t>(data.size(), 16);
        LATMON_ASSERT(std::equal(data.begin(), data.begin() + known, base.begin()));
    }
    const auto reflector = decode_reflector(data);
    LATMON_ASSERT(reflector.has_value() == (data.size() >= limits::stamp_reply_bytes_min));
    if (reflector) {
        encode_reflector(*reflector, base);
        LATMON_ASSERT(decode_reflector(base) == reflector);
        LATMON_ASSERT(std::equal(data.begin(), data.begin() + 38, base.begin()));
    }
}

// The same with authentication; nothing that was not sealed by us verifies unless it is what we
// would have sealed.
void check_auth(Octets data) {
    const auto sender = decode_sender_auth(data);
    const auto reflector = decode_reflector_auth(data);
    const bool is_whole = data.size() >= stamp_auth_base_bytes;
    LATMON_ASSERT(sender.has_value() == is_whole && reflector.has_value() == is_whole);
    const bool is_verified = verify_auth(data, key());
    LATMON_ASSERT(is_whole || !is_verified);
    if (!is_whole) return;

    std::array<std::byte, stamp_auth_base_bytes> base{};
    encode_sender_auth(*sender, key(), base);
    LATMON_ASSERT(decode_sender_auth(base) == sender);
    LATMON_ASSERT(verify_auth(base, key()));
    LATMON_ASSERT(!looks_reflected_auth(base, now));
    encode_reflector_auth(*reflector, key(), base);
    LATMON_ASSERT(decode_reflector_auth(base) == reflector);
    LATMON_ASSERT(verify_auth(base, key()));
    // MBZ octets are sealed as well: those of others need not be zero.
    const bool is_same = std::equal(base.begin(), base.end(), data.begin());
    LATMON_ASSERT(!is_same || is_verified);
}

void check_times(Octets data) {
    const auto packet = decode_sender(data);
    if (!packet) return;
    const WallTime ntp = from_ntp(packet->t1, now);
    // An NTP fraction is finer than a nanosecond: the moment is exact, the bits need not be.
    LATMON_ASSERT(from_ntp(to_ntp(ntp), now) == ntp);
    constexpr Duration tai_offset = Duration::from_s(37);
    const WallTime ptp = from_ptp(packet->t1, now, tai_offset);
    // Nanoseconds beyond a second may carry past the 68 years that can be told apart.
    if (ptp < now + Duration::from_s(1LL << 30U)) {
        LATMON_ASSERT(from_ptp(to_ptp(ptp, tai_offset), now, tai_offset) == ptp);
    }

    const ErrorEstimate estimate = decode_error_estimate(packet->error_estimate);
    const ErrorEstimate again = decode_error_estimate(encode_error_estimate(estimate));
    LATMON_ASSERT(again.error >= estimate.error);
    LATMON_ASSERT(again.is_synchronized == estimate.is_synchronized);
    LATMON_ASSERT(again.is_ptp == estimate.is_ptp);
}

// Only first octets of headers may change, the second reflection changes nothing, and no more TLVs
// are counted than could be there. (That it never grows is in the type: a span.)
void check_tlvs(Octets data) {
    if (data.size() < limits::stamp_base_bytes) return;
    const Octets before = data.subspan(limits::stamp_base_bytes);
    std::vector<std::byte> once(before.begin(), before.end());
    const std::uint32_t count = reflect_tlvs(once);
    LATMON_ASSERT(count <= before.size() / tlv_header_bytes);
    std::size_t changed = 0;
    for (std::size_t index = 0; index < before.size(); ++index) {
        if (before[index] != once[index]) ++changed;
    }
    LATMON_ASSERT(changed <= count);
    std::vector<std::byte> twice = once;
    LATMON_ASSERT(reflect_tlvs(twice) == count);
    LATMON_ASSERT(twice == once);
}

// A sender's packet that we would make must never be taken for a reflection; a reply always.
void check_loop_breaker(Octets data) {
    const bool is_reflected = looks_reflected(data, now);
    LATMON_ASSERT(!is_reflected || data.size() >= limits::stamp_base_bytes);
    const bool is_reflected_auth = looks_reflected_auth(data, now);
    LATMON_ASSERT(!is_reflected_auth || data.size() >= stamp_auth_base_bytes);
    const auto sender = decode_sender(data);
    if (!sender) return;
    std::array<std::byte, limits::stamp_base_bytes> base{};
    encode_sender(*sender, base);
    LATMON_ASSERT(!looks_reflected(base, now));
    const ReflectorPacket reply{.t3 = to_ntp(now), .t2 = to_ntp(now), .sender_t1 = to_ntp(now)};
    encode_reflector(reply, base);
    LATMON_ASSERT(looks_reflected(base, now));
    std::array<std::byte, stamp_auth_base_bytes> sealed{};
    encode_reflector_auth(reply, key(), sealed);
    LATMON_ASSERT(looks_reflected_auth(sealed, now));
}

}  // namespace
}  // namespace latmon

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::byte> octets = std::as_bytes(std::span(data, size));
    latmon::check_round_trips(octets);
    latmon::check_auth(octets);
    latmon::check_times(octets);
    latmon::check_tlvs(octets);
    latmon::check_loop_breaker(octets);
    return 0;
}
