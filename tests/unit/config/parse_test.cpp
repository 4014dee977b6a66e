// SPDX-License-Identifier: Apache-2.0
//
// Claims about TOML text as a whole: syntax, positions, files, and the files that latmon comes
// with.
#include "config/parse.hpp"

#include "config/plan.hpp"
#include "config/sections.hpp"
#include "unit/config/config_text.hpp"

#include <unistd.h>
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <utility>

namespace latmon {
namespace {

std::filesystem::path configs_directory() {
    return std::filesystem::path(__FILE__).parent_path() / "../../../configs";
}

std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    REQUIRE_MESSAGE(file.good(), path);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("parse: a mistake of syntax is told with its position, once") {
    const std::string text = errors_of("name = \"a\"\nhost = 10.0.0.1\nudp_port = 0\n");
    CHECK(text.starts_with("t.toml:2:12: not TOML: "));
    CHECK_FALSE(contains(text, "\n"));
}

TEST_CASE("parse: every mistake of a file is told, in the file's order") {
    const std::string text = errors_of(
        "nmae = \"x\"\n"
        "[[targets]]\n"
        "host = 5\n"
        "tags = [\"plain\"]\n"
        "[metrics]\n"
        "backend = \"clickhose\"\n");
    CHECK(text ==
          "t.toml:1:1: unknown key \"nmae\" at the top level; did you mean \"name\"?\n"
          "t.toml:3:8: \"host\" is an integer; write a string in quotes\n"
          "t.toml:4:9: tag \"plain\" has no key; write \"key:value\"\n"
          "t.toml:6:11: \"clickhose\" is not known here; did you mean \"clickhouse\"? write one of "
          "\"cli\", \"log\", \"zeromq\", \"datadog\", \"pushgateway\", \"clickhouse\"");
}

TEST_CASE("parse: warnings come with a good file and with a bad one") {
    CHECK(warnings_of("max_seq = 100") ==
          std::vector<std::string>{"t.toml:1:1: \"max_seq\" has no effect any more; remove it"});
    CHECK(warnings_of("max_seq = 100\nudp_port = 0").size() == 1);
}

TEST_CASE("parse: keys without end do not exhaust the stack") {
    std::string dots = "a";
    for (int depth = 0; depth < 100'000; ++depth) {
        dots += ".a";
    }
    CHECK(contains(errors_of("\n" + dots + " = 1"), "t.toml:2:402: more than 200 dots"));
    CHECK(contains(errors_of("[" + dots + "]"), "more than 200 dots"));
    CHECK(errors_of("# " + std::string(1'000, '.')) == "");
    CHECK(errors_of("name = \"" + std::string(1'000, '.') + "\"") == "");
}

TEST_CASE("parse: nesting without end is an error") {
    const std::string text = errors_of("plugin_path = " + std::string(10'000, '['));
    CHECK(contains(text, "not TOML"));
}

TEST_CASE("parse: a file that is not there is told with the cure") {
    std::vector<std::string> warnings;
    const Result<Config> config = load_config("/nonexistent/latmon.toml", {}, warnings);
    REQUIRE_FALSE(config.has_value());
    CHECK(config.error().code == ExitCode::configuration);
    CHECK(config.error().text.starts_with("/nonexistent/latmon.toml: "));
    CHECK(contains(config.error().text, "--config-file"));
}

TEST_CASE("parse: a folder is not a file") {
    std::vector<std::string> warnings;
    const Result<Config> config = load_config("/", {}, warnings);
    REQUIRE_FALSE(config.has_value());
    CHECK(config.error().code == ExitCode::configuration);
}

TEST_CASE("parse: a host's name is never empty") {
    CHECK_FALSE(host_name().empty());
}

// -- The files that latmon comes with ----------------------------------------------------------

void check_same_reflector(const ReflectorConfig& a, const ReflectorConfig& b) {
    CHECK(a.allow_any == b.allow_any);
    CHECK(a.service_source_allow == b.service_source_allow);
    CHECK(a.rate_per_source == b.rate_per_source);
    CHECK(a.burst_per_source == b.burst_per_source);
    CHECK(a.rate_total == b.rate_total);
    CHECK(a.sessions_per_source == b.sessions_per_source);
    CHECK(a.is_stateful == b.is_stateful);
    CHECK(a.fills_location == b.fills_location);
    CHECK(a.timestamp_format == b.timestamp_format);
    CHECK(a.dscp_allow == b.dscp_allow);
}

void check_same_admin(const AdminConfig& a, const AdminConfig& b) {
    CHECK(a.is_listen_explicit == b.is_listen_explicit);
    CHECK(a.connections_max == b.connections_max);
    CHECK(a.tls_cert == b.tls_cert);
    CHECK(a.tls_key == b.tls_key);
    CHECK(a.tls_client_ca == b.tls_client_ca);
    CHECK(a.bearer_token_file == b.bearer_token_file);
    CHECK(a.basic_user == b.basic_user);
    CHECK(a.basic_password_file == b.basic_password_file);
    CHECK(a.can_probe == b.can_probe);
    CHECK(a.probe_allow == b.probe_allow);
    CHECK(a.probe_allow_any == b.probe_allow_any);
    CHECK(a.probes_max == b.probes_max);
    CHECK(a.modules.size() == b.modules.size());
}

void check_same_defaults(const Config& a, const Config& b) {
    CHECK(a.name == b.name);
    CHECK(a.udp == b.udp);
    CHECK(a.tcp == b.tcp);
    CHECK(a.listen_addresses == b.listen_addresses);
    CHECK(a.is_listen_explicit == b.is_listen_explicit);
    CHECK(a.udp_port == b.udp_port);
    CHECK(a.tcp_port == b.tcp_port);
    CHECK(a.stamp_port == b.stamp_port);
    CHECK(a.is_stamp_port_explicit == b.is_stamp_port_explicit);
    CHECK(a.cores == b.cores);
    CHECK(a.precision == b.precision);
    CHECK(a.log_level == b.log_level);
    CHECK(a.log_file == b.log_file);
    CHECK(a.plugin_path == b.plugin_path);
    CHECK(a.node_interval == b.node_interval);
    CHECK(a.resolve_interval == b.resolve_interval);
    CHECK(a.stamps == b.stamps);
    CHECK(a.clock.trust == b.clock.trust);
    CHECK(a.clock.error_bound == b.clock.error_bound);
    CHECK(a.clock.chrony == b.clock.chrony);
    CHECK(a.clock.drift_ppb == b.clock.drift_ppb);
    CHECK(a.clock.has_series == b.clock.has_series);
    check_same_admin(a.admin, b.admin);
    check_same_reflector(a.reflector, b.reflector);
    CHECK(a.reflector.keys.size() == b.reflector.keys.size());
    CHECK(a.targets.size() == b.targets.size());
}

void check_same_target(const TargetConfig& a, const TargetConfig& b) {
    CHECK(a.udp == b.udp);
    CHECK(a.tcp == b.tcp);
    CHECK(a.rtt == b.rtt);
    CHECK(a.tcp_latency == b.tcp_latency);
    CHECK(a.udp_port == b.udp_port);
    CHECK(a.tcp_port == b.tcp_port);
    CHECK(a.size_bytes == b.size_bytes);
    CHECK(a.interval == b.interval);
    CHECK(a.timeout == b.timeout);
    CHECK(a.jitter == b.jitter);
    CHECK(a.max_lost == b.max_lost);
    CHECK(a.source == b.source);
    CHECK(a.interface == b.interface);
    CHECK(a.dscp == b.dscp);
    CHECK(a.protocol == b.protocol);
    CHECK(a.timestamp_format == b.timestamp_format);
    CHECK(a.tlvs == b.tlvs);
    CHECK(a.key_file == b.key_file);
    CHECK(a.trust_clock == b.trust_clock);
    CHECK(a.lenient_echo == b.lenient_echo);
    CHECK(a.descriptor == b.descriptor);
    CHECK(a.reflector_mode == b.reflector_mode);
    CHECK(a.on_ssid_zero == b.on_ssid_zero);
}

TEST_CASE("parse: default.toml changes nothing") {
    const std::string text = text_of(configs_directory() / "default.toml");
    const Config manual = config_of(text);
    CHECK(warnings_of(text).empty());
    Config defaults;
    defaults.name = host_name();
    check_same_defaults(manual, defaults);

    const Config empty = config_of("");
    check_same_defaults(empty, defaults);
    auto by_text = [](const Prefix& a, const Prefix& b) { return to_string(a) < to_string(b); };
    std::vector<Prefix> allow = manual.reflector.allow;
    std::vector<Prefix> allow_default = empty.reflector.allow;
    std::sort(allow.begin(), allow.end(), by_text);
    std::sort(allow_default.begin(), allow_default.end(), by_text);
    CHECK(allow == allow_default);
    REQUIRE(manual.exporters.size() == 1);
    CHECK(manual.exporters[0].plugin == empty.exporters[0].plugin);
    CHECK(manual.exporters[0].name == empty.exporters[0].name);
    CHECK(manual.exporters[0].kinds == empty.exporters[0].kinds);
    CHECK(manual.exporters[0].is_compatible);
    CHECK(manual.exporters[0].options.empty());
}

// The manual's target inherits what the manual says above it.
TEST_CASE("parse: what default.toml says for all targets are the defaults of a target") {
    const std::string text = text_of(configs_directory() / "default.toml");
    const Config manual = config_of(text + "\n[[targets]]\nhost = \"192.0.2.1\"\n");
    TargetConfig defaults;
    defaults.size_bytes = 1'470;  // The file has [metrics].
    check_same_target(manual.targets.at(0), defaults);
}

// `#key = value` and `#[[table]]` are meant to be uncommented; `# text` is not.
std::string uncommented(const std::string& text) {
    std::istringstream lines(text.substr(0, text.find("\n[metrics]")));
    std::string result;
    for (std::string line; std::getline(lines, line);) {
        const bool is_key = line.size() > 1 && line[0] == '#' && line[1] != ' ';
        result += is_key ? line.substr(1) : line;
        result += '\n';
    }
    return result;
}

TEST_CASE("parse: what default.toml leaves commented out is right and is the default too") {
    const std::string text = uncommented(text_of(configs_directory() / "default.toml"));
    // The two of latmon's ancestor, and that there are no files of targets.
    CHECK(warnings_of(text).size() == 3);
    const Config config = config_of(text);
    REQUIRE(config.targets.size() == 1);
    TargetConfig target;
    target.tcp = false;  // type = "udp".
    check_same_target(config.targets[0], target);
    CHECK(config.stamp_port == Config{}.stamp_port);
    CHECK(config.is_stamp_port_explicit);
    CHECK(config.admin.listen == config_of("").admin.listen);
    CHECK(config.admin.is_listen_explicit);
    REQUIRE(config.admin.modules.size() == 1);
    const ProbeModuleConfig module;
    CHECK(config.admin.modules[0].method == module.method);
    CHECK(config.admin.modules[0].port == module.port);
    CHECK(config.admin.modules[0].count == module.count);
    CHECK(config.admin.modules[0].interval == module.interval);
    CHECK(config.admin.modules[0].timeout == module.timeout);
    REQUIRE(config.reflector.keys.size() == 1);
    CHECK(config.reflector.keys[0].prefixes.size() == 1);
    REQUIRE(config.exporters.size() == 1);
    CHECK(config.exporters[0].kinds == exporter_kinds_default);
    CHECK(config.exporters[0].window_lengths == window_1s_bit);
    CHECK(config.exporters[0].queue_samples == limits::queue_samples_default);
    CHECK(config.exporters[0].options.size() == 1);
}

// The keys of each table of the manual, commented out or not, by the table's heading; those of the
// top level under "". A table that is a list's stands there as a key of its parent as well.
std::map<std::string, std::set<std::string>> keys_by_table(const std::string& text) {
    std::map<std::string, std::set<std::string>> keys;
    std::string table;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('#')) line.erase(0, 1);
        const std::size_t name_end = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
        if (line.starts_with('[')) {
            table = line;
            const std::string path = line.substr(0, line.find(']'));
            const std::size_t dot = path.find('.');
            const std::size_t start = path.find_first_not_of('[');
            keys[dot == std::string::npos ? "" : "[" + path.substr(start, dot - start) + "]"]
                .insert(path.substr(dot == std::string::npos ? start : dot + 1));
        } else if (name_end != 0 &&
                   line.substr(std::min(name_end, line.size())).starts_with(" = ")) {
            keys[table].insert(line.substr(0, name_end));
        }
    }
    return keys;
}

TEST_CASE("parse: default.toml has every key that there is, in its table") {
    const auto keys = keys_by_table(text_of(configs_directory() / "default.toml"));
    const std::array<std::pair<std::string, Section>, 8> sections{
        {{"", top_section},
         {"[[targets]]", target_section},
         {"[[exporters]]", exporter_section},
         {"[reflector]", reflector_section},
         {"[[reflector.keys]]", reflector_key_section},
         {"[clock]", clock_section},
         {"[admin]", admin_section},
         {"[[admin.modules]]", admin_module_section}}};
    for (const auto& [table, section] : sections) {
        REQUIRE(keys.contains(table));
        for (const std::string_view key : section.keys) {
            // Instead of `plugin`, in the text.
            if (table == "[[exporters]]" && key == "path") continue;
            CAPTURE(table);
            CAPTURE(key);
            CHECK(keys.at(table).contains(std::string(key)));
        }
    }
}

TEST_CASE("parse: every file in configs is right and makes a plan") {
    const std::array<std::uint32_t, 4> cpus{0, 1, 2, 3};
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(configs_directory())) {
        if (entry.path().extension() != ".toml") continue;
        CAPTURE(entry.path());
        std::vector<std::string> warnings;
        const Result<Config> config = load_config(entry.path(), {}, warnings);
        if (!config) FAIL(config.error().text);
        CHECK(warnings.empty());
        const Result<Plan> plan = make_plan(*config, cpus);
        if (!plan) FAIL(plan.error().text);
        CHECK(plan->warnings.empty());
        ++files;
    }
    CHECK(files >= 4);
}

}  // namespace
}  // namespace latmon
