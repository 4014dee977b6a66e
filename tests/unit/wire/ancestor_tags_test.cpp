// SPDX-License-Identifier: Apache-2.0
//
// Lists of tags as Python's repr() writes them, and nothing else.
#include "wire/ancestor.hpp"

#include <doctest/doctest.h>
#include <random>
#include <string>
#include <vector>

namespace latmon {
namespace {

using namespace std::string_view_literals;

using List = std::vector<std::string_view>;

List copy(const AncestorTags& tags) {
    return {tags.tags().begin(), tags.tags().end()};
}

std::string encode(const List& tags, std::size_t room_bytes = 20'000) {
    std::string text(room_bytes, 'x');
    text.resize(encode_ancestor_tags(tags, text));
    return text;
}

struct Known {
    std::string_view text;
    List tags;
};

// What Python 3.11 prints of these lists.
const std::vector<Known> from_python{
    {"[]"sv, {}},
    {"['isp:local']"sv, {"isp:local"}},
    {"['isp:local', \"it's\"]"sv, {"isp:local", "it's"}},
    {"['say \"hi\"']"sv, {"say \"hi\""}},
    {"['both \\' and \"']"sv, {"both ' and \""}},
    {"['back\\\\slash']"sv, {"back\\slash"}},
    {"['a\\nb\\tc\\rd']"sv, {"a\nb\tc\rd"}},
    {"['nul\\x00', 'esc\\x1b', 'del\\x7f', 'c1\\x85']"sv,
     {"nul\0"sv, "esc\x1b", "del\x7f", "c1\302\205"}},
    {"['\303\266:\342\202\254', '\360\237\230\200:x']"sv,
     {"\303\266:\342\202\254", "\360\237\230\200:x"}},
    {"['']"sv, {""}},
    {"['a, b', \"', '\"]"sv, {"a, b", "', '"}},
};

TEST_CASE("ancestor_tags: what Python's repr() writes is read, and written alike") {
    AncestorTags tags;
    for (const Known& known : from_python) {
        CAPTURE(known.text);
        REQUIRE(tags.read(known.text));
        CHECK(copy(tags) == known.tags);
        CHECK(encode(known.tags) == known.text);
    }
}

TEST_CASE("ancestor_tags: characters that repr() escapes because nobody sees them are read too") {
    AncestorTags tags;
    REQUIRE(tags.read("['soft\\xad', 'zero\\u200b', '\\U000e0001']"));
    CHECK(copy(tags) == List{"soft\302\255", "zero\342\200\213", "\363\240\200\201"});
}

TEST_CASE("ancestor_tags: a bar is never written, since no field may hold one") {
    CHECK(encode({"a|b"}) == "['a\\x7cb']");
    AncestorTags tags;
    REQUIRE(tags.read("['a\\x7cb']"));
    CHECK(copy(tags) == List{"a|b"});
}

TEST_CASE("ancestor_tags: no text is no tags, and what is no list of strings is refused") {
    AncestorTags tags;
    CHECK(tags.read(""));
    CHECK(tags.tags().empty());
    for (const std::string_view text : {
             " ",           "[",
             "]",           "[] ",
             "[ ]",         "None",
             "['a'",        "['a]",
             "'a'",         "['a',]",
             "['a','b']",   "['a', ]",
             "['a'  'b']",  "['a']x",
             "[1]",         "['a', 2]",
             "[u'a']",      "[b'a']",
             "['a' + 'b']", "('a', 'b')",
             "['a\nb']",    "['\xff']",
             "['\\q']",     "['\\x4']",
             "['\\x+4']",   "['\\u12']",
             "['\\ud800']", "['\\U00110000']",
             "['\\",        "__import__('os')",
         }) {
        CAPTURE(text);
        REQUIRE(tags.read("['before']"));
        CHECK_FALSE(tags.read(text));
        CHECK(tags.tags().empty());
    }
}

TEST_CASE("ancestor_tags: a list has 32 tags and 1,024 octets at most") {
    AncestorTags tags;
    CHECK(tags.read(encode(List(32, "a:b"))));
    CHECK_FALSE(tags.read(encode(List(33, "a:b"))));
    const std::string most(1'000, 'a');
    CHECK(tags.read(encode({most, std::string(24, 'b')})));
    CHECK(copy(tags) == List{most, std::string(24, 'b')});
    CHECK_FALSE(tags.read(encode({most, std::string(25, 'b')})));
    CHECK(tags.read(encode({std::string(1'024, '\t')})));
    CHECK_FALSE(tags.read(encode({std::string(1'025, '\t')})));
}

TEST_CASE("ancestor_tags: nothing is written where there is no room for all") {
    const List list{"isp:local", "it's"};
    const std::string text = encode(list);
    CHECK(encode(list, text.size()) == text);
    for (std::size_t bytes = 0; bytes < text.size(); ++bytes) {
        CHECK(encode(list, bytes).empty());
    }
}

TEST_CASE("ancestor_tags: whatever is encoded is decoded as it was") {
    std::mt19937_64 random(9);
    const std::vector<std::string> pieces{"a",
                                          ":",
                                          "'",
                                          "\"",
                                          "\\",
                                          "\n",
                                          "\t",
                                          "\r",
                                          "\x01",
                                          "\303\266",
                                          "\342\202\254",
                                          "|",
                                          " ",
                                          "[",
                                          ", ",
                                          "\302\205",
                                          std::string(1, '\0')};
    AncestorTags tags;
    for (int round = 0; round < 10'000; ++round) {
        std::vector<std::string> strings(random() % 5);
        for (std::string& string : strings) {
            for (std::size_t count = random() % 20; count > 0; --count)
                string += pieces[random() % pieces.size()];
        }
        const List list(strings.begin(), strings.end());
        REQUIRE(tags.read(encode(list)));
        CHECK(copy(tags) == list);
    }
}

}  // namespace
}  // namespace latmon
