// SPDX-License-Identifier: Apache-2.0
//
// The ancestor's gauges: one point per second and series, in milliseconds.
#include "datadog/seconds.hpp"

#include "abi/samples.hpp"
#include "exporter/host.hpp"

#include <doctest/doctest.h>
#include <algorithm>

namespace latmon::plugins::datadog {
namespace {

using namespace test;

const SeriesTable table = series_table();
const Host host("", table);
constexpr std::int64_t second_ns = 1'000'000'000;

// What comes out when each is added in turn, and all seconds are closed at the end.
std::vector<std::string> rows_of(const std::vector<Sample>& samples) {
    std::vector<std::string> rows;
    Seconds seconds([&](std::string_view row) { rows.emplace_back(row); });
    for (const Sample& sample : samples) {
        seconds.add(sample, *host.series(sample.series_id));
    }
    seconds.close_before(INT64_MAX);
    return rows;
}

Sample at(std::int64_t time_ns, std::int64_t rtt_ns, std::uint32_t series_id = tcp_id) {
    Sample sample = exchange(series_id);
    sample.time_ns = time_ns;
    sample.rtt_user_ns = rtt_ns;
    return sample;
}

const std::string tags = R"(["source:here","target:fra-1"])";

TEST_CASE("seconds: milliseconds, exactly") {
    CHECK(rows_of({exchange(tcp_id)}) ==
          std::vector{"tcp.wan.rtt\tg\t0\t\t" + tags + "\t1768219134\t0.282072\n"});
}

TEST_CASE("seconds: of several in a second the last is given") {
    CHECK(rows_of({at(5 * second_ns, 1'000'000), at(6 * second_ns - 1, 2'000'000),
                   at(6 * second_ns, 3'000'000)}) ==
          std::vector{"tcp.wan.rtt\tg\t0\t\t" + tags + "\t5\t2\n",
                      "tcp.wan.rtt\tg\t0\t\t" + tags + "\t6\t3\n"});
}

TEST_CASE("seconds: series do not disturb each other, and lost is 0") {
    const std::vector<std::string> rows =
        rows_of({at(5 * second_ns, 1'000'000), at(5 * second_ns, 2'000'000, udp_id),
                 exchange(tcp_id, LATMON_STATUS_LOST)});
    CHECK(rows.size() == 3);
    CHECK(rows.front() == "tcp.wan.rtt\tg\t0\t\t" + tags + "\t5\t1\n");
    CHECK(std::ranges::count(rows, "tcp.wan.rtt\tg\t0\t\t" + tags + "\t1768219134\t0\n") == 1);
}

TEST_CASE("seconds: a second is open until it is over") {
    std::vector<std::string> rows;
    Seconds seconds([&](std::string_view row) { rows.emplace_back(row); });
    seconds.add(at(5 * second_ns, 1'000'000), *host.series(tcp_id));
    seconds.close_before(5);
    CHECK(rows.empty());
    seconds.close_before(6);
    CHECK(rows.size() == 1);
    seconds.close_before(7);
    CHECK(rows.size() == 1);
}

TEST_CASE("seconds: senders without a name are told by address, however many") {
    std::vector<std::string> rows;
    Seconds seconds([&](std::string_view row) { rows.emplace_back(row); });
    Sample sample = reflection();
    for (int sender = 0; sender < 10'000; ++sender) {
        sample.peer_address[14] = static_cast<std::uint8_t>(sender / 256);
        sample.peer_address[15] = static_cast<std::uint8_t>(sender % 256);
        seconds.add(sample, *host.series(reflected_id));
    }
    seconds.close_before(1);
    CHECK(rows.size() == 10'000);
    CHECK(std::ranges::count(rows,
                             "udp.wan.owd\tg\t0\t\t[\"source:192.0.39.15\",\"target:here\"]\t0\t"
                             "0.000321\n") == 1);
}

}  // namespace
}  // namespace latmon::plugins::datadog
