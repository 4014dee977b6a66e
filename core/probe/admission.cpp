// SPDX-License-Identifier: Apache-2.0
//
// See admission.hpp. Each step returns its reason, or `reflected` for "nothing against it".
#include "probe/admission.hpp"

#include "base/limits.hpp"
#include "wire/ancestor.hpp"
#include "wire/auth.hpp"
#include "wire/loop_breaker.hpp"
#include "wire/stamp.hpp"

#include <algorithm>

namespace latmon {
namespace {

constexpr ReflectReason nothing_against = ReflectReason::reflected;

// RFC 6335 section 6: the system ports. An ordinary sender never has one; a service that would
// answer our answer (echo, chargen, DNS) does.
constexpr std::uint16_t system_ports_end = 1'024;

ReflectReason judge_length(const Arrival& arrival) noexcept {
    if (arrival.is_truncated || arrival.data.size() > limits::probe_bytes_max) {
        return ReflectReason::too_long;
    }
    if (arrival.data.size() < limits::stamp_request_bytes_min) return ReflectReason::too_short;
    return nothing_against;
}

ReflectReason judge_source(const AdmissionRules& rules, const Endpoint& source) noexcept {
    if (is_unspecified(source) || is_multicast(source.address)) {
        return ReflectReason::bad_source_address;
    }
    // Two reflectors on the same port would answer each other for ever; no configuration lifts
    // this, because a peer whose clock is days off passes the loop breaker below.
    const auto& own = rules.own_ports;
    const bool is_own_port = std::find(own.begin(), own.end(), source.port) != own.end();
    if (source.port == 0 || is_own_port) return ReflectReason::bad_source_port;
    if (source.port < system_ports_end &&
        !rules.allow_list.is_service_source_allowed(source.address)) {
        return ReflectReason::bad_source_port;
    }
    return nothing_against;
}

ReflectReason judge_rate(const AdmissionRules& rules, const Arrival& arrival) noexcept {
    const AddressBytes& source = arrival.source.address;
    const RateVerdict verdict = rules.allow_list.is_provisioned(source)
                                    ? rules.rate_limiter.admit_provisioned(arrival.now)
                                    : rules.rate_limiter.admit(source, arrival.now);
    switch (verdict) {
        case RateVerdict::ok:
            return nothing_against;
        case RateVerdict::source_limited:
            return ReflectReason::rate_source;
        case RateVerdict::total_limited:
            return ReflectReason::rate_total;
    }
    __builtin_unreachable();
}

// A short request gets a longer reply (up to 44 for 14 octets), which a forged source address turns
// on a third party. So only sources that are known may send one, and nobody where anybody may send.
bool may_be_short(const AllowList& allow_list, const AddressBytes& source) noexcept {
    return !allow_list.allows_any() && allow_list.is_provisioned(source);
}

// The same questions of an authenticated packet, after the one that comes before all of them.
ReflectReason judge_authenticated(const Arrival& arrival) noexcept {
    if (!verify_auth(arrival.data, *arrival.key)) return ReflectReason::unauthenticated;
    // Both directions share one key, so that a reply verifies as well as a request.
    if (looks_reflected_auth(arrival.data, arrival.wall_now)) return ReflectReason::looped;
    const auto packet = decode_sender_auth(arrival.data);
    if (!packet) return ReflectReason::unauthenticated;
    if (decode_error_estimate(packet->error_estimate).error < Duration{}) {
        return ReflectReason::corrupt_error_estimate;
    }
    return nothing_against;
}

ReflectReason judge_ancestor(const AdmissionRules& rules, const AncestorPacket& packet) noexcept {
    if (!rules.policy.answers_ancestor) return ReflectReason::ancestor_refused;
    if (packet.hello >= ancestor_hello_reflected) return ReflectReason::looped;
    return nothing_against;
}

ReflectReason judge_content(const AdmissionRules& rules, const Arrival& arrival) noexcept {
    if (arrival.key != nullptr) return judge_authenticated(arrival);
    if (const auto ancestor = decode_ancestor(arrival.data)) {
        return judge_ancestor(rules, *ancestor);
    }
    if (arrival.data.size() < limits::stamp_base_bytes &&
        !may_be_short(rules.allow_list, arrival.source.address)) {
        return ReflectReason::too_short;
    }
    if (looks_reflected(arrival.data, arrival.wall_now)) return ReflectReason::looped;
    const auto packet = decode_sender(arrival.data);
    if (!packet) return ReflectReason::too_short;
    if (decode_error_estimate(packet->error_estimate).error < Duration{}) {
        return ReflectReason::corrupt_error_estimate;
    }
    return nothing_against;
}

}  // namespace

ReflectReason admit(const AdmissionRules& rules, const Arrival& arrival) noexcept {
    ReflectReason reason = judge_length(arrival);
    if (reason == nothing_against) reason = judge_source(rules, arrival.source);
    if (reason == nothing_against && !rules.allow_list.is_allowed(arrival.source.address)) {
        reason = ReflectReason::not_allowed;
    }
    if (reason == nothing_against) reason = judge_rate(rules, arrival);
    if (reason == nothing_against) reason = judge_content(rules, arrival);
    return reason;
}

bool may_name_itself(const AdmissionRules& rules, const AddressBytes& source) noexcept {
    return !rules.allow_list.allows_any() || rules.allow_list.is_provisioned(source) ||
           rules.keys.find(source) != nullptr;
}

}  // namespace latmon
