// SPDX-License-Identifier: Apache-2.0
//
// An exporter whose plugin is `spy` (support/plugins/spy.hpp), for tests of the exporter layer. Its
// table stands in line 10 of a file f.toml, its options in the lines behind. Used on one thread.
#pragma once

#include "exporter/exporter.hpp"
#include "support/plugins/spy.hpp"

#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace latmon {

// For what ends at once: a test that waits so long has failed.
inline constexpr Duration ample = Duration::from_s(60);

inline OptionValue at(decltype(OptionValue::value) content, std::uint32_t line) {
    return {.value = std::move(content), .where = {.line = line, .column = 1}};
}

inline ExporterConfig config_of(const Spy& spy) {
    ExporterConfig config;
    config.plugin = "spy";
    config.name = "fast";
    config.queue_samples = 64;
    config.options.emplace_back("spy", at(spy.address(), 11));
    config.where = {.line = 10, .column = 1};
    return config;
}

inline Result<std::unique_ptr<Exporter>> try_open_exporter(const ExporterConfig& config,
                                                           std::uint32_t cores = 1) {
    static const SeriesTable no_series;
    static const std::vector<std::string> plugin_path{TEST_PLUGIN_DIR, PLUGIN_DIR};
    return Exporter::open(config, "f.toml", plugin_path, no_series, cores);
}

// Of a configuration that must be right.
inline std::unique_ptr<Exporter> open_exporter(const ExporterConfig& config,
                                               std::uint32_t cores = 1) {
    Result<std::unique_ptr<Exporter>> opened = try_open_exporter(config, cores);
    if (!opened) FAIL(opened.error().text);
    return std::move(*opened);
}

// Why `config` is refused; "" if it is not.
inline std::string refusal(const ExporterConfig& config) {
    const Result<std::unique_ptr<Exporter>> opened = try_open_exporter(config);
    if (opened) return "";
    CHECK(opened.error().code == ExitCode::configuration);
    return opened.error().text;
}

}  // namespace latmon
