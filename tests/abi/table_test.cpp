// SPDX-License-Identifier: Apache-2.0
//
// The table for people: what is counted as what, that it is aligned, and that it fits in 120
// columns. The sources of the plugin are compiled into this test; nothing is loaded.
#include "cli/table.hpp"

#include "abi/samples.hpp"
#include "cli/cells.hpp"
#include "exporter/host.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <sstream>

namespace latmon::plugins {
namespace {

using namespace test;

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

std::size_t columns_of(const std::string& line) {
    return static_cast<std::size_t>(std::ranges::count_if(
        line, [](char octet) { return (static_cast<unsigned char>(octet) & 0xC0U) != 0x80; }));
}

std::vector<std::string> render(const std::vector<Sample>& samples,
                                const SeriesTable& series = series_table()) {
    const Host host("", series);
    Table table;
    for (const Sample& sample : samples) {
        table.add(sample, *host.series(sample.series_id));
    }
    return lines_of(table.render(0));
}

TEST_CASE("table: times have three digits and the unit that fits") {
    CHECK(time_text(0) == "0 ns");
    CHECK(time_text(999) == "999 ns");
    CHECK(time_text(1'000) == "1.00 us");
    CHECK(time_text(12'345) == "12.3 us");
    CHECK(time_text(123'456) == "123 us");
    CHECK(time_text(999'499) == "999 us");
    CHECK(time_text(999'500) == "1.00 ms");
    CHECK(time_text(1'200'000) == "1.20 ms");
    CHECK(time_text(9'996'000) == "10.0 ms");
    CHECK(time_text(1'500'000'000) == "1.50 s");
    CHECK(time_text(-12'345) == "-12.3 us");
    CHECK(time_text(-999) == "-999 ns");
}

TEST_CASE("table: without samples it says so") {
    CHECK(render({}) == std::vector<std::string>{"latmon: no samples yet"});
}

TEST_CASE("table: a row has the counts, the times and the worst class of the one-way delays") {
    Sample sample = exchange(udp_id);
    sample.valid |= LATMON_HAS_OWD_FWD | LATMON_HAS_OWD_REV | LATMON_HAS_SCHEDULE;
    sample.lateness_ns = 40;
    sample.owd_fwd_ns = 50;
    sample.owd_rev_ns = -60;
    sample.owd_class = LATMON_OWD_BOUNDED;
    Sample worse = sample;
    worse.owd_class = LATMON_OWD_ESTIMATED;
    const std::vector<std::string> lines =
        render({sample, worse, sample, exchange(udp_id, LATMON_STATUS_LOST)});
    REQUIRE(lines.size() == 4);
    CHECK(lines[0] == "latmon at here, 2026-01-12 11:58:54 UTC");
    CHECK(lines[2] ==
          "PROTO TARGET                  SENT    LOST    LOSS      p50      p99      max    forward"
          "    reverse      p50      p99");
    CHECK(lines[3] ==
          "udp   fra-1                      4       1 25.00 %   250 us   250 us   250 us    50 ns e"
          "   -60 ns e    40 ns    40 ns");
}

TEST_CASE("table: what there is none of is a dash") {
    const std::vector<std::string> lines = render({exchange(tcp_id, LATMON_STATUS_LOST)});
    REQUIRE(lines.size() == 4);
    CHECK(lines[3] ==
          "tcp   fra-1                      1       1   100 %        -        -        -          -"
          "          -        -        -");
}

TEST_CASE(
    "table: late, duplicate, reordered, unsent and invalid are told below, and are not sent") {
    Sample disturbed = connect();
    disturbed.blame = LATMON_BLAME_SENT_LATE;
    const std::vector<std::string> lines =
        render({disturbed, connect(LATMON_STATUS_LATE), connect(LATMON_STATUS_DUPLICATE),
                connect(LATMON_STATUS_REORDERED), connect(LATMON_STATUS_LOCAL_ERROR),
                connect(LATMON_STATUS_INVALID), connect(LATMON_STATUS_UNREACHABLE)});
    REQUIRE(lines.size() == 5);
    CHECK(lines[3].starts_with("conn  web                        3       1 33.33 %"));
    CHECK(
        lines[4] ==
        "      1 late, 1 duplicate, 1 reordered, 1 not sent, 1 invalid, 1 disturbed by this host");
}

TEST_CASE("table: some loss is never none, and some answers are never none") {
    std::vector<Sample> samples(100'000, exchange(udp_id));
    samples.push_back(exchange(udp_id, LATMON_STATUS_LOST));
    CHECK(render(samples)[3].find("<0.01 %") != std::string::npos);
    std::fill(samples.begin(), samples.end(), exchange(udp_id, LATMON_STATUS_LOST));
    samples.push_back(exchange(udp_id));
    CHECK(render(samples)[3].find("99.99 %") != std::string::npos);
}

TEST_CASE("table: it is aligned and fits in 120 columns, whatever the names and numbers") {
    SeriesTable series = series_table();
    series[udp_id].target = "a name that is far too long for its column";
    series[tcp_id].target = "Zürich\n\x1b[2J";
    series[connect_id].target = "";
    Sample extreme = exchange(udp_id);
    extreme.valid |= LATMON_HAS_OWD_FWD | LATMON_HAS_OWD_REV | LATMON_HAS_SCHEDULE;
    extreme.rtt_ns = 99'999'000'000'000;
    extreme.lateness_ns = -999'000;
    extreme.owd_fwd_ns = -99'999'000'000'000;
    extreme.owd_rev_ns = extreme.owd_fwd_ns;
    const std::vector<std::string> lines = render({extreme, exchange(tcp_id), connect()}, series);
    REQUIRE(lines.size() == 6);
    for (std::size_t index = 1; index < lines.size(); ++index) {
        CHECK(columns_of(lines[index]) == columns_of(lines[2]));
        CHECK(columns_of(lines[index]) <= 120);
    }
    CHECK(lines[3].starts_with("udp   a name that is far ~ "));
    CHECK(lines[4].starts_with("tcp   Zürich??[2J "));
}

TEST_CASE("table: a small terminal gets what fits, and how much does not") {
    const SeriesTable series = series_table();
    const Host host("", series);
    Table table;
    for (const std::uint32_t id : {udp_id, tcp_id, connect_id}) {
        table.add(exchange(id), *host.series(id));
    }
    const std::vector<std::string> lines = lines_of(table.render(6));
    REQUIRE(lines.size() == 6);
    CHECK(lines[5] == "and 1 more");
}

TEST_CASE("table: kinds that are no measurement of ours are not shown") {
    CHECK(render({node(7), reflection()}) == std::vector<std::string>{"latmon: no samples yet"});
}

}  // namespace
}  // namespace latmon::plugins
