// SPDX-License-Identifier: Apache-2.0
//
// See secret_file.hpp.
#include "daemon/secret_file.hpp"

#include "base/fd.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

namespace latmon {

// Fills a text, at most to its end.
struct SecretReader {
    // An errno value on failure, else 0.
    static int fill(SecretText& text, int fd) noexcept {
        while (text.size_ < text.octets_.size()) {
            const ssize_t count =
                ::read(fd, text.octets_.data() + text.size_, text.octets_.size() - text.size_);
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return errno;
            if (count == 0) break;
            text.size_ += static_cast<std::size_t>(count);
        }
        return 0;
    }
};

SecretText::~SecretText() {
    if (!octets_.empty()) ::explicit_bzero(octets_.data(), octets_.size());
}

std::string_view SecretText::line() const noexcept {
    std::string_view line = text();
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::string fault_of_secret_file(const SecretOwner& file, mode_t forbidden) {
    if (!S_ISREG(file.mode)) return "is no regular file; name one";
    if (file.owner != file.self && file.owner != 0) {
        return fmt::format(
            "belongs to user {}, who could change it; run chown root, or chown to the user who "
            "runs latmon",
            file.owner);
    }
    if ((file.mode & forbidden) != 0) {
        return fmt::format("is open to others (mode {:04o}); run chmod {:03o}", file.mode & 07777U,
                           file.mode & 0666U & ~forbidden);
    }
    return "";
}

Result<SecretText> read_secret_file(const std::string& path, const SecretFile& kind) {
    // O_NONBLOCK: a FIFO would else wait for somebody to write.
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat status {};
    if (!fd.is_open() || ::fstat(fd.get(), &status) != 0) {
        const int number = errno;
        const bool is_refused = number == EACCES || number == EPERM;
        return fail_errno(is_refused ? ExitCode::permission : ExitCode::configuration,
                          fmt::format("{} {}: cannot be opened; write it with mode 600 as the user "
                                      "who runs latmon, or correct \"{}\"",
                                      kind.what, path, kind.option),
                          number);
    }
    const std::string fault = fault_of_secret_file(
        {.mode = status.st_mode, .owner = status.st_uid, .self = ::geteuid()}, kind.forbidden);
    if (!fault.empty()) {
        const ExitCode code =
            S_ISREG(status.st_mode) ? ExitCode::permission : ExitCode::configuration;
        return fail(code, fmt::format("{} {}: {}", kind.what, path, fault));
    }
    SecretText text(kind.octets_max + 1);
    if (const int number = SecretReader::fill(text, fd.get()); number != 0) {
        return fail_errno(ExitCode::configuration,
                          fmt::format("{} {}: cannot be read; name another", kind.what, path),
                          number);
    }
    if (text.text().size() > kind.octets_max) {
        return fail(ExitCode::configuration,
                    fmt::format("{} {}: is too long; write one of {} octets at most", kind.what,
                                path, kind.octets_max));
    }
    return text;
}

}  // namespace latmon
