// SPDX-License-Identifier: Apache-2.0
//
// Claims about [[exporters]], [metrics], and what comes of neither.
#include "config/read_exporters.hpp"

#include "unit/config/config_text.hpp"

#include <string>

namespace latmon {
namespace {

ExporterConfig only_exporter(std::string_view text, const ConfigOverrides& overrides = {}) {
    const Config config = config_of(text, overrides);
    REQUIRE(config.exporters.size() == 1);
    return config.exporters.front();
}

TEST_CASE("read_exporters: a file without exporters prints as latency-monitor does") {
    const ExporterConfig exporter = only_exporter("");
    CHECK(exporter.plugin == "cli");
    CHECK(exporter.name == "cli");
    CHECK(exporter.is_compatible);
    CHECK(exporter.kinds == (exchange_kind_bit | connect_kind_bit | reflection_kind_bit));
}

TEST_CASE("read_exporters: [metrics] becomes one compatible exporter with its keys as options") {
    const ExporterConfig exporter = only_exporter(R"([metrics]
backend = "ClickHouse"
port = 8443
verify = true
send_interval = 0.5
host = "h"
columns = ["a", "b"]
)");
    CHECK(exporter.plugin == "clickhouse");
    CHECK(exporter.is_compatible);
    REQUIRE(exporter.options.size() == 5);
    CHECK(exporter.options[0].first == "port");
    CHECK(std::get<std::int64_t>(exporter.options[0].second.value) == 8'443);
    CHECK(exporter.options[0].second.where.line == 3);
    CHECK(std::get<bool>(exporter.options[1].second.value));
    CHECK(std::get<double>(exporter.options[2].second.value) == 0.5);
    CHECK(std::get<std::string>(exporter.options[3].second.value) == "h");
    CHECK(std::get<OptionValue::List>(exporter.options[4].second.value) ==
          OptionValue::List{"a", "b"});
}

TEST_CASE("read_exporters: every backend of latency-monitor is known, and no other") {
    for (const std::string name :
         {"cli", "log", "zeromq", "datadog", "pushgateway", "clickhouse"}) {
        CHECK(only_exporter("[metrics]\nbackend = \"" + name + "\"").plugin == name);
    }
    CHECK(contains(errors_of("[metrics]\nbackend = \"influx\""), "not known here"));
    CHECK(contains(errors_of("[metrics]\nhost = \"x\""), "has no \"backend\""));
    CHECK(contains(errors_of("[metrics]\nbackend = 1"), "name of a backend"));
    CHECK(contains(errors_of("[[metrics]]\nbackend = \"cli\""), "with one bracket"));
}

TEST_CASE("read_exporters: -m chooses the backend, and another's keys go with it") {
    ConfigOverrides overrides;
    overrides.metrics_backend = "log";
    CHECK(only_exporter("", overrides).plugin == "log");
    const std::string_view same = "[metrics]\nbackend = \"log\"\nlevel = \"info\"";
    CHECK(only_exporter(same, overrides).options.size() == 1);
    const std::string_view unnamed = "[metrics]\nlevel = \"info\"";
    CHECK(only_exporter(unnamed, overrides).options.size() == 1);
    const std::string_view other = "[metrics]\nbackend = \"zeromq\"\nport = 1";
    CHECK(only_exporter(other, overrides).plugin == "log");
    CHECK(only_exporter(other, overrides).options.empty());
    CHECK(warnings_of(other, overrides).size() == 1);
    CHECK(contains(errors_of("[[exporters]]\nplugin = \"x\"", overrides), "--metrics does not go"));
    overrides.metrics_backend = "influx";
    CHECK(contains(errors_of("", overrides), "command line: --metrics: \"influx\" is not known"));
}

TEST_CASE("read_exporters: the two shapes do not mix, and both are read to their end") {
    const std::string text =
        errors_of("[metrics]\nbackend = \"clii\"\n[[exporters]]\nplugin = \"x\"\nsamples = []\n");
    CHECK(contains(text, "t.toml:1:2: [metrics] and [[exporters]] do not go together"));
    CHECK(contains(text, "did you mean \"cli\"?"));
    CHECK(contains(text, "t.toml:5:11: \"samples\" is empty"));
}

TEST_CASE("read_exporters: an exporter's own keys arrive, the others are options") {
    const ExporterConfig exporter = only_exporter(R"([[exporters]]
path = "/x/my.so"
name = "mine"
queue_samples = 128
samples = ["reflection", "Node"]
compatible = true
port = 1
)");
    CHECK(exporter.plugin.empty());
    CHECK(exporter.path == "/x/my.so");
    CHECK(exporter.name == "mine");
    CHECK(exporter.queue_samples == 128);
    CHECK(exporter.kinds == (reflection_kind_bit | node_kind_bit));
    CHECK_FALSE(exporter.is_compatible);
    CHECK(exporter.options.size() == 2);
    CHECK(exporter.where.line == 1);
}

TEST_CASE("read_exporters: without `samples` and `windows` it is the plugin's to say") {
    const ExporterConfig exporter = only_exporter("[[exporters]]\nplugin = \"x\"");
    CHECK_FALSE(exporter.kinds.has_value());
    CHECK_FALSE(exporter.window_lengths.has_value());
}

TEST_CASE("read_exporters: windows are asked for by their lengths, beside samples or alone") {
    const ExporterConfig both =
        only_exporter("[[exporters]]\nplugin = \"x\"\nwindows = [\"1s\", \"60s\"]");
    CHECK(both.window_lengths == (window_1s_bit | window_60s_bit));
    CHECK_FALSE(both.kinds.has_value());
    const ExporterConfig alone =
        only_exporter("[[exporters]]\nplugin = \"x\"\nwindows = \"5s\"\nsamples = []");
    CHECK(alone.window_lengths == window_5s_bit);
    CHECK(alone.kinds == 0U);
    const ExporterConfig none = only_exporter("[[exporters]]\nplugin = \"x\"\nwindows = []");
    CHECK(none.window_lengths == 0U);
    CHECK(contains(errors_of("[[exporters]]\nplugin = \"x\"\nwindows = [\"2s\"]"), "60s"));
    CHECK(contains(errors_of("[[exporters]]\nplugin = \"x\"\nsamples = []\nwindows = []"),
                   "would get nothing"));
}

TEST_CASE("read_exporters: a queue is a power of two") {
    const auto queue = [](std::uint32_t samples) {
        return only_exporter("[[exporters]]\nplugin = \"x\"\nqueue_samples = " +
                             std::to_string(samples))
            .queue_samples;
    };
    CHECK(queue(64) == 64);
    CHECK(queue(65) == 128);
    CHECK(queue(1'048'576) == 1'048'576);
    CHECK(queue(1'048'575) == 1'048'576);
    CHECK(warnings_of("[[exporters]]\nplugin = \"x\"\nqueue_samples = 65").size() == 1);
    CHECK(warnings_of("[[exporters]]\nplugin = \"x\"\nqueue_samples = 64").empty());
    CHECK(errors_of("[[exporters]]\nplugin = \"x\"\nqueue_samples = 63") != "");
    CHECK(errors_of("[[exporters]]\nplugin = \"x\"\nqueue_samples = 1048577") != "");
}

TEST_CASE("read_exporters: either a plugin or a path") {
    CHECK(contains(errors_of("[[exporters]]\nname = \"x\""), "t.toml:1:1: this exporter names no"));
    CHECK(contains(errors_of("[[exporters]]\nplugin = \"x\"\npath = \"y\""), "keep one"));
    CHECK(contains(errors_of("[[exporters]]\nplugin = \"./x.so\""), "path = ..."));
    CHECK(contains(errors_of("[[exporters]]\nplugin = \"\""), "path = ..."));
    CHECK(contains(errors_of("[[exporters]]\npath = \"\""), "is empty"));
}

TEST_CASE("read_exporters: names are given, or numbered around those that are") {
    const Config config = config_of(
        "[[exporters]]\nplugin = \"z\"\n[[exporters]]\npath = \"/p/z.so\"\n"
        "[[exporters]]\nplugin = \"a\"\nname = \"z-2\"\n");
    REQUIRE(config.exporters.size() == 3);
    CHECK(config.exporters[0].name == "z");
    CHECK(config.exporters[1].name == "z-3");
    CHECK(config.exporters[2].name == "z-2");
    CHECK(contains(errors_of("[[exporters]]\nplugin = \"a\"\nname = \"n\"\n"
                             "[[exporters]]\nplugin = \"b\"\nname = \"n\"\n"),
                   "t.toml:4:1: exporter \"n\" has the name of the one in line 1"));
}

TEST_CASE("read_exporters: options are flat and of kinds that a plugin can be given") {
    const auto error_of = [](const std::string& line) {
        return errors_of("[[exporters]]\nplugin = \"x\"\n" + line);
    };
    CHECK(contains(error_of("t = { a = 1 }"),
                   "t.toml:3:5: option \"t\" is a table; options are flat"));
    CHECK(contains(error_of("[exporters.t]\na = 1"), "options are flat"));
    CHECK(contains(error_of("a.b = 1"), "options are flat"));
    CHECK(contains(error_of("l = [1]"), "list with something else than strings"));
    CHECK(contains(error_of("d = 1979-05-27T07:32:00Z"), "a date"));
    CHECK(contains(error_of("s = \"a\\u0000b\""), "NUL"));
    CHECK(contains(error_of("\"\" = 1"), "name is empty"));
    CHECK(error_of("s = \"a\\tb\\n\"") == "");
}

TEST_CASE("read_exporters: an option that looks like a misspelt key is told, and kept") {
    const std::string_view text = "[[exporters]]\nplugin = \"x\"\nsampels = [\"node\"]\n";
    CHECK(contains(warnings_of(text).at(0), "t.toml:3:1: \"sampels\" is left to the plugin"));
    CHECK(only_exporter(text).options.size() == 1);
}

TEST_CASE("read_exporters: unknown samples are told with those that are known") {
    CHECK(contains(errors_of("[[exporters]]\nplugin = \"x\"\nsamples = [\"exchanges\", \"q\"]\n"),
                   "t.toml:3:12: \"exchanges\" is not known here; did you mean \"exchange\"?"));
}

TEST_CASE("read_exporters: more exporters than latmon holds are refused") {
    std::string text;
    for (std::uint32_t number = 0; number < limits::exporters_max; ++number) {
        text += "[[exporters]]\nplugin = \"x\"\n";
    }
    CHECK(errors_of(text) == "");
    CHECK(contains(errors_of(text + "[[exporters]]\nplugin = \"x\"\n"), "32 are the most"));
}

}  // namespace
}  // namespace latmon
