// SPDX-License-Identifier: Apache-2.0
//
// One object of JSON, written member by member in the order of calls: what lines of samples and of
// windows are made with. No tree in memory, no library. One thread at a time.
#pragma once

#include "support/json.hpp"

#include <latmon/host.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace latmon::plugins {

class JsonObject {
public:
    // Appends to `out`, which outlives it.
    JsonObject(std::string& out, Timestamps timestamps) : out_(out), timestamps_(timestamps) {
        out_ += '{';
    }

    void number(std::string_view name, std::int64_t value) {
        key(name);
        append_integer(out_, value);
    }
    void count(std::string_view name, std::uint64_t value);
    // One that is not finite is left out: JSON has none.
    void real(std::string_view name, double value);
    void boolean(std::string_view name, bool value) {
        key(name);
        out_ += value ? "true" : "false";
    }
    // A point in time. `name` ends in _ns, and loses that where times are texts.
    void instant(std::string_view name, std::int64_t time_ns);
    // `word` is ours: nothing in it needs escaping.
    void word(std::string_view name, std::string_view word) {
        key(name);
        quote(word);
    }
    void text(std::string_view name, std::string_view utf8) {
        key(name);
        append_json_string(out_, utf8);
    }
    void tags(const latmon_series_t& series);
    void blame(std::uint32_t bits);

    // A member that is JSON already: the caller appends its value to what this returns.
    [[nodiscard]] std::string& member(std::string_view name) {
        key(name);
        return out_;
    }
    void end() { out_ += '}'; }

private:
    void key(std::string_view name);
    void quote(std::string_view word);

    std::string& out_;
    Timestamps timestamps_;
    bool is_first_ = true;
};

}  // namespace latmon::plugins
