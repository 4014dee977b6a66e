// SPDX-License-Identifier: Apache-2.0
//
// Who asks the main-thread for something is answered, once, whatever happens.
#include "daemon/main_requests.hpp"

#include <doctest/doctest.h>
#include <poll.h>

namespace latmon {

TEST_CASE("main_requests: all that have asked are there at once, and then no more") {
    MainRequests requests;
    pollfd ready{requests.ready_fd(), POLLIN, 0};
    CHECK(::poll(&ready, 1, 0) == 0);
    std::future<Result<void>> one = requests.ask();
    std::future<Result<void>> other = requests.ask();
    CHECK(::poll(&ready, 1, 0) == 1);
    std::vector<std::promise<Result<void>>> asked = requests.take();
    REQUIRE(asked.size() == 2);
    CHECK(::poll(&ready, 1, 0) == 0);
    CHECK(requests.take().empty());
    asked[0].set_value({});
    asked[1].set_value(fail(ExitCode::failure, "no"));
    CHECK(one.get().has_value());
    CHECK(other.get().error().text == "no");
}

TEST_CASE("main_requests: who asks at the end, or after it, is told so") {
    MainRequests requests;
    std::future<Result<void>> before = requests.ask();
    requests.close({.code = ExitCode::failure, .text = "over"});
    CHECK(before.get().error().text == "over");
    CHECK(requests.ask().get().error().text == "over");
}

}  // namespace latmon
