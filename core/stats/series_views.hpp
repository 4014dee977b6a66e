// SPDX-License-Identifier: Apache-2.0
//
// The windows of one series that an API may ask for: the last of each length, and those of 5 s of
// which the last minute is made. Some 5 KB at 10 Hz, all put away in few octets. One thread.
#pragma once

#include "stats/compact_window.hpp"
#include "stats/series_window.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace latmon {

class SeriesViews {
public:
    // `window` has ended; its length is one of window_lengths.
    void keep(const SeriesWindow& window);

    // The last one that ended; nothing if there is none.
    [[nodiscard]] std::optional<OwnedWindow> latest(Duration length) const;
    // What ended within the 60 s until `until`, which is a multiple of 5 s; nothing if nothing did.
    [[nodiscard]] std::optional<OwnedWindow> sliding(WallTime until) const;
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

private:
    struct Piece {
        WallTime end;
        CompactWindow window;
    };
    // And one: the newest has ended by its samples before the clock says so, and what is asked for
    // still begins with the oldest.
    static constexpr std::size_t piece_count =
        static_cast<std::size_t>(window_lengths[2] / window_lengths[1]) + 1;

    [[nodiscard]] const Piece& piece(std::size_t age) const noexcept {
        return pieces_[(next_ + piece_count - 1 - age) % piece_count];
    }

    CompactWindow second_;
    CompactWindow minute_;
    std::array<Piece, piece_count> pieces_;
    std::size_t next_ = 0;
};

}  // namespace latmon
