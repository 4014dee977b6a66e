// SPDX-License-Identifier: Apache-2.0
//
// Claims about the top level.
#include "config/read_config.hpp"

#include "unit/config/config_text.hpp"

namespace latmon {
namespace {

using Texts = std::vector<std::string>;

TEST_CASE("read_config: an empty file is the defaults") {
    const Config config = config_of("");
    CHECK(config.name == host_name());
    CHECK(config.listen_addresses == Texts{"0.0.0.0", "::"});
    CHECK_FALSE(config.is_listen_explicit);
    CHECK(config.targets.empty());
    CHECK(config.reflector.allow.size() == 9);
}

TEST_CASE("read_config: every key of the top level arrives") {
    const Config config = config_of(R"(
name = "n"
address = ["192.0.2.1", "2001:db8::1"]
tcp_port = 1
udp_port = 2
stamp_port = 0
tcp = false
udp = false
log_level = "DEBUG"
log_file = "/var/log/x"
cores = [2, 0]
precision = "Spin"
plugin_path = "/p"
node_interval = 0
resolve_interval = 2.5
stamps = "kernel"
)");
    CHECK(config.name == "n");
    CHECK(config.listen_addresses == Texts{"192.0.2.1", "2001:db8::1"});
    CHECK(config.is_listen_explicit);
    CHECK(config.tcp_port == 1);
    CHECK(config.udp_port == 2);
    CHECK(config.stamp_port == 0);
    CHECK(config.is_stamp_port_explicit);
    CHECK_FALSE(config.tcp);
    CHECK_FALSE(config.udp);
    CHECK(config.log_level == LogLevel::debug);
    CHECK(config.log_file == "/var/log/x");
    CHECK(config.cores == std::vector<std::uint32_t>{2, 0});
    CHECK(config.precision == Precision::spin);
    CHECK(config.plugin_path == Texts{"/p"});
    CHECK(config.node_interval == Duration{});
    CHECK(config.resolve_interval == Duration::from_ms(2'500));
    CHECK(config.stamps == StampPolicy::kernel);
}

TEST_CASE("read_config: an address is one literal or several, each once") {
    CHECK(config_of("address = \"0.0.0.0\"").listen_addresses == Texts{"0.0.0.0"});
    CHECK(config_of("address = \"0.0.0.0\"").is_listen_explicit);
    CHECK_FALSE(config_of("address = \"\"").is_listen_explicit);
    CHECK(contains(errors_of("address = []"), "empty list"));
    CHECK(contains(errors_of("address = \"eth0\""), "t.toml:1:11: "));
    CHECK(contains(errors_of("address = \"192.0.2.1:80\""), "without a port"));
    CHECK(contains(errors_of("address = \"224.0.0.1\""), "no address of this host"));
    CHECK(contains(errors_of("address = [\"::1\", \"0:0::1\"]"), "t.toml:1:19: "));
}

TEST_CASE("read_config: cores are numbers, ranges or auto") {
    CHECK(config_of("cores = \"auto\"").cores.empty());
    CHECK(config_of("cores = \"0-1,3\"").cores == std::vector<std::uint32_t>{0, 1, 3});
    CHECK(contains(errors_of("cores = 2"), "\"cores\" is an integer; write \"auto\""));
    CHECK(contains(errors_of("cores = [0, 0]"), "\"cores\" is \"0,0\""));
    CHECK(contains(errors_of("cores = []"), "\"cores\" is \"\""));
    CHECK(contains(errors_of("cores = [-1]"), "\"cores\" is a list"));
}

TEST_CASE("read_config: a port out of range is told with the range, once") {
    CHECK(errors_of("udp_port = 0") ==
          "t.toml:1:12: \"udp_port\" is 0; write a port from 1 to 65535");
    CHECK(errors_of("tcp_port = 65536") ==
          "t.toml:1:12: \"tcp_port\" is 65536; write a port from 1 to 65535");
    CHECK(errors_of("tcp_port = \"8000\"") ==
          "t.toml:1:12: \"tcp_port\" is a string; write a port from 1 to 65535");
    CHECK(errors_of("stamp_port = -1") != "");
}

TEST_CASE("read_config: a key in the wrong table is told where it belongs") {
    CHECK(contains(errors_of("tags = []"), "[[targets]]"));
    CHECK(contains(errors_of("allow = []"), "[reflector]"));
    CHECK(contains(errors_of("plugin = \"x\""), "[[exporters]]"));
    CHECK(contains(errors_of("drift_ppm = 1"), "[clock]"));
    CHECK(contains(errors_of("prefixes = []"), "[[reflector.keys]]"));
    CHECK(contains(errors_of("[[targets]]\nhost = \"a\"\nname = \"x\""), "top level"));
}

TEST_CASE("read_config: control characters get into no name") {
    CHECK(contains(errors_of("name = \"a\\nb\""), "control character"));
    CHECK(contains(errors_of("name = \"a\\u0000b\""), "control character"));
    CHECK(config_of("name = \"Zürich\"").name == "Zürich");
}

TEST_CASE("read_config: a table in place of a value, and a value in place of a table, are told") {
    CHECK(contains(errors_of("[name]"), "\"name\" is a table"));
    CHECK(contains(errors_of("reflector = 1"), "[reflector], with one bracket"));
    CHECK(contains(errors_of("[[reflector]]"), "[reflector], with one bracket"));
    CHECK(contains(errors_of("rtt = 1"), "true or false"));
    CHECK(contains(errors_of("name = 1979-05-27"), "a date"));
}

TEST_CASE("read_config: the command line stands over the file") {
    ConfigOverrides overrides;
    overrides.name = "cli";
    overrides.log_level = LogLevel::error;
    overrides.log_file = "/x";
    overrides.tcp = false;
    overrides.udp_port = 9;
    const Config config = config_of(
        "name = \"file\"\nlog_level = \"debug\"\nlog_file = \"/y\"\nudp_port = 7\n", overrides);
    CHECK(config.name == "cli");
    CHECK(config.log_level == LogLevel::error);
    CHECK(config.log_file == "/x");
    CHECK_FALSE(config.tcp);
    CHECK(config.udp);
    CHECK(config.udp_port == 9);
}

TEST_CASE("read_config: a value out of range on the command line is told as such") {
    ConfigOverrides overrides;
    overrides.interval_ms = 0.05;
    overrides.udp_port = 0;
    const std::string text = errors_of("", overrides);
    CHECK(contains(text, "command line: --interval is 0.05; write milliseconds from 0.1"));
    CHECK(contains(text, "command line: --udp-port is 0; write a port from 1 to 65535"));
}

}  // namespace
}  // namespace latmon
