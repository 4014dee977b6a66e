// SPDX-License-Identifier: Apache-2.0
//
// See series_views.hpp.
#include "stats/series_views.hpp"

#include <numeric>

namespace latmon {

void SeriesViews::keep(const SeriesWindow& window) {
    const Duration length{window.length_ns};
    if (length == window_lengths[0]) {
        second_ = CompactWindow(window);
    } else if (length == window_lengths[1]) {
        pieces_[next_] = {.end = window.end(), .window = CompactWindow(window)};
        next_ = (next_ + 1) % piece_count;
    } else {
        minute_ = CompactWindow(window);
    }
}

std::optional<OwnedWindow> SeriesViews::latest(Duration length) const {
    const CompactWindow& kept = length == window_lengths[0]   ? second_
                                : length == window_lengths[1] ? piece(0).window
                                                              : minute_;
    if (kept.is_empty()) return std::nullopt;
    return kept.restore().finish();
}

std::optional<OwnedWindow> SeriesViews::sliding(WallTime until) const {
    const WallTime begin = until - window_lengths[2];
    SeriesWindow whole;
    // The oldest first, for what the latest decides; but the objective is the latest's.
    for (std::size_t age = piece_count; age-- > 0;) {
        if (piece(age).window.is_empty()) continue;
        if (piece(age).end <= begin || piece(age).end > until) continue;
        const SeriesWindow part = piece(age).window.restore();
        const Objective objective{part.objective_ratio, Duration{part.objective_rtt_ns}};
        whole.open(begin, window_lengths[2], static_cast<latmon_kind_t>(part.kind), objective);
        whole.merge(part);
    }
    if (!whole.is_open()) return std::nullopt;
    return whole.finish();
}

std::size_t SeriesViews::memory_bytes() const noexcept {
    const auto add = [](std::size_t sum, const Piece& kept) {
        return sum + kept.window.memory_bytes();
    };
    return std::accumulate(pieces_.begin(), pieces_.end(),
                           second_.memory_bytes() + minute_.memory_bytes(), add);
}

}  // namespace latmon
