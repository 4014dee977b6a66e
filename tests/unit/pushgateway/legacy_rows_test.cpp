// SPDX-License-Identifier: Apache-2.0
//
// The ancestor's series, line by line, and what a push makes of the lines.
#include "pushgateway/legacy_rows.hpp"

#include "abi/samples.hpp"
#include "exporter/host.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins::pushgateway {
namespace {

using namespace test;

const SeriesTable table = series_table();
const Host host("", table);

std::string row_of(const Sample& sample) {
    LegacyRows rows(host.table(), "here");
    std::string row = "rest of the last one";
    const bool is_said = rows.make(row, sample, *host.series(sample.series_id));
    CHECK(is_said == !row.empty());
    return row;
}

push::Record record(std::string payload) {
    return {.rows = 1, .payload = std::move(payload)};
}

constexpr std::string_view head =
    "# HELP latency_monitor_info Latency monitoring metrics\n"
    "# TYPE latency_monitor_info gauge\n"
    "latency_monitor_info{instance=\"here\"} 1\n";

TEST_CASE("legacy_rows: a sample is a series of its own, with its time as a label") {
    CHECK(row_of(exchange(udp_id)) ==
          "udp_wan_rtt{source=\"here\",target=\"fra-1\",isp=\"local\",city=\"Z\xC3\xBCrich\","
          "instance=\"here\",timestamp=\"1768219134587069267\"} 282072\n");
    CHECK(row_of(connect()) ==
          "tcp_wan_latency{source=\"here\",target=\"web\",instance=\"here\","
          "timestamp=\"1007\"} 250000\n");
}

TEST_CASE("legacy_rows: a lost probe is 0") {
    CHECK(row_of(exchange(tcp_id, LATMON_STATUS_LOST)).ends_with("\"} 0\n"));
}

TEST_CASE("legacy_rows: a reflection has its sender's address, each its own") {
    LegacyRows rows(host.table(), "here");
    std::string row;
    Sample sample = reflection();
    REQUIRE(rows.make(row, sample, *host.series(reflected_id)));
    CHECK(row.starts_with("udp_wan_owd{source=\"192.0.2.7\","));
    sample.peer_address[15] = 9;
    REQUIRE(rows.make(row, sample, *host.series(reflected_id)));
    CHECK(row.starts_with("udp_wan_owd{source=\"192.0.2.9\","));
}

TEST_CASE("legacy_rows: what the ancestor did not know makes no row") {
    CHECK(row_of(node(7)).empty());
    CHECK(row_of(exchange(udp_id, LATMON_STATUS_LATE)).empty());
}

TEST_CASE("legacy_rows: a push has a TYPE per name, however its lines come") {
    const push::Record records[] = {record("udp_wan_rtt{a=\"1\"} 5\ntcp_wan_rtt{a=\"1\"} 6\n"),
                                    record("udp_wan_rtt{a=\"2\"} 7\n")};
    CHECK(legacy_body(records, "latency-monitor", "here") ==
          std::string(head) +
              "# HELP tcp_wan_rtt tcp.wan.rtt\n# TYPE tcp_wan_rtt gauge\n"
              "tcp_wan_rtt{a=\"1\"} 6\n"
              "# HELP udp_wan_rtt udp.wan.rtt\n# TYPE udp_wan_rtt gauge\n"
              "udp_wan_rtt{a=\"1\"} 5\nudp_wan_rtt{a=\"2\"} 7\n");
}

TEST_CASE("legacy_rows: of two lines of one series the last is pushed") {
    const push::Record records[] = {record("x{a=\"1\"} 5\nx{a=\"2\"} 6\nx{a=\"1\"} 9\n")};
    CHECK(legacy_body(records, "latency-monitor", "here")
              .ends_with("gauge\nx{a=\"1\"} 9\nx{a=\"2\"} 6\n"));
}

TEST_CASE("legacy_rows: what is no row, out of a spoiled spool, is left out") {
    const push::Record records[] = {record("garbage\n{} 5\n \n\nx{a} 1")};
    CHECK(legacy_body(records, "latency-monitor", "here") ==
          std::string(head) + "# HELP x x\n# TYPE x gauge\nx{a} 1\n");
}

}  // namespace
}  // namespace latmon::plugins::pushgateway
