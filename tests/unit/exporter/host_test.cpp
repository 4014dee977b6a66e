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

// A registry of two series and one exporter's counters.
struct CounterBench {
    CounterBench() {
        for (const Series& series : two_series())
            registry.begin(registry.add(series));
    }
    SeriesRegistry registry{"here"};
    PluginCounters counters{registry, "push"};
    Host host{"", registry, &counters};
    const latmon_host_t* abi = host.table();
};

TEST_CASE("host: a series that comes later is there then, one that ends stays where it is") {
    CounterBench bench;
    const latmon_host_t* const abi = bench.abi;
    Series late = two_series()[0];
    late.target = "later";
    const SeriesGroup group = bench.registry.add(late);
    CHECK(abi->series_count(abi) == group.first_id + 1);
    CHECK(abi->series(abi, group.first_id) == nullptr);
    bench.registry.begin(group);
    const latmon_series_t* const series = abi->series(abi, group.first_id);
    REQUIRE(series != nullptr);
    CHECK(series->target == std::string("later"));
    bench.registry.end(group);
    CHECK(abi->series(abi, group.first_id) == series);
    const Host newcomer("", bench.registry);
    CHECK(newcomer.series(group.first_id) == nullptr);
    CHECK(newcomer.series(0) == abi->series(abi, 0));
}

TEST_CASE("host: counters are made, added to and set as the plugin says") {
    CounterBench bench;
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
    PluginCounters& counters = bench.counters;
    CHECK(counters.value(0) == 5);
    functions->set(retries, 1);
    CHECK(counters.value(0) == 1);
    CHECK(abi->series(abi, counters.series_id(0)) == nullptr);
    static_cast<void>(counters.begin_series());
    const latmon_series_t* const series = abi->series(abi, counters.series_id(0));
    REQUIRE(series != nullptr);
    CHECK(series->kind == LATMON_KIND_NODE);
    CHECK(series->name == std::string("exporter_retries_total"));
    CHECK(series->target == std::string("push"));
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
