// SPDX-License-Identifier: Apache-2.0
//
// Claims about [[targets]]: inheritance, sizes, hosts, tags, twins, and latency-monitor's own
// examples.
#include "config/read_targets.hpp"

#include "support/scratch_directory.hpp"
#include "unit/config/config_text.hpp"

namespace latmon {
namespace {

using Texts = std::vector<std::string>;

// The example of latency-monitor's manual.
constexpr std::string_view manual_example = R"(name = "this-host"
max_size = 65535
tcp_port = 17171
udp_port = 17172

[[targets]]
host = "127.0.0.1"
label = "foo"
tags = ["isp:local", "location:laptop"]

[[targets]]
host = "10.0.0.2"
label = "bar"
tcp_port = 1717
udp_port = 1718
size = 65535

[[targets]]
host = "10.0.0.3"
label = "baz"
type = "udp"
interval = 200

[[targets]]
host = "lm.example.com"
timeout = 2

[metrics]
backend = "clickhouse"
host = "click.example.com"
username = "super"
password = "secure"
)";

// The template of latency-monitor's manual, filled in.
constexpr std::string_view manual_template = R"([[targets]]
host = "192.0.2.7"
label = "seven"
type = "UDP"
rtt = false
tcp_latency = true
tcp_port = 8000
udp_port = 8001
size = 100
interval = 0.5
timeout = 0.25
tags = ["a:b"]
)";

TEST_CASE("read_targets: latency-monitor's example loads as it is") {
    const Config config = config_of(manual_example);
    REQUIRE(config.targets.size() == 4);
    CHECK(config.tcp_port == 17'171);
    CHECK(config.targets[0].label == "foo");
    CHECK(config.targets[0].tags == Texts{"isp:local", "location:laptop"});
    CHECK(config.targets[0].udp_port == 17'172);
    CHECK(config.targets[1].udp_port == 1'718);
    CHECK(config.targets[1].size_bytes == limits::probe_bytes_max);
    CHECK(config.targets[2].udp);
    CHECK_FALSE(config.targets[2].tcp);
    CHECK(config.targets[2].interval == Duration::from_ms(200));
    CHECK(config.targets[3].host == "lm.example.com");
    CHECK(config.targets[3].timeout == Duration::from_s(2));
    CHECK(config.targets[3].interval == Duration::from_s(1));
    CHECK(config.targets[3].where.line == 24);
    CHECK(config.exporters.at(0).plugin == "clickhouse");
    // Both sizes are more than a datagram holds.
    CHECK(warnings_of(manual_example).size() == 2);
}

TEST_CASE("read_targets: latency-monitor's template loads, type in capitals included") {
    const Config config = config_of(manual_template);
    const TargetConfig& target = config.targets.at(0);
    CHECK(target.udp);
    CHECK_FALSE(target.tcp);
    CHECK_FALSE(target.rtt);
    CHECK(target.size_bytes == 100);
    CHECK(target.interval == Duration::from_us(500));
    CHECK(target.timeout == Duration::from_ms(250));
}

TEST_CASE("read_targets: a target inherits the top level and overrides it") {
    const Config config = config_of(R"(
rtt = false
tcp_latency = false
interval = 10
timeout = 2
jitter = 1
max_lost = 3
source = "192.0.2.1"
interface = "eth0"
dscp = 46
size = 200
[[targets]]
host = "a"
[[targets]]
host = "b"
rtt = true
tcp_latency = true
interval = 20
timeout = 3
jitter = 2
max_lost = 4
source = ""
interface = ""
dscp = 0
size = 300
)");
    const TargetConfig& heir = config.targets.at(0);
    CHECK_FALSE(heir.rtt);
    CHECK_FALSE(heir.tcp_latency);
    CHECK(heir.interval == Duration::from_ms(10));
    CHECK(heir.timeout == Duration::from_s(2));
    CHECK(heir.jitter == Duration::from_ms(1));
    CHECK(heir.max_lost == 3);
    CHECK(heir.source == "192.0.2.1");
    CHECK(heir.interface == "eth0");
    CHECK(heir.dscp == 46);
    CHECK(heir.size_bytes == 200);
    const TargetConfig& own = config.targets.at(1);
    CHECK(own.rtt);
    CHECK(own.tcp_latency);
    CHECK(own.interval == Duration::from_ms(20));
    CHECK(own.timeout == Duration::from_s(3));
    CHECK(own.jitter == Duration::from_ms(2));
    CHECK(own.max_lost == 4);
    CHECK(own.source.empty());
    CHECK(own.interface.empty());
    CHECK(own.dscp == 0);
    CHECK(own.size_bytes == 300);
}

TEST_CASE("read_targets: the command line stands over the top level and under the target") {
    ConfigOverrides overrides;
    overrides.interval_ms = 5;
    overrides.timeout_s = 0.5;
    overrides.max_size_bytes = 60;
    overrides.max_lost = 2;
    overrides.rtt = false;
    overrides.tcp_latency = false;
    overrides.tcp_port = 81;
    const Config config = config_of(
        "interval = 7\nsize = 70\n[[targets]]\nhost = \"a\"\n"
        "[[targets]]\nhost = \"b\"\ninterval = 9\nsize = 90\nrtt = true\ntcp_port = 82\n",
        overrides);
    CHECK(config.targets[0].interval == Duration::from_ms(5));
    CHECK(config.targets[0].timeout == Duration::from_ms(500));
    CHECK(config.targets[0].size_bytes == 60);
    CHECK(config.targets[0].max_lost == 2);
    CHECK_FALSE(config.targets[0].rtt);
    CHECK_FALSE(config.targets[0].tcp_latency);
    CHECK(config.targets[0].tcp_port == 81);
    CHECK(config.targets[1].interval == Duration::from_ms(9));
    CHECK(config.targets[1].size_bytes == 90);
    CHECK(config.targets[1].rtt);
    CHECK(config.targets[1].tcp_port == 82);
}

std::uint32_t size_of_target(std::string_view top, std::string_view bottom) {
    std::string text(top);
    text += "\n[[targets]]\nhost = \"a\"\n";
    text += bottom;
    return config_of(text).targets.at(0).size_bytes;
}

TEST_CASE("read_targets: a probe is padded as latency-monitor's only in its shape of file") {
    CHECK(size_of_target("", "") == 1'470);
    CHECK(size_of_target("", "[metrics]\nbackend = \"log\"") == 1'470);
    CHECK(size_of_target("", "[[exporters]]\nplugin = \"cli\"") == 0);
    CHECK(size_of_target("max_size = 100", "[[exporters]]\nplugin = \"cli\"") == 100);
    CHECK(size_of_target("max_size = 100\nsize = 50", "") == 50);
}

TEST_CASE("read_targets: a size that no probe can have is brought to the nearest, with a warning") {
    CHECK(size_of_target("size = 1", "") == 44);
    CHECK(size_of_target("size = 43", "") == 44);
    CHECK(size_of_target("size = 44", "") == 44);
    CHECK(size_of_target("size = 65507", "") == 65'507);
    CHECK(size_of_target("size = 65535", "") == 65'507);
    CHECK(warnings_of("size = 43").size() == 1);
    CHECK(warnings_of("size = 44").empty());
    CHECK(warnings_of("size = 65508").size() == 1);
    CHECK(contains(errors_of("size = 65536"), "octets from 0 to 65535"));
    ConfigOverrides overrides;
    overrides.max_size_bytes = 20;
    CHECK(contains(warnings_of("", overrides).at(0), "command line: --max-size is 20; 44"));
}

TEST_CASE(
    "read_targets: a size of 0 leaves it to the plan, in either shape and over a padded one") {
    CHECK(size_of_target("size = 0", "") == 0);
    CHECK(size_of_target("max_size = 200", "size = 0") == 0);
    CHECK(warnings_of("size = 0").empty());
}

TEST_CASE("read_targets: the least size depends on protocol and key, inherited or not") {
    CHECK(size_of_target("protocol = \"twamp-light\"\nsize = 13", "") == 14);
    CHECK(size_of_target("size = 20", "protocol = \"twamp-light\"\nsize = 20") == 20);
    CHECK(size_of_target("key_file = \"/k\"\nsize = 111", "") == 112);
    CHECK(size_of_target("size = 60", "key_file = \"/k\"") == 112);
    CHECK(size_of_target("size = 14\nprotocol = \"twamp-light\"", "protocol = \"stamp\"") == 44);
    CHECK(warnings_of("size = 60\n[[targets]]\nhost = \"a\"\nkey_file = \"/k\"\n") ==
          Texts{"t.toml:2:1: \"size\" is 60; 112 octets are used, the least that holds a probe"});
}

// -- Packets ----------------------------------------------------------------------------------

TEST_CASE("read_targets: what packets are is inherited and overridden") {
    const Config config = config_of(R"(
timestamp_format = "ptp"
tlvs = ["location", "exchange"]
key_file = "/a"
trust_clock = true
lenient_echo = true
descriptor = false
reflector_mode = "stateful"
on_ssid_zero = "base"
[[targets]]
host = "a"
[[targets]]
host = "b"
protocol = "TWAMP-Light"
timestamp_format = "ntp"
tlvs = []
key_file = ""
trust_clock = false
lenient_echo = false
descriptor = true
reflector_mode = "stateless"
on_ssid_zero = "stop"
)");
    const TargetConfig& heir = config.targets.at(0);
    CHECK(heir.protocol == ProbeProtocol::automatic);
    CHECK(heir.timestamp_format == TimestampFormat::ptp);
    CHECK(heir.tlvs == (tlv_exchange_bit | tlv_location_bit));
    CHECK(heir.key_file == "/a");
    CHECK(heir.trust_clock);
    CHECK(heir.lenient_echo);
    CHECK_FALSE(heir.descriptor);
    CHECK(heir.reflector_mode == ReflectorMode::stateful);
    CHECK(heir.on_ssid_zero == OnSsidZero::base);
    const TargetConfig& own = config.targets.at(1);
    CHECK(own.protocol == ProbeProtocol::twamp_light);
    CHECK(own.timestamp_format == TimestampFormat::ntp);
    CHECK(own.tlvs == 0);
    CHECK(own.key_file.empty());
    CHECK_FALSE(own.trust_clock);
    CHECK_FALSE(own.lenient_echo);
    CHECK(own.descriptor);
    CHECK(own.reflector_mode == ReflectorMode::stateless);
    CHECK(own.on_ssid_zero == OnSsidZero::stop);
}

TEST_CASE("read_targets: words of packets that are not known are told with those that are") {
    CHECK(errors_of("protocol = \"stmp\"") ==
          "t.toml:1:12: \"stmp\" is not known here; did you mean \"stamp\"? write one of "
          "\"auto\", \"stamp\", \"twamp-light\", \"latency-monitor\"");
    CHECK(contains(errors_of("tlvs = [\"exchange\", \"folow_up\"]"),
                   "t.toml:1:21: \"folow_up\" is not known here; did you mean \"follow_up\"? "));
    CHECK(contains(errors_of("on_ssid_zero = \"go on\""), "\"continue\", \"base\", \"stop\""));
    CHECK(contains(errors_of("reflector_mode = true"), "a string in quotes"));
    CHECK(contains(errors_of("[[targets]]\nhost = \"a\"\ntrust_clok = true"),
                   "did you mean \"trust_clock\"?"));
    CHECK(contains(errors_of("[[targets]]\nhost = \"a\"\nstamps = \"user\""), "top level"));
}

TEST_CASE("read_targets: TWAMP-Light has no key, and says so where UDP is probed") {
    const std::string text =
        errors_of("key_file = \"/k\"\n[[targets]]\nhost = \"a\"\nprotocol = \"twamp-light\"\n");
    CHECK(text.starts_with("t.toml:2:1: \"key_file\" does not go with protocol \"twamp-light\""));
    CHECK(contains(text, "write protocol = \"stamp\", or key_file = \"\""));
    CHECK(contains(errors_of("protocol = \"twamp-light\"\n[[targets]]\nhost = \"a\"\n"
                             "key_file = \"/k\"\n"),
                   "t.toml:4:12: "));
    CHECK(errors_of("key_file = \"/k\"\nprotocol = \"twamp-light\"\n[[targets]]\nhost = \"a\"\n"
                    "type = \"tcp\"\n") == "");
    CHECK(errors_of("key_file = \"/k\"\n[[targets]]\nhost = \"a\"\nprotocol = \"twamp-light\"\n"
                    "key_file = \"\"\n") == "");
}

TEST_CASE("read_targets: the ancestor's format has no key over either protocol") {
    for (const char* type : {"", "type = \"udp\"\n", "type = \"tcp\"\n"}) {
        const std::string text = errors_of(
            "key_file = \"/k\"\n[[targets]]\nhost = \"a\"\n"
            "protocol = \"latency-monitor\"\n" +
            std::string(type));
        CHECK(
            text.starts_with("t.toml:2:1: \"key_file\" does not go with protocol "
                             "\"latency-monitor\""));
    }
    CHECK(errors_of("protocol = \"latency-monitor\"\n[[targets]]\nhost = \"a\"\n") == "");
}

TEST_CASE("read_targets: port is short for both, a protocol's own port wins") {
    const Config config = config_of(
        "[[targets]]\nhost = \"a\"\nport = 9\n[[targets]]\nhost = \"b\"\nport = 9\ntcp_port = 8\n");
    CHECK(config.targets[0].udp_port == 9);
    CHECK(config.targets[0].tcp_port == 9);
    CHECK(config.targets[1].udp_port == 9);
    CHECK(config.targets[1].tcp_port == 8);
}

TEST_CASE("read_targets: a protocol that is off at the top is off for all") {
    const Config config = config_of(
        "tcp = false\n[[targets]]\nhost = \"a\"\n[[targets]]\nhost = \"b\"\ntype = \"tcp\"\n");
    CHECK(config.targets[0].udp);
    CHECK_FALSE(config.targets[0].tcp);
    CHECK_FALSE(config.targets[1].udp);
    CHECK_FALSE(config.targets[1].tcp);
    CHECK(contains(warnings_of("tcp = false\n[[targets]]\nhost = \"a\"\ntype = \"tcp\"\n").at(0),
                   "t.toml:2:1: target \"a\" is not probed"));
}

TEST_CASE("read_targets: a host is one address or one name") {
    const auto error_of_host = [](const std::string& host) {
        return errors_of("[[targets]]\nhost = \"" + host + "\"\n");
    };
    for (const char* host :
         {"192.0.2.1", "2001:db8::1", "a", "a-b.example.com", "a_b", "zürich", "3com.example"}) {
        CAPTURE(host);
        CHECK(error_of_host(host) == "");
    }
    CHECK(contains(error_of_host("192.0.2.1:8000"), "ports go into"));
    CHECK(contains(error_of_host("[::1]"), "neither an address nor a name"));
    CHECK(contains(error_of_host("http://a"), "neither an address nor a name"));
    CHECK(contains(error_of_host("192.0.2.256"), "four numbers"));
    CHECK(contains(error_of_host("10.1"), "four numbers"));
    CHECK(contains(error_of_host("224.0.0.1"), "not one host's"));
    CHECK(contains(error_of_host("0.0.0.0"), "127.0.0.1"));
    CHECK(contains(error_of_host("fe80::1%nosuch0"), "interface"));
    CHECK(contains(error_of_host(""), "empty"));
    CHECK(contains(error_of_host(std::string(254, 'a')), "longer"));
    CHECK(contains(errors_of("[[targets]]\nlabel = \"x\""), "t.toml:1:1: this [[targets]] table"));
}

TEST_CASE("read_targets: a tag is key:value, and the value may hold colons") {
    const Config config =
        config_of("[[targets]]\nhost = \"a\"\ntags = [\"url:http://x:1\", \"k:\"]\n");
    CHECK(config.targets[0].tags == Texts{"url:http://x:1", "k:"});
    CHECK(contains(errors_of("[[targets]]\nhost = \"a\"\ntags = [\"a:b\", \":v\", \"x\"]\n"),
                   "t.toml:3:16: tag \":v\" has no key; write \"key:value\"\nt.toml:3:22: "));
    CHECK(contains(errors_of("[[targets]]\nhost = \"a\"\ntags = [1]\n"), "holds an integer"));
}

TEST_CASE("read_targets: two targets that no metric could tell apart are refused") {
    const auto twins = [](const std::string& first, const std::string& second) {
        return errors_of("[[targets]]\n" + first + "\n[[targets]]\n" + second + "\n");
    };
    CHECK(twins("host = \"a\"", "host = \"a\"") ==
          "t.toml:3:1: target \"a\" is probed by the same protocol and port as the one in line 1; "
          "give one of the two a \"label\" of its own");
    CHECK(twins("host = \"a\"\nlabel = \"x\"", "host = \"b\"\nlabel = \"x\"") != "");
    CHECK(twins("host = \"x\"", "host = \"b\"\nlabel = \"x\"") != "");
    CHECK(twins("host = \"a\"\ntype = \"tcp\"", "host = \"a\"") != "");
    CHECK(twins("host = \"a\"\nudp_port = 1", "host = \"a\"") != "");
    CHECK(twins("host = \"a\"", "host = \"b\"") == "");
    CHECK(twins("host = \"a\"", "host = \"a\"\nlabel = \"x\"") == "");
    CHECK(twins("host = \"a\"\ntype = \"tcp\"", "host = \"a\"\ntype = \"udp\"") == "");
    CHECK(twins("host = \"a\"\nport = 1", "host = \"a\"") == "");
}

// Files one.json and two.json of these contents, in two tables: what is wrong with them, the
// directory left out.
struct Files {
    Files(const std::string& one, const std::string& two) {
        test::write_text(scratch.file("one.json"), one);
        test::write_text(scratch.file("two.json"), two);
        text = "[[target_files]]\npath = \"" + scratch.file("one.json") +
               "\"\n[[target_files]]\npath = \"" + scratch.file("two.json") + "\"\n";
    }
    [[nodiscard]] std::string errors(const std::string& more = "") const {
        std::string errors = errors_of(text + more);
        const std::string folder = scratch.path() + "/";
        for (std::size_t at = errors.find(folder); at != std::string::npos;
             at = errors.find(folder)) {
            errors.erase(at, folder.size());
        }
        return errors;
    }

    test::ScratchDirectory scratch;
    std::string text;
};

TEST_CASE("read_targets: what is wrong with a file's target says where it is listed") {
    const std::string one = R"([{"targets": ["127.0.0.3"]}])";
    CHECK(Files(one, R"([{"targets": []}, {"targets": ["x", "127.0.0.3"], "labels": {"k": "v"}}])")
              .errors() ==
          "t.toml:3:1: two.json: group 2, target 2: target \"127.0.0.3\" is probed by the same "
          "protocol and port as the one in one.json: group 1, target 1; give one of the two a "
          "\"__latmon_label\" of its own");
    CHECK(contains(Files(one, "[]").errors("[[targets]]\nhost = \"127.0.0.3\"\n"),
                   "t.toml:1:1: one.json: group 1, target 1: target \"127.0.0.3\" is probed by the "
                   "same protocol and port as the one in line 5; "));
    CHECK(contains(Files(one, R"([{"targets": ["a", "1.2.3"]}])").errors(),
                   "t.toml:3:1: two.json: group 1, target 2: target \"1.2.3\" is no IPv4"));
    CHECK(contains(Files(one, "[\n\"").errors(), "t.toml:3:1: two.json: not JSON at line 2, "));
}

TEST_CASE("read_targets: targets that files list twice, the same in everything, are one") {
    const std::string one =
        R"([{"targets": ["a", "b:1", "a"], "labels": {"k": "v"}}, {"targets": ["c"]}])";
    const Files files(one, R"([{"targets": ["d", "a"], "labels": {"k": "v"}}])");
    REQUIRE(files.errors() == "");
    const Config config = config_of(files.text);
    std::string hosts;
    for (const TargetConfig& target : config.targets)
        hosts += target.host;
    CHECK(hosts == "abcd");
    // Another interval is another target.
    CHECK(contains(files.errors("interval = 100\n"), "two.json: group 1, target 2: target \"a\""));
    // And what is no file's is not taken for one.
    CHECK(contains(Files("[]", "[]").errors(target_text(1) + target_text(1)),
                   "as the one in line 5; give one of the two a \"label\" of its own"));
}

TEST_CASE("read_targets: jitter is at most half of the interval") {
    CHECK(errors_of("[[targets]]\nhost = \"a\"\njitter = 500\n") == "");
    CHECK(contains(errors_of("[[targets]]\nhost = \"a\"\njitter = 500.1\n"), "t.toml:3:10: "));
    CHECK(contains(errors_of("jitter = 500\n[[targets]]\nhost = \"a\"\ninterval = 900\n"),
                   "t.toml:2:1: \"jitter\" is 500 ms at an interval of 900 ms"));
}

TEST_CASE("read_targets: a source is a literal of the host's family") {
    CHECK(contains(errors_of("source = \"eth0\""), "t.toml:1:10: \"source\" is \"eth0\""));
    CHECK(contains(errors_of("source = \"::1\"\n[[targets]]\nhost = \"192.0.2.1\""),
                   "write an IPv4 source"));
    CHECK(contains(errors_of("[[targets]]\nhost = \"::1\"\nsource = \"192.0.2.1\""),
                   "t.toml:3:10: "));
    CHECK(errors_of("source = \"::1\"\n[[targets]]\nhost = \"a.example\"") == "");
}

TEST_CASE("read_targets: an interface has a name that the kernel could have") {
    CHECK(errors_of("interface = \"enp0s31f6.1024\"") == "");
    CHECK(errors_of("interface = \"enp0s31f6.102400\"") != "");
    CHECK(errors_of("interface = \"a/b\"") != "");
}

TEST_CASE("read_targets: targets are tables with two brackets") {
    CHECK(contains(errors_of("[targets]\nhost = \"a\""), "[[targets]], with two brackets"));
    CHECK(contains(errors_of("targets = [\"a\"]"), "holds a string"));
    CHECK(config_of("targets = [{ host = \"a\" }]").targets.size() == 1);
}

TEST_CASE("read_targets: ranges of a target are those of the top level") {
    for (const char* line : {"interval = 0.09", "interval = 86400001", "timeout = 0.0009",
                             "timeout = 61", "timeout = nan", "max_lost = 0", "dscp = 64",
                             "jitter = -1", "port = 0", "udp_port = 65536", "size = -1",
                             "interval = \"1s\"", "interval = true", "type = \"icmp\""}) {
        CAPTURE(line);
        const std::string text = errors_of(std::string("[[targets]]\nhost = \"a\"\n") + line);
        CHECK(text.starts_with("t.toml:3:"));
        CHECK(contains(text, "; "));
    }
}

}  // namespace
}  // namespace latmon
