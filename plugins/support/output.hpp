// SPDX-License-Identifier: Apache-2.0
//
// Lines to a file descriptor: standard output or a file that is appended to. Holds back up to 64
// KiB, so that a fast stream costs few system calls, but nothing from somebody who sits at a
// terminal. Says in the log when it cannot write, once, and when it can again. A file that was
// renamed or removed under it is opened anew by its name, so that log rotation needs no signal.
// Nothing is synced to disk. One thread at a time.
#pragma once

#include <latmon/host.h>

#include <sys/types.h>
#include <cstdint>
#include <string>

namespace latmon::plugins {

// Whole lines, counted since open(); each line handed over is in the end one of the two.
struct LineCounts {
    std::uint64_t written = 0;
    std::uint64_t lost = 0;  // A part of a lost line may stand in the file, as a line of its own.
};

class Output {
public:
    // `path` "": standard output. `mode`: of a file that is made. [main-thread]
    Output(const latmon_host_t* host, std::string path, mode_t mode = 0644);
    ~Output();
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    // Opens the file for appending; makes it if it is not there. False, after saying why in the
    // log, if that is not possible. [main-thread]
    [[nodiscard]] bool open();

    [[nodiscard]] bool is_terminal() const noexcept { return is_terminal_; }
    // Rows of the terminal; 0 if that is not known.
    [[nodiscard]] std::uint32_t terminal_rows() const noexcept;
    // A file whose name may come to stand for another one; not a pipe, a device or standard output.
    [[nodiscard]] bool is_regular() const noexcept { return is_regular_; }
    // Octets in it, as far as this wrote them or found them; 0 if it is not regular.
    [[nodiscard]] std::uint64_t file_bytes() const noexcept { return file_bytes_; }
    // The file ends with a whole line.
    [[nodiscard]] bool is_at_line_start() const noexcept { return !is_torn_; }
    [[nodiscard]] LineCounts counts() const noexcept { return counts_; }

    // Whole lines are appended to it, and then offered for writing.
    [[nodiscard]] std::string& buffer() noexcept { return buffer_; }

    // Writes the buffer if it is full or a terminal waits for it. False if lines were lost, now or
    // because nobody reads any more.
    [[nodiscard]] bool offer();

    // Writes the buffer. As offer(). At most once a second it looks before whether the file's name
    // still stands for the file.
    [[nodiscard]] bool write_out();

    // Opens a regular file anew by its name. If that fails, the old one stays, the log says why,
    // once, and the next write_out() that looks tries again.
    void reopen();

private:
    void adopt(int fd);
    void follow();
    // 0, or the errno value that kept the rest from being written.
    [[nodiscard]] int write_all();
    [[nodiscard]] int write_some(const char* octets, std::size_t size, std::size_t& done);
    void report(int error);

    const latmon_host_t* host_;
    std::string path_;
    std::string shown_name_;  // For the log.
    mode_t mode_;
    int fd_ = -1;
    dev_t device_ = 0;  // Of the open file, with its inode: which file it is.
    ino_t inode_ = 0;
    bool is_regular_ = false;
    bool is_terminal_ = false;
    bool is_closed_ = false;          // The reader has gone: EPIPE. It does not come back.
    bool is_torn_ = false;            // The file ends within a line.
    bool has_failed_reopen_ = false;  // The log knows.
    std::int64_t next_look_ns_ = 0;   // CLOCK_MONOTONIC
    std::uint64_t file_bytes_ = 0;
    std::string buffer_;
    int last_error_ = 0;
    LineCounts counts_;
    std::uint64_t lost_reported_ = 0;  // Lost lines that the log knows of.
};

}  // namespace latmon::plugins
