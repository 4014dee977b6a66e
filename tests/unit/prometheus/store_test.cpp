// SPDX-License-Identifier: Apache-2.0
//
// What scrapes see of what comes in: all of it, once, from one moment, and nothing of what is gone.
#include "prometheus/store.hpp"

#include "unit/prometheus/scrapes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace latmon::plugins::prometheus {
namespace {

using driver::DriverHost;
using driver::SeriesText;

SeriesText target(std::string name) {
    return {.source = "a", .target = std::move(name)};
}

struct Fixture {
    explicit Fixture(std::vector<SeriesText> series)
        : host(std::move(series)), store(host.table(), format.shape) {
        store.declare_all(start_ns);
    }
    // One window over these.
    void feed(const std::vector<latmon_sample_t>& samples, std::int64_t begin_ns = start_ns,
              std::int64_t length_ns = second_ns) {
        for (const latmon_sample_t& sample : samples) {
            maker.take(sample);
        }
        store.take(maker.windows(begin_ns, length_ns), begin_ns + length_ns);
    }
    void feed_node(std::uint32_t id, std::int64_t value, std::uint16_t core = 0) {
        latmon_sample_t sample{};
        sample.series_id = id;
        sample.kind = LATMON_KIND_NODE;
        sample.valid = LATMON_HAS_VALUE;
        sample.value = value;
        sample.core = core;
        store.take(std::span(&sample, 1));
    }
    std::string text() { return scrape(store, format); }

    Format format{.shape = {.bounds = Bounds(Bounds::default_ns())}, .now_ns = start_ns};
    DriverHost host;
    Store store;
    driver::WindowMaker maker;
};

const std::string b = "proto=\"udp\",source=\"a\",target=\"b\"";

TEST_CASE("store: what is probed is there from the start, with zeros") {
    Fixture fixture({target("b")});
    const std::string text = fixture.text();
    CHECK(has_line(text, "latmon_rtt_seconds_count{" + b + "} 0"));
    CHECK(has_line(text, "latmon_rtt_seconds_bucket{" + b + ",le=\"1e-06\"} 0"));
    CHECK(has_line(text, "latmon_owd_seconds_count{" + b + ",direction=\"rev\"} 0"));
    CHECK(has_line(text, "latmon_probes_lost_total{" + b + ",status=\"lost_reverse\"} 0"));
    // What is not known is not 0.
    CHECK(text.find("latmon_target_up") == std::string::npos);
    CHECK(text.find("latmon_jitter_seconds") == std::string::npos);
}

TEST_CASE("store: windows add up, and sent is received and lost") {
    Fixture fixture({target("b")});
    fixture.feed({probe(0, 150'000), probe(0, 0, LATMON_STATUS_LOST_FORWARD)});
    fixture.feed({probe(0, 250'000), probe(0, 0, LATMON_STATUS_LOST_LOCAL_RX),
                  probe(0, 0, LATMON_STATUS_LOCAL_ERROR), probe(0, 0, LATMON_STATUS_LATE)},
                 start_ns + second_ns);
    const std::string text = fixture.text();
    CHECK(has_line(text, "latmon_probes_sent_total{" + b + "} 4"));
    CHECK(has_line(text, "latmon_probes_received_total{" + b + "} 2"));
    CHECK(has_line(text, "latmon_probes_lost_total{" + b + ",status=\"lost_forward\"} 1"));
    CHECK(has_line(text, "latmon_probes_lost_total{" + b + ",status=\"lost_local_rx\"} 1"));
    CHECK(has_line(text, "latmon_probes_unsent_total{" + b + "} 1"));
    CHECK(has_line(text, "latmon_probes_late_total{" + b + "} 1"));
    CHECK(has_line(text, "latmon_rtt_seconds_sum{" + b + "} 0.0004"));
    CHECK(has_line(text, "latmon_rtt_seconds_bucket{" + b + ",le=\"0.0002\"} 1"));
    CHECK(has_line(text, "latmon_rtt_seconds_bucket{" + b + ",le=\"+Inf\"} 2"));
}

TEST_CASE("store: a target is up by its last window that says so") {
    Fixture fixture({target("b")});
    fixture.feed({probe(0, 1), probe(0, 0, LATMON_STATUS_LOST)});
    CHECK(has_line(fixture.text(), "latmon_target_up{" + b + "} 1"));
    fixture.feed({probe(0, 0, LATMON_STATUS_LOST)}, start_ns + second_ns);
    CHECK(has_line(fixture.text(), "latmon_target_up{" + b + "} 0"));
    fixture.feed({probe(0, 0, LATMON_STATUS_DUPLICATE)}, start_ns + 2 * second_ns);
    CHECK(has_line(fixture.text(), "latmon_target_up{" + b + "} 0"));
}

TEST_CASE("store: of windows of several lengths the shortest are added up, whoever comes first") {
    Fixture fixture({target("b")});
    const std::string one = "latmon_probes_sent_total{" + b + "} 1";
    SUBCASE("the longer one first, in a call of its own") {
        fixture.feed({probe(0, 1)}, start_ns, 60 * second_ns);
        CHECK(has_line(fixture.text(), one));
        fixture.feed({probe(0, 1)}, start_ns + 59 * second_ns);
        CHECK(has_line(fixture.text(), one));
    }
    SUBCASE("the shorter one first") {
        fixture.feed({probe(0, 1)}, start_ns + 59 * second_ns);
        fixture.feed({probe(0, 1)}, start_ns, 60 * second_ns);
        CHECK(has_line(fixture.text(), one));
    }
    fixture.feed({probe(0, 1)}, start_ns + 60 * second_ns);
    fixture.feed({probe(0, 1)}, start_ns + 60 * second_ns, 5 * second_ns);
    CHECK(has_line(fixture.text(), "latmon_probes_sent_total{" + b + "} 2"));
}

TEST_CASE("store: minutes alone are enough, if the operator wants no more") {
    Fixture fixture({target("b")});
    fixture.feed({probe(0, 1)}, start_ns, 60 * second_ns);
    fixture.feed({probe(0, 1)}, start_ns + 60 * second_ns, 60 * second_ns);
    CHECK(has_line(fixture.text(), "latmon_probes_sent_total{" + b + "} 2"));
}

TEST_CASE("store: a clock that was set back loses no window") {
    Fixture fixture({target("b")});
    fixture.feed({probe(0, 1)}, start_ns + 3'600 * second_ns);
    fixture.feed({probe(0, 1)}, start_ns);
    CHECK(has_line(fixture.text(), "latmon_probes_sent_total{" + b + "} 2"));
}

TEST_CASE("store: an objective is there from the start, with zeros, and without a verdict") {
    SeriesText promised = target("b");
    promised.objective_ratio = 0.99;
    promised.objective_rtt_ns = 200'000;
    Fixture fixture({promised});
    const std::string text = fixture.text();
    CHECK(has_line(text, "latmon_objective_probes_total{" + b + "} 0"));
    CHECK(has_line(text, "latmon_objective_good_total{" + b + "} 0"));
    CHECK(has_line(text, "latmon_objective_ratio{" + b + "} 0.99"));
    CHECK(has_line(text, "latmon_objective_threshold_seconds{" + b + "} 0.0002"));
    CHECK(text.find("latmon_objective_kept{") == std::string::npos);
}

TEST_CASE("store: an objective is counted by windows and judged by minutes") {
    Fixture fixture({target("b")});
    const auto feed = [&](std::int64_t length_ns, std::uint64_t good, std::uint64_t count = 100) {
        fixture.maker.take(probe(0, 1));
        latmon_window_t window = *fixture.maker.windows(start_ns, length_ns).front();
        window.valid |= LATMON_WINDOW_HAS_OBJECTIVE;
        window.objective_ratio = 0.99;
        window.objective_rtt_ns = 200'000;
        window.objective_count = count;
        window.objective_good = good;
        if (good >= 99) window.valid |= LATMON_WINDOW_KEEPS_OBJECTIVE;
        const latmon_window_t* const windows[] = {&window};
        fixture.store.take(windows, start_ns);
    };
    feed(second_ns, 99);
    CHECK(fixture.text().find("latmon_objective_kept") == std::string::npos);
    feed(60 * second_ns, 99);
    CHECK(has_line(fixture.text(), "latmon_objective_kept{" + b + "} 1"));
    feed(60 * second_ns, 98);
    const std::string text = fixture.text();
    CHECK(has_line(text, "latmon_objective_kept{" + b + "} 0"));
    CHECK(has_line(text, "latmon_objective_probes_total{" + b + "} 100"));
    CHECK(has_line(text, "latmon_objective_good_total{" + b + "} 99"));
    CHECK(has_line(text, "latmon_objective_ratio{" + b + "} 0.99"));
    CHECK(has_line(text, "latmon_objective_threshold_seconds{" + b + "} 0.0002"));
    // Nothing was judged: the last verdict does not stand for it.
    feed(60 * second_ns, 0, 0);
    CHECK(fixture.text().find("latmon_objective_kept{") == std::string::npos);
    CHECK(has_line(fixture.text(), "latmon_objective_probes_total{" + b + "} 100"));
}

TEST_CASE("store: a percentile that was lost is longer than anything, and never 0") {
    Fixture fixture({target("b")});
    fixture.maker.take(probe(0, 1'000));
    latmon_window_t window = *fixture.maker.windows(start_ns, 60 * second_ns).front();
    window.percentile_valid = 1U << LATMON_P50;
    window.rtt_percentile_ns[LATMON_P50] = 1'000;
    const latmon_window_t* const windows[] = {&window};
    fixture.store.take(windows, start_ns);
    const std::string text = scrape(fixture.store, fixture.format, Exposition::text, true);
    CHECK(has_line(text, "latmon_rtt_percentile_seconds{" + b + ",percentile=\"p50\"} 0.000001"));
    CHECK(has_line(text, "latmon_rtt_percentile_seconds{" + b + ",percentile=\"p99\"} +Inf"));
    CHECK(fixture.text().find("percentile") == std::string::npos);
}

TEST_CASE("store: a minute of which all was left out has no percentile, not even a lost one") {
    Fixture fixture({target("b")});
    const auto percentiles = [&](std::uint64_t lost_left_out) {
        fixture.maker.take(probe(0, 1'000));
        fixture.maker.take(probe(0, 0, LATMON_STATUS_LOST));
        latmon_window_t window = *fixture.maker.windows(start_ns, 60 * second_ns).front();
        window.rtt = {};
        window.left_out = 1 + lost_left_out;
        window.lost_left_out = lost_left_out;
        const latmon_window_t* const windows[] = {&window};
        fixture.store.take(windows, start_ns);
        return scrape(fixture.store, fixture.format, Exposition::text, true);
    };
    const std::string p50 = "latmon_rtt_percentile_seconds{" + b + ",percentile=\"p50\"}";
    CHECK(has_line(percentiles(0), p50 + " +Inf"));
    CHECK(percentiles(1).find(p50) == std::string::npos);
}

TEST_CASE("store: tags that are one label are mended and told once, at the start as later") {
    SeriesText clash = target("b");
    clash.tags = {"isp-name:x", "isp_name:y"};
    SeriesText late = clash;
    late.target = "c";
    const std::string mended = "isp_name=\"x\",isp_name_2=\"y\"}";
    Fixture fixture({clash});
    CHECK(fixture.text().find("target=\"b\"," + mended) != std::string::npos);
    CHECK(fixture.host.counter("labels_mended_total") == 1);
    CHECK(fixture.host.log_text() ==
          "[WARNING] target b (udp): the tags \"isp-name:x\" and \"isp_name:y\" are one label to "
          "Prometheus, isp_name: the second gets a number at its end; rename one of them\n");
    const std::uint32_t ids[] = {fixture.host.add_series(late)};
    fixture.store.add(ids, start_ns);
    fixture.store.add(ids, start_ns);
    CHECK(fixture.text().find("target=\"c\"," + mended) != std::string::npos);
    CHECK(fixture.host.counter("labels_mended_total") == 2);
    const std::string log = fixture.host.log_text();
    CHECK(std::ranges::count(log, '\n') == 2);
}

TEST_CASE("store: what a peer says of itself is mended, and is no mistake of this node") {
    SeriesText peer{.kind = LATMON_KIND_REFLECTION, .source = "them", .target = "a"};
    peer.tags = {"a-b:1", "a_b:2"};
    peer.flags = LATMON_SERIES_PEER;
    Fixture fixture({target("b"), peer});
    CHECK(fixture.host.log_text().empty());
    latmon_sample_t reflection = probe(1, 0);
    reflection.kind = LATMON_KIND_REFLECTION;
    fixture.feed({reflection});
    fixture.feed({reflection}, start_ns + second_ns);
    CHECK(fixture.text().find("a_b=\"1\",a_b_2=\"2\"") != std::string::npos);
    CHECK(fixture.host.log_text() ==
          "[WARNING] peer them, by what it says of itself: the tags \"a-b:1\" and \"a_b:2\" are "
          "one label to Prometheus, a_b: the second gets a number at its end; rename one of "
          "them\n");
}

TEST_CASE("store: what is removed is gone at once, and starts from zero when it is back") {
    Fixture fixture({target("b"), target("c")});
    fixture.feed({probe(0, 1), probe(1, 1)});
    const std::uint32_t ids[] = {0};
    fixture.store.remove(ids);
    CHECK(fixture.text().find("target=\"b\"") == std::string::npos);
    CHECK(fixture.text().find("target=\"c\"") != std::string::npos);
    fixture.store.add(ids, start_ns + 5 * second_ns);
    CHECK(has_line(fixture.text(), "latmon_probes_sent_total{" + b + "} 0"));
    fixture.format.now_ns = start_ns + 6 * second_ns;
    CHECK(has_line(scrape(fixture.store, fixture.format, Exposition::open_metrics),
                   "latmon_probes_sent_created{" + b + "} 1700000045"));
}

TEST_CASE("store: series that nobody announced are there from their first window on") {
    Fixture fixture({target("b")});
    const std::uint32_t peer = fixture.host.add_series({.kind = LATMON_KIND_REFLECTION,
                                                        .source = "peer",
                                                        .target = "a",
                                                        .flags = LATMON_SERIES_PEER});
    latmon_sample_t sample = probe(peer, 0);
    sample.kind = LATMON_KIND_REFLECTION;
    sample.valid = LATMON_HAS_OWD_FWD;
    sample.owd_class = LATMON_OWD_ESTIMATED;
    sample.owd_fwd_ns = 1'000;
    fixture.feed({sample});
    const std::string labels = "{proto=\"udp\",source=\"peer\",target=\"a\"}";
    CHECK(has_line(fixture.text(), "latmon_reflections_total" + labels + " 1"));
    CHECK(has_line(fixture.text(), "latmon_reflected_owd_seconds_count" + labels + " 1"));
}

TEST_CASE("store: an application's records are told by their own names") {
    Fixture fixture({});
    const auto add = [&](latmon_kind_t kind, const char* name) -> std::uint32_t {
        return fixture.host.add_series({.kind = kind,
                                        .protocol = LATMON_PROTOCOL_NONE,
                                        .name = name,
                                        .source = "a",
                                        .target = "shop"});
    };
    latmon_window_t windows[3]{};
    windows[0].series_id = add(LATMON_KIND_COUNTER, "orders_total");
    windows[0].value_sum = 5;
    windows[1].series_id = add(LATMON_KIND_GAUGE, "depth-of-queue");
    windows[1].value_last = 2.5;
    windows[2].series_id = add(LATMON_KIND_TIMING, "checkout_ns");
    for (latmon_window_t& window : windows) {
        window.length_ns = second_ns;
        window.valid = LATMON_WINDOW_HAS_VALUE;
        const latmon_window_t* const shown[] = {&window};
        fixture.store.take(shown, start_ns);
    }
    const std::string labels = "{source=\"a\",target=\"shop\"}";
    CHECK(has_line(fixture.text(), "app_orders_total" + labels + " 5"));
    CHECK(has_line(fixture.text(), "app_depth_of_queue" + labels + " 2.5"));
    CHECK(has_line(fixture.text(), "app_checkout_seconds_count" + labels + " 0"));
}

TEST_CASE("store: a counter of a node has the last value, by core, until its series is gone") {
    Fixture fixture({{.kind = LATMON_KIND_NODE,
                      .protocol = LATMON_PROTOCOL_NONE,
                      .name = "cpu_ns_total",
                      .source = "a"}});
    fixture.feed_node(0, 1'500);
    fixture.feed_node(0, 2'500);
    fixture.feed_node(0, 7, 1);
    CHECK(has_line(fixture.text(), "# TYPE latmon_cpu_seconds_total counter"));
    CHECK(has_line(fixture.text(), "# HELP latmon_cpu_seconds_total CPU time of the core-thread."));
    CHECK(has_line(fixture.text(), "latmon_cpu_seconds_total{core=\"0\"} 0.0000025"));
    CHECK(has_line(fixture.text(), "latmon_cpu_seconds_total{core=\"1\"} 0.000000007"));
    const std::uint32_t ids[] = {0};
    fixture.store.remove(ids);
    CHECK(fixture.text().find("latmon_cpu") == std::string::npos);
}

TEST_CASE("store: the clock of a path that came as a twin has the labels of that path") {
    Fixture fixture({target("b")});
    const auto add_clock = [&](std::uint16_t port) {
        return fixture.host.add_series({.kind = LATMON_KIND_NODE,
                                        .name = "clock_offset_ns",
                                        .source = "a",
                                        .target = "b",
                                        .port = port});
    };
    fixture.feed_node(add_clock(8'001), 5);
    SeriesText second = target("b");
    second.port = 8'002;
    const std::uint32_t twin = fixture.host.add_series(second);
    const std::uint32_t clock = add_clock(second.port);
    const std::uint32_t ids[] = {twin, clock};
    fixture.store.add(ids, start_ns);
    fixture.feed_node(clock, 7);
    std::string text = fixture.text();
    CHECK(has_line(text, "latmon_clock_offset_seconds{" + b + ",core=\"0\"} 0.000000005"));
    CHECK(has_line(text,
                   "latmon_clock_offset_seconds{" + b + ",port=\"8002\",core=\"0\"} 0.000000007"));
    // What has no path of its own in front of it is no twin's.
    fixture.feed_node(add_clock(8'003), 9);
    text = fixture.text();
    CHECK(text.find("port=\"8002\",core=\"0\"} 0.000000009") == std::string::npos);
}

TEST_CASE("store: a scrape sees one moment, whatever comes meanwhile") {
    Fixture fixture({target("b")});
    fixture.feed({probe(0, 1)});
    const Store::Snapshot before(fixture.store);
    fixture.feed({probe(0, 1)}, start_ns + second_ns);
    const std::uint32_t ids[] = {0};
    fixture.store.remove(ids);
    CHECK(before.paths().front()->answered == 1);
}

TEST_CASE("store: scrapes beside windows tear nothing apart") {
    Fixture fixture({target("b"), target("c")});
    std::atomic<bool> is_over = false;
    std::thread scraper([&] {
        while (!is_over) {
            const Store::Snapshot snapshot(fixture.store);
            for (const auto& path : snapshot.paths()) {
                CHECK(path->times[0].count == path->answered);
                CHECK(path->statuses[LATMON_STATUS_OK] == path->answered);
            }
        }
    });
    for (int round = 0; round < 2'000; ++round) {
        fixture.feed({probe(0, 100'000 + round), probe(1, 200'000 + 7 * round)},
                     start_ns + round * second_ns);
    }
    is_over = true;
    scraper.join();
    CHECK(has_line(fixture.text(), "latmon_probes_sent_total{" + b + "} 2000"));
}

}  // namespace
}  // namespace latmon::plugins::prometheus
