// SPDX-License-Identifier: Apache-2.0
//
// write(2) with all that may come of it. A pipe whose reader has gone raises SIGPIPE in the thread
// that writes. latmon blocks signals on the exporter-thread, but destroy() runs on the main-thread,
// so that the signal is blocked here and taken back.
#include "cli/output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <utility>

namespace latmon::plugins {
namespace {

constexpr std::size_t buffer_bytes = 65'536;

// Blocks SIGPIPE while it lives, and takes back one that was raised meanwhile. One that was pending
// before stays: it is somebody else's.
class SigpipeBlocked {
public:
    SigpipeBlocked() noexcept {
        sigset_t pending;
        ::sigpending(&pending);
        was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
        ::sigemptyset(&sigpipe_);
        ::sigaddset(&sigpipe_, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
    }
    ~SigpipeBlocked() {
        constexpr timespec at_once{};
        if (!was_pending_) ::sigtimedwait(&sigpipe_, nullptr, &at_once);
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    SigpipeBlocked(const SigpipeBlocked&) = delete;
    SigpipeBlocked& operator=(const SigpipeBlocked&) = delete;

private:
    sigset_t sigpipe_{};
    sigset_t before_{};
    bool was_pending_ = false;
};

}  // namespace

Output::Output(const latmon_host_t* host, std::string path)
    : host_(host), path_(std::move(path)), shown_name_(path_.empty() ? "standard output" : path_) {}

Output::~Output() {
    if (fd_ >= 0) ::close(fd_);
}

bool Output::open() {
    fd_ = path_.empty() ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                        : ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd_ < 0) {
        const std::string text = shown_name_ + " cannot be opened: " + std::strerror(errno);
        host_->log(host_, LATMON_LOG_ERROR, text.c_str());
        return false;
    }
    is_terminal_ = ::isatty(fd_) == 1;
    buffer_.reserve(2 * buffer_bytes);
    return true;
}

std::uint32_t Output::terminal_rows() const noexcept {
    winsize size{};
    if (!is_terminal_ || ::ioctl(fd_, TIOCGWINSZ, &size) != 0) return 0;
    return size.ws_row;
}

bool Output::offer() {
    if (is_closed_ || is_terminal_ || buffer_.size() >= buffer_bytes) return write_out();
    return true;
}

bool Output::write_out() {
    if (buffer_.empty()) return !is_closed_;
    const int error = is_closed_ ? EPIPE : write_all();
    if (error != 0) count_lost();
    report(error);
    return error == 0;
}

int Output::write_all() {
    const SigpipeBlocked blocked;
    if (is_torn_) buffer_.insert(0, 1, '\n');
    std::size_t done = 0;
    while (done < buffer_.size()) {
        const ssize_t written = ::write(fd_, buffer_.data() + done, buffer_.size() - done);
        if (written >= 0) {
            done += static_cast<std::size_t>(written);
            is_torn_ = done > 0 && buffer_[done - 1] != '\n';
        } else if (errno == EAGAIN) {  // Somebody made it non-blocking; blocking is fine with us.
            pollfd writable{.fd = fd_, .events = POLLOUT, .revents = 0};
            ::poll(&writable, 1, -1);
        } else if (errno != EINTR) {
            const int error = errno;
            buffer_.erase(0, done);
            return error;
        }
    }
    buffer_.clear();
    return 0;
}

// What is still in the buffer is gone, the torn line with it.
void Output::count_lost() {
    lines_lost_ += static_cast<std::uint64_t>(std::ranges::count(buffer_, '\n'));
    buffer_.clear();
}

void Output::report(int error) {
    const int before = std::exchange(last_error_, error);
    if (error == before) return;
    std::string text = shown_name_;
    if (error == EPIPE) {
        is_closed_ = true;
        text += ": the reader has gone; nothing more is written, and samples count as rejected";
    } else if (error != 0) {
        text += std::string(" cannot be written: ") + std::strerror(error) +
                "; lines are lost until it can";
    } else {
        text += " is written again; lines lost: " + std::to_string(std::exchange(lines_lost_, 0));
    }
    host_->log(host_, error == 0 ? LATMON_LOG_INFO : LATMON_LOG_WARNING, text.c_str());
}

}  // namespace latmon::plugins
