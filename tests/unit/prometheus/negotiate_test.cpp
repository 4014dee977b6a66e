// SPDX-License-Identifier: Apache-2.0
//
// What scrapers ask for, and what they get.
#include "prometheus/negotiate.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins::prometheus {
namespace {

constexpr const char* protobuf =
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

Exposition chosen(const std::string& accept) {
    return choose_exposition(accept.c_str()).exposition;
}

TEST_CASE("negotiation: a Prometheus that knows native histograms gets protobuf") {
    CHECK(chosen(std::string(protobuf) + ",application/openmetrics-text;version=1.0.0;q=0.8,"
                                         "application/openmetrics-text;version=0.0.1;q=0.75,"
                                         "text/plain;version=0.0.4;q=0.5,*/*;q=0.1") ==
          Exposition::protobuf);
}

TEST_CASE("negotiation: one that does not gets OpenMetrics") {
    CHECK(chosen("application/openmetrics-text;version=1.0.0,"
                 "application/openmetrics-text;version=0.0.1;q=0.75,"
                 "text/plain;version=0.0.4;q=0.5,*/*;q=0.1") == Exposition::open_metrics);
}

TEST_CASE("negotiation: a browser, and who says nothing, get text") {
    CHECK(choose_exposition(nullptr).exposition == Exposition::text);
    CHECK(chosen("") == Exposition::text);
    CHECK(chosen("text/html,application/xhtml+xml,*/*;q=0.8") == Exposition::text);
    CHECK(chosen("application/json") == Exposition::text);
}

TEST_CASE("negotiation: weights decide, 0 is a refusal, and of equals what says most is given") {
    const std::string open = "application/openmetrics-text;version=1.0.0";
    CHECK(chosen(open + "," + protobuf + ",text/plain") == Exposition::protobuf);
    CHECK(chosen(open + ";q=0") == Exposition::text);
    CHECK(chosen(open + ";q=0.2,text/plain;q=0.3") == Exposition::text);
    CHECK(chosen(open + ";q=0,text/plain;q=0.001") == Exposition::text);
    CHECK(chosen(std::string(protobuf) + ";q=0.5," + open + ";q=0.6") == Exposition::open_metrics);
    CHECK(chosen(open + ";q=nonsense,*/*;q=0.1") == Exposition::text);
    CHECK(chosen(open + ";q=7,*/*;q=0.1") == Exposition::text);
}

TEST_CASE("negotiation: versions and encodings that we do not have are not chosen") {
    CHECK(chosen("application/openmetrics-text;version=2.0.0,text/plain;q=0.1") ==
          Exposition::text);
    CHECK(chosen("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
                 "encoding=text,*/*;q=0.1") == Exposition::text);
    CHECK(chosen("application/vnd.google.protobuf,*/*;q=0.1") == Exposition::text);
    CHECK(chosen("text/plain;version=1.0.0;q=0.9,application/openmetrics-text;q=0.1") ==
          Exposition::open_metrics);
}

TEST_CASE("negotiation: blanks, case and quotes mean nothing") {
    CHECK(chosen(" Application/OpenMetrics-Text ; Version=\"1.0.0\" ;Q=0.5 , text/plain;q=0.4") ==
          Exposition::open_metrics);
    CHECK(chosen("a/b;x=\"y,application/openmetrics-text;\\\"z\",text/plain") == Exposition::text);
}

TEST_CASE("negotiation: the type of the answer says what was asked for") {
    const std::string open = "application/openmetrics-text;version=1.0.0";
    CHECK(content_type(choose_exposition(open.c_str())) ==
          "application/openmetrics-text; version=1.0.0; charset=utf-8");
    CHECK(content_type(choose_exposition((open + ";escaping=allow-utf-8").c_str())) ==
          "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores");
    CHECK(content_type({}) == "text/plain; version=0.0.4; charset=utf-8");
    CHECK(content_type(choose_exposition(protobuf)) ==
          "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
          "encoding=delimited");
}

TEST_CASE("negotiation: gzip is for who can unpack it") {
    CHECK(takes_gzip("gzip"));
    CHECK(takes_gzip("deflate, GZIP;q=0.5"));
    CHECK(takes_gzip("*"));
    CHECK_FALSE(takes_gzip(nullptr));
    CHECK_FALSE(takes_gzip("identity"));
    CHECK_FALSE(takes_gzip("gzip;q=0, *"));
    CHECK_FALSE(takes_gzip("*;q=0"));
}

}  // namespace
}  // namespace latmon::plugins::prometheus
