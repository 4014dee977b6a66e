// SPDX-License-Identifier: Apache-2.0
//
// How far a spool has come, as the text of its file `position`:
//
//   latmon-spool 1
//   done 3 1024                                      segment 3 is done up to octet 1024, and all
//                                                    segments before it
//   block 2048 00112233445566778899aabbccddeeff      optional: from there up to octet 2048 a block
//                                                    is under way, under this id
//   doubt 3 4096                                     optional: up to octet 4096 of segment 3,
//                                                    all may have been sent, beyond what the above
//                                                    says
//   crc 89abcdef                                     CRC-32 of all lines above
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace latmon::plugins::push {

struct SpoolPosition {
    std::uint64_t segment = 0;
    std::uint64_t done_octets = 0;
    std::uint64_t block_end_octets = 0;  // 0: no block is under way.
    std::string block_id;                // 32 hex digits.
    std::uint64_t doubt_segment = 0;     // 0: what may have been sent is done, or of the block.
    std::uint64_t doubt_octets = 0;      // Of that segment; all before it may have been sent too.

    [[nodiscard]] bool operator==(const SpoolPosition&) const = default;
};

[[nodiscard]] std::string format_position(const SpoolPosition& position);

// nullopt unless `text` is exactly what format_position() writes. [any-thread]
[[nodiscard]] std::optional<SpoolPosition> parse_position(std::string_view text);

}  // namespace latmon::plugins::push
