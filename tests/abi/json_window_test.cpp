// SPDX-License-Identifier: Apache-2.0
//
// A window as a line of JSON, octet by octet. That every line fits the schema is every_window.py's.
#include "support/json_window.hpp"

#include "abi/samples.hpp"
#include "abi/windows.hpp"
#include "exporter/host.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins {
namespace {

using namespace test;

std::string line(const latmon_window_t& window, Timestamps timestamps = Timestamps::ns) {
    const SeriesTable series = series_table();
    const Host host("", series);
    std::string out;
    append_json_window(out, window, host.series(window.series_id), timestamps);
    return out;
}

TEST_CASE("json window: everything that it has, as it has it") {
    latmon_window_t window = full_window(udp_id);
    window.left_out = 2;
    window.lost_left_out = 1;
    CHECK(line(window) ==
          R"({"v":1,"kind":"window","of":"exchange","protocol":"udp","source":"here",)"
          R"("target":"fra-1","tags":["isp:local","city:Z\u00fcrich"],"series_id":0,)"
          R"("begin_ns":1768219135000000000,"length_ns":1000000000,"samples":12,)"
          R"("statuses":{"ok":9,"lost":1,"late":2},"answered":9,"lost":1,"lost_local":0,)"
          R"("loss_ratio":0.1,"loss_bursts":1,"loss_burst_max":1,"blames":{"sent_late":3},)"
          R"("tainted":3,"left_out":2,"lost_left_out":1,"owd_classes":{"bounded":9},)"
          R"("rtt":{"count":9,"sum_ns":2270000,"min_ns":250000,"max_ns":256000,)"
          R"("histogram":{"schema":7,"zero_count":0,"positive":[[-1530,4],[-1528,5]],)"
          R"("negative":[]}},)"
          R"("owd_fwd":{"count":4,"sum_ns":-171000,"min_ns":-172000,"max_ns":173000,)"
          R"("histogram":{"schema":7,"zero_count":1,"positive":[[-1600,1]],)"
          R"("negative":[[-1601,2]]}},)"
          R"("owd_rev":{"count":9,"sum_ns":2270000,"min_ns":250000,"max_ns":256000,)"
          R"("histogram":{"schema":7,"zero_count":0,"positive":[[-1530,4],[-1528,5]],)"
          R"("negative":[]}},)"
          R"("rtt_ipdv":{"count":8,"abs_sum_ns":4000,"min_ns":-1000,"max_ns":2000,)"
          R"("smoothed_ns":500},)"
          R"("owd_fwd_ipdv":{"count":8,"abs_sum_ns":8000,"min_ns":-2000,"max_ns":4000,)"
          R"("smoothed_ns":1000},)"
          R"("owd_rev_ipdv":{"count":8,"abs_sum_ns":16000,"min_ns":-4000,"max_ns":8000,)"
          R"("smoothed_ns":2000},)"
          R"("rtt_p50_ns":253000,"rtt_p90_ns":255000,)"
          R"("slowest_rtt_ns":256000,"slowest_time_ns":1768219135000000005,)"
          R"("slowest_sequence":7,"last_rtt_ns":251000,"last_sequence":11,)"
          R"("lateness_count":10,"lateness_sum_ns":400,"lateness_max_ns":90,)"
          R"("tcp_ack_count":2,"tcp_ack_sum_ns":30,"tcp_ack_min_ns":10,"tcp_ack_max_ns":20,)"
          R"("objective_ratio":0.99,"objective_rtt_ns":200000,"objective_count":10,)"
          R"("objective_good":9,"objective_kept":false,)"
          R"("value_min":-1.5,"value_max":2.5,"value_last":0.25,)"
          R"("value_time_ns":1768219135000000006})");
}

TEST_CASE("json window: what it does not have is not there") {
    latmon_window_t window{};
    window.series_id = udp_id;
    window.length_ns = 60'000'000'000;
    CHECK(line(window) ==
          R"({"v":1,"kind":"window","of":"exchange","protocol":"udp","source":"here",)"
          R"("target":"fra-1","tags":["isp:local","city:Z\u00fcrich"],"series_id":0,"begin_ns":0,)"
          R"("length_ns":60000000000,"samples":0,"statuses":{},"answered":0,"lost":0,)"
          R"("lost_local":0,"loss_bursts":0,"loss_burst_max":0,"blames":{},"tainted":0,)"
          R"("left_out":0,"lost_left_out":0,"owd_classes":{}})");
}

TEST_CASE("json window: an older latmon does not say how many of the lost were left out") {
    latmon_window_t window = full_window(udp_id);
    window.struct_size = offsetof(latmon_window_t, lost_left_out);
    window.lost_left_out = 1;
    CHECK(line(window).find(R"("lost_left_out":0,)") != std::string::npos);
}

TEST_CASE("json window: points in time as text") {
    const std::string text = line(full_window(udp_id), Timestamps::rfc3339);
    CHECK(text.find(R"("begin":"2026-01-12T11:58:55.000000000Z","length_ns":)") !=
          std::string::npos);
    CHECK(text.find(R"("slowest_time":"2026-01-12T11:58:55.000000005Z")") != std::string::npos);
    CHECK(text.find(R"("value_time":"2026-01-12T11:58:55.000000006Z")") != std::string::npos);
    CHECK(text.find("begin_ns") == std::string::npos);
}

TEST_CASE("json window: a kept objective, numbers of a later latmon, and no series") {
    latmon_window_t window = full_window(999);
    window.valid |= LATMON_WINDOW_KEEPS_OBJECTIVE;
    window.by_status[0] = 1;
    window.by_status[15] = 2;
    const std::string text = line(window);
    CHECK(text.starts_with(R"({"v":1,"kind":"window","series_id":999,"begin_ns":)"));
    CHECK(text.find(R"("objective_kept":true)") != std::string::npos);
    CHECK(text.find(R"("statuses":{"unknown":1,"ok":9,"lost":1,"late":2,"unknown_15":2})") !=
          std::string::npos);
}

}  // namespace
}  // namespace latmon::plugins
