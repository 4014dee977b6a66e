// SPDX-License-Identifier: Apache-2.0
//
// What a plugin gets for a key, and what an operator is told about it. Values come as the
// configuration makes them; no TOML is read here.
#include "exporter/options.hpp"

#include <doctest/doctest.h>
#include <limits>

namespace latmon {
namespace {

ExporterConfig config_with(std::vector<std::pair<std::string, OptionValue>> options) {
    ExporterConfig config;
    config.name = "fast";
    config.options = std::move(options);
    return config;
}

OptionValue value(decltype(OptionValue::value) content, std::uint32_t line = 1) {
    return {.value = std::move(content), .where = {.line = line, .column = 7}};
}

const ExporterConfig every_type = config_with({
    {"text", value(std::string("hello"))},
    {"flag", value(true)},
    {"whole", value(std::int64_t{42})},
    {"real", value(2.5)},
    {"list", value(OptionValue::List{"a", "b"})},
});

TEST_CASE("options: the windows that the operator asked for can be seen, the usual ones cannot") {
    ExporterConfig config = every_type;
    Options usual(config, "f.toml");
    CHECK(usual.get_list_item("windows", 0) == nullptr);
    config.window_lengths = window_60s_bit | window_1s_bit;
    Options options(config, "f.toml");
    CHECK(options.get_list_item("windows", 0) == std::string("1s"));
    CHECK(options.get_list_item("windows", 1) == std::string("60s"));
    CHECK(options.get_list_item("windows", 2) == nullptr);
}

TEST_CASE("options: a value of the type asked for is given") {
    Options options(every_type, "f.toml");
    CHECK(options.get_string("text", "x") == std::string("hello"));
    CHECK(options.get_bool("flag", false));
    CHECK(options.get_int("whole", 0, 0, 100) == 42);
    CHECK(options.get_float("real", 0, 0, 100) == 2.5);
    CHECK(options.get_list_item("list", 0) == std::string("a"));
    CHECK(options.get_list_item("list", 1) == std::string("b"));
    CHECK(options.get_list_item("list", 2) == nullptr);
    CHECK(options.report_with_unknown().errors.empty());
}

TEST_CASE("options: a whole number serves where a real one is asked for") {
    Options options(every_type, "f.toml");
    CHECK(options.get_float("whole", 0, 0, 100) == 42.0);
    CHECK(options.report().errors.empty());
}

TEST_CASE("options: what is not written is the fallback, whatever its range") {
    const ExporterConfig none = config_with({});
    Options options(none, "f.toml");
    CHECK(options.get_string("text", nullptr) == nullptr);
    CHECK(options.get_bool("flag", true));
    CHECK(options.get_int("whole", -1, 0, 100) == -1);
    CHECK(options.get_float("real", -1, 0, 100) == -1);
    CHECK(options.get_list_item("list", 0) == nullptr);
    CHECK(options.report_with_unknown().errors.empty());
}

TEST_CASE("options: a value of another type is the fallback and an error") {
    Options options(every_type, "f.toml");
    CHECK(options.get_string("whole", "x") == std::string("x"));
    CHECK_FALSE(options.get_bool("text", false));
    CHECK(options.get_int("real", 7, 0, 100) == 7);
    CHECK(options.get_float("flag", 7, 0, 100) == 7);
    CHECK(options.report().errors.size() == 4);
    CHECK(options.report().errors[0] ==
          "f.toml:1:7: exporter fast: whole is not a text: write whole = \"...\"");
}

TEST_CASE("options: both ends of a range belong to it, and nothing beyond") {
    const ExporterConfig config =
        config_with({{"low", value(std::int64_t{1})},
                     {"high", value(std::int64_t{9})},
                     {"nan", value(std::numeric_limits<double>::quiet_NaN())},
                     {"over", value(std::int64_t{10}, 3)}});
    Options options(config, "f.toml");
    CHECK(options.get_int("low", 5, 1, 9) == 1);
    CHECK(options.get_int("high", 5, 1, 9) == 9);
    CHECK(options.report().errors.empty());
    CHECK(options.get_float("nan", 5, 1, 9) == 5);
    CHECK(options.get_int("over", 5, 1, 9) == 5);
    REQUIRE(options.report().errors.size() == 2);
    CHECK(options.report().errors[1] ==
          "f.toml:3:7: exporter fast: over = 10 is out of range: write 1 to 9");
}

TEST_CASE("options: a key is complained about once, however often it is asked for") {
    Options options(every_type, "f.toml");
    CHECK(options.get_list_item("text", 0) == nullptr);
    CHECK(options.get_list_item("text", 1) == nullptr);
    CHECK(options.report().errors.size() == 1);
}

TEST_CASE("options: all mistakes are told, in the file's order") {
    const ExporterConfig config = config_with({{"late", value(true, 9)},
                                               {"formt", value(std::string("json"), 5)},
                                               {"early", value(true, 2)}});
    Options options(config, "f.toml");
    static_cast<void>(options.get_int("late", 0, 0, 1));
    static_cast<void>(options.get_int("early", 0, 0, 1));
    static_cast<void>(options.get_string("format", ""));
    const OptionReport report = options.report_with_unknown();
    REQUIRE(report.errors.size() == 3);
    CHECK(report.errors[0].starts_with("f.toml:2:7: "));
    CHECK(report.errors[1] ==
          "f.toml:5:7: exporter fast: does not know \"formt\": did you mean \"format\"?");
    CHECK(report.errors[2].starts_with("f.toml:9:7: "));
    CHECK(report.warnings.empty());
}

TEST_CASE("options: an unknown key like no other is answered with the known ones") {
    const ExporterConfig config = config_with({{"colour", value(true)}});
    Options options(config, "f.toml");
    static_cast<void>(options.get_string("format", ""));
    static_cast<void>(options.get_string("path", ""));
    const OptionReport report = options.report_with_unknown();
    REQUIRE(report.errors.size() == 1);
    CHECK(report.errors[0].ends_with(
        "does not know \"colour\": its plugin's options are format, path"));
}

TEST_CASE("options: in the ancestor's shape unknown keys are but warned of") {
    ExporterConfig config = config_with({{"colour", value(true)}, {"port", value(true)}});
    config.is_compatible = true;
    Options options(config, "f.toml");
    static_cast<void>(options.get_int("port", 1, 1, 65535));
    const OptionReport report = options.report_with_unknown();
    CHECK(report.errors.size() == 1);
    REQUIRE(report.warnings.size() == 1);
    CHECK(report.warnings[0].find("colour") != std::string::npos);
}

TEST_CASE("options: `compatible` is true in the ancestor's shape and else what is written") {
    ExporterConfig config = config_with({});
    Options plain(config, "f.toml");
    CHECK_FALSE(plain.get_bool("compatible", false));
    config.is_compatible = true;
    Options compatible(config, "f.toml");
    CHECK(compatible.get_bool("compatible", false));
    const ExporterConfig written = config_with({{"compatible", value(true)}});
    Options asked(written, "f.toml");
    CHECK(asked.get_bool("compatible", false));
}

}  // namespace
}  // namespace latmon
