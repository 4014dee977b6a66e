// SPDX-License-Identifier: Apache-2.0
//
// An exchange's time is split where its stamps lie, and a far end that lies gains nothing.
#include "probe/answer.hpp"

#include "base/limits.hpp"
#include "probe/sample_fields.hpp"

#include <doctest/doctest.h>
#include <cstring>

namespace latmon {
namespace {

constexpr WallTime t1{1'767'225'600'000'000'000};
constexpr RawInstant sent{5'000'000'000};
constexpr Duration us = Duration::from_us(1);

// By user space: T1, T2 40 us later, `turnaround`, T4 100 us after T1. By the kernel: 10 us later
// and 20 us earlier.
Answer answer_with(Duration turnaround) {
    Answer answer;
    answer.sample = make_sample(LATMON_KIND_EXCHANGE, LATMON_STATUS_OK, LATMON_PROTOCOL_UDP);
    const Duration wall_minus_raw{t1.ns - sent.ns};
    answer.sent = {.raw = sent,
                   .wall_minus_raw = wall_minus_raw,
                   .uncertainty = {},
                   .kernel = t1 + us * 10,
                   .card = {}};
    answer.received = {.raw = sent + us * 100,
                       .wall_minus_raw = wall_minus_raw,
                       .uncertainty = {},
                       .kernel = t1 + us * 80,
                       .card = {}};
    answer.peer = {.t2 = t1 + us * 40,
                   .t3 = t1 + us * 40 + turnaround,
                   .is_absolute = true,
                   .peer_rx = std::nullopt,
                   .peer_tx = std::nullopt};
    return answer;
}

Sample completed(Answer answer) {
    PathClock path_clock(600'000);
    complete(answer, path_clock);
    return answer.sample;
}

bool has(const Sample& sample, std::uint32_t bits) {
    return (sample.valid & bits) == bits;
}

}  // namespace

TEST_CASE("answer: a sample that has waited is completed to the same as one that has not") {
    Answer answer = answer_with(us * 7);
    answer.sample.time_ns = 11;
    answer.sample.scheduled_ns = 12;
    answer.sample.lateness_ns = 13;
    answer.sample.series_id = 14;
    answer.sample.blame = LATMON_BLAME_SENT_LATE;
    answer.sample.ttl_rev = 15;
    answer.sample.dscp_rev = 16;
    answer.sample.peer_address[15] = 17;
    answer.sample.tcp_ack_ns = 18;
    answer.sample.t1_ns = 19;  // As of a loss; complete() knows better.
    answer.sample.valid = LATMON_HAS_SCHEDULE | LATMON_HAS_TTL_REV | LATMON_HAS_T1;
    const Sample at_once = completed(answer);
    answer.sample = BegunSample(answer.sample).sample();
    const Sample later = completed(answer);
    CHECK(std::memcmp(&at_once, &later, sizeof(Sample)) == 0);
}

TEST_CASE("answer: the rtt is what passed here less what the far end took") {
    const Sample sample = completed(answer_with(us * 7));
    CHECK(sample.rtt_user_ns == 100'000);
    CHECK(sample.turnaround_ns == 7'000);
    CHECK(sample.rtt_ns == 93'000);
    CHECK(sample.t1_ns == t1.ns);
    CHECK(sample.t2_ns == t1.ns + 40'000);
    CHECK(sample.t4_ns == t1.ns + 100'000);
    CHECK(sample.t1_stamp == LATMON_STAMP_USER);
    CHECK(has(sample, LATMON_HAS_TURNAROUND | LATMON_HAS_RTT | LATMON_HAS_RTT_USER));
    CHECK(!has(sample, LATMON_HAS_LOCAL_TX));
}

TEST_CASE("answer: a turnaround that cannot be is no turnaround, and the rtt is the whole") {
    for (const Duration turnaround : {Duration{}, us * -5, us * 101, Duration::from_s(3)}) {
        const Sample sample = completed(answer_with(turnaround));
        CHECK(!has(sample, LATMON_HAS_TURNAROUND));
        CHECK(sample.turnaround_ns == 0);
        CHECK(sample.rtt_ns == 100'000);
    }
}

TEST_CASE("answer: without T3 the rtt is the whole, and there is no way back") {
    Answer answer = answer_with(us * 0);
    answer.peer.has_t3 = false;
    answer.peer.t2_kind = LATMON_STAMP_PEER;
    const Sample sample = completed(answer);
    CHECK(sample.rtt_ns == 100'000);
    CHECK(sample.owd_class == LATMON_OWD_RELATIVE);
    CHECK(sample.owd_fwd_ns == 40'000);
    CHECK(has(sample, LATMON_HAS_T2 | LATMON_HAS_OWD_FWD));
    CHECK((sample.valid & (LATMON_HAS_T3 | LATMON_HAS_TURNAROUND | LATMON_HAS_OWD_REV |
                           LATMON_HAS_OWD_FWD_LO_HI | LATMON_HAS_OWD_REV_LO_HI)) == 0);
    CHECK(sample.t3_ns == 0);
    CHECK(sample.t3_stamp == LATMON_STAMP_NONE);
}

TEST_CASE("answer: stamps of a clock days off stay what they are") {
    Answer answer = answer_with(us * 7);
    answer.peer.t2 = answer.peer.t2 - Duration::from_s(86'400);
    answer.peer.t3 = answer.peer.t3 - Duration::from_s(86'400);
    const Sample sample = completed(answer);
    CHECK(sample.t2_ns == t1.ns + 40'000 - 86'400'000'000'000);
    CHECK(sample.rtt_ns == 93'000);
}

TEST_CASE("answer: with the kernel's stamps host and network are told apart, and add up") {
    Answer answer = answer_with(us * 7);
    answer.sent.has_kernel = true;
    answer.received.has_kernel = true;
    answer.peer.peer_rx = us * 3;
    REQUIRE(take_exact_t3(answer.peer, answer.peer.t3 + us * 5, LATMON_STAMP_KERNEL));
    const Sample sample = completed(answer);
    CHECK(sample.local_tx_ns == 10'000);
    CHECK(sample.local_rx_ns == 20'000);
    CHECK(sample.turnaround_ns == 12'000);  // To the exact T3.
    CHECK(sample.peer_rx_ns == 3'000);
    CHECK(sample.peer_tx_ns == 5'000);
    CHECK(sample.rtt_ns == 58'000);  // 100 - 10 - 20 - 12
    CHECK(sample.t1_stamp == LATMON_STAMP_KERNEL);
    CHECK(sample.t3_stamp == LATMON_STAMP_KERNEL);
    CHECK(sample.t4_stamp == LATMON_STAMP_KERNEL);
    CHECK(sample.local_tx_ns + sample.rtt_ns + sample.turnaround_ns + sample.local_rx_ns ==
          sample.rtt_user_ns);
}

TEST_CASE("answer: stamps of the kernel that lie outside the exchange are not believed") {
    Answer answer = answer_with(us * 7);
    answer.sent.has_kernel = true;
    answer.received.has_kernel = true;
    answer.sent.kernel = t1 - Duration::from_ms(1);
    answer.received.kernel = t1 + Duration::from_ms(1);
    const Sample sample = completed(answer);
    CHECK(sample.t1_stamp == LATMON_STAMP_USER);
    CHECK(sample.t4_stamp == LATMON_STAMP_USER);
    CHECK(sample.rtt_ns == 93'000);
}

TEST_CASE("answer: a wall clock that moved in between spoils no round trip") {
    Answer answer = answer_with(us * 7);
    answer.sent.has_kernel = true;
    answer.received.has_kernel = true;
    answer.received.wall_minus_raw = answer.received.wall_minus_raw + Duration::from_s(3);
    answer.received.kernel = answer.received.kernel + Duration::from_s(3);
    const Sample sample = completed(answer);
    CHECK(sample.rtt_ns == 93'000);
    CHECK(sample.rtt_user_ns == 100'000);
    CHECK(sample.t1_stamp == LATMON_STAMP_USER);
    CHECK((sample.blame & LATMON_BLAME_CLOCK_STEPPED) != 0);
    CHECK(sample.owd_class == LATMON_OWD_NONE);
}

TEST_CASE("answer: a slew over a slow exchange costs no stamp, and its blame is not a step") {
    // 100 ppm over 20 s: 2 ms, all of which the kernel's T4 shows and its T1 does not.
    Answer answer = answer_with(us * 7);
    const Duration slewed = Duration::from_ms(2);
    answer.sent.has_kernel = true;
    answer.received.has_kernel = true;
    answer.received.raw = answer.received.raw + Duration::from_s(20);
    answer.received.wall_minus_raw = answer.received.wall_minus_raw + slewed;
    answer.received.kernel = answer.received.kernel + Duration::from_s(20) + slewed;
    answer.wall_rate_ppb = 100'000;
    const Sample sample = completed(answer);
    CHECK(sample.t1_stamp == LATMON_STAMP_KERNEL);
    CHECK(sample.t4_stamp == LATMON_STAMP_KERNEL);
    CHECK(sample.t1_ns == t1.ns + 10'000);
    CHECK(sample.t4_ns == t1.ns + 80'000 + 20'002'000'000);
    CHECK(sample.rtt_ns == 20'000'000'000 + 80'000 - 10'000 - 7'000);
    CHECK(sample.blame == 0);
    CHECK(sample.owd_class == LATMON_OWD_RELATIVE);
}

TEST_CASE("answer: a wall clock that was set in between, by however little, tells no ways") {
    for (const Duration step : {us * 2, us * -2, Duration::from_ms(3), Duration::from_s(-3)}) {
        CAPTURE(step.ns);
        Answer answer = answer_with(us * 7);
        answer.sent.has_kernel = true;
        answer.received.has_kernel = true;  // Stamped before the step, read after it.
        answer.received.wall_minus_raw = answer.received.wall_minus_raw + step;
        CHECK(has_wall_jumped(answer));
        const Sample sample = completed(answer);
        CHECK(sample.owd_class == LATMON_OWD_NONE);
        CHECK(sample.t4_stamp == LATMON_STAMP_USER);
        CHECK(sample.rtt_ns == 93'000);
    }
    CHECK_FALSE(has_wall_jumped(answer_with(us * 7)));
}

TEST_CASE("answer: a wall clock that was seen to go and come back tells no ways") {
    Answer answer = answer_with(us * 7);
    CHECK(completed(answer).owd_class == LATMON_OWD_RELATIVE);
    answer.sample.blame |= LATMON_BLAME_CLOCK_STEPPED;
    CHECK(completed(answer).owd_class == LATMON_OWD_NONE);
}

TEST_CASE(
    "answer: a peer that was set between its stamps tells no ways, nor does a packet's wait") {
    Answer unsteady = answer_with(us * 7);
    unsteady.peer.is_steady = false;
    CHECK(completed(unsteady).owd_class == LATMON_OWD_NONE);

    Answer waited = answer_with(us * 7);
    waited.may_have_waited = true;
    CHECK(completed(waited).owd_class == LATMON_OWD_NONE);

    Answer doubted = answer_with(us * 7);
    doubted.received.has_kernel = true;
    doubted.received.kernel = t1 + Duration::from_ms(1);
    CHECK(completed(doubted).owd_class == LATMON_OWD_NONE);
    CHECK(completed(doubted).rtt_ns == 93'000);
}

TEST_CASE("answer: how far the clock moved beyond its usual rate is in the bounds") {
    // As wide as stamps half a microsecond uncertain make them, and drift.
    const auto width = [](Duration moved, std::int64_t rate_ppb) {
        PathClock path_clock(0);
        Sample sample;
        for (int count = 0; count < 30; ++count) {
            Answer answer = answer_with(us * 7);
            answer.sent.has_kernel = true;
            answer.received.has_kernel = true;
            answer.received.wall_minus_raw = answer.received.wall_minus_raw + moved;
            answer.received.kernel = answer.received.kernel + moved;
            answer.wall_rate_ppb = rate_ppb;
            complete(answer, path_clock);
            sample = answer.sample;
        }
        REQUIRE(sample.owd_class == LATMON_OWD_ESTIMATED);
        return sample.owd_fwd_hi_ns - sample.owd_fwd_lo_ns;
    };
    CHECK(width(Duration{900}, 0) > width(Duration{}, 0) + 900);
    // 90 ppm of 100 us are 9 ns.
    CHECK(width(Duration{9}, 90'000) < width(Duration{}, 0) + 20);
}

TEST_CASE("answer: a reply that lay in our socket is blamed on us") {
    Answer answer = answer_with(us * 7);
    answer.received.has_kernel = true;
    answer.received.raw = sent + Duration{limits::received_late_ns} + us * 81;
    CHECK((completed(answer).blame & LATMON_BLAME_RECEIVED_LATE) != 0);
    answer.received.raw = sent + Duration{limits::received_late_ns} + us * 79;
    CHECK((completed(answer).blame & LATMON_BLAME_RECEIVED_LATE) == 0);
}

TEST_CASE("answer: the card's stamps count if both ends of ours have one") {
    Answer answer = answer_with(us * 7);
    answer.sent.has_card = true;
    answer.sent.card = WallTime{17};  // Its clock counts from anywhere.
    answer.received.has_card = true;
    answer.received.card = WallTime{60'017};
    const Sample sample = completed(answer);
    CHECK(sample.rtt_ns == 53'000);
    CHECK(sample.t1_stamp == LATMON_STAMP_HW);
    answer.received.has_card = false;
    CHECK(completed(answer).rtt_ns == 93'000);
}

TEST_CASE("answer: an exact T3 before the packet's own, or long after, is refused") {
    Answer answer = answer_with(us * 7);
    CHECK(!take_exact_t3(answer.peer, answer.peer.t3 - us * 2, LATMON_STAMP_KERNEL));
    CHECK(!take_exact_t3(answer.peer, answer.peer.t3 + Duration::from_s(2), LATMON_STAMP_KERNEL));
    CHECK(answer.peer.t3_kind == LATMON_STAMP_PEER);
}

TEST_CASE("answer: without absolute stamps of the peer there is no one-way delay") {
    Answer answer = answer_with(us * 7);
    answer.peer.is_absolute = false;
    const Sample sample = completed(answer);
    CHECK(sample.owd_class == LATMON_OWD_NONE);
    CHECK(!has(sample, LATMON_HAS_T2));
    CHECK(sample.rtt_ns == 93'000);
}

}  // namespace latmon
