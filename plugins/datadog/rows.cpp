// SPDX-License-Identifier: Apache-2.0
//
// See rows.hpp. JSON by hand: what is in a row is JSON already, or has nothing that needs escaping.
#include "datadog/rows.hpp"

#include "support/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <unordered_map>

namespace latmon::plugins::datadog {
namespace {

struct TimedValue {
    std::int64_t time_s;
    std::string_view value;
};

struct Fields {
    std::string_view series;  // The first five, as they stand.
    std::string_view metric;
    char type;
    std::string_view interval_s;
    std::string_view unit;
    std::string_view tags;
    TimedValue point;
};

std::optional<Fields> parse_row(std::string_view line) {
    std::array<std::string_view, 7> cells;
    std::size_t at = 0;
    std::size_t series_end = 0;
    for (std::size_t index = 0; index < cells.size(); ++index) {
        const bool is_last = index + 1 == cells.size();
        const std::size_t end = is_last ? line.size() : line.find('\t', at);
        if (end == std::string_view::npos || end < at) return std::nullopt;
        cells[index] = line.substr(at, end - at);
        if (index == 4) series_end = end;
        at = end + 1;
    }
    Fields fields{.series = line.substr(0, series_end),
                  .metric = cells[0],
                  .type = cells[1].empty() ? '\0' : cells[1].front(),
                  .interval_s = cells[2],
                  .unit = cells[3],
                  .tags = cells[4],
                  .point = {.time_s = 0, .value = cells[6]}};
    const char* const end = cells[5].data() + cells[5].size();
    const std::from_chars_result read = std::from_chars(cells[5].data(), end, fields.point.time_s);
    const bool is_sound = read.ec == std::errc() && read.ptr == end && !fields.metric.empty() &&
                          fields.tags.starts_with('[') && !fields.point.value.empty();
    return is_sound ? std::optional(fields) : std::nullopt;
}

struct Series {
    Fields first;
    std::vector<TimedValue> points;
};

// In the order in which they first came, so that the same rows give the same octets.
class Collection {
public:
    void add(const Fields& fields) {
        const auto [place, is_new] = places_.try_emplace(fields.series, series_.size());
        if (is_new) series_.push_back({.first = fields, .points = {}});
        series_[place->second].points.push_back(fields.point);
    }
    [[nodiscard]] std::vector<Series>& series() noexcept { return series_; }

private:
    std::vector<Series> series_;
    std::unordered_map<std::string_view, std::size_t> places_;
};

void keep_last_of_each_second(std::vector<TimedValue>& points) {
    std::ranges::stable_sort(points, {}, &TimedValue::time_s);
    std::size_t kept = 0;
    for (std::size_t index = 0; index < points.size(); ++index) {
        const bool has_later =
            index + 1 < points.size() && points[index + 1].time_s == points[index].time_s;
        if (!has_later) points[kept++] = points[index];
    }
    points.resize(kept);
}

void append_points(std::string& out, const std::vector<TimedValue>& points, Api api) {
    out += ",\"points\":[";
    for (const TimedValue& point : points) {
        if (&point != points.data()) out += ',';
        out += api == Api::series_v2 ? "{\"timestamp\":" : "[";
        append_integer(out, point.time_s);
        out += api == Api::series_v2 ? ",\"value\":" : ",";
        out += point.value;
        out += api == Api::series_v2 ? '}' : ']';
    }
    out += ']';
}

std::string_view type_json(char type, Api api) {
    if (api == Api::distribution) return "\"distribution\"";
    const bool is_count = type == static_cast<char>(Type::count);
    if (api == Api::series_v1) return is_count ? "\"count\"" : "\"gauge\"";
    return is_count ? "1" : "3";  // MetricIntakeType.
}

void append_series(std::string& out, const Series& series, const BodyOptions& options) {
    const Fields& fields = series.first;
    out.append("{\"metric\":\"").append(fields.metric).append("\",\"type\":");
    out += type_json(fields.type, options.api);
    append_points(out, series.points, options.api);
    out.append(",\"tags\":").append(fields.tags);
    if (!options.host.empty() && options.api == Api::series_v2) {
        out += ",\"resources\":[{\"type\":\"host\",\"name\":";
        append_json_string(out, options.host);
        out += "}]";
    } else if (!options.host.empty()) {
        out += ",\"host\":";
        append_json_string(out, options.host);
    }
    if (fields.interval_s != "0" && options.api != Api::distribution) {
        out.append(",\"interval\":").append(fields.interval_s);
    }
    if (!fields.unit.empty() && options.api == Api::series_v2) {
        out.append(",\"unit\":\"").append(fields.unit).append("\"");
    }
    out += '}';
}

// UTF-8, cut after `characters` code points.
std::string_view cut(std::string_view utf8, std::size_t characters) {
    for (std::size_t index = 0; index < utf8.size(); ++index) {
        const bool is_continued = (static_cast<unsigned char>(utf8[index]) & 0xC0U) == 0x80;
        if (!is_continued && characters-- == 0) return utf8.substr(0, index);
    }
    return utf8;
}

}  // namespace

std::string metric_name(std::string_view text) {
    std::string name;
    for (const char octet : text.substr(0, name_octets_max)) {
        const bool is_letter = (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z');
        const bool is_other = (octet >= '0' && octet <= '9') || octet == '_' || octet == '.';
        if (name.empty() && !is_letter) name += 'x';
        name += is_letter || is_other ? octet : '_';
    }
    return name.substr(0, name_octets_max);
}

std::string tags_json(std::span<const std::string> own, const latmon_series_t& series) {
    std::string out = "[";
    const auto append = [&](std::string_view tag) {
        if (out.size() > 1) out += ',';
        append_json_string(out, cut(tag, tag_characters_max));
    };
    for (const std::string& tag : own) {
        append(tag);
    }
    for (std::uint32_t index = 0; index < series.tags_count; ++index) {
        append(series.tags[index]);
    }
    return out + "]";
}

void make_row(std::string& row, const Point& point) {
    row = point.metric;
    row += '\t';
    row += static_cast<char>(point.type);
    row += '\t';
    append_integer(row, point.interval_s);
    row.append("\t").append(point.unit).append("\t").append(point.tags).append("\t");
    append_integer(row, point.time_s);
    row.append("\t").append(point.value).append("\n");
}

Body make_body(std::span<const push::Record> records, const BodyOptions& options) {
    Body body;
    Collection collection;
    for (const push::Record& record : records) {
        std::string_view rest = record.payload;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            const std::optional<Fields> fields = parse_row(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
            if (!fields) continue;
            const std::int64_t time_s = fields->point.time_s;
            if (time_s < options.now_s - past_max_s || time_s > options.now_s + future_max_s) {
                ++body.untimely;
            } else {
                collection.add(*fields);
            }
        }
    }
    if (collection.series().empty()) return body;
    body.text = "{\"series\":[";
    for (Series& series : collection.series()) {
        if (options.api != Api::distribution) keep_last_of_each_second(series.points);
        if (!body.text.ends_with('[')) body.text += ',';
        append_series(body.text, series, options);
    }
    body.text += "]}";
    return body;
}

}  // namespace latmon::plugins::datadog
