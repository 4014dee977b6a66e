// SPDX-License-Identifier: Apache-2.0
//
// The least exporter that pushes: a line of text for each probe and what became of it,
//
//   SERIES SEQUENCE MARK NUMBER FILLING\n
//
// NUMBER counts lines from 0, so that one that is missing leaves a gap.
//
// for tests of what all exporters that push have in common.
//
//   url          where to; a POST of text/plain
//   mark         a word in each line; default "-"
//   row_bytes    length of a line at least, 0 to 1,000,000; default 0
//   prepare_url  a GET before the first block and after each failure; "" (default): none
//   farewell     true: a DELETE of `url` at the end; default false
//   snapshot     true: a batch replaces one that waits; default false
//
// and all of docs/exporters/push.md. `X-Block` holds the id of the block.
#include "push/pusher.hpp"
#include "support/exporter_table.hpp"

#include <latmon/latmon.h>

#include <memory>
#include <span>
#include <string>
#include <utility>

namespace latmon::plugins {
namespace {

using push::Block;
using push::Client;
using push::Pusher;
using push::Record;
using push::Request;
using push::Response;
using push::Settings;
using push::Verdict;

struct Options {
    std::string url;
    std::string prepare_url;
    std::size_t row_bytes = 0;
    bool has_farewell = false;
};

class Lines final : public push::Backend {
public:
    explicit Lines(Options options) : options_(std::move(options)) {}

    [[nodiscard]] Verdict prepare(Client& client, std::string& reason) override {
        if (options_.prepare_url.empty()) return Verdict::done;
        Request request;
        request.method = "GET";
        request.url = options_.prepare_url;
        const Response response = client.send(request);
        reason = "prepare: " + (response.status == 0 ? response.error : response.body);
        return push::judge_status(response);
    }

    [[nodiscard]] Request build(const Block& block) override {
        Request request;
        request.url = options_.url;
        request.headers = {"Content-Type: text/plain", "X-Block: " + block.id,
                           "X-Rows: " + std::to_string(block.rows)};
        for (const Record& record : block.records) {
            request.body += record.payload;
        }
        return request;
    }

    [[nodiscard]] std::optional<Request> farewell() override {
        if (!options_.has_farewell) return std::nullopt;
        Request request;
        request.method = "DELETE";
        request.url = options_.url;
        return request;
    }

private:
    Options options_;
};

// One that has a sequence number, and of which this is the first that is said.
bool is_probe(const latmon_sample_t& sample) noexcept {
    return sample.kind == LATMON_KIND_EXCHANGE && (sample.valid & LATMON_HAS_SEQUENCE) != 0 &&
           sample.status != LATMON_STATUS_LATE && sample.status != LATMON_STATUS_DUPLICATE;
}

struct Exporter {
    latmon_result_t take(std::span<const latmon_sample_t> samples) {
        for (const latmon_sample_t& sample : samples) {
            if (!is_probe(sample)) continue;
            row = std::to_string(sample.series_id);
            row += " " + std::to_string(sample.sequence) + " " + mark + " ";
            row += std::to_string(rows++) + " ";
            if (row.size() + 1 < row_bytes) row.resize(row_bytes - 1, 'x');
            row += '\n';
            pusher->append(row);
        }
        return pusher->commit() ? LATMON_RESULT_OK : LATMON_RESULT_ERROR;
    }
    void finish() { pusher->finish(); }

    std::size_t row_bytes;
    std::string mark;
    std::unique_ptr<Pusher> pusher;
    std::uint64_t rows = 0;
    std::string row;
};

void* create(const latmon_host_t* host, const latmon_options_t* options) {
    return guarded_create(host, [&]() -> void* {
        Options own;
        own.url = host->option_string(options, "url", "http://127.0.0.1:1/");
        own.prepare_url = host->option_string(options, "prepare_url", "");
        own.row_bytes =
            static_cast<std::size_t>(host->option_int(options, "row_bytes", 0, 0, 1'000'000));
        own.has_farewell = host->option_bool(options, "farewell", false);
        Settings settings;
        settings.is_snapshot = host->option_bool(options, "snapshot", false);
        if (!push::read_settings(host, options, settings)) return nullptr;
        auto exporter = std::make_unique<Exporter>();
        exporter->row_bytes = own.row_bytes;
        exporter->mark = host->option_string(options, "mark", "-");
        const std::string what = own.url;
        exporter->pusher =
            Pusher::start(host, settings, std::make_unique<Lines>(std::move(own)), what);
        return exporter->pusher == nullptr ? nullptr : exporter.release();
    });
}

constexpr latmon_plugin_t plugin = exporter_table<Exporter>("push_lines", create);

}  // namespace
}  // namespace latmon::plugins

const latmon_plugin_t* latmon_plugin_entry(void) {
    return &latmon::plugins::plugin;
}
