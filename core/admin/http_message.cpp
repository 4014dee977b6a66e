// SPDX-License-Identifier: Apache-2.0
//
// See http_message.hpp.
#include "admin/http_message.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <array>

namespace latmon {
namespace {

constexpr char small(char letter) noexcept {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

constexpr bool is_control(char letter) noexcept {
    return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
}

const std::string* find(const HttpFields& fields, std::string_view key) noexcept {
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [&](const auto& field) { return field.first == key; });
    return found == fields.end() ? nullptr : &found->second;
}

int hex_digit(char letter) noexcept {
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (small(letter) >= 'a' && small(letter) <= 'f') return small(letter) - 'a' + 10;
    return -1;
}

// In a query '+' is a blank, as forms write it.
std::optional<std::string> decode(std::string_view text, bool is_query) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t index = 0; index < text.size(); ++index) {
        char letter = text[index];
        if (letter == '%') {
            if (index + 2 >= text.size()) return std::nullopt;
            const int high = hex_digit(text[index + 1]);
            const int low = hex_digit(text[index + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            letter = static_cast<char>(high * 16 + low);
            index += 2;
        } else if (letter == '+' && is_query) {
            letter = ' ';
        }
        if (is_control(letter)) return std::nullopt;
        decoded += letter;
    }
    return decoded;
}

bool decode_query(std::string_view text, HttpFields& query) {
    while (!text.empty()) {
        const std::string_view item = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(item.size() + 1, text.size()));
        if (item.empty()) continue;
        const std::size_t equals = std::min(item.find('='), item.size());
        std::optional<std::string> key = decode(item.substr(0, equals), true);
        std::optional<std::string> value =
            decode(item.substr(std::min(equals + 1, item.size())), true);
        if (!key || !value || query.size() == limits::admin_query_items_max) return false;
        query.emplace_back(std::move(*key), std::move(*value));
    }
    return true;
}

// What stands before the path of "http://host/path"; a path of its own if there is none.
std::string_view without_origin(std::string_view target) noexcept {
    const std::size_t scheme_end = target.find("://");
    const bool is_absolute = scheme_end != std::string_view::npos &&
                             (is_same_word(target.substr(0, scheme_end), "http") ||
                              is_same_word(target.substr(0, scheme_end), "https"));
    if (!is_absolute) return target;
    const std::size_t path = target.find_first_of("/?", scheme_end + 3);
    return path == std::string_view::npos || target[path] == '?' ? "/" : target.substr(path);
}

}  // namespace

const std::string* HttpRequest::header(std::string_view name) const noexcept {
    const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& field) {
        return is_same_word(field.first, name);
    });
    return found == headers.end() ? nullptr : &found->second;
}

const std::string* HttpRequest::query_value(std::string_view key) const noexcept {
    return find(query, key);
}

HttpAnswer text_answer(std::uint32_t status, std::string_view text) {
    return {.status = status,
            .headers = {{"Content-Type", "text/plain; charset=utf-8"}},
            .body = std::string(text) + "\n"};
}

HttpAnswer json_answer(std::uint32_t status, std::string body) {
    return {.status = status,
            .headers = {{"Content-Type", "application/json"}},
            .body = std::move(body)};
}

bool is_header_name(std::string_view name) noexcept {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    constexpr std::array<std::string_view, 5> own{"connection", "content-length", "date",
                                                  "keep-alive", "transfer-encoding"};
    const bool is_token = !name.empty() && std::all_of(name.begin(), name.end(), [&](char letter) {
        return (letter >= '0' && letter <= '9') || (small(letter) >= 'a' && small(letter) <= 'z') ||
               marks.find(letter) != std::string_view::npos;
    });
    return is_token && std::none_of(own.begin(), own.end(), [&](std::string_view word) {
               return is_same_word(name, word);
           });
}

bool is_header_value(std::string_view value) noexcept {
    return std::none_of(value.begin(), value.end(),
                        [](char letter) { return is_control(letter) && letter != '\t'; });
}

void add_header(HttpFields& headers, std::string name, std::string_view value) {
    const auto found = std::find_if(headers.begin(), headers.end(),
                                    [&](const auto& field) { return field.first == name; });
    if (found == headers.end()) {
        headers.emplace_back(std::move(name), value);
    } else {
        found->second += ", ";
        found->second += value;
    }
}

std::string small_letters(std::string_view text) {
    std::string letters(text);
    std::transform(letters.begin(), letters.end(), letters.begin(), small);
    return letters;
}

bool is_same_word(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return small(x) == small(y); });
}

std::optional<RequestTarget> parse_target(std::string_view target) {
    target = without_origin(target);
    if (!target.starts_with('/')) return std::nullopt;
    target = target.substr(0, target.find('#'));
    const std::size_t question = std::min(target.find('?'), target.size());
    std::optional<std::string> path = decode(target.substr(0, question), false);
    if (!path || path->size() > limits::admin_path_bytes) return std::nullopt;
    RequestTarget parsed{.path = std::move(*path), .query = {}};
    const std::string_view query = target.substr(std::min(question + 1, target.size()));
    if (!decode_query(query, parsed.query)) return std::nullopt;
    return parsed;
}

std::string html_escape(std::string_view text) {
    std::string escaped;
    escaped.reserve(text.size());
    for (const char letter : text) {
        switch (letter) {
            case '&':
                escaped += "&amp;";
                break;
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            case '"':
                escaped += "&quot;";
                break;
            case '\'':
                escaped += "&#39;";
                break;
            default:
                escaped += letter;
        }
    }
    return escaped;
}

}  // namespace latmon
