// SPDX-License-Identifier: Apache-2.0
//
// Every sample, and windows if the operator wants some, as one line of JSON, for programs:
// support/json.hpp and json_window.hpp are the shapes and schema.json says them to a validator.
// Keys (manual: docs/exporters/json.md):
//
//   file          append to it; or else
//   unix          send to whoever listens on this Unix socket; neither: standard output
//   unix_type     "stream" (default) or "datagram"
//   timestamps    "ns" (default) or "rfc3339"
//   rotate_bytes  of `file`: how large it may grow before a new one is begun; 0 (default): any size
//   rotate_keep   how many old ones stay; default 5
#include "support/json.hpp"
#include "json/file.hpp"
#include "json/unix_socket.hpp"
#include "support/counters.hpp"
#include "support/exporter_table.hpp"
#include "support/json_window.hpp"

#include <latmon/latmon.h>

#include <memory>
#include <optional>
#include <span>
#include <string>

namespace latmon::plugins {
namespace {

constexpr std::int64_t rotate_bytes_min = 65'536;  // What is written at once.
constexpr std::int64_t rotate_bytes_max = std::int64_t{1} << 50;
constexpr std::int64_t rotate_keep_max = 1'000;

class Json {
public:
    static constexpr WindowWish windows_wanted{.lengths = 0, .kinds = usual_kinds};

    Json(const latmon_host_t* host, std::unique_ptr<Destination> destination, Timestamps timestamps)
        : host_(host),
          destination_(std::move(destination)),
          timestamps_(timestamps),
          written_(host, "lines_written_total"),
          lost_(host, "lines_lost_total") {}

    void take(std::span<const latmon_sample_t> samples) {
        for (const latmon_sample_t& sample : samples) {
            const latmon_series_t* const series = host_->series(host_, sample.series_id);
            append_json_sample(destination_->buffer(), sample, series, timestamps_);
            destination_->buffer() += '\n';
            destination_->offer();
        }
        publish();
    }

    void take_windows(std::span<const latmon_window_t* const> windows) {
        for (const latmon_window_t* const window : windows) {
            const latmon_series_t* const series = host_->series(host_, window->series_id);
            append_json_window(destination_->buffer(), *window, series, timestamps_);
            destination_->buffer() += '\n';
            destination_->offer();
        }
        publish();
    }

    void flush() {
        destination_->write_out();
        publish();
    }

    void reopen() {
        destination_->reopen();
        publish();
    }

    // [main-thread]
    void finish() {
        flush();
        const LineCounts counts = destination_->counts();
        const std::string text = "lines written: " + std::to_string(counts.written) +
                                 ", lost: " + std::to_string(counts.lost);
        const bool is_fine = counts.lost == 0;
        host_->log(host_, is_fine ? LATMON_LOG_DEBUG : LATMON_LOG_WARNING, text.c_str());
    }

private:
    void publish() noexcept {
        const LineCounts counts = destination_->counts();
        written_.set(counts.written);
        lost_.set(counts.lost);
    }

    const latmon_host_t* host_;
    std::unique_ptr<Destination> destination_;
    Timestamps timestamps_;
    Counter written_;
    Counter lost_;
};

// -- Options ------------------------------------------------------------------------------------

struct Options {
    std::string file;
    std::string unix_path;
    bool is_datagram = false;
    Timestamps timestamps = Timestamps::ns;
    Rotation rotation;
};

// Which of two words stands there: false for the first. Neither: says so.
std::optional<bool> is_second(const latmon_host_t* host, const std::string& key,
                              const std::string& word, std::span<const char* const, 2> words) {
    if (word == words[0]) return false;
    if (word == words[1]) return true;
    const std::string text =
        key + " = \"" + word + "\" is not known: write " + words[0] + " or " + words[1];
    host->log(host, LATMON_LOG_ERROR, text.c_str());
    return std::nullopt;
}

// What contradicts itself; NULL if nothing does.
const char* contradiction(const Options& options) {
    if (!options.file.empty() && !options.unix_path.empty()) {
        return "file and unix are both set: keep one of them";
    }
    if (options.file.empty() && options.rotation.bytes != 0) {
        return "rotate_bytes needs a file: add file = \"...\", or remove it";
    }
    if (options.rotation.bytes != 0 &&
        options.rotation.bytes < static_cast<std::uint64_t>(rotate_bytes_min)) {
        return "rotate_bytes is too small: write 0 (never) or at least 65536";
    }
    return nullptr;
}

std::optional<Options> read_options(const latmon_host_t* host, const latmon_options_t* options) {
    static constexpr const char* types[] = {"stream", "datagram"};
    static constexpr const char* forms[] = {"ns", "rfc3339"};
    Options read;
    read.file = host->option_string(options, "file", "");
    read.unix_path = host->option_string(options, "unix", "");
    const std::string type = host->option_string(options, "unix_type", "stream");
    const std::string form = host->option_string(options, "timestamps", "ns");
    read.rotation.bytes = static_cast<std::uint64_t>(
        host->option_int(options, "rotate_bytes", 0, 0, rotate_bytes_max));
    read.rotation.keep =
        static_cast<std::uint32_t>(host->option_int(options, "rotate_keep", 5, 1, rotate_keep_max));
    const std::optional<bool> is_datagram = is_second(host, "unix_type", type, types);
    const std::optional<bool> is_text = is_second(host, "timestamps", form, forms);
    if (!is_datagram || !is_text) return std::nullopt;
    read.is_datagram = *is_datagram;
    read.timestamps = *is_text ? Timestamps::rfc3339 : Timestamps::ns;
    const char* const complaint = contradiction(read);
    if (complaint == nullptr) return read;
    host->log(host, LATMON_LOG_ERROR, complaint);
    return std::nullopt;
}

// -- The table ----------------------------------------------------------------------------------

void* create(const latmon_host_t* host, const latmon_options_t* options) {
    return guarded_create(host, [&]() -> void* {
        const std::optional<Options> read = read_options(host, options);
        if (!read) return nullptr;
        std::unique_ptr<Destination> destination;
        if (read->unix_path.empty()) {
            destination = std::make_unique<FileDestination>(host, read->file, read->rotation);
        } else {
            destination = std::make_unique<UnixSocket>(host, read->unix_path, read->is_datagram);
        }
        if (!destination->open()) return nullptr;
        return new Json(host, std::move(destination), read->timestamps);
    });
}

// Lines that are lost are in this plugin's own accounts: a sample taken is a sample exported.
constexpr latmon_plugin_t plugin = exporter_table<Json>("json", create);

}  // namespace
}  // namespace latmon::plugins

const latmon_plugin_t* latmon_plugin_entry(void) {
    return &latmon::plugins::plugin;
}
