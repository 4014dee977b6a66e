// SPDX-License-Identifier: Apache-2.0
//
// See options.hpp.
#include "prometheus/options.hpp"

namespace latmon::plugins::prometheus {
namespace {

constexpr std::uint32_t buckets_max = 200;

void complain(const latmon_host_t* host, const std::string& text) {
    host->log(host, LATMON_LOG_ERROR, text.c_str());
}

// Those that were written, or the usual ones; nullopt after a complaint.
std::optional<std::vector<std::int64_t>> read_bounds(const latmon_host_t* host,
                                                     const latmon_options_t* options) {
    constexpr const char* key = "classic_buckets_seconds";
    std::vector<std::int64_t> bounds;
    for (std::uint32_t index = 0;; ++index) {
        const char* const item = host->option_list_item(options, key, index);
        if (item == nullptr) break;
        const std::int64_t ns = bound_ns(item);
        const bool is_next = bounds.empty() || ns > bounds.back();
        if (ns == 0 || !is_next || bounds.size() == buckets_max) {
            complain(host, std::string(key) + " holds \"" + item + "\": write at most " +
                               std::to_string(buckets_max) +
                               " seconds in ascending order, each a multiple of 1e-9, such as "
                               "[\"0.0001\", \"0.001\"]");
            return std::nullopt;
        }
        bounds.push_back(ns);
    }
    return bounds.empty() ? Bounds::default_ns() : bounds;
}

}  // namespace

std::optional<Options> read_options(const latmon_host_t* host, const latmon_options_t* options) {
    Options read;
    read.page = host->option_string(options, "page", "/metrics");
    Shape& shape = read.format.shape;
    shape.has_native = host->option_bool(options, "native_histograms", true);
    shape.schema =
        static_cast<int>(host->option_int(options, "native_schema", 5, 0, LATMON_HISTOGRAM_SCHEMA));
    const bool has_classic = host->option_bool(options, "classic_buckets", true);
    const std::optional<std::vector<std::int64_t>> bounds = read_bounds(host, options);
    read.format.has_exemplars = host->option_bool(options, "exemplars", true);
    read.format.has_created = host->option_bool(options, "created", true);
    read.has_percentiles = host->option_bool(options, "percentiles", false);
    read.scrapes_max = static_cast<unsigned>(host->option_int(options, "scrapes_max", 4, 1, 1'000));
    if (!bounds) return std::nullopt;
    if (has_classic) shape.bounds = Bounds(*bounds);
    return read;
}

}  // namespace latmon::plugins::prometheus
