// SPDX-License-Identifier: Apache-2.0
//
// What an operator asked for, checked and with every default filled in. Plain structs that mirror
// the TOML; the defaults stand here and only here. Made by parse.cpp on the main-thread, turned
// into a Plan by plan.cpp, never changed in between. configs/default.toml is the same as a manual.
#pragma once

#include "base/address.hpp"
#include "base/limits.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace latmon {

// Where in a file something was written; both count from 1. 0: not from a file.
struct SourcePosition {
    std::uint32_t line = 0;
    std::uint32_t column = 0;

    bool operator==(const SourcePosition&) const = default;
};

// How a core-thread waits for its next deadline.
enum class Precision : std::uint8_t {
    power,     // Sleeps until the deadline: least CPU, wakes tens of microseconds late.
    balanced,  // Wakes early by as much as recent wake-ups were late, and spins the rest.
    spin       // Never sleeps: one whole CPU for the least lateness.
};

// What probes speak.
enum class ProbeProtocol : std::uint8_t {
    stamp,        // RFC 8762 with RFC 8972; over TCP the same packets in frames.
    twamp_light,  // RFC 5357 appendix I: 14 octets and padding; no session id, no TLVs. UDP alone.
    ancestor,     // What the Python tool latency-monitor speaks.
    automatic     // STAMP, or the ancestor's if the far end understands nothing else.
};

// Time stamps in packets (RFC 8762 section 4.2.1, the Z bit).
enum class TimestampFormat : std::uint8_t { ntp, ptp };

// Who takes time stamps, at best.
enum class StampPolicy : std::uint8_t {
    automatic,  // The kernel where it does, else user space.
    hardware,   // The network card: an error where it cannot.
    kernel,     // The kernel: an error where it cannot.
    user        // User space alone.
};

// Whether a reflector counts what it receives of us (RFC 8762 section 4.3).
enum class ReflectorMode : std::uint8_t {
    automatic,  // Found out from what it answers.
    stateful,
    stateless
};

// RFC 8972 section 3: what to do about a reflector that gives the session id back as 0.
enum class OnSsidZero : std::uint8_t {
    keep,  // "continue": go on as before.
    base,  // Probe it with the base packet of RFC 8762 alone: no session id, no TLVs.
    stop   // Probe it no more.
};

// TLVs that a probe may carry: bit `1 << n`. Which types these are is the wire's to know.
inline constexpr std::uint32_t tlv_exchange_bit = 1U << 0U;
inline constexpr std::uint32_t tlv_follow_up_bit = 1U << 1U;
inline constexpr std::uint32_t tlv_timestamp_info_bit = 1U << 2U;
inline constexpr std::uint32_t tlv_class_of_service_bit = 1U << 3U;
inline constexpr std::uint32_t tlv_direct_measurement_bit = 1U << 4U;
inline constexpr std::uint32_t tlv_location_bit = 1U << 5U;
inline constexpr std::uint32_t tlv_access_report_bit = 1U << 6U;
inline constexpr std::uint32_t tlvs_default =
    tlv_exchange_bit | tlv_follow_up_bit | tlv_timestamp_info_bit | tlv_class_of_service_bit;

// Whose word about this host's clock is believed: ClockSurveyOptions::Trust, by name.
enum class ClockTrust : std::uint8_t { automatic, kernel, chrony, operator_, none };

enum class LogLevel : std::uint8_t { debug, info, warning, error, critical };

// The kinds of samples that an exporter can take: bit `1 << latmon_kind_t` of
// include/latmon/sample.h, which this layer does not see. Where both are seen it is asserted that
// they agree.
inline constexpr std::uint32_t exchange_kind_bit = 1U << 1U;
inline constexpr std::uint32_t connect_kind_bit = 1U << 2U;
inline constexpr std::uint32_t reflection_kind_bit = 1U << 3U;
inline constexpr std::uint32_t node_kind_bit = 1U << 4U;
inline constexpr std::uint32_t counter_kind_bit = 1U << 5U;
inline constexpr std::uint32_t gauge_kind_bit = 1U << 6U;
inline constexpr std::uint32_t timing_kind_bit = 1U << 7U;
// Those that windows are made of.
inline constexpr std::uint32_t stats_kinds = exchange_kind_bit | connect_kind_bit |
                                             reflection_kind_bit | counter_kind_bit |
                                             gauge_kind_bit | timing_kind_bit;

// The lengths of windows that an exporter can take: LATMON_WINDOW_... of include/latmon/window.h,
// likewise.
inline constexpr std::uint32_t window_1s_bit = 1U << 0U;
inline constexpr std::uint32_t window_5s_bit = 1U << 1U;
inline constexpr std::uint32_t window_60s_bit = 1U << 2U;

// What an exporter takes if its table does not say: everything that this node measured itself.
inline constexpr std::uint32_t exporter_kinds_default =
    exchange_kind_bit | connect_kind_bit | node_kind_bit;
// What the ancestor reported: its receiver made the one-way delays, and it had no counters.
inline constexpr std::uint32_t exporter_kinds_compatible =
    exchange_kind_bit | connect_kind_bit | reflection_kind_bit;

// What the operator promised somebody of a target: of all exchanges of a minute at least `ratio`
// are answered within `rtt`.
struct ObjectiveConfig {
    double ratio = 0;  // In (0, 1].
    Duration rtt;

    friend bool operator==(const ObjectiveConfig&, const ObjectiveConfig&) = default;
};

// One [[targets]] table, with the top-level values inherited where it says nothing.
struct TargetConfig {
    std::string host;               // Address or name.
    std::string label;              // "": the host stands for it.
    std::vector<std::string> tags;  // "key:value", in the file's order.
    bool udp = true;                // `type` absent or "udp".
    bool tcp = true;                // `type` absent or "tcp".
    bool rtt = true;
    bool tcp_latency = true;  // Also time a fresh TCP handshake per interval.
    std::uint16_t udp_port = 8001;
    std::uint16_t tcp_port = 8000;
    // UDP payload or PDU in a TCP frame; 0: as many octets as the base packet and `tlvs` take.
    std::uint32_t size_bytes = 0;
    Duration interval = Duration::from_s(1);
    Duration timeout = Duration::from_s(1);
    Duration jitter;              // Each probe is sent up to this much after its slot, at random.
    std::uint32_t max_lost = 10;  // Consecutive losses after which the path is opened anew.
    std::string source;           // Local address to send from; "": the kernel's choice.
    std::string interface;        // Network interface to send through; "": the kernel's choice.
    std::uint8_t dscp = 0;        // 0..63
    ProbeProtocol protocol = ProbeProtocol::automatic;
    TimestampFormat timestamp_format = TimestampFormat::ntp;
    std::uint32_t tlvs = tlvs_default;  // tlv_..._bit; those that `size` has room for are sent.
    std::string key_file;               // Authenticated mode with this key; "": unauthenticated.
    bool trust_clock = false;           // Believe the Error Estimate of this peer.
    bool lenient_echo = false;          // Accept replies whose echo of T1 is wrong.
    bool descriptor = true;             // Tell a latmon peer our name and tags.
    ReflectorMode reflector_mode = ReflectorMode::automatic;
    OnSsidZero on_ssid_zero = OnSsidZero::keep;
    std::optional<ObjectiveConfig> objective;
    SourcePosition where;

    bool operator==(const TargetConfig&) const = default;
};

// One value of an [[exporters]] table that is the plugin's to understand.
struct OptionValue {
    using List = std::vector<std::string>;
    std::variant<std::string, bool, std::int64_t, double, List> value;
    SourcePosition where;
};

// One [[exporters]] table, or the ancestor's [metrics].
struct ExporterConfig {
    std::string plugin;  // Looked up in plugin_path as NAME.so; "": `path` is given.
    std::string path;    // The .so itself; "": `plugin` is given.
    std::string name;    // Unique; in logs and counters. Default: the plugin's name, numbered.
    std::uint32_t queue_samples = limits::queue_samples_default;  // Per core; a power of two.
    // Masks of ..._kind_bit: the samples it takes; and of window_..._bit: the lengths of windows.
    // Nothing: what the plugin takes if it is not told.
    std::optional<std::uint32_t> kinds;
    std::optional<std::uint32_t> window_lengths;
    bool is_compatible = false;  // The ancestor's shape: [metrics]. The option "compatible".
    std::vector<std::pair<std::string, OptionValue>> options;
    SourcePosition where;
};

// One [[reflector.keys]] table: who sends from `prefixes` must authenticate with this key.
struct ReflectorKeyConfig {
    std::vector<Prefix> prefixes;
    std::string key_file;
    SourcePosition where;

    bool operator==(const ReflectorKeyConfig&) const = default;
};

// The [clock] table: what may be believed about clocks.
struct ClockConfig {
    ClockTrust trust = ClockTrust::automatic;
    Duration error_bound;  // The operator's own bound on this host's clock; 0: none.
    std::string chrony = "127.0.0.1:323";  // Where chronyd answers; "": it is not asked.
    std::int64_t drift_ppb = 600'000;      // See PathClock. 100 ppm of crystals, 500 ppm of slew.
    bool has_series = true;                // Offset, skew and residual of each path are exported.

    bool operator==(const ClockConfig&) const = default;
};

// The [stats] table: how samples become windows.
struct StatsConfig {
    // Samples with a blame that concerns round trips are in no distribution: what this host did
    // wrong is not the network's. They are counted either way.
    bool leaves_out_tainted = false;
};

// The [reflector] table: whom we answer, and how much.
struct ReflectorConfig {
    // Loopback, private and link-local prefixes; targets' own addresses are always allowed.
    std::vector<Prefix> allow;
    bool allow_any = false;  // allow = ["any"]: short requests are then refused.
    // Prefixes that may send from ports below 1024. From a reflector's own port nobody may: that is
    // the first guard against two reflectors that answer each other for ever.
    std::vector<Prefix> service_source_allow;
    std::uint32_t rate_per_source = 10'000;  // Datagrams a second; loopback and targets are exempt.
    std::uint32_t burst_per_source = 2'000;
    std::uint32_t rate_total = 500'000;         // Datagrams a second and core, whoever sends.
    std::uint32_t sessions_per_source = 1'024;  // Per address and core; targets are exempt.
    bool is_stateful = true;                    // Count each session's packets (RFC 8762).
    bool answers_ancestor = true;               // Answer the Python tool's packets in kind.
    bool fills_location = false;                // Tell addresses and ports in the Location TLV.
    TimestampFormat timestamp_format = TimestampFormat::ntp;
    std::uint64_t dscp_allow = 0;  // Bit n: DSCP n may be asked for by the Class of Service TLV.
    std::vector<ReflectorKeyConfig> keys;  // The first that matches counts.

    bool operator==(const ReflectorConfig&) const = default;
};

// Where the admin listener listens: an address with its port (0: the kernel's choice), or the path
// of a unix socket.
struct AdminAddress {
    Endpoint endpoint;
    std::string socket_path;  // "": `endpoint`.

    friend bool operator==(const AdminAddress&, const AdminAddress&) = default;
};

// One way in which /probe probes. The built-in modules have these very values, each with the name
// of its method.
struct ProbeModuleConfig {
    enum class Method : std::uint8_t { udp, tcp, tcp_connect };
    std::string name;
    Method method = Method::udp;
    std::uint16_t port = 0;  // If the target names none; 0: that of the method, if it has one.
    std::uint32_t count = 5;
    Duration interval = Duration::from_ms(100);
    Duration timeout = Duration::from_s(1);
    std::uint32_t size_bytes = 0;  // As TargetConfig::size_bytes.
    std::uint8_t dscp = 0;         // 0..63
    SourcePosition where{};
};

// The [admin] table: HTTP for operators, scrapers and orchestrators.
struct AdminConfig {
    std::vector<AdminAddress> listen;  // Empty: off.
    bool is_listen_explicit = false;   // False: what cannot be bound is left out with a warning.
    std::uint32_t connections_max = limits::admin_connections_default;
    std::string tls_cert;  // Paths of PEM files; "": plain HTTP.
    std::string tls_key;
    std::string tls_client_ca;        // "": clients need no certificate.
    std::string bearer_token_file;    // "": no token.
    std::string basic_user;           // "": no password.
    std::string basic_password_file;  // Set if `basic_user` is.
    bool can_probe = false;           // Whether there is /probe.
    std::vector<Prefix> probe_allow;  // Whom it may probe.
    bool probe_allow_any = false;
    std::uint32_t probes_max = limits::admin_probes_default;  // At once.
    std::vector<ProbeModuleConfig> modules;                   // Beside those that are built in.
};

struct Config {
    std::string file;  // For messages; "": defaults only.
    std::string name;  // This node; default: the host's name.
    bool udp = true;   // Listen and probe over UDP.
    bool tcp = true;   // Listen and probe over TCP.
    std::vector<std::string> listen_addresses{"0.0.0.0", "::"};
    bool is_listen_explicit = false;  // False: an address family that the host lacks is skipped.
    std::uint16_t udp_port = 8001;
    std::uint16_t tcp_port = 8000;
    std::uint16_t stamp_port = 862;       // 0: off.
    bool is_stamp_port_explicit = false;  // False: skipped with a note where it cannot be bound.
    std::vector<std::uint32_t> cores;     // CPU numbers; empty: one, the last we may run on.
    Precision precision = Precision::balanced;
    StampPolicy stamps = StampPolicy::automatic;
    ClockConfig clock;
    LogLevel log_level = LogLevel::info;
    std::string log_file;                  // "": stderr only.
    std::vector<std::string> plugin_path;  // Searched before LATMON_PLUGIN_PATH and the default.
    Duration node_interval = Duration{limits::node_samples_interval_ns};  // Own counters; 0: never.
    Duration resolve_interval = Duration::from_s(60);
    ReflectorConfig reflector;
    StatsConfig stats;
    AdminConfig admin;
    std::vector<TargetConfig> targets;         // Those of [[target_files]] behind the others.
    std::vector<std::string> target_patterns;  // Of [[target_files]]: `path`.
    std::vector<ExporterConfig> exporters;
    std::map<std::string, SourcePosition> key_positions;  // Of the keys and tables of the file.
};

}  // namespace latmon
