// SPDX-License-Identifier: Apache-2.0
//
// The address of a Unix socket from what operators write: a path, or "@name" for a name in the
// abstract namespace (unix(7)). Pure; any thread.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string_view>

namespace latmon::plugins {

struct UnixAddress {
    sockaddr_un address{};
    socklen_t bytes = 0;

    [[nodiscard]] const sockaddr* plain() const noexcept {
        return reinterpret_cast<const sockaddr*>(&address);
    }
};

// The longest path or name, in octets.
inline constexpr std::size_t unix_path_octets_max = sizeof(sockaddr_un::sun_path) - 1;

// nullopt if `path` is empty or too long.
[[nodiscard]] inline std::optional<UnixAddress> unix_address(std::string_view path) {
    if (path.empty() || path.size() > unix_path_octets_max) return std::nullopt;
    UnixAddress made;
    made.address.sun_family = AF_UNIX;
    std::ranges::copy(path, std::begin(made.address.sun_path));
    // A path ends with a NUL, an abstract name begins with one.
    const bool is_abstract = path.front() == '@';
    if (is_abstract) made.address.sun_path[0] = '\0';
    made.bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() +
                                        (is_abstract ? 0 : 1));
    return made;
}

}  // namespace latmon::plugins
