// SPDX-License-Identifier: Apache-2.0
//
// Series of peers: the same labels are the same series, what is published stays as it is, and the
// end of the room is counted. One test has a reader beside the writer; the tsan preset says whether
// they agree.
#include "sample/peer_series.hpp"

#include <doctest/doctest.h>
#include <array>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace latmon {
namespace {

constexpr std::uint32_t first = 1'000;

std::optional<std::uint32_t> add(PeerSeries& series, std::string_view name,
                                 const std::vector<std::string_view>& tags = {},
                                 latmon_protocol_t protocol = LATMON_PROTOCOL_UDP) {
    return series.find_or_add({.protocol = protocol, .name = name, .tags = tags});
}

bool is_refused(const PeerLabels& labels) {
    PeerSeries series(first, 4);
    const bool is_nothing = !series.find_or_add(labels);
    CHECK(series.full().read() == 0);
    CHECK((series.count() == 0) == is_nothing);
    return is_nothing;
}

}  // namespace

TEST_CASE("peer_series: ids are given in order, and the same labels are the same series") {
    PeerSeries series(first, 4);
    CHECK(series.first_id() == first);
    CHECK(series.capacity() == 4);
    CHECK(series.count() == 0);
    CHECK(add(series, "web1") == first);
    CHECK(add(series, "web2") == first + 1);
    CHECK(add(series, "web1") == first);
    CHECK(series.count() == 2);
}

TEST_CASE("peer_series: the labels come back as they were given") {
    PeerSeries series(first, 4);
    std::string name = "web1";
    std::string tag = "site:home";
    REQUIRE(add(series, name, {tag, "", "rack:2"}, LATMON_PROTOCOL_TCP) == first);
    name.assign("gone");
    tag.assign("gone:gone");
    const std::optional<PeerLabels> labels = series.find(first);
    REQUIRE(labels.has_value());
    CHECK(labels->protocol == LATMON_PROTOCOL_TCP);
    CHECK(labels->name == "web1");
    REQUIRE(labels->tags.size() == 3);
    CHECK(labels->tags[0] == "site:home");
    CHECK(labels->tags[1] == "");
    CHECK(labels->tags[2] == "rack:2");
}

TEST_CASE("peer_series: whatever differs makes another series") {
    PeerSeries series(first, 16);
    std::set<std::uint32_t> ids;
    const auto note = [&ids](std::optional<std::uint32_t> id) { ids.insert(id.value()); };
    note(add(series, "ab", {"c:d"}));
    note(add(series, "ab", {"c:d"}, LATMON_PROTOCOL_TCP));
    note(add(series, "a", {"bc:d"}));  // The same octets, cut elsewhere.
    note(add(series, "ab", {"c:", "d"}));
    note(add(series, "ab", {"c", ":d"}));
    note(add(series, "abc:d"));
    note(add(series, "ab", {"c:d", ""}));
    CHECK(ids.size() == 7);
}

TEST_CASE("peer_series: an id that there is not, or not yet, has no labels") {
    PeerSeries series(first, 4);
    REQUIRE(add(series, "web1"));
    CHECK(series.find(first));
    CHECK_FALSE(series.find(first - 1));
    CHECK_FALSE(series.find(first + 1));
    CHECK_FALSE(series.find(first + 4));
    CHECK_FALSE(series.find(0));
    CHECK_FALSE(series.find(UINT32_MAX));
}

TEST_CASE("peer_series: when there is no place left the newcomer is counted, the others stay") {
    PeerSeries series(first, 3);
    for (const char* const name : {"a", "b", "c"})
        CHECK(add(series, name));
    CHECK(series.full().read() == 0);
    CHECK_FALSE(add(series, "d"));
    CHECK_FALSE(add(series, "d"));
    CHECK(series.full().read() == 2);
    CHECK(add(series, "b") == first + 1);
    CHECK(series.count() == 3);
    CHECK(series.full().read() == 2);
}

TEST_CASE("peer_series: peers that nobody named leave a quarter of the places to those who are") {
    PeerSeries series(first, 4);
    const auto add_as = [&](std::string_view name, bool is_known) {
        return series.find_or_add({.protocol = LATMON_PROTOCOL_UDP, .name = name, .tags = {}},
                                  is_known);
    };
    for (const std::string_view name : {"a", "b", "c"})
        CHECK(add_as(name, false));
    CHECK_FALSE(add_as("d", false));
    CHECK(add_as("a", false) == first);
    CHECK(add_as("d", true) == first + 3);
    CHECK_FALSE(add_as("e", true));
}

TEST_CASE("peer_series: labels up to the limits are taken, and none beyond") {
    const std::string name(peer_name_bytes_max, 'n');
    const std::string tag(peer_tags_bytes_max / peer_tags_max, 't');
    const std::vector<std::string_view> tags(peer_tags_max, tag);
    PeerSeries series(first, 4);
    REQUIRE(series.find_or_add({.protocol = LATMON_PROTOCOL_UDP, .name = name, .tags = tags}));
    CHECK(series.find(first)->name == name);
    CHECK(series.find(first)->tags.size() == tags.size());
    CHECK(series.find(first)->tags.back() == tag);

    CHECK(is_refused({.name = "", .tags = {}}));
    CHECK(is_refused({.name = name + "n", .tags = {}}));
    const std::vector<std::string_view> many(peer_tags_max + 1, "");
    CHECK(is_refused({.name = "n", .tags = many}));
    const std::string long_tag(peer_tags_bytes_max + 1, 't');
    const std::array<std::string_view, 1> one{long_tag};
    CHECK(is_refused({.name = "n", .tags = one}));
    CHECK_FALSE(is_refused({.name = "n", .tags = tags}));
}

TEST_CASE("peer_series: texts with control characters are refused") {
    using namespace std::string_view_literals;
    for (const std::string_view text : {"a\nb"sv, "\0"sv, "a\x1f"sv, "\x7f"sv}) {
        const std::array<std::string_view, 1> tags{text};
        CHECK(is_refused({.name = text, .tags = {}}));
        CHECK(is_refused({.name = "n", .tags = tags}));
    }
    const std::array<std::string_view, 1> tags{"ort:K\u00f6ln"};
    CHECK_FALSE(is_refused({.name = "caf\u00e9 |'\"", .tags = tags}));
}

TEST_CASE("peer_series: thousands of names are told apart") {
    constexpr std::uint32_t count = 4'096;
    PeerSeries series(first, count);
    for (std::uint32_t round = 0; round < 2; ++round) {
        std::uint32_t wrong = 0;
        for (std::uint32_t index = 0; index < count; ++index) {
            const std::string name = "peer" + std::to_string(index);
            if (add(series, name) != first + index) ++wrong;
            if (series.find(first + index)->name != name) ++wrong;
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE(
    "peer_series: who looks while series are added sees whole ones, and no fewer than before") {
    constexpr std::uint32_t count = 2'000;
    PeerSeries series(first, count);
    std::thread writer([&series] {
        for (std::uint32_t index = 0; index < count; ++index) {
            const std::string name = "peer" + std::to_string(index);
            const std::string tag = "number:" + std::to_string(index);
            static_cast<void>(add(series, name, {tag}));
        }
    });
    std::uint32_t seen = 0;
    std::uint32_t wrong = 0;
    while (seen < count) {
        const std::uint32_t now = series.count();
        if (now < seen) ++wrong;
        for (; seen < now; ++seen) {
            const std::optional<PeerLabels> labels = series.find(first + seen);
            const std::string number = std::to_string(seen);
            const bool is_whole = labels && labels->name == "peer" + number &&
                                  labels->tags.size() == 1 && labels->tags[0] == "number:" + number;
            if (!is_whole) ++wrong;
        }
        std::this_thread::yield();
    }
    writer.join();
    CHECK(wrong == 0);
}

}  // namespace latmon
