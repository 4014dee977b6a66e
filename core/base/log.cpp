// SPDX-License-Identifier: Apache-2.0
//
// The log of log.hpp over spdlog; the only file that knows it.
#include "base/log.hpp"

#include "base/assert.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <memory>

namespace latmon::log {
namespace {

spdlog::level::level_enum spdlog_level(Level level) noexcept {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warning:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
        case Level::critical:
            return spdlog::level::critical;
    }
    LATMON_ASSERT(false);
    return spdlog::level::critical;
}

const char* level_name(Level level) noexcept {
    switch (level) {
        case Level::debug:
            return "DEBUG";
        case Level::info:
            return "INFO";
        case Level::warning:
            return "WARNING";
        case Level::error:
            return "ERROR";
        case Level::critical:
            return "CRITICAL";
    }
    return "CRITICAL";
}

constexpr const char* line_form = "[%Y-%m-%d %H:%M:%S,%e] %v";

// Where the file is, if there is one. A sink of its own, because its sinks may be exchanged while
// other threads log; the logger's may not.
struct File {
    std::string path;
    std::shared_ptr<spdlog::sinks::dist_sink_mt> sink =
        std::make_shared<spdlog::sinks::dist_sink_mt>();
};

// Leaked on purpose: threads that outlive main() may still log.
File& file() {
    static File* const instance = new File;
    return *instance;
}

// False if it cannot be opened; what there was before stays then.
bool open_file(const std::string& path) {
    try {
        auto opened = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
        opened->set_pattern(line_form);
        file().sink->set_sinks({std::move(opened)});
        file().path = path;
    } catch (const spdlog::spdlog_ex&) {
        return false;
    }
    return true;
}

spdlog::logger& logger() {
    // Leaked on purpose: threads that outlive main() may still log.
    static const std::shared_ptr<spdlog::logger>* const instance = [] {
        auto made = std::make_shared<spdlog::logger>(
            "latmon", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern(line_form);
        made->sinks().push_back(file().sink);
        made->set_level(spdlog::level::info);
        return new std::shared_ptr<spdlog::logger>(std::move(made));
    }();
    return **instance;
}

}  // namespace

bool open(Level level, const std::string& path) {
    logger().set_level(spdlog_level(level));
    logger().flush_on(spdlog::level::debug);
    if (!path.empty()) return path == file().path || open_file(path);
    file().sink->set_sinks({});
    file().path.clear();
    return true;
}

bool reopen() {
    return file().path.empty() || open_file(file().path);
}

bool is_enabled(Level level) noexcept {
    return logger().should_log(spdlog_level(level));
}

void write(Level level, std::string_view text) {
    if (!is_enabled(level)) return;
    std::string line = "[";
    line += level_name(level);
    line += "] ";
    for (const char character : text) {
        const bool is_control = static_cast<unsigned char>(character) < 0x20 || character == 0x7f;
        line += is_control ? '?' : character;
    }
    logger().log(spdlog_level(level), "{}", line);
}

}  // namespace latmon::log
