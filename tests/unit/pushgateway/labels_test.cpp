// SPDX-License-Identifier: Apache-2.0
//
// Labels out of what people write.
#include "pushgateway/labels.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins::pushgateway {
namespace {

constexpr std::string_view reserved[] = {"source", "instance"};

std::string tags_text(std::vector<const char*> tags, bool* is_changed = nullptr) {
    latmon_series_t series{};
    series.tags = tags.data();
    series.tags_count = static_cast<std::uint32_t>(tags.size());
    Labels labels;
    const bool is = add_tags(labels, series, reserved);
    if (is_changed != nullptr) *is_changed = is;
    return labels.text();
}

TEST_CASE("labels: a name that is legal stays, and every other becomes one") {
    CHECK(label_name("isp") == "isp");
    CHECK(label_name("isp-name") == "isp_name");
    CHECK(label_name("9th") == "_9th");
    CHECK(label_name("") == "_");
    CHECK(label_name("__name__") == "_name__");
    CHECK(label_name("\xC3\xA9") == "_");
}

TEST_CASE("labels: a value is escaped, and octets that are not UTF-8 are replaced") {
    Labels labels;
    labels.set("a", "q\"b\\n\n\t");
    labels.set("b", "Z\xC3\xBCrich \xF0\x9F\x98\x80");
    labels.set("c",
               "\xFF"
               "x\xC3"
               "\xED\xA0\x80");
    CHECK(labels.text() ==
          "a=\"q\\\"b\\\\n\\n\t\",b=\"Z\xC3\xBCrich \xF0\x9F\x98\x80\","
          "c=\"\xEF\xBF\xBDx\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST_CASE("labels: a tag is split at its first colon") {
    CHECK(tags_text({"isp:local", "via:2001:db8::1", "empty:"}) ==
          R"(isp="local",via="2001:db8::1",empty="")");
}

TEST_CASE("labels: a tag without a colon is true") {
    CHECK(tags_text({"backup"}) == R"(backup="true")");
}

TEST_CASE("labels: of tags that get the same name the last wins, and it is told") {
    bool is_changed = false;
    CHECK(tags_text({"a-b:1", "c:2", "a_b:3"}, &is_changed) == R"(a_b="3",c="2")");
    CHECK(is_changed);
    CHECK(tags_text({"x:1", "y:2"}, &is_changed) == R"(x="1",y="2")");
    CHECK_FALSE(is_changed);
    CHECK(tags_text({"x:1", "x:2"}, &is_changed) == R"(x="2")");
    CHECK(is_changed);
}

TEST_CASE("labels: a tag cannot take the place of a label of ours") {
    bool is_changed = false;
    CHECK(tags_text({"source:me", "instance:you"}, &is_changed) ==
          R"(tag_source="me",tag_instance="you")");
    CHECK(is_changed);
}

TEST_CASE("labels: a path's value that is plain stands as it is") {
    CHECK(path_segment("job", "latency-monitor") == "/job/latency-monitor");
    CHECK(path_segment("instance", "host_1.example~") == "/instance/host_1.example~");
}

TEST_CASE("labels: every other value of a path is base64 that is safe in a URL") {
    CHECK(path_segment("instance", "host/a") == "/instance@base64/aG9zdC9h");
    CHECK(path_segment("instance", "") == "/instance@base64/=");
    CHECK(path_segment("instance", "a b") == "/instance@base64/YSBi");
    CHECK(path_segment("instance", "..") == "/instance@base64/Li4=");
    CHECK(path_segment("instance", "\xFB\xFF\xBF") == "/instance@base64/-_-_");
}

}  // namespace
}  // namespace latmon::plugins::pushgateway
