// SPDX-License-Identifier: Apache-2.0
//
// A run as one JSON object, in the order of the text; docs/selftest.md names its keys. See
// selftest_report.hpp. [main-thread]
#include "config/words.hpp"
#include "daemon/ping_text.hpp"
#include "daemon/selftest_report.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace latmon {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(std::optional<std::int64_t> value) {
    return value ? Json(*value) : Json(nullptr);
}

Json series_json(const TimeSeries& series) {
    return {{"count", series.count()},
            {"min_ns", or_null(series.percentile_ns(0))},
            {"p50_ns", or_null(series.percentile_ns(500))},
            {"p99_ns", or_null(series.percentile_ns(990))},
            {"max_ns", or_null(series.max_ns())}};
}

Json phase_json(const PhaseFigures& figures) {
    const PhaseSpec& phase = figures.phase();
    const PhaseAccounts& accounts = figures.accounts;
    Json json{{"precision", std::string(text_of(precision_words, phase.precision))},
              {"targets", phase.targets},
              {"probes_per_s", phase.rate_per_s},
              {"duration_ns", phase.duration.ns},
              {"sent", accounts.sent},
              {"answered", accounts.answered},
              {"lost", accounts.lost},
              {"unreachable", accounts.unreachable},
              {"failed", accounts.failed},
              {"missed", accounts.missed},
              {"samples_dropped", accounts.samples_dropped},
              {"lateness", series_json(figures.lateness)},
              {"rtt", series_json(figures.rtt)},
              {"dwell", series_json(figures.dwell)},
              {"cpu_ppm", or_null(figures.cost.cpu_ppm)},
              {"cpu_ns_per_probe", or_null(figures.cost.cpu_ns_per_probe)},
              {"ring_calls_per_1000_probes", or_null(figures.cost.ring_calls_per_1000_probes)}};
    json["stamps"] = Json::object();
    for (const auto& [kinds, count] : figures.stamps)
        json["stamps"][stamps_text(kinds)] = count;
    return json;
}

Json added_json(const SelftestReport& report) {
    const std::optional<std::int64_t> least_ns = least_rtt_ns(report.added);
    Json list = Json::array();
    for (const PhaseFigures& phase : report.added) {
        const std::optional<AddedError> added =
            least_ns ? added_error(phase, *least_ns) : std::nullopt;
        Json json{{"added_p50_ns", added ? Json(added->p50_ns) : Json(nullptr)},
                  {"added_p99_ns", added ? Json(added->p99_ns) : Json(nullptr)}};
        json.update(phase_json(phase));
        list.push_back(std::move(json));
    }
    return list;
}

std::string_view way_word(TxStampWay way) noexcept {
    constexpr std::array<std::string_view, 3> words{"ring", "error_queue", "none"};
    static_assert(static_cast<std::size_t>(TxStampWay::none) + 1 == words.size());
    return words.at(static_cast<std::size_t>(way));
}

Json stamps_json(const SelftestHost& host) {
    Json interfaces = Json::array();
    const auto add = [&](const StampVerdict& verdict) {
        interfaces.push_back({{"interface", verdict.interface},
                              {"tx", std::string(proof_word(verdict.tx))},
                              {"rx", std::string(proof_word(verdict.rx))},
                              {"can_hardware", verdict.can_hardware}});
    };
    std::ranges::for_each(host.interfaces, add);
    if (!host.further_card.interface.empty()) add(host.further_card);
    return {{"tx_way", std::string(way_word(host.ability.tx))},
            {"has_rx", host.ability.has_rx},
            {"has_keys", host.ability.has_keys},
            {"interfaces", std::move(interfaces)}};
}

Json capacity_json(const SelftestReport& report) {
    const PhaseFigures* const too_much = report.too_much();
    Json json{{"probes_per_s", report.capacity_per_s},
              {"targets", report.options.targets},
              {"limit", std::string(limit_word(too_much != nullptr ? limit_of(*too_much)
                                                                   : RateLimit::none))}};
    Json steps = Json::array();
    for (const PhaseFigures& step : report.steps) {
        Json of_step{{"limit", std::string(limit_word(limit_of(step)))}};
        of_step.update(phase_json(step));
        steps.push_back(std::move(of_step));
    }
    json["steps"] = std::move(steps);
    return json;
}

Json findings_json(const std::vector<Finding>& findings) {
    Json list = Json::array();
    for (const Finding& finding : findings) {
        list.push_back({{"subject", finding.subject},
                        {"verdict", std::string(verdict_word(finding.verdict))},
                        {"text", finding.text},
                        {"cure", finding.cure}});
    }
    return list;
}

}  // namespace

std::string selftest_json(const SelftestReport& report) {
    const SelftestSetting& setting = report.setting;
    const SelftestHost& host = report.host;
    Json json{{"v", 1},
              {"config_file", host.config_file},
              {"path", "loopback"},
              {"precision", std::string(text_of(precision_words, setting.precision))},
              {"stamp_policy", std::string(text_of(stamp_policy_words, setting.stamps))},
              {"sender_cpu", setting.sender_cpu},
              {"reflector_cpu", setting.reflector_cpu},
              {"cpus", host.cpus}};
    json["clock_source"] = host.clock_source;
    json["clock_reading_ns"] = host.clock_reading.ns;
    json["governor"] = host.governor;
    json["stolen_ticks"] = host.ticks.stolen;
    json["ticks"] = host.ticks.all;
    json["stamps"] = stamps_json(host);
    json["lateness"] = Json::array();
    for (const PhaseFigures& phase : report.lateness)
        json["lateness"].push_back(phase_json(phase));
    json["added_error"] = added_json(report);
    json["capacity"] = capacity_json(report);
    json["findings"] = findings_json(report.findings);
    json["verdict"] = headline(report);
    json["exit_code"] = report.exit_code();
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace latmon
