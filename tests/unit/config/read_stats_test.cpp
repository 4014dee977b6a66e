// SPDX-License-Identifier: Apache-2.0
//
// What an operator says about statistics: [stats], and the objective of a target.
#include "config/read_stats.hpp"
#include "unit/config/config_text.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

TEST_CASE("read_stats: tainted samples are in unless they are excluded") {
    CHECK_FALSE(config_of("").stats.leaves_out_tainted);
    CHECK_FALSE(config_of("[stats]\ntainted = \"include\"").stats.leaves_out_tainted);
    CHECK(config_of("[stats]\ntainted = \"exclude\"").stats.leaves_out_tainted);
    CHECK(contains(errors_of("[stats]\ntainted = true"), "t.toml:2:"));
    CHECK(contains(errors_of("[stats]\ntaint = \"include\""), "tainted"));
    CHECK(contains(errors_of("stats = 1"), "[stats]"));
}

TEST_CASE("read_stats: a target has the objective of its own table, or the one above all") {
    const Config config = config_of(
        "objective = { percent = 99.9, rtt_us = 500 }\n"
        "[[targets]]\nhost = \"192.0.2.1\"\n"
        "[[targets]]\nhost = \"192.0.2.2\"\n[targets.objective]\npercent = 95\nrtt_us = 0.5\n");
    REQUIRE(config.targets.size() == 2);
    REQUIRE(config.targets[0].objective.has_value());
    CHECK(config.targets[0].objective->ratio == doctest::Approx(0.999));
    CHECK(config.targets[0].objective->rtt == Duration::from_us(500));
    REQUIRE(config.targets[1].objective.has_value());
    CHECK(config.targets[1].objective->ratio == doctest::Approx(0.95));
    CHECK(config.targets[1].objective->rtt == Duration{500});
    CHECK_FALSE(config_of("[[targets]]\nhost = \"192.0.2.1\"").targets[0].objective.has_value());
}

TEST_CASE("read_stats: a target without round trips has no objective, and may not ask for one") {
    const std::string above = "objective = { percent = 99.9, rtt_us = 500 }\n";
    const std::string silent = "[[targets]]\nhost = \"192.0.2.1\"\nrtt = false\n";
    const std::string loud = "[[targets]]\nhost = \"192.0.2.2\"\nrtt = true\n";
    const Config config = config_of(above + "rtt = false\n" + silent + loud + above);
    CHECK_FALSE(config.targets[0].objective.has_value());
    CHECK(config.targets[1].objective.has_value());
    CHECK_FALSE(config_of(above + silent).targets[0].objective.has_value());
    const std::string refusal = errors_of(silent + above);
    CHECK(contains(refusal, "t.toml:4:"));
    CHECK(contains(refusal, "write rtt = true, or leave \"objective\" out"));
    // Wherever the target has it from.
    CHECK(contains(errors_of("rtt = false\n[[targets]]\nhost = \"192.0.2.1\"\n" + above),
                   "t.toml:4:"));
    ConfigOverrides overrides;
    overrides.rtt = false;
    CHECK(
        contains(errors_of("[[targets]]\nhost = \"192.0.2.1\"\n" + above, overrides), "t.toml:3:"));
}

TEST_CASE("read_stats: an objective says both how many and how fast, within reason") {
    const auto with = [](const std::string& objective) {
        return errors_of("[[targets]]\nhost = \"192.0.2.1\"\nobjective = " + objective);
    };
    CHECK(with("{ percent = 100, rtt_us = 60000000 }") == "");
    CHECK(contains(with("{ percent = 99 }"), "rtt_us"));
    CHECK(contains(with("{ rtt_us = 99 }"), "percent"));
    CHECK(contains(with("{ percent = 0, rtt_us = 1 }"), "percent"));
    CHECK(contains(with("{ percent = 101, rtt_us = 1 }"), "percent"));
    CHECK(contains(with("{ percent = nan, rtt_us = 1 }"), "percent"));
    CHECK(contains(with("{ percent = 99, rtt_us = 0 }"), "microseconds"));
    CHECK(contains(with("{ percent = 99, rtt_us = 1, window = 1 }"), "window"));
    CHECK(contains(with("99"), "percent = 99.0, rtt_us = 200"));
}

}  // namespace
}  // namespace latmon
