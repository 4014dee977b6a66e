// SPDX-License-Identifier: Apache-2.0
//
// The queue of windows: whole or not at all, in order, and accounted for.
#include "stats/window_queue.hpp"

#include <doctest/doctest.h>
#include <span>
#include <vector>

namespace latmon {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

latmon_window_t window_of(std::uint32_t series_id, std::span<const latmon_bucket_t> buckets,
                          std::int64_t length_ns = second_ns) {
    latmon_window_t window{};
    window.struct_size = sizeof(window);
    window.series_id = series_id;
    window.length_ns = length_ns;
    window.loss_ratio = 0.25;
    window.value_last_ns = -1;
    window.buckets = buckets.data();
    window.bucket_count = static_cast<std::uint32_t>(buckets.size());
    return window;
}

TEST_CASE("window_queue: what is popped is what was pushed, field by field, however long") {
    WindowQueue queue(4'096, LATMON_WINDOW_1S);
    for (std::size_t count = 0; count < 300; ++count) {
        std::vector<latmon_bucket_t> buckets;
        for (std::size_t index = 0; index < count; ++index)
            buckets.push_back({static_cast<std::int32_t>(index) - 50, 1});
        queue.emit(window_of(static_cast<std::uint32_t>(count), buckets));
        const auto windows = queue.pop(8);
        REQUIRE(windows.size() == 1);
        CHECK(windows[0]->struct_size == sizeof(latmon_window_t));
        CHECK(windows[0]->series_id == count);
        CHECK(windows[0]->loss_ratio == 0.25);
        CHECK(windows[0]->value_last_ns == -1);
        CHECK(windows[0]->samples == 0);
        REQUIRE(windows[0]->bucket_count == count);
        for (std::size_t index = 0; index < count; ++index)
            CHECK(windows[0]->buckets[index].index == static_cast<std::int32_t>(index) - 50);
        queue.exported.add(1);
    }
    CHECK(queue.dropped.read() == 0);
    CHECK(queue.queued() == 0);
}

TEST_CASE("window_queue: a pop takes no more than it may, and the rest comes in order") {
    WindowQueue queue(4'096, LATMON_WINDOW_1S);
    const std::vector<latmon_bucket_t> buckets(100, latmon_bucket_t{1, 1});
    for (std::uint32_t series = 0; series < 50; ++series)
        queue.emit(window_of(series, buckets));
    std::uint32_t expected = 0;
    while (expected < 50) {
        const auto windows = queue.pop(7);
        REQUIRE(!windows.empty());
        CHECK(windows.size() <= 7);
        for (const latmon_window_t* const window : windows)
            CHECK(window->series_id == expected++);
    }
    CHECK(queue.pop(7).empty());
}

TEST_CASE("window_queue: what finds no room is dropped whole, and what is queued stays whole") {
    WindowQueue queue(64, LATMON_WINDOW_1S);
    const std::vector<latmon_bucket_t> buckets(100, latmon_bucket_t{1, 1});
    for (std::uint32_t series = 0; series < 50; ++series)
        queue.emit(window_of(series, buckets));
    CHECK(queue.made.read() == 50);
    const std::uint64_t queued = 50 - queue.dropped.read();
    CHECK(queued > 0);
    CHECK(queued < 50);
    CHECK(queue.pop(50).size() == queued);
}

TEST_CASE("window_queue: other lengths than those asked for are neither made nor dropped") {
    WindowQueue queue(64, LATMON_WINDOW_5S | LATMON_WINDOW_60S);
    queue.emit(window_of(1, {}, second_ns));
    queue.emit(window_of(2, {}, 5 * second_ns));
    queue.emit(window_of(3, {}, 60 * second_ns));
    queue.emit(window_of(4, {}, 7 * second_ns));
    CHECK(queue.made.read() == 2);
    const auto windows = queue.pop(8);
    REQUIRE(windows.size() == 2);
    CHECK(windows[0]->series_id == 2);
    CHECK(windows[1]->series_id == 3);
}

TEST_CASE("window_queue: it has room for a window of every series and length at once") {
    CHECK(WindowQueue::blocks_for(0, LATMON_WINDOW_1S) == limits::window_queue_blocks_min);
    CHECK(WindowQueue::blocks_for(5'000, LATMON_WINDOW_1S) == 16'384);
    CHECK(WindowQueue::blocks_for(5'000, LATMON_WINDOW_1S | LATMON_WINDOW_60S) == 32'768);
    CHECK(WindowQueue::blocks_for(10'000'000, 7) == limits::window_queue_blocks_max);
}

}  // namespace
}  // namespace latmon
