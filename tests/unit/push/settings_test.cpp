// SPDX-License-Identifier: Apache-2.0
//
// The options of an exporter that pushes: what is read, and what does not fit together.
#include "push/settings.hpp"

#include "support/fake_host.hpp"

#include <doctest/doctest.h>
#include <algorithm>

namespace latmon::plugins::push {
namespace {

using latmon::test::FakeHost;

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("settings: without options they are what the exporter brought") {
    const FakeHost host;
    latmon_options options;
    Settings settings;
    settings.batch_rows = 77;
    settings.flush_interval = milliseconds(1'250);
    settings.overflow = Overflow::drop_newest;
    settings.gzip = false;
    settings.proxy = "http://proxy:1";
    REQUIRE(read_settings(host.table(), &options, settings));
    CHECK(settings.batch_rows == 77);
    CHECK(settings.flush_interval == milliseconds(1'250));
    CHECK(settings.overflow == Overflow::drop_newest);
    CHECK_FALSE(settings.gzip);
    CHECK(settings.proxy == "http://proxy:1");
    CHECK(host.log().empty());
}

TEST_CASE("settings: every option arrives at its field, times in seconds") {
    const FakeHost host;
    latmon_options options{.values = {{"batch_rows", std::int64_t{5}},
                                      {"batch_bytes", std::int64_t{2'048}},
                                      {"flush_interval", 0.25},
                                      {"timeout", 2.0},
                                      {"retry_min", 0.1},
                                      {"retry_max", 7.0},
                                      {"shutdown_timeout", 0.0},
                                      {"buffer_bytes", std::int64_t{100'000}},
                                      {"overflow", std::string("drop_newest")},
                                      {"compression", std::string("none")},
                                      {"spool", std::string("/var/spool/x")},
                                      {"spool_bytes", std::int64_t{200'000}},
                                      {"ca_file", std::string("ca")},
                                      {"cert_file", std::string("cert")},
                                      {"key_file", std::string("key")},
                                      {"insecure", true},
                                      {"proxy", std::string("p")}},
                           .asked = {}};
    Settings settings;
    REQUIRE(read_settings(host.table(), &options, settings));
    CHECK(settings.batch_rows == 5);
    CHECK(settings.batch_bytes == 2'048);
    CHECK(settings.flush_interval == milliseconds(250));
    CHECK(settings.timeout == milliseconds(2'000));
    CHECK(settings.retry_min == milliseconds(100));
    CHECK(settings.retry_max == milliseconds(7'000));
    CHECK(settings.shutdown_timeout == milliseconds(0));
    CHECK(settings.buffer_bytes == 100'000);
    CHECK(settings.overflow == Overflow::drop_newest);
    CHECK_FALSE(settings.gzip);
    CHECK(settings.spool == "/var/spool/x");
    CHECK(settings.spool_bytes == 200'000);
    CHECK(settings.ca_file == "ca");
    CHECK(settings.cert_file == "cert");
    CHECK(settings.key_file == "key");
    CHECK(settings.insecure);
    CHECK(settings.proxy == "p");
    CHECK(options.asked.size() == options.values.size());
}

TEST_CASE("settings: what does not fit is refused, and the cure is in the log") {
    struct Mistake {
        latmon_options options;
        std::string words;
    };
    const Mistake mistakes[] = {
        {{.values = {{"overflow", std::string("drop")}}, .asked = {}},
         "write drop_oldest or drop_newest"},
        {{.values = {{"compression", std::string("zstd")}}, .asked = {}}, "write gzip or none"},
        {{.values = {{"retry_max", 0.2}}, .asked = {}}, "retry_max is less than retry_min"},
        {{.values = {{"buffer_bytes", std::int64_t{100'000}}}, .asked = {}},
         "no room for two batches"},
        {{.values = {{"spool", std::string("x")}, {"spool_bytes", std::int64_t{100'000}}},
          .asked = {}},
         "spool_bytes = 100000"},
        {{.values = {{"key_file", std::string("x")}}, .asked = {}}, "without cert_file"}};
    for (const Mistake& mistake : mistakes) {
        CAPTURE(mistake.words);
        const FakeHost host;
        Settings settings;
        CHECK_FALSE(read_settings(host.table(), &mistake.options, settings));
        CHECK(contains(host.log(), mistake.words));
    }
}

TEST_CASE("settings: who pushes a whole state has no backlog to set") {
    const FakeHost host;
    latmon_options options{.values = {{"spool", std::string("x")}}, .asked = {}};
    Settings settings;
    settings.is_snapshot = true;
    REQUIRE(read_settings(host.table(), &options, settings));
    CHECK(settings.spool.empty());
    // Not asked for: latmon reports it as an option that nobody knows.
    CHECK(std::find(options.asked.begin(), options.asked.end(), "spool") == options.asked.end());
}

}  // namespace
}  // namespace latmon::plugins::push
