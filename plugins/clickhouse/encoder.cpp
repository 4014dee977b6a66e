// SPDX-License-Identifier: Apache-2.0
//
// See encoder.hpp. A sample's labels are its series', but for a point of a reflection without a
// named sender: there the sender's address stands in the place of the name.
#include "clickhouse/encoder.hpp"

#include "support/legacy.hpp"

#include <algorithm>
#include <optional>

namespace latmon::plugins::clickhouse {
namespace {

void append_sample_labels(std::string& out, const latmon_series_t& series) {
    std::vector<Tag> tags;
    for (std::uint32_t index = 0; index < series.tags_count; ++index) {
        tags.push_back(split_tag(series.tags[index]));
    }
    append_labels(out,
                  {.port = series.port,
                   .name = series.name,
                   .source = series.source,
                   .target = series.target,
                   .host = series.host},
                  tags);
}

// A key that comes again replaces the value, as in the dictionary that the ancestor made.
void set_tag(std::vector<Tag>& tags, Tag tag) {
    const auto found = std::find_if(tags.begin(), tags.end(),
                                    [&tag](const Tag& other) { return other.first == tag.first; });
    if (found == tags.end()) {
        tags.push_back(tag);
    } else {
        found->second = tag.second;
    }
}

void append_point_labels(std::string& out, std::string_view metric, const LegacyEnds& ends,
                         const latmon_series_t& series) {
    std::vector<Tag> tags{{"source", ends.source()}, {"target", ends.target()}};
    for (std::uint32_t index = 0; index < series.tags_count; ++index) {
        set_tag(tags, split_tag(series.tags[index]));
    }
    append_labels(out, {.name = metric}, tags);
}

}  // namespace

Tag split_tag(std::string_view tag) noexcept {
    const std::size_t colon = tag.find(':');
    if (colon == std::string_view::npos) return {tag, {}};
    return {tag.substr(0, colon), tag.substr(colon + 1)};
}

std::string& Encoder::labels_of(std::uint32_t series_id) {
    if (series_id >= labels_.size()) labels_.resize(std::size_t{series_id} + 1);
    return labels_[series_id];
}

std::string_view Encoder::encode(const latmon_sample_t& sample, std::int64_t taken_ns) {
    const latmon_series_t* const series = host_->series(host_, sample.series_id);
    if (series == nullptr) return {};
    row_.clear();
    if (shape_ == Shape::point) {
        return encode_point(sample, *series, taken_ns) ? std::string_view(row_) : "";
    }
    std::string& labels = labels_of(sample.series_id);
    if (labels.empty()) append_sample_labels(labels, *series);
    append_sample(row_, sample, labels);
    return row_;
}

bool Encoder::encode_point(const latmon_sample_t& sample, const latmon_series_t& series,
                           std::int64_t taken_ns) {
    const std::optional<LegacyPoint> point = legacy_point(sample, series);
    if (!point) return false;
    const bool is_passing = sample.kind == LATMON_KIND_REFLECTION;
    std::string& labels = is_passing ? passing_labels_ : labels_of(sample.series_id);
    if (is_passing) labels.clear();
    if (labels.empty()) {
        append_point_labels(labels, point->metric, LegacyEnds(sample, series), series);
    }
    append_point(row_,
                 {.time_ns = point->time_ns, .value_ns = point->value_ns, .taken_ns = taken_ns},
                 labels);
    return true;
}

}  // namespace latmon::plugins::clickhouse
