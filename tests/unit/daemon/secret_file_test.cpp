// SPDX-License-Identifier: Apache-2.0
//
// Claims about files with secrets. What key_file_test.cpp says of keys is not said again.
#include "daemon/secret_file.hpp"

#include "support/scratch_directory.hpp"

#include <doctest/doctest.h>
#include <fstream>

namespace latmon {
namespace {

std::string fault(mode_t mode, uid_t owner, uid_t self) {
    return fault_of_secret_file({.mode = mode, .owner = owner, .self = self});
}

TEST_CASE("secret_file: a file is ours or root's") {
    constexpr mode_t mode = S_IFREG | 0600;
    CHECK(fault(mode, 1'000, 1'000) == "");
    CHECK(fault(mode, 0, 1'000) == "");
    CHECK(fault(mode, 1'001, 1'000).find("belongs to user 1001") != std::string::npos);
    CHECK(fault(mode, 1'001, 0).find("run chown root") != std::string::npos);
    CHECK(fault(S_IFDIR | 0700, 0, 0) != "");
}

TEST_CASE("secret_file: what others may not is a matter of the kind, and the cure allows no more") {
    CHECK(fault(S_IFREG | 0640, 0, 0).find("run chmod 600") != std::string::npos);
    CHECK(fault(S_IFREG | 0440, 0, 0).find("run chmod 400") != std::string::npos);
    const SecretOwner group{.mode = S_IFREG | 0640, .owner = 0, .self = 0};
    CHECK(fault_of_secret_file(group, S_IWGRP | S_IRWXO) == "");
    const SecretOwner others{.mode = S_IFREG | 0644, .owner = 0, .self = 0};
    CHECK(fault_of_secret_file(others, S_IWGRP | S_IRWXO).find("run chmod 640") !=
          std::string::npos);
}

TEST_CASE("secret_file: a file is read whole or not at all, and messages name file and key") {
    const test::ScratchDirectory scratch;
    const std::string path = scratch.file("token");
    std::ofstream(path) << "token\r\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_read);
    const SecretFile kind{.what = "secret file", .option = "bearer_token_file", .octets_max = 7};
    const Result<SecretText> secret = read_secret_file(path, kind);
    REQUIRE(secret.has_value());
    CHECK(secret->text() == "token\r\n");
    CHECK(secret->line() == "token");
    const Result<SecretText> large =
        read_secret_file(path, {.what = "secret file", .option = "x", .octets_max = 6});
    REQUIRE_FALSE(large.has_value());
    CHECK(large.error().text == "secret file " + path +
                                    ": is too long; write one of 6 octets at "
                                    "most");
    const Result<SecretText> absent = read_secret_file(path + "s", kind);
    REQUIRE_FALSE(absent.has_value());
    CHECK(absent.error().code == ExitCode::configuration);
    CHECK(absent.error().text.find("\"bearer_token_file\"") != std::string::npos);
}

}  // namespace
}  // namespace latmon
