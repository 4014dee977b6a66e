// SPDX-License-Identifier: Apache-2.0
//
// Who asks for a reload is answered, once, whatever happens.
#include "daemon/reload_requests.hpp"

#include <doctest/doctest.h>
#include <poll.h>

namespace latmon {

TEST_CASE("reload_requests: all that have asked are there at once, and then no more") {
    ReloadRequests requests;
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

TEST_CASE("reload_requests: who asks at the end, or after it, is told so") {
    ReloadRequests requests;
    std::future<Result<void>> before = requests.ask();
    requests.close({.code = ExitCode::failure, .text = "over"});
    CHECK(before.get().error().text == "over");
    CHECK(requests.ask().get().error().text == "over");
}

}  // namespace latmon
