// SPDX-License-Identifier: Apache-2.0
//
// Claims about what a ping prints: true digits, and nothing where there is no value.
#include "daemon/ping_text.hpp"

#include <doctest/doctest.h>
#include <cerrno>

namespace latmon {
namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

Sample answer() {
    Sample sample{};
    sample.kind = LATMON_KIND_EXCHANGE;
    sample.status = LATMON_STATUS_OK;
    sample.valid = LATMON_HAS_SEQUENCE | LATMON_HAS_RTT | LATMON_HAS_RTT_USER;
    sample.sequence = 7;
    sample.rtt_ns = 41'240;
    sample.rtt_user_ns = 163'000;
    sample.t1_stamp = sample.t4_stamp = LATMON_STAMP_KERNEL;
    sample.t2_stamp = sample.t3_stamp = LATMON_STAMP_PEER;
    return sample;
}

PingReport report_of(std::uint64_t answered, std::uint64_t lost) {
    PingReport report;
    report.options.host = "router";
    report.target = *parse_endpoint("192.0.2.1", 862);
    report.size_bytes = 100;
    Sample sample = answer();
    for (std::uint64_t index = 0; index < answered; ++index)
        report.tally.add(sample);
    sample.status = LATMON_STATUS_LOST_FORWARD;
    for (std::uint64_t index = 0; index < lost; ++index)
        report.tally.add(sample);
    report.sent = answered + lost;
    return report;
}

TEST_CASE("ping_text: microseconds have one digit behind the point below 100, none above") {
    CHECK(in_microseconds(0) == "0.0us");
    CHECK(in_microseconds(41'240) == "41.2us");
    CHECK(in_microseconds(-3'000) == "-3.0us");
    CHECK(in_microseconds(99'949) == "99.9us");
    CHECK(in_microseconds(99'951) == "100us");
    CHECK(in_microseconds(-1'234'567) == "-1235us");
    CHECK(in_microseconds(2'000'000'000) == "2000000us");
}

TEST_CASE("ping_text: an answer shows what it holds, and nothing else") {
    CHECK(exchange_line(answer()) ==
          "seq=7 ok rtt=41.2us app=163us stamps=kernel/peer/peer/kernel\n");
}

TEST_CASE("ping_text: a one-way delay comes with its bounds and its class") {
    Sample sample = answer();
    sample.valid |= LATMON_HAS_OWD_FWD | LATMON_HAS_OWD_FWD_LO_HI | LATMON_HAS_OWD_REV |
                    LATMON_HAS_TURNAROUND | LATMON_HAS_TTL_REV;
    sample.owd_fwd_ns = 20'000;
    sample.owd_fwd_lo_ns = -1'000;
    sample.owd_fwd_hi_ns = 42'000;
    sample.owd_rev_ns = 21'240;
    sample.owd_class = LATMON_OWD_ESTIMATED;
    sample.turnaround_ns = 12'000;
    sample.ttl_rev = 63;
    sample.blame = LATMON_BLAME_SENT_LATE | LATMON_BLAME_CLOCK_STEPPED;
    CHECK(exchange_line(sample) ==
          "seq=7 ok rtt=41.2us app=163us fwd=20.0us[-1.0us..42.0us] rev=21.2us owd=estimated "
          "turnaround=12.0us ttl=?/63 stamps=kernel/peer/peer/kernel "
          "blame=sent_late,clock_stepped\n");
}

TEST_CASE("ping_text: a lost probe has no time, and an error has its reason") {
    Sample sample = answer();
    sample.status = LATMON_STATUS_LOST_REVERSE;
    sample.valid = LATMON_HAS_SEQUENCE;
    CHECK(exchange_line(sample) == "seq=7 lost_reverse\n");
    sample.status = LATMON_STATUS_UNREACHABLE;
    sample.valid |= LATMON_HAS_ERROR;
    sample.error = ECONNREFUSED;
    CHECK(exchange_line(sample) == "seq=7 unreachable (Connection refused)\n");
    sample.status = LATMON_STATUS_LOCAL_ERROR;
    sample.valid = LATMON_HAS_ERROR;
    CHECK(exchange_line(sample) == "seq=- local_error (Connection refused)\n");
}

TEST_CASE("ping_text: every status has a word of its own") {
    for (std::uint8_t status = LATMON_STATUS_OK; status <= LATMON_STATUS_LOST_LOCAL_RX; ++status) {
        for (std::uint8_t other = 0; other < status; ++other)
            CHECK(status_word(status) != status_word(other));
    }
    CHECK(status_word(LATMON_STATUS_LOST_LOCAL_RX) == "lost_local_rx");
    CHECK(status_word(200) == "unknown");
    CHECK(stamp_word(LATMON_STAMP_HW) == "hw");
    CHECK(stamp_word(200) == "unknown");
}

TEST_CASE("ping_text: the summary of a whole run tells losses by place and percentiles") {
    const std::string text = ping_summary(report_of(98, 2));
    CHECK(contains(text, "--- router ---\n"));
    CHECK(contains(text, "100 sent, 98 answered, 2 lost (2 %): 2 forward\n"));
    // min, p50, p90, p95 are values; p99 and p99.9 fall among the lost; max is what came.
    CHECK(contains(text,
                   "rtt         41.2us    41.2us    41.2us    41.2us      lost      lost    "
                   "41.2us     0.0us         -\n"));
    CHECK(contains(text, "stamps: 98 kernel/peer/peer/kernel\n"));
    CHECK_FALSE(contains(text, "forward  "));
}

TEST_CASE("ping_text: the summary of a run that nothing came back from has no table") {
    PingReport report = report_of(0, 3);
    report.in_flight = 1;
    report.missed = 2;
    const std::string text = ping_summary(report);
    CHECK(contains(text, "3 sent, 0 answered, 3 lost (100 %): 3 forward\n"));
    CHECK(contains(text, "1 still in flight at the end\n"));
    CHECK(contains(text, "2 missed"));
    CHECK_FALSE(contains(text, "p50"));
    CHECK_FALSE(contains(text, "tainted"));
}

TEST_CASE("ping_text: the heading names the address and what is sent") {
    PingReport report = report_of(0, 0);
    CHECK(ping_heading(report) ==
          "latmon ping router (192.0.2.1:862): STAMP over UDP, 100 octets, "
          "every 1000 ms\n");
    report.options.is_tcp = true;
    report.handshake = Duration::from_us(155);
    report.options.interval = Duration::from_us(100);
    CHECK(contains(ping_heading(report),
                   "STAMP over TCP, 100 octets, every 0.1 ms; TCP handshake "
                   "155us\n"));
}

}  // namespace
}  // namespace latmon
