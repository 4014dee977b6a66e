// SPDX-License-Identifier: Apache-2.0
//
// Whatever arrives in a datagram: reading it, reflecting its TLVs and asking whether it is a
// reflection must neither crash nor break what wire/stamp.hpp promises. A libFuzzer target.
#include "base/assert.hpp"
#include "wire/stamp.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace latmon {
namespace {

using Octets = std::span<const std::byte>;

constexpr WallTime now{1'790'000'000'000'000'000};

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

void check_times(Octets data) {
    const auto packet = decode_sender(data);
    if (!packet) return;
    const WallTime ntp = from_ntp(packet->t1, now);
    // An NTP fraction is finer than a nanosecond: the moment is exact, the bits need not be.
    LATMON_ASSERT(from_ntp(to_ntp(ntp), now) == ntp);
    (void)from_ptp(packet->t1, now, Duration::from_s(37));

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
    const auto sender = decode_sender(data);
    if (!sender) return;
    std::array<std::byte, limits::stamp_base_bytes> base{};
    encode_sender(*sender, base);
    LATMON_ASSERT(!looks_reflected(base, now));
    encode_reflector({.t3 = to_ntp(now), .t2 = to_ntp(now), .sender_t1 = to_ntp(now)}, base);
    LATMON_ASSERT(looks_reflected(base, now));
}

}  // namespace
}  // namespace latmon

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::byte> octets = std::as_bytes(std::span(data, size));
    latmon::check_round_trips(octets);
    latmon::check_times(octets);
    latmon::check_tlvs(octets);
    latmon::check_loop_breaker(octets);
    return 0;
}
