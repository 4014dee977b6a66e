// SPDX-License-Identifier: Apache-2.0
//
// See claims.hpp.
#include "statsd/claims.hpp"

#include <string_view>

namespace latmon::plugins::statsd {
namespace {

// Two targets may well have one label; host and port say which.
std::string text_of(const latmon_series_t& series) {
    std::string text = std::string("target ") + series.target;
    if (*series.host != '\0') {
        text.append(" (").append(proto_of(series)).append(" ").append(series.host);
        text.append(" port ").append(std::to_string(series.port)).append(")");
    }
    return text;
}

}  // namespace

bool Claims::claim(const latmon_series_t& series) {
    if (series.kind == LATMON_KIND_NODE || series.kind == LATMON_KIND_REFLECTION) return true;
    const bool is_probe = series.kind == LATMON_KIND_EXCHANGE || series.kind == LATMON_KIND_CONNECT;
    const Identity identity =
        naming_.identity(series, {.name = is_probe ? "probes.sent" : series.name});
    const auto [owner, is_free] =
        owners_.try_emplace(identity.head + identity.tail, series.series_id);
    if (is_free || owner->second == series.series_id) return true;
    if (!told_.insert(series.series_id).second) return false;
    const latmon_series_t* const other = host_->series(host_, owner->second);
    const std::string text =
        text_of(series) + " and " + (other == nullptr ? "another" : text_of(*other)) +
        " would have one name, " + owner->first +
        " and be added up: the first is left out; give them labels that differ, or put {port}, "
        "{host} or {tag:KEY} into template";
    host_->log(host_, LATMON_LOG_WARNING, text.c_str());
    return false;
}

void Claims::claim_all() {
    const std::uint32_t count = host_->series_count(host_);
    for (std::uint32_t id = 0; id < count; ++id) {
        const latmon_series_t* const series = host_->series(host_, id);
        if (series != nullptr) static_cast<void>(claim(*series));
    }
}

void Claims::release(std::uint32_t series_id) {
    std::erase_if(owners_, [&](const auto& entry) { return entry.second == series_id; });
    told_.erase(series_id);
}

}  // namespace latmon::plugins::statsd
