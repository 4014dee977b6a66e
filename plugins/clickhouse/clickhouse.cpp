// SPDX-License-Identifier: Apache-2.0
//
// Samples into a table of ClickHouse: one row for each, in the ancestor's table or in one of our
// own. docs/exporters/clickhouse.md is the manual. The exporter-thread makes rows, plugins/push
// carries them, and its sender-thread writes them for the table that it finds.
#include "clickhouse/backend.hpp"
#include "clickhouse/encoder.hpp"
#include "clickhouse/options.hpp"
#include "push/pusher.hpp"
#include "support/exporter_table.hpp"

#include <latmon/latmon.h>

#include <ctime>
#include <memory>
#include <span>
#include <string>

namespace latmon::plugins::clickhouse {
namespace {

std::int64_t wall_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

class Exporter {
public:
    Exporter(const latmon_host_t* host, Shape shape, std::unique_ptr<push::Pusher> pusher)
        : encoder_(host, shape), pusher_(std::move(pusher)) {}

    latmon_result_t take(std::span<const latmon_sample_t> samples) {
        const std::int64_t taken_ns = wall_ns();
        for (const latmon_sample_t& sample : samples) {
            const std::string_view row = encoder_.encode(sample, taken_ns);
            if (!row.empty()) pusher_->append(row);
        }
        return pusher_->commit() ? LATMON_RESULT_OK : LATMON_RESULT_ERROR;
    }

    // [main-thread]
    void finish() { pusher_->finish(); }

private:
    Encoder encoder_;
    std::unique_ptr<push::Pusher> pusher_;
};

void* create(const latmon_host_t* host, const latmon_options_t* options) {
    return guarded_create(host, [&]() -> void* {
        std::optional<Options> read = read_options(host, options);
        if (!read) return nullptr;
        const Shape shape = read->destination.shape;
        const std::string what = read->destination.url + ", table " + read->destination.table;
        auto backend = std::make_unique<Backend>(host, std::move(read->destination));
        std::unique_ptr<push::Pusher> pusher =
            push::Pusher::start(host, read->settings, std::move(backend), what);
        if (pusher == nullptr) return nullptr;
        return std::make_unique<Exporter>(host, shape, std::move(pusher)).release();
    });
}

// Without flush(): rows go out by `flush_interval`, because the server wants few and large inserts.
constexpr latmon_plugin_t plugin = exporter_table<Exporter>("clickhouse", create);

}  // namespace
}  // namespace latmon::plugins::clickhouse

const latmon_plugin_t* latmon_plugin_entry(void) {
    return &latmon::plugins::clickhouse::plugin;
}
