// SPDX-License-Identifier: Apache-2.0
//
// Samples for people and pipes: JSON lines, the ancestor's JSON lines, or a table that is drawn
// anew every now and then.
//
//   format    "json" (default), "legacy" (the ancestor's octets) or "human"; under [metrics] "json"
//             means the ancestor's
//   file      where to write; "" (default) is standard output. Lines follow the name: after a
//             rename or on SIGUSR1 the file is opened anew
//   interval  seconds between two drawings of the table, 0.1 to 3600; default 1
//
// The table is drawn in place on a terminal; a regular file holds the newest one, replaced at once,
// so that a reader never sees half of it; anything else gets one block after the other.
#include "cli/table.hpp"
#include "support/exporter_table.hpp"
#include "support/json.hpp"
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

class Cli {
public:
    Cli(const latmon_host_t* host, std::string path, Format format, std::int64_t interval_ns)
        : host_(host),
          path_(std::move(path)),
          format_(format),
          interval_ns_(interval_ns),
          is_snapshot_(format == Format::human && is_replaceable(path_)),
          output_(host, path_) {}

    // [main-thread]
    bool open() {
        if (is_snapshot_) return draw_file() == LATMON_RESULT_OK;
        if (!output_.open()) return false;
        const char* const terminal = std::getenv("TERM");
        const bool is_dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
        is_in_place_ = output_.is_terminal() && !is_dumb;
        return true;
    }

    latmon_result_t take(std::span<const latmon_sample_t> samples) {
        if (format_ != Format::human) return take_lines(samples);
        for (const latmon_sample_t& sample : samples) {
            const latmon_series_t* const series = host_->series(host_, sample.series_id);
            if (series != nullptr) table_.add(sample, *series);
        }
        is_drawn_ = false;
        return monotonic_ns() < next_drawing_ns_ ? LATMON_RESULT_OK : draw();
    }

    latmon_result_t flush() {
        if (format_ != Format::human) return result_of(output_.write_out());
        return is_drawn_ || monotonic_ns() < next_drawing_ns_ ? LATMON_RESULT_OK : draw();
    }

    void reopen() {
        if (!is_snapshot_) output_.reopen();
    }

    // [main-thread]
    void finish() {
        if (format_ != Format::human) {
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

    bool append(const latmon_sample_t& sample, const latmon_series_t* series) {
        if (format_ == Format::json) {
            append_json_sample(output_.buffer(), sample, series);
            return true;
        }
        return series != nullptr && append_legacy_sample(output_.buffer(), sample, *series);
    }

    latmon_result_t draw() {
        is_drawn_ = true;
        next_drawing_ns_ = monotonic_ns() + interval_ns_;
        if (is_snapshot_) return draw_file();
        // Home, draw over what stands there, clear below. Lines keep their length.
        if (is_in_place_) {
            output_.buffer() += "\x1b[H\x1b[2J" + table_.render(output_.terminal_rows());
        } else {
            output_.buffer() += table_.render(0) + "\n";
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
    Format format_;
    std::int64_t interval_ns_;
    bool is_snapshot_;          // The file holds one table, the newest.
    bool is_in_place_ = false;  // A terminal that understands cursor movements.
    Output output_;
    Table table_;
    std::int64_t next_drawing_ns_ = 0;
    bool is_drawn_ = true;     // All samples so far are in the table that can be seen.
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

void* create(const latmon_host_t* host, const latmon_options_t* options) {
    return guarded_create(host, [&]() -> void* {
        const bool is_compatible = host->option_bool(options, "compatible", false);
        const std::string word = host->option_string(options, "format", "json");
        const std::string path = host->option_string(options, "file", "");
        const double interval_s = host->option_float(options, "interval", 1.0, 0.1, 3600.0);
        Format format{};
        if (!parse_format(word, is_compatible, format)) {
            const std::string text =
                "format = \"" + word + "\" is not known: write json, legacy or human";
            host->log(host, LATMON_LOG_ERROR, text.c_str());
            return nullptr;
        }
        auto cli =
            std::make_unique<Cli>(host, path, format, static_cast<std::int64_t>(interval_s * 1e9));
        return cli->open() ? cli.release() : nullptr;
    });
}

constexpr latmon_plugin_t plugin = exporter_table<Cli>("cli", create);

}  // namespace
}  // namespace latmon::plugins

const latmon_plugin_t* latmon_plugin_entry(void) {
    return &latmon::plugins::plugin;
}
