// SPDX-License-Identifier: Apache-2.0
//
// Claims about Accept.
#include "admin/negotiation.hpp"

#include <doctest/doctest.h>
#include <array>

namespace latmon {
namespace {

constexpr std::array<MediaForm, 2> forms{
    {{"text/plain", "0.0.4"}, {"application/openmetrics-text", "1.0.0"}}};

std::size_t best(std::string_view accept) {
    return best_form(accept, forms);
}

TEST_CASE("negotiation: what Prometheus sends is OpenMetrics where there is no protobuf") {
    CHECK(best("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
               "encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,"
               "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,"
               "*/*;q=0.1") == 1);
}

TEST_CASE("negotiation: the highest q wins, then the closest range, then our order") {
    CHECK(best("text/plain;q=0.5, application/openmetrics-text;q=0.6") == 1);
    CHECK(best("text/plain;q=0.6, application/openmetrics-text;q=0.5") == 0);
    CHECK(best("*/*, text/plain;q=0.1") == 1);
    CHECK(best("text/*;q=0.9, application/*;q=0.95") == 1);
    CHECK(best("*/*") == 0);
}

TEST_CASE("negotiation: a version that we do not have means nothing of ours") {
    CHECK(best("application/openmetrics-text;version=2.0.0, text/plain;q=0.1") == 0);
    CHECK(best("application/openmetrics-text; version=\"1.0.0\"; charset=utf-8") == 1);
}

TEST_CASE("negotiation: who wants nothing that we have gets the first form") {
    for (const char* accept :
         {"", "image/png", "application/openmetrics-text;q=0", "application/openmetrics-text;q=x",
          ",;,=;", "text", "application/openmetrics-text;q=2"}) {
        CAPTURE(accept);
        CHECK(best(accept) == 0);
    }
}

}  // namespace
}  // namespace latmon
