// SPDX-License-Identifier: Apache-2.0
//
// The position of a spool, there and back.
#include "push/position.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins::push {
namespace {

const SpoolPosition quiet{
    .segment = 3, .done_octets = 1'024, .block_end_octets = 0, .block_id = ""};
const SpoolPosition busy{.segment = UINT64_MAX,
                         .done_octets = 0,
                         .block_end_octets = 77,
                         .block_id = "00112233445566778899aabbccddeeff"};

TEST_CASE("position: what was written is read, with a block under way and without") {
    CHECK(parse_position(format_position(quiet)) == quiet);
    CHECK(parse_position(format_position(busy)) == busy);
    CHECK(format_position(quiet).starts_with("latmon-spool 1\ndone 3 1024\ncrc "));
}

TEST_CASE("position: cut or spoiled anywhere, it is none") {
    for (const SpoolPosition& position : {quiet, busy}) {
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
