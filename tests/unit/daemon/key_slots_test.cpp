// SPDX-License-Identifier: Apache-2.0
//
// Which key has which place, while files and their contents change.
#include "daemon/key_slots.hpp"

#include "support/scratch_directory.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <fstream>
#include <string>

namespace latmon {
namespace {

Mac code_of(const std::string& path) {
    KeySlots::Files files;
    const Result<const KeySlots::Found*> found = KeySlots::read(path, files);
    REQUIRE(found.has_value());
    return (*found)->code;
}

void write_key(const std::string& path, const std::string& key) {
    std::ofstream(path) << key;
    ::chmod(path.c_str(), 0600);
}

}  // namespace

TEST_CASE("key_slots: a key keeps its place, another content is another key") {
    const test::ScratchDirectory directory;
    const std::string path = directory.file("key");
    write_key(path, "sixteen octets 1\n");
    const Mac first = code_of(path);
    KeySlots slots;
    CHECK(slots.take(path, first, {}) == 0);
    CHECK(slots.take(path, first, {true}) == 0);
    CHECK(slots.is_at(0, path, first));
    write_key(path, "sixteen octets 2\n");
    const Mac second = code_of(path);
    CHECK_FALSE(slots.is_at(0, path, second));
    CHECK_FALSE(slots.find(path, second));
    CHECK(slots.take(path, second, {true}) == 1);
    CHECK(slots.size() == 2);
    // Nobody has the first any more: its place is free.
    write_key(path, "sixteen octets 3\n");
    CHECK(slots.take(path, code_of(path), {false, true}) == 0);
    CHECK_FALSE(slots.find(path, first));
}

TEST_CASE("key_slots: a file that is no key is an error") {
    KeySlots::Files files;
    CHECK_FALSE(KeySlots::read("/nowhere/key", files));
}

}  // namespace latmon
