// SPDX-License-Identifier: Apache-2.0
//
// What stands in a probe's packets of the ancestor's format, octet by octet.
#include "probe/ancestor_template.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <string>

namespace latmon {
namespace {

constexpr std::int64_t t1_ns = 1'767'225'600'123'456'789;

ProbePlan plan_of(std::uint32_t size_bytes, std::vector<std::string> tags = {}) {
    ProbePlan plan;
    plan.protocol = ProbeProtocol::ancestor;
    plan.size_bytes = size_bytes;
    plan.node_name = "web1";
    plan.tags = std::move(tags);
    return plan;
}

std::string sent(const AncestorTemplate& ancestor) {
    std::string text;
    const msghdr& header = ancestor.message().header();
    for (std::size_t part = 0; part < header.msg_iovlen; ++part) {
        text.append(static_cast<const char*>(header.msg_iov[part].iov_base),
                    header.msg_iov[part].iov_len);
    }
    return text;
}

std::string written(const ProbePlan& plan, const AncestorRequest& request) {
    AncestorTemplate ancestor(plan);
    ancestor.write(request);
    CHECK(ancestor.packet_bytes() == sent(ancestor).size());
    return sent(ancestor);
}

AncestorPacket reply_with(std::string_view tags) {
    AncestorPacket reply;
    reply.tags = tags;
    return reply;
}

std::span<const std::byte> octets(std::string_view text) {
    return std::as_bytes(std::span(text));
}

}  // namespace

TEST_CASE("ancestor_template: number, name, time, tags as Python prints them, and padding") {
    const std::string head = "7|web1|1767225600123456789|['isp:x', 'a:b']|";
    const std::string text =
        written(plan_of(100, {"isp:x", "a:b"}), {.sequence = 0, .number = 7, .t1_ns = t1_ns});
    CHECK(text == head + std::string(100 - head.size(), '0'));
}

TEST_CASE("ancestor_template: a packet that asks for latmon has one blank more, and one length") {
    for (const std::uint32_t size : {0U, 33U, 200U}) {
        const std::string asking =
            written(plan_of(size), {.number = 100, .hello = ancestor_hello_asked, .t1_ns = t1_ns});
        const std::string plain = written(plan_of(size), {.number = 3, .t1_ns = t1_ns});
        CHECK(asking.starts_with("100|web1|1767225600123456789|[] |"));
        CHECK(plain.starts_with("3|web1|1767225600123456789|[]|"));
        CHECK(asking.size() == plain.size());
        CHECK(asking.size() == std::max<std::size_t>(size, 33));
    }
}

TEST_CASE("ancestor_template: the largest packet is padded to its end") {
    const std::string text = written(plan_of(65'507), {.number = 0, .t1_ns = t1_ns});
    CHECK(text.size() == 65'507);
    CHECK(text.find_first_not_of('0', 40) == std::string::npos);
}

TEST_CASE("ancestor_template: a name that breaks the format is told without what breaks it") {
    ProbePlan plan = plan_of(0);
    plan.node_name = "a|b\nc";
    CHECK(written(plan, {.number = 0, .t1_ns = t1_ns}).starts_with("0|a_b_c|17"));
}

TEST_CASE("ancestor_template: only what echoes our tags is a reply to us") {
    const AncestorTemplate ancestor(plan_of(0, {"isp:x"}));
    CHECK(ancestor.is_echoed_by(reply_with("['isp:x']")));
    CHECK(!ancestor.is_echoed_by(reply_with("['isp:y']")));
    CHECK(!ancestor.is_echoed_by(reply_with("")));
}

TEST_CASE("ancestor_template: the start of a packet says its number, if it is ours") {
    const AncestorTemplate ancestor(plan_of(0));
    CHECK(ancestor.number_of(octets("7|web1|176722")) == 7);
    CHECK(ancestor.number_of(octets("100|we")) == 100);
    for (const char* other :
         {"", "7", "7|", "101|web1|", "7|web2|", "x|web1|", "|web1|", "300|w"}) {
        CAPTURE(other);
        CHECK(!ancestor.number_of(octets(other)));
    }
}

TEST_CASE("ancestor_template: tags that have no room are left out, and told beforehand") {
    std::vector<std::string> tags(33, "k:v");
    tags.emplace(tags.begin() + 1, "long:" + std::string(1'024, 'x'));
    ProbePlan plan = plan_of(0, tags);
    plan.host = "far";
    const std::string text = written(plan, {.number = 0, .t1_ns = t1_ns});
    CHECK(text.find("long") == std::string::npos);
    CHECK(std::count(text.begin(), text.end(), ':') == 32);
    Plan whole;
    whole.cores.push_back({.cpu = 0, .probes = {plan, plan}});  // UDP and TCP of one target.
    const std::vector<std::string> warnings = ancestor_warnings(whole);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].starts_with("target \"far\": tags \"long:xxx"));
    whole.cores[0].probes[0].protocol = whole.cores[0].probes[1].protocol = ProbeProtocol::stamp;
    CHECK(ancestor_warnings(whole).empty());
}

TEST_CASE("ancestor_template: of other protocols nothing is made") {
    ProbePlan plan = plan_of(100);
    plan.protocol = ProbeProtocol::stamp;
    CHECK(AncestorTemplate::make(plan) == nullptr);
}

}  // namespace latmon
