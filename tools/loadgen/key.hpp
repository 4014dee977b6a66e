// SPDX-License-Identifier: Apache-2.0
//
// The key of --key-file, which both ends of a load may have. latmon's own rules for such files hold
// here too. Main thread only.
#pragma once

#include "base/error.hpp"
#include "daemon/key_file.hpp"
#include "wire/hmac.hpp"

#include <optional>
#include <string>

namespace latmon::loadgen {

// Nothing if `path` is "". Errors: as latmon's own.
[[nodiscard]] inline Result<std::optional<HmacKey>> read_key(const std::string& path) {
    if (path.empty()) return std::optional<HmacKey>{};
    const Result<std::vector<std::byte>> secret = read_key_file(path);
    if (!secret) return std::unexpected(secret.error());
    return std::optional<HmacKey>(HmacKey(*secret));
}

}  // namespace latmon::loadgen
