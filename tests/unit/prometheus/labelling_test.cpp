// SPDX-License-Identifier: Apache-2.0
//
// Labels that tell every series from every other.
#include "prometheus/labelling.hpp"

#include "support/driver/driver_host.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins::prometheus {
namespace {

using driver::DriverHost;
using driver::SeriesText;

SeriesText target(std::string name, std::vector<std::string> tags = {}, std::uint16_t port = 8001) {
    return {.source = "a", .target = std::move(name), .tags = std::move(tags), .port = port};
}

class Fixture {
public:
    explicit Fixture(std::vector<SeriesText> series) : host_(std::move(series)) {
        labelling.learn(host_.table());
    }
    std::string text(std::uint32_t id) {
        return labelling.take(*host_.table()->series(host_.table(), id), was_mended)->text;
    }
    const latmon_series_t& add(const SeriesText& series) {
        return *host_.table()->series(host_.table(), host_.add_series(series));
    }
    const latmon_series_t& series(std::uint32_t id) {
        return *host_.table()->series(host_.table(), id);
    }

    Labelling labelling;
    bool was_mended = false;

private:
    DriverHost host_;
};

TEST_CASE("labelling: proto, source, target and the tags, in their order") {
    Fixture fixture({target("b", {"isp-name:x/y", "v6:2001:db8::1", "backup"})});
    CHECK(fixture.text(0) ==
          "proto=\"udp\",source=\"a\",target=\"b\",isp_name=\"x/y\",v6=\"2001:db8::1\","
          "backup=\"true\"");
    CHECK(Labelling::clash_of(fixture.series(0)).empty());
    CHECK_FALSE(fixture.was_mended);
}

TEST_CASE("labelling: a tag cannot take the place of a label of ours") {
    Fixture fixture({target("b", {"source:x", "le:1"})});
    CHECK(fixture.text(0) ==
          "proto=\"udp\",source=\"a\",target=\"b\",tag_source=\"x\",tag_le=\"1\"");
}

TEST_CASE("labelling: of two tags that are one label the second gets a number, and both are told") {
    Fixture fixture({target("b", {"isp-name:x", "isp_name:y"})});
    CHECK(fixture.text(0) ==
          "proto=\"udp\",source=\"a\",target=\"b\",isp_name=\"x\",isp_name_2=\"y\"");
    CHECK(fixture.was_mended);
    CHECK(Labelling::clash_of(fixture.series(0))
              .starts_with("target b (udp): the tags \"isp-name:x\" and \"isp_name:y\" are one "
                           "label to Prometheus, isp_name:"));
}

TEST_CASE("labelling: two tags that say the same are one, and nothing is mended") {
    Fixture fixture({target("b", {"x-y:1", "x_y:1", "x-y:1"})});
    CHECK(fixture.text(0) == "proto=\"udp\",source=\"a\",target=\"b\",x_y=\"1\"");
    CHECK_FALSE(fixture.was_mended);
    CHECK(Labelling::clash_of(fixture.series(0)).empty());
}

TEST_CASE("labelling: twins are told apart by their ports, all of them, and nobody else") {
    Fixture fixture({target("b", {}, 1), target("b", {}, 2), target("c", {}, 3)});
    CHECK(fixture.text(0) == "proto=\"udp\",source=\"a\",target=\"b\",port=\"1\"");
    CHECK(fixture.text(1) == "proto=\"udp\",source=\"a\",target=\"b\",port=\"2\"");
    CHECK(fixture.text(2) == "proto=\"udp\",source=\"a\",target=\"c\"");
    CHECK_FALSE(fixture.was_mended);
}

TEST_CASE("labelling: and by their ids, if nothing else is left") {
    Fixture fixture({target("b"), target("b")});
    CHECK(fixture.text(0) != fixture.text(1));
    CHECK(fixture.text(1).ends_with("series=\"1\""));
}

TEST_CASE("labelling: who comes later is the one that is mended, and gives its place back") {
    Fixture fixture({target("b", {}, 1)});
    CHECK(fixture.text(0) == "proto=\"udp\",source=\"a\",target=\"b\"");
    const latmon_series_t& twin = fixture.add(target("b", {}, 2));
    bool was_mended = false;
    SharedLabels labels = fixture.labelling.take(twin, was_mended);
    CHECK(labels->text == "proto=\"udp\",source=\"a\",target=\"b\",port=\"2\"");
    CHECK(was_mended);
    fixture.labelling.release(twin.series_id, twin.kind, twin.name, *labels);
    const SharedLabels first = fixture.labelling.take(fixture.series(0), was_mended);
    fixture.labelling.release(0, LATMON_KIND_EXCHANGE, "", *first);
    labels = fixture.labelling.take(twin, was_mended);
    CHECK(labels->text == "proto=\"udp\",source=\"a\",target=\"b\"");
    CHECK_FALSE(was_mended);
}

TEST_CASE("labelling: a counter of a path has the path's labels, one of an exporter its name") {
    SeriesText clock = target("b", {"isp:x"}, 2);
    clock.kind = LATMON_KIND_NODE;
    clock.name = "clock_offset_ns";
    SeriesText queue{.kind = LATMON_KIND_NODE,
                     .protocol = LATMON_PROTOCOL_NONE,
                     .name = "exporter_made_samples_total",
                     .source = "a",
                     .target = "json"};
    Fixture fixture({target("b", {"isp:x"}, 1), target("b", {"isp:x"}, 2), clock, queue});
    CHECK(fixture.labelling.of_node(fixture.series(2), 1)->text ==
          "proto=\"udp\",source=\"a\",target=\"b\",isp=\"x\",port=\"2\",core=\"1\"");
    CHECK(fixture.labelling.of_node(fixture.series(3), 0)->text == "exporter=\"json\",core=\"0\"");
}

TEST_CASE("labelling: a sender without a name is not told by its address") {
    SeriesText nameless{.kind = LATMON_KIND_REFLECTION, .source = "10.0.0.1", .target = "a"};
    SeriesText peer = nameless;
    peer.source = "peer";
    peer.flags = LATMON_SERIES_PEER;
    Fixture fixture({nameless, peer});
    CHECK(fixture.text(0) == "proto=\"udp\",source=\"\",target=\"a\"");
    CHECK(fixture.text(1) == "proto=\"udp\",source=\"peer\",target=\"a\"");
}

}  // namespace
}  // namespace latmon::plugins::prometheus
