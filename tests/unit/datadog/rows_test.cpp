// SPDX-License-Identifier: Apache-2.0
//
// Bodies for the three addresses of the API, octet for octet, and Datadog's limits on names.
#include "datadog/rows.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins::datadog {
namespace {

constexpr std::int64_t now_s = 1'768'219'200;

std::string row(const Point& point) {
    std::string out;
    make_row(out, point);
    return out;
}

Point gauge(std::int64_t time_s, std::string_view value) {
    return {.metric = "udp.wan.rtt",
            .type = Type::gauge,
            .interval_s = 0,
            .unit = "second",
            .tags = R"(["source:a"])",
            .time_s = time_s,
            .value = value};
}

Body body(const std::vector<std::string>& rows, Api api = Api::series_v2,
          const std::string& host = "node") {
    std::vector<push::Record> records;
    for (const std::string& text : rows) {
        records.push_back({.rows = 1, .payload = text});
    }
    return make_body(records, {.api = api, .host = host, .now_s = now_s});
}

TEST_CASE("rows: version 2 of the API has objects and numbers") {
    Point count = gauge(now_s, "7");
    count.metric = "latmon.probes.sent";
    count.type = Type::count;
    count.interval_s = 10;
    count.unit = "";
    CHECK(body({row(gauge(now_s, "0.5")), row(count)}).text ==
          R"({"series":[{"metric":"udp.wan.rtt","type":3,)"
          R"("points":[{"timestamp":1768219200,"value":0.5}],"tags":["source:a"],)"
          R"("resources":[{"type":"host","name":"node"}],"unit":"second"},)"
          R"({"metric":"latmon.probes.sent","type":1,)"
          R"("points":[{"timestamp":1768219200,"value":7}],"tags":["source:a"],)"
          R"("resources":[{"type":"host","name":"node"}],"interval":10}]})");
}

TEST_CASE("rows: version 1 of the API has pairs and words, and no units") {
    Point count = gauge(now_s, "7");
    count.type = Type::count;
    count.interval_s = 10;
    CHECK(body({row(count)}, Api::series_v1).text ==
          R"({"series":[{"metric":"udp.wan.rtt","type":"count","points":[[1768219200,7]],)"
          R"("tags":["source:a"],"host":"node","interval":10}]})");
    CHECK(body({row(gauge(now_s, "7"))}, Api::series_v1, "").text ==
          R"({"series":[{"metric":"udp.wan.rtt","type":"gauge","points":[[1768219200,7]],)"
          R"("tags":["source:a"]}]})");
}

TEST_CASE("rows: points of a distribution are lists, and all are kept") {
    Point values = gauge(now_s, "[0.1,0.2]");
    values.type = Type::distribution;
    CHECK(body({row(values), row(values)}, Api::distribution).text ==
          R"({"series":[{"metric":"udp.wan.rtt","type":"distribution",)"
          R"("points":[[1768219200,[0.1,0.2]],[1768219200,[0.1,0.2]]],)"
          R"("tags":["source:a"],"host":"node"}]})");
}

TEST_CASE("rows: points of one series stand together, in order, the last of each second") {
    CHECK(body({row(gauge(now_s, "1")) + row(gauge(now_s - 1, "2")), row(gauge(now_s, "3"))},
               Api::series_v1, "")
              .text == R"({"series":[{"metric":"udp.wan.rtt","type":"gauge",)"
                       R"("points":[[1768219199,2],[1768219200,3]],"tags":["source:a"]}]})");
}

TEST_CASE("rows: what Datadog would drop for its age is left out and counted") {
    const Body some = body({row(gauge(now_s - 3'601, "1")), row(gauge(now_s - 3'600, "2")),
                            row(gauge(now_s + 600, "3")), row(gauge(now_s + 601, "4"))});
    CHECK(some.untimely == 2);
    CHECK(some.text.find(R"([{"timestamp":1768215600,"value":2},)"
                         R"({"timestamp":1768219800,"value":3}])") != std::string::npos);
    const Body none = body({row(gauge(now_s - 3'601, "1"))});
    CHECK(none.untimely == 1);
    CHECK(none.text.empty());
}

TEST_CASE("rows: what is no row, out of a spoiled spool, is left out") {
    const std::string good = row(gauge(now_s, "1"));
    const Body mixed = body({"garbage\n\n", good.substr(0, good.size() / 2) + "\n",
                             "m\tg\t0\t\tno list\t1768219200\t1\n", "m\tg\t0\t\t[]\t17682x\t1\n",
                             "\tg\t0\t\t[]\t1768219200\t1\n", good});
    CHECK(mixed.text == body({good}).text);
    CHECK(mixed.untimely == 0);
    CHECK(body({"garbage"}).text.empty());
}

TEST_CASE("rows: a metric's name is what Datadog allows") {
    CHECK(metric_name("latmon.rtt.p99") == "latmon.rtt.p99");
    CHECK(metric_name("clock-offset ns") == "clock_offset_ns");
    CHECK(metric_name("9lives") == "x9lives");
    CHECK(metric_name(std::string(300, 'a')).size() == 200);
    CHECK(metric_name("_" + std::string(300, 'a')).size() == 200);
}

TEST_CASE("rows: a tag is cut at 200 characters, not octets") {
    const std::string wide = "city:" + std::string(194, 'x') + "\xC3\xBC\xC3\xBC";
    const char* const tags[] = {wide.c_str(), "a\"b"};
    latmon_series_t series{};
    series.tags = tags;
    series.tags_count = 2;
    const std::string own[] = {"source:a"};
    CHECK(tags_json(own, series) ==
          R"(["source:a","city:)" + std::string(194, 'x') + "\\u00fc\"," + R"("a\"b"])");
}

}  // namespace
}  // namespace latmon::plugins::datadog
