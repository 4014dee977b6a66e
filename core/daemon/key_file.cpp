// SPDX-License-Identifier: Apache-2.0
//
// Opens first and looks then, at what was opened: a path may mean another file a moment later.
#include "daemon/key_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace latmon {
namespace {

constexpr std::string_view hex_prefix = "hex:";
// More than the longest line that can be a key: the prefix, two digits an octet, CR and LF.
constexpr std::size_t text_octets_max = 256;
static_assert(text_octets_max > hex_prefix.size() + 2 * key_octets_max + 2);

constexpr std::string_view content_cure =
    "write one line: \"hex:\" and 32 to 128 hex digits, or 16 to 64 octets of plain text";

class File {
public:
    // O_NONBLOCK: a FIFO would else wait for somebody to write.
    explicit File(const std::string& path) noexcept
        : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    [[nodiscard]] int fd() const noexcept { return fd_; }

private:
    int fd_;
};

// What was read, wiped when it is not needed any more.
struct SecretText {
    SecretText() = default;
    ~SecretText() { ::explicit_bzero(octets.data(), octets.size()); }
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;
    std::array<char, text_octets_max> octets{};
    std::size_t size = 0;
};

// Fills `text`, at most to its end; an errno value on failure, else 0.
int read_text(int fd, SecretText& text) noexcept {
    while (text.size < text.octets.size()) {
        const ssize_t count =
            ::read(fd, text.octets.data() + text.size, text.octets.size() - text.size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno;
        if (count == 0) break;
        text.size += static_cast<std::size_t>(count);
    }
    return 0;
}

std::optional<unsigned> hex_digit(char letter) noexcept {
    if (letter >= '0' && letter <= '9') return static_cast<unsigned>(letter - '0');
    if (letter >= 'a' && letter <= 'f') return static_cast<unsigned>(letter - 'a') + 10U;
    if (letter >= 'A' && letter <= 'F') return static_cast<unsigned>(letter - 'A') + 10U;
    return std::nullopt;
}

// nullopt if a letter is no digit or the last octet is half.
std::optional<std::vector<std::byte>> decode_hex(std::string_view digits) {
    if (digits.size() % 2 != 0) return std::nullopt;
    std::vector<std::byte> octets;
    octets.reserve(digits.size() / 2);
    for (std::size_t index = 0; index < digits.size(); index += 2) {
        const std::optional<unsigned> high = hex_digit(digits[index]);
        const std::optional<unsigned> low = hex_digit(digits[index + 1]);
        if (!high || !low) return std::nullopt;
        octets.push_back(static_cast<std::byte>(*high << 4U | *low));
    }
    return octets;
}

std::string_view without_newline(std::string_view text) noexcept {
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

Result<std::vector<std::byte>> decode_key(const std::string& path, std::string_view text) {
    const auto refuse = [&](std::string_view fault) {
        return fail(ExitCode::configuration,
                    fmt::format("key file {}: {}; {}", path, fault, content_cure));
    };
    if (text.size() == text_octets_max) return refuse("is too long for a key");
    const std::string_view line = without_newline(text);
    const bool is_plain = std::none_of(line.begin(), line.end(), [](char letter) {
        return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
    });
    if (!is_plain) return refuse("has more than one line, or a control character");
    std::vector<std::byte> key;
    if (line.starts_with(hex_prefix)) {
        std::optional<std::vector<std::byte>> octets = decode_hex(line.substr(hex_prefix.size()));
        if (!octets) return refuse("has something else than pairs of hex digits behind \"hex:\"");
        key = std::move(*octets);
    } else {
        const std::span<const std::byte> octets = std::as_bytes(std::span(line));
        key.assign(octets.begin(), octets.end());
    }
    if (key.size() < key_octets_min || key.size() > key_octets_max) {
        return refuse(fmt::format("holds a key of {} octets", key.size()));
    }
    return key;
}

}  // namespace

std::string fault_of_key_file(mode_t mode, uid_t owner, uid_t self) {
    if (!S_ISREG(mode)) return "is no regular file; name a file with the key";
    if (owner != self && owner != 0) {
        return fmt::format(
            "belongs to user {}, who could change the key; run chown root, or chown "
            "to the user who runs latmon",
            owner);
    }
    if ((mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fmt::format("is open to others (mode {:04o}); run chmod 600", mode & 07777U);
    }
    return "";
}

Result<std::vector<std::byte>> read_key_file(const std::string& path) {
    const File file(path);
    struct stat status {};
    if (file.fd() < 0 || ::fstat(file.fd(), &status) != 0) {
        const int number = errno;
        const bool is_refused = number == EACCES || number == EPERM;
        return fail_errno(is_refused ? ExitCode::permission : ExitCode::configuration,
                          fmt::format("key file {}: cannot be opened; write it with mode 600 as "
                                      "the user who runs latmon, or correct \"key_file\"",
                                      path),
                          number);
    }
    const std::string fault = fault_of_key_file(status.st_mode, status.st_uid, ::geteuid());
    if (!fault.empty()) {
        const ExitCode code =
            S_ISREG(status.st_mode) ? ExitCode::permission : ExitCode::configuration;
        return fail(code, fmt::format("key file {}: {}", path, fault));
    }
    SecretText text;
    if (const int number = read_text(file.fd(), text); number != 0) {
        return fail_errno(ExitCode::configuration,
                          fmt::format("key file {}: cannot be read; name another", path), number);
    }
    return decode_key(path, std::string_view(text.octets.data(), text.size));
}

}  // namespace latmon
