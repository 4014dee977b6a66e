// SPDX-License-Identifier: Apache-2.0
//
// Names and tags: what people call their targets never breaks a line, nor makes two names of one.
#include "statsd/naming.hpp"

#include "unit/statsd/lines.hpp"

namespace latmon::plugins::statsd {
namespace {

using driver::DriverHost;
using driver::SeriesText;

std::string line(const NamingOptions& options, const SeriesText& series, const Metric& metric) {
    const DriverHost host({series});
    const Identity identity =
        naming_of(options).identity(*host.table()->series(host.table(), 0), metric);
    return identity.head + "1" + identity.tail;
}

constexpr Dimension forward[] = {{"direction", "fwd"}, {"class", "bounded"}};

TEST_CASE("naming: in plain statsd all there is stands in the name") {
    CHECK(line(plain_names(), target("madrid"), {.name = "rtt"}) ==
          "latmon.udp.rtt.berlin.madrid:1");
    CHECK(line(plain_names(), target("madrid"), {"owd", forward, "p99"}) ==
          "latmon.udp.owd.fwd.bounded.p99.berlin.madrid:1");
    CHECK(line(plain_names(), target("web", LATMON_KIND_CONNECT), {.name = "tcp_connect"}) ==
          "latmon.tcp_connect.tcp_connect.berlin.web:1");
}

TEST_CASE("naming: Datadog gets tags, in the order own, target's, everybody's") {
    NamingOptions options = datadog_names();
    options.tags = {"env:prod"};
    options.container_id = "ci-0123";
    SeriesText series = target("madrid");
    series.tags = {"isp:a", "fast"};
    CHECK(line(options, series, {"owd", forward, ""}) ==
          "latmon.owd:1|#proto:udp,source:berlin,target:madrid,direction:fwd,class:bounded,isp:a,"
          "fast,env:prod|c:ci-0123");
}

TEST_CASE("naming: Graphite's tags are part of the name, one value for each key") {
    NamingOptions options = datadog_names();
    options.mode = Mode::statsd;
    options.tag_format = TagFormat::graphite;
    SeriesText series = target("2001:db8::1");
    series.tags = {"isp:a", "fast", "target:x", "isp:b"};
    CHECK(line(options, series, {.name = "rtt"}) ==
          "latmon.rtt;proto=udp;source=berlin;target=2001_db8__1;isp=a;fast=true;tag_target=x:1");
}

TEST_CASE("naming: what would end a name or a tag is replaced, a character by one") {
    CHECK(line(plain_names(), target("10.0.0.1"), {.name = "rtt"}) ==
          "latmon.udp.rtt.berlin.10_0_0_1:1");
    CHECK(line(plain_names(), target("a:b|c@d#e;f.g h/Zürich-1"), {.name = "rtt"}) ==
          "latmon.udp.rtt.berlin.a_b_c_d_e_f_g_h_Z_rich-1:1");
    SeriesText series = target("2001:db8::1");
    series.tags = {"a,b|c\n:#x, y"};
    CHECK(line(datadog_names(), series, {.name = "a-b c"}) ==
          "latmon.a_b_c:1|#proto:udp,source:berlin,target:2001:db8::1,a_b_c_:_x__y");
    // Statsd makes such tags parts of a name, and takes out what a name may not have.
    NamingOptions plain = datadog_names();
    plain.mode = Mode::statsd;
    CHECK(line(plain, series, {.name = "rtt"}) ==
          "latmon.rtt:1|#proto:udp,source:berlin,target:2001_db8__1,a_b_c_:_x__y");
}

TEST_CASE("naming: Datadog's limits: a letter in front, 200 characters") {
    NamingOptions options = datadog_names();
    options.prefix = "";
    CHECK(line(options, target("b"), {.name = "9lives"}).starts_with("x9lives:1|#"));
    const std::string name = line(options, target("b"), {.name = std::string(300, 'a')});
    CHECK(name.find(':') == 200);
    SeriesText series = target("b");
    series.tags = {"k:" + std::string(197, 'v') + "ü"};
    CHECK(line(options, series, {.name = "rtt"}).ends_with(",k:" + std::string(197, 'v')));
}

TEST_CASE("naming: a template may name anything, and what there is none of leaves no empty part") {
    NamingOptions options = plain_names();
    options.name_template = "{source}.{tag:isp}.{host}.{port}.x-{metric}.{target}";
    SeriesText series = target("madrid");
    series.tags = {"isp:a.b"};
    CHECK(line(options, series, {.name = "rtt"}) ==
          "latmon.berlin.a_b.192_0_2_1.8001.x-rtt.madrid:1");
    series.tags.clear();
    CHECK(line(options, series, {.name = "rtt"}) == "latmon.berlin.192_0_2_1.8001.x-rtt.madrid:1");
    const Dimension core[] = {{"core", "3"}};
    CHECK(line(plain_names(), of_application("uptime", LATMON_KIND_NODE),
               {"node.uptime", core, ""}) == "latmon.node.uptime.core3.berlin:1");
}

TEST_CASE("naming: what cannot be a name is refused, with the cure") {
    const auto fault = [](auto change) {
        NamingOptions options = plain_names();
        change(options);
        const std::expected<Naming, std::string> naming = Naming::make(options);
        return naming ? std::string() : naming.error();
    };
    CHECK(fault([](NamingOptions& o) { o.name_template = "{proto}"; }).find("no {metric}") !=
          std::string::npos);
    CHECK(fault([](NamingOptions& o) {
              o.name_template = "{metric}.{colour}";
          }).find("write {metric}, {proto}") != std::string::npos);
    CHECK(fault([](NamingOptions& o) { o.name_template = "{metric"; }).find("'}'") !=
          std::string::npos);
    CHECK(fault([](NamingOptions& o) {
              o.name_template = "a:b.{metric}";
          }).find("no name may have") != std::string::npos);
    CHECK(fault([](NamingOptions& o) { o.prefix = "lat mon."; }).find("prefix") !=
          std::string::npos);
    CHECK(fault([](NamingOptions& o) { o.tags = {"a:b"}; }).find("tag_format") !=
          std::string::npos);
    CHECK(fault([](NamingOptions& o) { o.container_id = "a|b"; }).find("container_id") !=
          std::string::npos);
    CHECK(fault([](NamingOptions& o) {
              o = datadog_names();
              o.prefix = "1.";
          }).find("begin with a letter") != std::string::npos);
    CHECK(fault([](NamingOptions& o) {
              o = datadog_names();
              o.prefix = "a-b.";
          }).find("prefix") != std::string::npos);
}

TEST_CASE("claims: two targets under one name are told, parts of one thing are not") {
    SeriesText other = target("a.b");
    DriverHost host({target("a_b"), other, target("c"), target("us", LATMON_KIND_REFLECTION),
                     target("us", LATMON_KIND_REFLECTION)});
    const Naming naming = naming_of(plain_names());
    Claims claims(host.table(), naming);
    claims.claim_all();
    CHECK(host.log_text().find("[WARNING] target a.b (udp 192.0.2.1 port 8001) and target a_b") !=
          std::string::npos);
    CHECK(host.log_text().find("have one name, latmon.udp.probes.sent.berlin.a_b:") !=
          std::string::npos);
    // And once, whoever asks again.
    const std::string log = host.log_text();
    CHECK_FALSE(claims.claim(*host.table()->series(host.table(), 1)));
    CHECK(host.log_text() == log);
    // Its owner has gone: the name is free.
    claims.release(0);
    CHECK(claims.claim(*host.table()->series(host.table(), 1)));
    CHECK(claims.claim(*host.table()->series(host.table(), 1)));
    CHECK_FALSE(claims.claim(*host.table()->series(host.table(), 0)));
}

}  // namespace
}  // namespace latmon::plugins::statsd
