// SPDX-License-Identifier: Apache-2.0
//
// The requests, octet for octet.
#include "pushgateway/gateway.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins::pushgateway {
namespace {

const Group group{.url = "http://gateway:9091",
                  .job = "latmon",
                  .instance = "dc1/a",
                  .path = "/site/fra",
                  .authorization = "Authorization: Basic YTpi"};
constexpr std::string_view group_url =
    "http://gateway:9091/metrics/job/latmon/instance@base64/ZGMxL2E=/site/fra";

TEST_CASE("gateway: a state is put into this node's own group") {
    Gateway gateway(group, nullptr, false);
    const push::Record records[] = {{.rows = 1, .payload = "old 1\n"},
                                    {.rows = 1, .payload = "new 1\n"}};
    const push::Request request = gateway.build({.records = records, .rows = 2, .id = ""});
    CHECK(request.method == "PUT");
    CHECK(request.url == group_url);
    CHECK(request.body == "new 1\n");
    REQUIRE(request.headers.size() == 2);
    CHECK(request.headers[0] == group.authorization);
    CHECK(request.headers[1] == "Content-Type: text/plain; version=0.0.4; charset=utf-8");
}

TEST_CASE("gateway: without a name and password there is no such header") {
    Group open = group;
    open.authorization = "";
    Gateway gateway(open, std::make_shared<Turn>(0), false);
    const push::Record records[] = {{.rows = 1, .payload = "x{} 1\n"}};
    const push::Request request = gateway.build({.records = records, .rows = 1, .id = ""});
    CHECK(request.headers.size() == 1);
    CHECK(request.body.starts_with("# HELP latmon_info "));
    CHECK(request.body.ends_with("\nx{} 1\n"));
}

TEST_CASE("gateway: a group is deleted at the end only where that is wanted") {
    CHECK_FALSE(Gateway(group, nullptr, false).farewell());
    const std::optional<push::Request> last = Gateway(group, nullptr, true).farewell();
    REQUIRE(last);
    CHECK(last->method == "DELETE");
    CHECK(last->url == group_url);
    CHECK(last->body.empty());
}

TEST_CASE("gateway: a push waits for the one before it, and then an interval more") {
    constexpr std::int64_t interval_ns = 10;
    Turn turn(100);
    CHECK_FALSE(turn.is_due(109, interval_ns));
    CHECK(turn.is_due(110, interval_ns));
    turn.begin();
    CHECK_FALSE(turn.is_due(1'000, interval_ns));
    turn.end(1'000);
    CHECK_FALSE(turn.is_due(1'009, interval_ns));
    CHECK(turn.is_due(1'010, interval_ns));
}

TEST_CASE("gateway: a push that comes again is not over, one that is taken or refused is") {
    constexpr std::int64_t never_ns = INT64_MAX;
    const auto is_over = [](int status) {
        const auto turn = std::make_shared<Turn>(0);
        turn->begin();
        push::Response response;
        response.status = status;
        std::string reason;
        static_cast<void>(Gateway(group, turn, false).judge(response, reason));
        return turn->is_due(never_ns, 0);
    };
    CHECK(is_over(200));
    CHECK(is_over(400));
    CHECK(is_over(413));
    CHECK_FALSE(is_over(0));
    CHECK_FALSE(is_over(401));
    CHECK_FALSE(is_over(503));
}

}  // namespace
}  // namespace latmon::plugins::pushgateway
