// SPDX-License-Identifier: Apache-2.0
//
// Every outcome has a name and a counter, and the counters add up.
#include "probe/reflector_counters.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <set>
#include <string_view>

namespace latmon {
namespace {

TEST_CASE("reflector counters: every reason has a name of its own, fit for a metric") {
    std::set<std::string_view> names;
    for (std::size_t index = 0; index < reflect_reason_count; ++index) {
        const std::string_view text = name(static_cast<ReflectReason>(index));
        CAPTURE(index);
        CHECK_FALSE(text.empty());
        CHECK(std::all_of(text.begin(), text.end(),
                          [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; }));
        names.insert(text);
    }
    CHECK(names.size() == reflect_reason_count);
    CHECK(name(ReflectReason::reflected) == "reflected");
    CHECK(name(ReflectReason::rate_source) == "rate_source");
    CHECK(name(ReflectReason::looped) == "looped");
    CHECK(name(ReflectReason::reply_failed) == "reply_failed");
}

TEST_CASE("reflector counters: received is the sum of the reasons") {
    ReflectorCounters counters;
    std::uint64_t sum = 0;
    for (std::size_t index = 0; index < reflect_reason_count; ++index) {
        const auto reason = static_cast<ReflectReason>(index);
        for (std::size_t times = 0; times <= index; ++times) {
            counters.count(reason);
        }
        CHECK(counters.read(reason) == index + 1);
        sum += counters.read(reason);
    }
    CHECK(counters.received.read() == sum);
}

}  // namespace
}  // namespace latmon
