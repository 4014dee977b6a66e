// SPDX-License-Identifier: Apache-2.0
//
// See trust.hpp.
#include "loadgen/trust.hpp"

#include <fmt/format.h>

namespace latmon::loadgen {
namespace {

constexpr double lateness_percent = 99;
constexpr std::uint64_t share_limit = 1'000;

}  // namespace

void Trust::doubt_lateness(std::string_view name, const Histogram& lateness) {
    const std::optional<Duration> p99 = lateness.percentile(lateness_percent);
    if (!p99 || *p99 <= limit_) return;
    reasons_.push_back(fmt::format("{}_p99_ns is {}, more than {}", name, p99->ns, limit_.ns));
}

void Trust::doubt_count(std::string_view name, std::uint64_t count) {
    if (count > 0) reasons_.push_back(fmt::format("{} is {}", name, count));
}

void Trust::doubt_share(std::string_view name, std::uint64_t count, std::uint64_t all) {
    if (count * share_limit <= all) return;
    reasons_.push_back(fmt::format("{} is {} of {}", name, count, all));
}

void Trust::doubt_flow(bool is_balanced, std::uint64_t answered) {
    if (!is_balanced) reasons_.push_back("is_balanced is false");
    if (answered == 0) reasons_.push_back("nothing was answered");
}

void Trust::describe(Report& report) const {
    report.add_truth("is_trustworthy", reasons_.empty());
    report.add("distrust_reasons", reasons_);
}

}  // namespace latmon::loadgen
