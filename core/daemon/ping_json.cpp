// SPDX-License-Identifier: Apache-2.0
//
// See ping_json.hpp.
#include "daemon/ping_json.hpp"

#include "config/words.hpp"
#include "daemon/ping_text.hpp"

#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

namespace latmon {
namespace {

// In the order of writing: whoever reads it finds the cause before the effect.
using Json = nlohmann::ordered_json;

Json or_null(std::optional<std::int64_t> value) {
    return value ? Json(*value) : Json(nullptr);
}

// "ECONNREFUSED": the same in every language.
std::string error_name(std::int32_t error) {
    if (error == LATMON_ERROR_UNRESOLVED) return "UNRESOLVED";
    const char* const name = ::strerrorname_np(error);
    return name != nullptr ? name : std::to_string(error);
}

Json reasons_json(const Reasons& reasons) {
    Json by_reason = Json::object();
    for (const auto& [error, count] : reasons)
        by_reason[error_name(error)] = count;
    return {{"total", PingTally::sum_of(reasons)}, {"reasons", std::move(by_reason)}};
}

template <typename Names, typename Counts>
Json counts_json(const Names& names, const Counts& counts) {
    Json json = Json::object();
    for (std::size_t index = 0; index < names.size(); ++index) {
        json[std::string(names[index])] = counts[index];
    }
    return json;
}

// `changes`: what jitter is made of.
Json series_json(const TimeSeries& series, const TimeSeries& changes, std::uint64_t lost) {
    const std::optional<Jitter> jitter = changes.jitter();
    Json json{{"count", series.count()}, {"min_ns", or_null(series.percentile_ns(0))}};
    constexpr std::array<std::pair<const char*, std::uint32_t>, 5> shares{
        {{"p50_ns", 500}, {"p90_ns", 900}, {"p95_ns", 950}, {"p99_ns", 990}, {"p999_ns", 999}}};
    for (const auto& [key, per_mille] : shares) {
        json[key] = or_null(series.percentile_ns(per_mille, lost));
    }
    json["max_ns"] = or_null(series.max_ns());
    json["jitter_rfc3550_ns"] = jitter ? Json(jitter->rfc3550_ns) : Json(nullptr);
    json["ipdv_mean_ns"] = jitter && jitter->has_ipdv ? Json(jitter->ipdv_mean_ns) : Json(nullptr);
    return json;
}

// -- One exchange -------------------------------------------------------------------------------

struct Field {
    const char* key;
    std::uint32_t bit;
    std::int64_t Sample::*value;
};

constexpr std::array<Field, 16> time_fields{
    {{"lateness_ns", LATMON_HAS_SCHEDULE, &Sample::lateness_ns},
     {"rtt_ns", LATMON_HAS_RTT, &Sample::rtt_ns},
     {"rtt_user_ns", LATMON_HAS_RTT_USER, &Sample::rtt_user_ns},
     {"turnaround_ns", LATMON_HAS_TURNAROUND, &Sample::turnaround_ns},
     {"local_tx_ns", LATMON_HAS_LOCAL_TX, &Sample::local_tx_ns},
     {"local_rx_ns", LATMON_HAS_LOCAL_RX, &Sample::local_rx_ns},
     {"peer_rx_ns", LATMON_HAS_PEER_RX, &Sample::peer_rx_ns},
     {"peer_tx_ns", LATMON_HAS_PEER_TX, &Sample::peer_tx_ns},
     {"owd_fwd_ns", LATMON_HAS_OWD_FWD, &Sample::owd_fwd_ns},
     {"owd_fwd_lo_ns", LATMON_HAS_OWD_FWD_LO_HI, &Sample::owd_fwd_lo_ns},
     {"owd_fwd_hi_ns", LATMON_HAS_OWD_FWD_LO_HI, &Sample::owd_fwd_hi_ns},
     {"owd_rev_ns", LATMON_HAS_OWD_REV, &Sample::owd_rev_ns},
     {"owd_rev_lo_ns", LATMON_HAS_OWD_REV_LO_HI, &Sample::owd_rev_lo_ns},
     {"owd_rev_hi_ns", LATMON_HAS_OWD_REV_LO_HI, &Sample::owd_rev_hi_ns},
     {"clock_error_local_ns", LATMON_HAS_CLOCK_ERROR_LOCAL, &Sample::clock_error_local_ns},
     {"clock_error_remote_ns", LATMON_HAS_CLOCK_ERROR_REMOTE, &Sample::clock_error_remote_ns}}};

Json blame_json(std::uint32_t blame) {
    Json names = Json::array();
    for (std::size_t bit = 0; bit < blame_names.size(); ++bit) {
        if ((blame >> bit & 1U) != 0) names.push_back(std::string(blame_names[bit]));
    }
    return names;
}

// Fields without a value are left out.
Json exchange_json(const Sample& sample) {
    const auto has = [&](std::uint32_t bit) { return (sample.valid & bit) != 0; };
    Json json = Json::object();
    if (has(LATMON_HAS_SEQUENCE)) json["sequence"] = sample.sequence;
    json["status"] = std::string(status_word(sample.status));
    json["time_ns"] = sample.time_ns;
    if (has(LATMON_HAS_ERROR)) json["error"] = error_name(sample.error);
    for (const Field& field : time_fields) {
        if (has(field.bit)) json[field.key] = sample.*field.value;
    }
    if (has(LATMON_HAS_TTL_FWD)) json["ttl_fwd"] = sample.ttl_fwd;
    if (has(LATMON_HAS_TTL_REV)) json["ttl_rev"] = sample.ttl_rev;
    if (has(LATMON_HAS_DSCP_FWD)) json["dscp_fwd"] = sample.dscp_fwd;
    if (has(LATMON_HAS_DSCP_REV)) json["dscp_rev"] = sample.dscp_rev;
    if (has(LATMON_HAS_RTT)) {
        json["owd_class"] = std::string(owd_class_names.at(sample.owd_class));
        json["stamps"] =
            stamps_text({sample.t1_stamp, sample.t2_stamp, sample.t3_stamp, sample.t4_stamp});
    }
    json["blame"] = blame_json(sample.blame);
    return json;
}

// -- The run ------------------------------------------------------------------------------------

std::string_view source_word(ClockSource source) noexcept {
    constexpr std::array<std::string_view, 4> sources{"none", "kernel", "chrony", "operator"};
    static_assert(static_cast<std::size_t>(ClockSource::operator_) + 1 == sources.size());
    return sources.at(static_cast<std::size_t>(source));
}

Json run_json(const PingReport& report) {
    const PingOptions& options = report.options;
    Json json{{"v", 1},
              {"host", options.host},
              {"address", to_string(report.target.address)},
              {"port", report.target.port},
              {"protocol", options.is_tcp ? "tcp" : "udp"},
              {"packet", std::string(text_of(probe_protocol_words, options.protocol))},
              {"is_authenticated", !options.key_file.empty()},
              {"packet_bytes", report.size_bytes},
              {"count", options.count},
              {"interval_ns", options.interval.ns},
              {"timeout_ns", options.timeout.ns},
              {"dscp", options.dscp}};
    json["clock"] = {
        {"is_synchronized", report.clock.is_synchronized},
        {"source", std::string(source_word(report.clock.source))},
        {"error_ns", report.clock.is_synchronized ? Json(report.clock.error.ns) : Json(nullptr)}};
    json["handshake_ns"] = report.handshake ? Json(report.handshake->ns) : Json(nullptr);
    return json;
}

Json lost_json(const PingTally& tally) {
    return {{"total", tally.lost()},           {"forward", tally.lost_forward},
            {"reverse", tally.lost_reverse},   {"local_tx", tally.lost_local_tx},
            {"local_rx", tally.lost_local_rx}, {"unknown", tally.lost_unknown}};
}

}  // namespace

std::string ping_json(const PingReport& report) {
    const PingTally& tally = report.tally;
    Json json = run_json(report);
    json["sent"] = report.sent;
    json["answered"] = tally.answered;
    json["lost"] = lost_json(tally);
    json["unreachable"] = reasons_json(tally.unreachable);
    json["local_error"] = reasons_json(tally.local_errors);
    json["late"] = tally.late;
    json["duplicate"] = tally.duplicate;
    json["reordered"] = tally.reordered;
    json["invalid"] = report.invalid;
    json["missed"] = report.missed;
    json["in_flight"] = report.in_flight;
    json["rtt"] = series_json(tally.rtt, tally.rtt, tally.unanswered());
    json["rtt_user"] = series_json(tally.rtt_user, tally.rtt_user, tally.unanswered());
    json["owd_fwd"] = series_json(tally.forward, tally.forward_changes, 0);
    json["owd_rev"] = series_json(tally.reverse, tally.reverse_changes, 0);
    json["owd_classes"] = counts_json(owd_class_names, tally.owd);
    json["stamps"] = Json::object();
    for (const auto& [stamps, count] : tally.stamps)
        json["stamps"][stamps_text(stamps)] = count;
    json["tainted"] = {{"total", tally.tainted}, {"by", counts_json(blame_names, tally.blamed)}};
    if (!report.options.is_quiet) {
        Json exchanges = Json::array();
        for (const Sample& sample : report.exchanges)
            exchanges.push_back(exchange_json(sample));
        json["exchanges"] = std::move(exchanges);
    }
    json["exit_code"] = report.exit_code();
    // A host may hold any octet that a shell passes on.
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace latmon
