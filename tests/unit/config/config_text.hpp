// SPDX-License-Identifier: Apache-2.0
//
// What the tests of config/ have in common: a TOML text as a Config, or as what is wrong with it.
// The text stands for a file named t.toml.
#pragma once

#include "config/parse.hpp"

#include <doctest/doctest.h>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {

// The Config of a text that must be right.
inline Config config_of(std::string_view text, const ConfigOverrides& overrides = {}) {
    std::vector<std::string> warnings;
    const Result<Config> config = parse_config(text, "t.toml", overrides, warnings);
    if (!config) FAIL(config.error().text);
    return *config;
}

// A configuration of two cores, and targets for it that differ in their addresses; `more` are lines
// of the target's table.
inline const std::string two_cores = "name = \"n\"\ncores = [0, 1]\n";

inline std::string target_text(int number, const std::string& more = "") {
    return "[[targets]]\nhost = \"10.0.0." + std::to_string(number) + "\"\ntype = \"udp\"\n" +
           more + "\n";
}

// The lines that say what is wrong with a text; "" if it is right.
inline std::string errors_of(std::string_view text, const ConfigOverrides& overrides = {}) {
    std::vector<std::string> warnings;
    const Result<Config> config = parse_config(text, "t.toml", overrides, warnings);
    if (config) return "";
    CHECK(config.error().code == ExitCode::configuration);
    return config.error().text;
}

inline std::vector<std::string> warnings_of(std::string_view text,
                                            const ConfigOverrides& overrides = {}) {
    std::vector<std::string> warnings;
    static_cast<void>(parse_config(text, "t.toml", overrides, warnings));
    return warnings;
}

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace latmon
