// SPDX-License-Identifier: Apache-2.0
//
// The labels of each series: proto, source and target, the target's tags, and as much of port, host
// and series id as it takes that no two series have the same. What a series was once given it keeps
// while it is there, whatever comes beside it. On the main-thread in create(), on the
// exporter-thread from then on.
#pragma once

#include "support/prometheus_labels.hpp"

#include <latmon/host.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace latmon::plugins::prometheus {

// Labels that no tag may take: ours, and those that a scrape adds.
inline constexpr std::string_view reserved_labels[] = {
    "source",    "target", "proto",  "port",     "target_host", "series",
    "direction", "class",  "status", "core",     "exporter",    "interface",
    "instance",  "job",    "le",     "quantile", "percentile"};

// One series' labels in both forms that are needed.
struct SeriesLabels {
    std::string text;  // a="b",c="d"; "" if there are none.
    std::string wire;  // The same as fields `label` of a protobuf Metric.
};
using SharedLabels = std::shared_ptr<const SeriesLabels>;

class Labelling {
public:
    // Finds out which of the series that are there need more than their names and tags to be told
    // apart. [main-thread]
    void learn(const latmon_host_t* host);

    // The labels of a series, unique among those of its kind that were not released. `was_mended`
    // is set if tags had to be renamed with a suffix, or the series is the twin of another.
    [[nodiscard]] SharedLabels take(const latmon_series_t& series, bool& was_mended);
    // A line for the log about two tags of the series that would be one label; "" if none are.
    [[nodiscard]] static std::string clash_of(const latmon_series_t& series);
    // The series is over. `kind` and `name` are its own, `labels` what take() returned for it.
    void release(std::uint32_t series_id, std::uint8_t kind, const std::string& name,
                 const SeriesLabels& labels);

    // The labels of a counter of latmon's own: those of its path if it is about one. `path` is what
    // take() returned for that; null if it is not known, and then what tells it from its twins may
    // be missing.
    [[nodiscard]] SharedLabels of_node(const latmon_series_t& series, std::uint16_t core,
                                       const SeriesLabels* path = nullptr) const;

private:
    // How much is needed to tell series of equal names and tags apart.
    enum class Detail : std::uint8_t { none, port, host, series };

    [[nodiscard]] Labels base(const latmon_series_t& series, bool& has_suffix) const;
    static void add_detail(Labels& labels, const latmon_series_t& series, Detail detail);
    [[nodiscard]] Detail detail_of(const std::string& base_text) const;

    std::map<std::string, Detail> details_;       // By base text; what is not here needs none.
    std::map<std::string, std::uint32_t> taken_;  // By kind and text: whose it is.
};

}  // namespace latmon::plugins::prometheus
