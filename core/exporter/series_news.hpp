// SPDX-License-Identifier: Apache-2.0
//
// What an exporter-thread has yet to tell its plugin about series that came and went, in order:
// that they are there before their first sample is handed over, that they are over after the last.
// A series is over when everything that its queues held at that moment has been handed over. Knows
// no threads: its user guards it, together with the popping of the queues.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace latmon {

struct SeriesNewsItem {
    bool is_added = true;  // Else they are over.
    std::vector<std::uint32_t> ids;
    // By queue: so many values must have been popped from it before. Of what was added: none.
    std::vector<std::uint64_t> after;
};

class SeriesNews {
public:
    static constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

    void post(SeriesNewsItem item) { items_.push_back(std::move(item)); }

    // What may be told now, when so many values have been popped from each queue and handed over.
    [[nodiscard]] std::optional<SeriesNewsItem> take_due(std::span<const std::uint64_t> popped);

    [[nodiscard]] bool is_empty() const noexcept { return items_.empty(); }

    // How many more values may be popped from this queue before there is something to tell.
    [[nodiscard]] std::uint64_t room(std::size_t queue, std::uint64_t popped) const noexcept;

private:
    std::deque<SeriesNewsItem> items_;
};

}  // namespace latmon
