// SPDX-License-Identifier: Apache-2.0
//
// The ancestor's packets are recognised, and nothing else is; what we write in their form reads
// back as it was meant.
#include "wire/ancestor.hpp"

#include "wire/stamp.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <string_view>

namespace latmon {
namespace {

std::optional<AncestorPacket> decode(std::string_view text) {
    return decode_ancestor(std::as_bytes(std::span(text)));
}

bool matches(std::string_view text) {
    return decode(text).has_value();
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
    CHECK(matches("7||1737463866123456789|t|"));
    CHECK(matches("100|a b.c|09223372036854775807||0000"));
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
             "7|a\tb|1737463866123456789|t|",    // A control character.
             "7|a|173746386612345|t|",           // 15 digits.
             "7|a|173746386612345678901|t|",     // 21 digits.
             "7|a|1737463866.23456789|t|",       // Not digits.
             "7|a|1737463866123456789|t",        // No last bar.
             "7|a|1737463866123456789",          //
             "7|a|1737463866123456789|t|0x0",    // Padding that is not '0'.
             "7|a|1737463866123456789|t|u|000",  // A field too many.
             " 7|a|1737463866123456789|t|",      //
             "7|a|9223372036854775808|t|",       // More than an int64.
             "7|a|99999999999999999999|t|",      //
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
        if (decode_ancestor(packet)) FAIL_CHECK(round);
    }
}

TEST_CASE("ancestor: each field is read as it was written") {
    const std::string text = padded(std::string(plain), 100);
    const std::optional<AncestorPacket> packet = decode(text);
    REQUIRE(packet);
    CHECK(packet->sequence == 7);
    CHECK(packet->source == "node-a");
    CHECK(packet->time_ns == 1'737'463'866'123'456'789);
    CHECK(packet->tags == "['dc:ber', 'env:prod']");
    CHECK(packet->hello == ancestor_hello_none);
    CHECK(packet->head_bytes == plain.size());
    CHECK(decode("999|a|09223372036854775807||")->time_ns == INT64_MAX);
    CHECK(decode("999|a|09223372036854775807||")->sequence == 999);
    CHECK(decode("999|a|09223372036854775807||")->tags.empty());
}

TEST_CASE("ancestor: spaces behind the tags are a mark and no tags") {
    const auto hello_of = [](std::string_view tags) {
        const std::string text = "7|a|1737463866123456789|" + std::string(tags) + "|000";
        const std::optional<AncestorPacket> packet = decode(text);
        REQUIRE(packet);
        CHECK(packet->tags == tags.substr(0, tags.find_last_not_of(' ') + 1));
        return packet->hello;
    };
    CHECK(hello_of("['a: b ']") == ancestor_hello_none);
    CHECK(hello_of("[] ") == ancestor_hello_asked);
    CHECK(hello_of("['a:b']  ") == ancestor_hello_reflected);
    CHECK(hello_of("['a:b']      ") == ancestor_hello_reflected);
    CHECK(hello_of(" ") == ancestor_hello_asked);
    CHECK(hello_of("") == ancestor_hello_none);
}

TEST_CASE("ancestor: a head is incomplete until its last bar, and broken as soon as it is") {
    AncestorPacket packet;
    const auto read = [&packet](std::string_view text) {
        return read_ancestor_head(std::as_bytes(std::span(text)), packet);
    };
    for (std::size_t bytes = 0; bytes < plain.size(); ++bytes) {
        CAPTURE(bytes);
        CHECK(read(plain.substr(0, bytes)) == AncestorHead::incomplete);
    }
    CHECK(read(plain) == AncestorHead::complete);
    CHECK(read(std::string(plain) + "whatever|") == AncestorHead::complete);
    CHECK(packet.head_bytes == plain.size());
    for (const std::string_view text : {"x", "|", "00", "07", "1234", "1x", "7|a\n", "7|a|x",
                                        "7|a|123|", "7|a|123456789012345678901"}) {
        CAPTURE(text);
        CHECK(read(text) == AncestorHead::broken);
    }
    CHECK(read("7|" + std::string(256, 'n')) == AncestorHead::broken);
}

// -- Writing ------------------------------------------------------------------------------------

std::string written(const AncestorPacket& packet, std::size_t room_bytes = 2'000) {
    std::string text(room_bytes, 'x');
    text.resize(encode_ancestor_head(packet, std::as_writable_bytes(std::span(text))));
    return text;
}

TEST_CASE("ancestor: a head is written as the Python tool does, cut to the room there is") {
    const AncestorPacket packet{.sequence = 7,
                                .source = "node-a",
                                .time_ns = 1'737'463'866'123'456'789,
                                .tags = "['dc:ber', 'env:prod']"};
    CHECK(written(packet) == plain);
    for (std::size_t bytes = 0; bytes <= plain.size(); ++bytes) {
        CHECK(written(packet, bytes) == plain.substr(0, bytes));
    }
    CHECK(written({.sequence = 0,
                   .source = "a",
                   .time_ns = 1'737'463'866'123'456'789,
                   .tags = "[]",
                   .hello = ancestor_hello_asked}) == "0|a|1737463866123456789|[] |");
}

TEST_CASE("ancestor: what is encoded is decoded as it was") {
    std::mt19937_64 random(5);
    const auto text_of = [&random](std::string_view letters, std::size_t bytes_max) {
        std::string text;
        for (std::size_t bytes = random() % (bytes_max + 1); bytes > 0; --bytes)
            text += letters[random() % letters.size()];
        return text;
    };
    for (int round = 0; round < 10'000; ++round) {
        const std::string source = "s" + text_of("ab 0'\"-\xc3\xb6", 254);
        const std::string tags = "[" + text_of("'a: 0\n\\", 100) + "]";
        const AncestorPacket packet{
            .sequence = static_cast<std::uint16_t>(random() % 1'000),
            .source = source,
            .time_ns = 1'000'000'000'000'000 + static_cast<std::int64_t>(random() >> 2U),
            .tags = tags,
            .hello = static_cast<std::uint8_t>(random() % 3)};
        const std::string head = written(packet);
        const std::string text = padded(head, head.size() + random() % 50);
        const std::optional<AncestorPacket> read = decode(text);
        REQUIRE(read);
        CHECK(read->sequence == packet.sequence);
        CHECK(read->source == source);
        CHECK(read->time_ns == packet.time_ns);
        CHECK(read->tags == tags);
        CHECK(read->hello == packet.hello);
        CHECK(read->head_bytes == head.size());
    }
}

TEST_CASE("ancestor: any name becomes a source that a packet may hold") {
    CHECK(ancestor_source("node-a.example") == "node-a.example");
    CHECK(ancestor_source("a|b\tc\x7f") == "a_b_c_");
    CHECK(ancestor_source("n\xc3\xb6"
                          "de") ==
          "n\xc3\xb6"
          "de");
    CHECK(ancestor_source("n\xc3"
                          "de\xff") == "n_de_");
    CHECK(ancestor_source("") == "_");
    CHECK(ancestor_source(std::string(300, 'n')) == std::string(255, 'n'));
    CHECK(ancestor_source(std::string(254, 'n') + "\xc3\xb6") == std::string(254, 'n'));
}

// -- Replies ------------------------------------------------------------------------------------

constexpr std::int64_t t2_ns = 1'800'000'000'123'456'789;

// The reply in place of the request; "" if there is none.
std::string reply_to(std::string packet, std::string_view name) {
    const std::optional<AncestorPacket> request = decode(packet);
    REQUIRE(request);
    const std::string before = packet;
    const std::span<std::byte> octets = std::as_writable_bytes(std::span(packet));
    if (encode_ancestor_reply(*request, {.source = name, .t2_ns = t2_ns}, octets)) return packet;
    CHECK(packet == before);
    return "";
}

TEST_CASE("ancestor: a reply has the request's number, tags and length, our name and T2") {
    const std::string request = padded(std::string(plain), 200);
    CHECK(reply_to(request, "me") ==
          padded("7|me|1800000000123456789|['dc:ber', 'env:prod']  |", 200));
    const std::string longer(100, 'n');
    CHECK(reply_to(request, longer) ==
          padded("7|" + longer + "|1800000000123456789|['dc:ber', 'env:prod']  |", 200));
    CHECK(reply_to("7|a|1737463866123456789||000", "b") == "7|b|1800000000123456789|  |0");
}

TEST_CASE("ancestor: a reply that has no room gives up its padding, then its name") {
    const std::string text(plain);
    CHECK(reply_to(text, "node-b") == "7|node|1800000000123456789|['dc:ber', 'env:prod']  |");
    CHECK(reply_to(text + "0", "node-b") ==
          "7|node-|1800000000123456789|['dc:ber', 'env:prod']  |");
    CHECK(reply_to(text + "00", "node-b") ==
          "7|node-b|1800000000123456789|['dc:ber', 'env:prod']  |");
    CHECK(reply_to(text, "n\xc3\xb6\xc3\xb6") ==
          "7|n\xc3\xb6|1800000000123456789|['dc:ber', 'env:prod']  |0");
    CHECK(reply_to("7|ab|1737463866123456789|[]|", "me") == "7||1800000000123456789|[]  |");
    CHECK(reply_to("7|a|1737463866123456789|[]|", "me") == "7||1800000000123456789|[] |");
}

TEST_CASE("ancestor: a reply has more spaces than its request, or there is none") {
    const auto hello_of = [](const std::string& text) {
        const std::string reply = reply_to(text, "me");
        return reply.empty() ? -1 : int{decode(reply)->hello};
    };
    CHECK(hello_of("7|name|1737463866123456789|[]|") == 2);
    CHECK(hello_of("7|name|1737463866123456789|[] |") == 2);
    CHECK(hello_of("7|name|1737463866123456789|[]  |") == -1);
    CHECK(hello_of("7|name|1737463866123456789|[]   |0000") == -1);
    CHECK(reply_to("7|a|1737463866123456789|[] |", "me") == "7||1800000000123456789|[]  |");
    CHECK(reply_to("7|a|1737463866123456|[]|", "me").empty());
    CHECK(reply_to("7|a|1737463866123456|[]|0000", "me") == "7||1800000000123456789|[]  |");
    CHECK(reply_to("7|a|1737463866123456|[]|000", "me") == "7||1800000000123456789|[] |");
}

TEST_CASE("ancestor: a reply is right wherever it lies before or over its request") {
    std::mt19937_64 random(6);
    for (int round = 0; round < 10'000; ++round) {
        const std::string request = "55|" + std::string(1 + random() % 60, 's') +
                                    "|1737463866123456789|['" + std::string(random() % 60, 't') +
                                    "']|" + std::string(random() % 60, '0');
        const std::string name(1 + random() % 60, 'n');
        const std::size_t shift = random() % 100;
        const std::size_t bytes = request.size() - random() % 2;
        std::string apart(bytes, 'x');
        std::string over = std::string(shift, 'x') + request;
        const std::optional<AncestorPacket> packet = decode(over.c_str() + shift);
        REQUIRE(packet);
        const AncestorReply reply{.source = name, .t2_ns = t2_ns};
        const bool has_room =
            encode_ancestor_reply(*packet, reply, std::as_writable_bytes(std::span(apart)));
        CHECK(encode_ancestor_reply(*packet, reply,
                                    std::as_writable_bytes(std::span(over)).first(bytes)) ==
              has_room);
        if (has_room) CHECK(over.substr(0, bytes) == apart);
    }
}

}  // namespace
}  // namespace latmon
