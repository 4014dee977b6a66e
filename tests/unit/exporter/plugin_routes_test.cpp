// SPDX-License-Identifier: Apache-2.0
//
// Claims about pages of exporters, through the functions that a plugin calls.
#include "exporter/plugin_routes.hpp"

#include <doctest/doctest.h>
#include <atomic>
#include <future>
#include <string>
#include <thread>

namespace latmon {
namespace {

constexpr Duration patience = Duration::from_s(30);

// Says the text that is its context.
void say(void* context, const latmon_http_request_t*, latmon_http_answer_t* answer) {
    const std::string& text = *static_cast<const std::string*>(context);
    http_functions().write(answer, text.data(), text.size());
}

std::string ask(const PluginRoutes& routes, std::string_view path) {
    const PluginFields none;
    const std::optional<PluginAnswer> answer =
        routes.answer(path, PluginRequest{.headers = none, .query = none});
    return answer ? answer->body : "none";
}

struct Plugin {
    explicit Plugin(PluginRoutes* routes, std::string says)
        : text(std::move(says)), owner(routes) {}
    ~Plugin() { static_cast<void>(owner.close(patience)); }
    Plugin(const Plugin&) = delete;
    Plugin& operator=(const Plugin&) = delete;
    std::string add(std::string_view path) { return owner.add(path, "a page", say, &text); }

    std::string text;
    PluginRoutes::Owner owner;
};

TEST_CASE("plugin_routes: a page is answered while its exporter is active, and only then") {
    PluginRoutes routes(true);
    Plugin plugin(&routes, "hello");
    CHECK(plugin.add("/metrics") == "");
    CHECK(ask(routes, "/metrics") == "none");
    CHECK(routes.pages().empty());
    plugin.owner.open();
    CHECK(ask(routes, "/metrics") == "hello");
    CHECK(ask(routes, "/metric") == "none");
    REQUIRE(routes.pages().size() == 1);
    CHECK(routes.pages()[0].path == "/metrics");
    CHECK(routes.pages()[0].title == "a page");
    CHECK(plugin.owner.close(patience));
    CHECK(ask(routes, "/metrics") == "none");
    CHECK(routes.pages().empty());
}

TEST_CASE("plugin_routes: what is latmon's own, or no plain path, is refused with the reason") {
    PluginRoutes routes(true);
    Plugin plugin(&routes, "");
    for (const char* path : {"/", "/-/healthy", "/-/x", "/api/v1/x", "/api", "/probe"}) {
        CAPTURE(path);
        CHECK(plugin.add(path).find("latmon's own") != std::string::npos);
    }
    for (const char* path : {"", "metrics", "/a b", "/a?b", "/a#b", "/a%20", "/\xff", "/a\n"}) {
        CAPTURE(path);
        CHECK(plugin.add(path).find("must begin with '/'") != std::string::npos);
    }
    CHECK(plugin.add("/" + std::string(256, 'a')) != "");
    CHECK(plugin.owner.add("/x", "", nullptr, nullptr) != "");
    CHECK(plugin.add("/probes") == "");
}

TEST_CASE("plugin_routes: a path has one exporter") {
    PluginRoutes routes(true);
    Plugin first(&routes, "1"), second(&routes, "2");
    CHECK(first.add("/metrics") == "");
    CHECK(second.add("/metrics").find("has an exporter already") != std::string::npos);
    CHECK(first.add("/metrics") != "");
}

TEST_CASE("plugin_routes: without a listener there is no page, and the reason is told") {
    PluginRoutes closed(false);
    Plugin plugin(&closed, "");
    CHECK(plugin.add("/metrics").find("[admin]") != std::string::npos);
    CHECK(plugin.owner.missed_listener() == nullptr);
    PluginRoutes left_out(false, Error{.code = ExitCode::permission, .text = "it is taken"});
    Plugin other(&left_out, "");
    CHECK(other.owner.missed_listener() == nullptr);
    CHECK(other.add("/metrics").find("it is taken") != std::string::npos);
    REQUIRE(other.owner.missed_listener() != nullptr);
    CHECK(other.owner.missed_listener()->code == ExitCode::permission);
    Plugin nowhere(nullptr, "");
    CHECK(nowhere.add("/metrics").find("[admin]") != std::string::npos);
}

TEST_CASE("plugin_routes: a successor takes a path over without a gap, and its going leaves it") {
    PluginRoutes routes(true);
    auto before = std::make_unique<Plugin>(&routes, "before");
    CHECK(before->add("/metrics") == "");
    before->owner.open();
    before->owner.set_leaving(true);
    Plugin after(&routes, "after");
    CHECK(after.add("/metrics") == "");
    CHECK(ask(routes, "/metrics") == "before");
    after.owner.open();
    CHECK(ask(routes, "/metrics") == "after");
    CHECK(routes.pages().size() == 1);
    before.reset();
    CHECK(ask(routes, "/metrics") == "after");
}

TEST_CASE("plugin_routes: an exporter that stays after all keeps its path") {
    PluginRoutes routes(true);
    Plugin stays(&routes, "stays");
    CHECK(stays.add("/metrics") == "");
    stays.owner.open();
    stays.owner.set_leaving(true);
    {
        Plugin refused(&routes, "refused");
        CHECK(refused.add("/metrics") == "");
    }
    stays.owner.set_leaving(false);
    CHECK(ask(routes, "/metrics") == "stays");
    Plugin other(&routes, "other");
    CHECK(other.add("/metrics") != "");
}

// A handler that waits until it is let go.
struct Door {
    std::promise<void> inside;
    std::promise<void> door;
};
void wait_at(void* context, const latmon_http_request_t*, latmon_http_answer_t*) {
    Door& door = *static_cast<Door*>(context);
    door.inside.set_value();
    door.door.get_future().wait();
}

TEST_CASE("plugin_routes: closing waits for the handler that runs, as long as it may") {
    PluginRoutes routes(true);
    PluginRoutes::Owner owner(&routes);
    Door door;
    REQUIRE(owner.add("/slow", "", wait_at, &door) == "");
    owner.open();
    std::thread asking([&] { static_cast<void>(ask(routes, "/slow")); });
    door.inside.get_future().wait();
    CHECK_FALSE(owner.close(Duration::from_ms(1)));
    door.door.set_value();
    CHECK(owner.close(patience));
    asking.join();
}

TEST_CASE("plugin_routes: a handler sees headers in any case and the query, and sets its answer") {
    PluginRoutes routes(true);
    PluginRoutes::Owner owner(&routes);
    const auto handler = [](void*, const latmon_http_request_t* request,
                            latmon_http_answer_t* answer) {
        const latmon_http_t http = http_functions();
        const char* const accept = http.header(request, "ACCEPT");
        const char* const key = http.query(request, "key");
        const bool are_absent =
            http.header(request, "cookie") == nullptr && http.query(request, "x") == nullptr &&
            http.header(request, nullptr) == nullptr && http.query(request, nullptr) == nullptr;
        const std::string text = std::string(accept) + " " + key + (are_absent ? " ok" : " bad");
        http.set_status(answer, 404);
        http.add_header(answer, "X-A", "1");
        http.add_header(answer, nullptr, "1");
        http.write(answer, text.data(), text.size());
        http.write(answer, nullptr, 0);
    };
    REQUIRE(owner.add("/x", "", handler, nullptr) == "");
    owner.open();
    const PluginFields headers{{"accept", "a/b"}}, query{{"key", "1"}, {"key", "2"}};
    const auto answer = routes.answer("/x", PluginRequest{.headers = headers, .query = query});
    REQUIRE(answer.has_value());
    CHECK(answer->status == 404);
    CHECK(answer->body == "a/b 1 ok");
    CHECK(answer->headers == PluginFields{{"X-A", "1"}});
    CHECK(owner.close(patience));
}

TEST_CASE("plugin_routes: a status that there is not, and an exception, are failures") {
    PluginRoutes routes(true);
    PluginRoutes::Owner owner(&routes);
    const auto odd = [](void*, const latmon_http_request_t*, latmon_http_answer_t* answer) {
        http_functions().set_status(answer, 1'000);
    };
    const auto throws = [](void*, const latmon_http_request_t*, latmon_http_answer_t*) { throw 1; };
    REQUIRE(owner.add("/odd", "", odd, nullptr) == "");
    REQUIRE(owner.add("/throws", "", throws, nullptr) == "");
    owner.open();
    const PluginFields none;
    for (const char* path : {"/odd", "/throws"}) {
        CHECK(routes.answer(path, PluginRequest{.headers = none, .query = none})->status == 500);
    }
    CHECK(owner.close(patience));
}

}  // namespace
}  // namespace latmon
