// SPDX-License-Identifier: Apache-2.0
//
// What can be asked of a finished window, for plugins (latmon_window_tools_t) and for us: values at
// ranks. Windows that come from a plugin are data, and may contradict themselves. Pure.
#pragma once

#include <latmon/window.h>
#include <cstdint>
#include <span>
#include <vector>

namespace latmon {

// As latmon_window_tools_t.quantile says; also false if `ratio` is not a number, or if the
// distribution points beyond the window's buckets. [any-thread]
[[nodiscard]] bool window_quantile(const latmon_window_t& window,
                                   const latmon_distribution_t& distribution, double ratio,
                                   std::uint64_t above, std::int64_t* value_ns) noexcept;

// The function as the ABI wants it. [any-thread]
[[nodiscard]] const latmon_window_tools_t& window_tools() noexcept;

// The same buckets at a lower schema, -4 to 7: exactly those that recording at that schema would
// have made. Counts that do not fit 32 bits become the largest that does. [any-thread]
[[nodiscard]] std::vector<latmon_bucket_t> at_schema(std::span<const latmon_bucket_t> buckets,
                                                     int schema);

}  // namespace latmon
