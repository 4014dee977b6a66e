// SPDX-License-Identifier: Apache-2.0
//
// Publishes a message for every sample over ZeroMQ. Keys (manual: docs/exporters/zeromq.md):
//
//   bind, connect         endpoints; default bind = ["tcp://127.0.0.1:8002"]
//   encoding              "json" (default) or "legacy": the ancestor's
//   topic                 true: a frame KIND|source|target| before the sample; default false
//   send_high_water_mark  messages that wait for one subscriber at most; default 65536
//   exact_drops           true (default): no subscriber misses a message that is not counted
//   stuck_timeout_ms      after which a subscriber that takes nothing is left; default 10000
//   linger_ms             at the end, for subscribers to take what waits; default 1000
//   curve_...             encryption: settings.hpp
//
// Under [metrics]: address, port, and the ancestor's JSON.
#include "support/counters.hpp"
#include "support/exporter_table.hpp"
#include "support/json.hpp"
#include "support/legacy.hpp"
#include "support/monotonic.hpp"
#include "support/words.hpp"
#include "zeromq/publisher.hpp"

#include <latmon/latmon.h>

#include <span>
#include <string>

namespace latmon::plugins {
namespace {

// So long without a drop, and a subscriber keeps up again.
constexpr std::int64_t calm_ns = 10'000'000'000;

class Zeromq {
public:
    Zeromq(const latmon_host_t* host, const ZeromqSettings& settings)
        : host_(host),
          is_legacy_(settings.is_legacy),
          has_topic_(settings.has_topic),
          publisher_(settings),
          sent_(host, "messages_sent_total"),
          dropped_(host, "messages_dropped_total"),
          unheard_(host, "messages_unheard_total"),
          subscriptions_(host, "subscriptions") {}

    void take(std::span<const latmon_sample_t> samples) {
        publisher_.look_for_subscribers();
        for (const latmon_sample_t& sample : samples)
            publish(sample);
        report();
    }

    void flush() {
        publisher_.look_for_subscribers();
        report();
    }

    // [main-thread]
    void finish() {
        const MessageCounts& counts = publisher_.counts();
        const std::string text = "messages sent: " + std::to_string(counts.sent) +
                                 ", dropped: " + std::to_string(counts.dropped) +
                                 ", unheard: " + std::to_string(counts.unheard);
        host_->log(host_, counts.dropped == 0 ? LATMON_LOG_DEBUG : LATMON_LOG_WARNING,
                   text.c_str());
    }

private:
    void publish(const latmon_sample_t& sample) {
        const latmon_series_t* const series = host_->series(host_, sample.series_id);
        payload_.clear();
        if (is_legacy_) {
            if (series == nullptr || !append_legacy_sample(payload_, sample, *series)) return;
        } else {
            append_json_sample(payload_, sample, series);
        }
        topic_.clear();
        if (has_topic_) append_topic(sample, series);
        publisher_.send(topic_, payload_);
    }

    // Ends with '|', so that "exchange|a|b|" is not a prefix of target "bc" too.
    void append_topic(const latmon_sample_t& sample, const latmon_series_t* series) {
        if (is_legacy_) {
            topic_ += legacy_point(sample, *series)->metric;
            const LegacyEnds ends(sample, *series);
            append_part(ends.source());
            append_part(ends.target());
        } else {
            topic_ += kind_word(sample.kind);
            append_part(series == nullptr ? "" : series->source);
            append_part(series == nullptr ? "" : series->target);
        }
        topic_ += '|';
    }

    void append_part(std::string_view text) {
        topic_ += '|';
        topic_ += text;
    }

    void report() {
        const MessageCounts& counts = publisher_.counts();
        sent_.set(counts.sent);
        unheard_.set(counts.unheard);
        subscriptions_.set(publisher_.subscriptions());
        if (counts.dropped != dropped_.value()) {
            dropped_.set(counts.dropped);
            calm_at_ns_ = monotonic_ns() + calm_ns;
            if (is_dropping_) return;
            is_dropping_ = true;
            host_->log(host_, LATMON_LOG_WARNING,
                       "a subscriber does not keep up: messages are dropped until it does");
        } else if (is_dropping_ && monotonic_ns() >= calm_at_ns_) {
            is_dropping_ = false;
            const std::string text = "all subscribers keep up; messages dropped: " +
                                     std::to_string(counts.dropped - dropped_reported_);
            dropped_reported_ = counts.dropped;
            host_->log(host_, LATMON_LOG_INFO, text.c_str());
        }
    }

    const latmon_host_t* host_;
    bool is_legacy_;
    bool has_topic_;
    Publisher publisher_;
    Counter sent_;
    Counter dropped_;
    Counter unheard_;
    Counter subscriptions_;
    bool is_dropping_ = false;            // The log knows.
    std::int64_t calm_at_ns_ = 0;         // CLOCK_MONOTONIC
    std::uint64_t dropped_reported_ = 0;  // Of those the log knows how many.
    std::string topic_;                   // Kept for their memory.
    std::string payload_;
};

void* create(const latmon_host_t* host, const latmon_options_t* options) {
    return guarded_create(host, [&]() -> void* {
        const std::optional<ZeromqSettings> settings = read_zeromq_settings(host, options);
        return settings ? new Zeromq(host, *settings) : nullptr;
    });
}

// Messages that are dropped are in this plugin's own accounts: a sample taken is one exported.
constexpr latmon_plugin_t plugin = exporter_table<Zeromq>("zeromq", create);

}  // namespace
}  // namespace latmon::plugins

const latmon_plugin_t* latmon_plugin_entry(void) {
    return &latmon::plugins::plugin;
}
