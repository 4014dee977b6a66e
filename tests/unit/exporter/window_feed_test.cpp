// SPDX-License-Identifier: Apache-2.0
//
// Windows from the aggregator's end of their queue to a plugin that takes them.
#include "exporter/window_feed.hpp"

#include "support/spy_exporter.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

latmon_window_t window_of(std::int64_t length_s, const std::vector<latmon_bucket_t>& buckets) {
    latmon_window_t window{};
    window.struct_size = sizeof(window);
    window.length_ns = length_s * 1'000'000'000;
    window.samples = 7;
    window.buckets = buckets.data();
    window.bucket_count = static_cast<std::uint32_t>(buckets.size());
    return window;
}

TEST_CASE("window_feed: windows of the lengths asked for come whole, and are accounted for") {
    Spy spy;
    ExporterConfig config = config_of(spy);
    config.window_lengths = window_1s_bit | window_60s_bit;
    const std::unique_ptr<Exporter> exporter = open_exporter(config);
    REQUIRE(exporter->windows() != nullptr);
    const std::vector<latmon_bucket_t> few{{-5, 1}, {9, 6}};
    std::vector<latmon_bucket_t> many;  // More than two blocks.
    for (std::int32_t index = 0; index < 100; ++index)
        many.push_back({index, 1});
    exporter->windows()->emit(window_of(1, few));
    exporter->windows()->emit(window_of(5, few));
    exporter->windows()->emit(window_of(60, many));
    CHECK(exporter->accounts().windows.queued == 2);
    exporter->start({});
    REQUIRE(exporter->drain_and_stop(ample));
    CHECK(exporter->accounts().windows.made == 2);
    CHECK(exporter->accounts().windows.exported == 2);
    CHECK(exporter->accounts().windows.queued == 0);
    REQUIRE(spy.windows.size() == 2);
    CHECK(spy.windows[0].length_ns == 1'000'000'000);
    CHECK(spy.windows[1].samples == 7);
    CHECK(spy.buckets[0].size() == 2);
    CHECK(spy.buckets[0][0].index == -5);
    REQUIRE(spy.buckets[1].size() == 100);
    CHECK(spy.buckets[1][99].index == 99);
}

TEST_CASE("window_feed: without `windows` and a plugin's wish for them there are none") {
    Spy spy;
    CHECK(open_exporter(config_of(spy))->windows() == nullptr);
    ExporterConfig null = config_of(spy);
    null.plugin = "null";
    null.options.clear();
    null.window_lengths = window_1s_bit;
    CHECK(refusal(null).find("takes samples alone") != std::string::npos);
}

TEST_CASE(
    "window_feed: windows that find no room are dropped and counted, those queued come whole") {
    Spy spy;
    ExporterConfig config = config_of(spy);
    config.window_lengths = window_1s_bit;
    const std::unique_ptr<Exporter> exporter = open_exporter(config);
    const std::vector<latmon_bucket_t> buckets(5'000, latmon_bucket_t{3, 1});
    for (int count = 0; count < 200; ++count)
        exporter->windows()->emit(window_of(1, buckets));
    const std::uint64_t dropped = exporter->accounts().windows.dropped;
    CHECK(dropped > 0);
    exporter->start({});
    REQUIRE(exporter->drain_and_stop(ample));
    CHECK(exporter->accounts().windows.exported == 200 - dropped);
    REQUIRE(spy.buckets.size() == 200 - dropped);
    for (const std::vector<latmon_bucket_t>& seen : spy.buckets)
        CHECK(seen.size() == 5'000);
}

}  // namespace
}  // namespace latmon
