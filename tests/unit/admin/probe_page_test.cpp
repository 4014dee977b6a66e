// SPDX-License-Identifier: Apache-2.0
//
// Claims about /probe: blackbox_exporter's semantics.
#include "admin/probe_page.hpp"

#include "base/limits.hpp"

#include <doctest/doctest.h>
#include <string>

namespace latmon {
namespace {

HttpRequest asking(HttpFields query, HttpFields headers = {}) {
    HttpRequest request;
    request.path = "/probe";
    request.query = std::move(query);
    request.headers = std::move(headers);
    return request;
}

std::uint32_t status_of(const HttpRequest& request) {
    const auto order = parse_probe_order(request);
    return order ? 200 : order.error().status;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("probe_page: a target is needed, a module has a default") {
    CHECK(status_of(asking({})) == 400);
    CHECK(status_of(asking({{"target", ""}})) == 400);
    const auto order = parse_probe_order(asking({{"target", "h:1"}}));
    REQUIRE(order.has_value());
    CHECK(order->target == "h:1");
    CHECK(order->module == "udp");
    CHECK_FALSE(order->count.has_value());
    CHECK(order->budget == Duration{limits::admin_probe_ns - limits::admin_probe_reserve_ns});
}

TEST_CASE("probe_page: the budget is the scraper's, less half a second, and never endless") {
    const auto budget_of = [](const char* header) {
        return parse_probe_order(
            asking({{"target", "h"}}, {{"x-prometheus-scrape-timeout-seconds", header}}));
    };
    CHECK(budget_of("10")->budget == Duration::from_ms(9'500));
    CHECK(budget_of("1.25")->budget == Duration::from_ms(750));
    CHECK(budget_of("1e9")->budget == Duration{limits::admin_probe_ns} - Duration::from_ms(500));
    for (const char* header : {"", "x", "nan", "inf", "-1", "0", "0.5", "10s"}) {
        CAPTURE(header);
        CHECK_FALSE(budget_of(header).has_value());
    }
}

TEST_CASE("probe_page: a count is a number from 1 to 1000") {
    const auto with_count = [](const char* count) {
        return asking({{"target", "h"}, {"count", count}});
    };
    CHECK(parse_probe_order(with_count("1000"))->count == 1'000);
    for (const char* count : {"", "0", "1001", "-1", "1.5", "x", "99999999999"}) {
        CAPTURE(count);
        CHECK(status_of(with_count(count)) == 400);
    }
}

ProbeOutcome two_of_three() {
    ProbeOutcome outcome;
    outcome.duration = Duration::from_ms(250);
    outcome.ip_version = 6;
    outcome.sent = 3;
    outcome.answered = 2;
    outcome.lost = 1;
    outcome.rtts_ns = {30'000, 20'000};
    outcome.log_lines = {"one line"};
    return outcome;
}

TEST_CASE("probe_page: what came of it is metrics, those of blackbox_exporter by its names") {
    const HttpRequest request = asking({{"target", "h"}});
    const HttpAnswer answer = probe_page(request, *parse_probe_order(request), two_of_three());
    CHECK(answer.status == 200);
    for (const char* line :
         {"probe_success 1", "probe_duration_seconds 0.25", "probe_timeout_seconds 119.5",
          "probe_dns_lookup_time_seconds 0", "probe_ip_protocol 6", "probe_packets_sent 3",
          "probe_loss_ratio 0.3333333333333333", "probe_rtt_seconds_bucket{le=\"0.000005\"} 0",
          "probe_rtt_seconds_bucket{le=\"0.00002\"} 1", "probe_rtt_seconds_sum 0.00005",
          "probe_rtt_seconds_count 2", "probe_rtt_min_seconds 2e-05",
          "probe_rtt_max_seconds 3e-05"}) {
        CAPTURE(line);
        CHECK(contains("\n" + answer.body, "\n" + std::string(line) + "\n"));
    }
}

TEST_CASE("probe_page: nothing sent has no loss ratio and no extremes, and is no success") {
    const HttpRequest request = asking({{"target", "h"}});
    const HttpAnswer answer = probe_page(request, *parse_probe_order(request), {});
    CHECK(contains(answer.body, "probe_success 0\n"));
    CHECK_FALSE(contains(answer.body, "probe_loss_ratio"));
    CHECK_FALSE(contains(answer.body, "probe_rtt_min_seconds"));
}

TEST_CASE("probe_page: a refusal is its status, debug is the log with the metrics") {
    ProbeOutcome refused;
    refused.refusal_status = 403;
    refused.refusal = "no";
    const HttpRequest request = asking({{"target", "h"}, {"debug", "true"}});
    CHECK(probe_page(request, *parse_probe_order(request), refused).status == 403);
    const std::string log = probe_page(request, *parse_probe_order(request), two_of_three()).body;
    CHECK(contains(log, "\none line\n"));
    CHECK(contains(log, "\nprobe_success 1\n"));
}

TEST_CASE("probe_page: OpenMetrics for who asks for it") {
    const HttpRequest request =
        asking({{"target", "h"}}, {{"accept", "application/openmetrics-text;version=1.0.0"}});
    const HttpAnswer answer = probe_page(request, *parse_probe_order(request), two_of_three());
    CHECK(answer.body.ends_with("\n# EOF\n"));
    CHECK(contains(answer.headers.at(0).second, "application/openmetrics-text; version=1.0.0"));
}

}  // namespace
}  // namespace latmon
