// SPDX-License-Identifier: Apache-2.0
//
// Reads files that hold a secret, or that whoever may write them gains something by: it opens
// first and looks then, at what was opened, because a path may mean another file a moment later.
// What the file holds never gets into a message. It does not know what the secret is for.
#pragma once

#include "base/error.hpp"

#include <sys/stat.h>
#include <sys/types.h>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {

// Octets that are wiped when they are not needed any more.
class SecretText {
public:
    explicit SecretText(std::size_t octets_max) : octets_(octets_max) {}
    ~SecretText();
    SecretText(SecretText&&) noexcept = default;
    SecretText& operator=(SecretText&&) = delete;
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;

    [[nodiscard]] std::string_view text() const noexcept { return {octets_.data(), size_}; }
    // Without the newline at its end, if it has one.
    [[nodiscard]] std::string_view line() const noexcept;

private:
    friend struct SecretReader;
    std::vector<char> octets_;
    std::size_t size_ = 0;
};

// What is read, and how messages call it.
struct SecretFile {
    std::string_view what = "key file";
    std::string_view option = "key_file";  // The key of the configuration that names it.
    std::size_t octets_max = 0;            // A longer one is refused.
    mode_t forbidden = S_IRWXG | S_IRWXO;  // What others must not be allowed.
};

// The content of the file at `path`. Errors, each with its cure: it cannot be opened or read, it is
// too long, or fault_of_secret_file(). [main-thread]
[[nodiscard]] Result<SecretText> read_secret_file(const std::string& path, const SecretFile& kind);

// A file of this mode (st_mode) and owner, and the process that reads it.
struct SecretOwner {
    mode_t mode = 0;
    uid_t owner = 0;
    uid_t self = 0;
};

// What is wrong with it, with the cure; "" if nothing is. Pure.
[[nodiscard]] std::string fault_of_secret_file(const SecretOwner& file,
                                               mode_t forbidden = S_IRWXG | S_IRWXO);

}  // namespace latmon
