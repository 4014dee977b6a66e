// SPDX-License-Identifier: Apache-2.0
//
// Points for Datadog, between the exporter-thread, which makes rows, and the sender-thread, which
// makes bodies of them. A row is one line with tabs between
//
//   metric, type ('g', 'c' or 'd'), interval in seconds, unit, tags as JSON, time in s, value
//
// and says all by itself, whichever version of the API a body is made for. Pure.
#pragma once

#include "push/backend.hpp"

#include <latmon/host.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace latmon::plugins::datadog {

// Datadog's limits, from its manuals: metrics/custom_metrics and getting_started/tagging.
inline constexpr std::size_t name_octets_max = 200;
inline constexpr std::size_t tag_characters_max = 200;
// From its API reference, "Submit metrics".
inline constexpr std::int64_t past_max_s = 3'600;
inline constexpr std::int64_t future_max_s = 600;

enum class Type : char { gauge = 'g', count = 'c', distribution = 'd' };

// `text` as a metric's name: a letter, then letters, digits, '_' and '.'; others become '_'.
[[nodiscard]] std::string metric_name(std::string_view text);

// A JSON list of `own` and the series' tags, each cut at 200 characters.
[[nodiscard]] std::string tags_json(std::span<const std::string> own,
                                    const latmon_series_t& series);

struct Point {
    std::string_view metric;  // By metric_name().
    Type type = Type::gauge;
    std::int64_t interval_s = 0;  // Of a count; else 0.
    std::string_view unit;        // "second"; "": none.
    std::string_view tags;        // By tags_json().
    std::int64_t time_s = 0;      // Since 1970.
    std::string_view value;       // A JSON number; of a distribution a list of them.
};

// Replaces `row` by the point's line, with its newline.
void make_row(std::string& row, const Point& point);

enum class Api : std::uint8_t { series_v1, series_v2, distribution };

struct BodyOptions {
    Api api = Api::series_v2;
    std::string host;        // "": no host is named.
    std::int64_t now_s = 0;  // Points too far from it are left out.
};
struct Body {
    std::string text;            // "": there is nothing to send.
    std::uint64_t untimely = 0;  // Points left out, because Datadog would drop them in silence.
};

// One body of all rows: each series once, with its points in the order of time. Of two points of a
// second the last is kept, as Datadog would; distributions keep all. Lines that are no rows are
// left out.
[[nodiscard]] Body make_body(std::span<const push::Record> records, const BodyOptions& options);

}  // namespace latmon::plugins::datadog
