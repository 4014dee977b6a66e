// SPDX-License-Identifier: Apache-2.0
//
// The position of a spool, there and back.
#include "push/position.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins::push {
namespace {

const SpoolPosition quiet{.segment = 3,
                          .done_octets = 1'024,
                          .block_end_octets = 0,
                          .block_id = "",
                          .doubt_segment = 0,
                          .doubt_octets = 0};
const SpoolPosition busy{.segment = UINT64_MAX,
                         .done_octets = 0,
                         .block_end_octets = 77,
                         .block_id = "00112233445566778899aabbccddeeff",
                         .doubt_segment = 0,
                         .doubt_octets = 0};
// Between two blocks of what was sent as one; and in the first of them.
const SpoolPosition doubtful{.segment = 3,
                             .done_octets = 1'024,
                             .block_end_octets = 0,
                             .block_id = "",
                             .doubt_segment = 3,
                             .doubt_octets = 4'096};
const SpoolPosition both{.segment = 3,
                         .done_octets = 1'024,
                         .block_end_octets = 2'048,
                         .block_id = "00112233445566778899aabbccddeeff",
                         .doubt_segment = UINT64_MAX,
                         .doubt_octets = 0};

TEST_CASE("position: what was written is read, with a block under way, a doubt, both and neither") {
    for (const SpoolPosition& position : {quiet, busy, doubtful, both}) {
        CHECK(parse_position(format_position(position)) == position);
    }
    CHECK(format_position(quiet).starts_with("latmon-spool 1\ndone 3 1024\ncrc "));
    CHECK(format_position(doubtful).starts_with("latmon-spool 1\ndone 3 1024\ndoubt 3 4096\ncrc "));
}

TEST_CASE("position: cut or spoiled anywhere, it is none") {
    for (const SpoolPosition& position : {quiet, busy, doubtful, both}) {
        const std::string text = format_position(position);
        for (std::size_t at = 0; at < text.size(); ++at) {
            CAPTURE(at);
            CHECK_FALSE(parse_position(text.substr(0, at)).has_value());
            std::string spoiled = text;
            spoiled[at] = static_cast<char>(spoiled[at] ^ 1);
            CHECK_FALSE(parse_position(spoiled).has_value());
        }
        CHECK_FALSE(parse_position(text + "\n").has_value());
    }
}

}  // namespace
}  // namespace latmon::plugins::push
