// SPDX-License-Identifier: Apache-2.0
//
// What `latmon ping` prints for people. Times are microseconds throughout, so that one can be held
// against the other, and have as many digits as are true: a software stamp is good to 0.1 us at
// best. Pure.
#pragma once

#include "daemon/ping_report.hpp"
#include "sample/sample.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace latmon {

// "41.2us", "-3.0us", from 100 us on "1234us".
[[nodiscard]] std::string in_microseconds(std::int64_t ns);

// latmon_status_t and latmon_stamp_t by name, as in include/latmon/sample.h; "unknown" for others.
[[nodiscard]] std::string_view status_word(std::uint8_t status) noexcept;
[[nodiscard]] std::string_view stamp_word(std::uint8_t stamp) noexcept;

// Of T1, T2, T3 and T4: "kernel/peer/peer/kernel".
[[nodiscard]] std::string stamps_text(const std::array<std::uint8_t, 4>& stamps);

// An errno value, or LATMON_ERROR_..., in words.
[[nodiscard]] std::string error_text(std::int32_t error);

// The names of the bits of `blame` with commas between; "" if there is none.
[[nodiscard]] std::string blame_text(std::uint32_t blame);

// The line before the first exchange.
[[nodiscard]] std::string ping_heading(const PingReport& report);

// One line for one exchange, however it ended.
[[nodiscard]] std::string exchange_line(const Sample& sample);

// Everything behind the last exchange.
[[nodiscard]] std::string ping_summary(const PingReport& report);

}  // namespace latmon
