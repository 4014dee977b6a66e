// SPDX-License-Identifier: Apache-2.0
//
// See api_json.hpp.
#include "admin/api_json.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

namespace latmon {
namespace {

// In the order of writing: what something is stands before how it fared.
using Json = nlohmann::ordered_json;

// The words of include/latmon/sample.h, by their numbers; "" for those that there are not.
constexpr std::array<std::string_view, 8> kinds{"",     "exchange", "connect", "reflection",
                                                "node", "counter",  "gauge",   "timing"};
static_assert(kinds.size() == LATMON_KIND_TIMING + 1);
constexpr std::array<std::string_view, 3> protocols{"none", "udp", "tcp"};
static_assert(protocols.size() == LATMON_PROTOCOL_TCP + 1);
constexpr std::array<std::string_view, 13> statuses{"",
                                                    "ok",
                                                    "lost",
                                                    "lost_forward",
                                                    "lost_reverse",
                                                    "late",
                                                    "duplicate",
                                                    "reordered",
                                                    "local_error",
                                                    "unreachable",
                                                    "invalid",
                                                    "lost_local_tx",
                                                    "lost_local_rx"};
static_assert(statuses.size() == LATMON_STATUS_LOST_LOCAL_RX + 1);
constexpr std::array<std::string_view, 5> owd_classes{"none", "bounded", "estimated", "relative",
                                                      "falsified"};
static_assert(owd_classes.size() == LATMON_OWD_FALSIFIED + 1);
constexpr std::array<std::string_view, 7> blames{"sent_late",     "received_late", "loop_stalled",
                                                 "overflow",      "cpu_steal",     "clock_stepped",
                                                 "clock_unsynced"};
static_assert(1U << (blames.size() - 1) == LATMON_BLAME_CLOCK_UNSYNCED);
constexpr std::array<std::string_view, 3> states{"unknown", "up", "down"};
constexpr std::array<std::string_view, LATMON_PERCENTILES> percentiles{"p50", "p90",  "p95",
                                                                       "p99", "p999", "p9999"};

double seconds(std::int64_t ns) noexcept {
    return static_cast<double>(ns) / 1e9;
}

double seconds(Duration duration) noexcept {
    return seconds(duration.ns);
}

template <std::size_t count>
std::string word(const std::array<std::string_view, count>& words, std::size_t index) {
    return std::string(index < count ? words[index] : std::string_view("unknown"));
}

// Names without a word, and what is 0, are left out of `counts`.
template <std::size_t words_count, std::size_t count>
Json counts_json(const std::array<std::string_view, words_count>& words,
                 const std::uint64_t (&counts)[count]) {
    static_assert(words_count <= count);
    Json json = Json::object();
    for (std::size_t index = 0; index < words_count; ++index) {
        if (!words[index].empty() && counts[index] != 0) {
            json[std::string(words[index])] = counts[index];
        }
    }
    return json;
}

Json distribution_json(const latmon_distribution_t& distribution) {
    Json json{{"count", distribution.count}};
    if (distribution.count == 0) return json;
    json["sum_seconds"] = seconds(distribution.sum_ns);
    json["min_seconds"] = seconds(distribution.min_ns);
    json["max_seconds"] = seconds(distribution.max_ns);
    return json;
}

Json variation_json(const latmon_variation_t& variation) {
    return {{"count", variation.count},
            {"abs_sum_seconds", seconds(variation.abs_sum_ns)},
            {"min_seconds", seconds(variation.min_ns)},
            {"max_seconds", seconds(variation.max_ns)},
            {"jitter_seconds", seconds(variation.smoothed_ns)}};
}

Json rtt_json(const latmon_window_t& window) {
    Json json = distribution_json(window.rtt);
    for (std::size_t rank = 0; rank < percentiles.size(); ++rank) {
        if ((window.percentile_valid >> rank & 1U) == 0) continue;
        json[std::string(percentiles[rank]) + "_seconds"] = seconds(window.rtt_percentile_ns[rank]);
    }
    return json;
}

bool has(const latmon_window_t& window, std::uint32_t bit) noexcept {
    return (window.valid & bit) != 0;
}

void add_exchanges(Json& json, const latmon_window_t& window) {
    json["answered"] = window.answered;
    json["lost"] = window.lost;
    json["lost_local"] = window.lost_local;
    if (has(window, LATMON_WINDOW_HAS_LOSS_RATIO)) json["loss_ratio"] = window.loss_ratio;
    json["loss_bursts"] = window.loss_bursts;
    json["loss_burst_max"] = window.loss_burst_max;
    json["by_status"] = counts_json(statuses, window.by_status);
    json["tainted"] = window.tainted;
    json["left_out"] = window.left_out;
    json["lost_left_out"] = window.lost_left_out;
    json["by_blame"] = counts_json(blames, window.by_blame);
    json["by_owd_class"] = counts_json(owd_classes, window.by_owd_class);
}

void add_delays(Json& json, const latmon_window_t& window) {
    json["rtt"] = rtt_json(window);
    if (window.owd_fwd.count > 0) json["owd_forward"] = distribution_json(window.owd_fwd);
    if (window.owd_rev.count > 0) json["owd_reverse"] = distribution_json(window.owd_rev);
    const auto add_variation = [&](const char* key, const latmon_variation_t& variation) {
        if (variation.count > 0) json[key] = variation_json(variation);
    };
    add_variation("rtt_ipdv", window.rtt_ipdv);
    add_variation("owd_forward_ipdv", window.owd_fwd_ipdv);
    add_variation("owd_reverse_ipdv", window.owd_rev_ipdv);
}

void add_single_exchanges(Json& json, const latmon_window_t& window) {
    if (has(window, LATMON_WINDOW_HAS_SLOWEST)) {
        json["slowest"] = {{"rtt_seconds", seconds(window.slowest_rtt_ns)},
                           {"time_seconds", seconds(window.slowest_time_ns)},
                           {"sequence", window.slowest_sequence}};
    }
    if (has(window, LATMON_WINDOW_HAS_LAST)) {
        json["last"] = {{"rtt_seconds", seconds(window.last_rtt_ns)},
                        {"sequence", window.last_sequence}};
    }
    if (has(window, LATMON_WINDOW_HAS_LATENESS)) {
        json["lateness"] = {{"count", window.lateness_count},
                            {"sum_seconds", seconds(window.lateness_sum_ns)},
                            {"max_seconds", seconds(window.lateness_max_ns)}};
    }
    if (has(window, LATMON_WINDOW_HAS_TCP_ACK)) {
        json["tcp_ack"] = {{"count", window.tcp_ack_count},
                           {"sum_seconds", seconds(window.tcp_ack_sum_ns)},
                           {"min_seconds", seconds(window.tcp_ack_min_ns)},
                           {"max_seconds", seconds(window.tcp_ack_max_ns)}};
    }
}

void add_objective(Json& json, const latmon_window_t& window) {
    if (!has(window, LATMON_WINDOW_HAS_OBJECTIVE)) return;
    Json& objective = json["objective"];
    objective = {{"ratio", window.objective_ratio},
                 {"rtt_seconds", seconds(window.objective_rtt_ns)},
                 {"count", window.objective_count},
                 {"good", window.objective_good}};
    if (window.objective_count == 0) return;
    objective["is_kept"] = has(window, LATMON_WINDOW_KEEPS_OBJECTIVE);
}

// Of an application's counters and gauges, whose unit is the application's own.
void add_value(Json& json, const SeriesView& view) {
    const latmon_window_t& window = view.window;
    if (!has(window, LATMON_WINDOW_HAS_VALUE)) return;
    if (view.kind == LATMON_KIND_COUNTER) json["value"] = {{"sum", window.value_sum}};
    if (view.kind == LATMON_KIND_GAUGE) {
        json["value"] = {
            {"min", window.value_min}, {"max", window.value_max}, {"last", window.value_last}};
    }
}

Json labels_json(const SeriesView& view) {
    Json json{{"series_id", view.series_id}, {"kind", word(kinds, view.kind)}};
    if (view.protocol != LATMON_PROTOCOL_NONE) json["protocol"] = word(protocols, view.protocol);
    const auto add_text = [&](const char* key, const std::string& text) {
        if (!text.empty()) json[key] = text;
    };
    add_text("name", view.name);
    add_text("source", view.source);
    add_text("target", view.target);
    add_text("host", view.host);
    if (view.port != 0) json["port"] = view.port;
    json["tags"] = view.tags;
    return json;
}

Json view_json(const SeriesView& view) {
    const latmon_window_t& window = view.window;
    Json json = labels_json(view);
    json["begin_seconds"] = seconds(window.begin_ns);
    json["length_seconds"] = seconds(window.length_ns);
    json["samples"] = window.samples;
    const bool is_exchange = view.kind == LATMON_KIND_EXCHANGE ||
                             view.kind == LATMON_KIND_CONNECT ||
                             view.kind == LATMON_KIND_REFLECTION;
    if (is_exchange) add_exchanges(json, window);
    if (is_exchange || view.kind == LATMON_KIND_TIMING) add_delays(json, window);
    add_single_exchanges(json, window);
    add_objective(json, window);
    add_value(json, view);
    return json;
}

Json target_json(const TargetStatus& target) {
    Json json{{"series_id", target.series_id},
              {"target", target.target},
              {"host", target.host},
              {"kind", word(kinds, static_cast<std::size_t>(target.kind))},
              {"protocol", word(protocols, static_cast<std::size_t>(target.protocol))},
              {"port", target.port},
              {"tags", target.tags},
              {"interval_seconds", seconds(target.interval)},
              {"timeout_seconds", seconds(target.timeout)}};
    json["is_resolved"] = !target.address.empty();
    if (!target.address.empty()) json["address"] = target.address;
    json["state"] = word(states, static_cast<std::size_t>(target.state));
    if (target.last_rtt) json["last_rtt_seconds"] = seconds(*target.last_rtt);
    const std::uint64_t settled = target.answered + target.lost + target.unreachable;
    json["sent"] = target.sent;
    json["answered"] = target.answered;
    json["lost"] = target.lost;
    json["unreachable"] = target.unreachable;
    json["in_flight"] = target.sent > settled ? target.sent - settled : 0;
    json["local_error"] = target.local_error;
    json["missed"] = target.missed;
    json["late"] = target.late;
    json["duplicate"] = target.duplicate;
    json["reordered"] = target.reordered;
    return json;
}

void add_since(Json& json, const std::optional<WallTime>& since) {
    if (since) json["windows_since_seconds"] = seconds(since->ns);
}

// Names and tags may hold any octets that a file or a peer has.
std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string targets_json(const TargetList& targets) {
    Json list = Json::array();
    for (const TargetStatus& target : targets.targets)
        list.push_back(target_json(target));
    Json json{{"v", 1}};
    add_since(json, targets.windows_since);
    json["targets"] = std::move(list);
    return dump(json);
}

std::string series_json(const SeriesList& views, const std::string& window) {
    Json list = Json::array();
    for (const SeriesView& view : views.series)
        list.push_back(view_json(view));
    Json json{{"v", 1}, {"window", window}};
    add_since(json, views.windows_since);
    json["is_cut"] = views.is_cut;
    json["series"] = std::move(list);
    return dump(json);
}

}  // namespace latmon
