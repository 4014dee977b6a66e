// SPDX-License-Identifier: Apache-2.0
//
// The one place where somebody beside the exporters learns of series that come and go: whoever sums
// up samples has to know what a series is before its first sample, and must forget it when it is
// over. [main-thread]
#pragma once

#include "config/config.hpp"
#include "sample/sample.hpp"

#include <cstdint>
#include <span>

namespace latmon {

// One series that begins, with the target whose it is.
struct SeriesBegin {
    std::uint32_t series_id = 0;
    latmon_kind_t kind = LATMON_KIND_EXCHANGE;
    const TargetConfig* target = nullptr;  // Borrowed until return.
};

class SeriesEvents {
public:
    virtual ~SeriesEvents() = default;

    // Before the first sample of any of them is made.
    virtual void begin(std::span<const SeriesBegin> series) = 0;

    // The last samples of them are in the queues.
    virtual void end(std::span<const std::uint32_t> ids) = 0;

    // Everything that follows from the ends so far is in the exporters' queues: only then are the
    // exporters told, and only then does a series of the same name begin. Asked again and again.
    [[nodiscard]] virtual bool has_ended() = 0;
};

}  // namespace latmon
