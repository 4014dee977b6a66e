// SPDX-License-Identifier: Apache-2.0
//
// Errors as values: what a caller and an operator get to see.
#include "base/error.hpp"

#include <doctest/doctest.h>
#include <cerrno>

namespace latmon {
namespace {

Result<int> refuse(ExitCode code) {
    return fail(code, "cannot do it: do that");
}

TEST_CASE("error: a failed result carries its exit code and its line, unchanged") {
    const Result<int> result = refuse(ExitCode::configuration);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == ExitCode::configuration);
    CHECK(result.error().text == "cannot do it: do that");
}

TEST_CASE("error: the kernel's reason stands in brackets behind ours") {
    const Result<int> result = fail_errno(ExitCode::permission, "cannot bind port 862", EACCES);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == ExitCode::permission);
    CHECK(result.error().text == "cannot bind port 862 [Permission denied]");
}

TEST_CASE("error: an errno value that the C library does not know is still one line") {
    const Result<int> result = fail_errno(ExitCode::failure, "it failed", 99'999);
    CHECK(result.error().text.starts_with("it failed ["));
    CHECK(result.error().text.ends_with("]"));
    CHECK(result.error().text.find('\n') == std::string::npos);
}

TEST_CASE("error: exit codes are those that init systems and scripts know") {
    CHECK(static_cast<int>(ExitCode::ok) == 0);
    CHECK(static_cast<int>(ExitCode::failure) == 1);
    CHECK(static_cast<int>(ExitCode::usage) == 2);
    CHECK(static_cast<int>(ExitCode::permission) == 77);
    CHECK(static_cast<int>(ExitCode::configuration) == 78);
}

}  // namespace
}  // namespace latmon
