// SPDX-License-Identifier: Apache-2.0
//
// The state since the start: what is in it before anything happened, and what samples add.
#include "pushgateway/snapshot.hpp"

#include "abi/samples.hpp"
#include "exporter/host.hpp"

#include <doctest/doctest.h>
#include <utility>

namespace latmon::plugins::pushgateway {
namespace {

using namespace test;

const SeriesTable table = series_table();
const Host host("", table);

std::string text_of(const std::vector<Sample>& samples) {
    Snapshot snapshot(host.table());
    for (const Sample& sample : samples) {
        snapshot.add(sample);
    }
    return snapshot.text();
}

bool has_line(const std::string& text, const std::string& line) {
    return text.find("\n" + line + "\n") != std::string::npos;
}

const std::string udp =
    "proto=\"udp\",source=\"here\",target=\"fra-1\",isp=\"local\",city=\"Z\xC3\xBCrich\"";

TEST_CASE("snapshot: what is probed is there from the start, with zeros") {
    const std::string text = text_of({});
    CHECK(text.starts_with("# HELP latmon_build_info "));
    CHECK(has_line(text, "latmon_rtt_seconds_count{" + udp + "} 0"));
    CHECK(has_line(text, "latmon_rtt_seconds_bucket{" + udp + ",le=\"1e-06\"} 0"));
    CHECK(has_line(text, "latmon_probes_sent_total{" + udp + "} 0"));
    CHECK(has_line(text, "latmon_probes_lost_total{" + udp + ",status=\"lost_reverse\"} 0"));
    CHECK(has_line(text,
                   "latmon_tcp_connect_seconds_count{proto=\"tcp_connect\",source=\"here\","
                   "target=\"web\"} 0"));
    // Only once it is known how much the delays may be trusted.
    CHECK(text.find("latmon_owd_seconds") == std::string::npos);
    CHECK(text.find("latmon_reflections_total") == std::string::npos);
}

TEST_CASE("snapshot: a time counts in the bucket of its bound and in all above") {
    Sample on_bound = exchange(udp_id);
    on_bound.rtt_ns = 200'000;
    const std::string text = text_of({exchange(udp_id), on_bound});
    const auto bucket = [&](const std::string& bound) -> std::string {
        return "latmon_rtt_seconds_bucket{" + udp + ",le=\"" + bound + "\"} ";
    };
    CHECK(has_line(text, bucket("0.0001") + "0"));
    CHECK(has_line(text, bucket("0.0002") + "1"));
    CHECK(has_line(text, bucket("0.0005") + "2"));
    CHECK(has_line(text, bucket("10") + "2"));
    CHECK(has_line(text, bucket("+Inf") + "2"));
    CHECK(has_line(text, "latmon_rtt_seconds_sum{" + udp + "} 0.00045"));
    CHECK(has_line(text, "latmon_rtt_seconds_count{" + udp + "} 2"));
}

TEST_CASE("snapshot: more than ten seconds are in +Inf alone") {
    Sample slow = exchange(udp_id);
    slow.rtt_ns = 10'000'000'001;
    const std::string text = text_of({slow});
    CHECK(has_line(text, "latmon_rtt_seconds_bucket{" + udp + ",le=\"10\"} 0"));
    CHECK(has_line(text, "latmon_rtt_seconds_bucket{" + udp + ",le=\"+Inf\"} 1"));
    CHECK(has_line(text, "latmon_rtt_seconds_sum{" + udp + "} 10.000000001"));
}

TEST_CASE("snapshot: a lost probe is sent, and lost where it was, and no time") {
    const std::string text = text_of(
        {exchange(udp_id), exchange(udp_id, LATMON_STATUS_LOST_FORWARD),
         exchange(udp_id, LATMON_STATUS_LOCAL_ERROR), exchange(udp_id, LATMON_STATUS_LATE)});
    CHECK(has_line(text, "latmon_probes_sent_total{" + udp + "} 2"));
    CHECK(has_line(text, "latmon_probes_received_total{" + udp + "} 1"));
    CHECK(has_line(text, "latmon_probes_lost_total{" + udp + ",status=\"lost_forward\"} 1"));
    CHECK(has_line(text, "latmon_probes_lost_total{" + udp + ",status=\"lost\"} 0"));
    CHECK(has_line(text, "latmon_probes_unsent_total{" + udp + "} 1"));
    CHECK(has_line(text, "latmon_probes_late_total{" + udp + "} 1"));
    CHECK(has_line(text, "latmon_rtt_seconds_count{" + udp + "} 1"));
}

TEST_CASE("snapshot: one-way delays go by direction and by how much they may be trusted") {
    Sample sample = exchange(udp_id);
    sample.valid |= LATMON_HAS_OWD_FWD | LATMON_HAS_OWD_REV;
    sample.owd_class = LATMON_OWD_ESTIMATED;
    sample.owd_fwd_ns = 125'000;
    sample.owd_rev_ns = -1'000;
    Sample relative = sample;
    relative.owd_class = LATMON_OWD_RELATIVE;
    const std::string text = text_of({sample, relative});
    const auto owd = [&](const std::string& end, const std::string& direction) -> std::string {
        return "latmon_owd_seconds_" + end + "{" + udp + ",direction=\"" + direction +
               "\",class=\"estimated\"} ";
    };
    CHECK(has_line(text, owd("count", "fwd") + "1"));
    CHECK(has_line(text, owd("sum", "fwd") + "0.000125"));
    CHECK(has_line(text, owd("count", "rev") + "1"));
    CHECK(has_line(text, owd("sum", "rev") + "0"));
    CHECK(has_line(text, "latmon_owd_negative_total{" + udp + ",direction=\"rev\"} 1"));
    CHECK(text.find("relative") == std::string::npos);
}

TEST_CASE("snapshot: where round trips are switched off probes are counted all the same") {
    const std::string text = text_of({exchange(silent_id)});
    CHECK(text.find("latmon_rtt_seconds_count{proto=\"udp\",source=\"here\",target=\"silent\"") ==
          std::string::npos);
    CHECK(has_line(text,
                   "latmon_probes_sent_total{proto=\"udp\",source=\"here\",target=\"silent\"} 1"));
}

TEST_CASE("snapshot: a counter of a node has the last value, by core, in base units") {
    SeriesTable named = series_table();
    named[node_id].name = "clock_error_ns";
    named[silent_id] = series_of(LATMON_KIND_NODE, LATMON_PROTOCOL_NONE, "");
    named[silent_id].name = "probes_sent_total";
    const Host own("", named);
    Snapshot snapshot(own.table());
    snapshot.add(node(7));
    snapshot.add(node(1'500));
    Sample other = node(3);
    other.core = 1;
    snapshot.add(other);
    Sample sum = node(12);
    sum.series_id = silent_id;
    snapshot.add(sum);
    const std::string text = snapshot.text();
    CHECK(text.find("\n# TYPE latmon_clock_error_seconds gauge\n") != std::string::npos);
    CHECK(text.find("\n# HELP latmon_clock_error_seconds How far the wall clock may be off") !=
          std::string::npos);
    CHECK(has_line(text, "latmon_clock_error_seconds{core=\"0\"} 0.0000015"));
    CHECK(has_line(text, "latmon_clock_error_seconds{core=\"1\"} 0.000000003"));
    CHECK(text.find("\n# TYPE latmon_core_probes_sent_total counter\n") != std::string::npos);
    CHECK(has_line(text, "latmon_core_probes_sent_total{core=\"0\"} 12"));
}

TEST_CASE("snapshot: the unit of a node's counter stands last, wherever it stood") {
    const std::pair<const char*, const char*> names[] = {
        {"cpu_ns_total", "latmon_cpu_seconds_total{core=\"0\"} 0.0000015"},
        {"lateness_ns_max", "latmon_lateness_max_seconds{core=\"0\"} 0.0000015"},
        {"interval_cpu_ns_per_packet",
         "latmon_interval_cpu_per_packet_seconds{core=\"0\"} 0.0000015"},
        {"interval_cpu_ppm", "latmon_interval_cpu_ratio{core=\"0\"} 0.0015"},
        {"tcp_nsd_total", "latmon_tcp_nsd_total{core=\"0\"} 1500"}};
    for (const auto& [name, line] : names) {
        CAPTURE(name);
        SeriesTable named = series_table();
        named[node_id].name = name;
        const Host own("", named);
        Snapshot snapshot(own.table());
        snapshot.add(node(1'500));
        CHECK(has_line(snapshot.text(), line));
    }
}

TEST_CASE("snapshot: reflections are counted; who gave no name is not told by address") {
    const std::string text = text_of({reflection(), reflection()});
    CHECK(has_line(text, "latmon_reflections_total{proto=\"udp\",source=\"\",target=\"here\"} 2"));
}

TEST_CASE("snapshot: two series that are told by the same labels are one") {
    SeriesTable twins = series_table();
    twins[silent_id] = twins[udp_id];
    const Host own("", twins);
    Snapshot snapshot(own.table());
    snapshot.add(exchange(udp_id));
    snapshot.add(exchange(silent_id));
    const std::string text = snapshot.text();
    const std::string line = "latmon_probes_sent_total{" + udp + "} ";
    CHECK(has_line(text, line + "2"));
    CHECK(text.find(line) == text.rfind(line));
}

}  // namespace
}  // namespace latmon::plugins::pushgateway
