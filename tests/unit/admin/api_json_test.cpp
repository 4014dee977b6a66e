// SPDX-License-Identifier: Apache-2.0
//
// Claims about the JSON of the API: whole texts, because programs read them.
#include "admin/api_json.hpp"

#include <doctest/doctest.h>
#include <string>

namespace latmon {
namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("api_json: a target that is known, with its counts as whole numbers") {
    TargetStatus target;
    target.series_id = 3;
    target.target = "web";
    target.host = "web.example";
    target.address = "192.0.2.1";
    target.port = 8001;
    target.tags = {"site:home"};
    target.interval = Duration::from_ms(100);
    target.timeout = Duration::from_s(1);
    target.state = TargetState::up;
    target.last_rtt = Duration{41'234};
    target.sent = 18'446'744'073'709'551'615U;
    target.answered = 18'446'744'073'709'551'613U;
    target.lost = 1;
    CHECK(targets_json({.targets = {target}}) ==
          "{\"v\":1,\"targets\":[{\"series_id\":3,\"target\":\"web\",\"host\":\"web.example\","
          "\"kind\":\"exchange\",\"protocol\":\"udp\",\"port\":8001,\"tags\":[\"site:home\"],"
          "\"interval_seconds\":0.1,\"timeout_seconds\":1.0,\"is_resolved\":true,"
          "\"address\":\"192.0.2.1\",\"state\":\"up\",\"last_rtt_seconds\":4.1234e-05,"
          "\"sent\":18446744073709551615,\"answered\":18446744073709551613,\"lost\":1,"
          "\"unreachable\":0,\"in_flight\":1,\"local_error\":0,\"missed\":0,\"late\":0,"
          "\"duplicate\":0,\"reordered\":0}]}\n");
}

TEST_CASE("api_json: what is not known is left out") {
    const std::string text = targets_json({.targets = {TargetStatus{}}});
    CHECK(contains(text, "\"is_resolved\":false,\"state\":\"unknown\",\"sent\":0"));
    CHECK_FALSE(contains(text, "last_rtt"));
    CHECK_FALSE(contains(text, "\"address\""));
    CHECK_FALSE(contains(text, "null"));
    CHECK(targets_json({}) == "{\"v\":1,\"targets\":[]}\n");
}

TEST_CASE("api_json: since when there are windows stands in front") {
    constexpr WallTime since{1'768'219'200'500'000'000};
    CHECK(targets_json({.targets = {}, .windows_since = since}) ==
          "{\"v\":1,\"windows_since_seconds\":1768219200.5,\"targets\":[]}\n");
    CHECK(series_json({.is_cut = false, .windows_since = since}, "60s") ==
          "{\"v\":1,\"window\":\"60s\",\"windows_since_seconds\":1768219200.5,"
          "\"is_cut\":false,\"series\":[]}\n");
}

TEST_CASE("api_json: counters read a moment apart never show a negative number in flight") {
    TargetStatus target;
    target.sent = 1;
    target.answered = 2;
    CHECK(contains(targets_json({.targets = {target}}), "\"in_flight\":0"));
}

SeriesView exchange_view() {
    SeriesView view;
    view.series_id = 1;
    view.kind = LATMON_KIND_EXCHANGE;
    view.protocol = LATMON_PROTOCOL_UDP;
    view.target = "web";
    view.window.begin_ns = 1'700'000'000'000'000'000;
    view.window.length_ns = 60'000'000'000;
    view.window.samples = 3;
    view.window.answered = 2;
    view.window.lost = 1;
    view.window.by_status[LATMON_STATUS_OK] = 2;
    view.window.by_status[LATMON_STATUS_LOST] = 1;
    view.window.valid =
        LATMON_WINDOW_HAS_LOSS_RATIO | LATMON_WINDOW_HAS_OBJECTIVE | LATMON_WINDOW_KEEPS_OBJECTIVE;
    view.window.loss_ratio = 0.25;
    view.window.rtt.count = 2;
    view.window.rtt.sum_ns = 30'000;
    view.window.rtt.min_ns = 10'000;
    view.window.rtt.max_ns = 20'000;
    view.window.percentile_valid = 1U << LATMON_P50;
    view.window.rtt_percentile_ns[LATMON_P50] = 10'000;
    view.window.rtt_percentile_ns[LATMON_P99] = 77;
    view.window.objective_ratio = 0.5;
    view.window.objective_rtt_ns = 200'000;
    view.window.objective_count = 3;
    view.window.objective_good = 2;
    return view;
}

TEST_CASE("api_json: a window says what it holds, and no more") {
    const std::string text = series_json({.series = {exchange_view()}, .is_cut = true}, "60s");
    CHECK(text.starts_with("{\"v\":1,\"window\":\"60s\",\"is_cut\":true,\"series\":[{"));
    for (const char* part :
         {"\"begin_seconds\":1700000000.0,\"length_seconds\":60.0,\"samples\":3",
          "\"loss_ratio\":0.25", "\"by_status\":{\"ok\":2,\"lost\":1}",
          "\"rtt\":{\"count\":2,\"sum_seconds\":3e-05,\"min_seconds\":1e-05,\"max_seconds\":2e-05,"
          "\"p50_seconds\":1e-05}",
          "\"objective\":{\"ratio\":0.5,\"rtt_seconds\":0.0002,\"count\":3,\"good\":2,"
          "\"is_kept\":true}"}) {
        CAPTURE(part);
        CHECK(contains(text, part));
    }
    for (const char* part : {"p99", "slowest", "owd_forward", "ipdv", "tcp_ack", "null", "name"}) {
        CAPTURE(part);
        CHECK_FALSE(contains(text, part));
    }
}

TEST_CASE("api_json: whether an objective was kept is what the window says") {
    SeriesView view = exchange_view();
    view.window.valid &= ~LATMON_WINDOW_KEEPS_OBJECTIVE;
    CHECK(contains(series_json({.series = {view}, .is_cut = false}, "1s"), "\"is_kept\":false"));
    view.window.objective_count = view.window.objective_good = 0;
    CHECK(contains(series_json({.series = {view}, .is_cut = false}, "1s"), "\"good\":0}"));
}

TEST_CASE("api_json: an application's counter has a sum, its gauge three values") {
    SeriesView view;
    view.kind = LATMON_KIND_COUNTER;
    view.name = "orders";
    view.window.valid = LATMON_WINDOW_HAS_VALUE;
    view.window.value_sum = -5;
    CHECK(
        contains(series_json({.series = {view}, .is_cut = false}, "1s"), "\"value\":{\"sum\":-5}"));
    view.kind = LATMON_KIND_GAUGE;
    view.window.value_last = 1.5;
    CHECK(contains(series_json({.series = {view}, .is_cut = false}, "1s"),
                   "\"value\":{\"min\":0.0,\"max\":0.0,\"last\":1.5}"));
}

TEST_CASE("api_json: names that are no UTF-8 do not spoil the text") {
    TargetStatus target;
    target.target = "a\xff";
    CHECK(contains(targets_json({.targets = {target}}), "\"target\":\"a\xef\xbf\xbd\""));
}

}  // namespace
}  // namespace latmon
