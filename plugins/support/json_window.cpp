// SPDX-License-Identifier: Apache-2.0
//
// See json_window.hpp.
#include "support/json_window.hpp"

#include "support/json_object.hpp"
#include "support/judged.hpp"
#include "support/words.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace latmon::plugins {
namespace {

constexpr std::array<std::string_view, LATMON_PERCENTILES> percentile_names{
    "rtt_p50_ns", "rtt_p90_ns", "rtt_p95_ns", "rtt_p99_ns", "rtt_p999_ns", "rtt_p9999_ns"};

bool has(const latmon_window_t& window, std::uint32_t bit) noexcept {
    return (window.valid & bit) != 0;
}

// {"ok":9,"lost":1}: what there is none of is left out.
template <typename WordOf>
void append_counts(std::string& out, std::span<const std::uint64_t> counts, WordOf word_of) {
    JsonObject object(out, Timestamps::ns);
    for (std::size_t index = 0; index < counts.size(); ++index) {
        if (counts[index] == 0) continue;
        // "unknown" may come twice; numbers of a later latmon keep theirs.
        const std::string_view word = word_of(index);
        if (index > 0 && word == "unknown") {
            object.count("unknown_" + std::to_string(index), counts[index]);
        } else {
            object.count(word, counts[index]);
        }
    }
    object.end();
}

void append_buckets(std::string& out, std::span<const latmon_bucket_t> buckets) {
    out += '[';
    for (const latmon_bucket_t& bucket : buckets) {
        if (out.back() != '[') out += ',';
        out += '[';
        append_integer(out, bucket.index);
        out += ',';
        append_integer(out, bucket.count);
        out += ']';
    }
    out += ']';
}

void append_distribution(std::string& out, const latmon_window_t& window,
                         const latmon_distribution_t& values) {
    const std::span<const latmon_bucket_t> buckets(window.buckets, window.bucket_count);
    JsonObject object(out, Timestamps::ns);
    object.count("count", values.count);
    object.number("sum_ns", values.sum_ns);
    object.number("min_ns", values.min_ns);
    object.number("max_ns", values.max_ns);
    JsonObject histogram(object.member("histogram"), Timestamps::ns);
    histogram.number("schema", LATMON_HISTOGRAM_SCHEMA);
    histogram.count("zero_count", values.zero_count);
    append_buckets(histogram.member("positive"),
                   buckets.subspan(values.positive_first, values.positive_count));
    append_buckets(histogram.member("negative"),
                   buckets.subspan(values.negative_first, values.negative_count));
    histogram.end();
    object.end();
}

void append_variation(std::string& out, const latmon_variation_t& changes) {
    JsonObject object(out, Timestamps::ns);
    object.count("count", changes.count);
    object.number("abs_sum_ns", changes.abs_sum_ns);
    object.number("min_ns", changes.min_ns);
    object.number("max_ns", changes.max_ns);
    object.number("smoothed_ns", changes.smoothed_ns);
    object.end();
}

void append_series(JsonObject& object, const latmon_series_t& series) {
    object.word("of", kind_word(series.kind));
    object.word("protocol", protocol_word(series.protocol));
    if (*series.name != '\0') object.text("name", series.name);
    object.text("source", series.source);
    object.text("target", series.target);
    object.tags(series);
}

void append_loss(JsonObject& object, const latmon_window_t& window) {
    object.count("samples", window.samples);
    append_counts(object.member("statuses"), window.by_status,
                  [](std::size_t index) { return status_word(static_cast<std::uint8_t>(index)); });
    object.count("answered", window.answered);
    object.count("lost", window.lost);
    object.count("lost_local", window.lost_local);
    if (has(window, LATMON_WINDOW_HAS_LOSS_RATIO)) object.real("loss_ratio", window.loss_ratio);
    object.count("loss_bursts", window.loss_bursts);
    object.count("loss_burst_max", window.loss_burst_max);
    append_counts(object.member("blames"), window.by_blame,
                  [](std::size_t index) { return blame_word(static_cast<unsigned>(index)); });
    object.count("tainted", window.tainted);
    object.count("left_out", window.left_out);
    object.count("lost_left_out", lost_left_out(window));
    append_counts(object.member("owd_classes"), window.by_owd_class, [](std::size_t index) {
        return owd_class_word(static_cast<std::uint8_t>(index));
    });
}

void append_times(JsonObject& object, const latmon_window_t& window) {
    struct Part {
        std::string_view name;
        const latmon_distribution_t& values;
    };
    const Part parts[] = {
        {"rtt", window.rtt}, {"owd_fwd", window.owd_fwd}, {"owd_rev", window.owd_rev}};
    for (const Part& part : parts) {
        if (part.values.count > 0) {
            append_distribution(object.member(part.name), window, part.values);
        }
    }
    struct Change {
        std::string_view name;
        const latmon_variation_t& changes;
    };
    const Change changes[] = {{"rtt_ipdv", window.rtt_ipdv},
                              {"owd_fwd_ipdv", window.owd_fwd_ipdv},
                              {"owd_rev_ipdv", window.owd_rev_ipdv}};
    for (const Change& change : changes) {
        if (change.changes.count > 0) append_variation(object.member(change.name), change.changes);
    }
    for (std::size_t index = 0; index < percentile_names.size(); ++index) {
        if ((window.percentile_valid & (1U << index)) == 0) continue;
        object.number(percentile_names[index], window.rtt_percentile_ns[index]);
    }
}

void append_single(JsonObject& object, const latmon_window_t& window) {
    if (has(window, LATMON_WINDOW_HAS_SLOWEST)) {
        object.number("slowest_rtt_ns", window.slowest_rtt_ns);
        object.instant("slowest_time_ns", window.slowest_time_ns);
        object.number("slowest_sequence", window.slowest_sequence);
    }
    if (has(window, LATMON_WINDOW_HAS_LAST)) {
        object.number("last_rtt_ns", window.last_rtt_ns);
        object.number("last_sequence", window.last_sequence);
    }
    if (has(window, LATMON_WINDOW_HAS_LATENESS)) {
        object.count("lateness_count", window.lateness_count);
        object.number("lateness_sum_ns", window.lateness_sum_ns);
        object.number("lateness_max_ns", window.lateness_max_ns);
    }
    if (has(window, LATMON_WINDOW_HAS_TCP_ACK)) {
        object.count("tcp_ack_count", window.tcp_ack_count);
        object.number("tcp_ack_sum_ns", window.tcp_ack_sum_ns);
        object.number("tcp_ack_min_ns", window.tcp_ack_min_ns);
        object.number("tcp_ack_max_ns", window.tcp_ack_max_ns);
    }
}

void append_objective(JsonObject& object, const latmon_window_t& window) {
    if (!has(window, LATMON_WINDOW_HAS_OBJECTIVE)) return;
    object.real("objective_ratio", window.objective_ratio);
    object.number("objective_rtt_ns", window.objective_rtt_ns);
    object.count("objective_count", window.objective_count);
    object.count("objective_good", window.objective_good);
    if (window.objective_count == 0) return;
    object.boolean("objective_kept", has(window, LATMON_WINDOW_KEEPS_OBJECTIVE));
}

void append_value(JsonObject& object, const latmon_window_t& window, std::uint8_t kind) {
    if (!has(window, LATMON_WINDOW_HAS_VALUE)) return;
    if (kind == LATMON_KIND_COUNTER) {
        object.number("value_sum", window.value_sum);
        return;
    }
    object.real("value_min", window.value_min);
    object.real("value_max", window.value_max);
    object.real("value_last", window.value_last);
    object.instant("value_time_ns", window.value_last_ns);
}

}  // namespace

void append_json_window(std::string& out, const latmon_window_t& window,
                        const latmon_series_t* series, Timestamps timestamps) {
    JsonObject object(out, timestamps);
    object.number("v", 1);
    object.word("kind", "window");
    const std::uint8_t kind = series == nullptr ? 0 : series->kind;
    if (series != nullptr) append_series(object, *series);
    object.number("series_id", window.series_id);
    object.instant("begin_ns", window.begin_ns);
    object.number("length_ns", window.length_ns);
    append_loss(object, window);
    append_times(object, window);
    append_single(object, window);
    append_objective(object, window);
    append_value(object, window, kind);
    object.end();
}

}  // namespace latmon::plugins
