// SPDX-License-Identifier: Apache-2.0
//
// Claims about the command line of a self-test.
#include "daemon/arguments.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace latmon {
namespace {

Result<Arguments> parsed(std::vector<const char*> words) {
    words.insert(words.begin(), "latmon");
    return parse_arguments(static_cast<int>(words.size()), words.data());
}

std::string error_of(const std::vector<const char*>& words) {
    const Result<Arguments> arguments = parsed(words);
    REQUIRE_FALSE(arguments.has_value());
    CHECK(arguments.error().code == ExitCode::usage);
    return arguments.error().text;
}

bool contains(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("arguments_selftest: nothing has to be said") {
    const Result<Arguments> bare = parsed({"selftest"});
    REQUIRE(bare.has_value());
    CHECK(bare->command == Command::selftest);
    CHECK_FALSE(bare->is_config_explicit);
    CHECK(bare->selftest.duration == Duration::from_s(8));
    CHECK(bare->selftest.targets == 1'000);
    CHECK(bare->selftest.cpus.empty());
    CHECK_FALSE(bare->selftest.is_json);
}

TEST_CASE("arguments_selftest: each flag does what it says") {
    const Result<Arguments> full = parsed(
        {"selftest", "--seconds", "2.5", "--targets", "50", "--cpu", "3,1", "--json", "/x.toml"});
    REQUIRE(full.has_value());
    CHECK(full->selftest.duration == Duration::from_ms(2'500));
    CHECK(full->selftest.targets == 50);
    CHECK(full->selftest.cpus == std::vector<std::uint32_t>{3, 1});
    CHECK(full->selftest.is_json);
    CHECK(full->config_path == "/x.toml");
    CHECK(full->is_config_explicit);
    const Result<Arguments> flag = parsed({"selftest", "-c", "/x.toml"});
    REQUIRE(flag.has_value());
    CHECK(flag->config_path == "/x.toml");
}

TEST_CASE("arguments_selftest: what does not fit is refused with what would") {
    CHECK(contains(error_of({"selftest", "--seconds", "1"}), "2 to 60"));
    CHECK(contains(error_of({"selftest", "--targets", "0"}), "1 to 10000"));
    CHECK(contains(error_of({"selftest", "--cpu", "0,1,2"}), "one CPU or two"));
    CHECK(contains(error_of({"selftest", "--cpu", "all"}), "one CPU or two"));
    CHECK(contains(error_of({"selftest", "--targets", "5", "--targets", "6"}), "more than once"));
    CHECK(contains(error_of({"selftest", "-c", "/x.toml", "/y.toml"}), "keep one"));
}

}  // namespace
}  // namespace latmon
