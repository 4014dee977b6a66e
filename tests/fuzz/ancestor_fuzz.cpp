// SPDX-License-Identifier: Apache-2.0
//
// The ancestor's grammar against a second reading of it: the hand-written recogniser and a regular
// expression must agree on every input. A libFuzzer target.
#include "base/assert.hpp"
#include "wire/ancestor.hpp"

#include <cstdint>
#include <regex>
#include <span>
#include <string>

namespace {

// std::regex recurses once per octet of a repetition; short inputs hold every rule of the grammar.
constexpr std::size_t oracle_bytes_max = 2'000;

// The expression of wire/ancestor.hpp. No field takes a NUL, which std::regex would end at.
bool matches_expression(std::string text) {
    static const std::regex expression(
        "(0|[1-9][0-9]{0,2})\\|[^|\\x01-\\x1f]{1,255}\\|[0-9]{16,20}\\|[^|]*\\|0*",
        std::regex::ECMAScript | std::regex::optimize);
    if (text.find('\0') != std::string::npos) return false;
    return std::regex_match(text, expression);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const bool is_ancestor = latmon::looks_like_ancestor(std::as_bytes(std::span(data, size)));
    if (size > oracle_bytes_max) return 0;
    LATMON_ASSERT(is_ancestor == matches_expression(std::string(data, data + size)));
    return 0;
}
