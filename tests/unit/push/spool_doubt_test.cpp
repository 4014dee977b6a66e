// SPDX-License-Identifier: Apache-2.0
//
// Which records of a spool the process before may have sent: no fewer, or rows come twice, and no
// more than need be. A crash is a copy of the directory while the spool is open.
#include "push/spool.hpp"

#include "support/scratch_directory.hpp"

#include <doctest/doctest.h>
#include <filesystem>

namespace latmon::plugins::push {
namespace {

using latmon::test::ScratchDirectory;

constexpr BlockLimits no_limits{};

std::unique_ptr<Spool> open(const std::string& directory) {
    std::expected<std::unique_ptr<Spool>, std::string> spool =
        Spool::open({.directory = directory, .bytes = 64 * 1024});
    REQUIRE_MESSAGE(spool.has_value(), spool.error());
    return std::move(*spool);
}

// Records of a row and this many octets each.
void push_all(Spool& spool, std::string_view letters, std::size_t octets) {
    for (const char letter : letters) {
        REQUIRE(spool.push({.rows = 1, .payload = std::string(octets, letter)}));
    }
}

std::string letters_of(const Block& block) {
    std::string letters;
    for (const Record& record : block.records) {
        letters += record.payload[0];
    }
    return letters;
}

// Whether the blocks are doubtful that come out after another, as a letter for each record.
std::string doubts_of(Spool& spool) {
    std::string letters;
    for (Block block = spool.take({.records = 1}); !block.records.empty();
         block = spool.take({.records = 1})) {
        letters.append(block.records.size(), block.is_doubtful ? '?' : '.');
        spool.finish();
    }
    return letters;
}

TEST_CASE("spool: what a crash left under way is doubtful, and nothing else") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    const std::unique_ptr<Spool> spool = open(directory);
    push_all(*spool, "abcdef", 10);
    CHECK_FALSE(spool->take({.records = 4}).is_doubtful);

    const std::unique_ptr<Spool> again = open(scratch.copy_of(directory));
    push_all(*again, "g", 10);
    CHECK(again->take({.records = 1}).is_doubtful);
    again->shorten(3);
    CHECK(again->take(no_limits).is_doubtful);
    again->finish();
    const Block rest = again->take({.records = 1});
    CHECK(letters_of(rest) == "d");
    CHECK(rest.is_doubtful);
    again->finish();
    const Block sound = again->take({.records = 2});
    CHECK(letters_of(sound) == "ef");
    CHECK_FALSE(sound.is_doubtful);
    again->finish();
    CHECK_FALSE(again->take(no_limits).is_doubtful);

    // Nobody knows how far it came.
    const std::string copy = scratch.copy_of(directory);
    std::filesystem::remove(copy + "/position");
    const std::unique_ptr<Spool> lost = open(copy);
    push_all(*lost, "g", 10);
    const Block all = lost->take(no_limits);
    CHECK(letters_of(all) == "abcdef");
    CHECK(all.is_doubtful);
    lost->finish();
    CHECK_FALSE(lost->take(no_limits).is_doubtful);
}

TEST_CASE("spool: what was sent in one block stays doubtful when a crash finds only a half of it") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    const std::unique_ptr<Spool> spool = open(directory);
    push_all(*spool, std::string(110, 'a'), 10);
    REQUIRE(spool->take({.records = 100}).records.size() == 100);
    spool->shorten(50);
    const std::string halved = scratch.copy_of(directory);
    spool->finish();
    const std::string half_done = scratch.copy_of(directory);
    REQUIRE(spool->take({.records = 20}).records.size() == 20);
    CHECK_FALSE(spool->take({.records = 20}).is_doubtful);  // Its sender knows itself.
    const std::string in_second_half = scratch.copy_of(directory);

    const std::string rest(10, '.');
    CHECK(doubts_of(*open(halved)) == std::string(100, '?') + rest);
    CHECK(doubts_of(*open(half_done)) == std::string(50, '?') + rest);
    {
        const std::unique_ptr<Spool> again = open(in_second_half);
        REQUIRE(again->take(no_limits).records.size() == 20);
        again->shorten(3);
        again->finish();
        const std::string twice = scratch.copy_of(in_second_half);
        CHECK(doubts_of(*open(twice)) == std::string(47, '?') + rest);
        CHECK(doubts_of(*again) == std::string(47, '?') + rest);
    }
    // All of the doubt is done: the file is as it ever was.
    spool->finish();
    REQUIRE(spool->take({.records = 30}).records.size() == 30);
    spool->finish();
    const std::string text = latmon::test::read_text(directory + "/position");
    CHECK(text.find("doubt") == std::string::npos);
    CHECK(doubts_of(*open(scratch.copy_of(directory))) == rest);
}

TEST_CASE("spool: without its position all of it stays doubtful over a second crash") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    const std::unique_ptr<Spool> spool = open(directory);
    push_all(*spool, std::string(20, 'a'), 1'000);  // Of several segments.
    const std::string copy = scratch.copy_of(directory);
    REQUIRE(std::filesystem::exists(copy + "/00000003.seg"));
    std::filesystem::remove(copy + "/position");
    const std::unique_ptr<Spool> lost = open(copy);
    push_all(*lost, "b", 1'000);
    REQUIRE(lost->take({.records = 2}).records.size() == 2);
    CHECK(doubts_of(*open(scratch.copy_of(copy))) == std::string(20, '?') + '.');
    lost->finish();
    CHECK(doubts_of(*open(scratch.copy_of(copy))) == std::string(18, '?') + '.');
}

}  // namespace
}  // namespace latmon::plugins::push
