// SPDX-License-Identifier: Apache-2.0
//
// The plan: who runs what. A pure function of the configuration and of the CPUs at hand; the last
// place where an operator's input is doubted. After it nothing checks again, and nothing in it
// changes.
#pragma once

#include "base/error.hpp"
#include "config/config.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {

enum class ProbeKind : std::uint8_t { udp, tcp, tcp_connect };

// As people read it: "udp", "tcp" or "connect".
[[nodiscard]] std::string_view name_of(ProbeKind kind) noexcept;

// One thing to do over and over: one target by one method.
struct ProbePlan {
    ProbeKind kind = ProbeKind::udp;
    std::uint32_t target_index = 0;     // In Plan::targets.
    std::uint32_t probe_index = 0;      // Over all cores; no two that run have the same.
    std::uint32_t place = 0;            // Likewise on its core: what its phase comes from.
    std::uint32_t series_id = 0;        // Of its samples. Whoever runs it sets this,
    std::uint32_t clock_series_id = 0;  // as of its path's clock: the first of clock_series.hpp.
    std::uint16_t port = 0;
    std::uint16_t ssid = 0;  // STAMP session id (RFC 8972 section 3); 0: no STAMP is spoken.
    // Of packets that are the ancestor's: at least, for their head decides.
    std::uint32_t size_bytes = 0;
    Duration interval;
    Duration timeout;
    Duration phase;                // In [0, interval): this probe's place within every interval.
    Duration jitter;               // At most interval / 2.
    bool is_precise = true;        // It is worth waiting awake for its time.
    std::uint64_t probes_max = 0;  // Sent, or held back by this host; then none. 0: without end.
    std::uint32_t max_lost = 0;
    std::uint32_t in_flight_slots = 0;  // A power of two.
    std::uint8_t dscp = 0;
    bool wants_rtt = true;
    std::optional<Endpoint> address;  // Set if the host is a literal; else the resolver finds it.
    std::optional<Endpoint> source;   // Local address, port 0.
    std::string host;
    std::string interface;
    ProbeProtocol protocol = ProbeProtocol::stamp;
    // Automatic: the far end is most likely the ancestor, which is not to be disturbed by STAMP.
    bool is_ancestor_first = false;
    TimestampFormat timestamp_format = TimestampFormat::ntp;
    std::uint32_t tlvs = 0;       // tlv_..._bit: those wanted that `size_bytes` has room for.
    std::int32_t key_index = -1;  // In Plan::key_files; -1: unauthenticated.
    bool trust_clock = false;
    bool lenient_echo = false;
    bool sends_descriptor = false;
    // For the descriptor and the ancestor's packets: Config::name and the target's tags.
    std::string node_name;
    std::vector<std::string> tags;
    ReflectorMode reflector_mode = ReflectorMode::automatic;
    OnSsidZero on_ssid_zero = OnSsidZero::keep;
    std::int64_t drift_ppb = 600'000;  // ClockConfig::drift_ppb.
    // The sample of an answered probe waits for the follow-up of its T3, at most until the next
    // probe's time is out; not at intervals so long that nobody would want to wait.
    bool waits_for_follow_up = false;
    Duration clock_report_interval;  // Between two reports of offset and skew; 0: none.
};

// Sockets that the probe has open at once in the worst case: one, or for handshakes as many as
// start within a timeout, and two for the edges. Pure.
[[nodiscard]] constexpr std::uint32_t sockets_of(const ProbePlan& probe) noexcept {
    if (probe.kind != ProbeKind::tcp_connect) return 1;
    const std::int64_t attempts = probe.timeout / probe.interval + 2;
    return attempts < limits::connects_in_flight_max ? static_cast<std::uint32_t>(attempts)
                                                     : limits::connects_in_flight_max;
}

// One address and port that every core listens on.
struct ListenerPlan {
    bool is_tcp = false;
    Endpoint endpoint;
    bool is_required = true;  // False: if it cannot be bound, that is logged and it is left out.
};

struct CorePlan {
    std::uint32_t cpu = 0;
    std::vector<ProbePlan> probes;
};

struct Plan {
    std::string name;
    std::vector<CorePlan> cores;          // At least one.
    std::vector<ListenerPlan> listeners;  // The same on every core.
    std::vector<TargetConfig> targets;
    std::vector<ExporterConfig> exporters;
    ReflectorConfig reflector;
    std::vector<std::string> key_files;        // Each once; of targets and of the reflector.
    std::vector<std::int32_t> reflector_keys;  // By index of ReflectorConfig::keys: in key_files.
    ClockConfig clock;
    StatsConfig stats;
    StampPolicy stamps = StampPolicy::automatic;
    Precision precision = Precision::balanced;
    Duration node_interval;
    Duration resolve_interval;
    std::uint32_t probe_count = 0;
    std::uint64_t fds_needed = 0;       // Descriptors in the worst case, for the check at start.
    std::vector<std::string> warnings;  // One line each.
};

// What runs while a configuration is loaded anew.
struct RunningTargets {
    std::vector<const TargetConfig*> targets;  // By target_index; null: nobody has it.
    std::vector<bool> must_change;             // By target_index: it cannot go on as it is.
    std::vector<std::vector<const ProbePlan*>> probes;  // Of these targets, by core.
    std::vector<std::uint32_t> cpus;                    // By core.
};

// What has to change for another configuration to run.
struct PlanChange {
    std::vector<std::optional<TargetConfig>> targets;  // By target_index; nothing: nobody has it.
    std::vector<std::uint32_t> removed;                // Indices that were those of targets,
    std::vector<std::uint32_t> added;                  // and that are from now on.
    std::size_t kept = 0;                              // Targets that go on.
    std::vector<CorePlan> cores;                       // Probes that come, of `added`. No CPUs.
    std::vector<std::string> key_files;                // As in Plan: of probes that come.
    std::vector<std::string> warnings;
};

// Compares what is wanted with what runs. Targets that are the same in every key go on, with their
// indices, cores, phases and session ids, wherever they stand in the file; others are given what is
// free. Everything but targets is taken to be as it was: see restart_needed(). Errors as
// make_plan(). Pure.
[[nodiscard]] Result<PlanChange> plan_change(const Config& config, const RunningTargets& running);

// Expands targets to probes, spreads them over cores by the load they make, gives each its phase
// and session id. `cpus` are the CPU numbers this process may run on, in order, at least one.
// Errors: a CPU that is not at hand, more targets than a core holds, timeouts that need too many
// probes in flight. [main-thread]
[[nodiscard]] Result<Plan> make_plan(const Config& config, std::span<const std::uint32_t> cpus);

// The plan as an operator reads it: for `latmon check`. [main-thread]
[[nodiscard]] std::string describe_plan(const Plan& plan);

}  // namespace latmon
