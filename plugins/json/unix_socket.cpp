// SPDX-License-Identifier: Apache-2.0
//
// See unix_socket.hpp. The socket does not block; waiting is done here, where it has an end.
#include "json/unix_socket.hpp"

#include "support/monotonic.hpp"

#include <poll.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

namespace latmon::plugins {
namespace {

constexpr std::size_t buffer_bytes = 65'536;
constexpr std::int64_t reconnect_pause_ns = 1'000'000'000;
// Shorter than what latmon leaves an exporter when it stops.
constexpr std::int64_t patience_ns = 300'000'000;

std::uint64_t count_lines(std::string_view text) noexcept {
    return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

}  // namespace

UnixSocket::UnixSocket(const latmon_host_t* host, std::string path, bool is_datagram)
    : host_(host), path_(std::move(path)), is_datagram_(is_datagram) {}

UnixSocket::~UnixSocket() {
    disconnect();
}

bool UnixSocket::open() {
    const std::optional<UnixAddress> address = unix_address(path_);
    if (!address) {
        const std::string text = "unix = \"" + path_ + "\" is too long: a socket's path has " +
                                 std::to_string(unix_path_octets_max) + " octets at most";
        host_->log(host_, LATMON_LOG_ERROR, text.c_str());
        return false;
    }
    address_ = *address;
    buffer_.reserve(2 * buffer_bytes);
    report(connect_to_listener());
    return true;
}

int UnixSocket::connect_to_listener() {
    next_attempt_ns_ = monotonic_ns() + reconnect_pause_ns;
    const int type = is_datagram_ ? SOCK_DGRAM : SOCK_STREAM;
    fd_ = ::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd_ < 0) return errno;
    if (::connect(fd_, address_.plain(), address_.bytes) == 0) return 0;
    const int error = errno;
    disconnect();
    return error;
}

void UnixSocket::disconnect() noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

void UnixSocket::reopen() {
    write_out();
    disconnect();
    report(connect_to_listener());
}

void UnixSocket::offer() {
    if (buffer_.size() >= buffer_bytes) write_out();
}

void UnixSocket::write_out() {
    if (buffer_.empty()) return;
    std::string_view rest = buffer_;
    int error = last_error_;
    if (fd_ < 0 && monotonic_ns() >= next_attempt_ns_) error = connect_to_listener();
    if (fd_ >= 0) {
        give_up_ns_ = monotonic_ns() + patience_ns;
        error = is_datagram_ ? send_datagrams(rest) : send_stream(rest);
        if (error != 0) disconnect();
    }
    const std::uint64_t lost = count_lines(rest);
    counts_.lost += lost;
    counts_.written += count_lines(buffer_) - lost;
    buffer_.clear();
    report(error);
}

int UnixSocket::send_stream(std::string_view& rest) {
    while (!rest.empty()) {
        std::size_t sent = 0;
        const int error = send_some(rest, sent);
        if (error != 0) return error;
        rest.remove_prefix(sent);
    }
    return 0;
}

int UnixSocket::send_datagrams(std::string_view& rest) {
    while (!rest.empty()) {
        const std::size_t line_bytes = rest.find('\n') + 1;
        std::size_t sent = 0;
        const int error = send_some(rest.substr(0, line_bytes), sent);
        if (error != 0) return error;
        rest.remove_prefix(line_bytes);
    }
    return 0;
}

// Waits until there is room, until give_up_ns_ at most.
int UnixSocket::send_some(std::string_view octets, std::size_t& sent) {
    for (;;) {
        const ssize_t taken = ::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
        if (taken >= 0) {
            sent = static_cast<std::size_t>(taken);
            return 0;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return errno;
        const std::int64_t left_ns = give_up_ns_ - monotonic_ns();
        if (left_ns <= 0) return ETIMEDOUT;
        pollfd writable{.fd = fd_, .events = POLLOUT, .revents = 0};
        ::poll(&writable, 1, static_cast<int>(left_ns / 1'000'000) + 1);
    }
}

void UnixSocket::report(int error) {
    const int before = std::exchange(last_error_, error);
    if ((error == 0) == (before == 0)) return;
    std::string text = "unix socket " + path_;
    if (error != 0) {
        text += std::string(": ") + std::strerror(error) +
                "; lines are lost until somebody listens, which is tried once a second";
    } else {
        const std::uint64_t lost = counts_.lost - std::exchange(lost_reported_, counts_.lost);
        text += ": somebody listens again; lines lost: " + std::to_string(lost);
    }
    host_->log(host_, error == 0 ? LATMON_LOG_INFO : LATMON_LOG_WARNING, text.c_str());
}

}  // namespace latmon::plugins
