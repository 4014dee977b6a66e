// SPDX-License-Identifier: Apache-2.0
//
// Fields and their bits come together, and a far end that lies about its turnaround gains nothing.
#include "probe/sample_fields.hpp"

#include "probe/exchanges.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

constexpr WallTime t1{1'767'225'600'000'000'000};

ReflectorPacket reply_with(Duration until_t2, Duration turnaround) {
    ReflectorPacket reply;
    reply.error_estimate = encode_error_estimate({.error = Duration::from_us(50)});
    reply.t2 = to_ntp(t1 + until_t2);
    reply.t3 = to_ntp(t1 + until_t2 + turnaround);
    return reply;
}

Sample answered(const ReflectorPacket& reply, Duration rtt_user) {
    Sample sample = make_sample(LATMON_KIND_EXCHANGE, LATMON_STATUS_OK, LATMON_PROTOCOL_UDP);
    set_stamps(sample, to_ntp(t1), reply, t1 + rtt_user);
    set_round_trip(sample, rtt_user);
    return sample;
}

}  // namespace

TEST_CASE("sample_fields: the rtt is what passed here less what the far end took") {
    const Sample sample =
        answered(reply_with(Duration::from_us(40), Duration::from_us(7)), Duration::from_us(100));
    CHECK(sample.rtt_user_ns == 100'000);
    CHECK(sample.turnaround_ns == 7'000);
    CHECK(sample.rtt_ns == 93'000);
    CHECK(sample.t1_ns == t1.ns);
    CHECK(sample.t2_ns == t1.ns + 40'000);
    CHECK(sample.t4_ns == t1.ns + 100'000);
    CHECK((sample.valid & LATMON_HAS_TURNAROUND) != 0);
}

TEST_CASE("sample_fields: a turnaround that cannot be is no turnaround, and the rtt is the whole") {
    for (const Duration turnaround :
         {Duration{}, Duration::from_us(-5), Duration::from_us(101), Duration::from_s(3)}) {
        const Sample sample =
            answered(reply_with(Duration::from_us(40), turnaround), Duration::from_us(100));
        CHECK((sample.valid & LATMON_HAS_TURNAROUND) == 0);
        CHECK(sample.turnaround_ns == 0);
        CHECK(sample.rtt_ns == 100'000);
    }
}

TEST_CASE("sample_fields: stamps of a clock days off stay what they are") {
    const Sample sample = answered(reply_with(Duration::from_s(-86'400), Duration::from_us(7)),
                                   Duration::from_us(100));
    CHECK(sample.t2_ns == t1.ns - 86'400'000'000'000);
    CHECK(sample.rtt_ns == 93'000);
}

TEST_CASE("sample_fields: nothing is valid in a new sample") {
    const Sample sample = make_sample(LATMON_KIND_CONNECT, LATMON_STATUS_LOST, LATMON_PROTOCOL_TCP);
    CHECK(sample.valid == 0);
    CHECK(sample.blame == 0);
    CHECK(sample.owd_class == LATMON_OWD_NONE);
}

}  // namespace latmon
