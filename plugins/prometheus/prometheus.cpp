// SPDX-License-Identifier: Apache-2.0
//
// What has been measured since the start, for Prometheus to scrape from latmon's admin listener:
// takes windows and latmon's own counters on the exporter-thread, answers on the admin-thread.
// Opens no port. Keys, names and formats: docs/exporters/prometheus.md.
#include "prometheus/negotiate.hpp"
#include "prometheus/options.hpp"
#include "prometheus/scrape.hpp"
#include "prometheus/store.hpp"
#include "support/counters.hpp"
#include "support/exporter_table.hpp"
#include "support/monotonic.hpp"

#include <latmon/latmon.h>

#include <atomic>
#include <ctime>
#include <exception>
#include <memory>
#include <span>
#include <string>

namespace latmon::plugins::prometheus {
namespace {

// CLOCK_REALTIME.
std::int64_t wall_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

class AnswerSink final : public Sink {
public:
    AnswerSink(const latmon_http_t* http, latmon_http_answer_t* answer)
        : http_(http), answer_(answer) {}

    void take(std::string_view octets) override {
        http_->write(answer_, octets.data(), octets.size());
        bytes_ += octets.size();
    }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

private:
    const latmon_http_t* http_;
    latmon_http_answer_t* answer_;
    std::uint64_t bytes_ = 0;
};

class Exporter {
public:
    static constexpr WindowWish windows_wanted{.lengths = LATMON_WINDOW_1S | LATMON_WINDOW_60S,
                                               .kinds = 1U << LATMON_KIND_NODE};

    Exporter(const latmon_host_t* host, const latmon_http_t* http, Options options)
        : host_(host),
          http_(http),
          options_(std::move(options)),
          store_(host, options_.format.shape),
          windows_(host, "windows_total"),
          scrapes_(host, "scrapes_total"),
          refused_(host, "scrapes_refused_total"),
          duration_(host, "scrape_duration_ns"),
          size_(host, "scrape_size_bytes") {}

    // False, after saying why in the log, if it cannot work. [main-thread]
    [[nodiscard]] bool start() {
        store_.declare_all(wall_ns());
        return http_->route(host_, options_.page.c_str(), "Metrics for Prometheus", handle, this);
    }

    void take(std::span<const latmon_sample_t> samples) { store_.take(samples); }
    void take_windows(std::span<const latmon_window_t* const> windows) {
        store_.take(windows, wall_ns());
        windows_.add(windows.size());
    }
    void series_added(std::span<const std::uint32_t> ids) { store_.add(ids, wall_ns()); }
    void series_removed(std::span<const std::uint32_t> ids) { store_.remove(ids); }

private:
    static void handle(void* context, const latmon_http_request_t* request,
                       latmon_http_answer_t* answer) {
        Exporter& self = *static_cast<Exporter*>(context);
        const unsigned running = self.running_.fetch_add(1, std::memory_order_relaxed);
        if (running >= self.options_.scrapes_max) {
            self.refused_.add(1);
            self.http_->set_status(answer, 503);
            self.http_->add_header(answer, "Retry-After", "1");
        } else if (guarded([&] { self.answer(request, answer); }) != LATMON_RESULT_OK) {
            self.http_->set_status(answer, 500);
        }
        self.running_.fetch_sub(1, std::memory_order_relaxed);
    }

    void answer(const latmon_http_request_t* request, latmon_http_answer_t* answer) {
        const std::int64_t start_ns = monotonic_ns();
        const Scrape scrape{.choice = choose_exposition(http_->header(request, "Accept")),
                            .is_packed = takes_gzip(http_->header(request, "Accept-Encoding"))};
        http_->add_header(answer, "Content-Type", content_type(scrape.choice).c_str());
        http_->add_header(answer, "Vary", "Accept, Accept-Encoding");
        if (scrape.is_packed) http_->add_header(answer, "Content-Encoding", "gzip");
        Format format = options_.format;
        format.now_ns = wall_ns();
        const Content content{.version = host_->version,
                              .has_percentiles = options_.has_percentiles};
        AnswerSink sink(http_, answer);
        const Store::Snapshot snapshot(store_);
        if (!write_scrape(scrape, snapshot, content, format, sink)) throw std::bad_alloc();
        scrapes_.add(1);
        size_.set(sink.bytes());
        duration_.set(static_cast<std::uint64_t>(monotonic_ns() - start_ns));
    }

    const latmon_host_t* host_;
    const latmon_http_t* http_;
    Options options_;
    Store store_;
    Counter windows_;
    Counter scrapes_;
    Counter refused_;
    Counter duration_;  // Of the last one.
    Counter size_;
    std::atomic<unsigned> running_ = 0;
};

void* create(const latmon_host_t* host, const latmon_options_t* options) {
    return guarded_create(host, [&]() -> void* {
        std::optional<Options> read = read_options(host, options);
        const auto* const http =
            static_cast<const latmon_http_t*>(host->extension(host, LATMON_HTTP_1));
        if (http == nullptr || host->extension(host, LATMON_WINDOWS_1) == nullptr) {
            host->log(host, LATMON_LOG_ERROR,
                      "this latmon has no admin listener, or no windows: update it");
            return nullptr;
        }
        if (!read) return nullptr;
        auto exporter = std::make_unique<Exporter>(host, http, std::move(*read));
        return exporter->start() ? exporter.release() : nullptr;
    });
}

constexpr latmon_plugin_t plugin = exporter_table<Exporter>("prometheus", create);

}  // namespace
}  // namespace latmon::plugins::prometheus

const latmon_plugin_t* latmon_plugin_entry(void) {
    return &latmon::plugins::prometheus::plugin;
}
