// SPDX-License-Identifier: Apache-2.0
//
// Claims about key files: real files in a directory of the test's own.
#include "daemon/key_file.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace latmon {
namespace {

constexpr std::string_view text_key = "correct horse battery staple";

// A file that goes with its directory when the test ends.
class KeyFile {
public:
    explicit KeyFile(std::string_view content, mode_t mode = 0600) {
        std::string pattern = (std::filesystem::temp_directory_path() / "latmon-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        directory_ = pattern;
        std::ofstream(path(), std::ios::binary) << content;
        REQUIRE(::chmod(path().c_str(), mode) == 0);
    }
    ~KeyFile() { std::filesystem::remove_all(directory_); }
    KeyFile(const KeyFile&) = delete;
    KeyFile& operator=(const KeyFile&) = delete;
    [[nodiscard]] std::string path() const { return (directory_ / "site.key").string(); }

private:
    std::filesystem::path directory_;
};

std::string key_of(std::string_view content) {
    const KeyFile file(content);
    const Result<std::vector<std::byte>> key = read_key_file(file.path());
    if (!key) return "error: " + key.error().text;
    std::string text;
    for (const std::byte octet : *key) {
        text += static_cast<char>(octet);
    }
    return text;
}

// What is wrong with the file at `path`, which must be something, and must be told by its name.
Error error_of(const std::string& path) {
    const Result<std::vector<std::byte>> key = read_key_file(path);
    REQUIRE_FALSE(key.has_value());
    CHECK(key.error().text.starts_with("key file " + path + ": "));
    CHECK(key.error().text.find("; ") != std::string::npos);
    return key.error();
}

bool is_refused(std::string_view content) {
    const KeyFile file(content);
    return error_of(file.path()).code == ExitCode::configuration;
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

TEST_CASE("key_file: plain text is the key, one newline behind it is not") {
    CHECK(key_of(text_key) == text_key);
    CHECK(key_of(std::string(text_key) + "\n") == text_key);
    CHECK(key_of(std::string(text_key) + "\r\n") == text_key);
    CHECK(key_of(" " + std::string(text_key) + " \n") == " " + std::string(text_key) + " ");
}

TEST_CASE("key_file: hex digits in either case are the key's octets") {
    const std::string octets("\x00\x01\xab\xcd\xef\xff 123456789", 16);
    CHECK(key_of("hex:0001abCDefFF20313233343536373839") == octets);
    CHECK(key_of("hex:0001abCDefFF20313233343536373839\n") == octets);
}

TEST_CASE("key_file: a key has 16 to 64 octets") {
    CHECK(is_refused(std::string(15, 'k')));
    CHECK(key_of(std::string(16, 'k')) == std::string(16, 'k'));
    CHECK(key_of(std::string(64, 'k') + "\r\n") == std::string(64, 'k'));
    CHECK(is_refused(std::string(65, 'k')));
    CHECK(is_refused("hex:" + std::string(30, 'a')));
    CHECK(key_of("hex:" + std::string(128, '6')) == std::string(64, 'f'));
    CHECK(is_refused("hex:" + std::string(130, '6')));
    CHECK(is_refused(""));
    CHECK(is_refused("\n"));
    CHECK(is_refused(std::string(100'000, 'k')));
}

TEST_CASE("key_file: what is neither hex nor one line of text is refused") {
    CHECK(is_refused("hex:" + std::string(33, 'a')));
    CHECK(is_refused("hex:" + std::string(32, 'g')));
    CHECK(is_refused("hex: " + std::string(31, 'a')));
    CHECK(is_refused(std::string(20, 'k') + "\n\n"));
    CHECK(is_refused(std::string(20, 'k') + "\n" + std::string(20, 'k')));
    CHECK(is_refused(std::string(20, 'k') + std::string(1, '\0')));
}

TEST_CASE("key_file: no message holds what the file holds") {
    for (const std::string_view content :
         {"hex:5ec2e7", "s3cret", "s3cret\nline two that is long enough", "hex:s3cret"}) {
        const KeyFile file(content);
        const Error error = error_of(file.path());
        CHECK_FALSE(contains(error.text, "s3cret"));
        CHECK_FALSE(contains(error.text, "5ec2e7"));
    }
}

TEST_CASE("key_file: a file that others may touch is refused with the cure") {
    for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0601U, 0666U}) {
        CAPTURE(mode);
        const KeyFile file(text_key, mode);
        const Error error = error_of(file.path());
        CHECK(error.code == ExitCode::permission);
        CHECK(contains(error.text, "run chmod 600"));
    }
    const KeyFile file(text_key, 0400);
    CHECK(read_key_file(file.path()).has_value());
}

TEST_CASE("key_file: a file is ours or root's") {
    if (::geteuid() != 0) return;  // Only root can give a file away.
    const KeyFile file(text_key);
    REQUIRE(::chown(file.path().c_str(), 65'534, 65'534) == 0);
    CHECK(error_of(file.path()).code == ExitCode::permission);
}

TEST_CASE("key_file: what is no regular file is refused, and a FIFO waits for nobody") {
    const KeyFile file(text_key);
    CHECK(error_of(std::filesystem::path(file.path()).parent_path()).code ==
          ExitCode::configuration);
    const std::string fifo = file.path() + ".fifo";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    CHECK(contains(error_of(fifo).text, "is no regular file"));
    CHECK(contains(error_of("/dev/zero").text, "is no regular file"));
}

TEST_CASE("key_file: a link counts as what it leads to") {
    const KeyFile file(text_key, 0644);
    const std::string link = file.path() + ".link";
    REQUIRE(::symlink(file.path().c_str(), link.c_str()) == 0);
    CHECK(error_of(link).code == ExitCode::permission);
    REQUIRE(::chmod(file.path().c_str(), 0600) == 0);
    CHECK(read_key_file(link).has_value());
}

TEST_CASE("key_file: a file that is not there is told") {
    const Error error = error_of("/nonexistent/site.key");
    CHECK(error.code == ExitCode::configuration);
    CHECK(contains(error.text, "cannot be opened"));
}

}  // namespace
}  // namespace latmon
