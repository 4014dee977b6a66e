// SPDX-License-Identifier: Apache-2.0
//
// The sample inside latmon: the very struct of the ABI, so that nothing is converted on its way
// from a core-thread to a plugin. Here stand the assertions that make it safe to copy through a
// queue.
#pragma once

#include "base/limits.hpp"

#include <latmon/sample.h>

#include <cstddef>
#include <type_traits>

namespace latmon {

using Sample = latmon_sample_t;

static_assert(sizeof(Sample) == 4 * limits::cache_line_bytes);
static_assert(std::is_trivially_copyable_v<Sample>);
static_assert(std::is_standard_layout_v<Sample>);
static_assert(std::has_unique_object_representations_v<Sample>, "no padding may leak into a file");

// One bit per latmon_kind_t, for masks of the kinds that an exporter takes.
[[nodiscard]] constexpr std::uint32_t kind_bit(latmon_kind_t kind) noexcept {
    return 1U << static_cast<std::uint32_t>(kind);
}

}  // namespace latmon
