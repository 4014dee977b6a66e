// SPDX-License-Identifier: Apache-2.0
//
// Claims about the command line: latency-monitor's flags mean what they meant, and mistakes are
// told.
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

Arguments arguments_of(std::initializer_list<const char*> words) {
    const Result<Arguments> arguments = parsed(words);
    if (!arguments) FAIL(arguments.error().text);
    return *arguments;
}

std::string error_of(std::initializer_list<const char*> words) {
    const Result<Arguments> arguments = parsed(words);
    if (arguments) return "";
    CHECK(arguments.error().code == ExitCode::usage);
    CHECK(arguments.error().text.ends_with(" see latmon --help"));
    CHECK(arguments.error().text.find('\n') == std::string::npos);
    return arguments.error().text;
}

bool contains(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("arguments: without any, nothing overrides the file") {
    const Arguments arguments = arguments_of({});
    CHECK(arguments.command == Command::run);
    CHECK(arguments.config_path == "./latency.toml");
    CHECK_FALSE(arguments.is_config_explicit);
    CHECK_FALSE(arguments.overrides.name.has_value());
    CHECK_FALSE(arguments.overrides.metrics_backend.has_value());
    CHECK_FALSE(arguments.overrides.log_level.has_value());
    CHECK_FALSE(arguments.overrides.log_file.has_value());
    CHECK_FALSE(arguments.overrides.rtt.has_value());
    CHECK_FALSE(arguments.overrides.tcp.has_value());
    CHECK_FALSE(arguments.overrides.udp.has_value());
    CHECK_FALSE(arguments.overrides.tcp_latency.has_value());
    CHECK_FALSE(arguments.overrides.tcp_port.has_value());
    CHECK_FALSE(arguments.overrides.udp_port.has_value());
    CHECK_FALSE(arguments.overrides.max_size_bytes.has_value());
    CHECK_FALSE(arguments.overrides.max_lost.has_value());
    CHECK_FALSE(arguments.overrides.timeout_s.has_value());
    CHECK_FALSE(arguments.overrides.interval_ms.has_value());
    CHECK(arguments.clock_seam.wall_offset == Duration{});
    CHECK(arguments.clock_seam.wall_step == Duration{});
}

TEST_CASE("arguments: every short flag of latency-monitor is taken") {
    const Arguments arguments = arguments_of(
        {"-c", "/x.toml", "-n", "me",  "-m", "zeromq", "-l", "DEBUG", "-f", "/log", "-r",
         "-t", "-u",      "-s", "100", "-x", "3",      "-T", "0.5",   "-i", "1"});
    CHECK(arguments.config_path == "/x.toml");
    CHECK(arguments.is_config_explicit);
    CHECK(arguments.overrides.name == "me");
    CHECK(arguments.overrides.metrics_backend == "zeromq");
    CHECK(arguments.overrides.log_level == LogLevel::debug);
    CHECK(arguments.overrides.log_file == "/log");
    CHECK(arguments.overrides.rtt == true);
    CHECK(arguments.overrides.tcp == true);
    CHECK(arguments.overrides.udp == true);
    CHECK(arguments.overrides.max_size_bytes == 100U);
    CHECK(arguments.overrides.max_lost == 3U);
    CHECK(arguments.overrides.timeout_s == 0.5);
    CHECK(arguments.overrides.interval_ms == 1.0);
}

TEST_CASE("arguments: every long flag of latency-monitor is taken") {
    const Arguments arguments = arguments_of(
        {"--config-file=/x.toml", "--name=me", "--metrics=cli", "--log-level=warning",
         "--log-file=/log", "--rtt", "--tcp", "--udp", "--tcp-latency", "--tcp-port=1",
         "--udp-port=65535", "--max-size=65535", "--max-lost=1", "--timeout=60", "--interval=0.1"});
    CHECK(arguments.config_path == "/x.toml");
    CHECK(arguments.overrides.log_level == LogLevel::warning);
    CHECK(arguments.overrides.tcp_latency == true);
    CHECK(arguments.overrides.tcp_port == 1);
    CHECK(arguments.overrides.udp_port == 65'535);
    CHECK(arguments.overrides.max_size_bytes == 65'535U);
    CHECK(arguments.overrides.timeout_s == 60.0);
    CHECK(arguments.overrides.interval_ms == 0.1);
}

TEST_CASE("arguments: every --no- flag of latency-monitor says no") {
    const Arguments arguments =
        arguments_of({"--no-rtt", "--no-tcp", "--no-udp", "--no-tcp-latency"});
    CHECK(arguments.overrides.rtt == false);
    CHECK(arguments.overrides.tcp == false);
    CHECK(arguments.overrides.udp == false);
    CHECK(arguments.overrides.tcp_latency == false);
}

TEST_CASE("arguments: latency-monitor's example lines are taken") {
    CHECK(error_of({"-l", "DEBUG"}) == "");
    CHECK(error_of({"-c", "latency.toml", "--no-tcp-latency", "--no-rtt"}) == "");
    CHECK(error_of({"-c", "latency.toml", "--no-tcp", "--no-rtt", "-i", "1"}) == "");
}

TEST_CASE("arguments: values out of range are told with the flag and the range") {
    CHECK(error_of({"-i", "0.05"}) ==
          "--interval: \"0.05\" does not fit; write milliseconds from 0.1 to 86400000; "
          "see latmon --help");
    CHECK(contains(error_of({"-T", "61"}), "--timeout: \"61\" does not fit; write seconds"));
    CHECK(contains(error_of({"-T", "nan"}), "--timeout: "));
    CHECK(contains(error_of({"-T", "1s"}), "--timeout: "));
    CHECK(contains(error_of({"--tcp-port", "0"}), "--tcp-port: \"0\" does not fit; write a port"));
    CHECK(contains(error_of({"--udp-port", "65536"}), "--udp-port: "));
    CHECK(contains(error_of({"-s", "65536"}), "--max-size: "));
    CHECK(contains(error_of({"-s", "-1"}), "--max-size: "));
    CHECK(contains(error_of({"-x", "0"}), "--max-lost: "));
    CHECK(contains(error_of({"-x", "1.5"}), "--max-lost: "));
}

TEST_CASE("arguments: unknown words are told with a guess") {
    CHECK(contains(error_of({"-m", "zeromqq"}), "did you mean \"zeromq\"?"));
    CHECK(contains(error_of({"-l", "INF"}), "did you mean \"info\"?"));
    CHECK(contains(error_of({"--intervall", "1"}),
                   "\"--intervall\" is no flag; did you mean --interval?"));
    CHECK(contains(error_of({"--no-rt"}), "did you mean --no-rtt?"));
    CHECK(contains(error_of({"--bogus"}), "\"--bogus\" is no flag; see"));
    CHECK(contains(error_of({"my.toml"}), "--config-file FILE"));
}

TEST_CASE("arguments: a flag is given once") {
    CHECK(error_of({"-n", "a", "--name", "b"}) ==
          "--name is given more than once; give it once; see latmon --help");
    CHECK(contains(error_of({"--rtt", "--no-rtt"}), "--rtt is given more than once"));
    CHECK(contains(error_of({"--debug-clock-offset=1s", "--debug-clock-offset=1s"}),
                   "--debug-clock-offset is given more than once"));
}

TEST_CASE("arguments: a flag without its value is told") {
    CHECK(contains(error_of({"-c"}), "--config-file"));
    CHECK(contains(error_of({"-i"}), "--interval"));
}

TEST_CASE("arguments: check takes a file, or the one that would be run") {
    const Arguments named = arguments_of({"check", "/x.toml", "-i", "5"});
    CHECK(named.command == Command::check);
    CHECK(named.config_path == "/x.toml");
    CHECK(named.is_config_explicit);
    CHECK(named.overrides.interval_ms == 5.0);
    const Arguments flagged = arguments_of({"-c", "/y.toml", "check"});
    CHECK(flagged.command == Command::check);
    CHECK(flagged.config_path == "/y.toml");
    const Arguments bare = arguments_of({"check"});
    CHECK(bare.config_path == "./latency.toml");
    CHECK(bare.is_config_explicit);
    CHECK(contains(error_of({"-c", "/y.toml", "check", "/x.toml"}), "keep one"));
    CHECK(contains(error_of({"check", "/x.toml", "/y.toml"}), "/y.toml"));
}

TEST_CASE("arguments: help shows every flag of latency-monitor, and examples") {
    for (const char* flag : {"-h", "--help"}) {
        const Arguments arguments = arguments_of({flag});
        CHECK(arguments.command == Command::help);
        for (const char* text :
             {"-c,--config-file", "-n,--name", "-m,--metrics", "-l,--log-level", "-f,--log-file",
              "-r,--rtt,--no-rtt", "-t,--tcp,--no-tcp", "-u,--udp,--no-udp",
              "--tcp-latency,--no-tcp-latency", "--tcp-port", "--udp-port", "-s,--max-size",
              "-x,--max-lost", "-T,--timeout", "-i,--interval", "--version", "check",
              "Examples:"}) {
            CAPTURE(text);
            CHECK(contains(arguments.text, text));
        }
        CHECK_FALSE(contains(arguments.text, "debug-clock"));
        CHECK_FALSE(contains(arguments.text, "{false}"));
    }
}

TEST_CASE("arguments: version is one line") {
    const Arguments arguments = arguments_of({"--version"});
    CHECK(arguments.command == Command::version);
    CHECK(arguments.text.starts_with("latmon "));
    CHECK(arguments.text.find('\n') == arguments.text.size() - 1);
}

TEST_CASE("arguments: the receive buffers of probes can be made small, for tests") {
    CHECK(arguments_of({}).probe_receive_buffer_bytes == 0);
    CHECK(arguments_of({"--debug-receive-buffer=2048"}).probe_receive_buffer_bytes == 2'048);
}

TEST_CASE("arguments: the clock can be told to lie, in four units and both directions") {
    const auto offset = [](const char* flag) {
        return arguments_of({flag}).clock_seam.wall_offset;
    };
    CHECK(offset("--debug-clock-offset=+3ms") == Duration::from_ms(3));
    CHECK(offset("--debug-clock-offset=-1.5s") == Duration::from_ms(-1'500));
    CHECK(offset("--debug-clock-offset=20us") == Duration::from_us(20));
    CHECK(offset("--debug-clock-offset=7ns") == Duration{7});
    const ClockSeam seam = arguments_of({"--debug-clock-step=2s:-1ms"}).clock_seam;
    CHECK(seam.wall_step_after == Duration::from_s(2));
    CHECK(seam.wall_step == Duration::from_ms(-1));
}

TEST_CASE("arguments: a lie that makes no sense is refused") {
    for (const std::string flag :
         {"--debug-clock-offset=3", "--debug-clock-offset=ms", "--debug-clock-offset=+-3ms",
          "--debug-clock-offset=1e300s", "--debug-clock-offset=nans", "--debug-clock-step=2s",
          "--debug-clock-step=-2s:1s", "--debug-clock-step=:1s", "--debug-clock-step=1s:"}) {
        CAPTURE(flag);
        CHECK(contains(error_of({flag.c_str()}), "does not fit"));
    }
}

}  // namespace
}  // namespace latmon
