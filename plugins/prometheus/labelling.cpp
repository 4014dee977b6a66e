// SPDX-License-Identifier: Apache-2.0
//
// See labelling.hpp.
#include "prometheus/labelling.hpp"

#include "prometheus/protobuf.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace latmon::plugins::prometheus {
namespace {

bool is_path(const latmon_series_t& series) noexcept {
    return series.kind != LATMON_KIND_NODE;
}

// Families of different kinds never meet, but those of exchanges and connects, which have `proto`.
std::string key_of(std::uint8_t kind, const std::string& name, const std::string& text) {
    const bool is_probe = kind == LATMON_KIND_EXCHANGE || kind == LATMON_KIND_CONNECT;
    return std::to_string(is_probe ? 0 : kind) + name + '{' + text;
}

SharedLabels shared(const Labels& labels) {
    return std::make_shared<const SeriesLabels>(
        SeriesLabels{.text = labels.text(), .wire = label_pairs(labels.items())});
}

bool has_label(const Labels& labels, const std::string& name) {
    return std::ranges::any_of(labels.items(),
                               [&](const auto& item) { return item.first == name; });
}

// Whose tags they are, for the log: a peer's are not for this node's operator to rename.
std::string owner_of(const latmon_series_t& series) {
    if ((series.flags & LATMON_SERIES_PEER) != 0) {
        return "peer " + std::string(series.source) + ", by what it says of itself";
    }
    const bool is_probe = series.kind == LATMON_KIND_EXCHANGE || series.kind == LATMON_KIND_CONNECT;
    if (!is_probe) return "series " + std::string(series.name);
    return "target " + std::string(series.target) + " (" + std::string(proto_word(series)) + ")";
}

}  // namespace

void Labelling::learn(const latmon_host_t* host) {
    std::map<std::string, std::vector<const latmon_series_t*>> twins;
    const std::uint32_t count = host->series_count(host);
    for (std::uint32_t id = 0; id < count; ++id) {
        const latmon_series_t* const series = host->series(host, id);
        if (series == nullptr || !is_path(*series)) continue;
        bool has_suffix = false;
        const std::string text = base(*series, has_suffix).text();
        twins[key_of(series->kind, series->name, text)].push_back(series);
    }
    for (const auto& [key, members] : twins) {
        if (members.size() < 2) continue;
        bool is_mended = false;
        Detail& detail = details_[base(*members.front(), is_mended).text()];
        for (const Detail next : {Detail::port, Detail::host, Detail::series}) {
            detail = std::max(detail, next);
            std::map<std::string, int> texts;
            for (const latmon_series_t* const series : members) {
                bool has_suffix = false;
                Labels labels = base(*series, has_suffix);
                add_detail(labels, *series, detail);
                ++texts[labels.text()];
            }
            if (texts.size() == members.size()) break;
        }
    }
}

// base() tells tags apart in the same way.
std::string Labelling::clash_of(const latmon_series_t& series) {
    std::map<std::string, std::pair<std::string_view, std::string_view>> seen;  // Value and tag.
    for (std::uint32_t index = 0; index < series.tags_count; ++index) {
        const std::string_view tag = series.tags[index];
        const TagLabel label = tag_label(tag, reserved_labels);
        const auto [found, is_new] =
            seen.try_emplace(label.name, std::pair(std::string_view(label.value), tag));
        if (is_new || found->second.first == label.value) continue;
        return owner_of(series) + ": the tags \"" + std::string(found->second.second) +
               "\" and \"" + std::string(tag) + "\" are one label to Prometheus, " + label.name +
               ": the second gets a number at its end; rename one of them";
    }
    return {};
}

SharedLabels Labelling::take(const latmon_series_t& series, bool& was_mended) {
    bool has_suffix = false;
    const Labels plain = base(series, has_suffix);
    Detail detail = detail_of(plain.text());
    was_mended = has_suffix;
    while (true) {
        Labels labels = plain;
        add_detail(labels, series, detail);
        const auto [found, is_new] =
            taken_.emplace(key_of(series.kind, series.name, labels.text()), series.series_id);
        if (is_new || found->second == series.series_id) return shared(labels);
        if (detail == Detail::series) return shared(labels);  // Ids are unique: not reached.
        was_mended = true;
        detail = static_cast<Detail>(static_cast<int>(detail) + 1);
    }
}

void Labelling::release(std::uint32_t series_id, std::uint8_t kind, const std::string& name,
                        const SeriesLabels& labels) {
    const auto found = taken_.find(key_of(kind, name, labels.text));
    if (found != taken_.end() && found->second == series_id) taken_.erase(found);
}

SharedLabels Labelling::of_node(const latmon_series_t& series, std::uint16_t core,
                                const SeriesLabels* path) const {
    Labels labels;
    if (path != nullptr) {
        labels.set("core", std::to_string(core));
        return std::make_shared<const SeriesLabels>(
            SeriesLabels{.text = path->text + ',' + labels.text(),
                         .wire = path->wire + label_pairs(labels.items())});
    }
    if (series.protocol != LATMON_PROTOCOL_NONE) {
        bool has_suffix = false;
        labels = base(series, has_suffix);
        add_detail(labels, series, detail_of(labels.text()));
    } else if (*series.target != '\0') {
        labels.set(node_metric(series).target_label, series.target);
    }
    labels.set("core", std::to_string(core));
    return shared(labels);
}

Labels Labelling::base(const latmon_series_t& series, bool& has_suffix) const {
    Labels labels;
    if (series.protocol != LATMON_PROTOCOL_NONE) labels.set("proto", proto_word(series));
    // A sender that gave no name has none: its address would be a series for each that there is.
    const bool is_nameless =
        series.kind == LATMON_KIND_REFLECTION && (series.flags & LATMON_SERIES_PEER) == 0;
    labels.set("source", is_nameless ? "" : series.source);
    labels.set("target", series.target);
    for (std::uint32_t index = 0; index < series.tags_count; ++index) {
        const TagLabel tag = tag_label(series.tags[index], reserved_labels);
        const std::string value(tag.value);
        std::string name = tag.name;
        const std::pair<std::string, std::string> item(name, value);
        if (std::ranges::find(labels.items(), item) != labels.items().end()) continue;
        for (int suffix = 2; has_label(labels, name); ++suffix) {
            name = tag.name + '_' + std::to_string(suffix);
            has_suffix = true;
        }
        labels.set(name, value);
    }
    return labels;
}

void Labelling::add_detail(Labels& labels, const latmon_series_t& series, Detail detail) {
    if (detail >= Detail::port) labels.set("port", std::to_string(series.port));
    if (detail >= Detail::host) labels.set("target_host", series.host);
    if (detail >= Detail::series) labels.set("series", std::to_string(series.series_id));
}

Labelling::Detail Labelling::detail_of(const std::string& base_text) const {
    const auto found = details_.find(base_text);
    return found == details_.end() ? Detail::none : found->second;
}

}  // namespace latmon::plugins::prometheus
