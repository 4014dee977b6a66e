// SPDX-License-Identifier: Apache-2.0
//
// Samples for Datadog's HTTP API, in either of two shapes: under [metrics] the ancestor's, a gauge
// per second; else statistics, or whole distributions, and counts per interval. Keys, metrics and
// what happens when Datadog is away: docs/exporters/datadog.md. The network is the push library's.
#include "datadog/intake.hpp"
#include "datadog/seconds.hpp"
#include "datadog/windows.hpp"
#include "push/pusher.hpp"
#include "support/exporter_table.hpp"
#include "support/node_name.hpp"
#include "support/secret.hpp"
#include "support/url.hpp"

#include <latmon/latmon.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace latmon::plugins::datadog {
namespace {

constexpr std::uint64_t kib = 1024;

// Rows that surely make a body within Datadog's limits, which are 5 MiB and, as it is sent, 512,000
// octets: a row becomes five times its size at most, and gzip takes nine tenths off the result.
constexpr std::uint64_t compressed_rows_bytes_max = 512 * kib;
constexpr std::uint64_t plain_rows_bytes_max = 96 * kib;

std::int64_t wall_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

struct Options {
    bool is_compatible = false;
    WindowOptions window;
    IntakeOptions intake;
    push::Settings settings;
};

// Rows on their way to one address, in records that are small: a request that is too large is cut
// between records.
class Stream {
public:
    explicit Stream(std::unique_ptr<push::Pusher> pusher) : pusher_(std::move(pusher)) {}

    void append(std::string_view row) {
        pusher_->append(row);
        if (++rows_ == record_rows) is_kept_ = commit_record() && is_kept_;
    }
    // False if rows were dropped since the last time.
    [[nodiscard]] bool commit() {
        const bool is_last_kept = commit_record();
        return std::exchange(is_kept_, true) && is_last_kept;
    }
    void finish() { pusher_->finish(); }

private:
    static constexpr std::uint32_t record_rows = 250;

    [[nodiscard]] bool commit_record() {
        rows_ = 0;
        return pusher_->commit();
    }

    std::unique_ptr<push::Pusher> pusher_;
    std::uint32_t rows_ = 0;
    bool is_kept_ = true;
};

class Exporter {
public:
    // The intake's API decides where points go; values of distributions have a pusher of their own,
    // because they have an address of their own.
    Exporter(const latmon_host_t* host, const Options& options)
        : host_(host),
          is_compatible_(options.is_compatible),
          seconds_([this](std::string_view row) { points_->append(row); }),
          windows_(
              host, options.window, [this](std::string_view row) { points_->append(row); },
              [this](std::string_view row) { values_->append(row); }) {}

    // False, after the push library said why in the log. [main-thread]
    [[nodiscard]] bool open(const Options& options) {
        const auto untimely = std::make_shared<Counter>(host_, "points_untimely_total");
        push::Settings settings = options.settings;
        // destroy() has five seconds for both.
        if (options.window.has_distributions) settings.shutdown_timeout /= 2;
        points_ = start(settings, options.intake, untimely);
        if (points_ == nullptr || !options.window.has_distributions) return points_ != nullptr;
        settings.batch_bytes = std::min(settings.batch_bytes, plain_rows_bytes_max);
        settings.counters = "push_distribution";
        if (!settings.spool.empty()) settings.spool += "-distributions";
        IntakeOptions intake = options.intake;
        intake.api = Api::distribution;
        values_ = start(settings, intake, untimely);
        return values_ != nullptr;
    }

    latmon_result_t take(std::span<const latmon_sample_t> samples) {
        for (const latmon_sample_t& sample : samples) {
            if (!is_compatible_) {
                windows_.add(sample);
                continue;
            }
            const latmon_series_t* const series = host_->series(host_, sample.series_id);
            if (series != nullptr) seconds_.add(sample, *series);
        }
        return flush();
    }

    latmon_result_t flush() {
        const std::int64_t now_ns = wall_ns();
        if (is_compatible_) {
            seconds_.close_before(now_ns / 1'000'000'000);
        } else {
            windows_.close(now_ns);
        }
        return commit();
    }

    // [main-thread]
    void finish() {
        seconds_.close_before(INT64_MAX);
        windows_.close_all();
        static_cast<void>(commit());
        points_->finish();
        if (values_ != nullptr) values_->finish();
    }

private:
    [[nodiscard]] std::unique_ptr<Stream> start(const push::Settings& settings,
                                                const IntakeOptions& intake,
                                                const std::shared_ptr<Counter>& untimely) {
        const std::string what = intake.url + (intake.api == Api::distribution ? ", values" : "");
        std::unique_ptr<push::Pusher> pusher =
            push::Pusher::start(host_, settings, std::make_unique<Intake>(intake, untimely), what);
        return pusher == nullptr ? nullptr : std::make_unique<Stream>(std::move(pusher));
    }

    latmon_result_t commit() {
        bool is_kept = points_->commit();
        if (values_ != nullptr) is_kept = values_->commit() && is_kept;
        return is_kept ? LATMON_RESULT_OK : LATMON_RESULT_ERROR;
    }

    const latmon_host_t* host_;
    bool is_compatible_;
    Seconds seconds_;
    Windows windows_;
    std::unique_ptr<Stream> points_;
    std::unique_ptr<Stream> values_;  // Null without distributions.
};

void complain(const latmon_host_t* host, const std::string& text) {
    host->log(host, LATMON_LOG_ERROR, text.c_str());
}

bool read_site(const latmon_host_t* host, const latmon_options_t* options, Options& read) {
    const char* const variable = std::getenv("DD_SITE");
    std::string site = host->option_string(options, "site", "");
    // There the environment wins, as it did; elsewhere the file, as everywhere.
    if (variable != nullptr && *variable != '\0' && (read.is_compatible || site.empty())) {
        site = variable;
    }
    if (site.empty()) site = "datadoghq.com";
    const std::string url = host->option_string(options, "url", "");
    if (!url.empty()) {
        const std::optional<std::string> sound = base_url(host, "url", url);
        if (sound) read.intake.url = *sound;
        return sound.has_value();
    }
    const bool is_name = std::ranges::all_of(site, [](char octet) {
        return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
               (octet >= '0' && octet <= '9') || octet == '.' || octet == '-';
    });
    if (!is_name)
        complain(host, "site is no host's name: write site = \"datadoghq.eu\" or another");
    read.intake.url = "https://api." + site;
    return is_name;
}

bool read_key(const latmon_host_t* host, const latmon_options_t* options, Options& read) {
    std::optional<std::string> key = read_secret(host, options, "api_key", "DD_API_KEY");
    if (!key) return false;
    const char* const variable = std::getenv("DD_API_KEY");
    if (read.is_compatible && variable != nullptr && *variable != '\0') key = variable;
    // What is no part of a header would make another one, or none.
    const bool is_printable =
        std::ranges::all_of(*key, [](char octet) { return octet > 0x20 && octet < 0x7F; });
    if (key->empty() || !is_printable) {
        complain(host, key->empty()
                           ? "api_key is missing: write api_key_file, api_key_env or api_key, or "
                             "set DD_API_KEY"
                           : "api_key holds a blank or what is not ASCII: write the key alone");
        return false;
    }
    read.intake.api_key = *key;
    return true;
}

bool read_shape(const latmon_host_t* host, const latmon_options_t* options, Options& read) {
    if (read.is_compatible) {
        const double interval_s = host->option_float(options, "send_interval", 30.0, 0.1, 86'400.0);
        read.settings.flush_interval =
            push::milliseconds(static_cast<std::int64_t>(interval_s * 1e3));
    } else {
        read.window.interval_s = host->option_int(options, "interval", 10, 1, 3'600);
        read.window.has_distributions = host->option_bool(options, "distribution", false);
        read.window.has_nodes = host->option_bool(options, "node_counters", false);
        read.intake.host = host->option_string(options, "hostname", node_name(host).c_str());
    }
    const std::int64_t version = host->option_int(options, "api_version", 2, 1, 2);
    read.intake.api = version == 1 ? Api::series_v1 : Api::series_v2;
    read.settings.batch_bytes = compressed_rows_bytes_max;
    return push::read_settings(host, options, read.settings);
}

// Reads everything before it complains, so that an operator sees all mistakes at once.
bool read_options(const latmon_host_t* host, const latmon_options_t* options, Options& read) {
    read.is_compatible = host->option_bool(options, "compatible", false);
    bool is_sound = read_site(host, options, read);
    is_sound = read_key(host, options, read) && is_sound;
    is_sound = read_shape(host, options, read) && is_sound;
    const std::uint64_t most =
        read.settings.gzip ? compressed_rows_bytes_max : plain_rows_bytes_max;
    read.settings.batch_bytes = std::min(read.settings.batch_bytes, most);
    return is_sound;
}

void* create(const latmon_host_t* host, const latmon_options_t* options) {
    return guarded_create(host, [&]() -> void* {
        Options read;
        if (!read_options(host, options, read)) return nullptr;
        auto exporter = std::make_unique<Exporter>(host, read);
        return exporter->open(read) ? exporter.release() : nullptr;
    });
}

constexpr latmon_plugin_t plugin = exporter_table<Exporter>("datadog", create);

}  // namespace
}  // namespace latmon::plugins::datadog

const latmon_plugin_t* latmon_plugin_entry(void) {
    return &latmon::plugins::datadog::plugin;
}
