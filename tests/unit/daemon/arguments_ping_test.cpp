// SPDX-License-Identifier: Apache-2.0
//
// Claims about the command lines of ping and doctor.
#include "daemon/arguments_ping.hpp"

#include "daemon/arguments.hpp"

#include <doctest/doctest.h>
#include <initializer_list>
#include <string>
#include <vector>

namespace latmon {
namespace {

Result<Arguments> parsed(std::initializer_list<const char*> words) {
    std::vector<const char*> argv{"latmon"};
    argv.insert(argv.end(), words.begin(), words.end());
    return parse_arguments(static_cast<int>(argv.size()), argv.data());
}

PingOptions ping_of(std::initializer_list<const char*> words) {
    const Result<Arguments> arguments = parsed(words);
    if (!arguments) FAIL(arguments.error().text);
    CHECK(arguments->command == Command::ping);
    return arguments->ping;
}

std::string error_of(std::initializer_list<const char*> words) {
    const Result<Arguments> arguments = parsed(words);
    if (arguments) return "";
    CHECK(arguments.error().code == ExitCode::usage);
    CHECK(arguments.error().text.ends_with(" see latmon ping --help"));
    return arguments.error().text;
}

bool contains(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("arguments_ping: a host alone means ten probes a second apart to the STAMP port") {
    const PingOptions options = ping_of({"ping", "router"});
    CHECK(options.host == "router");
    CHECK(options.port == 862);
    CHECK(options.count == 10);
    CHECK(options.interval == Duration::from_s(1));
    CHECK(options.timeout == Duration::from_s(1));
    CHECK(options.size_bytes == 0);
    CHECK(options.family == AddressFamily::any);
    CHECK(options.protocol == ProbeProtocol::stamp);
    CHECK(options.stamps == StampPolicy::automatic);
    CHECK(options.precision == Precision::balanced);
    CHECK_FALSE(options.is_tcp);
    CHECK_FALSE(options.is_json);
    CHECK_FALSE(options.is_quiet);
}

TEST_CASE("arguments_ping: every flag arrives where it belongs") {
    const PingOptions options =
        ping_of({"ping",      "-4",          "-q",     "-p",          "4000", "-c",
                 "3",         "-i",          "0.5",    "-s",          "200",  "-W",
                 "2.5",       "--tcp",       "--json", "--key-file",  "/key", "--source",
                 "192.0.2.9", "--interface", "eth7",   "--dscp",      "46",   "--timestamp-format",
                 "ptp",       "--stamps",    "user",   "--precision", "spin", "192.0.2.1"});
    CHECK(options.host == "192.0.2.1");
    CHECK(options.family == AddressFamily::ipv4);
    CHECK(options.port == 4'000);
    CHECK(options.count == 3);
    CHECK(options.interval == Duration::from_us(500));
    CHECK(options.size_bytes == 200);
    CHECK(options.timeout == Duration::from_ms(2'500));
    CHECK(options.is_tcp);
    CHECK(options.is_json);
    CHECK(options.is_quiet);
    CHECK(options.key_file == "/key");
    CHECK(options.source == "192.0.2.9");
    CHECK(options.interface == "eth7");
    CHECK(options.dscp == 46);
    CHECK(options.timestamp_format == TimestampFormat::ptp);
    CHECK(options.stamps == StampPolicy::user);
    CHECK(options.precision == Precision::spin);
    CHECK(ping_of({"ping", "-6", "--twamp-light", "a"}).family == AddressFamily::ipv6);
    CHECK(ping_of({"ping", "--twamp-light", "a"}).protocol == ProbeProtocol::twamp_light);
}

TEST_CASE("arguments_ping: the port stands behind the host or in a flag, not in both") {
    CHECK(ping_of({"ping", "router:4000"}).port == 4'000);
    CHECK(ping_of({"ping", "[2001:db8::1]:4000"}).host == "2001:db8::1");
    CHECK(contains(error_of({"ping", "-p", "1", "router:4000"}), "keep one"));
}

TEST_CASE("arguments_ping: mistakes are told, each with what to write") {
    CHECK(contains(error_of({"ping"}), "HOST"));
    CHECK(contains(error_of({"ping", "a", "b"}), "one host"));
    CHECK(contains(error_of({"ping", "-c", "0", "a"}), "probes from 1 to 1000000"));
    CHECK(contains(error_of({"ping", "-i", "0", "a"}), "milliseconds from 0.1"));
    CHECK(contains(error_of({"ping", "-c", "1", "-c", "2", "a"}), "--count is given more than"));
    CHECK(contains(error_of({"ping", "-4", "-6", "a"}), "-6"));
    CHECK(contains(error_of({"ping", "--cuont", "1", "a"}), "did you mean --count?"));
    CHECK(contains(error_of({"ping", "--stamps", "card", "a"}), "hardware"));
    CHECK(contains(error_of({"ping", "-s", "43", "a"}), "44 to 65507"));
    CHECK(contains(error_of({"ping", "--tcp", "--twamp-light", "a"}), "leave --tcp out"));
    CHECK(contains(error_of({"-c", "x.toml", "ping", "a"}), "--config-file does not go with"));
    CHECK(contains(error_of({"--no-tcp", "ping", "a"}), "does not go with"));
}

TEST_CASE("arguments_ping: its help is its own") {
    const Result<Arguments> help = parsed({"ping", "--help"});
    REQUIRE(help.has_value());
    CHECK(help->command == Command::help);
    CHECK(contains(help->text, "--twamp-light"));
    CHECK_FALSE(contains(help->text, "--metrics"));
    CHECK(contains(parsed({"--help"})->text, "ping"));
    CHECK(contains(parsed({"--help"})->text, "doctor"));
}

TEST_CASE("arguments_ping: a doctor takes a file as check does, or does without") {
    const Result<Arguments> bare = parsed({"doctor"});
    REQUIRE(bare.has_value());
    CHECK(bare->command == Command::doctor);
    CHECK_FALSE(bare->is_config_explicit);
    CHECK_FALSE(bare->is_json);
    const Result<Arguments> full = parsed({"doctor", "--json", "/x.toml"});
    REQUIRE(full.has_value());
    CHECK(full->config_path == "/x.toml");
    CHECK(full->is_config_explicit);
    CHECK(full->is_json);
    const Result<Arguments> flag = parsed({"doctor", "-c", "/x.toml"});
    REQUIRE(flag.has_value());
    CHECK(flag->config_path == "/x.toml");
    CHECK(flag->is_config_explicit);
    CHECK_FALSE(parsed({"doctor", "-c", "/x.toml", "/y.toml"}).has_value());
}

}  // namespace
}  // namespace latmon
