// SPDX-License-Identifier: Apache-2.0
//
// What became of all that was put into a queue, at one moment. The same for samples and for
// windows, and for the sum over several queues.
//
//   made = exported + rejected + dropped + abandoned + queued            (invariant 4)
#pragma once

#include <cstdint>

namespace latmon {

struct QueueAccounts {
    std::uint64_t made = 0;
    std::uint64_t exported = 0;   // The plugin took it,
    std::uint64_t rejected = 0;   // or said no.
    std::uint64_t dropped = 0;    // The queue was full.
    std::uint64_t abandoned = 0;  // Still queued when time was up at stop.
    std::uint64_t queued = 0;
};

}  // namespace latmon
