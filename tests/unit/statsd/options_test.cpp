// SPDX-License-Identifier: Apache-2.0
//
// What an operator may write, where Datadog's variables come in, and what is refused.
#include "statsd/options.hpp"

#include "unit/statsd/lines.hpp"

#include <cstdlib>

namespace latmon::plugins::statsd {
namespace {

using driver::DriverHost;

// A variable of the environment, for as long as this lives.
class Variable {
public:
    Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
    ~Variable() { ::unsetenv(name_); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    const char* name_;
};

struct Reading {
    std::optional<Options> options;
    std::string log;
};

Reading read(Mode usual, std::initializer_list<const char*> keys) {
    DriverHost host({});
    for (const char* const key : keys)
        REQUIRE(host.add_option(key));
    Reading reading;
    reading.options = read_options(host.table(), host.options(), usual);
    reading.log = host.log_text();
    return reading;
}

Options sound(Mode usual, std::initializer_list<const char*> keys) {
    const Reading reading = read(usual, keys);
    INFO(reading.log);
    REQUIRE(reading.options);
    return *reading.options;
}

std::string fault(Mode usual, std::initializer_list<const char*> keys) {
    const Reading reading = read(usual, keys);
    CHECK_FALSE(reading.options);
    return reading.log;
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("options: the two plugins differ in their mode, and what follows from it") {
    const Options plain = sound(Mode::statsd, {});
    CHECK(plain.naming.name_template == "{proto}.{metric}.{source}.{target}");
    CHECK(plain.naming.tag_format == TagFormat::none);
    CHECK(plain.lines.timer == "ms");
    CHECK_FALSE(plain.lines.packs_values);
    CHECK(plain.lines.packet_bytes == 1'432);
    CHECK(plain.outlet.host == "127.0.0.1");
    CHECK(plain.outlet.port == 8'125);
    CHECK(plain.interval_ns == 2'000'000'000);
    const Options dog = sound(Mode::dogstatsd, {"unix=/run/dsd.socket"});
    CHECK(dog.naming.name_template == "{metric}");
    CHECK(dog.naming.tag_format == TagFormat::datadog);
    CHECK(dog.lines.timer == "d");
    CHECK(dog.lines.packs_values);
    CHECK(dog.lines.packet_bytes == 8'192);
    CHECK(dog.outlet.transport == Transport::unix_datagram);
    CHECK(sound(Mode::dogstatsd, {"mode=statsd"}).lines.timer == "ms");
    CHECK(sound(Mode::statsd, {"mode=dogstatsd"}).lines.timer == "d");
    CHECK(sound(Mode::statsd, {"protocol=tcp"}).outlet.transport == Transport::tcp);
    CHECK_FALSE(plain.takes_windows);
    CHECK(sound(Mode::statsd, {"windows=[5s]"}).takes_windows);
    CHECK(sound(Mode::statsd, {"tag_format=graphite"}).naming.name_template == "{metric}");
}

TEST_CASE("options: Datadog's variables say where to, but a file that says it wins") {
    {
        const Variable agent("DD_AGENT_HOST", "10.1.2.3");
        const Variable port("DD_DOGSTATSD_PORT", "9125");
        const Options dog = sound(Mode::dogstatsd, {});
        CHECK(dog.outlet.host == "10.1.2.3");
        CHECK(dog.outlet.port == 9'125);
        CHECK(sound(Mode::dogstatsd, {"host=::1", "port=1"}).outlet.host == "::1");
        CHECK(sound(Mode::dogstatsd, {"host=::1", "port=1"}).outlet.port == 1);
        CHECK(sound(Mode::dogstatsd, {"unix=/a"}).outlet.unix_path == "/a");
        CHECK(sound(Mode::statsd, {}).outlet.host == "127.0.0.1");
        const Variable bad_port("DD_DOGSTATSD_PORT", "http");
        CHECK(contains(fault(Mode::dogstatsd, {}), "DD_DOGSTATSD_PORT"));
        CHECK(sound(Mode::dogstatsd, {"port=1"}).outlet.host == "10.1.2.3");
    }
    struct Case {
        const char* url;
        Transport transport;
        const char* host;
        std::uint16_t port;
        const char* path;
    };
    for (const Case& each :
         {Case{"udp://agent:9000", Transport::udp, "agent", 9'000, ""},
          Case{"udp://agent", Transport::udp, "agent", 8'125, ""},
          Case{"udp://[::1]:9000", Transport::udp, "::1", 9'000, ""},
          Case{"udp://[::1]", Transport::udp, "::1", 8'125, ""},
          Case{"unix:///run/d", Transport::unix_datagram, "127.0.0.1", 8'125, "/run/d"},
          Case{"unixgram:///run/d", Transport::unix_datagram, "127.0.0.1", 8'125, "/run/d"},
          Case{"unixstream:///run/d", Transport::unix_stream, "127.0.0.1", 8'125, "/run/d"}}) {
        const Variable url("DD_DOGSTATSD_URL", each.url);
        INFO(each.url);
        const Options dog = sound(Mode::dogstatsd, {});
        CHECK(dog.outlet.transport == each.transport);
        CHECK(dog.outlet.host == each.host);
        CHECK(dog.outlet.port == each.port);
        CHECK(dog.outlet.unix_path == each.path);
    }
    for (const char* const url :
         {"http://a", "udp://", "udp://a:0", "udp://a:99999", "udp://a:1x"}) {
        const Variable bad("DD_DOGSTATSD_URL", url);
        INFO(url);
        CHECK(contains(fault(Mode::dogstatsd, {}), "DD_DOGSTATSD_URL"));
        CHECK(sound(Mode::dogstatsd, {"host=agent"}).outlet.host == "agent");
    }
}

TEST_CASE("options: Datadog's variables tag every line, unless the file has such a tag") {
    const Variable entity("DD_ENTITY_ID", "pod-1");
    const Variable environment("DD_ENV", "prod");
    const Options dog = sound(Mode::dogstatsd, {"tags=[env:test,team:net]"});
    CHECK(dog.naming.tags ==
          std::vector<std::string>{"env:test", "team:net", "dd.internal.entity_id:pod-1"});
    CHECK(sound(Mode::statsd, {}).naming.tags.empty());
}

TEST_CASE("options: what plain statsd would misread is refused in its mode") {
    CHECK(contains(fault(Mode::statsd, {"timer=d"}), "takes it for a counter"));
    CHECK(contains(fault(Mode::statsd, {"pack_values=true"}), "statsd refuses such lines"));
    CHECK(contains(fault(Mode::statsd, {"timestamps=true"}), "statsd refuses such lines"));
    CHECK(contains(fault(Mode::statsd, {"container_id=a"}), "container_id is Datadog's"));
    CHECK(contains(fault(Mode::statsd, {"unix=/a", "unix_type=stream"}), "unix_type"));
    CHECK(contains(fault(Mode::dogstatsd, {"protocol=tcp"}), "takes no TCP"));
    CHECK(contains(fault(Mode::dogstatsd, {"tag_format=none"}), "tag_format"));
}

TEST_CASE("options: every mistake is said at once") {
    const std::string log =
        fault(Mode::statsd, {"mode=a", "windows=[1s,5s]", "host=a", "unix=b", "template={proto}",
                             "timer=us", "bytes_per_second=5"});
    for (const char* const part :
         {"write \"statsd\" or \"dogstatsd\"", "windows has two lengths", "unix is set, and host",
          "no {metric}", "write \"ms\" or \"d\" or \"h\"", "at least 10000"}) {
        INFO(part);
        CHECK(contains(log, part));
    }
    CHECK(contains(fault(Mode::statsd, {("unix=/" + std::string(200, 'x')).c_str()}),
                   "107 octets at most"));
}

}  // namespace
}  // namespace latmon::plugins::statsd
