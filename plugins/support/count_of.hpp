// SPDX-License-Identifier: Apache-2.0
//
// How many packets a sample tells of, for who counts samples by status: replies that are none of
// ours may come by the thousand, and are told together.
#pragma once

#include <latmon/sample.h>

#include <cstdint>

namespace latmon::plugins {

// One; of STATUS_INVALID as many as came since the last such sample. At least 1. [exporter-thread]
[[nodiscard]] inline std::uint64_t count_of(const latmon_sample_t& sample) noexcept {
    const bool is_sum =
        sample.status == LATMON_STATUS_INVALID && (sample.valid & LATMON_HAS_VALUE) != 0;
    return is_sum && sample.value > 0 ? static_cast<std::uint64_t>(sample.value) : 1;
}

}  // namespace latmon::plugins
