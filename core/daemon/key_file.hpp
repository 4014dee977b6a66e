// SPDX-License-Identifier: Apache-2.0
//
// Reads a key for authenticated STAMP from a file of its own: a configuration is shown, mailed and
// kept in repositories, a key is not. What the file holds never gets into a message. It does not
// keep keys, and does not know HMAC.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace latmon {

// HMAC-SHA-256 is no stronger than its key: 16 octets are 128 bits, which is what STAMP sends of
// the code (RFC 8762 section 4.4). Beyond 64 octets HMAC would hash the key first (RFC 2104).
inline constexpr std::size_t key_octets_min = 16;
inline constexpr std::size_t key_octets_max = 64;

// The key in `path`: one line, either "hex:" and an even number of hex digits, or the key itself as
// plain text; 16 to 64 octets. One newline at the end does not count. Errors, each with its cure:
// those of read_secret_file(), or its content is no key. [main-thread]
[[nodiscard]] Result<std::vector<std::byte>> read_key_file(const std::string& path);

}  // namespace latmon
