// SPDX-License-Identifier: Apache-2.0
//
// What an operator writes, in the ancestor's shape and in the new one.
#include "clickhouse/options.hpp"
#include "support/driver/driver_host.hpp"

#include <doctest/doctest.h>
#include <initializer_list>

namespace latmon::plugins::clickhouse {
namespace {

struct Reading {
    explicit Reading(std::initializer_list<const char*> options)
        : host(std::vector<driver::SeriesText>(1)) {
        for (const char* option : options) {
            REQUIRE(host.add_option(option));
        }
        result = read_options(host.table(), host.options());
    }

    driver::DriverHost host;
    std::optional<Options> result;
};

TEST_CASE("options: nothing at all is a server on this host and a table of samples") {
    const Reading reading({});
    REQUIRE(reading.result);
    const Destination& to = reading.result->destination;
    CHECK(to.url == "http://127.0.0.1:8123");
    CHECK(to.database == "default");
    CHECK(to.table == "latmon_samples");
    CHECK(to.username == "default");
    CHECK(to.password.empty());
    CHECK(to.shape == Shape::sample);
    CHECK_FALSE(to.create_table);
    CHECK(reading.result->settings.batch_rows == 50'000);
    CHECK(reading.result->settings.flush_interval == push::milliseconds(5'000));
}

TEST_CASE("options: the ancestor's file means what it meant") {
    const Reading reading({"compatible=true", "host=click.example.com", "username=super",
                           "password=secure", "columns=[a,b,c,d,e]", "send_interval=7.5"});
    REQUIRE(reading.result);
    const Destination& to = reading.result->destination;
    CHECK(to.url == "https://click.example.com:8443");
    CHECK(to.database.empty());
    CHECK(to.table == "metrics");
    CHECK(to.username == "super");
    CHECK(to.password == "secure");
    CHECK(to.shape == Shape::point);
    CHECK(to.columns == std::vector<std::string>{"a", "b", "c", "d", "e"});
    CHECK(reading.result->settings.flush_interval == push::milliseconds(7'500));
}

TEST_CASE("options: the ancestor's defaults are its own") {
    const Reading reading({"compatible=true", "host=h", "password="});
    REQUIRE(reading.result);
    CHECK(reading.result->destination.columns ==
          std::vector<std::string>{"MetricName", "Timestamp", "MetricValue", "Tags", "InsertedAt"});
    CHECK(reading.result->settings.flush_interval == push::milliseconds(30'000));
}

TEST_CASE("options: TLS goes with the ports that mean it, unless it is said") {
    const auto url = [](std::initializer_list<const char*> options) {
        const Reading reading(options);
        REQUIRE(reading.result);
        return reading.result->destination.url;
    };
    CHECK(url({"host=h", "port=443"}) == "https://h:443");
    CHECK(url({"host=h", "port=8443"}) == "https://h:8443");
    CHECK(url({"host=h", "port=9000"}) == "http://h:9000");
    CHECK(url({"host=h", "port=9000", "tls=true"}) == "https://h:9000");
    CHECK(url({"host=::1"}) == "http://[::1]:8123");
    CHECK(url({"url=https://h/path/"}) == "https://h/path");
}

TEST_CASE("options: what cannot be meant is refused with the cure") {
    const auto refusal = [](std::initializer_list<const char*> options) {
        const Reading reading(options);
        CHECK_FALSE(reading.result);
        return reading.host.log_text();
    };
    CHECK(refusal({"compatible=true", "password=x"}).find("host is missing") != std::string::npos);
    CHECK(refusal({"compatible=true", "host=h"}).find("password is missing") != std::string::npos);
    CHECK(refusal({"url=http://a", "host=b"}).find("keep one") != std::string::npos);
    CHECK(refusal({"url=http://a/?x=y"}).find("has a '?'") != std::string::npos);
    CHECK(refusal({"batch_rows=1000001"}).find("write 1000000 or less") != std::string::npos);
    CHECK(refusal({"table="}).find("table is empty") != std::string::npos);
    CHECK(refusal({"username=a\nX-Other: b"}).find("line break") != std::string::npos);
    CHECK(
        refusal({"compatible=true", "host=h", "password=x", "columns=[a,b]"}).find("write five") !=
        std::string::npos);
}

}  // namespace
}  // namespace latmon::plugins::clickhouse
