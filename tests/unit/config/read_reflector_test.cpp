// SPDX-License-Identifier: Apache-2.0
//
// Claims about [reflector] and [[reflector.keys]].
#include "config/read_reflector.hpp"

#include "unit/config/config_text.hpp"

namespace latmon {
namespace {

TEST_CASE("read_reflector: the reflector answers what is listed, or anybody") {
    const Config listed = config_of(
        "[reflector]\nallow = [\"10.0.0.0/8\", \"::1\"]\n"
        "service_source_allow = \"192.0.2.0/24\"\n"
        "rate_per_source = 1\nburst_per_source = 2\nrate_total = 3\n");
    REQUIRE(listed.reflector.allow.size() == 2);
    CHECK(to_string(listed.reflector.allow[0]) == "10.0.0.0/8");
    CHECK_FALSE(listed.reflector.allow_any);
    REQUIRE(listed.reflector.service_source_allow.size() == 1);
    CHECK(listed.reflector.rate_per_source == 1);
    CHECK(listed.reflector.burst_per_source == 2);
    CHECK(listed.reflector.rate_total == 3);
    CHECK(config_of("[reflector]\nallow = []").reflector.allow.empty());
    CHECK(config_of("[reflector]\nallow = [\"any\"]").reflector.allow_any);
}

TEST_CASE("read_reflector: bad prefixes are told one by one") {
    const std::string text = errors_of(
        "[reflector]\nallow = [\"10.0.0.1/8\", \"any\"]\n"
        "service_source_allow = [\"any\"]\n");
    CHECK(contains(text, "t.toml:2:10: \"10.0.0.1/8\" is no prefix"));
    CHECK(contains(text, "t.toml:2:24: \"any\" stands for all"));
    CHECK(contains(text, "t.toml:3:25: \"any\" is no prefix"));
}

TEST_CASE("read_reflector: how it answers arrives") {
    const ReflectorConfig reflector = config_of(R"(
[reflector]
sessions_per_source = 16384
mode = "stateless"
ancestor = false
fill_location = true
timestamp_format = "ptp"
dscp_allow = [0, 46, 63, 46]
)")
                                          .reflector;
    CHECK(reflector.sessions_per_source == 16'384);
    CHECK_FALSE(reflector.is_stateful);
    CHECK_FALSE(reflector.answers_ancestor);
    CHECK(reflector.fills_location);
    CHECK(reflector.timestamp_format == TimestampFormat::ptp);
    CHECK(reflector.dscp_allow == (1ULL | 1ULL << 46U | 1ULL << 63U));
    CHECK(config_of("[reflector]\nmode = \"stateful\"").reflector.is_stateful);
    CHECK(config_of("[reflector]\nmode = \"stateful\"").reflector.answers_ancestor);
}

TEST_CASE("read_reflector: what is out of range is told with the range") {
    CHECK(contains(errors_of("[reflector]\nsessions_per_source = 0"), "sessions from 1 to 16384"));
    CHECK(errors_of("[reflector]\nsessions_per_source = 16385") != "");
    CHECK(errors_of("[reflector]\nmode = \"auto\"") ==
          "t.toml:2:8: \"auto\" is not known here; write one of \"stateful\", \"stateless\"");
    CHECK(
        errors_of("[reflector]\ndscp_allow = [1, 64, -1, \"x\"]") ==
        "t.toml:2:18: \"dscp_allow\" holds 64; write a list of code points from 0 to 63: [0, 46]\n"
        "t.toml:2:22: \"dscp_allow\" holds -1; write a list of code points from 0 to 63: [0, 46]\n"
        "t.toml:2:26: \"dscp_allow\" holds a string; write a list of code points from 0 to 63: "
        "[0, 46]");
    CHECK(contains(errors_of("[reflector]\ndscp_allow = 46"), "write a list of code points"));
}

TEST_CASE("read_reflector: keys come in the file's order, each with its prefixes") {
    const ReflectorConfig reflector = config_of(R"(
[reflector]
rate_total = 5
[[reflector.keys]]
prefixes = ["192.0.2.0/24", "::1"]
key_file = "/a"
[[reflector.keys]]
prefixes = "0.0.0.0/0"
key_file = "/b"
)")
                                          .reflector;
    CHECK(reflector.rate_total == 5);
    REQUIRE(reflector.keys.size() == 2);
    REQUIRE(reflector.keys[0].prefixes.size() == 2);
    CHECK(to_string(reflector.keys[0].prefixes[0]) == "192.0.2.0/24");
    CHECK(reflector.keys[0].key_file == "/a");
    CHECK(reflector.keys[0].where.line == 4);
    CHECK(reflector.keys[1].key_file == "/b");
}

TEST_CASE("read_reflector: a key that would protect nobody is an error") {
    const auto errors_of_key = [](const std::string& text) {
        return errors_of("[[reflector.keys]]\n" + text);
    };
    CHECK(contains(errors_of_key("key_file = \"/k\""),
                   "t.toml:1:1: this [[reflector.keys]] table "
                   "has no \"prefixes\"; add prefixes"));
    CHECK(contains(errors_of_key("prefixes = [\"::1\"]"), "has no \"key_file\"; add key_file"));
    CHECK(contains(errors_of_key("prefixes = []\nkey_file = \"/k\""),
                   "t.toml:2:12: \"prefixes\" is"));
    CHECK(contains(errors_of_key("prefixes = \"::1\"\nkey_file = \"\""), "\"key_file\" is empty"));
    CHECK(contains(errors_of_key("prefixes = \"any\"\nkey_file = \"/k\""), "is no prefix"));
    CHECK(contains(errors_of_key("prefix = \"::1\""), "did you mean \"prefixes\"?"));
    CHECK(contains(errors_of("[reflector.keys]\nkey_file = \"/k\""), "with two brackets"));
    CHECK(contains(errors_of("[reflector]\nkeys = [1]"), "\"keys\" holds an integer"));
}

}  // namespace
}  // namespace latmon
