// SPDX-License-Identifier: Apache-2.0
//
// Looking up and naming values of a TomlTable.
#include "config/toml_tree.hpp"

#include <algorithm>
#include <array>

namespace latmon {

const TomlMember* TomlTable::find(std::string_view key) const noexcept {
    const auto member = std::find_if(members.begin(), members.end(),
                                     [key](const TomlMember& other) { return other.key == key; });
    return member == members.end() ? nullptr : &*member;
}

std::string_view type_name(const TomlValue& value) noexcept {
    // In the order of the variant's alternatives.
    constexpr std::array<std::string_view, 7> names{"a string",
                                                    "a boolean",
                                                    "an integer",
                                                    "a float",
                                                    "a list",
                                                    "a table",
                                                    "a date, a time or nested too deep"};
    static_assert(names.size() == std::variant_size_v<decltype(value.data)>);
    return names[value.data.index()];
}

}  // namespace latmon
