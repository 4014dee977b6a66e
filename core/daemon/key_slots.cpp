// SPDX-License-Identifier: Apache-2.0
//
// See key_slots.hpp.
#include "daemon/key_slots.hpp"

#include "daemon/key_file.hpp"

#include <array>
#include <cstring>
#include <span>

namespace latmon {
namespace {

// What the code of a key is made over; no packet begins like that.
constexpr std::array<char, 8> code_text{'k', 'e', 'y', ' ', 'c', 'o', 'd', 'e'};

}  // namespace

Result<const KeySlots::Found*> KeySlots::read(const std::string& path, Files& files) {
    if (const auto known = files.find(path); known != files.end()) return &known->second;
    Result<std::vector<std::byte>> secret = read_key_file(path);
    if (!secret) return std::unexpected(secret.error());
    const HmacKey key(*secret);
    ::explicit_bzero(secret->data(), secret->size());
    const Mac code = key.mac(std::as_bytes(std::span(code_text)));
    return &files.emplace(path, Found{.key = key, .code = code}).first->second;
}

bool KeySlots::is_at(std::uint32_t place, const std::string& path, const Mac& code) const {
    return place < slots_.size() && slots_[place].path == path && slots_[place].code == code;
}

std::optional<std::uint32_t> KeySlots::find(const std::string& path, const Mac& code) const {
    for (std::uint32_t place = 0; place < slots_.size(); ++place) {
        if (is_at(place, path, code)) return place;
    }
    return std::nullopt;
}

std::uint32_t KeySlots::take(const std::string& path, const Mac& code,
                             const std::vector<bool>& is_used) {
    if (const std::optional<std::uint32_t> known = find(path, code)) return *known;
    std::uint32_t place = 0;
    while (place < slots_.size() && (place >= is_used.size() || is_used[place]))
        ++place;
    if (place == slots_.size()) slots_.emplace_back();
    slots_[place] = {.path = path, .code = code};
    return place;
}

}  // namespace latmon
