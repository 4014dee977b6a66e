// SPDX-License-Identifier: Apache-2.0
//
// From samples to rows, in both shapes.
#include "clickhouse/encoder.hpp"
#include "support/driver/driver_host.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins::clickhouse {
namespace {

using driver::DriverHost;
using driver::SeriesText;

enum : std::uint32_t { exchange_id, reflection_id };

std::vector<SeriesText> series() {
    return {{.source = "here",
             .target = "fra-1",
             .tags = {"isp:local", "url:http://[::1]", "bare", "source:other", "isp:last"}},
            {.kind = LATMON_KIND_REFLECTION, .source = "here", .target = "here"}};
}

latmon_sample_t exchange(latmon_status_t status) {
    latmon_sample_t sample{};
    sample.series_id = exchange_id;
    sample.kind = LATMON_KIND_EXCHANGE;
    sample.protocol = LATMON_PROTOCOL_UDP;
    sample.status = static_cast<std::uint8_t>(status);
    sample.time_ns = 5;
    if (status == LATMON_STATUS_OK) {
        sample.valid = LATMON_HAS_RTT | LATMON_HAS_RTT_USER;
        sample.rtt_ns = 10;
        sample.rtt_user_ns = 12;
    }
    return sample;
}

Row read(std::string_view octets) {
    Row row;
    REQUIRE(read_row(octets, row) == ReadResult::row);
    CHECK(octets.empty());
    return row;
}

std::string tags_of(const Row& row) {
    std::string out;
    std::string_view rest = row.tags;
    std::string_view key;
    std::string_view value;
    while (take_string(rest, key) && take_string(rest, value)) {
        out.append(key).append("=").append(value).append(";");
    }
    return out;
}

TEST_CASE("encoder: a sample keeps all its tags as they are, split at the first colon") {
    const DriverHost host(series());
    Encoder encoder(host.table(), Shape::sample);
    for (int turn = 0; turn < 2; ++turn) {
        const std::string octets(encoder.encode(exchange(LATMON_STATUS_OK), 9));
        const Row row = read(octets);
        CHECK(row.sample.rtt_ns == 10);
        CHECK(row.labels.source == "here");
        CHECK(row.labels.target == "fra-1");
        CHECK(row.labels.port == 8001);
        CHECK(tags_of(row) == "isp=local;url=http://[::1];bare=;source=other;isp=last;");
    }
}

TEST_CASE("encoder: a point has the ancestor's metric and tags, where the last of a key counts") {
    const DriverHost host(series());
    Encoder encoder(host.table(), Shape::point);
    const std::string octets(encoder.encode(exchange(LATMON_STATUS_OK), 9));
    const Row row = read(octets);
    CHECK(row.shape == Shape::point);
    CHECK(row.labels.name == "udp.wan.rtt");
    CHECK(row.sample.value == 12);
    CHECK(row.sample.time_ns == 5);
    CHECK(row.taken_ns == 9);
    CHECK(tags_of(row) == "source=other;target=fra-1;isp=last;url=http://[::1];bare=;");
}

TEST_CASE("encoder: a lost probe is 0 as a point, and nothing as a sample") {
    const DriverHost host(series());
    Encoder points(host.table(), Shape::point);
    const std::string point(points.encode(exchange(LATMON_STATUS_LOST), 9));
    CHECK(read(point).sample.value == 0);
    Encoder samples(host.table(), Shape::sample);
    const std::string sample(samples.encode(exchange(LATMON_STATUS_LOST), 9));
    CHECK(read(sample).sample.valid == 0);
}

TEST_CASE("encoder: what the ancestor did not know makes no point; unknown series make nothing") {
    const DriverHost host(series());
    Encoder points(host.table(), Shape::point);
    CHECK(points.encode(exchange(LATMON_STATUS_DUPLICATE), 9).empty());
    latmon_sample_t unknown = exchange(LATMON_STATUS_OK);
    unknown.series_id = 77;
    Encoder samples(host.table(), Shape::sample);
    CHECK(samples.encode(unknown, 9).empty());
    CHECK(points.encode(unknown, 9).empty());
}

TEST_CASE("encoder: points of one reflected series have each its own sender") {
    const DriverHost host(series());
    Encoder encoder(host.table(), Shape::point);
    latmon_sample_t sample{};
    sample.series_id = reflection_id;
    sample.kind = LATMON_KIND_REFLECTION;
    sample.protocol = LATMON_PROTOCOL_UDP;
    sample.status = LATMON_STATUS_OK;
    sample.valid = LATMON_HAS_T1 | LATMON_HAS_T2 | LATMON_HAS_PEER;
    sample.t2_ns = 44;
    sample.peer_address[10] = sample.peer_address[11] = 0xFF;
    for (const int last : {1, 2}) {
        sample.peer_address[15] = static_cast<std::uint8_t>(last);
        const std::string octets(encoder.encode(sample, 9));
        CHECK(tags_of(read(octets)) == "source=0.0.0." + std::to_string(last) + ";target=here;");
    }
}

}  // namespace
}  // namespace latmon::plugins::clickhouse
