// SPDX-License-Identifier: Apache-2.0
//
// Claims about the sparse counters, against a map.
#include "stats/bucket_counts.hpp"

#include "stats/bucket_index.hpp"

#include <doctest/doctest.h>
#include <cstdint>
#include <map>
#include <random>

namespace latmon {
namespace {

using Map = std::map<std::int32_t, std::uint64_t>;

Map map_of(const BucketCounts& counts) {
    Map map;
    std::int32_t before = bucket_index_min - 1;
    counts.each([&](std::int32_t index, std::uint64_t count) {
        CHECK(index > before);
        CHECK(count > 0);
        before = index;
        map[index] = count;
    });
    return map;
}

std::int32_t any_index(std::mt19937_64& random) {
    constexpr std::uint64_t width = bucket_index_max - bucket_index_min + 1;
    return bucket_index_min + static_cast<std::int32_t>(random() % width);
}

TEST_CASE("bucket_counts: every count is where it was put, in order") {
    std::mt19937_64 random(1);
    BucketCounts counts;
    Map map;
    for (int turn = 0; turn < 20'000; ++turn) {
        const std::int32_t index =
            turn % 3 == 0 ? any_index(random) : static_cast<std::int32_t>(random() % 40) - 20;
        counts.add_one(index);
        ++map[index];
    }
    CHECK(map_of(counts) == map);
}

TEST_CASE("bucket_counts: no counter runs over, whatever it counts") {
    for (const std::uint64_t limit : {0xffULL, 0xffffULL, 0xffff'ffffULL}) {
        BucketCounts counts;
        counts.add(-5, 3);
        counts.add(7, limit);
        counts.add_one(8);
        counts.add_one(7);
        counts.add_one(7);
        CHECK(map_of(counts) == Map{{-5, 3}, {7, limit + 2}, {8, 1}});
    }
    BucketCounts counts;
    counts.add(1, std::uint64_t{1} << 40U);
    counts.add(1, 0);
    counts.add_one(1);
    CHECK(map_of(counts) == Map{{1, (std::uint64_t{1} << 40U) + 1}});
}

TEST_CASE("bucket_counts: merging adds, whatever the widths") {
    std::mt19937_64 random(2);
    for (int turn = 0; turn < 50; ++turn) {
        BucketCounts counts[2];
        Map sum;
        for (BucketCounts& each : counts)
            for (int count = 0; count < 30; ++count) {
                const std::int32_t index = any_index(random) / 16;
                const std::uint64_t values = random() >> (24 + random() % 40);
                each.add(index, values);
                if (values > 0) sum[index] += values;
            }
        counts[0].merge(counts[1]);
        CHECK(map_of(counts[0]) == sum);
    }
}

TEST_CASE("bucket_counts: cleared, nothing is left, and what comes then is right") {
    std::mt19937_64 random(3);
    BucketCounts counts;
    for (int turn = 0; turn < 20; ++turn) {
        Map map;
        for (std::uint64_t count = random() % 2'000; count > 0; --count) {
            const std::int32_t index = any_index(random) / (turn % 2 == 0 ? 1 : 100);
            counts.add_one(index);
            ++map[index];
        }
        CHECK(map_of(counts) == map);
        counts.clear();
        CHECK(map_of(counts).empty());
    }
}

TEST_CASE("bucket_counts: memory is what the spread of values needs, and no more than 66 KiB") {
    BucketCounts counts;
    CHECK(counts.memory_bytes() == 0);
    for (std::int32_t index = 0; index < 256; ++index)
        counts.add_one(index);
    CHECK(counts.memory_bytes() <= 400);
    for (std::int32_t index = bucket_index_min; index <= bucket_index_max; ++index)
        counts.add(index, std::uint64_t{1} << 40U);
    CHECK(counts.memory_bytes() <= 66 * 1'024);
    counts.clear();
    counts.add_one(1);
    CHECK(counts.memory_bytes() <= 100);
}

TEST_CASE("bucket_counts: room that was made is used") {
    BucketCounts like;
    for (std::int32_t index = 0; index < 400; index += 10)
        like.add(index, 300);
    BucketCounts counts;
    counts.make_room_as(like);
    const std::size_t made = counts.memory_bytes();
    CHECK(made > 400);
    CHECK(map_of(counts).empty());
    for (std::int32_t index = 390; index >= 0; index -= 10)
        counts.add_one(index);
    CHECK(counts.memory_bytes() == made);
    CHECK(map_of(counts).size() == 40);
    BucketCounts none;
    none.make_room_as(BucketCounts{});
    CHECK(none.memory_bytes() == 0);
}

TEST_CASE("bucket_counts: moving takes all along") {
    BucketCounts from;
    from.add(3, 4);
    BucketCounts to(std::move(from));
    CHECK(map_of(to) == Map{{3, 4}});
    CHECK(map_of(from).empty());
    from.add_one(1);
    to = std::move(from);
    CHECK(map_of(to) == Map{{1, 1}});
}

}  // namespace
}  // namespace latmon
