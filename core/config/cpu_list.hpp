// SPDX-License-Identifier: Apache-2.0
//
// CPU numbers as people and the kernel write them: "0-3,6". Whether this host has them is for the
// plan to say. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {

// "0-3", "0,2" or "0-2,6", blanks around numbers allowed, in the order written. nullopt if it is
// not of that form, names a CPU twice, goes beyond cpu_range or lists more than limits::cores_max.
[[nodiscard]] std::optional<std::vector<std::uint32_t>> parse_cpu_list(std::string_view text);

// The same list in its shortest form: "0-2,6".
[[nodiscard]] std::string format_cpu_list(std::span<const std::uint32_t> cpus);

}  // namespace latmon
