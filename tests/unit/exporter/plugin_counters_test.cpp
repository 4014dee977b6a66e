// SPDX-License-Identifier: Apache-2.0
//
// Counters of an exporter's own, without a plugin: names, room, and that they stay where they are.
#include "exporter/plugin_counters.hpp"

#include <doctest/doctest.h>
#include <set>
#include <thread>

namespace latmon {

TEST_CASE("plugin_counters: a counter is made once for a name, begins at 0 and stays put") {
    SeriesRegistry registry("here");
    PluginCounters counters(registry, "push");
    latmon_counter* const retries = counters.find_or_add("retries_total");
    REQUIRE(retries != nullptr);
    latmon_counter* const queue = counters.find_or_add("queue_samples");
    CHECK(queue != retries);
    CHECK(counters.find_or_add("retries_total") == retries);
    CHECK(counters.count() == 2);
    CHECK(counters.exporter() == "push");
    CHECK(counters.name(0) == "retries_total");
    CHECK(counters.name(1) == "queue_samples");
    CHECK(counters.value(0) == 0);
    queue->value.store(7);
    CHECK(counters.value(0) == 0);
    CHECK(counters.value(1) == 7);
}

TEST_CASE("plugin_counters: each has a series of the node, about the exporter") {
    SeriesRegistry registry("here");
    PluginCounters counters(registry, "push");
    REQUIRE(counters.find_or_add("retries_total") != nullptr);
    REQUIRE(counters.find_or_add("size_bytes") != nullptr);
    counters.close();
    const std::uint32_t id = counters.series_id(1);
    CHECK(registry.find(id) == nullptr);
    CHECK(counters.begin_series() == std::vector<std::uint32_t>{counters.series_id(0), id});
    CHECK(counters.begin_series().empty());
    const latmon_series_t* const series = registry.find(id);
    REQUIRE(series != nullptr);
    CHECK(series->kind == LATMON_KIND_NODE);
    CHECK(series->name == std::string("exporter_size_bytes"));
    CHECK(series->source == std::string("here"));
    CHECK(series->target == std::string("push"));
    CHECK(counters.end_series().size() == 2);
    CHECK(counters.end_series().empty());
    CHECK(registry.find(id, registry.epoch()) == nullptr);
}

TEST_CASE("plugin_counters: an exporter that comes back has the ids of before") {
    SeriesRegistry registry("here");
    std::uint32_t before = 0;
    for (int round = 0; round < 3; ++round) {
        PluginCounters counters(registry, "push");
        static_cast<void>(counters.find_or_add("retries_total"));
        if (round == 0) before = counters.series_id(0);
        CHECK(counters.series_id(0) == before);
    }
}

TEST_CASE("plugin_counters: names are 1 to 64 of a-z, 0-9 and '_'") {
    SeriesRegistry registry("here");
    PluginCounters counters(registry, "push");
    for (const char* const name :
         {"", "Retries_total", "retries-total", "retries total", "caf\u00e9_total", "a\n", "a.b"}) {
        CHECK_MESSAGE(counters.find_or_add(name) == nullptr, name);
    }
    CHECK(counters.find_or_add(std::string(65, 'a')) == nullptr);
    CHECK(counters.find_or_add(std::string_view("a\0", 2)) == nullptr);
    CHECK(counters.count() == 0);
    CHECK(counters.find_or_add(std::string(64, 'a')) != nullptr);
    CHECK(counters.find_or_add("_0z9_total") != nullptr);
}

TEST_CASE("plugin_counters: there is room for as many as the ABI says, and those go on counting") {
    SeriesRegistry registry("here");
    PluginCounters counters(registry, "push");
    std::set<latmon_counter*> all;
    for (std::uint32_t index = 0; index < LATMON_COUNTERS_MAX; ++index) {
        all.insert(counters.find_or_add("c" + std::to_string(index)));
    }
    CHECK(all.size() == LATMON_COUNTERS_MAX);
    CHECK(all.count(nullptr) == 0);
    CHECK(counters.find_or_add("one_more") == nullptr);
    CHECK(counters.find_or_add("c7") != nullptr);
    CHECK(counters.count() == LATMON_COUNTERS_MAX);
}

TEST_CASE("plugin_counters: after create() no counter is made, but those there are are found") {
    SeriesRegistry registry("here");
    PluginCounters counters(registry, "push");
    latmon_counter* const retries = counters.find_or_add("retries_total");
    counters.close();
    CHECK(counters.find_or_add("late_total") == nullptr);
    CHECK(counters.find_or_add("retries_total") == retries);
    CHECK(counters.count() == 1);
}

TEST_CASE("plugin_counters: what several threads add is summed, while another reads") {
    SeriesRegistry registry("here");
    PluginCounters counters(registry, "push");
    latmon_counter* const retries = counters.find_or_add("retries_total");
    constexpr std::uint64_t each = 20'000;
    const auto add = [retries] {
        for (std::uint64_t time = 0; time < each; ++time)
            retries->value.fetch_add(1, std::memory_order_relaxed);
    };
    std::thread one(add);
    std::thread other(add);
    std::uint64_t before = 0;
    bool is_growing = true;
    while (before < 2 * each) {
        const std::uint64_t now = counters.value(0);
        is_growing = is_growing && now >= before;
        before = now;
        std::this_thread::yield();
    }
    one.join();
    other.join();
    CHECK(is_growing);
    CHECK(counters.value(0) == 2 * each);
}

}  // namespace latmon
