// SPDX-License-Identifier: Apache-2.0
//
// Names each departure from the defaults by its key, so that it can be found in the file.
#include "config/plan_notes.hpp"

#include "config/probe_size.hpp"
#include "config/read_admin.hpp"
#include "config/words.hpp"

#include <fmt/format.h>
#include <string_view>

namespace latmon {
namespace {

// Notes with commas between.
class Notes {
public:
    void add_if(bool is_special, std::string_view note) {
        if (!is_special) return;
        if (!text_.empty()) text_ += ", ";
        text_ += note;
    }
    // `start`, the notes and `end`; "" if there are none.
    [[nodiscard]] std::string between(std::string_view start, std::string_view end) const {
        return text_.empty() ? "" : fmt::format("{}{}{}", start, text_, end);
    }

private:
    std::string text_;
};

std::string dscp_text(std::uint64_t mask) {
    std::string text;
    for (unsigned code_point = 0; code_point < 64; ++code_point) {
        if ((mask >> code_point & 1U) == 0) continue;
        text += fmt::format("{}{}", text.empty() ? "" : ",", code_point);
    }
    return text;
}

}  // namespace

std::string notes_of(const Plan& plan, const ProbePlan& probe) {
    if (probe.kind == ProbeKind::tcp_connect) return "";
    const TargetConfig& target = plan.targets[probe.target_index];
    const bool is_stamp = speaks_stamp(probe.protocol);
    const bool is_asked_for = probe.protocol == target.protocol;
    const std::uint32_t left_out = is_stamp ? target.tlvs & ~probe.tlvs : 0;
    Notes notes;
    notes.add_if(is_asked_for && probe.protocol != ProbeProtocol::automatic,
                 text_of(probe_protocol_words, probe.protocol));
    notes.add_if(probe.timestamp_format != TimestampFormat::ntp,
                 text_of(timestamp_format_words, probe.timestamp_format));
    notes.add_if(probe.key_index >= 0, fmt::format("key_file {}", target.key_file));
    notes.add_if(is_stamp && target.tlvs == 0, "no tlvs");
    notes.add_if(is_stamp && target.tlvs != tlvs_default && probe.tlvs != 0,
                 fmt::format("tlvs {}", list_of(tlv_words, probe.tlvs)));
    notes.add_if(left_out != 0, fmt::format("no room for {}", list_of(tlv_words, left_out)));
    notes.add_if(probe.trust_clock, "trust_clock");
    notes.add_if(probe.lenient_echo, "lenient_echo");
    notes.add_if(is_stamp && !probe.sends_descriptor, "no descriptor");
    notes.add_if(
        probe.reflector_mode != ReflectorMode::automatic,
        fmt::format("reflector_mode {}", text_of(reflector_mode_words, probe.reflector_mode)));
    notes.add_if(probe.on_ssid_zero != OnSsidZero::keep,
                 fmt::format("on_ssid_zero {}", text_of(on_ssid_zero_words, probe.on_ssid_zero)));
    return notes.between("  ", "");
}

std::string notes_of_clock(const Plan& plan) {
    const ClockConfig defaults;
    const ClockConfig& clock = plan.clock;
    Notes notes;
    notes.add_if(clock.trust != defaults.trust,
                 fmt::format("trust {}", text_of(clock_trust_words, clock.trust)));
    notes.add_if(clock.error_bound != defaults.error_bound,
                 fmt::format("error_bound {} us", static_cast<double>(clock.error_bound.ns) / 1e3));
    notes.add_if(clock.chrony != defaults.chrony,
                 clock.chrony.empty() ? "no chrony" : fmt::format("chrony {}", clock.chrony));
    notes.add_if(clock.drift_ppb != defaults.drift_ppb,
                 fmt::format("drift_ppm {}", static_cast<double>(clock.drift_ppb) / 1e3));
    notes.add_if(!clock.has_series, "no series");
    return notes.between("clock: ", "\n");
}

std::string notes_of_reflector(const Plan& plan) {
    const ReflectorConfig defaults;
    const ReflectorConfig& reflector = plan.reflector;
    Notes notes;
    notes.add_if(!reflector.is_stateful, "stateless");
    notes.add_if(reflector.timestamp_format != defaults.timestamp_format,
                 text_of(timestamp_format_words, reflector.timestamp_format));
    notes.add_if(reflector.fills_location, "fill_location");
    notes.add_if(reflector.dscp_allow != 0,
                 fmt::format("dscp_allow {}", dscp_text(reflector.dscp_allow)));
    notes.add_if(reflector.sessions_per_source != defaults.sessions_per_source,
                 fmt::format("sessions_per_source {}", reflector.sessions_per_source));
    for (const ReflectorKeyConfig& key : reflector.keys) {
        std::string prefixes;
        for (const Prefix& prefix : key.prefixes) {
            prefixes += (prefixes.empty() ? "" : " ") + to_string(prefix);
        }
        notes.add_if(true, fmt::format("{} by key_file {}", prefixes, key.key_file));
    }
    return notes.between("reflector: ", "\n");
}

std::string notes_of_admin(const AdminConfig& admin) {
    if (admin.listen.empty()) return "admin: off\n";
    Notes addresses;
    bool has_socket = false;
    for (const AdminAddress& address : admin.listen) {
        addresses.add_if(true, to_string(address));
        has_socket = has_socket || !address.socket_path.empty();
    }
    const std::string_view tls = has_socket ? "TLS but on the unix socket" : "TLS";
    // Either of a token and a password will do; a certificate is needed beside them.
    const bool has_token = !admin.bearer_token_file.empty();
    const bool has_user = !admin.basic_user.empty();
    const std::string user = has_user ? fmt::format("user {}", admin.basic_user) : "";
    Notes protection;
    protection.add_if(true, admin.tls_cert.empty() ? "no TLS" : tls);
    protection.add_if(!admin.tls_client_ca.empty(), "client certificates");
    protection.add_if(has_token && has_user, fmt::format("bearer token or {}", user));
    protection.add_if(has_token && !has_user, "bearer token");
    protection.add_if(has_user && !has_token, user);
    protection.add_if(!has_token && !has_user && admin.tls_client_ca.empty(), "no credentials");
    protection.add_if(admin.can_probe, "/probe");
    return addresses.between("admin: ", admin.is_listen_explicit ? "; " : " if possible; ") +
           protection.between("", "\n");
}

}  // namespace latmon
