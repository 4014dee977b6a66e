// SPDX-License-Identifier: Apache-2.0
//
// write(2) with all that may come of it. A pipe whose reader has gone raises SIGPIPE in the thread
// that writes. latmon blocks signals on the exporter-thread, but destroy() runs on the main-thread,
// so that the signal is blocked here and taken back.
#include "support/output.hpp"

#include "support/monotonic.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
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
constexpr std::int64_t look_interval_ns = 1'000'000'000;

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

int open_file(const std::string& path, mode_t mode) noexcept {
    return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode);
}

// True if the file has octets and the last one ends no line: somebody died while writing it, or the
// disk was full then.
bool ends_within_a_line(const std::string& path, off_t size_bytes) noexcept {
    if (size_bytes == 0) return false;
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    char last = '\n';
    const ssize_t got = ::pread(fd, &last, 1, size_bytes - 1);
    ::close(fd);
    return got == 1 && last != '\n';
}

std::uint64_t count_lines(const std::string& text) noexcept {
    return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

}  // namespace

Output::Output(const latmon_host_t* host, std::string path, mode_t mode)
    : host_(host),
      path_(std::move(path)),
      shown_name_(path_.empty() ? "standard output" : path_),
      mode_(mode) {}

Output::~Output() {
    if (fd_ >= 0) ::close(fd_);
}

bool Output::open() {
    const int fd =
        path_.empty() ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) : open_file(path_, mode_);
    if (fd < 0) {
        const std::string text = shown_name_ + " cannot be opened: " + std::strerror(errno);
        host_->log(host_, LATMON_LOG_ERROR, text.c_str());
        return false;
    }
    adopt(fd);
    is_terminal_ = ::isatty(fd_) == 1;
    buffer_.reserve(2 * buffer_bytes);
    return true;
}

// Writes to `fd` from now on; it is a new file, or the first.
void Output::adopt(int fd) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
    struct stat status {};
    is_regular_ = !path_.empty() && ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
    device_ = status.st_dev;
    inode_ = status.st_ino;
    file_bytes_ = is_regular_ ? static_cast<std::uint64_t>(status.st_size) : 0;
    is_torn_ = is_regular_ && ends_within_a_line(path_, status.st_size);
    next_look_ns_ = monotonic_ns() + look_interval_ns;
}

void Output::reopen() {
    if (!is_regular_) return;
    next_look_ns_ = monotonic_ns() + look_interval_ns;
    const int fd = open_file(path_, mode_);
    if (fd >= 0) {
        adopt(fd);
    } else if (!has_failed_reopen_) {
        const std::string text = shown_name_ + " cannot be opened anew: " + std::strerror(errno) +
                                 "; the file that had this name before is written on until it can";
        host_->log(host_, LATMON_LOG_WARNING, text.c_str());
    }
    has_failed_reopen_ = fd < 0;
}

void Output::follow() {
    if (!is_regular_) return;
    const std::int64_t now_ns = monotonic_ns();
    if (now_ns < next_look_ns_) return;
    next_look_ns_ = now_ns + look_interval_ns;
    struct stat status {};
    const bool is_there = ::stat(path_.c_str(), &status) == 0;
    if (is_there && status.st_dev == device_ && status.st_ino == inode_) {
        // Somebody may have cut it short: we append, and so go on at its new end.
        file_bytes_ = static_cast<std::uint64_t>(status.st_size);
    } else {
        reopen();
    }
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
    follow();
    const std::uint64_t lines = count_lines(buffer_);
    const int error = is_closed_ ? EPIPE : write_all();
    // What is still in the buffer is gone, the rest of a torn line with it.
    const std::uint64_t lost = count_lines(buffer_);
    buffer_.clear();
    counts_.written += lines - lost;
    counts_.lost += lost;
    report(error);
    return error == 0;
}

// Takes what was written off the buffer's front.
int Output::write_all() {
    const SigpipeBlocked blocked;
    std::size_t done = 0;
    if (is_torn_) {
        if (const int error = write_some("\n", 1, done); error != 0) return error;
        is_torn_ = false;
        done = 0;
    }
    const int error = write_some(buffer_.data(), buffer_.size(), done);
    if (done > 0) is_torn_ = buffer_[done - 1] != '\n';
    buffer_.erase(0, done);
    return error;
}

int Output::write_some(const char* octets, std::size_t size, std::size_t& done) {
    while (done < size) {
        const ssize_t written = ::write(fd_, octets + done, size - done);
        if (written >= 0) {
            done += static_cast<std::size_t>(written);
            if (is_regular_) file_bytes_ += static_cast<std::uint64_t>(written);
        } else if (errno == EAGAIN) {  // Somebody made it non-blocking; blocking is fine with us.
            pollfd writable{.fd = fd_, .events = POLLOUT, .revents = 0};
            ::poll(&writable, 1, -1);
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

void Output::report(int error) {
    const int before = std::exchange(last_error_, error);
    if (error == before) return;
    std::string text = shown_name_;
    if (error == EPIPE) {
        is_closed_ = true;
        text += ": the reader has gone; nothing more is written, and what comes is lost";
    } else if (error != 0) {
        text += std::string(" cannot be written: ") + std::strerror(error) +
                "; lines are lost until it can";
    } else {
        const std::uint64_t lost = counts_.lost - std::exchange(lost_reported_, counts_.lost);
        text += " is written again; lines lost: " + std::to_string(lost);
    }
    host_->log(host_, error == 0 ? LATMON_LOG_INFO : LATMON_LOG_WARNING, text.c_str());
}

}  // namespace latmon::plugins
