// SPDX-License-Identifier: Apache-2.0
//
// Lines to a file descriptor: standard output or a file that is appended to. Holds back up to 64
// KiB, so that a fast stream costs few system calls, but nothing from somebody who sits at a
// terminal. Says in the log when it cannot write, once, and when it can again. One thread at a
// time.
#pragma once

#include <latmon/host.h>

#include <cstdint>
#include <string>

namespace latmon::plugins {

class Output {
public:
    // `path` "": standard output. [main-thread]
    Output(const latmon_host_t* host, std::string path);
    ~Output();
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    // Opens the file for appending; makes it if it is not there. False, after saying why in the
    // log, if that is not possible. [main-thread]
    [[nodiscard]] bool open();

    [[nodiscard]] bool is_terminal() const noexcept { return is_terminal_; }
    // Rows of the terminal; 0 if that is not known.
    [[nodiscard]] std::uint32_t terminal_rows() const noexcept;

    // Whole lines are appended to it, and then offered for writing.
    [[nodiscard]] std::string& buffer() noexcept { return buffer_; }

    // Writes the buffer if it is full or a terminal waits for it. False if lines were lost, now or
    // because nobody reads any more.
    [[nodiscard]] bool offer();

    // Writes the buffer. As offer().
    [[nodiscard]] bool write_out();

private:
    // 0, or the errno value that kept the rest from being written.
    [[nodiscard]] int write_all();
    void count_lost();
    void report(int error);

    const latmon_host_t* host_;
    std::string path_;
    std::string shown_name_;  // For the log.
    int fd_ = -1;
    bool is_terminal_ = false;
    bool is_closed_ = false;  // The reader has gone: EPIPE. It does not come back.
    bool is_torn_ = false;    // The last write ended within a line.
    std::string buffer_;
    int last_error_ = 0;
    std::uint64_t lines_lost_ = 0;
};

}  // namespace latmon::plugins
