// SPDX-License-Identifier: Apache-2.0
//
// Whatever comes from the port where chronyd should be: reading it must not crash, and the bound
// that is made of it is never negative, never smaller than what is in it. A libFuzzer target. The
// first four octets of the input are the sequence number that we asked with.
#include "base/assert.hpp"
#include "clock/chrony_reply.hpp"

#include <cstring>
#include <span>

namespace latmon {
namespace {

void check_bound(const ChronyTracking& tracking, WallTime now) {
    const std::optional<Duration> bound = error_bound(tracking, now);
    if (!bound) return;
    const Duration most = Duration::from_s(1'000'000'000);
    LATMON_ASSERT(*bound > Duration{} && *bound <= most);
    for (const Duration part : {tracking.correction, tracking.root_dispersion}) {
        LATMON_ASSERT(*bound == most || (*bound >= part && *bound >= -part));
    }
    LATMON_ASSERT(tracking.stratum >= 1 && tracking.stratum <= 15 && tracking.leap_status <= 2);
}

void check(std::uint32_t sequence, std::span<const std::byte> reply) {
    const std::optional<ChronyTracking> tracking = decode_chrony_reply(reply, sequence);
    LATMON_ASSERT(!tracking || reply.size() >= chrony_reply_bytes);
    LATMON_ASSERT(!tracking || !decode_chrony_reply(reply, sequence + 1));
    if (!tracking) return;
    for (const WallTime now : {WallTime{1'790'000'000'000'000'000}, tracking->reference_time,
                               WallTime{0}, WallTime{INT64_MAX}}) {
        check_bound(*tracking, now);
    }
}

}  // namespace
}  // namespace latmon

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::uint32_t sequence = 0;
    if (size < sizeof(sequence)) return 0;
    std::memcpy(&sequence, data, sizeof(sequence));
    latmon::check(sequence, std::as_bytes(std::span(data, size)).subspan(sizeof(sequence)));
    return 0;
}
