// SPDX-License-Identifier: Apache-2.0
//
// Claims about sums and percentiles of a ping: exact, and a lost probe is never a small value.
#include "daemon/ping_tally.hpp"

#include <doctest/doctest.h>
#include <cerrno>
#include <initializer_list>

namespace latmon {
namespace {

Sample sample_of(latmon_status_t status, std::uint32_t sequence = 0) {
    Sample sample{};
    sample.kind = LATMON_KIND_EXCHANGE;
    sample.status = static_cast<std::uint8_t>(status);
    sample.sequence = sequence;
    sample.valid = LATMON_HAS_SEQUENCE;
    return sample;
}

Sample answer_of(std::uint32_t sequence, std::int64_t rtt_ns) {
    Sample sample = sample_of(LATMON_STATUS_OK, sequence);
    sample.valid |= LATMON_HAS_RTT;
    sample.rtt_ns = rtt_ns;
    return sample;
}

TimeSeries series_of(std::initializer_list<std::int64_t> values) {
    TimeSeries series;
    std::uint32_t sequence = 0;
    for (const std::int64_t value : values)
        series.record(sequence++, value);
    return series;
}

TEST_CASE("ping_tally: percentiles are values that came, by nearest rank, in any order") {
    const TimeSeries series = series_of({30, 10, 50, 20, 40});
    CHECK(series.percentile_ns(0) == 10);
    CHECK(series.percentile_ns(200) == 10);
    CHECK(series.percentile_ns(201) == 20);
    CHECK(series.percentile_ns(500) == 30);
    CHECK(series.percentile_ns(999) == 50);
    CHECK(series.percentile_ns(1'000) == 50);
    CHECK(series.max_ns() == 50);
}

TEST_CASE("ping_tally: p99.9 of a thousand values is the next to last one's neighbour, exactly") {
    TimeSeries series;
    for (std::uint32_t value = 1; value <= 1'000; ++value)
        series.record(value, value);
    CHECK(series.percentile_ns(999) == 999);
    CHECK(series.percentile_ns(990) == 990);
}

TEST_CASE("ping_tally: with 2 % loss the 98th percentile is a value and the 99th is lost") {
    TimeSeries series;
    for (std::uint32_t value = 1; value <= 98; ++value)
        series.record(value, value);
    CHECK(series.percentile_ns(500, 2) == 50);
    CHECK(series.percentile_ns(980, 2) == 98);
    CHECK_FALSE(series.percentile_ns(981, 2).has_value());
    CHECK_FALSE(series.percentile_ns(990, 2).has_value());
    CHECK(series.percentile_ns(0, 2) == 1);
    CHECK(series.max_ns() == 98);
}

TEST_CASE("ping_tally: where nothing came there is no value, neither 0 nor any other") {
    const TimeSeries series;
    CHECK_FALSE(series.percentile_ns(500).has_value());
    CHECK_FALSE(series.percentile_ns(0, 5).has_value());
    CHECK_FALSE(series.max_ns().has_value());
    CHECK_FALSE(series.jitter().has_value());
    CHECK_FALSE(series_of({7}).jitter().has_value());
}

TEST_CASE("ping_tally: a value recorded after a question counts in the next answer") {
    TimeSeries series = series_of({10, 20});
    CHECK(series.max_ns() == 20);
    series.record(2, 5);
    CHECK(series.percentile_ns(0) == 5);
}

TEST_CASE("ping_tally: jitter of RFC 3550 moves by a sixteenth of each difference") {
    // |D| = 160, then 0: J = 10, then 10 - 10/16.
    CHECK(series_of({1'000, 1'160}).jitter()->rfc3550_ns == 10);
    CHECK(series_of({1'000, 1'160, 1'160}).jitter()->rfc3550_ns == 9);
    CHECK(series_of({1'000, 840}).jitter()->rfc3550_ns == 10);
}

TEST_CASE("ping_tally: IPDV is of probes sent one after the other, whatever order they came in") {
    TimeSeries series;
    series.record(1, 130);
    series.record(0, 100);
    series.record(3, 900);  // The one before it was lost: no pair.
    series.record(4, 910);
    const std::optional<Jitter> jitter = series.jitter();
    CHECK(jitter->has_ipdv);
    CHECK(jitter->ipdv_mean_ns == (30 + 10) / 2);

    TimeSeries apart;
    apart.record(0, 100);
    apart.record(2, 200);
    CHECK_FALSE(apart.jitter()->has_ipdv);
}

TEST_CASE("ping_tally: every exchange has one fate; late and duplicate replies are none") {
    PingTally tally;
    tally.add(answer_of(0, 10));
    tally.add(sample_of(LATMON_STATUS_REORDERED));
    tally.add(sample_of(LATMON_STATUS_LOST));
    tally.add(sample_of(LATMON_STATUS_LOST_FORWARD));
    tally.add(sample_of(LATMON_STATUS_LOST_REVERSE));
    tally.add(sample_of(LATMON_STATUS_LOST_LOCAL_TX));
    tally.add(sample_of(LATMON_STATUS_LOST_LOCAL_RX));
    Sample refused = sample_of(LATMON_STATUS_UNREACHABLE);
    refused.error = ECONNREFUSED;
    tally.add(refused);
    Sample stuck = sample_of(LATMON_STATUS_LOCAL_ERROR);
    stuck.error = ENOBUFS;
    tally.add(stuck);
    CHECK(tally.settled() == 9);
    tally.add(sample_of(LATMON_STATUS_LATE));
    tally.add(sample_of(LATMON_STATUS_DUPLICATE));
    tally.add(sample_of(LATMON_STATUS_INVALID));
    CHECK(tally.settled() == 9);

    CHECK(tally.answered == 2);
    CHECK(tally.reordered == 1);
    CHECK(tally.lost() == 5);
    CHECK(tally.lost_unknown == 1);
    CHECK(tally.lost_forward == 1);
    CHECK(tally.lost_reverse == 1);
    CHECK(tally.lost_local_tx == 1);
    CHECK(tally.lost_local_rx == 1);
    CHECK(tally.late == 1);
    CHECK(tally.duplicate == 1);
    CHECK(tally.unreachable.at(ECONNREFUSED) == 1);
    CHECK(tally.local_errors.at(ENOBUFS) == 1);
    // What never left this host is no answer that is missing.
    CHECK(tally.unanswered() == 6);
}

TEST_CASE("ping_tally: samples of other kinds count nothing") {
    PingTally tally;
    Sample node = answer_of(0, 10);
    node.kind = LATMON_KIND_NODE;
    tally.add(node);
    CHECK(tally.settled() == 0);
    CHECK(tally.rtt.count() == 0);
}

TEST_CASE("ping_tally: a round trip that is not given is not recorded as 0") {
    PingTally tally;
    tally.add(sample_of(LATMON_STATUS_OK));
    CHECK(tally.answered == 1);
    CHECK(tally.rtt.count() == 0);
    CHECK(tally.rtt_user.count() == 0);
    CHECK(tally.forward_changes.count() == 0);
}

TEST_CASE("ping_tally: relative one-way delays have differences, but no percentiles") {
    PingTally tally;
    Sample sample = answer_of(0, 10);
    sample.valid |= LATMON_HAS_OWD_FWD | LATMON_HAS_OWD_REV;
    sample.owd_fwd_ns = -3;
    sample.owd_rev_ns = 4;
    sample.owd_class = LATMON_OWD_RELATIVE;
    tally.add(sample);
    CHECK(tally.forward.count() == 0);
    CHECK(tally.reverse.count() == 0);
    CHECK(tally.forward_changes.count() == 1);
    CHECK(tally.reverse_changes.count() == 1);
    for (const latmon_owd_class_t known : {LATMON_OWD_ESTIMATED, LATMON_OWD_BOUNDED}) {
        sample.owd_class = static_cast<std::uint8_t>(known);
        tally.add(sample);
    }
    CHECK(tally.forward.count() == 2);
    CHECK(tally.forward.max_ns() == -3);  // Negative ones are kept.
    CHECK(tally.reverse.max_ns() == 4);
    CHECK(tally.owd[LATMON_OWD_RELATIVE] == 1);
    CHECK(tally.owd[LATMON_OWD_ESTIMATED] == 1);
    CHECK(tally.owd[LATMON_OWD_BOUNDED] == 1);
}

TEST_CASE("ping_tally: a sample with two kinds of blame is tainted once and counted under both") {
    PingTally tally;
    Sample sample = answer_of(0, 10);
    sample.blame = LATMON_BLAME_SENT_LATE | LATMON_BLAME_CLOCK_UNSYNCED;
    tally.add(sample);
    Sample lost = sample_of(LATMON_STATUS_LOST);
    lost.blame = LATMON_BLAME_LOOP_STALLED;
    tally.add(lost);
    Sample again = sample_of(LATMON_STATUS_DUPLICATE);
    again.blame = LATMON_BLAME_LOOP_STALLED;
    tally.add(again);
    tally.add(answer_of(1, 10));
    CHECK(tally.tainted == 2);
    CHECK(tally.blamed == std::array<std::uint64_t, 7>{1, 0, 1, 0, 0, 0, 1});
}

TEST_CASE("ping_tally: who made the four stamps is counted together") {
    PingTally tally;
    Sample sample = answer_of(0, 10);
    sample.t1_stamp = sample.t4_stamp = LATMON_STAMP_KERNEL;
    sample.t2_stamp = sample.t3_stamp = LATMON_STAMP_PEER;
    tally.add(sample);
    tally.add(sample);
    sample.t3_stamp = LATMON_STAMP_USER;
    tally.add(sample);
    CHECK(tally.stamps.size() == 2);
    CHECK(tally.stamps.at({LATMON_STAMP_KERNEL, LATMON_STAMP_PEER, LATMON_STAMP_PEER,
                           LATMON_STAMP_KERNEL}) == 2);
}

}  // namespace
}  // namespace latmon
