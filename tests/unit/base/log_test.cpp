// SPDX-License-Identifier: Apache-2.0
//
// The log as an operator's tools see it: its line's form, its levels, where lines go, and that no
// text can forge another line. The log is one per process, so every case opens it anew.
#include "base/log.hpp"

#include "base/fd.hpp"
#include "support/scratch_directory.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>

namespace latmon {
namespace {

// What `body` writes to stderr.
template <typename Body>
std::string captured_stderr(const test::ScratchDirectory& folder, Body body) {
    const std::string path = folder.file("stderr");
    Fd saved(::dup(STDERR_FILENO));
    {
        const Fd file(::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600));
        REQUIRE(file.is_open());
        ::dup2(file.get(), STDERR_FILENO);
    }
    body();
    std::fflush(stderr);
    ::dup2(saved.get(), STDERR_FILENO);
    return test::read_text(path);
}

std::string with_zeros_for_digits(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char letter) { return letter >= '0' && letter <= '9'; }, '0');
    return text;
}

TEST_CASE("log: a line has the time to the millisecond, the level, the text") {
    const test::ScratchDirectory folder;
    const std::string text = captured_stderr(folder, [] {
        REQUIRE(log::open(log::Level::info, ""));
        log::warning("disk {} is full");
    });
    CHECK(with_zeros_for_digits(text) == "[0000-00-00 00:00:00,000] [WARNING] disk {} is full\n");
}

TEST_CASE("log: lines below the level are not written") {
    const test::ScratchDirectory folder;
    const std::string text = captured_stderr(folder, [] {
        REQUIRE(log::open(log::Level::error, ""));
        log::debug("one");
        log::info("two");
        log::warning("three");
        log::error("four");
        log::critical("five");
    });
    CHECK(text.find("one") == std::string::npos);
    CHECK(text.find("three") == std::string::npos);
    CHECK(text.find("[ERROR] four") != std::string::npos);
    CHECK(text.find("[CRITICAL] five") != std::string::npos);
}

TEST_CASE("log: is_enabled says what would be written") {
    REQUIRE(log::open(log::Level::warning, ""));
    CHECK_FALSE(log::is_enabled(log::Level::debug));
    CHECK_FALSE(log::is_enabled(log::Level::info));
    CHECK(log::is_enabled(log::Level::warning));
    CHECK(log::is_enabled(log::Level::critical));
    REQUIRE(log::open(log::Level::debug, ""));
    CHECK(log::is_enabled(log::Level::debug));
}

TEST_CASE("log: no text makes a second line or moves the cursor") {
    const test::ScratchDirectory folder;
    const std::string text = captured_stderr(folder, [] {
        REQUIRE(log::open(log::Level::info, ""));
        log::info(
            "a\nb\rc\x1b[2Jd\x7f"
            "e\tf \xc3\xa9");
    });
    CHECK(text.ends_with("[INFO] a?b?c?[2Jd?e?f \xc3\xa9\n"));
    CHECK(text.find('\n') == text.size() - 1);
}

TEST_CASE("log: a file gets every line at once, its folders are made") {
    const test::ScratchDirectory folder;
    const std::string path = folder.file("new/folder/latmon.log");
    const std::string to_stderr = captured_stderr(folder, [&] {
        REQUIRE(log::open(log::Level::info, path));
        log::info("to both");
        CHECK(test::read_text(path).ends_with("[INFO] to both\n"));
    });
    CHECK(to_stderr == test::read_text(path));
}

TEST_CASE("log: a file that was moved away is made anew, and nothing is lost") {
    const test::ScratchDirectory folder;
    const std::string path = folder.file("latmon.log");
    captured_stderr(folder, [&] {
        REQUIRE(log::open(log::Level::info, path));
        log::info("before");
        REQUIRE(std::rename(path.c_str(), folder.file("old").c_str()) == 0);
        log::info("between");
        REQUIRE(log::reopen());
        log::info("after");
    });
    CHECK(test::read_text(folder.file("old")).ends_with("[INFO] between\n"));
    CHECK(test::read_text(path).ends_with("[INFO] after\n"));
    CHECK(test::read_text(path).find("between") == std::string::npos);
}

TEST_CASE("log: a file that cannot be made anew is said, and the old one is written on") {
    const test::ScratchDirectory folder;
    const std::string path = folder.file("latmon.log");
    captured_stderr(folder, [&] {
        REQUIRE(log::open(log::Level::info, path));
        REQUIRE(std::rename(path.c_str(), folder.file("old").c_str()) == 0);
        REQUIRE(std::filesystem::create_directory(path));
        CHECK_FALSE(log::reopen());
        log::info("after");
    });
    CHECK(test::read_text(folder.file("old")).ends_with("[INFO] after\n"));
}

TEST_CASE("log: a file that cannot be opened is said, and stderr goes on") {
    const test::ScratchDirectory folder;
    const std::string text = captured_stderr(folder, [] {
        CHECK_FALSE(log::open(log::Level::info, "/dev/null/latmon.log"));
        log::info("still here");
    });
    CHECK(text.ends_with("[INFO] still here\n"));
}

}  // namespace
}  // namespace latmon
