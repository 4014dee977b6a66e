// SPDX-License-Identifier: Apache-2.0
//
// Lines to whoever listens on a Unix socket. While nobody does, lines are lost and counted, and a
// new attempt is made once a second. A listener that takes nothing for 0.3 s is left.
//
//   stream     lines one after the other; a new connection begins with a whole line
//   datagram   a line, with its newline, is a datagram
//
// What was written into a listener that ends without reading it is counted as written: the kernel
// tells nobody. Write functions block for 0.3 s at most.
#pragma once

#include "json/destination.hpp"
#include "support/unix_address.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace latmon::plugins {

class UnixSocket final : public Destination {
public:
    // `path`: of the listener's socket; with '@' in front, a name in the abstract namespace.
    UnixSocket(const latmon_host_t* host, std::string path, bool is_datagram);
    ~UnixSocket() override;

    [[nodiscard]] bool open() override;
    [[nodiscard]] std::string& buffer() noexcept override { return buffer_; }
    void offer() override;
    void write_out() override;
    // A new connection, at once.
    void reopen() override;
    [[nodiscard]] LineCounts counts() const noexcept override { return counts_; }

private:
    [[nodiscard]] int connect_to_listener();
    void disconnect() noexcept;
    // Both take what was sent off the front of `rest`. Zero, or the errno value that ended it.
    [[nodiscard]] int send_stream(std::string_view& rest);
    [[nodiscard]] int send_datagrams(std::string_view& rest);
    [[nodiscard]] int send_some(std::string_view octets, std::size_t& sent);
    void report(int error);

    const latmon_host_t* host_;
    std::string path_;
    bool is_datagram_;
    UnixAddress address_{};
    int fd_ = -1;
    std::int64_t next_attempt_ns_ = 0;  // CLOCK_MONOTONIC; while there is no connection.
    std::int64_t give_up_ns_ = 0;       // CLOCK_MONOTONIC; of the write that is under way.
    std::string buffer_;
    LineCounts counts_;
    std::uint64_t lost_reported_ = 0;  // Lost lines that the log knows of.
    int last_error_ = 0;
};

}  // namespace latmon::plugins
