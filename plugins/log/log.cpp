// SPDX-License-Identifier: Apache-2.0
//
// Samples as JSON lines in latmon's own log.
//
//   level   debug, info, warning (default), error or critical, in any case of letters
//   format  "json"; under [metrics] that is the ancestor's JSON
#include "support/guard.hpp"
#include "support/json.hpp"
#include "support/legacy.hpp"

#include <latmon/latmon.h>

#include <strings.h>
#include <memory>
#include <optional>
#include <string>

namespace latmon::plugins {
namespace {

struct Log {
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

bool append(Log& log, const latmon_sample_t& sample) {
    const latmon_series_t* const series = log.host->series(log.host, sample.series_id);
    if (log.is_compatible)
        return series != nullptr && append_legacy_sample(log.line, sample, *series);
    append_json_sample(log.line, sample, series);
    return true;
}

latmon_result_t export_batch(void* exporter, const latmon_sample_t* samples, uint32_t count) {
    Log& log = *static_cast<Log*>(exporter);
    return guarded([&] {
        if (!log.host->log_enabled(log.host, log.level)) return LATMON_RESULT_OK;
        for (uint32_t index = 0; index < count; ++index) {
            log.line.clear();
            if (append(log, samples[index])) log.host->log(log.host, log.level, log.line.c_str());
        }
        return LATMON_RESULT_OK;
    });
}

void destroy(void* exporter) {
    delete static_cast<Log*>(exporter);
}

constexpr latmon_plugin_t plugin = {
    .struct_size = sizeof(latmon_plugin_t),
    .abi_version = LATMON_ABI_VERSION,
    .name = "log",
    .version = "1",
    .create = create,
    .export_batch = export_batch,
    .flush = nullptr,
    .destroy = destroy,
    .extension = nullptr,
};

}  // namespace
}  // namespace latmon::plugins

const latmon_plugin_t* latmon_plugin_entry(void) {
    return &latmon::plugins::plugin;
}
