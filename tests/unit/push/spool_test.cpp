// SPDX-License-Identifier: Apache-2.0
//
// A spool in a directory of the test's own: what survives us, what is bounded, what is counted. A
// crash is a copy of the directory while the spool is open.
#include "push/spool.hpp"

#include "push/segment.hpp"
#include "support/scratch_directory.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <algorithm>
#include <csignal>
#include <filesystem>

namespace latmon::plugins::push {
namespace {

using latmon::test::ScratchDirectory;

constexpr BlockLimits no_limits{};
constexpr std::uint64_t payload_octets = 1'000;
constexpr std::uint64_t record_octets = record_head_octets + payload_octets;

Record record_of(char letter, std::uint32_t rows = 1) {
    return {.rows = rows, .payload = std::string(payload_octets, letter)};
}

std::string letters_of(const Block& block) {
    std::string letters;
    for (const Record& record : block.records) {
        CHECK(record.payload == std::string(payload_octets, record.payload[0]));
        letters += record.payload[0];
    }
    return letters;
}

std::unique_ptr<Spool> open(const std::string& directory, std::uint64_t bytes = 1 << 20,
                            Overflow overflow = Overflow::drop_oldest) {
    std::expected<std::unique_ptr<Spool>, std::string> spool =
        Spool::open({.directory = directory, .bytes = bytes, .overflow = overflow});
    REQUIRE_MESSAGE(spool.has_value(), spool.error());
    return std::move(*spool);
}

void push_all(Spool& spool, std::string_view letters, std::uint32_t rows = 1) {
    for (const char letter : letters) {
        REQUIRE(spool.push(record_of(letter, rows)));
    }
}

// All that is left, by blocks that are done one after the other.
std::string drain(Spool& spool) {
    std::string letters;
    for (Block block = spool.take(no_limits); !block.records.empty();
         block = spool.take(no_limits)) {
        letters += letters_of(block);
        spool.finish();
    }
    return letters;
}

std::vector<std::string> segments_in(const std::string& directory) {
    std::vector<std::string> names;
    for (const std::filesystem::directory_entry& entry :
         std::filesystem::directory_iterator(directory)) {
        if (entry.path().extension() == ".seg") names.push_back(entry.path().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

TEST_CASE("spool: records come out in the order made, and nothing stays when all is done") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    {
        const std::unique_ptr<Spool> spool = open(directory);
        push_all(*spool, "abc", 2);
        CHECK(spool->counts().waiting == 6);
        CHECK(letters_of(spool->take({.records = 2})) == "ab");
        spool->finish();
        push_all(*spool, "d", 2);
        CHECK(drain(*spool) == "cd");
        CHECK(spool->counts().waiting == 0);
        CHECK(spool->counts().dropped == 0);
    }
    CHECK(segments_in(directory).empty());
}

TEST_CASE("spool: what waits is there when it is opened again, and counted as recovered") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    {
        const std::unique_ptr<Spool> spool = open(directory);
        push_all(*spool, "abcd", 3);
        CHECK(letters_of(spool->take({.records = 1})) == "a");
        spool->finish();
    }
    const std::unique_ptr<Spool> spool = open(directory);
    CHECK(spool->counts().recovered == 9);
    CHECK(spool->counts().waiting == 9);
    CHECK(spool->notes().empty());
    push_all(*spool, "e", 3);
    CHECK(drain(*spool) == "bcde");
}

TEST_CASE("spool: after a crash the block under way comes again, the same, with its id") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    const std::unique_ptr<Spool> spool = open(directory);
    push_all(*spool, "abcdef");
    REQUIRE_FALSE(spool->take({.records = 1}).records.empty());
    spool->finish();
    const Block under_way = spool->take({.records = 3});
    CHECK(letters_of(under_way) == "bcd");

    const std::unique_ptr<Spool> again = open(scratch.copy_of(directory));
    const Block block = again->take({.records = 1});  // The limits of today do not matter.
    CHECK(letters_of(block) == "bcd");
    CHECK(block.id == under_way.id);
    again->finish();
    CHECK(drain(*again) == "ef");

    spool->finish();
    const std::unique_ptr<Spool> after = open(scratch.copy_of(directory));
    CHECK(drain(*after) == "ef");
}

TEST_CASE("spool: a shortened block that a crash interrupts comes again short") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    const std::unique_ptr<Spool> spool = open(directory);
    push_all(*spool, "abcd");
    const std::string id = spool->take(no_limits).id;
    spool->shorten(2);
    const Block half = spool->take(no_limits);
    CHECK(letters_of(half) == "ab");
    CHECK(half.id != id);
    const std::unique_ptr<Spool> again = open(scratch.copy_of(directory));
    const Block block = again->take(no_limits);
    CHECK(letters_of(block) == "ab");
    CHECK(block.id == half.id);
    again->finish();
    CHECK(drain(*again) == "cd");
}

TEST_CASE("spool: cut at any octet, all whole records come back and one at most is torn") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    const std::unique_ptr<Spool> spool = open(directory);
    REQUIRE(spool->push({.rows = 1, .payload = "aaaa"}));
    REQUIRE(spool->push({.rows = 1, .payload = "bb"}));
    const std::size_t first = record_head_octets + 4;
    const std::size_t both = first + record_head_octets + 2;
    for (std::size_t length = 0; length <= both; ++length) {
        CAPTURE(length);
        const std::string copy = scratch.copy_of(directory);
        std::filesystem::resize_file(segments_in(copy).at(0), length);
        const std::uint64_t expected = length == both ? 2 : length >= first ? 1 : 0;
        const bool is_torn = length != 0 && length != first && length != both;
        {
            const std::unique_ptr<Spool> again = open(copy);
            CHECK(again->counts().recovered == expected);
            CHECK(again->counts().torn == (is_torn ? 1 : 0));
            CHECK(again->counts().corrupt == 0);
            CHECK(again->notes().empty() == !is_torn);
        }
        if (expected == 0) continue;
        const std::unique_ptr<Spool> third = open(copy);  // It was cut off: nothing is torn now.
        CHECK(third->counts().torn == 0);
        CHECK(third->counts().recovered == expected);
    }
}

TEST_CASE("spool: a spoiled record is counted and skipped, at the start as well as later") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    const std::unique_ptr<Spool> spool = open(directory);
    push_all(*spool, "abc", 5);
    const auto spoil = [](const std::string& copy) {
        std::string octets = latmon::test::read_text(segments_in(copy).at(0));
        octets[record_octets + 100] = 'X';
        latmon::test::write_text(segments_in(copy).at(0), octets);
    };
    const std::string copy = scratch.copy_of(directory);
    spoil(copy);
    const std::unique_ptr<Spool> again = open(copy);
    CHECK(again->counts().recovered == 10);
    CHECK(again->counts().corrupt == 1);
    CHECK(again->counts().torn == 0);
    CHECK(drain(*again) == "ac");
    CHECK(again->counts().waiting == 0);
    CHECK(again->counts().dropped == 0);

    spoil(directory);  // While it is open: its rows were known, and are dropped.
    CHECK(drain(*spool) == "ac");
    CHECK(spool->counts().dropped == 5);
    CHECK(spool->counts().corrupt == 1);
    CHECK(spool->counts().waiting == 0);
}

TEST_CASE("spool: drop_oldest drops whole segments, counts to the row, and keeps to its bound") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    const std::unique_ptr<Spool> spool = open(directory, 64 * 1024);
    constexpr std::uint64_t made = 200;
    for (std::uint64_t index = 0; index < made; ++index) {
        REQUIRE(spool->push(record_of(static_cast<char>('a' + index % 26), 2)));
        std::uintmax_t octets = 0;
        for (const std::string& file : segments_in(directory)) {
            octets += std::filesystem::file_size(file);
        }
        REQUIRE(octets <= 64 * 1024);
        CHECK(2 * (index + 1) == spool->counts().waiting + spool->counts().dropped);
    }
    CHECK(spool->counts().dropped > 0);
    CHECK(spool->counts().waiting > 2 * 64 * 3 / 4);  // No more than a segment or two too many.
    const std::uint64_t first = spool->counts().dropped / 2;
    const Block block = spool->take({.records = 1});
    CHECK(block.records[0].payload[0] == static_cast<char>('a' + first % 26));
}

TEST_CASE("spool: drop_newest drops what comes when there is no room") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    const std::unique_ptr<Spool> spool = open(directory, 64 * 1024, Overflow::drop_newest);
    push_all(*spool, std::string(64, 'a'));
    CHECK_FALSE(spool->push(record_of('b', 7)));
    CHECK(spool->counts().dropped == 7);
    CHECK(drain(*spool) == std::string(64, 'a'));
    CHECK(spool->push(record_of('c')));
}

TEST_CASE("spool: drop_oldest leaves the block under way alone") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    const std::unique_ptr<Spool> spool = open(directory, 64 * 1024);
    push_all(*spool, "abc");
    CHECK(letters_of(spool->take({.records = 2})) == "ab");
    for (int count = 0; count < 500; ++count) {
        REQUIRE(spool->push(record_of('x')));
    }
    CHECK(spool->counts().dropped > 0);
    CHECK(letters_of(spool->take(no_limits)) == "ab");
    const std::unique_ptr<Spool> again = open(scratch.copy_of(directory), 64 * 1024);
    CHECK(letters_of(again->take(no_limits)) == "ab");
    CHECK(again->counts().waiting == spool->counts().waiting);
    spool->finish();
    CHECK(drain(*spool).size() == again->counts().waiting - 2);
    CHECK(spool->counts().waiting == 0);
}

TEST_CASE("spool: segments that are done are gone, while it runs") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    const std::unique_ptr<Spool> spool = open(directory, 64 * 1024);
    push_all(*spool, std::string(40, 'a'));
    const std::size_t before = segments_in(directory).size();
    CHECK(before > 2);
    CHECK(drain(*spool).size() == 40);
    CHECK(segments_in(directory).size() <= 1);
    push_all(*spool, "b");
    CHECK(drain(*spool) == "b");
}

TEST_CASE("spool: a record that is larger than what is read at once comes whole") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    const std::unique_ptr<Spool> spool = open(directory, 8 << 20);
    const std::string large(3'000'000, 'L');
    REQUIRE(spool->push({.rows = 1, .payload = large}));
    REQUIRE(spool->push({.rows = 1, .payload = "small"}));
    const BlockLimits limits{.bytes = 1'024};
    const Block block = spool->take(limits);
    REQUIRE(block.records.size() == 1);
    CHECK(block.records[0].payload == large);
    spool->finish();
    CHECK(spool->take(limits).records[0].payload == "small");
}

TEST_CASE("spool: without its position everything is sent again, and the log is told") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    {
        const std::unique_ptr<Spool> spool = open(directory);
        push_all(*spool, "abc");
        REQUIRE_FALSE(spool->take({.records = 1}).records.empty());
        spool->finish();
    }
    latmon::test::write_text(directory + "/position", "latmon-spool 1\ndone 9");
    const std::unique_ptr<Spool> spool = open(directory);
    CHECK(spool->notes().size() == 1);
    CHECK(drain(*spool) == "abc");
}

TEST_CASE("spool: a new segment never lies before the position") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    for (const char letter : {'a', 'b', 'c'}) {
        const std::unique_ptr<Spool> spool = open(directory);
        push_all(*spool, std::string(3, letter));
        CHECK(drain(*spool) == std::string(3, letter));
    }
    {
        const std::unique_ptr<Spool> spool = open(directory);
        push_all(*spool, "d");
    }
    const std::unique_ptr<Spool> spool = open(directory);
    CHECK(drain(*spool) == "d");
}

TEST_CASE("spool: a directory has one owner at a time, and the error says so") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    std::unique_ptr<Spool> spool = open(directory);
    const std::expected<std::unique_ptr<Spool>, std::string> second =
        Spool::open({.directory = directory, .bytes = 1 << 20});
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().find(directory) != std::string::npos);
    CHECK(second.error().find("in use by another") != std::string::npos);
    spool.reset();
    CHECK(Spool::open({.directory = directory, .bytes = 1 << 20}).has_value());
}

TEST_CASE("spool: nobody else may read it") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    const std::unique_ptr<Spool> spool = open(directory);
    push_all(*spool, "a");
    REQUIRE_FALSE(spool->take(no_limits).records.empty());
    struct stat status {};
    REQUIRE(::stat(directory.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0700U);
    for (const std::string& file : {segments_in(directory).at(0), directory + "/position"}) {
        REQUIRE(::stat(file.c_str(), &status) == 0);
        CHECK((status.st_mode & 0777U) == 0600U);
    }
}

TEST_CASE("spool: a directory that cannot be is an error with a cure") {
    const ScratchDirectory scratch;
    latmon::test::write_text(scratch.file("file"), "text");
    for (const std::string& path : {scratch.file("no/parent"), scratch.file("file")}) {
        const std::expected<std::unique_ptr<Spool>, std::string> spool =
            Spool::open({.directory = path, .bytes = 1 << 20});
        REQUIRE_FALSE(spool.has_value());
        CHECK(spool.error().starts_with("spool = \"" + path + "\" cannot be "));
    }
}

TEST_CASE("spool: what is done gives its room back at once, when a write has failed") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    const std::unique_ptr<Spool> spool = open(directory);
    push_all(*spool, "ab");
    // A limit on the size of files stands for a disk that is full.
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const rlimit tight{.rlim_cur = 2 * record_octets + 100, .rlim_max = before.rlim_max};
    const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
    CHECK_FALSE(spool->push(record_of('c', 5)));
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, ignored);
    CHECK(spool->counts().dropped == 5);
    CHECK(spool->fault().find("cannot be written") != std::string::npos);
    CHECK(std::filesystem::file_size(segments_in(directory).at(0)) == 2 * record_octets);
    CHECK(drain(*spool) == "ab");
    CHECK(segments_in(directory).empty());
    push_all(*spool, "d");
    CHECK(spool->fault().empty());
    CHECK(drain(*spool) == "d");
}

TEST_CASE("spool: what cannot be read now waits, is a fault, and comes later") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    const std::unique_ptr<Spool> spool = open(directory, 64 * 1024);
    const std::string letters(20, 'a');  // Of several segments.
    push_all(*spool, letters);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    const bool is_empty = spool->take(no_limits).records.empty();
    const std::string fault = spool->fault();
    ::setrlimit(RLIMIT_NOFILE, &before);
    CHECK(is_empty);
    CHECK(fault.find("cannot read 00000001.seg now") != std::string::npos);
    CHECK(spool->counts().waiting == letters.size());
    CHECK(drain(*spool) == letters);
    CHECK(spool->fault().empty());
    CHECK(spool->counts().dropped == 0);
    CHECK(spool->counts().corrupt == 0);
}

TEST_CASE("spool: a segment that somebody removed is lost, and the next one comes") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    const std::unique_ptr<Spool> spool = open(directory, 64 * 1024);
    push_all(*spool, std::string(20, 'a'));
    std::filesystem::remove(segments_in(directory).at(0));
    CHECK(drain(*spool).size() + spool->counts().dropped == 20);
    CHECK(spool->counts().dropped > 0);
    CHECK(spool->counts().dropped < 20);
    CHECK(spool->counts().corrupt == 1);
    CHECK(spool->counts().waiting == 0);
}

TEST_CASE("spool: what cannot be read at the start refuses it, and everything stays") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    {
        const std::unique_ptr<Spool> spool = open(directory);
        push_all(*spool, "abc");
    }
    for (const char* const name : {"00000002.seg", "position"}) {
        const std::string path = directory + "/" + name;
        std::filesystem::remove(path);
        std::filesystem::create_directory(path);  // Opens, but does not read.
        const std::expected<std::unique_ptr<Spool>, std::string> spool =
            Spool::open({.directory = directory, .bytes = 1 << 20});
        REQUIRE_FALSE(spool.has_value());
        CHECK(spool.error().find(std::string(name) + " cannot be read (Is a directory): mend") !=
              std::string::npos);
        std::filesystem::remove(path);
    }
    CHECK(drain(*open(directory)) == "abc");
}

TEST_CASE("spool: a segment that cannot be made is a fault that passes") {
    const ScratchDirectory scratch;
    const std::string directory = scratch.file("spool");
    const std::unique_ptr<Spool> spool = open(directory);
    latmon::test::write_text(directory + "/00000001.seg", "in the way");
    CHECK_FALSE(spool->push(record_of('a', 4)));
    CHECK(spool->counts().dropped == 4);
    CHECK(spool->fault().find("cannot be written: File exists") != std::string::npos);
    std::filesystem::remove(directory + "/00000001.seg");
    CHECK(spool->push(record_of('b')));
    CHECK(spool->fault().empty());
    CHECK(drain(*spool) == "b");
}

}  // namespace
}  // namespace latmon::plugins::push
