// SPDX-License-Identifier: Apache-2.0
//
// See admin_routes.hpp. docs/admin.md is their manual.
#include "admin/admin_routes.hpp"

#include "admin/api_json.hpp"
#include "admin/landing_page.hpp"
#include "admin/probe_page.hpp"
#include "base/limits.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <string_view>
#include <utility>

namespace latmon {
namespace {

// How long a reload may take: it loads plugins, and some of those ask servers.
constexpr Duration reload_patience = Duration::from_s(120);
// A look-up that hangs holds a probe up for longer than its budget.
constexpr Duration probe_slack = Duration::from_ms(250);

struct WindowWord {
    std::string_view text;
    std::uint32_t length_bit;
};
constexpr std::array<WindowWord, 4> window_words{{{"1s", LATMON_WINDOW_1S},
                                                  {"5s", LATMON_WINDOW_5S},
                                                  {"60s", LATMON_WINDOW_60S},
                                                  {"sliding", 0}}};

HttpAnswer cannot(std::string_view what) {
    return text_answer(501, fmt::format("this latmon cannot {}", what));
}

HttpAnswer show_health(const AdminBackend&, const HttpRequest&) {
    return text_answer(200, "latmon is healthy");
}

HttpAnswer show_readiness(const AdminBackend& backend, const HttpRequest&) {
    const bool is_ready = backend.is_ready && backend.is_ready();
    return is_ready ? text_answer(200, "latmon is ready")
                    : text_answer(503, "latmon is starting or stopping");
}

HttpAnswer show_targets(const AdminBackend& backend, const HttpRequest&) {
    if (!backend.targets) return cannot("list its targets");
    return json_answer(200, targets_json(backend.targets()));
}

// 400 for what the question cannot say.
std::expected<SeriesQuestion, HttpAnswer> parse_question(const HttpRequest& request,
                                                         std::string& window) {
    SeriesQuestion question;
    question.limit = limits::admin_series_default;
    if (const std::string* const given = request.query_value("window")) window = *given;
    const auto* const word =
        std::find_if(window_words.begin(), window_words.end(),
                     [&](const WindowWord& each) { return each.text == window; });
    if (word == window_words.end()) {
        return std::unexpected(
            text_answer(400, "the parameter window must be 1s, 5s, 60s or sliding"));
    }
    question.length_bit = word->length_bit;
    if (const std::string* const target = request.query_value("target")) question.target = *target;
    if (const std::string* const limit = request.query_value("limit")) {
        const char* const end = limit->data() + limit->size();
        const auto [rest, error] = std::from_chars(limit->data(), end, question.limit);
        const bool is_number = error == std::errc{} && rest == end && question.limit > 0 &&
                               question.limit <= limits::admin_series_max;
        if (!is_number) {
            return std::unexpected(
                text_answer(400, fmt::format("the parameter limit must be a number from 1 to {}",
                                             limits::admin_series_max)));
        }
    }
    return question;
}

HttpAnswer show_series(const AdminBackend& backend, const HttpRequest& request) {
    if (!backend.series) return cannot("show windows");
    std::string window = "60s";
    const std::expected<SeriesQuestion, HttpAnswer> question = parse_question(request, window);
    if (!question) return question.error();
    return json_answer(200, series_json(backend.series(*question), window));
}

HttpAnswer reload(const AdminBackend& backend, const HttpRequest&) {
    if (!backend.reload) return cannot("reload its configuration");
    const Result<void> outcome = backend.reload();
    if (outcome) return text_answer(200, "the configuration was reloaded");
    // At the end nothing is wrong with the configuration: nobody reads it any more.
    const bool is_ready = backend.is_ready && backend.is_ready();
    return text_answer(is_ready ? 500 : 503, outcome.error().text);
}

// A probe that is overdue is one that failed: the scraper learns that, and not that we did.
HttpPatience begin_probe(const AdminBackend& backend, AdminCounters& counters,
                         const HttpRequest& request, const Responder& respond) {
    std::expected<ProbeOrder, HttpAnswer> order = parse_probe_order(request);
    if (!order) {
        respond(std::move(order.error()));
        return {};
    }
    ProbeOutcome overdue;
    overdue.duration = order->budget;
    overdue.log_lines.emplace_back("Time is up, and nothing has come of it");
    HttpPatience patience{.within = order->budget + probe_slack,
                          .too_late = probe_page(request, *order, overdue)};
    const auto shared = std::make_shared<const HttpRequest>(request);
    ProbeOrder asked = *order;
    backend.probe(std::move(*order), [shared, asked = std::move(asked), respond,
                                      &counters](const ProbeOutcome& outcome) {
        (outcome.refusal_status == 0 ? counters.probes : counters.refused).add();
        respond(probe_page(*shared, asked, outcome));
    });
    return patience;
}

}  // namespace

std::vector<AdminRoute> make_admin_routes(const AdminBackend& backend, AdminCounters& counters) {
    using Show = HttpAnswer (*)(const AdminBackend&, const HttpRequest&);
    const auto shown_by = [&backend](Show show) {
        return [&backend, show](const HttpRequest& request) { return show(backend, request); };
    };
    std::vector<AdminRoute> routes{{.path = "/-/healthy",
                                    .title = "Is latmon alive?",
                                    .is_public = true,
                                    .answer = shown_by(show_health)},
                                   {.path = "/-/ready",
                                    .title = "Does it measure?",
                                    .is_public = true,
                                    .answer = shown_by(show_readiness)},
                                   {.path = "/-/reload",
                                    .title = "",
                                    .is_action = true,
                                    .takes_post = true,
                                    .patience = reload_patience,
                                    .answer = shown_by(reload)},
                                   {.path = "/api/v1/targets",
                                    .title = "What is probed, and how it is (JSON)",
                                    .answer = shown_by(show_targets)},
                                   {.path = "/api/v1/series",
                                    .title = "The last window of each series (JSON)",
                                    .answer = shown_by(show_series)}};
    if (backend.probe) {
        routes.push_back(
            {.path = "/probe",
             .title = "Probes once, and tells all of it; modules: " + backend.probe_modules,
             .link = "/probe?target=127.0.0.1&module=udp&debug=true",
             .is_action = true,
             .begin = [&](const HttpRequest& request, const Responder& respond) {
                 return begin_probe(backend, counters, request, respond);
             }});
    }
    return routes;
}

}  // namespace latmon
