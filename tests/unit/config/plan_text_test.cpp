// SPDX-License-Identifier: Apache-2.0
//
// Claims about a plan as an operator reads it.
#include "config/plan.hpp"

#include "unit/config/config_text.hpp"

#include <array>
#include <sstream>

namespace latmon {
namespace {

std::string described(std::string_view text) {
    const std::array<std::uint32_t, 2> cpus{0, 1};
    const Result<Plan> plan = make_plan(config_of(text), cpus);
    if (!plan) FAIL(plan.error().text);
    return describe_plan(*plan);
}

// The first line that begins with `start`, each run of blanks as one.
std::string line_of(const std::string& text, const std::string& start) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(start)) continue;
        std::istringstream words(line);
        std::string result;
        for (std::string word; words >> word;) {
            result += (result.empty() ? "" : " ") + word;
        }
        return result;
    }
    return "";
}

TEST_CASE("plan_text: cores, listeners, probes and exporters each have their lines") {
    const std::string text = described(R"(
name = "me"
cores = "1"
interval = 100
[[targets]]
host = "192.0.2.1"
label = "foo"
[[targets]]
host = "a.example"
[[exporters]]
plugin = "zeromq"
samples = ["exchange", "node"]
)");
    CHECK(line_of(text, "node ") ==
          "node me, precision balanced, 6 probes, at most 1138 file descriptors");
    CHECK(line_of(text, "1    ") == "1 6 60.0");
    CHECK(line_of(text, "tcp") == "tcp 0.0.0.0:8000");
    CHECK(contains(text, "udp      [::]:862  if possible\n"));
    CHECK(line_of(text, "0 ") == "0 udp foo 192.0.2.1:8001 100 1000 100");
    CHECK(line_of(text, "5 ") == "5 connect a.example a.example:8000 100 1000 0");
    CHECK(line_of(text, "zeromq") == "zeromq zeromq 8192 exchange,node");
}

TEST_CASE("plan_text: the ancestor's shape is told as such") {
    CHECK(line_of(described(""), "cli") ==
          "cli cli 8192 exchange,connect,reflection as latency-monitor");
    CHECK(contains(described(""), "No targets: latmon only answers."));
}

TEST_CASE("plan_text: fifty probes are shown and the rest are counted") {
    std::string text = "tcp = false\n";
    for (int index = 0; index < 50; ++index) {
        text += "[[targets]]\nhost = \"h" + std::to_string(index) + "\"\n";
    }
    CHECK_FALSE(contains(described(text), "more"));
    text += "[[targets]]\nhost = \"last\"\n[[targets]]\nhost = \"very last\"\n";
    text.replace(text.find("very last"), 9, "very-last");
    CHECK(contains(described(text), "... and 2 more\n"));
    CHECK_FALSE(contains(described(text), "last"));
}

TEST_CASE("plan_text: warnings stand at the end") {
    CHECK(described("udp = false\ntcp = false\n").find("\nwarning: \"udp\" and \"tcp\"") !=
          std::string::npos);
}

}  // namespace
}  // namespace latmon
