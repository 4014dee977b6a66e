// SPDX-License-Identifier: Apache-2.0
//
// The addresses of simulated targets: consecutive IPv4 addresses behind a base, which all of
// 127.0.0.0/8 makes possible without configuring anything. Pure; immutable; any thread.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace latmon::loadgen {

class AddressList {
public:
    // `base` is an IPv4 literal; the first target is the address behind it. An error if `count` is
    // 0 or the list would leave the address space, or 127.0.0.0/8 if it begins there.
    [[nodiscard]] static Result<AddressList> make(std::string_view base, std::uint32_t count);

    [[nodiscard]] std::uint32_t size() const noexcept { return count_; }

    // Host byte order; `index` < size().
    [[nodiscard]] std::uint32_t at(std::uint32_t index) const noexcept { return first_ + index; }
    [[nodiscard]] bool contains(std::uint32_t address) const noexcept {
        return address - first_ < count_;  // Below first_ it wraps and is too great as well.
    }

private:
    AddressList(std::uint32_t first, std::uint32_t count) noexcept : first_(first), count_(count) {}

    std::uint32_t first_;
    std::uint32_t count_;
};

// "127.1.0.1" from host byte order.
[[nodiscard]] std::string address_text(std::uint32_t address);

}  // namespace latmon::loadgen
