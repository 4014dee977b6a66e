// SPDX-License-Identifier: Apache-2.0
//
// See file.hpp. Files change between two lines, never within one.
#include "json/file.hpp"

#include "support/monotonic.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace latmon::plugins {
namespace {

constexpr mode_t file_mode = 0640;  // Names of targets and their addresses are not for everybody.
constexpr std::int64_t retry_pause_ns = 60'000'000'000;

std::string numbered(const std::string& path, std::uint32_t number) {
    return path + "." + std::to_string(number);
}

}  // namespace

int rotate_files(const std::string& path, std::uint32_t keep) {
    for (std::uint32_t number = keep; number > 1; --number) {
        // One that is not there leaves a gap, and that is all.
        static_cast<void>(
            std::rename(numbered(path, number - 1).c_str(), numbered(path, number).c_str()));
    }
    return std::rename(path.c_str(), numbered(path, 1).c_str()) == 0 ? 0 : errno;
}

FileDestination::FileDestination(const latmon_host_t* host, const std::string& path,
                                 Rotation rotation)
    : host_(host), path_(path), rotation_(rotation), output_(host, path, file_mode) {}

void FileDestination::offer() {
    static_cast<void>(output_.offer());  // Its counts say it all.
    rotate_if_due();
}

void FileDestination::write_out() {
    static_cast<void>(output_.write_out());
    rotate_if_due();
}

void FileDestination::reopen() {
    static_cast<void>(output_.write_out());
    output_.reopen();
}

void FileDestination::rotate_if_due() {
    if (rotation_.bytes == 0 || !output_.is_regular()) return;
    if (output_.file_bytes() < rotation_.bytes || !output_.is_at_line_start()) return;
    if (has_failed_ && monotonic_ns() < next_attempt_ns_) return;
    const int error = rotate_files(path_, rotation_.keep);
    if (error != 0 && !has_failed_) {
        const std::string text = path_ + " cannot be renamed to " + numbered(path_, 1) + ": " +
                                 std::strerror(error) + "; it grows on until it can";
        host_->log(host_, LATMON_LOG_WARNING, text.c_str());
    }
    has_failed_ = error != 0;
    next_attempt_ns_ = monotonic_ns() + retry_pause_ns;
    if (error == 0) output_.reopen();
}

}  // namespace latmon::plugins
