// SPDX-License-Identifier: Apache-2.0
//
// Claims about latmon's own paths, over a backend of three lines.
#include "admin/admin_routes.hpp"

#include "base/limits.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <optional>
#include <string>

namespace latmon {
namespace {

struct Bench {
    AdminBackend backend;
    AdminCounters counters;

    HttpAnswer ask(const std::string& path, HttpFields query = {}) {
        const std::vector<AdminRoute> routes = make_admin_routes(backend, counters);
        const auto route = std::find_if(routes.begin(), routes.end(),
                                        [&](const AdminRoute& each) { return each.path == path; });
        REQUIRE(route != routes.end());
        HttpRequest request;
        request.path = path;
        request.query = std::move(query);
        if (route->answer) return route->answer(request);
        std::optional<HttpAnswer> answer;
        static_cast<void>(
            route->begin(request, Responder([&](HttpAnswer given) { answer = std::move(given); })));
        REQUIRE(answer.has_value());
        return *answer;
    }
};

TEST_CASE("admin_routes: ready is another thing than healthy") {
    Bench bench;
    CHECK(bench.ask("/-/healthy").body == "latmon is healthy\n");
    CHECK(bench.ask("/-/ready").status == 503);
    bench.backend.is_ready = [] { return true; };
    CHECK(bench.ask("/-/ready").status == 200);
}

TEST_CASE("admin_routes: a reload says how it went, with the reason if it did not") {
    Bench bench;
    CHECK(bench.ask("/-/reload").status == 501);
    bench.backend.reload = []() -> Result<void> { return {}; };
    CHECK(bench.ask("/-/reload").status == 200);
    bench.backend.reload = []() -> Result<void> {
        return fail(ExitCode::configuration, "t.toml:1:1: no");
    };
    bench.backend.is_ready = [] { return true; };
    const HttpAnswer answer = bench.ask("/-/reload");
    CHECK(answer.status == 500);
    CHECK(answer.body == "t.toml:1:1: no\n");
    bench.backend.is_ready = [] { return false; };
    CHECK(bench.ask("/-/reload").status == 503);
}

TEST_CASE("admin_routes: series are asked for by window, target and limit") {
    Bench bench;
    std::optional<SeriesQuestion> asked;
    bench.backend.series = [&](const SeriesQuestion& question) {
        asked = question;
        return SeriesList{};
    };
    CHECK(bench.ask("/api/v1/series").status == 200);
    CHECK(asked->length_bit == LATMON_WINDOW_60S);
    CHECK(asked->limit == limits::admin_series_default);
    CHECK(bench.ask("/api/v1/series", {{"window", "sliding"}, {"target", "a"}, {"limit", "7"}})
              .body.find("\"window\":\"sliding\"") != std::string::npos);
    CHECK(asked->length_bit == 0);
    CHECK(asked->target == "a");
    CHECK(asked->limit == 7);
    for (const HttpFields& query :
         {HttpFields{{"window", "2s"}}, HttpFields{{"limit", "0"}}, HttpFields{{"limit", "x"}},
          HttpFields{{"limit", "100001"}}, HttpFields{{"window", ""}}}) {
        CHECK(bench.ask("/api/v1/series", query).status == 400);
    }
}

TEST_CASE("admin_routes: targets are listed") {
    Bench bench;
    CHECK(bench.ask("/api/v1/targets").status == 501);
    bench.backend.targets = [] { return TargetList{.targets = std::vector<TargetStatus>(2)}; };
    CHECK(bench.ask("/api/v1/targets").status == 200);
}

TEST_CASE("admin_routes: /probe is there only if the backend can probe, and passes refusals on") {
    Bench bench;
    const std::vector<AdminRoute> routes = make_admin_routes(bench.backend, bench.counters);
    CHECK(std::none_of(routes.begin(), routes.end(),
                       [](const AdminRoute& route) { return route.path == "/probe"; }));
    bench.backend.probe = [](const ProbeOrder& order, const auto& done) {
        ProbeOutcome outcome;
        if (order.module == "none") outcome.refusal_status = 400;
        done(outcome);
    };
    bench.backend.probe_modules = "udp, mine";
    CHECK(make_admin_routes(bench.backend, bench.counters).back().title.ends_with(": udp, mine"));
    CHECK(bench.ask("/probe").status == 400);
    CHECK(bench.counters.probes.read() == 0);
    CHECK(bench.ask("/probe", {{"target", "h"}}).status == 200);
    CHECK(bench.counters.probes.read() == 1);
    CHECK(bench.ask("/probe", {{"target", "h"}, {"module", "none"}}).status == 400);
    CHECK(bench.counters.probes.read() == 1);
}

}  // namespace
}  // namespace latmon
