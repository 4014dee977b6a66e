// SPDX-License-Identifier: Apache-2.0
//
// Claims about the one object that a ping prints for programs.
#include "daemon/ping_json.hpp"

#include <doctest/doctest.h>
#include <cerrno>
#include <nlohmann/json.hpp>

namespace latmon {
namespace {

using Json = nlohmann::json;

Sample sample_of(latmon_status_t status, std::uint32_t sequence) {
    Sample sample{};
    sample.kind = LATMON_KIND_EXCHANGE;
    sample.status = static_cast<std::uint8_t>(status);
    sample.sequence = sequence;
    sample.valid = LATMON_HAS_SEQUENCE;
    return sample;
}

Sample answer_of(std::uint32_t sequence, std::int64_t rtt_ns) {
    Sample sample = sample_of(LATMON_STATUS_OK, sequence);
    sample.valid |= LATMON_HAS_RTT | LATMON_HAS_TTL_REV;
    sample.rtt_ns = rtt_ns;
    sample.ttl_rev = 64;
    sample.t1_stamp = sample.t4_stamp = LATMON_STAMP_USER;
    sample.t2_stamp = sample.t3_stamp = LATMON_STAMP_PEER;
    return sample;
}

PingReport report_of(const std::vector<Sample>& samples) {
    PingReport report;
    report.options.host = "router";
    report.target = *parse_endpoint("2001:db8::1", 862);
    report.size_bytes = 100;
    report.sent = samples.size();
    report.exchanges = samples;
    for (const Sample& sample : samples)
        report.tally.add(sample);
    return report;
}

Json json_of(const PingReport& report) {
    const std::string text = ping_json(report);
    CHECK(text.find('\n') == text.size() - 1);
    return Json::parse(text);
}

TEST_CASE("ping_json: a run is one object on one line, with what was asked and what came") {
    const Json json = json_of(report_of({answer_of(0, 41'000), answer_of(1, 43'000)}));
    CHECK(json["v"] == 1);
    CHECK(json["host"] == "router");
    CHECK(json["address"] == "2001:db8::1");
    CHECK(json["port"] == 862);
    CHECK(json["protocol"] == "udp");
    CHECK(json["packet"] == "stamp");
    CHECK(json["packet_bytes"] == 100);
    CHECK(json["interval_ns"] == 1'000'000'000);
    CHECK(json["sent"] == 2);
    CHECK(json["answered"] == 2);
    CHECK(json["lost"]["total"] == 0);
    CHECK(json["rtt"]["count"] == 2);
    CHECK(json["rtt"]["p50_ns"] == 41'000);
    CHECK(json["rtt"]["p999_ns"] == 43'000);
    CHECK(json["rtt"]["ipdv_mean_ns"] == 2'000);
    CHECK(json["stamps"]["user/peer/peer/user"] == 2);
    CHECK(json["exit_code"] == 0);
}

TEST_CASE("ping_json: no value is null, never 0") {
    const Json json = json_of(report_of({answer_of(0, 41'000), sample_of(LATMON_STATUS_LOST, 1)}));
    CHECK(json["lost"]["unknown"] == 1);
    CHECK(json["rtt"]["p50_ns"] == 41'000);
    CHECK(json["rtt"]["p90_ns"].is_null());
    CHECK(json["rtt"]["max_ns"] == 41'000);
    CHECK(json["rtt"]["jitter_rfc3550_ns"].is_null());
    CHECK(json["rtt_user"]["min_ns"].is_null());
    CHECK(json["clock"]["error_ns"].is_null());
    CHECK(json["handshake_ns"].is_null());
}

TEST_CASE("ping_json: an exchange holds the fields that hold a value, and no others") {
    const Json json = json_of(report_of({answer_of(0, 41'000), sample_of(LATMON_STATUS_LOST, 1)}));
    REQUIRE(json["exchanges"].size() == 2);
    const Json& answered = json["exchanges"][0];
    CHECK(answered["sequence"] == 0);
    CHECK(answered["status"] == "ok");
    CHECK(answered["rtt_ns"] == 41'000);
    CHECK(answered["ttl_rev"] == 64);
    CHECK(answered["stamps"] == "user/peer/peer/user");
    CHECK_FALSE(answered.contains("ttl_fwd"));
    CHECK_FALSE(answered.contains("rtt_user_ns"));
    const Json& lost = json["exchanges"][1];
    CHECK(lost["status"] == "lost");
    CHECK_FALSE(lost.contains("rtt_ns"));
    CHECK_FALSE(lost.contains("error"));
}

TEST_CASE("ping_json: reasons have the names that errno.h gives them") {
    Sample refused = sample_of(LATMON_STATUS_UNREACHABLE, 0);
    refused.valid |= LATMON_HAS_ERROR;
    refused.error = ECONNREFUSED;
    const Json json = json_of(report_of({refused, refused}));
    CHECK(json["unreachable"]["total"] == 2);
    CHECK(json["unreachable"]["reasons"]["ECONNREFUSED"] == 2);
    CHECK(json["exchanges"][0]["error"] == "ECONNREFUSED");
    CHECK(json["exit_code"] == 1);
}

TEST_CASE("ping_json: a quiet run leaves out the single exchanges") {
    PingReport report = report_of({answer_of(0, 41'000)});
    report.options.is_quiet = true;
    CHECK_FALSE(json_of(report).contains("exchanges"));
}

TEST_CASE("ping_json: a host that is no text is shown as one, and breaks nothing") {
    PingReport report = report_of({});
    report.options.host = "a\"\xff\n";
    CHECK(json_of(report)["host"] == "a\"\xef\xbf\xbd\n");
}

}  // namespace
}  // namespace latmon
