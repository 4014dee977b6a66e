// SPDX-License-Identifier: Apache-2.0
//
// Claims about the thread of the statistics: what it is before it has queues, and what it tells of
// samples that it could not put where they belong.
#include "daemon/stats_thread.hpp"

#include <doctest/doctest.h>
#include <algorithm>

namespace latmon {
namespace {

const OsClock clock;
constexpr WallTime start{1'800'000'000'000'000'000};

Sample sample_of(std::uint32_t series_id, WallTime time) {
    Sample sample{};
    sample.series_id = series_id;
    sample.kind = LATMON_KIND_EXCHANGE;
    sample.status = LATMON_STATUS_OK;
    sample.time_ns = time.ns;
    return sample;
}

std::uint64_t figure(const StatsThread& stats, std::string_view name) {
    const auto found = std::ranges::find(stats_series_names, name);
    REQUIRE(found != stats_series_names.end());
    return stats.figures()[static_cast<std::size_t>(found - stats_series_names.begin())].load();
}

TEST_CASE("stats_thread: without queues it knows no series and keeps nobody waiting") {
    StatsThread stats(clock, {});
    const TargetConfig target;
    const std::array series{SeriesBegin{1, LATMON_KIND_EXCHANGE, &target}};
    const std::array<std::uint32_t, 1> ids{1};
    const auto count = [&stats] {
        std::size_t known = 0;
        stats.with([&known](const Aggregator& aggregator) { known = aggregator.series_count(); });
        return known;
    };
    stats.begin(series);
    stats.end(ids);
    CHECK(stats.has_ended());
    CHECK(count() == 0);
    CHECK(stats.queue(0) == nullptr);
    stats.make_queues(2, 64);
    CHECK(stats.queue(1) != nullptr);
    stats.begin(series);
    CHECK(count() == 1);
    stats.end(ids);
    CHECK(stats.has_ended());
    CHECK(count() == 0);
}

TEST_CASE("stats_thread: what is left out or out of place is told by its name") {
    StatsThread stats(clock, {.undefined_series_max = 2});
    stats.make_queues(1, 64);
    const std::array<std::uint32_t, 1> gone{9};
    stats.end(gone);
    CHECK(stats.has_ended());
    for (std::uint32_t series_id = 1; series_id <= 5; ++series_id)
        stats.queue(0)->emit(sample_of(series_id, start));
    stats.queue(0)->emit(sample_of(9, start));
    stats.queue(0)->emit(sample_of(1, start - Duration::from_s(1)));
    stats.queue(0)->emit(sample_of(9, start));
    stats.start({});
    stats.drain_and_stop();
    CHECK(figure(stats, "stats_refused_samples_total") == 3);
    CHECK(figure(stats, "stats_after_end_samples_total") == 2);
    CHECK(figure(stats, "stats_out_of_place_samples_total") == 1);
}

}  // namespace
}  // namespace latmon
