// SPDX-License-Identifier: Apache-2.0
//
// See url.hpp.
#include "support/url.hpp"

#include <algorithm>
#include <cstdint>

namespace latmon::plugins {
namespace {

std::string_view mistake_in(std::string_view text) {
    const std::size_t scheme_end = text.find("://");
    const std::string_view scheme = text.substr(0, scheme_end);
    if (scheme != "http" && scheme != "https") return "has a scheme that is neither http nor https";
    const std::string_view rest = text.substr(scheme_end + 3);
    if (rest.empty() || rest.front() == '/') return "names no host";
    if (rest.substr(0, rest.find('/')).find('@') != std::string_view::npos) {
        return "holds a user: write username and password as options of their own";
    }
    if (rest.find_first_of("?#") != std::string_view::npos) return "has a '?' or a '#'";
    const bool is_printable = std::ranges::all_of(rest, [](char octet) {
        const unsigned char value = static_cast<unsigned char>(octet);
        return value > 0x20 && value < 0x7F;
    });
    return is_printable ? "" : "holds a blank or what is not ASCII";
}

}  // namespace

std::optional<std::string> base_url(const latmon_host_t* host, const std::string& key,
                                    std::string_view text) {
    std::string url(text);
    if (url.find("://") == std::string::npos) url.insert(0, "http://");
    while (url.ends_with('/') && !url.ends_with("://"))
        url.pop_back();
    const std::string_view mistake = text.empty() ? "is missing" : mistake_in(url);
    if (mistake.empty()) return url;
    // Not the text itself: it may hold a password.
    const std::string line =
        key + " " + std::string(mistake) + ": write " + key + " = \"http://host:port\"";
    host->log(host, LATMON_LOG_ERROR, line.c_str());
    return std::nullopt;
}

std::string base64(std::string_view octets, Base64 alphabet) {
    std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (alphabet == Base64::url_safe) digits.replace(62, 2, "-_");
    std::string out;
    for (std::size_t at = 0; at < octets.size(); at += 3) {
        const std::string_view part = octets.substr(at, 3);
        std::uint32_t bits = 0;
        for (std::size_t index = 0; index < 3; ++index) {
            bits <<= 8U;
            if (index < part.size()) bits |= static_cast<unsigned char>(part[index]);
        }
        for (std::size_t index = 0; index < 4; ++index) {
            const std::uint32_t digit = (bits >> (18U - 6U * index)) & 0x3FU;
            out += index <= part.size() ? digits[digit] : '=';
        }
    }
    return out;
}

std::string basic_authorization(std::string_view username, std::string_view password) {
    std::string pair(username);
    pair += ':';
    pair += password;
    return "Authorization: Basic " + base64(pair, Base64::standard);
}

}  // namespace latmon::plugins
