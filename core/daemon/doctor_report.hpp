// SPDX-License-Identifier: Apache-2.0
//
// What `latmon doctor` found, as lines for people and as one JSON object. Plain values; it examines
// nothing. [main-thread]
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {

enum class Verdict : std::uint8_t {
    ok,    // As it should be.
    warn,  // latmon runs, and measures less well, or less, than it could.
    bad    // latmon does not run, or not as it was told to.
};

struct Finding {
    std::string subject;  // Stable, for scripts: "io_uring", "port 862/udp".
    Verdict verdict = Verdict::ok;
    std::string text;  // What was found.
    std::string cure;  // What to do about it; "" if there is nothing to do.
};

[[nodiscard]] std::string_view verdict_word(Verdict verdict) noexcept;

// One line per finding in their order, and one with their sum.
[[nodiscard]] std::string doctor_text(const std::vector<Finding>& findings);

// {"v":1,"ok":...,"warn":...,"bad":...,"findings":[{"subject":...,"verdict":...,"text":...,
// "cure":...}],"exit_code":...}, and a newline.
[[nodiscard]] std::string doctor_json(const std::vector<Finding>& findings);

// 0 if nothing is bad, else 1.
[[nodiscard]] int doctor_exit_code(const std::vector<Finding>& findings) noexcept;

}  // namespace latmon
