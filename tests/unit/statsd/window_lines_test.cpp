// SPDX-License-Identifier: Apache-2.0
//
// Windows as counts and gauges: only what a window has.
#include "statsd/window_lines.hpp"

#include "unit/statsd/lines.hpp"

#include <algorithm>

namespace latmon::plugins::statsd {
namespace {

using driver::DriverHost;
using driver::SeriesText;

struct Setup {
    explicit Setup(std::vector<SeriesText> series, LineOptions options = datadog_lines())
        : host(std::move(series)),
          naming(naming_of(datadog_names())),
          written(host.table(), options),
          claims(host.table(), naming),
          lines({.host = host.table(),
                 .naming = &naming,
                 .claims = &claims,
                 .writer = &written.writer()}) {}

    // Without what all of them have: prefix and tags.
    Lines add(const latmon_window_t& window) {
        lines.add(window);
        Lines all = written.lines();
        for (std::string& line : all) {
            const std::size_t tags = line.find("|#proto:udp,source:berlin,target:b");
            if (tags != std::string::npos) line.erase(tags, 34);
            line.erase(0, std::string_view("latmon.").size());
        }
        return all;
    }

    DriverHost host;
    Naming naming;
    Written written;
    Claims claims;
    WindowLines lines;
};

latmon_window_t window_of(std::uint32_t id, std::int64_t length_s = 5) {
    latmon_window_t window{};
    window.struct_size = sizeof(window);
    window.series_id = id;
    window.begin_ns = 1'700'000'005'000'000'000;
    window.length_ns = length_s * 1'000'000'000;
    return window;
}

bool has_line(const Lines& lines, std::string_view line) {
    return std::ranges::find(lines, line) != lines.end();
}

TEST_CASE("window lines: counts, ratio and percentiles in which the lost are longer than any") {
    Setup setup({target("b")});
    latmon_window_t window = window_of(0);
    window.samples = 4;
    window.by_status[LATMON_STATUS_OK] = 3;
    window.by_status[LATMON_STATUS_LOST] = 1;
    window.answered = 3;
    window.lost = 1;
    window.loss_ratio = 0.25;
    window.loss_burst_max = 1;
    window.valid = LATMON_WINDOW_HAS_LOSS_RATIO | LATMON_WINDOW_HAS_LAST;
    window.rtt = {.count = 3,
                  .sum_ns = 600'000,
                  .min_ns = 100'000,
                  .max_ns = 300'000,
                  .zero_count = 0,
                  .positive_first = 0,
                  .positive_count = 0,
                  .negative_first = 0,
                  .negative_count = 0};
    window.percentile_valid = 1U << LATMON_P50;  // The others are lost.
    window.rtt_percentile_ns[LATMON_P50] = 200'000;
    window.last_rtt_ns = 100'000;
    window.rtt_ipdv.count = 2;
    window.rtt_ipdv.abs_sum_ns = 30'000;
    window.rtt_ipdv.smoothed_ns = 1'234;
    CHECK(setup.add(window) == Lines{"probes.sent:4|c", "probes.received:3|c", "probes.lost:1|c",
                                     "loss_ratio:0.25|g", "loss_burst_max:1|g", "rtt.min:0.0001|g",
                                     "rtt.avg:0.0002|g", "rtt.max:0.0003|g", "rtt.p50:0.0002|g",
                                     "rtt.last:0.0001|g", "rtt.jitter:0.000001234|g",
                                     "rtt.ipdv:0.000015|g"});
}

TEST_CASE("window lines: a window with nothing but losses has no times") {
    Setup setup({target("b")});
    latmon_window_t window = window_of(0);
    window.by_status[LATMON_STATUS_LOST_FORWARD] = 2;
    CHECK(setup.add(window) == Lines{"probes.sent:2|c", "probes.received:0|c", "probes.lost:2|c",
                                     "probes.lost_forward:2|c"});
}

TEST_CASE("window lines: the time stamp is the window's beginning") {
    LineOptions options = datadog_lines();
    options.has_timestamps = true;
    Setup setup({target("b")}, options);
    latmon_window_t window = window_of(0);
    window.by_status[LATMON_STATUS_OK] = 1;
    CHECK(has_line(setup.add(window), "probes.sent:1|c|T1700000005"));
}

TEST_CASE("window lines: an objective is counted, and said to be kept or not") {
    Setup setup({target("b")});
    latmon_window_t window = window_of(0);
    window.objective_ratio = 0.99;
    window.objective_rtt_ns = 200'000;
    window.objective_count = 100;
    for (const std::uint64_t good : {98U, 99U}) {
        window.objective_good = good;
        window.valid = LATMON_WINDOW_HAS_OBJECTIVE;
        if (good == 99) window.valid |= LATMON_WINDOW_KEEPS_OBJECTIVE;
        const Lines lines = setup.add(window);
        CHECK(has_line(lines, "objective.probes:100|c"));
        CHECK(has_line(lines, "objective.good:" + std::to_string(good) + "|c"));
        CHECK(has_line(lines, good == 99 ? "objective.kept:1|g" : "objective.kept:0|g"));
    }
    window.objective_count = window.objective_good = 0;
    const Lines lines = setup.add(window);
    CHECK_FALSE(has_line(lines, "objective.kept:1|g"));
    CHECK_FALSE(has_line(lines, "objective.kept:0|g"));
}

TEST_CASE("window lines: one-way delays say of which class they are, and may be negative") {
    Setup setup({target("b")});
    latmon_window_t window = window_of(0);
    const latmon_bucket_t buckets[] = {{-1'275, 1}, {-1'275, 1}};  // 1.0 ms, within a bucket.
    window.buckets = buckets;
    window.bucket_count = 2;
    window.owd_fwd = {.count = 2,
                      .sum_ns = 0,
                      .min_ns = -1'000'000,
                      .max_ns = 1'000'000,
                      .zero_count = 0,
                      .positive_first = 0,
                      .positive_count = 1,
                      .negative_first = 1,
                      .negative_count = 1};
    window.owd_fwd_ipdv.count = 1;
    window.owd_fwd_ipdv.smoothed_ns = 5;
    struct Case {
        std::uint64_t bounded;
        std::uint64_t estimated;
        std::string_view word;
    };
    for (const Case& each : {Case{2, 0, "bounded"}, Case{0, 2, "estimated"}, Case{1, 1, "mixed"}}) {
        window.by_owd_class[LATMON_OWD_BOUNDED] = each.bounded;
        window.by_owd_class[LATMON_OWD_ESTIMATED] = each.estimated;
        const Lines lines = setup.add(window);
        const std::string end = "|g,direction:fwd,class:" + std::string(each.word);
        CHECK(has_line(lines, "owd.min:-0.001" + end));
        CHECK(has_line(lines, "owd.avg:0" + end));
        CHECK(has_line(lines, "owd.max:0.001" + end));
        CHECK(has_line(lines, "owd.jitter:0.000000005|g,direction:fwd"));
        // Six percentiles, the first of which is negative.
        CHECK(std::ranges::count_if(
                  lines, [](const std::string& line) { return line.starts_with("owd.p"); }) == 6);
        CHECK(std::ranges::any_of(
            lines, [](const std::string& line) { return line.starts_with("owd.p50:-0.00099"); }));
    }
}

TEST_CASE("window lines: what an application counted, had and took") {
    Setup setup({of_application("orders", LATMON_KIND_COUNTER),
                 of_application("depth", LATMON_KIND_GAUGE),
                 of_application("match", LATMON_KIND_TIMING)});
    latmon_window_t window = window_of(0);
    window.valid = LATMON_WINDOW_HAS_VALUE;
    window.value_sum = 12;
    window.value_last = -0.5;
    window.rtt.count = 2;
    window.rtt.sum_ns = 10;
    window.rtt.min_ns = 4;
    window.rtt.max_ns = 6;
    CHECK(setup.add(window) == Lines{"orders:12|c|#source:berlin"});
    window.series_id = 1;
    CHECK(setup.add(window) == Lines{"depth:-0.5|g|#source:berlin"});
    window.series_id = 2;
    const Lines lines = setup.add(window);
    CHECK(has_line(lines, "match.count:2|c|#source:berlin"));
    CHECK(has_line(lines, "match.avg:0.000000005|g|#source:berlin"));
}

}  // namespace
}  // namespace latmon::plugins::statsd
