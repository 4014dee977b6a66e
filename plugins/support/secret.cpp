// SPDX-License-Identifier: Apache-2.0
//
// Looks at the file that was opened, not at its name: a path may mean another file a moment later.
#include "support/secret.hpp"

#include "support/descriptor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace latmon::plugins {
namespace {

// Longer than any token that a server gives out.
constexpr std::size_t secret_octets_max = 4'096;

std::nullopt_t refuse(const latmon_host_t* host, const std::string& text) {
    host->log(host, LATMON_LOG_ERROR, text.c_str());
    return std::nullopt;
}

// What is wrong with the file, with the cure, or "".
std::string fault_of(const struct stat& status) {
    if (!S_ISREG(status.st_mode)) return "is no regular file: name a file with the secret";
    if ((status.st_mode & S_IRWXO) != 0) return "is open to everybody: run chmod o-rwx on it";
    if ((status.st_mode & S_IWGRP) != 0) return "may be written by its group: run chmod g-w on it";
    return "";
}

std::optional<std::string> read_file(const latmon_host_t* host, const std::string& key,
                                     const char* path) {
    const std::string name = key + " = \"" + path + "\" ";
    // O_NONBLOCK: a FIFO would else wait for somebody to write.
    const Descriptor file(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat status {};
    if (!file.is_open() || ::fstat(file.get(), &status) != 0) {
        return refuse(host, name + "cannot be opened: " + std::strerror(errno));
    }
    const std::string fault = fault_of(status);
    if (!fault.empty()) return refuse(host, name + fault);
    std::string text(secret_octets_max + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t count = ::read(file.get(), text.data() + size, text.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return refuse(host, name + "cannot be read: " + std::strerror(errno));
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
    }
    text.resize(std::min(size, text.find('\n')));
    if (text.ends_with('\r')) text.pop_back();
    if (text.size() > secret_octets_max) return refuse(host, name + "is too long for a secret");
    if (text.empty()) return refuse(host, name + "has an empty first line: write the secret there");
    return text;
}

}  // namespace

std::optional<std::string> read_secret(const latmon_host_t* host, const latmon_options_t* options,
                                       const std::string& key, const char* variable) {
    const std::string file_key = key + "_file";
    const std::string env_key = key + "_env";
    // All three are asked for, so that none is reported as unknown.
    const char* const path = host->option_string(options, file_key.c_str(), nullptr);
    const char* const name = host->option_string(options, env_key.c_str(), nullptr);
    const char* const plain = host->option_string(options, key.c_str(), nullptr);
    const int given =
        (path != nullptr ? 1 : 0) + (name != nullptr ? 1 : 0) + (plain != nullptr ? 1 : 0);
    if (given > 1) {
        return refuse(host, "more than one of " + key + ", " + file_key + " and " + env_key +
                                " is given: keep one");
    }
    if (path != nullptr) return read_file(host, file_key, path);
    if (name != nullptr) {
        const char* const value = std::getenv(name);
        if (value != nullptr) return value;
        return refuse(host, env_key + " = \"" + name +
                                "\": there is no such environment variable: set it, or correct "
                                "the name");
    }
    if (plain != nullptr) return plain;
    const char* const unasked = variable == nullptr ? nullptr : std::getenv(variable);
    return unasked == nullptr ? "" : unasked;
}

}  // namespace latmon::plugins
