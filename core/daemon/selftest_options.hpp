// SPDX-License-Identifier: Apache-2.0
//
// What `latmon selftest` is asked for, checked, with every default filled in; the defaults stand
// here and only here. A plain value. [main-thread]
#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <vector>

namespace latmon {

struct SelftestOptions {
    Duration duration = Duration::from_s(8);  // Of all phases together, about.
    std::uint32_t targets = 1'000;            // Against one, and for the capacity.
    // The CPU of the sender and that of the reflector, or of both; empty: see choose_setting().
    std::vector<std::uint32_t> cpus;
    bool is_json = false;
};

}  // namespace latmon
