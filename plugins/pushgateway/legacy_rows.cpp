// SPDX-License-Identifier: Apache-2.0
//
// See legacy_rows.hpp.
#include "pushgateway/legacy_rows.hpp"

#include "pushgateway/labels.hpp"
#include "support/json.hpp"
#include "support/legacy.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace latmon::plugins::pushgateway {
namespace {

constexpr std::string_view reserved[] = {"source", "target", "instance", "timestamp", "job", "le"};

struct Family {
    std::vector<std::string_view> lines;
    std::unordered_map<std::string_view, std::size_t> places;  // Of each series in `lines`.
};

void add_line(std::map<std::string_view, Family>& families, std::string_view line) {
    const std::size_t name_end = line.find('{');
    const std::size_t series_end = line.rfind(' ');
    if (name_end == 0 || name_end == std::string_view::npos || series_end < name_end ||
        series_end == std::string_view::npos) {
        return;
    }
    Family& family = families[line.substr(0, name_end)];
    const auto [place, is_new] =
        family.places.try_emplace(line.substr(0, series_end), family.lines.size());
    if (is_new) {
        family.lines.push_back(line);
    } else {
        family.lines[place->second] = line;
    }
}

void append_head(std::string& out, std::string_view name, std::string_view help) {
    out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
    out.append(name).append(" gauge\n");
}

}  // namespace

bool LegacyRows::make(std::string& row, const latmon_sample_t& sample,
                      const latmon_series_t& series) {
    row.clear();
    const std::optional<LegacyPoint> point = legacy_point(sample, series);
    if (!point) return false;
    row = point->metric;
    std::ranges::replace(row, '.', '_');
    row += '{';
    // A sender that gave no name is told by its address, which is the sample's, not the series'.
    const bool is_cacheable =
        sample.kind != LATMON_KIND_REFLECTION || (series.flags & LATMON_SERIES_PEER) != 0;
    if (is_cacheable) {
        if (cached_.size() <= sample.series_id) cached_.resize(sample.series_id + 1);
        std::string& labels = cached_[sample.series_id];
        if (labels.empty()) labels = labels_of(sample, series);
        row += labels;
    } else {
        row += labels_of(sample, series);
    }
    append_integer(row, point->time_ns);
    row += "\"} ";
    append_integer(row, point->value_ns);
    row += '\n';
    return true;
}

std::string LegacyRows::labels_of(const latmon_sample_t& sample, const latmon_series_t& series) {
    const LegacyEnds ends(sample, series);
    Labels labels;
    labels.set("source", ends.source());
    labels.set("target", ends.target());
    const bool is_changed = add_tags(labels, series, reserved);
    labels.set("instance", instance_);
    if (is_changed && !has_warned_) {
        has_warned_ = true;
        const std::string text = "tags of target " + std::string(ends.target()) +
                                 " are no labels of Prometheus' as they are; they are sent as {" +
                                 labels.text() + "}";
        host_->log(host_, LATMON_LOG_WARNING, text.c_str());
    }
    return labels.text() + ",timestamp=\"";
}

std::string legacy_body(std::span<const push::Record> records, std::string_view job,
                        std::string_view instance) {
    std::map<std::string_view, Family> families;
    for (const push::Record& record : records) {
        std::string_view rest = record.payload;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            add_line(families, rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
    std::string out;
    const std::string info = label_name(job) + "_info";
    append_head(out, info, "Latency monitoring metrics");
    Labels labels;
    labels.set("instance", instance);
    out.append(info).append("{").append(labels.text()).append("} 1\n");
    for (const auto& [name, family] : families) {
        std::string metric(name);
        std::ranges::replace(metric, '_', '.');
        append_head(out, name, metric);
        for (const std::string_view line : family.lines) {
            out.append(line).append("\n");
        }
    }
    return out;
}

}  // namespace latmon::plugins::pushgateway
