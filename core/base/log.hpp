// SPDX-License-Identifier: Apache-2.0
//
// The daemon's log: life-cycle lines and plugins' own lines, in the ancestor's form `[2026-01-12
// 12:15:04,380] [WARNING] text`, to stderr and to a file if one is configured. spdlog does the
// work, in log.cpp and nowhere else. May block and allocate: never on a core-thread, which has
// counters instead. Thread-safe between all other threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace latmon::log {

enum class Level : std::uint8_t { debug, info, warning, error, critical };

// Sets level and destinations, early, and again when they change. `path` "": no file, stderr only.
// False if the file cannot be opened; the log then goes to where it went, at first to stderr alone.
// Missing directories are made. [main-thread]
[[nodiscard]] bool open(Level level, const std::string& path);

// Opens the file of open() anew by its name, making it if it is not there; nothing happens if there
// is none. False if that is not possible: the old one is then written on. [main-thread]
[[nodiscard]] bool reopen();

[[nodiscard]] bool is_enabled(Level level) noexcept;

// One line; characters that would start another or move a terminal's cursor are shown as '?'.
void write(Level level, std::string_view text);

inline void debug(std::string_view text) {
    write(Level::debug, text);
}
inline void info(std::string_view text) {
    write(Level::info, text);
}
inline void warning(std::string_view text) {
    write(Level::warning, text);
}
inline void error(std::string_view text) {
    write(Level::error, text);
}
inline void critical(std::string_view text) {
    write(Level::critical, text);
}

}  // namespace latmon::log
