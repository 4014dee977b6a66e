// SPDX-License-Identifier: Apache-2.0
//
// Who may use the admin listener: bearer token (RFC 6750) or user and password (Basic, RFC 7617).
// Keeps digests alone, so that a secret stands in memory no longer than it takes to read it, and
// compares them in a time that says nothing about them. It reads no files.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace latmon {

class Credentials {
public:
    // Nobody is asked for anything.
    Credentials() = default;

    // Each way that is set is good by itself. A `user` has no ':'.
    void set_bearer(std::string_view token);
    void set_basic(std::string_view user, std::string_view password);

    [[nodiscard]] bool is_required() const noexcept { return bearer_ || basic_; }

    // Whether a request with this value of the header Authorization ("" for none) may go on.
    // [any-thread]
    [[nodiscard]] bool accepts(std::string_view authorization) const;

    // What WWW-Authenticate says: `Bearer realm="latmon"`, Basic, or both. [any-thread]
    [[nodiscard]] std::string challenge() const;

private:
    using Digest = std::array<std::uint8_t, 32>;

    [[nodiscard]] static Digest digest_of(std::string_view text);
    [[nodiscard]] static bool is_equal(const Digest& a, const Digest& b) noexcept;

    std::optional<Digest> bearer_;
    std::optional<Digest> basic_;  // Of the base64 text that clients send.
};

}  // namespace latmon
