// SPDX-License-Identifier: Apache-2.0
//
// See prometheus_labels.hpp. The grammar: Prometheus' exposition format and data model.
#include "support/prometheus_labels.hpp"

#include "support/words.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace latmon::plugins {
namespace {

bool is_letter(char octet) noexcept {
    return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z');
}

bool is_digit(char octet) noexcept {
    return octet >= '0' && octet <= '9';
}

// Length of the well-formed UTF-8 sequence (Unicode 15, table 3-7) in front of `text`; 0: none.
std::size_t sequence_length(std::string_view text) noexcept {
    const auto octet = [&](std::size_t index) -> std::uint32_t {
        return index < text.size() ? static_cast<unsigned char>(text[index]) : 0;
    };
    const std::uint32_t first = octet(0);
    if (first < 0x80) return 1;
    if (first < 0xC2 || first > 0xF4) return 0;
    const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    for (std::size_t index = 1; index < length; ++index) {
        if ((octet(index) & 0xC0U) != 0x80) return 0;
    }
    const std::uint32_t second = octet(1);
    const bool is_overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
    const bool is_beyond = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
    return is_overlong || is_beyond ? 0 : length;
}

void append_escaped(std::string& out, std::string_view text) {
    for (const char octet : text) {
        if (octet == '\n') {
            out += "\\n";
            continue;
        }
        if (octet == '\\' || octet == '"') out += '\\';
        out += octet;
    }
}

bool cut_end(std::string& text, std::string_view end) {
    if (!text.ends_with(end)) return false;
    text.resize(text.size() - end.size());
    return true;
}

// Nanoseconds become seconds, parts in 10^9 and 10^6 a ratio. Returns by how many digits the value
// is to be shifted.
unsigned use_base_unit(std::string& name) {
    constexpr std::string_view ns = "_ns";
    const bool is_total = cut_end(name, "_total");
    unsigned digits = 0;
    std::size_t at = name.find(ns);
    while (at != std::string::npos && at + ns.size() < name.size() && name[at + ns.size()] != '_')
        at = name.find(ns, at + 1);
    if (at != std::string::npos) {
        name.erase(at, ns.size());
        name += "_seconds";
        digits = 9;
    } else if (cut_end(name, "_ppb")) {
        name += "_ratio";
        digits = 9;
    } else if (cut_end(name, "_ppm")) {
        name += "_ratio";
        digits = 6;
    }
    if (is_total) name += "_total";
    return digits;
}

}  // namespace

std::string label_name(std::string_view text) {
    std::string name;
    for (const char octet : text) {
        name += is_letter(octet) || is_digit(octet) ? octet : '_';
    }
    if (name.empty() || is_digit(name.front())) name.insert(0, 1, '_');
    while (name.starts_with("__"))
        name.erase(0, 1);  // Those are Prometheus' own.
    return name;
}

std::string well_formed(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        out += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

bool Labels::set(std::string_view name, std::string_view value) {
    for (auto& [known, content] : labels_) {
        if (known != name) continue;
        content = value;
        return true;
    }
    labels_.emplace_back(name, value);
    return false;
}

std::string Labels::text() const {
    std::string out;
    for (const auto& [name, value] : labels_) {
        if (!out.empty()) out += ',';
        out += name;
        out += "=\"";
        append_escaped(out, well_formed(value));
        out += '"';
    }
    return out;
}

TagLabel tag_label(std::string_view tag, std::span<const std::string_view> reserved) {
    const std::size_t colon = tag.find(':');
    const std::string_view key = tag.substr(0, colon);
    TagLabel label;
    label.value = colon == std::string_view::npos ? "true" : tag.substr(colon + 1);
    label.name = label_name(key);
    if (std::ranges::find(reserved, label.name) != reserved.end()) label.name.insert(0, "tag_");
    label.is_renamed = label.name != key;
    return label;
}

bool add_tags(Labels& labels, const latmon_series_t& series,
              std::span<const std::string_view> reserved) {
    bool is_changed = false;
    for (std::uint32_t index = 0; index < series.tags_count; ++index) {
        const TagLabel label = tag_label(series.tags[index], reserved);
        is_changed = is_changed || label.is_renamed;
        is_changed = labels.set(label.name, label.value) || is_changed;
    }
    return is_changed;
}

std::string_view proto_word(const latmon_series_t& series) noexcept {
    return series.kind == LATMON_KIND_CONNECT ? "tcp_connect" : protocol_word(series.protocol);
}

NodeMetric node_metric(const latmon_series_t& series) {
    NodeMetric metric;
    std::string name = series.name;
    metric.digits = use_base_unit(name);
    // Sums over a core's probes; each target has counters of the same names.
    const bool is_sum = name.starts_with("probes_");
    metric.name = (is_sum ? "latmon_core_" : "latmon_") + label_name(name);
    metric.is_counter = metric.name.ends_with("_total");
    const bool is_of_interface =
        series.protocol == LATMON_PROTOCOL_NONE && name.starts_with("stamped_");
    metric.target_label = name.starts_with("exporter_") ? "exporter"
                          : is_of_interface             ? "interface"
                                                        : "target";
    return metric;
}

}  // namespace latmon::plugins
