// SPDX-License-Identifier: Apache-2.0
//
// A descriptor comes back as it was sent; whatever breaks a rule is refused whole.
#include "wire/descriptor.hpp"

#include "unit/wire/hex.hpp"

#include <doctest/doctest.h>
#include <array>

namespace latmon {
namespace {

using TlvOctets = std::array<std::byte, descriptor_tlv_bytes_max>;

Descriptor sample() {
    Descriptor descriptor;
    descriptor.flags = 0x2122;
    descriptor.boot_nonce = 0x3132'3334'3536'3738;
    descriptor.clock_epoch = 0x4142'4344;
    CHECK(descriptor.try_set_name("ber1"));
    CHECK(descriptor.try_add_tag("dc:ber"));
    CHECK(descriptor.try_add_tag("a:"));
    return descriptor;
}

constexpr std::string_view fixed = "00007ed9 01 01 2122 3132333435363738 41424344 00000000";

std::optional<Descriptor> decode(std::string_view items) {
    return decode_descriptor(from_hex(std::string(fixed) + std::string(items)));
}

std::string item(unsigned id, std::string_view text) {
    return to_hex(std::array{static_cast<std::byte>(id), static_cast<std::byte>(text.size())}) +
           to_hex(octets_of(text));
}

TEST_CASE("descriptor: every field is at its offset") {
    TlvOctets out{};
    const std::uint32_t bytes = encode_descriptor(sample(), out);
    CHECK(to_hex(std::span(out).first(bytes)) ==
          without_blanks("80fc002a 00007ed9 01 01 2122 3132333435363738 41424344") +
              to_hex(std::span(out).subspan(24, 4)) +
              without_blanks("01 04 62657231 02 06 64633a626572 02 02 613a"));
}

TEST_CASE("descriptor: what was encoded is decoded") {
    TlvOctets out{};
    const std::uint32_t bytes = encode_descriptor(sample(), out);
    const auto decoded = decode_descriptor(std::span(out).first(bytes).subspan(4));
    REQUIRE(decoded);
    CHECK(decoded->kind == descriptor_kind_node);
    CHECK(decoded->flags == 0x2122);
    CHECK(decoded->boot_nonce == 0x3132'3334'3536'3738);
    CHECK(decoded->clock_epoch == 0x4142'4344);
    CHECK(decoded->name() == "ber1");
    REQUIRE(decoded->tag_count() == 2);
    CHECK(decoded->tag(0) == "dc:ber");
    CHECK(decoded->tag(1) == "a:");
}

TEST_CASE("descriptor: the hash is of the items alone") {
    const auto hash_of = [](const Descriptor& descriptor) {
        TlvOctets out{};
        const std::uint32_t bytes = encode_descriptor(descriptor, out);
        return decode_descriptor(std::span(out).first(bytes).subspan(4))->hash;
    };
    Descriptor other = sample();
    other.clock_epoch += 1;
    other.hash = 5;
    CHECK(hash_of(other) == hash_of(sample()));
    CHECK(other.try_add_tag("x:y"));
    CHECK(hash_of(other) != hash_of(sample()));
    // FNV-1a of 01 01 61, computed apart from the code under test.
    Descriptor a;
    CHECK(a.try_set_name("a"));
    CHECK(hash_of(a) == 0xd0cc'2622);
}

TEST_CASE("descriptor: texts are 1 to 64 octets of UTF-8 without control characters and bars") {
    const std::string longest(64, 'x');
    for (const std::string_view good : std::initializer_list<std::string_view>{
             "a", " ", "~", "Köln", "東京", "\xf0\x9f\x98\x80", "\xc2\xa0", "\xed\x9f\xbf",
             "\xee\x80\x80", "\xf4\x8f\xbf\xbf", std::string_view(longest)}) {
        CAPTURE(good);
        CHECK(is_descriptor_text(good));
    }
    const std::string too_long(65, 'x');
    using namespace std::string_view_literals;
    for (const std::string_view bad : {""sv,
                                       "\0"sv,
                                       "a\nb"sv,
                                       "\x1b[31m"sv,
                                       "\x7f"sv,
                                       "\xc2\x80"sv,
                                       "\xc2\x9f"sv,
                                       "a|b"sv,
                                       "\x80"sv,
                                       "\xc3"sv,
                                       "\xc3x"sv,
                                       "\xc0\xaf"sv,
                                       "\xc1\xbf"sv,
                                       "\xe0\x9f\xbf"sv,
                                       "\xed\xa0\x80"sv,
                                       "\xed\xbf\xbf"sv,
                                       "\xf0\x8f\xbf\xbf"sv,
                                       "\xf4\x90\x80\x80"sv,
                                       "\xf5\x80\x80\x80"sv,
                                       "\xff"sv,
                                       "\xe2\x82"sv,
                                       std::string_view(too_long)}) {
        CAPTURE(to_hex(octets_of(bad)));
        CHECK_FALSE(is_descriptor_text(bad));
        CHECK_FALSE(decode(item(1, bad)));
        CHECK_FALSE(decode(item(1, "name") + item(2, "k:" + std::string(bad) + "|")));
    }
}

TEST_CASE("descriptor: a tag has a key") {
    CHECK(is_descriptor_tag("k:v"));
    CHECK(is_descriptor_tag("k:"));
    CHECK(is_descriptor_tag("k:v:w"));
    CHECK_FALSE(is_descriptor_tag(":v"));
    CHECK_FALSE(is_descriptor_tag("kv"));
    CHECK_FALSE(is_descriptor_tag(""));
    CHECK_FALSE(decode(item(1, "name") + item(2, "kv")));
}

TEST_CASE("descriptor: the name is there exactly once") {
    CHECK(decode(item(1, "name")));
    CHECK_FALSE(decode(""));
    CHECK_FALSE(decode(item(2, "k:v")));
    CHECK_FALSE(decode(item(1, "name") + item(1, "name")));
    CHECK_FALSE(decode(item(1, "")));
}

TEST_CASE("descriptor: items of another id are skipped, whatever they hold") {
    const auto decoded = decode("00 00" + item(1, "name") + "ff 02 0000" + item(2, "k:v"));
    REQUIRE(decoded);
    CHECK(decoded->name() == "name");
    CHECK(decoded->tag_count() == 1);
}

TEST_CASE("descriptor: 16 tags are taken, 17 are refused") {
    std::string items = item(1, "name");
    for (int count = 0; count < 16; ++count) {
        items += item(2, "k:v");
    }
    REQUIRE(decode(items));
    CHECK(decode(items)->tag_count() == 16);
    CHECK_FALSE(decode(items + item(2, "k:v")));
}

TEST_CASE("descriptor: an item that does not lie inside is refused") {
    const std::string whole = item(1, "name") + item(2, "k:v");
    CHECK(decode(whole));
    for (std::size_t size = 0; size < whole.size(); size += 2) {
        CAPTURE(size);
        // Cut behind the name it is whole again.
        CHECK(decode(whole.substr(0, size)).has_value() == (size == item(1, "name").size()));
    }
    const Octets head = from_hex(fixed);
    for (std::size_t size = 0; size <= head.size(); ++size) {
        CHECK_FALSE(decode_descriptor(std::span(head).first(size)));
    }
}

TEST_CASE("descriptor: another number or version is none of ours") {
    for (const std::size_t index : {0U, 1U, 2U, 3U, 4U}) {
        Octets octets = from_hex(std::string(fixed) + item(1, "name"));
        REQUIRE(decode_descriptor(octets));
        octets[index] ^= std::byte{1};
        CHECK_FALSE(decode_descriptor(octets));
    }
}

TEST_CASE("descriptor: 508 octets are taken, 509 are refused") {
    std::string items = item(1, std::string(64, 'n'));
    for (int count = 0; count < 6; ++count) {
        items += item(2, "k:" + std::string(62, 'v'));
    }
    items += item(9, std::string(20, 'x'));
    REQUIRE(items.size() / 2 == 508 - 24);
    CHECK(decode(items));
    CHECK_FALSE(decode(items + "00"));
    CHECK_FALSE(decode(items + "0900"));
}

TEST_CASE("descriptor: what does not fit the TLV is not added") {
    Descriptor descriptor;
    CHECK(descriptor.try_set_name(std::string(64, 'n')));
    CHECK_FALSE(descriptor.try_set_name("again"));
    const std::string tag = "k:" + std::string(62, 'v');
    for (int count = 0; count < 6; ++count) {
        CHECK(descriptor.try_add_tag(tag));
    }
    CHECK_FALSE(descriptor.try_add_tag(tag));
    CHECK(descriptor.try_add_tag("k:" + std::string(18, 'v')));
    CHECK_FALSE(descriptor.try_add_tag("k:"));
    TlvOctets out{};
    CHECK(encode_descriptor(descriptor, out) == descriptor_tlv_bytes_max);
    const auto decoded = decode_descriptor(std::span(out).subspan(4));
    REQUIRE(decoded);
    CHECK(decoded->tag_count() == 7);
}

}  // namespace
}  // namespace latmon
