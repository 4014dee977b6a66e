// SPDX-License-Identifier: Apache-2.0
//
// See key_file.hpp.
#include "daemon/key_file.hpp"

#include "daemon/secret_file.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <optional>
#include <span>
#include <string_view>

namespace latmon {
namespace {

constexpr std::string_view hex_prefix = "hex:";
// More than the longest line that can be a key: the prefix, two digits an octet, CR and LF.
constexpr std::size_t text_octets_max = 256;
static_assert(text_octets_max > hex_prefix.size() + 2 * key_octets_max + 2);

constexpr std::string_view content_cure =
    "write one line: \"hex:\" and 32 to 128 hex digits, or 16 to 64 octets of plain text";

std::optional<unsigned> hex_digit(char letter) noexcept {
    if (letter >= '0' && letter <= '9') return static_cast<unsigned>(letter - '0');
    if (letter >= 'a' && letter <= 'f') return static_cast<unsigned>(letter - 'a') + 10U;
    if (letter >= 'A' && letter <= 'F') return static_cast<unsigned>(letter - 'A') + 10U;
    return std::nullopt;
}

// nullopt if a letter is no digit or the last octet is half.
std::optional<std::vector<std::byte>> decode_hex(std::string_view digits) {
    if (digits.size() % 2 != 0) return std::nullopt;
    std::vector<std::byte> octets;
    octets.reserve(digits.size() / 2);
    for (std::size_t index = 0; index < digits.size(); index += 2) {
        const std::optional<unsigned> high = hex_digit(digits[index]);
        const std::optional<unsigned> low = hex_digit(digits[index + 1]);
        if (!high || !low) return std::nullopt;
        octets.push_back(static_cast<std::byte>(*high << 4U | *low));
    }
    return octets;
}

Result<std::vector<std::byte>> decode_key(const std::string& path, std::string_view line) {
    const auto refuse = [&](std::string_view fault) {
        return fail(ExitCode::configuration,
                    fmt::format("key file {}: {}; {}", path, fault, content_cure));
    };
    const bool is_plain = std::none_of(line.begin(), line.end(), [](char letter) {
        return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
    });
    if (!is_plain) return refuse("has more than one line, or a control character");
    std::vector<std::byte> key;
    if (line.starts_with(hex_prefix)) {
        std::optional<std::vector<std::byte>> octets = decode_hex(line.substr(hex_prefix.size()));
        if (!octets) return refuse("has something else than pairs of hex digits behind \"hex:\"");
        key = std::move(*octets);
    } else {
        const std::span<const std::byte> octets = std::as_bytes(std::span(line));
        key.assign(octets.begin(), octets.end());
    }
    if (key.size() < key_octets_min || key.size() > key_octets_max) {
        return refuse(fmt::format("holds a key of {} octets", key.size()));
    }
    return key;
}

}  // namespace

Result<std::vector<std::byte>> read_key_file(const std::string& path) {
    const Result<SecretText> secret = read_secret_file(path, {.octets_max = text_octets_max});
    if (!secret) return std::unexpected(secret.error());
    return decode_key(path, secret->line());
}

}  // namespace latmon
