// SPDX-License-Identifier: Apache-2.0
//
// A request to the admin listener and its answer, as plain values: all that routes and handlers see
// of HTTP. HttpSession receives the one and sends the other; nothing here reads a socket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace latmon {

// Those that any path of ours knows; `other` is a method all the same.
enum class HttpMethod : std::uint8_t { get, head, post, put, other };

using HttpFields = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    HttpMethod method = HttpMethod::get;
    std::string path;    // Decoded: begins with '/', has no control character.
    HttpFields query;    // Decoded; in the order in which they came.
    HttpFields headers;  // Names in small letters; several of one name are one, with ", " between.
    std::string body;

    // The value of a header (`name` in any case) or of a key of the query, the first of them; null:
    // there is none. Valid as long as the request is not changed.
    [[nodiscard]] const std::string* header(std::string_view name) const noexcept;
    [[nodiscard]] const std::string* query_value(std::string_view key) const noexcept;
};

struct HttpAnswer {
    std::uint32_t status = 200;
    // Content-Length, Date, Connection and what keeps a browser from guessing are added.
    HttpFields headers;
    std::string body;
};

// An answer in plain text; a newline is added behind `text`.
[[nodiscard]] HttpAnswer text_answer(std::uint32_t status, std::string_view text);
[[nodiscard]] HttpAnswer json_answer(std::uint32_t status, std::string body);

// What may be written as a header: a token of RFC 9110 section 5.6.2, and a value without line
// ends. Those that are the server's own to write are no names for others.
[[nodiscard]] bool is_header_name(std::string_view name) noexcept;
[[nodiscard]] bool is_header_value(std::string_view value) noexcept;

// Adds one that came: a further one of the same name is appended to the first with ", " (RFC 9110
// section 5.3). `name` in small letters.
void add_header(HttpFields& headers, std::string name, std::string_view value);

[[nodiscard]] std::string small_letters(std::string_view text);

// The same letters, whatever their case; ASCII alone.
[[nodiscard]] bool is_same_word(std::string_view a, std::string_view b) noexcept;

// Path and query of a request, decoded.
struct RequestTarget {
    std::string path;
    HttpFields query;
};

// "/path?key=value&key" or "http://host/path?..." (RFC 9112 section 3.2). Nothing for what is
// neither, for a '%' without two hex digits behind it, for control characters, encoded or not, and
// for what goes beyond limits::admin_path_bytes and limits::admin_query_items_max.
[[nodiscard]] std::optional<RequestTarget> parse_target(std::string_view target);

// `text` for HTML, within an element or an attribute in quotes.
[[nodiscard]] std::string html_escape(std::string_view text);

}  // namespace latmon
