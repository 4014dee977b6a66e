// SPDX-License-Identifier: Apache-2.0
//
// Lines: values, types, rates and what is never sent.
#include "statsd/writer.hpp"

#include "unit/statsd/lines.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace latmon::plugins::statsd {
namespace {

using driver::DriverHost;

Timer timer(std::string head, std::string tail = "") {
    return {.identity = {.head = std::move(head), .tail = std::move(tail)}};
}

TEST_CASE("writer: statsd has milliseconds with every nanosecond, Datadog seconds") {
    const DriverHost host({});
    Written plain(host.table(), {});
    Timer rtt = timer("rtt:");
    plain.writer().time(rtt, 305'222);
    plain.writer().time(rtt, 12'000'000);
    plain.writer().time(rtt, 0);
    CHECK(plain.lines() == Lines{"rtt:0.305222|ms", "rtt:12|ms", "rtt:0|ms"});

    LineOptions options = datadog_lines();
    options.packs_values = false;
    Written dog(host.table(), options);
    Timer tagged = timer("rtt:", "|#a:b");
    dog.writer().time(tagged, 305'222);
    dog.writer().gauge_time(tagged.identity, -1, 9);
    CHECK(dog.lines() == Lines{"rtt:0.000305222|d|#a:b", "rtt:-0.000000001|g|#a:b"});
}

TEST_CASE("writer: packed values share a line until it fills a packet") {
    const DriverHost host({});
    LineOptions options = datadog_lines();
    options.packet_bytes = 256;
    Written dog(host.table(), options);
    Timer one = timer("one:", "|#a:b");
    Timer two = timer("two:", "|#c:d");
    dog.writer().time(one, 1'000'000'000);
    dog.writer().time(two, -2);
    dog.writer().time(one, 3'000'000'000);
    CHECK(dog.lines() == Lines{"one:1:3|d|#a:b", "two:-0.000000002|d|#c:d"});

    for (int count = 0; count < 100; ++count)
        dog.writer().time(one, 123'456'789);
    const Lines lines = dog.lines();
    CHECK(lines.size() > 1);
    std::size_t values = 0;
    for (const std::string& line : lines) {
        CHECK(line.size() <= 256);
        values += static_cast<std::size_t>(std::ranges::count(line, ':')) - 1;  // The tag's.
    }
    CHECK(values == 100);
}

TEST_CASE("writer: a packet knows how many times it holds") {
    const DriverHost host({});
    Written dog(host.table(), datadog_lines());
    Timer one = timer("one:");
    dog.writer().time(one, 1);
    dog.writer().time(one, 2);
    dog.writer().count(one.identity, 5, 0);
    dog.writer().write_values();
    dog.writer().write_out();
    REQUIRE(dog.packets().size() == 1);
    CHECK(dog.packets()[0].lines == 2);
    CHECK(dog.packets()[0].values == 2);
}

TEST_CASE("writer: a negative time is none of plain statsd's, and is counted") {
    const DriverHost host({});
    Written plain(host.table(), {});
    Timer owd = timer("owd:");
    plain.writer().time(owd, -1);
    CHECK(plain.lines().empty());
    CHECK(host.counter("values_negative_total") == 1);
}

TEST_CASE("writer: to plain statsd a negative gauge is a fall from 0, both in one packet") {
    const DriverHost host({});
    LineOptions options;
    options.packet_bytes = 256;
    Written plain(host.table(), options);
    const Identity gauge{.head = "offset:", .tail = ""};
    for (int count = 0; count < 50; ++count)
        plain.writer().gauge_integer(gauge, -5, 0);
    plain.writer().write_out();
    for (const Packet& packet : plain.packets()) {
        CHECK(packet.octets.starts_with("offset:0|g\noffset:-5|g"));
        CHECK(packet.octets.ends_with("offset:-5|g"));
        CHECK(packet.lines % 2 == 0);
    }
    Written dog(host.table(), datadog_lines());
    dog.writer().gauge_integer(gauge, -5, 0);
    CHECK(dog.lines() == Lines{"offset:-5|g"});
}

TEST_CASE("writer: gauges have no exponent, and what is no number is not sent") {
    const DriverHost host({});
    Written plain(host.table(), {});
    const Identity gauge{.head = "g:", .tail = ""};
    for (const double value : {0.00001, 1e21, 0.1, std::numeric_limits<double>::infinity(),
                               std::numeric_limits<double>::quiet_NaN()}) {
        plain.writer().gauge(gauge, value, 0);
    }
    CHECK(plain.lines() == Lines{"g:0.00001|g", "g:1000000000000000000000|g", "g:0.1|g"});
    for (const double value : {5e-324, -std::numeric_limits<double>::max()}) {
        plain.writer().gauge(gauge, value, 0);
        const Lines lines = plain.lines();
        CHECK(std::strtod(lines.back().c_str() + 2, nullptr) == value);
    }
}

TEST_CASE("writer: time stamps stand behind counts and gauges, never behind times") {
    const DriverHost host({});
    LineOptions options = datadog_lines();
    options.has_timestamps = true;
    Written dog(host.table(), options);
    Timer rtt = timer("rtt:", "|#a:b|c:x");
    dog.writer().time(rtt, 1'000'000'000);
    dog.writer().count(rtt.identity, 7, 1'700'000'000);
    dog.writer().gauge(rtt.identity, 0.5, 1'700'000'001);
    CHECK(dog.lines() == Lines{"rtt:7|c|#a:b|c:x|T1700000000", "rtt:0.5|g|#a:b|c:x|T1700000001",
                               "rtt:1|d|#a:b|c:x"});
}

TEST_CASE("writer: a share of the times is sent, says which, and the rest is counted") {
    const DriverHost host({});
    LineOptions options;
    options.sample_rate = 0.25;
    Written plain(host.table(), options);
    Timer rtt = timer("rtt:", "|#a:b");
    constexpr std::size_t made = 40'000;
    for (std::size_t count = 0; count < made; ++count)
        plain.writer().time(rtt, 1'000'000);
    plain.writer().count({.head = "n:", .tail = ""}, 3, 0);
    const Lines lines = plain.lines();
    CHECK(lines.back() == "n:3|c");  // A count is exact.
    CHECK(lines.front() == "rtt:1|ms|@0.25|#a:b");
    CHECK(lines.size() - 1 + host.counter("values_sampled_out_total") == made);
    // Six standard deviations around a quarter.
    CHECK(lines.size() > 9'480);
    CHECK(lines.size() < 10'520);
}

TEST_CASE("writer: a line that no packet can hold is left out, counted, and said once") {
    const DriverHost host({});
    LineOptions options;
    options.packet_bytes = 256;
    Written plain(host.table(), options);
    const Identity long_one{.head = std::string(300, 'a') + ":", .tail = ""};
    plain.writer().count(long_one, 1, 0);
    plain.writer().count(long_one, 1, 0);
    CHECK(plain.lines().empty());
    CHECK(host.counter("lines_too_long_total") == 2);
    const std::string log = host.log_text();
    CHECK(log.find("packet_bytes") != std::string::npos);
    CHECK(log.find("packet_bytes") == log.rfind("packet_bytes"));
}

}  // namespace
}  // namespace latmon::plugins::statsd
