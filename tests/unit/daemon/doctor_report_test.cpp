// SPDX-License-Identifier: Apache-2.0
//
// Claims about what a doctor prints.
#include "daemon/doctor_report.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace latmon {
namespace {

const std::vector<Finding> well{{"kernel", Verdict::ok, "Linux 6.1", ""},
                                {"clock", Verdict::warn, "S = 0", "run chronyd"}};
const std::vector<Finding> ill{{"kernel", Verdict::bad, "Linux 5.4", "upgrade"}};

TEST_CASE("doctor_report: one line per finding, with its verdict and its cure, and their sum") {
    CHECK(doctor_text(well) ==
          "ok    kernel: Linux 6.1\n"
          "warn  clock: S = 0: run chronyd\n"
          "1 ok, 1 to look at, 0 bad\n");
    CHECK(doctor_text(ill) == "bad   kernel: Linux 5.4: upgrade\n0 ok, 0 to look at, 1 bad\n");
}

TEST_CASE("doctor_report: only what is bad is a failure") {
    CHECK(doctor_exit_code({}) == 0);
    CHECK(doctor_exit_code(well) == 0);
    CHECK(doctor_exit_code(ill) == 1);
}

TEST_CASE("doctor_report: the same as JSON, on one line") {
    const std::string text = doctor_json(well);
    CHECK(text.find('\n') == text.size() - 1);
    const nlohmann::json json = nlohmann::json::parse(text);
    CHECK(json["v"] == 1);
    CHECK(json["ok"] == 1);
    CHECK(json["warn"] == 1);
    CHECK(json["bad"] == 0);
    CHECK(json["exit_code"] == 0);
    REQUIRE(json["findings"].size() == 2);
    CHECK(json["findings"][1]["subject"] == "clock");
    CHECK(json["findings"][1]["verdict"] == "warn");
    CHECK(json["findings"][1]["cure"] == "run chronyd");
}

}  // namespace
}  // namespace latmon
