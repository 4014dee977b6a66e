// SPDX-License-Identifier: Apache-2.0
//
// See series_news.hpp.
#include "exporter/series_news.hpp"

#include <algorithm>
#include <utility>

namespace latmon {

std::optional<SeriesNewsItem> SeriesNews::take_due(std::span<const std::uint64_t> popped) {
    if (items_.empty()) return std::nullopt;
    const std::vector<std::uint64_t>& after = items_.front().after;
    for (std::size_t queue = 0; queue < after.size(); ++queue) {
        if (popped[queue] < after[queue]) return std::nullopt;
    }
    SeriesNewsItem item = std::move(items_.front());
    items_.pop_front();
    return item;
}

// A queue that has got there waits for the others: what lies behind may belong to a series of which
// the plugin has not been told yet.
std::uint64_t SeriesNews::room(std::size_t queue, std::uint64_t popped) const noexcept {
    if (items_.empty()) return no_limit;
    const std::vector<std::uint64_t>& after = items_.front().after;
    if (queue >= after.size()) return 0;
    return std::max(after[queue], popped) - popped;
}

}  // namespace latmon
