// SPDX-License-Identifier: Apache-2.0
//
// Samples as JSON lines in latmon's own log.
//
//   level   debug, info, warning (default), error or critical, in any case of letters
//   format  "json"; under [metrics] that is the ancestor's JSON
#include "support/exporter_table.hpp"
#include "support/json.hpp"
#include "support/legacy.hpp"

#include <latmon/latmon.h>

#include <strings.h>
#include <optional>
#include <span>
#include <string>

namespace latmon::plugins {
namespace {

struct Log {
    latmon_result_t take(std::span<const latmon_sample_t> samples) {
        if (!host->log_enabled(host, level)) return LATMON_RESULT_OK;
        for (const latmon_sample_t& sample : samples) {
            line.clear();
            if (append(sample)) host->log(host, level, line.c_str());
        }
        return LATMON_RESULT_OK;
    }

    bool append(const latmon_sample_t& sample) {
        const latmon_series_t* const series = host->series(host, sample.series_id);
        if (is_compatible) return series != nullptr && append_legacy_sample(line, sample, *series);
        append_json_sample(line, sample, series);
        return true;
    }

    const latmon_host_t* host;
    latmon_log_level_t level;
    bool is_compatible;
    std::string line;  // Kept for its memory.
};

std::optional<latmon_log_level_t> parse_level(const char* word) {
    struct Level {
        const char* word;
        latmon_log_level_t level;
    };
    constexpr Level levels[] = {{"debug", LATMON_LOG_DEBUG},
                                {"info", LATMON_LOG_INFO},
                                {"warning", LATMON_LOG_WARNING},
                                {"error", LATMON_LOG_ERROR},
                                {"critical", LATMON_LOG_CRITICAL}};
    for (const Level& level : levels) {
        if (::strcasecmp(word, level.word) == 0) return level.level;
    }
    return std::nullopt;
}

void* create(const latmon_host_t* host, const latmon_options_t* options) {
    return guarded_create(host, [&]() -> void* {
        const bool is_compatible = host->option_bool(options, "compatible", false);
        const char* const word = host->option_string(options, "level", "warning");
        const std::string format = host->option_string(options, "format", "json");
        const std::optional<latmon_log_level_t> level = parse_level(word);
        if (!level) {
            const std::string text =
                std::string("level = \"") + word +
                "\" is not known: write debug, info, warning, error or critical";
            host->log(host, LATMON_LOG_ERROR, text.c_str());
            return nullptr;
        }
        if (format != "json") {
            const std::string text = "format = \"" + format + "\" is not known: write json";
            host->log(host, LATMON_LOG_ERROR, text.c_str());
            return nullptr;
        }
        return new Log{
            .host = host, .level = *level, .is_compatible = is_compatible, .line = std::string()};
    });
}

constexpr latmon_plugin_t plugin = exporter_table<Log>("log", create);

}  // namespace
}  // namespace latmon::plugins

const latmon_plugin_t* latmon_plugin_entry(void) {
    return &latmon::plugins::plugin;
}
