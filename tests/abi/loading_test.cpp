// SPDX-License-Identifier: Apache-2.0
//
// The .so files as the build leaves them, and the frozen one, loaded and fed through the queue.
// What cli does in particular is in cli_test.cpp.
#include "abi/samples.hpp"
#include "base/log.hpp"
#include "support/scratch_directory.hpp"

#include <doctest/doctest.h>
#include <algorithm>

namespace latmon::test {

QueueAccounts export_all(const ExporterConfig& config, const std::vector<Sample>& samples) {
    static const SeriesTable series = series_table();
    static const std::vector<std::string> plugin_path{PLUGIN_DIR, TEST_PLUGIN_DIR};
    Result<std::unique_ptr<Exporter>> exporter =
        Exporter::open(config, "test.toml", plugin_path, series, 1);
    if (!exporter) FAIL(exporter.error().text);
    for (const Sample& sample : samples) {
        (*exporter)->queue(0).emit(sample);
    }
    (*exporter)->start({});
    REQUIRE((*exporter)->drain_and_stop(Duration::from_s(60)));
    return (*exporter)->accounts().samples;
}

std::string refusal(const ExporterConfig& config) {
    const SeriesTable series;
    const std::vector<std::string> plugin_path{PLUGIN_DIR};
    const auto exporter = Exporter::open(config, "test.toml", plugin_path, series, 1);
    REQUIRE_FALSE(exporter);
    return exporter.error().text;
}

namespace {

ExporterConfig config_of(const std::string& plugin) {
    ExporterConfig config;
    config.plugin = plugin;
    config.name = plugin;
    return config;
}

TEST_CASE("loading: null takes every sample") {
    const QueueAccounts accounts = export_all(config_of("null"), {exchange(udp_id), node(1)});
    CHECK(accounts.made == 2);
    CHECK(accounts.exported == 2);
}

TEST_CASE("loading: a plugin that knows only the headers of ABI 1 as they were takes samples") {
    const ScratchDirectory directory;
    ExporterConfig config = config_of("frozen_1");
    set<std::string>(config, "file", directory.file("out"));
    set(config, "flag", true);
    set(config, "whole", std::int64_t{42});
    set(config, "real", 2.5);
    set(config, "list", OptionValue::List{"a", "b"});
    Sample sample = exchange(udp_id);
    sample.sequence = 5;
    sample.valid |= LATMON_HAS_SEQUENCE;
    const QueueAccounts accounts = export_all(config, {sample, node(7)});
    CHECK(accounts.exported == 2);
    CHECK(read_text(directory.file("out")) ==
          "options 1 42 2.5 a,b series 6 extension none\n"
          "udp here fra-1 isp:local,city:Zürich sequence 5 rtt_ns 250000\n"
          "samples_dropped 7\n"
          "flush\n"
          "destroy\n");
}

TEST_CASE("loading: log writes a line for each sample, at its level") {
    const ScratchDirectory directory;
    REQUIRE(log::open(log::Level::info, directory.file("log")));
    ExporterConfig config = config_of("log");
    set<std::string>(config, "level", "ERROR");
    CHECK(export_all(config, {node(7)}).exported == 1);
    CHECK(read_text(directory.file("log"))
              .find(R"([ERROR] exporter log: {"v":1,"kind":"node","name":"samples_dropped",)"
                    R"("source":"here","series_id":4,"core":0,"time_ns":9,"value":7})") !=
          std::string::npos);
}

TEST_CASE("loading: log under [metrics] writes the ancestor's lines, without a mark") {
    const ScratchDirectory directory;
    REQUIRE(log::open(log::Level::info, directory.file("log")));
    ExporterConfig config = config_of("log");
    config.is_compatible = true;
    CHECK(export_all(config, {exchange(tcp_id)}).exported == 1);
    CHECK(
        read_text(directory.file("log"))
            .find(
                R"([WARNING] {"metric": "tcp.wan.rtt", "points": [[1768219134587069267, 282072]],)"
                R"( "tags": ["source:here", "target:fra-1"]})") != std::string::npos);
}

TEST_CASE("loading: log refuses a level and a format that it does not know") {
    const SeriesTable series;
    for (const char* const key : {"level", "format"}) {
        ExporterConfig config = config_of("log");
        config.path = PLUGIN_DIR "/log.so";
        set<std::string>(config, key, "loud");
        const auto exporter = Exporter::open(config, "test.toml", {}, series, 1);
        REQUIRE_FALSE(exporter);
        CHECK(exporter.error().text.find(std::string(key) + " = \"loud\" is not known") !=
              std::string::npos);
    }
}

}  // namespace
}  // namespace latmon::test
