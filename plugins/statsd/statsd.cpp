// SPDX-License-Identifier: Apache-2.0
//
// Samples or windows for a statsd, or for Datadog's Agent. One set of sources and two plugins,
// "statsd" and "dogstatsd", which differ in the mode that they have unless told otherwise. Keys,
// metrics and what may be lost: docs/exporters/statsd.md.
#include "statsd/claims.hpp"
#include "statsd/naming.hpp"
#include "statsd/options.hpp"
#include "statsd/outlet.hpp"
#include "statsd/paths.hpp"
#include "statsd/window_lines.hpp"
#include "statsd/writer.hpp"
#include "support/counters.hpp"
#include "support/exporter_table.hpp"
#include "support/monotonic.hpp"

#include <latmon/latmon.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace latmon::plugins::statsd {
namespace {

std::int64_t wall_s() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

class Exporter {
public:
    static constexpr WindowWish windows_wanted{.lengths = 0, .kinds = usual_kinds};

    Exporter(const latmon_host_t* host, const Options& options, Naming naming)
        : options_(options),
          naming_(std::move(naming)),
          outlet_(host, options.outlet),
          writer_(host, options.lines,
                  [this](std::span<const Packet> packets) { outlet_.send(packets); }),
          claims_(host, naming_),
          paths_({.host = host, .naming = &naming_, .claims = &claims_, .writer = &writer_},
                 options.has_nodes),
          window_lines_({.host = host, .naming = &naming_, .claims = &claims_, .writer = &writer_}),
          samples_unnamed_(host, "samples_unnamed_total"),
          next_counts_ns_(monotonic_ns() + options.interval_ns) {}

    // [main-thread]
    void open() { claims_.claim_all(); }

    void take(std::span<const latmon_sample_t> samples) {
        outlet_.prepare();
        for (const latmon_sample_t& sample : samples) {
            // Windows are made of the rest: it would be counted twice.
            if (options_.takes_windows && sample.kind != LATMON_KIND_NODE) continue;
            paths_.add(sample);
        }
        samples_unnamed_.set(paths_.unnamed());
        write_counts_if_due();
        writer_.send_complete();
    }

    void take_windows(std::span<const latmon_window_t* const> windows) {
        outlet_.prepare();
        for (const latmon_window_t* const window : windows) {
            window_lines_.add(*window);
        }
        writer_.send_complete();
    }

    void flush() {
        outlet_.prepare();
        write_counts_if_due();
        writer_.write_values();
        writer_.write_out();
    }

    void series_removed(std::span<const std::uint32_t> ids) {
        const std::int64_t now_s = next_time_s();
        for (const std::uint32_t id : ids) {
            paths_.remove(id, now_s);
            window_lines_.remove(id);
        }
        writer_.send_complete();
    }

    // [main-thread]
    void finish() {
        paths_.write_counts(next_time_s());
        writer_.write_values();
        writer_.write_out();
    }

private:
    void write_counts_if_due() {
        const std::int64_t now_ns = monotonic_ns();
        if (now_ns < next_counts_ns_) return;
        next_counts_ns_ += options_.interval_ns;
        if (next_counts_ns_ < now_ns) next_counts_ns_ = now_ns + options_.interval_ns;
        paths_.write_counts(next_time_s());
    }

    // Of two counts with one time stamp Datadog keeps one.
    [[nodiscard]] std::int64_t next_time_s() noexcept {
        last_time_s_ = std::max(wall_s(), last_time_s_ + 1);
        return last_time_s_;
    }

    Options options_;
    Naming naming_;
    Outlet outlet_;
    Writer writer_;
    Claims claims_;
    Paths paths_;
    WindowLines window_lines_;
    Counter samples_unnamed_;
    std::int64_t next_counts_ns_;  // CLOCK_MONOTONIC
    std::int64_t last_time_s_ = 0;
};

void* create(const latmon_host_t* host, const latmon_options_t* options) {
    return guarded_create(host, [&]() -> void* {
        constexpr bool is_dog = std::string_view(LATMON_STATSD_NAME) == "dogstatsd";
        const std::optional<Options> read =
            read_options(host, options, is_dog ? Mode::dogstatsd : Mode::statsd);
        if (!read) return nullptr;
        std::expected<Naming, std::string> naming = Naming::make(read->naming);
        if (!naming) return nullptr;  // read_options() said why.
        auto exporter = std::make_unique<Exporter>(host, *read, *std::move(naming));
        exporter->open();
        return exporter.release();
    });
}

constexpr latmon_plugin_t plugin = exporter_table<Exporter>(LATMON_STATSD_NAME, create);

}  // namespace
}  // namespace latmon::plugins::statsd

const latmon_plugin_t* latmon_plugin_entry(void) {
    return &latmon::plugins::statsd::plugin;
}
