// SPDX-License-Identifier: Apache-2.0
//
// Claims about what loadgen prints: the report in both forms, and the configuration for latmon.
#include "loadgen/report.hpp"
#include "loadgen/targets.hpp"

#include <doctest/doctest.h>
#include <limits>

namespace latmon::loadgen {
namespace {

TEST_CASE("report: JSON holds every figure, and null for what there is none of") {
    Report report;
    report.add("text", "a \"b\" \\ \n");
    report.add("count", std::uint64_t{18'446'744'073'709'551'615U});
    report.add("number", 0.5);
    report.add("endless", std::numeric_limits<double>::infinity());
    report.add_truth("truth", true);
    report.add("none_ns", std::optional<Duration>{});
    CHECK(report.as_json() ==
          "{\"text\": \"a \\\"b\\\" \\\\ \\u000a\", \"count\": 18446744073709551615, "
          "\"number\": 0.500, \"endless\": null, \"truth\": true, \"none_ns\": null}\n");
}

TEST_CASE("report: lists are arrays, also the empty one") {
    Report report;
    report.add("texts", std::vector<std::string>{"a", "\""});
    report.add("numbers", std::vector<std::uint32_t>{44, 1'400});
    report.add("nothing", std::vector<std::string>{});
    report.add_none("none");
    CHECK(report.as_json() ==
          "{\"texts\": [\"a\", \"\\\"\"], \"numbers\": [44, 1400], \"nothing\": [], "
          "\"none\": null}\n");
}

TEST_CASE("report: a histogram becomes six figures with their unit") {
    Histogram histogram;
    for (std::int64_t value = 1; value <= 100; ++value) {
        histogram.record(Duration{value});
    }
    Report report;
    report.add("rtt", histogram);
    CHECK(report.as_json() ==
          "{\"rtt_min_ns\": 1, \"rtt_p50_ns\": 50, \"rtt_p90_ns\": 90, \"rtt_p99_ns\": 99, "
          "\"rtt_p99_9_ns\": 100, \"rtt_max_ns\": 100}\n");
}

TEST_CASE("report: text has a figure per line, under the same names, in one column") {
    Report report;
    report.add("a", std::uint64_t{1});
    report.add("long_name", std::uint64_t{2});
    CHECK(report.as_text() == "a          1\nlong_name  2\n");
}

TEST_CASE("targets: the configuration is complete for one target") {
    TargetsOptions options;
    options.target_count = 1;
    options.udp_port = 9'000;
    options.interval_ms = 0.5;
    const Result<std::string> text = targets_text(options);
    REQUIRE(text);
    CHECK(*text ==
          "# 1 targets for latmon, simulated by\n"
          "#   loadgen reflect --count 1 --port 9000 --base 127.1.0.0\n"
          "name = \"loadgen\"\n"
          "udp_port = 8001\n"
          "tcp_port = 8000\n"
          "stamp_port = 0\n"
          "interval = 0.5\n"
          "timeout = 1\n"
          "size = 44\n"
          "protocol = \"stamp\"\n"
          "\n"
          "[[exporters]]\n"
          "plugin = \"null\"\n"
          "\n"
          "[[targets]]\n"
          "host = \"127.1.0.1\"\n"
          "label = \"t00001\"\n"
          "type = \"udp\"\n"
          "udp_port = 9000\n");
}

TEST_CASE("targets: as many tables as targets, each with a label and address of its own") {
    TargetsOptions options;
    options.target_count = 5'000;
    options.udp_port = 9'000;
    const Result<std::string> text = targets_text(options);
    REQUIRE(text);
    CHECK(text->find("host = \"127.1.19.136\"\nlabel = \"t05000\"") != std::string::npos);
    CHECK(text->find("t05001") == std::string::npos);
}

TEST_CASE("targets: over both protocols there is no type, over TCP alone it is said") {
    TargetsOptions options;
    options.target_count = 1;
    options.tcp_port = 9'001;
    options.packets = PacketKind::ancestor;
    const Result<std::string> tcp = targets_text(options);
    REQUIRE(tcp);
    CHECK(tcp->find("--tcp-port 9001 --base 127.1.0.0 --packets latency-monitor\n") !=
          std::string::npos);
    CHECK(tcp->find("protocol = \"latency-monitor\"\n") != std::string::npos);
    CHECK(tcp->find("type = \"tcp\"\ntcp_port = 9001\n") != std::string::npos);
    options.udp_port = 9'000;
    const Result<std::string> both = targets_text(options);
    REQUIRE(both);
    CHECK(both->find("type =") == std::string::npos);
    CHECK(both->find("udp_port = 9000\ntcp_port = 9001\n") != std::string::npos);
}

TEST_CASE("targets: exporters from a file that is not there are a usage error") {
    TargetsOptions options;
    options.target_count = 1;
    options.udp_port = 9'000;
    options.exporters_file = "/nonexistent/exporters.toml";
    const Result<std::string> text = targets_text(options);
    REQUIRE_FALSE(text);
    CHECK(text.error().code == ExitCode::usage);
}

}  // namespace
}  // namespace latmon::loadgen
