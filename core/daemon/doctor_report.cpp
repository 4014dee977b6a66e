// SPDX-License-Identifier: Apache-2.0
//
// See doctor_report.hpp.
#include "daemon/doctor_report.hpp"

#include "base/assert.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace latmon {
namespace {

std::size_t count_of(const std::vector<Finding>& findings, Verdict verdict) noexcept {
    return static_cast<std::size_t>(
        std::count_if(findings.begin(), findings.end(),
                      [&](const Finding& finding) { return finding.verdict == verdict; }));
}

}  // namespace

std::string_view verdict_word(Verdict verdict) noexcept {
    switch (verdict) {
        case Verdict::ok:
            return "ok";
        case Verdict::warn:
            return "warn";
        case Verdict::bad:
            return "bad";
    }
    LATMON_ASSERT(false);
    return "";
}

std::string doctor_text(const std::vector<Finding>& findings) {
    std::string text;
    for (const Finding& finding : findings) {
        fmt::format_to(std::back_inserter(text), "{:<5} {}: {}{}{}\n",
                       verdict_word(finding.verdict), finding.subject, finding.text,
                       finding.cure.empty() ? "" : ": ", finding.cure);
    }
    fmt::format_to(std::back_inserter(text), "{} ok, {} to look at, {} bad\n",
                   count_of(findings, Verdict::ok), count_of(findings, Verdict::warn),
                   count_of(findings, Verdict::bad));
    return text;
}

std::string doctor_json(const std::vector<Finding>& findings) {
    using Json = nlohmann::ordered_json;
    Json list = Json::array();
    for (const Finding& finding : findings) {
        list.push_back({{"subject", finding.subject},
                        {"verdict", std::string(verdict_word(finding.verdict))},
                        {"text", finding.text},
                        {"cure", finding.cure}});
    }
    const Json json{{"v", 1},
                    {"ok", count_of(findings, Verdict::ok)},
                    {"warn", count_of(findings, Verdict::warn)},
                    {"bad", count_of(findings, Verdict::bad)},
                    {"findings", std::move(list)},
                    {"exit_code", doctor_exit_code(findings)}};
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

int doctor_exit_code(const std::vector<Finding>& findings) noexcept {
    return count_of(findings, Verdict::bad) == 0 ? 0 : 1;
}

}  // namespace latmon
