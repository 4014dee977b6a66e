// SPDX-License-Identifier: Apache-2.0
//
// What a plugin sees through latmon_host_t, by calling it as a plugin would. No plugin is loaded:
// exporter_test.cpp does that.
#include "exporter/host.hpp"

#include "base/log.hpp"
#include "support/scratch_directory.hpp"

#include <doctest/doctest.h>
#include <array>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace latmon {
namespace {

SeriesTable two_series() {
    SeriesTable table(2);
    table[0] = {.kind = LATMON_KIND_EXCHANGE,
                .protocol = LATMON_PROTOCOL_UDP,
                .name = "",
                .source = "here",
                .target = "there",
                .host = "192.0.2.1",
                .tags = {"isp:a", "rack:7"},
                .port = 8001,
                .interval = Duration::from_ms(10),
                .timeout = Duration::from_s(1),
                .flags = LATMON_SERIES_NO_RTT};
    table[1].kind = LATMON_KIND_NODE;
    table[1].name = "samples_dropped";
    table[1].source = "here";
    return table;
}

TEST_CASE("host: a series is what the table says, and stays where it is") {
    const SeriesTable table = two_series();
    const Host host("", table);
    const latmon_host_t* const abi = host.table();
    CHECK(abi->struct_size == sizeof(latmon_host_t));
    CHECK(abi->abi_version == LATMON_ABI_VERSION);
    CHECK(abi->series_count(abi) == 2);

    const latmon_series_t* const series = abi->series(abi, 0);
    REQUIRE(series != nullptr);
    CHECK(series->struct_size == sizeof(latmon_series_t));
    CHECK(series->series_id == 0);
    CHECK(series->kind == LATMON_KIND_EXCHANGE);
    CHECK(series->protocol == LATMON_PROTOCOL_UDP);
    CHECK(series->port == 8001);
    CHECK(series->source == std::string("here"));
    CHECK(series->target == std::string("there"));
    CHECK(series->host == std::string("192.0.2.1"));
    CHECK(series->name == std::string(""));
    REQUIRE(series->tags_count == 2);
    CHECK(series->tags[0] == std::string("isp:a"));
    CHECK(series->tags[1] == std::string("rack:7"));
    CHECK(series->interval_ns == 10'000'000);
    CHECK(series->timeout_ns == 1'000'000'000);
    CHECK(series->flags == LATMON_SERIES_NO_RTT);
    CHECK(abi->series(abi, 0) == series);

    REQUIRE(abi->series(abi, 1) != nullptr);
    CHECK(abi->series(abi, 1)->name == std::string("samples_dropped"));
    CHECK(abi->series(abi, 1)->series_id == 1);
    CHECK(abi->series(abi, 1)->target == std::string(""));
}

TEST_CASE("host: a series id that there is not is NULL") {
    const SeriesTable table = two_series();
    const Host host("", table);
    CHECK(host.table()->series(host.table(), 2) == nullptr);
    CHECK(host.table()->series(host.table(), UINT32_MAX) == nullptr);
}

TEST_CASE("host: an extension that there is not is NULL") {
    const SeriesTable table;
    const Host host("", table);
    const latmon_host_t* const abi = host.table();
    CHECK(abi->extension(abi, "latmon.windows/9") == nullptr);
    CHECK(abi->extension(abi, LATMON_COUNTERS_1) == nullptr);
    CHECK(abi->extension(abi, nullptr) == nullptr);
}

// A table of two and, behind it, room for one exporter's counters and one core's peers.
struct LateBench {
    SeriesTable table = two_series();
    std::vector<std::string> exporters{"push"};
    LateSeries late{2, "here", {.exporters = exporters, .cores = 1}};
    Host host{"", {table, &late}, late.counters_of("push")};
    const latmon_host_t* abi = host.table();
};

TEST_CASE("host: a series that comes late is NULL before, and then stays where it is") {
    LateBench bench;
    const latmon_host_t* const abi = bench.abi;
    CHECK(abi->series_count(abi) == bench.late.end_id());
    const std::uint32_t id = bench.late.peers(0).first_id();
    CHECK(abi->series(abi, id) == nullptr);
    const std::array<std::string_view, 1> tags{"site:home"};
    const auto add = [&](std::string_view name) {
        return bench.late.peers(0).find_or_add(
            {.protocol = LATMON_PROTOCOL_UDP, .name = name, .tags = tags});
    };
    REQUIRE(add("web1") == id);
    const latmon_series_t* const series = abi->series(abi, id);
    REQUIRE(series != nullptr);
    for (int more = 0; more < 1'000; ++more) {
        const std::string name = "more" + std::to_string(more);
        REQUIRE(abi->series(abi, *add(name))->source == name);
    }
    CHECK(abi->series(abi, id) == series);
    CHECK(series->struct_size == sizeof(latmon_series_t));
    CHECK(series->series_id == id);
    CHECK(series->kind == LATMON_KIND_REFLECTION);
    CHECK(series->protocol == LATMON_PROTOCOL_UDP);
    CHECK(series->flags == LATMON_SERIES_PEER);
    CHECK(series->source == std::string("web1"));
    CHECK(series->target == std::string("here"));
    CHECK(series->host == std::string(""));
    CHECK(series->name == std::string(""));
    REQUIRE(series->tags_count == 1);
    CHECK(series->tags[0] == std::string("site:home"));
    CHECK(abi->series(abi, bench.late.end_id()) == nullptr);
    CHECK(abi->series(abi, UINT32_MAX) == nullptr);
}

TEST_CASE("host: two threads that ask for a late series get the same, while others are added") {
    LateBench bench;
    constexpr std::uint32_t count = 500;
    const std::uint32_t first = bench.late.peers(0).first_id();
    using Seen = std::vector<const latmon_series_t*>;
    Seen seen[2]{Seen(count), Seen(count)};
    const auto look = [&bench, first](Seen& mine) {
        for (std::uint32_t index = 0; index < count;) {
            mine[index] = bench.host.series(first + index);
            mine[index] == nullptr ? std::this_thread::yield() : static_cast<void>(++index);
        }
    };
    std::thread one(look, std::ref(seen[0]));
    std::thread other(look, std::ref(seen[1]));
    for (std::uint32_t index = 0; index < count; ++index) {
        const std::string name = "peer" + std::to_string(index);
        static_cast<void>(bench.late.peers(0).find_or_add({.name = name, .tags = {}}));
    }
    one.join();
    other.join();
    CHECK(seen[0] == seen[1]);
    CHECK(seen[0][count - 1]->source == "peer" + std::to_string(count - 1));
}

TEST_CASE("host: counters are made, added to and set as the plugin says") {
    LateBench bench;
    const latmon_host_t* const abi = bench.abi;
    const auto* const functions =
        static_cast<const latmon_counters_t*>(abi->extension(abi, "latmon.counters/1"));
    REQUIRE(functions != nullptr);
    CHECK(abi->extension(abi, "latmon.counters/2") == nullptr);
    latmon_counter_t* const retries = functions->counter(abi, "retries_total");
    REQUIRE(retries != nullptr);
    CHECK(functions->counter(abi, "retries_total") == retries);
    CHECK(functions->counter(abi, "Not this") == nullptr);
    CHECK(functions->counter(abi, nullptr) == nullptr);
    functions->add(retries, 2);
    functions->add(retries, 3);
    functions->add(nullptr, 1);
    functions->set(nullptr, 1);
    const PluginCounters& counters = *bench.late.counters_of("push");
    CHECK(counters.value(0) == 5);
    functions->set(retries, 1);
    CHECK(counters.value(0) == 1);
    const latmon_series_t* const series = abi->series(abi, counters.first_id());
    REQUIRE(series != nullptr);
    CHECK(series->kind == LATMON_KIND_NODE);
    CHECK(series->name == std::string("exporter_retries_total"));
    CHECK(series->target == std::string("push"));
    CHECK(abi->series(abi, counters.first_id() + 1) == nullptr);
}

TEST_CASE("host: options are answered from the exporter's table") {
    ExporterConfig config;
    config.options.emplace_back("queue", OptionValue{.value = std::int64_t{7}, .where = {}});
    Options options(config, "f.toml");
    const latmon_options_t handle{&options};
    const SeriesTable table;
    const Host host("", table);
    const latmon_host_t* const abi = host.table();
    CHECK(abi->option_int(&handle, "queue", 1, 1, 9) == 7);
    CHECK(abi->option_string(&handle, "path", "none") == std::string("none"));
    CHECK(abi->option_bool(&handle, "flag", true));
    CHECK(abi->option_float(&handle, "queue", 1, 1, 9) == 7.0);
    CHECK(abi->option_list_item(&handle, "hosts", 0) == nullptr);
    CHECK(abi->option_string(&handle, nullptr, "none") == std::string("none"));
}

TEST_CASE("host: lines are marked, levels kept, and control characters harmless") {
    const test::ScratchDirectory directory;
    REQUIRE(log::open(log::Level::info, directory.file("log")));
    const SeriesTable table;
    const Host host("exporter fast: ", table);
    const latmon_host_t* const abi = host.table();
    CHECK(abi->log_enabled(abi, LATMON_LOG_INFO));
    CHECK_FALSE(abi->log_enabled(abi, LATMON_LOG_DEBUG));
    abi->log(abi, LATMON_LOG_DEBUG, "not seen");
    abi->log(abi, LATMON_LOG_INFO, "one\ntwo");
    abi->log(abi, LATMON_LOG_CRITICAL, "fire");
    abi->log(abi, LATMON_LOG_ERROR, nullptr);
    const std::string text = test::read_text(directory.file("log"));
    CHECK(text.find("not seen") == std::string::npos);
    CHECK(text.find("[INFO] exporter fast: one?two\n") != std::string::npos);
    CHECK(text.find("[CRITICAL] exporter fast: fire\n") != std::string::npos);
}

TEST_CASE("host: the last complaint is the last line of warning or above") {
    const SeriesTable table;
    const Host host("exporter fast: ", table);
    const latmon_host_t* const abi = host.table();
    CHECK(host.last_complaint().empty());
    abi->log(abi, LATMON_LOG_INFO, "hello");
    CHECK(host.last_complaint().empty());
    abi->log(abi, LATMON_LOG_ERROR, "first");
    abi->log(abi, LATMON_LOG_WARNING, "second");
    abi->log(abi, LATMON_LOG_DEBUG, "third");
    CHECK(host.last_complaint() == "second");
}

}  // namespace
}  // namespace latmon
