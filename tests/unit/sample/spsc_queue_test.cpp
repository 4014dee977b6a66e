// SPDX-License-Identifier: Apache-2.0
//
// The queue between two threads: order, fullness, wrap-around, and both sides at once (which is
// what a thread sanitizer is for).
#include "sample/spsc_queue.hpp"

#include <doctest/doctest.h>
#include <array>
#include <thread>
#include <vector>

namespace latmon {
namespace {

TEST_CASE("spsc_queue: a new one is empty") {
    SpscQueue<int> queue(4);
    std::array<int, 4> batch{};
    CHECK(queue.size() == 0);
    CHECK(queue.capacity() == 4);
    CHECK(queue.pop_batch(batch) == 0);
}

TEST_CASE("spsc_queue: values come out as they went in") {
    SpscQueue<int> queue(4);
    REQUIRE(queue.try_push(1));
    REQUIRE(queue.try_push(2));
    REQUIRE(queue.try_push(3));
    CHECK(queue.size() == 3);
    std::array<int, 4> batch{};
    REQUIRE(queue.pop_batch(batch) == 3);
    CHECK(batch[0] == 1);
    CHECK(batch[1] == 2);
    CHECK(batch[2] == 3);
    CHECK(queue.size() == 0);
}

TEST_CASE("spsc_queue: a full queue refuses, and keeps what it has") {
    SpscQueue<int> queue(2);
    REQUIRE(queue.try_push(1));
    REQUIRE(queue.try_push(2));
    CHECK_FALSE(queue.try_push(3));
    std::array<int, 4> batch{};
    REQUIRE(queue.pop_batch(batch) == 2);
    CHECK(batch[0] == 1);
    CHECK(batch[1] == 2);
}

TEST_CASE("spsc_queue: a slot that was popped can be pushed into again") {
    SpscQueue<int> queue(2);
    REQUIRE(queue.try_push(1));
    REQUIRE(queue.try_push(2));
    std::array<int, 1> one{};
    REQUIRE(queue.pop_batch(one) == 1);
    CHECK(queue.try_push(3));
    CHECK_FALSE(queue.try_push(4));
}

TEST_CASE("spsc_queue: a batch takes no more than it has room for, and the rest waits") {
    SpscQueue<int> queue(8);
    for (int value = 0; value < 5; ++value) {
        REQUIRE(queue.try_push(value));
    }
    std::array<int, 3> batch{};
    CHECK(queue.pop_batch(batch) == 3);
    CHECK(queue.size() == 2);
    CHECK(queue.pop_batch(batch) == 2);
    CHECK(batch[0] == 3);
    CHECK(batch[1] == 4);
}

TEST_CASE("spsc_queue: order survives any number of wrap-arounds, at every fill level") {
    SpscQueue<std::uint32_t> queue(8);
    std::uint32_t pushed = 0;
    std::uint32_t popped = 0;
    std::array<std::uint32_t, 8> batch{};
    for (std::uint32_t round = 0; round < 1'000; ++round) {
        for (std::uint32_t count = 0; count < round % 9; ++count) {
            if (queue.try_push(pushed)) ++pushed;
        }
        const std::uint32_t count = queue.pop_batch(std::span(batch).first(round % 5));
        for (std::uint32_t index = 0; index < count; ++index) {
            CHECK(batch[index] == popped++);
        }
        CHECK(queue.size() == pushed - popped);
    }
    CHECK(popped > 8);
}

TEST_CASE("spsc_queue: with both sides running nothing is lost, doubled or swapped") {
    constexpr std::uint64_t total = 200'000;
    SpscQueue<std::uint64_t> queue(64);
    std::thread producer([&queue] {
        for (std::uint64_t value = 0; value < total;) {
            if (queue.try_push(value)) {
                ++value;
            } else {
                std::this_thread::yield();
            }
        }
    });
    std::uint64_t expected = 0;
    bool is_in_order = true;
    std::array<std::uint64_t, 32> batch{};
    while (expected < total) {
        const std::uint32_t count = queue.pop_batch(batch);
        if (count == 0) std::this_thread::yield();
        for (std::uint32_t index = 0; index < count; ++index) {
            is_in_order = is_in_order && batch[index] == expected;
            ++expected;
        }
    }
    producer.join();
    CHECK(is_in_order);
    CHECK(queue.size() == 0);
}

TEST_CASE("spsc_queue: several values are pushed together, or none of them") {
    SpscQueue<std::uint64_t> queue(4);
    const std::array<std::uint64_t, 3> three{1, 2, 3};
    std::array<std::uint64_t, 4> batch{};
    for (int round = 0; round < 5; ++round) {  // Across the ring's end.
        CHECK(queue.try_push_all(three));
        CHECK_FALSE(queue.try_push_all(three));
        CHECK(queue.size() == 3);
        CHECK(queue.try_push(4));
        CHECK_FALSE(queue.try_push_all(std::span(three).first(1)));
        REQUIRE(queue.pop_batch(batch) == 4);
        CHECK(batch == std::array<std::uint64_t, 4>{1, 2, 3, 4});
    }
    CHECK_FALSE(queue.try_push_all(std::array<std::uint64_t, 5>{}));
}

}  // namespace
}  // namespace latmon
