// SPDX-License-Identifier: Apache-2.0
//
// Passwords by file, by environment, in plain and unasked. Their text never gets into the log.
#include "support/secret.hpp"

#include "support/fake_host.hpp"
#include "support/scratch_directory.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdlib>

namespace latmon::plugins {
namespace {

using latmon::test::FakeHost;
using latmon::test::ScratchDirectory;

std::optional<std::string> read(const FakeHost& host, const latmon_options& options) {
    return read_secret(host.table(), &options, "password", "LATMON_TEST_UNASKED");
}

std::string file_with(const ScratchDirectory& scratch, const std::string& text, mode_t mode) {
    const std::string path = scratch.file("secret");
    ::unlink(path.c_str());
    latmon::test::write_text(path, text);
    ::chmod(path.c_str(), mode);
    return path;
}

TEST_CASE("secret: each of the four ways gives it") {
    const FakeHost host;
    const ScratchDirectory scratch;
    latmon_options options;
    CHECK(read(host, options) == "");
    ::setenv("LATMON_TEST_UNASKED", "u", 1);
    CHECK(read(host, options) == "u");
    options.values = {{"password", std::string("p")}};
    CHECK(read(host, options) == "p");
    ::setenv("LATMON_TEST_SECRET", "e", 1);
    options.values = {{"password_env", std::string("LATMON_TEST_SECRET")}};
    CHECK(read(host, options) == "e");
    ::unsetenv("LATMON_TEST_UNASKED");
    for (const char* const text : {"f f", "f f\n", "f f\r\nmore\n"}) {
        options.values = {{"password_file", file_with(scratch, text, 0640)}};
        CHECK(read(host, options) == "f f");
    }
    CHECK(host.log().empty());
}

TEST_CASE("secret: what was promised and is not there is refused with the cure") {
    const ScratchDirectory scratch;
    struct Mistake {
        latmon_options options;
        std::string words;
    };
    const Mistake mistakes[] = {
        {{.values = {{"password", std::string("s3cret")},
                     {"password_env", std::string("LATMON_TEST_NONE")}},
          .asked = {}},
         "more than one of password, password_file and password_env"},
        {{.values = {{"password_env", std::string("LATMON_TEST_NONE")}}, .asked = {}},
         "no such environment variable"},
        {{.values = {{"password_file", scratch.file("none")}}, .asked = {}}, "No such file"},
        {{.values = {{"password_file", scratch.path()}}, .asked = {}}, "no regular file"}};
    for (const Mistake& mistake : mistakes) {
        CAPTURE(mistake.words);
        const FakeHost host;
        CHECK_FALSE(read(host, mistake.options).has_value());
        CHECK(host.log().find(mistake.words) != std::string::npos);
        CHECK(host.log().find("s3cret") == std::string::npos);
    }
}

TEST_CASE("secret: a file that others may read, or its group write, is refused") {
    const ScratchDirectory scratch;
    for (const mode_t mode : {0644U, 0604U, 0602U, 0660U, 0601U}) {
        CAPTURE(mode);
        const FakeHost host;
        const latmon_options options{
            .values = {{"password_file", file_with(scratch, "s3cret\n", mode)}}, .asked = {}};
        CHECK_FALSE(read(host, options).has_value());
        CHECK(host.log().find("run chmod ") != std::string::npos);
        CHECK(host.log().find("s3cret") == std::string::npos);
    }
}

TEST_CASE("secret: an empty first line and one that is too long are refused") {
    const ScratchDirectory scratch;
    for (const std::string& text : {std::string("\nsecond"), std::string(5'000, 's')}) {
        const FakeHost host;
        const latmon_options options{.values = {{"password_file", file_with(scratch, text, 0600)}},
                                     .asked = {}};
        CHECK_FALSE(read(host, options).has_value());
    }
}

}  // namespace
}  // namespace latmon::plugins
