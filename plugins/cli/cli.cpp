// SPDX-License-Identifier: Apache-2.0
//
// Samples and windows for people and pipes: JSON lines, the ancestor's JSON lines, or a table that
// is drawn anew every now and then.
//
//   format    "json" (default), "legacy" (the ancestor's octets) or "human"; under [metrics] "json"
//             means the ancestor's
//   file      where to write; "" (default) is standard output. Lines follow the name: after a
//             rename or on SIGUSR1 the file is opened anew
//   interval  seconds between two drawings of the table, 0.1 to 3600; default 1
//   sort      of the table on a terminal: "config" (default) or "worst", which stands first then
//   span      of that table: seconds that its figures are of, 1 to 3600; default 60
//
// The table is drawn in place on a terminal, made of windows (cli/live_table.hpp). A regular file
// holds the newest one, replaced at once, so that a reader never sees half of it; anything else
// gets one block after the other: both since the start, made of samples (cli/table.hpp).
#include "cli/live_table.hpp"
#include "cli/table.hpp"
#include "support/exporter_table.hpp"
#include "support/json.hpp"
#include "support/json_window.hpp"
#include "support/legacy.hpp"
#include "support/monotonic.hpp"
#include "support/output.hpp"

#include <latmon/latmon.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace latmon::plugins {
namespace {

enum class Format : std::uint8_t { json, legacy, human };

// A name at which there is nothing yet, or a regular file.
bool is_replaceable(const std::string& path) {
    struct stat status {};
    if (path.empty()) return false;
    return ::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode);
}

struct Options {
    std::string path;
    Format format = Format::json;
    std::int64_t interval_ns = 0;
    bool has_windows = false;  // The operator asked for some; else a viewer's table gets them.
    LiveTable::Options table;
};

// https://no-color.org
bool may_paint() {
    const char* const no_colour = std::getenv("NO_COLOR");
    return no_colour == nullptr || *no_colour == '\0';
}

class Cli {
public:
    // Making windows has its price: unasked only where somebody may look at a table of them.
    inline static const bool has_viewer = ::isatty(STDOUT_FILENO) == 1;
    inline static const WindowWish windows_wanted{.lengths = has_viewer ? LATMON_WINDOW_1S : 0,
                                                  .kinds = usual_kinds};

    Cli(const latmon_host_t* host, const Options& options)
        : host_(host),
          path_(options.path),
          options_(options),
          is_snapshot_(options.format == Format::human && is_replaceable(path_)),
          output_(host, path_) {}

    // [main-thread]
    bool open() {
        if (is_snapshot_) return draw_file() == LATMON_RESULT_OK;
        if (!output_.open()) return false;
        const char* const terminal = std::getenv("TERM");
        const bool is_dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
        is_in_place_ = output_.is_terminal() && !is_dumb;
        const bool has_windows = host_->extension(host_, LATMON_WINDOWS_1) != nullptr &&
                                 (options_.has_windows || has_viewer);
        if (options_.format == Format::human && is_in_place_ && has_windows) {
            options_.table.has_colour = may_paint();
            live_table_ = std::make_unique<LiveTable>(host_, options_.table);
            is_drawn_ = false;  // It says that it waits.
        }
        return true;
    }

    latmon_result_t take(std::span<const latmon_sample_t> samples) {
        if (options_.format != Format::human) return take_lines(samples);
        if (live_table_ != nullptr) return is_drawn_ ? LATMON_RESULT_OK : show();
        for (const latmon_sample_t& sample : samples) {
            const latmon_series_t* const series = host_->series(host_, sample.series_id);
            if (series != nullptr) table_.add(sample, *series);
        }
        return show();
    }

    latmon_result_t take_windows(std::span<const latmon_window_t* const> windows) {
        if (live_table_ != nullptr) {
            for (const latmon_window_t* const window : windows) {
                live_table_->add(*window);
            }
            return show();
        }
        const bool is_wanted = options_.has_windows && options_.format == Format::json;
        return is_wanted ? take_window_lines(windows) : LATMON_RESULT_OK;
    }

    void series_removed(std::span<const std::uint32_t> ids) {
        for (const std::uint32_t id : ids) {
            if (live_table_ != nullptr) live_table_->remove(id);
        }
    }

    latmon_result_t flush() {
        if (options_.format != Format::human) return result_of(output_.write_out());
        return is_drawn_ ? LATMON_RESULT_OK : show();
    }

    void reopen() {
        if (!is_snapshot_) output_.reopen();
    }

    // [main-thread]
    void finish() {
        if (options_.format != Format::human) {
            static_cast<void>(output_.write_out());
        } else if (!is_drawn_) {
            static_cast<void>(draw());
        }
    }

private:
    static latmon_result_t result_of(bool is_written) noexcept {
        return is_written ? LATMON_RESULT_OK : LATMON_RESULT_ERROR;
    }

    latmon_result_t take_lines(std::span<const latmon_sample_t> samples) {
        bool is_written = true;
        for (const latmon_sample_t& sample : samples) {
            const latmon_series_t* const series = host_->series(host_, sample.series_id);
            if (!append(sample, series)) continue;
            output_.buffer() += '\n';
            is_written = output_.offer() && is_written;
        }
        return result_of(is_written);
    }

    latmon_result_t take_window_lines(std::span<const latmon_window_t* const> windows) {
        bool is_written = true;
        for (const latmon_window_t* const window : windows) {
            const latmon_series_t* const series = host_->series(host_, window->series_id);
            append_json_window(output_.buffer(), *window, series);
            output_.buffer() += '\n';
            is_written = output_.offer() && is_written;
        }
        return result_of(is_written);
    }

    bool append(const latmon_sample_t& sample, const latmon_series_t* series) {
        if (options_.format == Format::json) {
            append_json_sample(output_.buffer(), sample, series);
            return true;
        }
        return series != nullptr && append_legacy_sample(output_.buffer(), sample, *series);
    }

    // Now, or when it is time.
    latmon_result_t show() {
        is_drawn_ = false;
        return monotonic_ns() < next_drawing_ns_ ? LATMON_RESULT_OK : draw();
    }

    [[nodiscard]] std::string render(std::uint32_t lines_max) const {
        return live_table_ == nullptr ? table_.render(lines_max) : live_table_->render(lines_max);
    }

    latmon_result_t draw() {
        is_drawn_ = true;
        next_drawing_ns_ = monotonic_ns() + options_.interval_ns;
        if (is_snapshot_) return draw_file();
        // Home, draw over what stands there, clear below. Lines keep their length.
        if (is_in_place_) {
            output_.buffer() += "\x1b[H\x1b[2J" + render(output_.terminal_rows());
        } else {
            output_.buffer() += render(0) + "\n";
        }
        return result_of(output_.write_out());
    }

    // Not synced to disk: after a crash of the host the table is of no use.
    latmon_result_t draw_file() {
        const std::string text = table_.render(0);
        const std::string draft = path_ + ".new";
        const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        bool is_written = false;
        if (fd >= 0) {
            is_written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
            is_written = ::close(fd) == 0 && is_written;
        }
        is_written = is_written && ::rename(draft.c_str(), path_.c_str()) == 0;
        if (!is_written && !has_failed_) {
            const std::string line = path_ + " cannot be written: " + std::strerror(errno);
            host_->log(host_, LATMON_LOG_ERROR, line.c_str());
        }
        has_failed_ = !is_written;
        return result_of(is_written);
    }

    const latmon_host_t* host_;
    std::string path_;
    Options options_;
    bool is_snapshot_;          // The file holds one table, the newest.
    bool is_in_place_ = false;  // A terminal that understands cursor movements.
    Output output_;
    Table table_;
    std::unique_ptr<LiveTable> live_table_;  // On a terminal, of a latmon that has windows.
    std::int64_t next_drawing_ns_ = 0;
    bool is_drawn_ = true;     // All there was so far is in the table that can be seen.
    bool has_failed_ = false;  // The log knows that the file cannot be written.
};

bool parse_format(std::string_view word, bool is_compatible, Format& format) {
    if (word == "json") {
        format = is_compatible ? Format::legacy : Format::json;
    } else if (word == "legacy") {
        format = Format::legacy;
    } else if (word == "human") {
        format = Format::human;
    } else {
        return false;
    }
    return true;
}

void complain(const latmon_host_t* host, const std::string& key, const std::string& word,
              const char* words) {
    const std::string text = key + " = \"" + word + "\" is not known: write " + words;
    host->log(host, LATMON_LOG_ERROR, text.c_str());
}

// False after a complaint.
bool read_options(const latmon_host_t* host, const latmon_options_t* options, Options& read) {
    const bool is_compatible = host->option_bool(options, "compatible", false);
    const std::string format = host->option_string(options, "format", "json");
    const std::string sort = host->option_string(options, "sort", "config");
    read.path = host->option_string(options, "file", "");
    read.interval_ns =
        static_cast<std::int64_t>(host->option_float(options, "interval", 1.0, 0.1, 3600.0) * 1e9);
    read.table.span_ns = host->option_int(options, "span", 60, 1, 3600) * 1'000'000'000;
    read.table.is_worst_first = sort == "worst";
    read.has_windows = host->option_list_item(options, "windows", 0) != nullptr;
    const bool is_format = parse_format(format, is_compatible, read.format);
    const bool is_sort = sort == "worst" || sort == "config";
    if (!is_format) complain(host, "format", format, "json, legacy or human");
    if (!is_sort) complain(host, "sort", sort, "config or worst");
    return is_format && is_sort;
}

void* create(const latmon_host_t* host, const latmon_options_t* options) {
    return guarded_create(host, [&]() -> void* {
        Options read;
        if (!read_options(host, options, read)) return nullptr;
        auto cli = std::make_unique<Cli>(host, read);
        return cli->open() ? cli.release() : nullptr;
    });
}

constexpr latmon_plugin_t plugin = exporter_table<Cli>("cli", create);

}  // namespace
}  // namespace latmon::plugins

const latmon_plugin_t* latmon_plugin_entry(void) {
    return &latmon::plugins::plugin;
}
