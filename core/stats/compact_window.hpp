// SPDX-License-Identifier: Apache-2.0
//
// A window put away in few octets, as the aggregator keeps those that an API may ask for: only what
// is not 0, each number as long as it needs to be. For memory alone: the form is nobody else's and
// changes with the code. Pure.
#pragma once

#include "stats/series_window.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace latmon {

// Owns its octets; empty at first.
class CompactWindow {
public:
    CompactWindow() = default;
    // All of `window`.
    explicit CompactWindow(const SeriesWindow& window);

    [[nodiscard]] bool is_empty() const noexcept { return size_ == 0; }
    // The very same window again. Not of an empty one.
    [[nodiscard]] SeriesWindow restore() const;
    [[nodiscard]] std::size_t memory_bytes() const noexcept { return size_; }

private:
    std::unique_ptr<std::byte[]> octets_;
    std::size_t size_ = 0;
};

}  // namespace latmon
