// SPDX-License-Identifier: Apache-2.0
//
// Samples for a Prometheus Pushgateway, in either of two shapes: under [metrics] the ancestor's, a
// series per sample; else counters and histograms since the start. Keys, names and what happens
// when the gateway is away: docs/exporters/pushgateway.md. The network is the push library's.
#include "push/pusher.hpp"
#include "pushgateway/gateway.hpp"
#include "pushgateway/labels.hpp"
#include "pushgateway/legacy_rows.hpp"
#include "pushgateway/snapshot.hpp"
#include "support/counters.hpp"
#include "support/exporter_table.hpp"
#include "support/monotonic.hpp"
#include "support/node_name.hpp"
#include "support/secret.hpp"
#include "support/url.hpp"

#include <latmon/latmon.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace latmon::plugins::pushgateway {
namespace {

constexpr std::uint64_t mib = 1024ULL * 1024;

struct Options {
    bool is_compatible = false;
    bool does_delete = false;
    std::int64_t interval_ns = 0;
    std::uint64_t max_series = 0;  // In one push; of the ancestor's shape.
    Group group;
    push::Settings settings;
};

class Exporter {
public:
    virtual ~Exporter() = default;
    virtual latmon_result_t take(std::span<const latmon_sample_t> samples) = 0;
    virtual latmon_result_t flush() = 0;
    virtual void finish() = 0;  // [main-thread]
};

latmon_result_t result_of(bool is_kept) noexcept {
    return is_kept ? LATMON_RESULT_OK : LATMON_RESULT_ERROR;
}

// A series per sample: what came since the last push, the newest `max_series` of them. All of it is
// one record, which is one push: a second one would wipe it before it is scraped.
class LegacyExporter final : public Exporter {
public:
    LegacyExporter(const latmon_host_t* host, const Options& options, std::shared_ptr<Turn> turn,
                   std::unique_ptr<push::Pusher> pusher)
        : host_(host),
          max_series_(options.max_series),
          interval_ns_(options.interval_ns),
          dropped_(host, "series_dropped_total"),
          rows_(host, options.group.instance),
          turn_(std::move(turn)),
          pusher_(std::move(pusher)) {}

    latmon_result_t take(std::span<const latmon_sample_t> samples) override {
        for (const latmon_sample_t& sample : samples) {
            const latmon_series_t* const series = host_->series(host_, sample.series_id);
            if (series == nullptr || !rows_.make(row_, sample, *series)) continue;
            if (waiting_.size() >= max_series_) drop_oldest();
            waiting_.push_back(row_);
        }
        return flush();
    }
    latmon_result_t flush() override {
        return turn_->is_due(monotonic_ns(), interval_ns_) ? push() : LATMON_RESULT_OK;
    }
    // A push that is under way in vain gives way to this one.
    void finish() override {
        static_cast<void>(push());
        pusher_->finish();
    }

private:
    latmon_result_t push() {
        if (waiting_.empty()) return LATMON_RESULT_OK;
        for (const std::string& row : waiting_) {
            pusher_->append(row);
        }
        waiting_.clear();
        turn_->begin();
        const bool is_kept = pusher_->commit();
        pusher_->flush();
        return result_of(is_kept);
    }

    void drop_oldest() {
        waiting_.pop_front();
        dropped_.add(1);
        if (has_warned_) return;
        has_warned_ = true;
        const std::string text =
            "more than max_series_per_push = " + std::to_string(max_series_) +
            " samples since the last push: the oldest are dropped. If the gateway works, a series "
            "per sample is too much for Prometheus at this rate: use [[exporters]] plugin = "
            "\"pushgateway\", which pushes histograms";
        host_->log(host_, LATMON_LOG_WARNING, text.c_str());
    }

    const latmon_host_t* host_;
    std::uint64_t max_series_;
    std::int64_t interval_ns_;
    Counter dropped_;
    LegacyRows rows_;
    std::shared_ptr<Turn> turn_;
    std::unique_ptr<push::Pusher> pusher_;
    std::deque<std::string> waiting_;  // Rows, for the next push.
    std::string row_;                  // Kept for its memory.
    bool has_warned_ = false;
};

// The state since the start, pushed as a whole each interval. One row is one such state.
class SnapshotExporter final : public Exporter {
public:
    SnapshotExporter(const latmon_host_t* host, const Options& options,
                     std::unique_ptr<push::Pusher> pusher)
        : interval_ns_(options.interval_ns),
          does_delete_(options.does_delete),
          snapshot_(host),
          pusher_(std::move(pusher)) {}

    latmon_result_t take(std::span<const latmon_sample_t> samples) override {
        for (const latmon_sample_t& sample : samples) {
            snapshot_.add(sample);
        }
        is_pushed_ = false;
        return push_if_due();
    }
    latmon_result_t flush() override { return is_pushed_ ? LATMON_RESULT_OK : push_if_due(); }
    void finish() override {
        if (!is_pushed_ && !does_delete_) static_cast<void>(push());
        pusher_->finish();
    }

private:
    latmon_result_t push_if_due() { return monotonic_ns() < next_ns_ ? LATMON_RESULT_OK : push(); }
    // The samples are in the state whatever becomes of this push: they are taken.
    latmon_result_t push() {
        is_pushed_ = true;
        next_ns_ = monotonic_ns() + interval_ns_;
        pusher_->append(snapshot_.text());
        static_cast<void>(pusher_->commit());
        pusher_->flush();
        return LATMON_RESULT_OK;
    }

    std::int64_t interval_ns_;
    bool does_delete_;
    Snapshot snapshot_;
    std::unique_ptr<push::Pusher> pusher_;
    std::int64_t next_ns_ = 0;
    bool is_pushed_ = true;
};

// `grouping`: "name:value" texts, as tags are written.
bool read_grouping(const latmon_host_t* host, const latmon_options_t* options, std::string& path) {
    for (std::uint32_t index = 0;; ++index) {
        const char* const item = host->option_list_item(options, "grouping", index);
        if (item == nullptr) return true;
        const std::string_view text = item;
        const std::size_t colon = text.find(':');
        const std::string_view name = text.substr(0, colon);
        const bool is_taken = std::ranges::find(reserved_labels, name) != std::end(reserved_labels);
        if (colon == std::string_view::npos || name != label_name(name) || is_taken) {
            const std::string line = "grouping holds \"" + std::string(text) +
                                     "\": write \"name:value\", the name of letters, digits and "
                                     "'_', and none that a series has already";
            host->log(host, LATMON_LOG_ERROR, line.c_str());
            return false;
        }
        path += path_segment(name, text.substr(colon + 1));
    }
}

bool read_login(const latmon_host_t* host, const latmon_options_t* options, Group& group) {
    const std::string username = host->option_string(options, "username", "");
    const std::optional<std::string> password = read_secret(host, options, "password");
    if (!password) return false;
    if (username.empty() && !password->empty()) {
        host->log(host, LATMON_LOG_ERROR, "password is given without username: write both");
        return false;
    }
    if (!username.empty()) group.authorization = basic_authorization(username, *password);
    return true;
}

void read_legacy(const latmon_host_t* host, const latmon_options_t* options, Options& read) {
    const double interval_s = host->option_float(options, "send_interval", 30.0, 0.1, 86'400.0);
    read.interval_ns = static_cast<std::int64_t>(interval_s * 1e9);
    read.max_series = static_cast<std::uint64_t>(
        host->option_int(options, "max_series_per_push", 10'000, 1, 1'000'000));
    read.group.job = host->option_string(options, "job", "latency-monitor");
    read.group.instance = node_name(host);
}

bool read_snapshot(const latmon_host_t* host, const latmon_options_t* options, Options& read) {
    const double interval_s = host->option_float(options, "interval", 15.0, 0.1, 86'400.0);
    read.interval_ns = static_cast<std::int64_t>(interval_s * 1e9);
    read.group.job = host->option_string(options, "job", "latmon");
    read.group.instance = host->option_string(options, "instance", node_name(host).c_str());
    read.does_delete = host->option_bool(options, "delete_on_shutdown", false);
    return read_grouping(host, options, read.group.path);
}

// Reads everything before it complains, so that an operator sees all mistakes at once.
bool read_options(const latmon_host_t* host, const latmon_options_t* options, Options& read) {
    read.is_compatible = host->option_bool(options, "compatible", false);
    read.settings.is_snapshot = true;  // A record is one push, which is never cut.
    read.settings.batch_bytes = 256 * mib;
    read.settings.gzip = false;  // Pushgateway reads that from 1.5.0 on.
    const std::string key = read.is_compatible ? "gateway" : "url";
    const char* const fallback = read.is_compatible ? "" : "http://127.0.0.1:9091";
    const std::optional<std::string> url =
        base_url(host, key, host->option_string(options, key.c_str(), fallback));
    bool is_sound = url.has_value();
    if (url) read.group.url = *url;
    if (read.is_compatible) {
        read_legacy(host, options, read);
    } else {
        is_sound = read_snapshot(host, options, read) && is_sound;
    }
    if (read.group.job.empty()) {
        host->log(host, LATMON_LOG_ERROR,
                  "job is empty, which a Pushgateway refuses: write a name");
        is_sound = false;
    }
    is_sound = read_login(host, options, read.group) && is_sound;
    return push::read_settings(host, options, read.settings) && is_sound;
}

void* create(const latmon_host_t* host, const latmon_options_t* options) {
    return guarded_create(host, [&]() -> void* {
        Options read;
        if (!read_options(host, options, read)) return nullptr;
        const std::string what =
            read.group.url + ", job " + read.group.job + ", instance " + read.group.instance;
        std::shared_ptr<Turn> turn;
        if (read.is_compatible) turn = std::make_shared<Turn>(monotonic_ns());
        auto gateway = std::make_unique<Gateway>(read.group, turn, read.does_delete);
        std::unique_ptr<push::Pusher> pusher =
            push::Pusher::start(host, read.settings, std::move(gateway), what);
        if (pusher == nullptr) return nullptr;
        std::unique_ptr<Exporter> exporter;
        if (read.is_compatible) {
            exporter =
                std::make_unique<LegacyExporter>(host, read, std::move(turn), std::move(pusher));
        } else {
            exporter = std::make_unique<SnapshotExporter>(host, read, std::move(pusher));
        }
        return exporter.release();
    });
}

constexpr latmon_plugin_t plugin = exporter_table<Exporter>("pushgateway", create);

}  // namespace
}  // namespace latmon::plugins::pushgateway

const latmon_plugin_t* latmon_plugin_entry(void) {
    return &latmon::plugins::pushgateway::plugin;
}
