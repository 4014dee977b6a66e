// SPDX-License-Identifier: Apache-2.0
//
// See json_object.hpp.
#include "support/json_object.hpp"

#include "support/words.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>

namespace latmon::plugins {
namespace {

constexpr std::string_view unit_suffix = "_ns";

}  // namespace

void JsonObject::key(std::string_view name) {
    if (!is_first_) out_ += ',';
    is_first_ = false;
    quote(name);
    out_ += ':';
}

void JsonObject::quote(std::string_view word) {
    out_ += '"';
    out_ += word;
    out_ += '"';
}

void JsonObject::count(std::string_view name, std::uint64_t value) {
    key(name);
    out_ += std::to_string(value);
}

void JsonObject::real(std::string_view name, double value) {
    if (!std::isfinite(value)) return;
    key(name);
    std::array<char, 32> text;  // The shortest that is read back as the same double.
    out_.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

void JsonObject::instant(std::string_view name, std::int64_t time_ns) {
    if (timestamps_ == Timestamps::ns) {
        number(name, time_ns);
        return;
    }
    key(name.substr(0, name.size() - unit_suffix.size()));
    out_ += '"';
    append_rfc3339(out_, time_ns);
    out_ += '"';
}

void JsonObject::tags(const latmon_series_t& series) {
    key("tags");
    out_ += '[';
    for (std::uint32_t index = 0; index < series.tags_count; ++index) {
        if (index > 0) out_ += ',';
        append_json_string(out_, series.tags[index]);
    }
    out_ += ']';
}

void JsonObject::blame(std::uint32_t bits) {
    key("blame");
    out_ += '[';
    for (std::uint32_t rest = bits; rest != 0; rest &= rest - 1) {
        if (rest != bits) out_ += ',';
        quote(blame_word(static_cast<unsigned>(std::countr_zero(rest))));
    }
    out_ += ']';
}

}  // namespace latmon::plugins
