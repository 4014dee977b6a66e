// SPDX-License-Identifier: Apache-2.0
//
// The table on a terminal: figures of the last minute, aligned, the worst first if wanted.
#include "cli/live_table.hpp"

#include "abi/samples.hpp"
#include "abi/windows.hpp"
#include "exporter/host.hpp"
#include "stats/series_window.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <sstream>

namespace latmon::plugins {
namespace {

using namespace test;

constexpr std::int64_t second_ns = 1'000'000'000;

struct Setup {
    explicit Setup(const LiveTable::Options& options = {}) : table(&host_table(), options) {}

    const latmon_host_t& host_table() { return *host.table(); }

    std::vector<std::string> lines(std::uint32_t lines_max = 0) const {
        std::istringstream in(table.render(lines_max));
        std::vector<std::string> all;
        for (std::string line; std::getline(in, line);)
            all.push_back(line);
        return all;
    }

    SeriesTable series = series_table();
    Host host{"", series};
    LiveTable table;
};

latmon_window_t at(std::uint32_t series_id, std::int64_t second) {
    latmon_window_t window = full_window(series_id);
    window.begin_ns += second * second_ns;
    return window;
}

TEST_CASE("live table: without windows it says so") {
    const Setup setup;
    CHECK(setup.lines() == std::vector<std::string>{"latmon: no windows yet"});
}

TEST_CASE("live table: a row adds up what came, and loses what is older than its span") {
    Setup setup({.span_ns = 3 * second_ns});
    for (std::int64_t second = 0; second < 10; ++second)
        setup.table.add(at(udp_id, second));
    const std::vector<std::string> lines = setup.lines();
    REQUIRE(lines.size() == 5);
    CHECK(lines[0] == "latmon at here, 2026-01-12 11:59:05 UTC, last 3 s");
    CHECK(lines[2] ==
          "PROTO TARGET                  SENT    LOSS     last      p50      p99      max   jitter"
          "  OBJECTIVE");
    // 9 of 10 each; the rank of the 99 % is among the lost.
    CHECK(lines[3] ==
          "udp   fra-1                     30 10.00 %   251 us   254 us     lost   256 us   500 ns"
          "  90.00 % !");
    CHECK(lines[4] == "      6 late, 9 disturbed by this host");
}

TEST_CASE("live table: a target of which nothing comes any more has no figures") {
    Setup setup({.span_ns = 3 * second_ns});
    setup.table.add(at(udp_id, 0));
    setup.table.add(at(tcp_id, 9));
    const std::vector<std::string> lines = setup.lines();
    CHECK(lines[3] ==
          "udp   fra-1                      0       -        -        -        -        -        -"
          "          -");
    CHECK(lines[4].starts_with("tcp   fra-1                     10 10.00 %"));
    setup.table.remove(udp_id);
    CHECK(setup.lines()[3].starts_with("tcp"));
}

TEST_CASE("live table: a clock that is set back does not empty it") {
    Setup setup({.span_ns = 3 * second_ns});
    setup.table.add(at(udp_id, 3'600));
    setup.table.add(at(udp_id, 0));
    CHECK(setup.lines()[3].starts_with("udp   fra-1                     20 10.00 %"));
}

TEST_CASE("live table: broken objectives stand first, then loss, then what took longest") {
    const auto order = [](bool is_worst_first) {
        Setup setup({.is_worst_first = is_worst_first});
        latmon_window_t broken = at(silent_id, 0);
        latmon_window_t lossy = at(connect_id, 0);
        latmon_window_t slow = at(tcp_id, 0);
        latmon_window_t fine = at(udp_id, 0);
        for (latmon_window_t* const window : {&broken, &slow, &fine})
            window->lost = 0;
        for (latmon_window_t* const window : {&lossy, &slow, &fine})
            window->objective_good = 10;
        slow.rtt.max_ns = 999'000;
        for (const latmon_window_t& window : {fine, slow, lossy, broken})
            setup.table.add(window);
        std::string all;
        for (const std::string& line : setup.lines()) {
            const bool is_row =
                line.starts_with("udp") || line.starts_with("tcp") || line.starts_with("conn");
            if (is_row) all += line.substr(0, 12) + "|";
        }
        return all;
    };
    CHECK(order(true) == "udp   silent|conn  web   |tcp   fra-1 |udp   fra-1 |");
    CHECK(order(false) == "udp   fra-1 |tcp   fra-1 |conn  web   |udp   silent|");
}

TEST_CASE("live table: colours stand around cells and change no column") {
    Setup plain;
    Setup painted({.has_colour = true});
    for (Setup* const setup : {&plain, &painted})
        setup->table.add(at(udp_id, 0));
    std::string text = painted.lines()[3];
    CHECK(text.find("\x1b[33m 10.00 %\x1b[0m") != std::string::npos);
    CHECK(text.find("\x1b[31m  90.00 % !\x1b[0m") != std::string::npos);
    for (std::size_t begin = 0; (begin = text.find('\x1b')) != std::string::npos;)
        text.erase(begin, text.find('m', begin) - begin + 1);
    CHECK(text == plain.lines()[3]);
}

TEST_CASE("live table: a small terminal gets what fits, and how much does not") {
    Setup setup;
    for (const std::uint32_t id : {udp_id, tcp_id, connect_id})
        setup.table.add(at(id, 0));
    const std::vector<std::string> lines = setup.lines(9);
    REQUIRE(lines.size() <= 9);
    CHECK(lines.back() == "and 1 more");
}

TEST_CASE("live table: what falls short of an objective never looks kept, nor below nothing") {
    Setup setup;
    latmon_window_t window = at(udp_id, 0);
    window.objective_count = 1'000'000;
    window.objective_good = 999'999;
    setup.table.add(window);
    CHECK(setup.lines()[3].find("99.99 %") != std::string::npos);
    Setup none;
    window.objective_good = 0;
    none.table.add(window);
    CHECK(none.lines()[3].ends_with("   0.00 % !"));
}

TEST_CASE("live table: an objective is broken if the window itself says so, on the verge too") {
    for (const std::uint64_t good : {998U, 999U, 1'000U}) {
        CAPTURE(good);
        SeriesWindow judged;
        judged.open(WallTime{0}, Duration{second_ns}, LATMON_KIND_EXCHANGE,
                    Objective{99.9 / 100, Duration{200'000}});
        judged.objective_count = 1'000;
        judged.objective_good = good;
        OwnedWindow owned = judged.finish();
        owned.window.series_id = udp_id;
        Setup setup;
        setup.table.add(owned.window);
        const bool is_kept = (owned.window.valid & LATMON_WINDOW_KEEPS_OBJECTIVE) != 0;
        CHECK(is_kept == (good >= 999));
        CHECK(setup.lines()[3].ends_with(" !") != is_kept);
    }
}

TEST_CASE("live table: losses that were left out are in no percentile") {
    Setup setup;
    latmon_window_t window = at(udp_id, 0);
    window.left_out = 1;
    window.lost_left_out = 1;
    setup.table.add(window);
    // Of the nine that were answered.
    CHECK(setup.lines()[3].starts_with(
        "udp   fra-1                     10 10.00 %   251 us   254 us   256 us   256 us"));
}

TEST_CASE("live table: where nothing was judged there is no percentile") {
    Setup setup;
    latmon_window_t window = at(udp_id, 0);
    window.left_out = 10;
    window.lost_left_out = 1;
    window.rtt = {};
    setup.table.add(window);
    CHECK(setup.lines()[3].starts_with(
        "udp   fra-1                     10 10.00 %        -        -        -        -"));
}

TEST_CASE("live table: kinds that are no measurement of ours are not shown") {
    Setup setup;
    setup.table.add(at(reflected_id, 0));
    CHECK(setup.lines().size() == 1);
}

}  // namespace
}  // namespace latmon::plugins
