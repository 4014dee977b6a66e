// SPDX-License-Identifier: Apache-2.0
//
// Claims about the threads that make answers.
#include "admin/handler_pool.hpp"

#include <doctest/doctest.h>
#include <atomic>
#include <future>
#include <stdexcept>

namespace latmon {
namespace {

constexpr Duration patience = Duration::from_s(30);

TEST_CASE("handler_pool: tasks run, on other threads, and one that throws is forgotten") {
    HandlerPool pool("test-", 8);
    pool.start(2, {});
    std::promise<void> ran;
    REQUIRE(pool.submit([] { throw std::runtime_error("no"); }));
    REQUIRE(pool.submit([&] { ran.set_value(); }));
    ran.get_future().wait();
    CHECK(pool.stop(patience));
}

TEST_CASE("handler_pool: what waits is bounded, and dropped at the end") {
    HandlerPool pool("test-", 2);
    auto held = std::make_shared<int>(1);
    CHECK(pool.submit([held] {}));
    CHECK(pool.submit([held] {}));
    CHECK_FALSE(pool.submit([held] {}));
    CHECK(pool.stop(patience));
    CHECK(held.use_count() == 1);
    CHECK_FALSE(pool.submit([] {}));
}

TEST_CASE("handler_pool: a task that does not end is not waited for, until it does") {
    HandlerPool pool("test-", 2);
    pool.start(1, {});
    std::promise<void> door, inside;
    REQUIRE(pool.submit([&] {
        inside.set_value();
        door.get_future().wait();
    }));
    inside.get_future().wait();
    CHECK_FALSE(pool.stop(Duration::from_ms(1)));
    door.set_value();
    CHECK(pool.stop(patience));
}

}  // namespace
}  // namespace latmon
