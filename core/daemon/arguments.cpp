// SPDX-License-Identifier: Apache-2.0
//
// The command line by way of CLI11, which arguments_checks.hpp includes and nobody else. Values are
// checked by the ranges of the configuration, before CLI11 converts them, so that the messages are
// latmon's own.
#include "daemon/arguments.hpp"

#include "base/version.hpp"
#include "config/mistakes.hpp"
#include "config/suggest.hpp"
#include "daemon/arguments_checks.hpp"
#include "daemon/arguments_ping.hpp"
#include "daemon/arguments_selftest.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {
namespace {

constexpr std::string_view description =
    "latmon measures network latency over UDP and TCP, and answers the probes of others.";

constexpr std::string_view examples = R"(Examples:
  Only answer the probes of others, and print what they measure:
    latmon

  Measure what a file asks for:
    latmon -c /etc/latmon/latmon.toml

  See what a file comes to, and what is wrong with it, without running:
    latmon check /etc/latmon/latmon.toml

  See what this host can do for it, and what to mend:
    latmon doctor /etc/latmon/latmon.toml

  Measure how good the figures of this host can be:
    latmon selftest

  Ten probes to a host, without a file:
    latmon ping 192.0.2.20

  Enable debug logging:
    latmon -l DEBUG

  Probe over UDP alone, every millisecond, and report one-way delays only:
    latmon -c latency.toml --no-tcp --no-rtt -i 1

Exit codes: 0 ok, 1 failed while running, 2 wrong usage, 77 permission or port, 78 configuration.)";

// -- The clock seam ---------------------------------------------------------------------------

// "+3ms", "-1.5s", "20us": a sign if wanted, a number, a unit.
std::optional<Duration> parse_duration(std::string_view text) noexcept {
    constexpr std::array<Word<double>, 4> units{{{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}}};
    // A year: far more than a test wants, far less than an int64_t of nanoseconds holds.
    constexpr double ns_max = 31'536'000e9;
    for (const Word<double>& unit : units) {
        if (!text.ends_with(unit.text)) continue;
        const std::optional<double> number =
            parse_number<double>(text.substr(0, text.size() - unit.text.size()));
        if (!number) continue;
        const double ns = *number * unit.meaning;
        if (!(std::abs(ns) <= ns_max)) return std::nullopt;
        return Duration{std::llround(ns)};
    }
    return std::nullopt;
}

// "2s:+1s": when, counted from the start, and by how much.
bool parse_step(std::string_view text, ClockSeam& seam) noexcept {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return false;
    const std::optional<Duration> after = parse_duration(text.substr(0, colon));
    const std::optional<Duration> step = parse_duration(text.substr(colon + 1));
    if (!after || !step || after->ns < 0) return false;
    seam.wall_step_after = *after;
    seam.wall_step = *step;
    return true;
}

// CLI11 shows "--no-rtt{false}".
class HelpFormatter final : public CLI::Formatter {
public:
    std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
        constexpr std::string_view noise = "{false}";
        std::string name = CLI::Formatter::make_option_name(option, is_positional);
        const std::size_t at = name.find(noise);
        if (at != std::string::npos) name.erase(at, noise.size());
        return name;
    }
};

// -- Flags ------------------------------------------------------------------------------------

// What CLI11 writes to, where it differs from what we return.
struct Destinations {
    Arguments arguments;
    std::string log_level;
    std::string clock_offset;
    std::string clock_step;
    std::string check_path;
    std::string doctor_path;
    CLI::App* check = nullptr;
    CLI::App* doctor = nullptr;
    SelftestFlags selftest;
    PingFlags ping;
};

void add_general(CLI::App& app, Destinations& to) {
    app.add_option("-c,--config-file", to.arguments.config_path,
                   "The configuration; without it ./latency.toml, if there is one")
        ->type_name("FILE");
    app.add_option("-n,--name", to.arguments.overrides.name,
                   fmt::format("This node's name or label (default: {})", host_name()))
        ->type_name("NAME");
    app.add_option("-m,--metrics", to.arguments.overrides.metrics_backend,
                   "cli (default), log, zeromq, datadog, pushgateway or clickhouse")
        ->check(word_check(metrics_backends))
        ->type_name("BACKEND");
}

void add_logging(CLI::App& app, Destinations& to) {
    static constexpr std::array<std::string_view, 5> levels = texts_of(log_level_words);
    const std::string group = "Logging options";
    app.add_option("-l,--log-level", to.log_level,
                   "DEBUG, INFO, WARNING, ERROR or CRITICAL (default: INFO)")
        ->check(word_check(levels))
        ->type_name("LEVEL")
        ->group(group);
    app.add_option("-f,--log-file", to.arguments.overrides.log_file,
                   "Log to this file as well (the log always goes to stderr)")
        ->type_name("FILE")
        ->group(group);
}

// CLI11 would count flags into an optional; here the last part of the name says yes or no.
void add_switch(CLI::App& app, const std::string& names, std::optional<bool>& out,
                const std::string& help) {
    app.add_flag_function(
           names, [&out](std::int64_t count) { out = count > 0; }, help)
        ->group("Network options");
}

void add_switches(CLI::App& app, ConfigOverrides& overrides) {
    add_switch(app, "-r,--rtt,!--no-rtt", overrides.rtt,
               "Report round trips (default); if not, one-way delays only");
    add_switch(app, "-t,--tcp,!--no-tcp", overrides.tcp, "Listen and probe over TCP (default)");
    add_switch(app, "-u,--udp,!--no-udp", overrides.udp, "Listen and probe over UDP (default)");
    add_switch(app, "--tcp-latency,!--no-tcp-latency", overrides.tcp_latency,
               "Time fresh TCP handshakes as well (default)");
}

void add_network(CLI::App& app, ConfigOverrides& overrides) {
    const std::string group = "Network options";
    app.add_option("--tcp-port", overrides.tcp_port, "TCP port of listener and targets (8000)")
        ->check(integer_check(port_range))
        ->type_name("PORT")
        ->group(group);
    app.add_option("--udp-port", overrides.udp_port, "UDP port of listener and targets (8001)")
        ->check(integer_check(port_range))
        ->type_name("PORT")
        ->group(group);
    app.add_option("-s,--max-size", overrides.max_size_bytes,
                   "Size of a probe in octets (1470; with [[exporters]] 44)")
        ->check(integer_check(size_range))
        ->type_name("OCTETS")
        ->group(group);
    app.add_option("-x,--max-lost", overrides.max_lost,
                   "Losses in a row after which a path is opened anew (10)")
        ->check(integer_check(max_lost_range))
        ->type_name("COUNT")
        ->group(group);
}

void add_runtime(CLI::App& app, ConfigOverrides& overrides) {
    const std::string group = "Runtime options";
    app.add_option("-T,--timeout", overrides.timeout_s,
                   "Seconds after which a probe counts as lost (1)")
        ->check(duration_check(timeout_range))
        ->type_name("SECONDS")
        ->group(group);
    app.add_option("-i,--interval", overrides.interval_ms, "Milliseconds between probes (1000)")
        ->check(duration_check(interval_range))
        ->type_name("MSECONDS")
        ->group(group);
}

// For tests; a group without a name does not show in --help.
void add_hidden(CLI::App& app, Destinations& to) {
    app.add_option("--debug-clock-offset", to.clock_offset)->group("");
    app.add_option("--debug-clock-step", to.clock_step)->group("");
    app.add_option("--debug-receive-buffer", to.arguments.probe_receive_buffer_bytes)->group("");
}

void add_commands(CLI::App& app, Destinations& to) {
    to.check = app.add_subcommand("check", "Read a configuration, print the plan, and exit");
    to.check->add_option("FILE", to.check_path, "The configuration (default: that of -c)");
    to.check->fallthrough();  // Flags may stand behind the command too.
    to.check->set_help_flag();
    to.doctor = app.add_subcommand("doctor", "Print what this host can do, and what to mend");
    to.doctor->add_option("FILE", to.doctor_path, "The configuration (default: that of -c)");
    to.doctor->add_flag("--json", to.arguments.is_json, "Print one JSON object instead");
    to.doctor->fallthrough();
    to.doctor->set_help_flag();
    add_selftest(app, to.selftest);
    add_ping(app, to.ping);
}

void add_flags(CLI::App& app, Destinations& to) {
    app.set_help_flag("-h,--help", "Print this help and exit");
    app.set_version_flag("--version", std::string("latmon ") + version_text(),
                         "Print the version and exit");
    app.formatter(std::make_shared<HelpFormatter>());
    app.footer(std::string(examples));
    // Of several values the last would win in silence; see find_repeated().
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    add_general(app, to);
    add_logging(app, to);
    add_switches(app, to.arguments.overrides);
    add_network(app, to.arguments.overrides);
    add_runtime(app, to.arguments.overrides);
    add_hidden(app, to);
    add_commands(app, to);
}

// -- Outcome ----------------------------------------------------------------------------------

std::unexpected<Error> usage_error(std::string_view text, const CLI::App& used) {
    const std::string command = used.get_parent() == nullptr ? "" : used.get_name() + " ";
    return fail(ExitCode::usage, fmt::format("{}{} see latmon {}--help", text,
                                             text.ends_with('?') ? "" : ";", command));
}

// Whose flags count: those of the ping, or everybody's.
const CLI::App& used_of(const CLI::App& app, const Destinations& to) {
    return to.ping.command->parsed() ? *to.ping.command : app;
}

// What is not a flag of ours, with what it may have been meant to be.
std::string describe_extras(const CLI::App& app, const CLI::App& used) {
    const std::vector<std::string> words = app.remaining(true);
    if (words.empty()) return "there is an argument too many";
    const std::string& word = words.front();
    if (!word.starts_with('-')) {
        const bool is_ping = used.get_parent() != nullptr;
        return fmt::format(
            "{} is not expected; {}", in_quotes(word),
            is_ping ? "a ping has one host" : "a configuration is given by --config-file FILE");
    }
    std::vector<std::string_view> names;
    for (const CLI::Option* option : used.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            names.emplace_back(name);
        }
    }
    const std::string_view flag = std::string_view(word).substr(0, word.find('='));
    const std::string_view bare = flag.substr(std::min(flag.find_first_not_of('-'), flag.size()));
    const std::optional<std::string_view> meant = closest_word(bare, names);
    return fmt::format("{} is no flag{}", in_quotes(flag),
                       meant ? fmt::format("; did you mean --{}?", *meant) : "");
}

// The first option that was given more than once; "" if there is none.
std::string find_repeated(const CLI::App& app) {
    for (const CLI::Option* option : app.get_options()) {
        if (option->count() > 1) return "--" + option->get_single_name();
    }
    return "";
}

// What is wrong with the values of the hidden flags; "" if nothing is.
std::string set_clock_seam(const Destinations& from, ClockSeam& seam) {
    if (!from.clock_offset.empty()) {
        const std::optional<Duration> offset = parse_duration(from.clock_offset);
        if (!offset) {
            return fmt::format("--debug-clock-offset: {} does not fit; write a time such as +3ms",
                               in_quotes(from.clock_offset));
        }
        seam.wall_offset = *offset;
    }
    if (!from.clock_step.empty() && !parse_step(from.clock_step, seam)) {
        return fmt::format("--debug-clock-step: {} does not fit; write AFTER:BY such as 2s:+1s",
                           in_quotes(from.clock_step));
    }
    return "";
}

// The command that takes a file, and that file.
struct FileCommand {
    Command command;
    const CLI::App* app;
    const std::string* path;
};

// Which file, and whether it must be there.
std::string set_config_path(const CLI::App& app, const Destinations& from, Arguments& arguments) {
    arguments.is_config_explicit = app.count("--config-file") > 0;
    const std::array<FileCommand, 3> commands{
        {{Command::check, from.check, &from.check_path},
         {Command::doctor, from.doctor, &from.doctor_path},
         {Command::selftest, from.selftest.command, &from.selftest.path}}};
    for (const FileCommand& command : commands) {
        if (!command.app->parsed()) continue;
        arguments.command = command.command;
        if (!command.path->empty()) {
            if (arguments.is_config_explicit) {
                return fmt::format("{} is given a FILE and --config-file as well; keep one",
                                   command.app->get_name());
            }
            arguments.config_path = *command.path;
        }
        // The others look at a host that has no file yet too.
        const bool must_exist = command.command == Command::check || !command.path->empty();
        if (must_exist) arguments.is_config_explicit = true;
    }
    return "";
}

// The first flag that stands before the command and would mean nothing to it; "" if there is none.
std::string find_unused(const CLI::App& app) {
    for (const CLI::Option* option : app.get_options()) {
        if (option->count() > 0) return "--" + option->get_single_name();
    }
    return "";
}

Result<Arguments> ping_arguments(const CLI::App& app, const PingFlags& from) {
    const std::string unused = find_unused(app);
    if (!unused.empty()) {
        return usage_error(
            fmt::format("{} does not go with ping; its flags stand behind it", unused),
            *from.command);
    }
    Result<PingOptions> options = finish_ping(from);
    if (!options) return usage_error(options.error().text, *from.command);
    Arguments arguments;
    arguments.command = Command::ping;
    arguments.ping = std::move(*options);
    return arguments;
}

Result<Arguments> finish(const CLI::App& app, const Destinations& from) {
    Arguments arguments = from.arguments;
    const CLI::App& used = used_of(app, from);
    std::string fault = find_repeated(used);
    if (fault.empty()) fault = find_repeated(*from.selftest.command);
    if (!fault.empty()) fault += " is given more than once; give it once";
    if (fault.empty() && from.ping.command->parsed()) return ping_arguments(app, from.ping);
    if (fault.empty()) fault = set_config_path(app, from, arguments);
    if (fault.empty()) fault = set_clock_seam(from, arguments.clock_seam);
    if (!fault.empty()) return usage_error(fault, used);
    const Result<SelftestOptions> selftest = finish_selftest(from.selftest);
    if (!selftest) return usage_error(selftest.error().text, used);
    arguments.selftest = *selftest;
    const std::optional<std::size_t> level = find_word(from.log_level, texts_of(log_level_words));
    if (level) arguments.overrides.log_level = log_level_words[*level].meaning;
    return arguments;
}

Result<Arguments> printed(Command command, std::string text) {
    Arguments arguments;
    arguments.command = command;
    arguments.text = std::move(text);
    return arguments;
}

}  // namespace

CLI::Validator integer_check(const IntegerRange& range) {
    const auto check = [range](const std::string& text) -> std::string {
        const std::optional<std::int64_t> number = parse_number<std::int64_t>(text);
        if (number && contains(range, *number)) return "";
        return fmt::format("{} does not fit; write {}", in_quotes(text), describe(range));
    };
    return CLI::Validator(check, "");
}

CLI::Validator duration_check(const DurationRange& range) {
    const auto check = [range](const std::string& text) -> std::string {
        const std::optional<double> number = parse_number<double>(text);
        if (number && to_duration(*number, range)) return "";
        return fmt::format("{} does not fit; write {}", in_quotes(text), describe(range));
    };
    return CLI::Validator(check, "");
}

CLI::Validator word_check(std::span<const std::string_view> words) {
    const auto check = [words](const std::string& text) -> std::string {
        return find_word(text, words) ? "" : describe_unknown(text, words);
    };
    return CLI::Validator(check, "");
}

Result<Arguments> parse_arguments(int argc, const char* const* argv) {
    CLI::App app(std::string(description), "latmon");
    Destinations to;
    add_flags(app, to);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return printed(Command::help, app.help());
    } catch (const CLI::CallForVersion& version) {
        return printed(Command::version, std::string(version.what()) + "\n");
    } catch (const CLI::ExtrasError&) {
        return usage_error(describe_extras(app, used_of(app, to)), used_of(app, to));
    } catch (const CLI::ParseError& error) {
        return usage_error(error.what(), used_of(app, to));
    }
    return finish(app, to);
}

}  // namespace latmon
