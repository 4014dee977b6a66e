// SPDX-License-Identifier: Apache-2.0
//
// What the ancestor would have said, sample by sample; and what it would not have said. The
// expected lines have the spacing and the escapes of its json.dumps().
#include "support/legacy.hpp"

#include "abi/samples.hpp"
#include "exporter/host.hpp"

#include <doctest/doctest.h>
#include <limits>

namespace latmon::plugins {
namespace {

using namespace test;

const SeriesTable table = series_table();
const Host host("", table);

std::string legacy(const Sample& sample) {
    std::string out;
    const bool is_said = append_legacy_sample(out, sample, *host.series(sample.series_id));
    CHECK(is_said == !out.empty());
    return out;
}

constexpr std::string_view rtt_tags =
    R"("tags": ["source:here", "target:fra-1", "isp:local", "city:Z\u00fcrich"]})";

TEST_CASE("legacy: an answered exchange is a round trip as user space saw it") {
    CHECK(legacy(exchange(udp_id)) ==
          std::string(R"({"metric": "udp.wan.rtt", "points": [[1768219134587069267, 282072]], )")
              .append(rtt_tags));
    CHECK(legacy(exchange(udp_id, LATMON_STATUS_REORDERED)) == legacy(exchange(udp_id)));
    CHECK(legacy(exchange(tcp_id)) ==
          R"({"metric": "tcp.wan.rtt", "points": [[1768219134587069267, 282072]], )"
          R"("tags": ["source:here", "target:fra-1"]})");
}

TEST_CASE("legacy: whatever is lost is 0") {
    const std::string zero =
        std::string(R"({"metric": "udp.wan.rtt", "points": [[1768219134587069267, 0]], )")
            .append(rtt_tags);
    for (const latmon_status_t status :
         {LATMON_STATUS_LOST, LATMON_STATUS_LOST_FORWARD, LATMON_STATUS_LOST_REVERSE,
          LATMON_STATUS_LOCAL_ERROR, LATMON_STATUS_UNREACHABLE}) {
        CHECK(legacy(exchange(udp_id, status)) == zero);
    }
}

TEST_CASE("legacy: replies beyond the first are not said, nor are invalid ones and counters") {
    for (const latmon_status_t status :
         {LATMON_STATUS_LATE, LATMON_STATUS_DUPLICATE, LATMON_STATUS_INVALID}) {
        CHECK(legacy(exchange(udp_id, status)).empty());
        CHECK(legacy(connect(status)).empty());
    }
    CHECK(legacy(node(7)).empty());
}

TEST_CASE("legacy: where round trips are switched off there are none, lost or not") {
    CHECK(legacy(exchange(silent_id)).empty());
    CHECK(legacy(exchange(silent_id, LATMON_STATUS_LOST)).empty());
}

TEST_CASE("legacy: a connect is told at its start, and is 0 if it failed") {
    CHECK(legacy(connect()) == R"({"metric": "tcp.wan.latency", "points": [[1007, 250000]], )"
                               R"("tags": ["source:here", "target:web"]})");
    CHECK(legacy(connect(LATMON_STATUS_UNREACHABLE)) ==
          R"({"metric": "tcp.wan.latency", "points": [[1007, 0]], )"
          R"("tags": ["source:here", "target:web"]})");
}

TEST_CASE("legacy: a reflection is a one-way delay from the other end to us") {
    CHECK(legacy(reflection()) == R"({"metric": "udp.wan.owd", "points": [[5000, 321]], )"
                                  R"("tags": ["source:192.0.2.7", "target:here"]})");
    Sample tcp = reflection();
    tcp.protocol = LATMON_PROTOCOL_TCP;
    CHECK(legacy(tcp).starts_with(R"({"metric": "tcp.wan.owd")"));
}

TEST_CASE("legacy: a negative one-way delay is 0, and so is one beyond all numbers") {
    Sample negative = reflection();
    negative.t2_ns = negative.t1_ns - 1;
    CHECK(legacy(negative).find("[[5000, 0]]") != std::string::npos);
    Sample absurd = reflection();
    absurd.t1_ns = std::numeric_limits<std::int64_t>::min();
    CHECK(legacy(absurd).find("[[5000, 0]]") != std::string::npos);
}

TEST_CASE("legacy: without both stamps there is no one-way delay") {
    Sample sample = reflection();
    sample.valid &= ~LATMON_HAS_T1;
    CHECK(legacy(sample).empty());
}

}  // namespace
}  // namespace latmon::plugins
