// SPDX-License-Identifier: Apache-2.0
//
// The one home of zlib: bodies of requests, and checksums of what lies in a spool. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace latmon::plugins::push {

// `text` in the format of RFC 1952, at zlib's fastest level: measurements compress well at any.
// The same octets give the same octets. "" if memory is out. [any-thread]
[[nodiscard]] std::string gzip(std::string_view text);

// The CRC-32 of RFC 1952 over `text`, continuing from that of what stands before it. [any-thread]
[[nodiscard]] std::uint32_t crc32(std::string_view text, std::uint32_t before = 0) noexcept;

}  // namespace latmon::plugins::push
