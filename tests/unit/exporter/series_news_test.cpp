// SPDX-License-Identifier: Apache-2.0
//
// What is told of series, and when, whatever order the queues are read in.
#include "exporter/series_news.hpp"

#include <doctest/doctest.h>
#include <array>

namespace latmon {

TEST_CASE("series_news: what is added is told before anything more is popped") {
    SeriesNews news;
    const std::array<std::uint64_t, 2> popped{5, 6};
    CHECK(news.room(0, 5) == SeriesNews::no_limit);
    CHECK_FALSE(news.take_due(popped));
    news.post({.is_added = true, .ids = {7}, .after = {}});
    CHECK(news.room(0, 5) == 0);
    const std::optional<SeriesNewsItem> item = news.take_due(popped);
    REQUIRE(item.has_value());
    CHECK(item->is_added);
    CHECK(item->ids == std::vector<std::uint32_t>{7});
    CHECK(news.is_empty());
    CHECK(news.room(0, 5) == SeriesNews::no_limit);
}

TEST_CASE("series_news: what is over is told when all queues are so far, and none goes further") {
    SeriesNews news;
    std::array<std::uint64_t, 2> popped{5, 6};
    news.post({.is_added = false, .ids = {7}, .after = {8, 6}});
    news.post({.is_added = true, .ids = {9}, .after = {}});
    CHECK(news.room(0, popped[0]) == 3);
    CHECK(news.room(1, popped[1]) == 0);
    CHECK_FALSE(news.take_due(popped));
    popped[0] = 8;
    CHECK(news.room(0, popped[0]) == 0);
    CHECK_FALSE(news.take_due(popped)->is_added);
    CHECK(news.take_due(popped)->is_added);
    CHECK_FALSE(news.take_due(popped));
}

}  // namespace latmon
