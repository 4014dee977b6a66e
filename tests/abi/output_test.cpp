// SPDX-License-Identifier: Apache-2.0
//
// Lines to a file that fills up, is moved, is removed or was left torn: each line that was handed
// over is in a file as a whole, or counted as lost.
#include "support/output.hpp"

#include "abi/recording_host.hpp"
#include "support/scratch_directory.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <csignal>
#include <cstdio>
#include <filesystem>

namespace latmon::plugins {
namespace {

using test::read_text;
using test::RecordingHost;
using test::ScratchDirectory;
using test::write_text;

// A disk that is full: no file of this process grows beyond `bytes` while it lives.
class FileLimit {
public:
    explicit FileLimit(rlim_t bytes) {
        ::signal(SIGXFSZ, SIG_IGN);
        REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
        const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
    }
    ~FileLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    FileLimit(const FileLimit&) = delete;
    FileLimit& operator=(const FileLimit&) = delete;

private:
    rlimit before_{};
};

void write_line(Output& output, const std::string& line, bool is_fine = true) {
    output.buffer() += line + "\n";
    CHECK(output.write_out() == is_fine);
}

TEST_CASE("output: a full disk costs the lines that do not fit, is said once, and is got over") {
    const ScratchDirectory folder;
    RecordingHost host;
    Output output(host.table(), folder.file("out"));
    REQUIRE(output.open());
    write_line(output, "one");
    {
        const FileLimit limit(9);
        output.buffer() += "two\nthree\nfour\n";  // "two", newline, and one letter fit.
        CHECK_FALSE(output.write_out());
        CHECK_FALSE(output.is_at_line_start());
        write_line(output, "five", false);
    }
    write_line(output, "six");
    CHECK(read_text(folder.file("out")) == "one\ntwo\nt\nsix\n");
    CHECK(output.counts().written == 3);
    CHECK(output.counts().lost == 3);
    REQUIRE(host.lines().size() == 2);
    CHECK(host.lines()[0].find("cannot be written: File too large") != std::string::npos);
    CHECK(host.lines()[1].ends_with("is written again; lines lost: 3"));
}

TEST_CASE("output: a line that somebody left torn is ended first") {
    const ScratchDirectory folder;
    write_text(folder.file("out"), "whole\nto");
    RecordingHost host;
    Output output(host.table(), folder.file("out"));
    REQUIRE(output.open());
    write_line(output, "new");
    CHECK(read_text(folder.file("out")) == "whole\nto\nnew\n");
    CHECK(output.counts().written == 1);
}

TEST_CASE("output: reopened, it goes on in a new file of that name, with the mode asked for") {
    const ScratchDirectory folder;
    RecordingHost host;
    Output output(host.table(), folder.file("out"), 0640);
    const mode_t before = ::umask(0);
    REQUIRE(output.open());
    write_line(output, "one");
    REQUIRE(std::rename(folder.file("out").c_str(), folder.file("old").c_str()) == 0);
    write_line(output, "two");
    output.reopen();
    ::umask(before);
    CHECK(output.file_bytes() == 0);
    write_line(output, "three");
    CHECK(read_text(folder.file("old")) == "one\ntwo\n");
    CHECK(read_text(folder.file("out")) == "three\n");
    CHECK(output.file_bytes() == 6);
    struct stat status {};
    REQUIRE(::stat(folder.file("out").c_str(), &status) == 0);
    CHECK((status.st_mode & 07777U) == 0640U);
    CHECK(output.counts().written == 3);
    CHECK(host.lines().empty());
}

TEST_CASE("output: a name that cannot be opened anew is said once, and the old file written on") {
    const ScratchDirectory folder;
    RecordingHost host;
    Output output(host.table(), folder.file("out"));
    REQUIRE(output.open());
    REQUIRE(std::rename(folder.file("out").c_str(), folder.file("old").c_str()) == 0);
    REQUIRE(std::filesystem::create_directory(folder.file("out")));
    output.reopen();
    output.reopen();
    write_line(output, "one");
    CHECK(read_text(folder.file("old")) == "one\n");
    REQUIRE(host.lines().size() == 1);
    CHECK(host.lines()[0].find("cannot be opened anew: Is a directory") != std::string::npos);
}

TEST_CASE("output: what is no regular file is not opened anew") {
    RecordingHost host;
    Output output(host.table(), "/dev/null");
    REQUIRE(output.open());
    CHECK_FALSE(output.is_regular());
    output.reopen();
    write_line(output, "one");
    CHECK(output.counts().written == 1);
    CHECK(output.file_bytes() == 0);
}

}  // namespace
}  // namespace latmon::plugins
