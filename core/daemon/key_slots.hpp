// SPDX-License-Identifier: Apache-2.0
//
// The keys of probes while configurations are loaded: which file, with which content, has which
// place in the cores' tables. A file whose content is another one is another key, so that a key may
// be replaced without a restart. Keeps no secrets: of a key only a code that follows from it.
// [main-thread]
#pragma once

#include "base/error.hpp"
#include "wire/hmac.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace latmon {

class KeySlots {
public:
    // A key as it stands in its file now.
    struct Found {
        HmacKey key;
        Mac code{};
    };
    using Files = std::map<std::string, Found>;  // By path.

    // Reads `path` unless `files` has it already.
    [[nodiscard]] static Result<const Found*> read(const std::string& path, Files& files);

    // The place of a key that a place was given before; nothing if its content was another one.
    [[nodiscard]] std::optional<std::uint32_t> find(const std::string& path, const Mac& code) const;
    // The same, or a place that `is_used` does not name, which is that of this key from now on.
    [[nodiscard]] std::uint32_t take(const std::string& path, const Mac& code,
                                     const std::vector<bool>& is_used);
    // Whether what is in this place is this key.
    [[nodiscard]] bool is_at(std::uint32_t place, const std::string& path, const Mac& code) const;

    [[nodiscard]] std::size_t size() const noexcept { return slots_.size(); }

private:
    struct Slot {
        std::string path;
        Mac code{};
    };
    std::vector<Slot> slots_;
};

}  // namespace latmon
