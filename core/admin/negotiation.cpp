// SPDX-License-Identifier: Apache-2.0
//
// See negotiation.hpp.
#include "admin/negotiation.hpp"

#include "admin/http_message.hpp"

#include <algorithm>
#include <charconv>

namespace latmon {
namespace {

struct MediaRange {
    std::string_view type;
    std::string_view version;
    double quality = 1;
};

std::string_view trimmed(std::string_view text) noexcept {
    const auto is_blank = [](char letter) { return letter == ' ' || letter == '\t'; };
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    return text;
}

// Takes off what stands before the next `mark`, and the mark.
std::string_view take(std::string_view& text, char mark) noexcept {
    const std::string_view item = text.substr(0, text.find(mark));
    text.remove_prefix(std::min(item.size() + 1, text.size()));
    return trimmed(item);
}

std::string_view without_quotes(std::string_view text) noexcept {
    const bool has_quotes = text.size() >= 2 && text.front() == '"' && text.back() == '"';
    return has_quotes ? text.substr(1, text.size() - 2) : text;
}

// What is no number counts as 0: what cannot be read is not wanted.
double quality_of(std::string_view text) noexcept {
    double quality = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, quality, std::chars_format::fixed);
    const bool is_quality = error == std::errc{} && rest == end && quality >= 0 && quality <= 1;
    return is_quality ? quality : 0;
}

MediaRange parse_range(std::string_view text) noexcept {
    MediaRange range{.type = take(text, ';'), .version = {}, .quality = 1};
    while (!text.empty()) {
        std::string_view value = take(text, ';');
        const std::string_view key = take(value, '=');
        value = without_quotes(trimmed(value));
        if (is_same_word(key, "q")) range.quality = quality_of(value);
        if (is_same_word(key, "version")) range.version = value;
    }
    return range;
}

// How closely the range means the form: 0 not at all, 1 "*/*", 2 "type/*", 3 the type, 4 with
// version.
int closeness(const MediaRange& range, const MediaForm& form) noexcept {
    if (range.type == "*/*") return 1;
    const std::size_t slash = form.type.find('/');
    if (range.type.ends_with("/*")) {
        const std::string_view kind = range.type.substr(0, range.type.size() - 2);
        return is_same_word(kind, form.type.substr(0, slash)) ? 2 : 0;
    }
    if (!is_same_word(range.type, form.type)) return 0;
    if (range.version.empty()) return 3;
    return range.version == form.version ? 4 : 0;
}

// The quality that the closest range gives the form.
double quality_for(std::string_view accept, const MediaForm& form) noexcept {
    int closest = 0;
    double quality = 0;
    while (!accept.empty()) {
        const MediaRange range = parse_range(take(accept, ','));
        const int close = closeness(range, form);
        if (close <= closest) continue;
        closest = close;
        quality = range.quality;
    }
    return quality;
}

}  // namespace

std::size_t best_form(std::string_view accept, std::span<const MediaForm> forms) {
    std::size_t best = 0;
    double quality_max = 0;
    for (std::size_t index = 0; index < forms.size(); ++index) {
        const double quality = quality_for(accept, forms[index]);
        if (quality <= quality_max) continue;
        quality_max = quality;
        best = index;
    }
    return best;
}

}  // namespace latmon
