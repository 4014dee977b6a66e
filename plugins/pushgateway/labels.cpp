// SPDX-License-Identifier: Apache-2.0
//
// See labels.hpp. The grammar: Prometheus' exposition format and data model.
#include "pushgateway/labels.hpp"

#include "support/url.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace latmon::plugins::pushgateway {
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

void append_value(std::string& out, std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        if (length == 0) {
            out += "\xEF\xBF\xBD";
        } else if (text.front() == '\n') {
            out += "\\n";
        } else {
            if (text.front() == '\\' || text.front() == '"') out += '\\';
            out += text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
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

std::string path_segment(std::string_view name, std::string_view value) {
    const bool is_plain = !value.empty() && std::ranges::all_of(value, [](char octet) {
        return is_letter(octet) || is_digit(octet) || std::string_view("-._~").contains(octet);
    });
    // "." and ".." are plain, and clients fold them away.
    const bool is_dots = value == "." || value == "..";
    std::string out = "/" + std::string(name);
    if (is_plain && !is_dots) return out.append("/").append(value);
    return out.append("@base64/").append(value.empty() ? "=" : base64(value, Base64::url_safe));
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
        append_value(out, value);
        out += '"';
    }
    return out;
}

bool add_tags(Labels& labels, const latmon_series_t& series,
              std::span<const std::string_view> reserved) {
    bool is_changed = false;
    for (std::uint32_t index = 0; index < series.tags_count; ++index) {
        const std::string_view tag = series.tags[index];
        const std::size_t colon = tag.find(':');
        const std::string_view key = tag.substr(0, colon);
        const std::string_view value =
            colon == std::string_view::npos ? "true" : tag.substr(colon + 1);
        std::string name = label_name(key);
        if (std::ranges::find(reserved, name) != reserved.end()) name.insert(0, "tag_");
        is_changed = is_changed || name != key;
        is_changed = labels.set(name, value) || is_changed;
    }
    return is_changed;
}

}  // namespace latmon::plugins::pushgateway
