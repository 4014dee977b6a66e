// SPDX-License-Identifier: Apache-2.0
//
// Samples as lines: which time goes where, and that counts are those of the samples.
#include "statsd/paths.hpp"

#include "unit/statsd/lines.hpp"

#include <algorithm>
#include <bit>

namespace latmon::plugins::statsd {
namespace {

using driver::DriverHost;
using driver::SeriesText;

struct Setup {
    explicit Setup(std::vector<SeriesText> series, bool is_dog = false, bool has_nodes = false)
        : host(std::move(series)),
          naming(naming_of(is_dog ? datadog_names() : plain_names())),
          written(host.table(), is_dog ? datadog_lines() : LineOptions{}),
          claims(host.table(), naming),
          paths({.host = host.table(),
                 .naming = &naming,
                 .claims = &claims,
                 .writer = &written.writer()},
                has_nodes) {}

    Lines counts() {
        paths.write_counts(1'000);
        return written.lines();
    }

    DriverHost host;
    Naming naming;
    Written written;
    Claims claims;
    Paths paths;
};

latmon_sample_t exchange(std::uint32_t id, latmon_status_t status = LATMON_STATUS_OK) {
    latmon_sample_t sample{};
    sample.series_id = id;
    sample.kind = LATMON_KIND_EXCHANGE;
    sample.status = static_cast<std::uint8_t>(status);
    if (status == LATMON_STATUS_OK || status == LATMON_STATUS_REORDERED) {
        sample.valid = LATMON_HAS_RTT;
        sample.rtt_ns = 250'000;
    }
    return sample;
}

latmon_sample_t with_value(std::uint32_t id, latmon_kind_t kind, std::int64_t value) {
    latmon_sample_t sample{};
    sample.series_id = id;
    sample.kind = static_cast<std::uint8_t>(kind);
    sample.valid = LATMON_HAS_VALUE;
    sample.value = value;
    return sample;
}

TEST_CASE("paths: of two targets under one name the second is left out, counted and told once") {
    Setup setup({target("a.b"), target("a_b")});
    setup.claims.claim_all();
    setup.paths.add(exchange(1));
    setup.paths.add(exchange(1));
    setup.paths.add(exchange(0));
    CHECK(setup.counts().front() == "latmon.udp.rtt.berlin.a_b:0.25|ms");
    CHECK(setup.paths.unnamed() == 2);
    const std::string log = setup.host.log_text();
    CHECK(log.starts_with("[WARNING] target a_b "));
    CHECK(std::count(log.begin(), log.end(), '\n') == 1);
}

TEST_CASE("paths: a round trip is a time, what became of probes is counted once per interval") {
    Setup setup({target("b")});
    for (int count = 0; count < 3; ++count)
        setup.paths.add(exchange(0));
    setup.paths.add(exchange(0, LATMON_STATUS_LOST));
    CHECK(setup.counts() ==
          Lines{"latmon.udp.rtt.berlin.b:0.25|ms", "latmon.udp.rtt.berlin.b:0.25|ms",
                "latmon.udp.rtt.berlin.b:0.25|ms", "latmon.udp.probes.sent.berlin.b:4|c",
                "latmon.udp.probes.received.berlin.b:3|c", "latmon.udp.probes.lost.berlin.b:1|c"});
    CHECK(setup.counts().empty());
}

TEST_CASE(
    "paths: every status is counted where it belongs, and local losses are not the network's") {
    Setup setup({target("b")}, true);
    // As many of each status as its number says, so that none stands for another.
    for (int status = LATMON_STATUS_OK; status <= LATMON_STATUS_LOST_LOCAL_RX; ++status) {
        latmon_sample_t sample = exchange(0, static_cast<latmon_status_t>(status));
        sample.valid = 0;
        if (status == LATMON_STATUS_OK) sample.blame = LATMON_BLAME_SENT_LATE;
        if (status == LATMON_STATUS_LOST) sample.blame = LATMON_BLAME_CLOCK_UNSYNCED;
        for (int count = 0; count < status; ++count)
            setup.paths.add(sample);
    }
    Lines lines = setup.counts();
    for (std::string& line : lines)
        line = line.substr(0, line.find('|'));
    CHECK(lines == Lines{"latmon.probes.sent:49", "latmon.probes.received:8",
                         "latmon.probes.lost:18", "latmon.probes.lost_forward:3",
                         "latmon.probes.lost_reverse:4", "latmon.probes.unreachable:9",
                         "latmon.probes.lost_local_tx:11", "latmon.probes.lost_local_rx:12",
                         "latmon.probes.late:5", "latmon.probes.duplicated:6",
                         "latmon.probes.reordered:7", "latmon.probes.invalid:10",
                         "latmon.probes.unsent:8", "latmon.probes.tainted:1"});
}

TEST_CASE("paths: one-way delays by direction and class; those that are none are not sent") {
    Setup setup({target("b")}, true);
    latmon_sample_t sample = exchange(0);
    sample.valid = LATMON_HAS_OWD_FWD | LATMON_HAS_OWD_REV;
    sample.owd_fwd_ns = -5;
    sample.owd_rev_ns = 7;
    for (const latmon_owd_class_t owd_class :
         {LATMON_OWD_BOUNDED, LATMON_OWD_ESTIMATED, LATMON_OWD_RELATIVE, LATMON_OWD_FALSIFIED}) {
        sample.owd_class = static_cast<std::uint8_t>(owd_class);
        setup.paths.add(sample);
    }
    const std::string tags = "|d|#proto:udp,source:berlin,target:b,direction:";
    CHECK(setup.written.lines() == Lines{"latmon.owd:-0.000000005" + tags + "fwd,class:bounded",
                                         "latmon.owd:0.000000007" + tags + "rev,class:bounded",
                                         "latmon.owd:-0.000000005" + tags + "fwd,class:estimated",
                                         "latmon.owd:0.000000007" + tags + "rev,class:estimated"});
}

TEST_CASE("paths: a connect, a named peer and a nameless one") {
    Setup setup({target("web", LATMON_KIND_CONNECT), target("us", LATMON_KIND_REFLECTION)});
    latmon_sample_t connect = exchange(0);
    connect.kind = LATMON_KIND_CONNECT;
    setup.paths.add(connect);
    latmon_sample_t reflection{};
    reflection.series_id = 1;
    reflection.kind = LATMON_KIND_REFLECTION;
    reflection.status = LATMON_STATUS_OK;
    reflection.valid = LATMON_HAS_OWD_FWD;
    reflection.owd_fwd_ns = 9'000;
    reflection.owd_class = LATMON_OWD_BOUNDED;
    setup.paths.add(reflection);
    const latmon_series_t* const series = setup.host.table()->series(setup.host.table(), 1);
    CHECK(setup.counts() == Lines{"latmon.tcp_connect.tcp_connect.berlin.web:0.25|ms",
                                  "latmon.tcp_connect.probes.sent.berlin.web:1|c",
                                  "latmon.tcp_connect.probes.received.berlin.web:1|c",
                                  "latmon.tcp_connect.probes.lost.berlin.web:0|c",
                                  "latmon.udp.reflections.berlin.us:1|c"});
    const_cast<latmon_series_t*>(series)->flags = LATMON_SERIES_PEER;
    setup.paths.add(reflection);
    CHECK(setup.written.lines() == Lines{"latmon.udp.owd.fwd.bounded.berlin.us:0.009|ms"});
}

TEST_CASE("paths: no round trips of a target of which none are wanted") {
    Setup setup({target("b")});
    const latmon_series_t* const series = setup.host.table()->series(setup.host.table(), 0);
    const_cast<latmon_series_t*>(series)->flags = LATMON_SERIES_NO_RTT;
    setup.paths.add(exchange(0));
    CHECK(setup.written.lines().empty());
}

TEST_CASE("paths: an application's counts are added up, of its gauges the last is sent") {
    Setup setup({of_application("orders", LATMON_KIND_COUNTER),
                 of_application("depth", LATMON_KIND_GAUGE),
                 of_application("match", LATMON_KIND_TIMING)});
    setup.paths.add(with_value(0, LATMON_KIND_COUNTER, 3));
    setup.paths.add(with_value(0, LATMON_KIND_COUNTER, 4));
    for (const double depth : {1.5, -2.5})
        setup.paths.add(with_value(1, LATMON_KIND_GAUGE, std::bit_cast<std::int64_t>(depth)));
    setup.paths.add(with_value(2, LATMON_KIND_TIMING, 1'000));
    CHECK(setup.counts() == Lines{"latmon.match.berlin:0.001|ms", "latmon.orders.berlin:7|c",
                                  "latmon.depth.berlin:0|g", "latmon.depth.berlin:-2.5|g"});
}

TEST_CASE("paths: latmon's own counters are gauges, each core's its own, and only if wanted") {
    const SeriesText series = of_application("samples_dropped", LATMON_KIND_NODE);
    for (const bool has_nodes : {false, true}) {
        Setup setup({series}, true, has_nodes);
        latmon_sample_t sample = with_value(0, LATMON_KIND_NODE, 3);
        setup.paths.add(sample);
        sample.core = 1;
        setup.paths.add(sample);
        sample.value = 9;
        setup.paths.add(sample);
        const Lines all{"latmon.node.samples_dropped:3|g|#source:berlin,core:0",
                        "latmon.node.samples_dropped:9|g|#source:berlin,core:1"};
        CHECK(setup.counts() == (has_nodes ? all : Lines{}));
        CHECK(setup.counts().empty());
    }
}

TEST_CASE("paths: a target that comes later under another's name is left out and counted") {
    Setup setup({target("a.b"), target("a_b")});
    setup.paths.add(exchange(0));
    setup.paths.add(exchange(1));
    setup.paths.add(exchange(1));
    CHECK(setup.paths.unnamed() == 2);
    CHECK(setup.counts().size() == 4);
    CHECK(setup.host.log_text().find("[WARNING] target a_b") != std::string::npos);
}

TEST_CASE("paths: a series that is removed leaves its counts, and comes back from zero") {
    Setup setup({target("b")}, true);
    setup.paths.add(exchange(0));
    setup.paths.remove(0, 1'000);
    CHECK(setup.counts().size() == 4);
    setup.paths.add(exchange(0));
    const Lines lines = setup.counts();
    REQUIRE(lines.size() == 4);
    CHECK(std::ranges::count_if(lines, [](const std::string& line) {
              return line.starts_with("latmon.probes.sent:1|c");
          }) == 1);
}

}  // namespace
}  // namespace latmon::plugins::statsd
