// SPDX-License-Identifier: Apache-2.0
//
// See probe_page.hpp. The names of metrics are blackbox_exporter's where it has one for the same
// thing.
#include "admin/probe_page.hpp"

#include "admin/exposition.hpp"
#include "base/limits.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace latmon {
namespace {

constexpr double ns_per_s = 1e9;

// 1-2-5 from 1 us to 10 s.
constexpr std::array<std::int64_t, 22> bounds_ns{
    1'000,         2'000,         5'000,         10'000,        20'000,      50'000,
    100'000,       200'000,       500'000,       1'000'000,     2'000'000,   5'000'000,
    10'000'000,    20'000'000,    50'000'000,    100'000'000,   200'000'000, 500'000'000,
    1'000'000'000, 2'000'000'000, 5'000'000'000, 10'000'000'000};

template <typename Number>
std::optional<Number> parse_number(std::string_view text) noexcept {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || rest != end) return std::nullopt;
    return number;
}

// Nothing if the header is none of a scraper's.
std::optional<Duration> parse_budget(const HttpRequest& request) {
    constexpr Duration budget_max{limits::admin_probe_ns};
    const std::string* const header = request.header("x-prometheus-scrape-timeout-seconds");
    if (header == nullptr) return budget_max;
    const std::optional<double> seconds = parse_number<double>(*header);
    if (!seconds || !std::isfinite(*seconds) || *seconds < 0) return std::nullopt;
    const double ns = std::min(*seconds * ns_per_s, static_cast<double>(budget_max.ns));
    return Duration{std::llround(ns)};
}

double seconds_of(Duration duration) noexcept {
    return static_cast<double>(duration.ns) / ns_per_s;
}

std::unexpected<HttpAnswer> refuse(std::string_view text) {
    return std::unexpected(text_answer(400, text));
}

void add_counts(Exposition& page, const ProbeOutcome& outcome) {
    page.add_gauge("probe_packets_sent", "Probes that left this host",
                   static_cast<double>(outcome.sent));
    page.add_gauge("probe_packets_answered", "Probes that were answered within the timeout",
                   static_cast<double>(outcome.answered));
    // Without one there is no ratio, and no value is better than a wrong one.
    const std::uint64_t settled = outcome.answered + outcome.lost;
    if (settled == 0) return;
    page.add_gauge("probe_loss_ratio", "Probes that were not answered, of those that left",
                   static_cast<double>(outcome.lost) / static_cast<double>(settled));
}

void add_round_trips(Exposition& page, const std::vector<std::int64_t>& rtts_ns) {
    page.add_histogram("probe_rtt_seconds", "Round-trip times of the probes that were answered",
                       bounds_ns, rtts_ns);
    if (rtts_ns.empty()) return;
    const auto [least, most] = std::minmax_element(rtts_ns.begin(), rtts_ns.end());
    page.add_gauge("probe_rtt_min_seconds", "The shortest round-trip time",
                   seconds_of(Duration{*least}));
    page.add_gauge("probe_rtt_max_seconds", "The longest round-trip time",
                   seconds_of(Duration{*most}));
}

std::string metrics_of(const ProbeOrder& order, const ProbeOutcome& outcome, ExpositionForm form) {
    Exposition page(form);
    page.add_gauge("probe_success", "Whether any probe was answered", outcome.answered > 0 ? 1 : 0);
    page.add_gauge("probe_duration_seconds", "How long all of it took",
                   seconds_of(outcome.duration));
    page.add_gauge("probe_timeout_seconds", "How long all of it might have taken",
                   seconds_of(order.budget));
    page.add_gauge("probe_dns_lookup_time_seconds", "How long the look-up of the name took",
                   seconds_of(outcome.dns.value_or(Duration{})));
    page.add_gauge("probe_ip_protocol", "4 or 6, the version of IP; 0 if the name has no address",
                   outcome.ip_version);
    add_counts(page, outcome);
    add_round_trips(page, outcome.rtts_ns);
    return page.finish();
}

std::string log_of(const ProbeOrder& order, const ProbeOutcome& outcome) {
    std::string text = fmt::format("Probe of {} with module {}:\n", order.target, order.module);
    for (const std::string& line : outcome.log_lines)
        text += line + "\n";
    text += "\nMetrics that would have been returned:\n";
    return text + metrics_of(order, outcome, ExpositionForm::text);
}

}  // namespace

std::expected<ProbeOrder, HttpAnswer> parse_probe_order(const HttpRequest& request) {
    const std::string* const target = request.query_value("target");
    if (target == nullptr || target->empty()) {
        return refuse("the parameter target is missing; write /probe?target=HOST or HOST:PORT");
    }
    ProbeOrder order{.target = *target, .module = "udp", .count = {}, .budget = {}};
    const std::string* const module = request.query_value("module");
    if (module != nullptr && !module->empty()) order.module = *module;
    if (const std::string* const count = request.query_value("count")) {
        order.count = parse_number<std::uint32_t>(*count);
        if (!order.count || *order.count == 0 || *order.count > limits::admin_probe_count_max) {
            return refuse(fmt::format("the parameter count must be a number from 1 to {}",
                                      limits::admin_probe_count_max));
        }
    }
    const std::optional<Duration> budget = parse_budget(request);
    if (!budget) return refuse("X-Prometheus-Scrape-Timeout-Seconds is no number of seconds");
    order.budget = *budget - Duration{limits::admin_probe_reserve_ns};
    if (order.budget <= Duration{}) {
        return refuse(
            "X-Prometheus-Scrape-Timeout-Seconds leaves no time to probe: 0.5 s of it "
            "are kept back; raise scrape_timeout");
    }
    return order;
}

HttpAnswer probe_page(const HttpRequest& request, const ProbeOrder& order,
                      const ProbeOutcome& outcome) {
    if (outcome.refusal_status != 0) return text_answer(outcome.refusal_status, outcome.refusal);
    const std::string* const debug = request.query_value("debug");
    if (debug != nullptr && *debug == "true") return text_answer(200, log_of(order, outcome));
    const std::string* const accept = request.header("accept");
    const ExpositionForm form = choose_form(accept == nullptr ? std::string_view() : *accept);
    return {.status = 200,
            .headers = {{"Content-Type", std::string(content_type(form))}},
            .body = metrics_of(order, outcome, form)};
}

}  // namespace latmon
