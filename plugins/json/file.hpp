// SPDX-License-Identifier: Apache-2.0
//
// A file that is moved away when it has grown large enough: NAME becomes NAME.1, that NAME.2, and
// so on; the oldest goes. Standard output and what is no regular file is written to as it is.
#pragma once

#include "json/destination.hpp"

#include <cstdint>
#include <string>

namespace latmon::plugins {

struct Rotation {
    std::uint64_t bytes = 0;  // 0: never.
    std::uint32_t keep = 0;   // Files beside the one that is written to, at least 1.
};

// Renames `path` and its numbered predecessors, of which the one numbered `keep` is overwritten.
// Zero, or the errno value of the rename of `path` itself.
[[nodiscard]] int rotate_files(const std::string& path, std::uint32_t keep);

class FileDestination final : public Destination {
public:
    // `path` "": standard output.
    FileDestination(const latmon_host_t* host, const std::string& path, Rotation rotation);

    [[nodiscard]] bool open() override { return output_.open(); }
    [[nodiscard]] std::string& buffer() noexcept override { return output_.buffer(); }
    void offer() override;
    void write_out() override;
    void reopen() override;
    [[nodiscard]] LineCounts counts() const noexcept override { return output_.counts(); }

private:
    void rotate_if_due();

    const latmon_host_t* host_;
    std::string path_;
    Rotation rotation_;
    Output output_;
    bool has_failed_ = false;           // The log knows that the file cannot be renamed.
    std::int64_t next_attempt_ns_ = 0;  // CLOCK_MONOTONIC; after a failure.
};

}  // namespace latmon::plugins
