// SPDX-License-Identifier: Apache-2.0
//
// The ancestor's packets are recognised, and nothing else is.
#include "wire/ancestor.hpp"

#include "wire/stamp.hpp"

#include <doctest/doctest.h>
#include <array>
#include <random>
#include <string>
#include <string_view>

namespace latmon {
namespace {

bool matches(std::string_view text) {
    return looks_like_ancestor(std::as_bytes(std::span(text)));
}

std::string padded(std::string text, std::size_t size_bytes) {
    text.resize(size_bytes, '0');
    return text;
}

constexpr std::string_view plain = "7|node-a|1737463866123456789|['dc:ber', 'env:prod']|";

TEST_CASE("ancestor: its packets are recognised at every size") {
    CHECK(matches(plain));
    CHECK(matches(padded(std::string(plain), 1'470)));
    CHECK(matches(padded(std::string(plain), 65'507)));
    CHECK(matches("0|a|1737463866123456|[]|0"));
    CHECK(matches("100|a b.c|17374638661234567890||0000"));
    CHECK(
        matches("999|n\xc3\xb6"
                "de|1737463866123456789|None|"));
    CHECK(matches("7|" + std::string(255, 'n') + "|1737463866123456789|t|"));
}

TEST_CASE("ancestor: whatever breaks one rule of the grammar is not its packet") {
    for (const std::string_view text : {
             "", "7",
             "|a|1737463866123456789|t|",        // No sequence number.
             "07|a|1737463866123456789|t|",      // A leading zero.
             "00|a|1737463866123456789|t|",      //
             "1000|a|1737463866123456789|t|",    // Four digits.
             "-1|a|1737463866123456789|t|",      //
             "7||1737463866123456789|t|",        // No source.
             "7|a\tb|1737463866123456789|t|",    // A control character.
             "7|a|173746386612345|t|",           // 15 digits.
             "7|a|173746386612345678901|t|",     // 21 digits.
             "7|a|1737463866.23456789|t|",       // Not digits.
             "7|a|1737463866123456789|t",        // No last bar.
             "7|a|1737463866123456789",          //
             "7|a|1737463866123456789|t|0x0",    // Padding that is not '0'.
             "7|a|1737463866123456789|t|u|000",  // A field too many.
             " 7|a|1737463866123456789|t|",      //
         }) {
        CAPTURE(text);
        CHECK_FALSE(matches(text));
    }
    CHECK_FALSE(matches("7|" + std::string(256, 'n') + "|1737463866123456789|t|"));
    using namespace std::string_view_literals;
    CHECK_FALSE(matches("7|a\0b|1737463866123456789|t|"sv));
    CHECK_FALSE(matches("7|a|1737463866123456789|t\0|"sv));
    CHECK_FALSE(matches("7|a|1737463866123456789|t|0\0"sv));
}

TEST_CASE("ancestor: no STAMP packet is taken for one, even if it begins like one") {
    std::mt19937_64 random(3);
    std::array<std::byte, 64> packet{};
    for (int round = 0; round < 100'000; ++round) {
        // Sequence numbers that read "0|..", "7|.." and so on.
        const auto digit = static_cast<std::uint32_t>('0' + random() % 10);
        const auto low = static_cast<std::uint32_t>(random());
        const SenderPacket sender{.sequence = digit << 24U | 0x7c'0000U | (low & 0xffffU),
                                  .t1 = {random()}};
        encode_sender(sender, StampBase(packet.data(), 44));
        for (std::size_t index = 44; index < packet.size(); ++index) {
            packet[index] = static_cast<std::byte>(random());  // Pseudo-random padding.
        }
        if (looks_like_ancestor(packet)) FAIL_CHECK(round);
    }
}

}  // namespace
}  // namespace latmon
