// SPDX-License-Identifier: Apache-2.0
//
// Claims about what becomes of a request, without a socket: tasks run at once.
#include "admin/router.hpp"

#include <doctest/doctest.h>
#include <optional>
#include <string>

namespace latmon {
namespace {

struct Bench {
    AdminCounters counters;
    bool has_room = true;
    AdminRouter router{{{.path = "/-/healthy",
                         .title = "",
                         .is_public = true,
                         .answer = [](const HttpRequest&) { return text_answer(200, "well"); }},
                        {.path = "/page",
                         .title = "",
                         .answer = [](const HttpRequest&) { return text_answer(200, "page"); }},
                        {.path = "/act",
                         .title = "",
                         .is_action = true,
                         .takes_post = true,
                         .answer = [](const HttpRequest&) { return text_answer(200, "done"); }}},
                       [this](const std::function<void()>& task) {
                           if (has_room) task();
                           return has_room;
                       },
                       counters};

    HttpAnswer ask(HttpRequest request) {
        std::optional<HttpAnswer> answer;
        static_cast<void>(router.take(
            std::move(request), Responder([&](HttpAnswer given) { answer = std::move(given); })));
        REQUIRE(answer.has_value());
        return *answer;
    }
    std::uint32_t status(HttpMethod method, const std::string& path, HttpFields headers = {}) {
        return ask({.method = method,
                    .path = path,
                    .query = {},
                    .headers = std::move(headers),
                    .body = {}})
            .status;
    }
};

std::string header_of(const HttpAnswer& answer, std::string_view name) {
    for (const auto& [key, value] : answer.headers) {
        if (key == name) return value;
    }
    return "";
}

TEST_CASE("router: a path is answered by its route, another by nobody") {
    Bench bench;
    CHECK(bench.ask({.path = "/page", .query = {}, .headers = {}, .body = {}}).body == "page\n");
    CHECK(bench.status(HttpMethod::head, "/page") == 200);
    CHECK(bench.status(HttpMethod::get, "/page/") == 404);
    CHECK(bench.status(HttpMethod::get, "/") == 404);
}

TEST_CASE("router: a method that a path does not take is told which it takes") {
    Bench bench;
    const HttpAnswer answer = bench.ask(
        {.method = HttpMethod::get, .path = "/act", .query = {}, .headers = {}, .body = {}});
    CHECK(answer.status == 405);
    CHECK(header_of(answer, "Allow") == "POST, PUT");
    CHECK(bench.status(HttpMethod::post, "/act") == 200);
    CHECK(bench.status(HttpMethod::put, "/act") == 200);
    CHECK(bench.status(HttpMethod::post, "/page") == 405);
    CHECK(bench.status(HttpMethod::other, "/page") == 405);
    CHECK(bench.status(HttpMethod::post, "/nowhere") == 405);
}

TEST_CASE("router: without credentials only public pages are answered, and no path is betrayed") {
    Bench bench;
    Credentials credentials;
    credentials.set_bearer("t");
    bench.router.set_credentials(credentials);
    CHECK(bench.status(HttpMethod::get, "/-/healthy") == 200);
    for (const char* path : {"/page", "/nowhere", "/act"}) {
        const HttpAnswer answer = bench.ask({.path = path, .query = {}, .headers = {}, .body = {}});
        CHECK(answer.status == 401);
        CHECK(header_of(answer, "WWW-Authenticate") == "Bearer realm=\"latmon\"");
    }
    CHECK(bench.status(HttpMethod::get, "/page", {{"authorization", "Bearer t"}}) == 200);
    bench.router.set_credentials({});
    CHECK(bench.status(HttpMethod::get, "/page") == 200);
}

TEST_CASE("router: a page of another origin cannot make a browser act, and can link to pages") {
    Bench bench;
    const HttpFields foreign{{"host", "node:9464"}, {"origin", "http://evil.example"}};
    CHECK(bench.status(HttpMethod::post, "/act", foreign) == 403);
    CHECK(bench.status(HttpMethod::post, "/act", {{"host", "n"}, {"origin", "null"}}) == 403);
    CHECK(bench.status(HttpMethod::post, "/act", {{"sec-fetch-site", "cross-site"}}) == 403);
    CHECK(bench.status(HttpMethod::get, "/page", foreign) == 200);
    CHECK(bench.status(HttpMethod::post, "/act",
                       {{"host", "node:9464"}, {"origin", "http://node:9464"}}) == 200);
}

TEST_CASE("router: pages of others are asked for what is nobody's here") {
    Bench bench;
    bench.router.set_other_pages([](const HttpRequest& request) -> std::optional<HttpAnswer> {
        if (request.path != "/metrics") return std::nullopt;
        return text_answer(200, "metrics");
    });
    CHECK(bench.status(HttpMethod::get, "/metrics") == 200);
    CHECK(bench.status(HttpMethod::post, "/metrics") == 405);
    CHECK(bench.status(HttpMethod::get, "/else") == 404);
}

TEST_CASE("router: a route says how long its answer may take") {
    AdminCounters counters;
    const AdminRouter router(
        {{.path = "/slow",
          .title = "",
          .patience = Duration::from_s(7),
          .answer = [](const HttpRequest&) { return HttpAnswer{}; }}},
        [](const std::function<void()>&) { return true; }, counters);
    HttpRequest request;
    request.path = "/slow";
    const Responder respond([](const HttpAnswer&) {});
    CHECK(router.take(request, respond).within == Duration::from_s(7));
}

TEST_CASE("router: what no thread is there for is told to come again, and counted") {
    Bench bench;
    bench.has_room = false;
    CHECK(bench.status(HttpMethod::get, "/page") == 503);
    CHECK(bench.counters.refused.read() == 1);
    CHECK(bench.status(HttpMethod::get, "/-/healthy") == 200);
}

}  // namespace
}  // namespace latmon
