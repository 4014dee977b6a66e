// SPDX-License-Identifier: Apache-2.0
//
// Intervals: which sample belongs to which, when one is over, and what is told of it.
#include "datadog/windows.hpp"

#include "abi/samples.hpp"
#include "exporter/host.hpp"

#include <doctest/doctest.h>
#include <algorithm>

namespace latmon::plugins::datadog {
namespace {

using namespace test;

const SeriesTable table = series_table();
const Host host("", table);
constexpr std::int64_t second_ns = 1'000'000'000;

struct Fixture {
    std::vector<std::string> points;
    std::vector<std::string> values;
    Windows windows;

    explicit Fixture(const WindowOptions& options = {})
        : windows(
              host.table(), options, [this](std::string_view row) { points.emplace_back(row); },
              [this](std::string_view row) { values.emplace_back(row); }) {}

    [[nodiscard]] bool has(const std::string& row) const {
        return std::ranges::find(points, row + "\n") != points.end();
    }
    [[nodiscard]] bool has_metric(const std::string& name) const {
        return std::ranges::any_of(
            points, [&](const std::string& row) -> bool { return row.starts_with(name + "\t"); });
    }
};

Sample at(double time_s, std::int64_t rtt_ns) {
    Sample sample = exchange(tcp_id);
    sample.time_ns = static_cast<std::int64_t>(time_s * 1e9);
    sample.rtt_ns = rtt_ns;
    return sample;
}

const std::string tags = R"(["proto:tcp","source:here","target:fra-1"])";

std::string gauge(const std::string& name, int time_s, const std::string& value) {
    return name + "\tg\t0\tsecond\t" + tags + "\t" + std::to_string(time_s) + "\t" + value;
}

std::string count(const std::string& name, int time_s, const std::string& value) {
    return name + "\tc\t10\t\t" + tags + "\t" + std::to_string(time_s) + "\t" + value;
}

TEST_CASE("windows: an interval's times are told by a few statistics, in seconds") {
    Fixture fixture;
    for (std::int64_t us = 1; us <= 100; ++us) {
        fixture.windows.add(at(20.5, us * 1'000));
    }
    fixture.windows.close_all();
    CHECK(fixture.has(gauge("latmon.rtt.min", 20, "0.000001")));
    CHECK(fixture.has(gauge("latmon.rtt.avg", 20, "0.0000505")));
    CHECK(fixture.has(gauge("latmon.rtt.max", 20, "0.0001")));
    for (const auto& [name, exact_s] :
         {std::pair("latmon.rtt.p50\t", 50e-6), std::pair("latmon.rtt.p95\t", 95e-6),
          std::pair("latmon.rtt.p99\t", 99e-6)}) {
        const auto row = std::ranges::find_if(
            fixture.points, [&](const std::string& text) { return text.starts_with(name); });
        REQUIRE(row != fixture.points.end());
        CHECK(std::stod(row->substr(row->rfind('\t') + 1)) ==
              doctest::Approx(exact_s).epsilon(0.01));
    }
}

TEST_CASE("windows: probes are counted, lost ones by where they were lost") {
    Fixture fixture;
    for (const latmon_status_t status :
         {LATMON_STATUS_OK, LATMON_STATUS_REORDERED, LATMON_STATUS_LOST, LATMON_STATUS_LOST_FORWARD,
          LATMON_STATUS_LATE, LATMON_STATUS_LOCAL_ERROR, LATMON_STATUS_LOST_LOCAL_TX,
          LATMON_STATUS_LOST_LOCAL_RX}) {
        Sample sample = exchange(tcp_id, status);
        sample.time_ns = 20 * second_ns;
        fixture.windows.add(sample);
    }
    fixture.windows.close_all();
    CHECK(fixture.has(count("latmon.probes.sent", 20, "6")));
    CHECK(fixture.has(count("latmon.probes.received", 20, "2")));
    CHECK(fixture.has(count("latmon.probes.lost", 20, "2")));  // This host's loss is not its.
    CHECK(fixture.has(count("latmon.probes.lost_forward", 20, "1")));
    CHECK(fixture.has(count("latmon.probes.lost_local_tx", 20, "1")));
    CHECK(fixture.has(count("latmon.probes.lost_local_rx", 20, "1")));
    CHECK(fixture.has(count("latmon.probes.late", 20, "1")));
    CHECK(fixture.has(count("latmon.probes.reordered", 20, "1")));
    CHECK(fixture.has(count("latmon.probes.unsent", 20, "1")));
    CHECK_FALSE(fixture.has_metric("latmon.probes.lost_reverse"));
}

TEST_CASE("windows: without loss the count of lost is there, and 0") {
    Fixture fixture;
    fixture.windows.add(at(20, 1'000));
    fixture.windows.close_all();
    CHECK(fixture.has(count("latmon.probes.lost", 20, "0")));
}

TEST_CASE("windows: lost probes alone make no times") {
    Fixture fixture;
    fixture.windows.add(exchange(tcp_id, LATMON_STATUS_LOST));
    fixture.windows.close_all();
    CHECK_FALSE(fixture.has_metric("latmon.rtt.min"));
    CHECK(fixture.has_metric("latmon.probes.lost"));
}

TEST_CASE("windows: an interval is told once it has been over for a second") {
    Fixture fixture;
    fixture.windows.add(at(29.9, 1'000));
    fixture.windows.close(30 * second_ns + second_ns - 1);
    CHECK(fixture.points.empty());
    fixture.windows.close(31 * second_ns);
    CHECK(fixture.has(count("latmon.probes.sent", 20, "1")));
}

TEST_CASE("windows: what comes for an interval that was told counts in the next") {
    Fixture fixture;
    fixture.windows.add(at(29, 1'000));
    fixture.windows.close(31 * second_ns);
    fixture.windows.add(at(29.5, 1'000));
    fixture.windows.add(at(32, 1'000));
    fixture.windows.close(41 * second_ns);
    CHECK(fixture.has(count("latmon.probes.sent", 20, "1")));
    CHECK(fixture.has(count("latmon.probes.sent", 30, "2")));
}

TEST_CASE("windows: a clock that steps back loses no sample, and goes on from there") {
    Fixture fixture;
    fixture.windows.add(at(5'000, 1'000));
    fixture.windows.close(5'011 * second_ns);
    fixture.windows.add(at(5'015, 1'000));
    fixture.windows.close(100 * second_ns);
    CHECK(fixture.has(count("latmon.probes.sent", 5'000, "1")));
    CHECK(fixture.has(count("latmon.probes.sent", 5'010, "1")));
    fixture.windows.add(at(105, 1'000));
    fixture.windows.close(111 * second_ns);
    CHECK(fixture.has(count("latmon.probes.sent", 100, "1")));
}

TEST_CASE("windows: one-way delays have their direction and their class as tags") {
    Fixture fixture;
    Sample sample = at(20, 1'000);
    sample.valid |= LATMON_HAS_OWD_FWD | LATMON_HAS_OWD_REV;
    sample.owd_class = LATMON_OWD_BOUNDED;
    sample.owd_fwd_ns = 700;
    sample.owd_rev_ns = -300;
    fixture.windows.add(sample);
    sample.owd_class = LATMON_OWD_RELATIVE;
    fixture.windows.add(sample);
    fixture.windows.close_all();
    const auto owd = [](const std::string& direction, const std::string& value) -> std::string {
        return "latmon.owd.min\tg\t0\tsecond\t[\"proto:tcp\",\"source:here\",\"target:fra-1\","
               "\"direction:" +
               direction + "\",\"class:bounded\"]\t20\t" + value;
    };
    CHECK(fixture.has(owd("fwd", "0.0000007")));
    CHECK(fixture.has(owd("rev", "-0.0000003")));
}

TEST_CASE("windows: a distribution has every value, a thousand to a row") {
    Fixture fixture({.interval_s = 10, .has_distributions = true, .has_nodes = false});
    for (int index = 0; index < 1'001; ++index) {
        fixture.windows.add(at(20, 1'000 + index));
    }
    fixture.windows.close_all();
    REQUIRE(fixture.values.size() == 2);
    CHECK(fixture.values[0].starts_with("latmon.rtt\td\t0\tsecond\t" + tags +
                                        "\t20\t[0.000001,0.000001001,"));
    CHECK(std::ranges::count(fixture.values[0].substr(fixture.values[0].rfind('\t')), ',') == 999);
    CHECK(fixture.values[1] == "latmon.rtt\td\t0\tsecond\t" + tags + "\t20\t[0.000002]\n");
    CHECK_FALSE(fixture.has_metric("latmon.rtt.min"));
    CHECK(fixture.has(count("latmon.probes.sent", 20, "1001")));
}

TEST_CASE("windows: counters of the node are told only where that is wanted") {
    Fixture without;
    without.windows.add(node(7));
    without.windows.close_all();
    CHECK(without.points.empty());
    Fixture with({.interval_s = 10, .has_distributions = false, .has_nodes = true});
    with.windows.add(node(7));
    with.windows.add(node(8));
    with.windows.close_all();
    CHECK(with.points == std::vector<std::string>{"latmon.node.samples_dropped\tg\t0\t\t"
                                                  "[\"source:here\",\"core:0\"]\t0\t8\n"});
}

}  // namespace
}  // namespace latmon::plugins::datadog
