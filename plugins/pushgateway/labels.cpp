// SPDX-License-Identifier: Apache-2.0
//
// See labels.hpp. The grammar: the Pushgateway's README.
#include "pushgateway/labels.hpp"

#include "support/url.hpp"

#include <algorithm>

namespace latmon::plugins::pushgateway {
namespace {

bool is_letter(char octet) noexcept {
    return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z');
}

bool is_digit(char octet) noexcept {
    return octet >= '0' && octet <= '9';
}

}  // namespace

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

}  // namespace latmon::plugins::pushgateway
