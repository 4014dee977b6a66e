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
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace latmon {

// Where in a file something was written; both count from 1. 0: not from a file.
struct SourcePosition {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};

// How a core-thread waits for its next deadline.
enum class Precision : std::uint8_t {
    power,     // Sleeps until the deadline: least CPU, wakes tens of microseconds late.
    balanced,  // Wakes early by as much as recent wake-ups were late, and spins the rest.
    spin       // Never sleeps: one whole CPU for the least lateness.
};

enum class LogLevel : std::uint8_t { debug, info, warning, error, critical };

// The kinds of samples that an exporter can take: bit `1 << latmon_kind_t` of
// include/latmon/sample.h, which this layer does not see. Where both are seen it is asserted that
// they agree.
inline constexpr std::uint32_t exchange_kind_bit = 1U << 1U;
inline constexpr std::uint32_t connect_kind_bit = 1U << 2U;
inline constexpr std::uint32_t reflection_kind_bit = 1U << 3U;
inline constexpr std::uint32_t node_kind_bit = 1U << 4U;

// What an exporter takes if its table does not say: everything that this node measured itself.
inline constexpr std::uint32_t exporter_kinds_default =
    exchange_kind_bit | connect_kind_bit | node_kind_bit;
// What the ancestor reported: its receiver made the one-way delays, and it had no counters.
inline constexpr std::uint32_t exporter_kinds_compatible =
    exchange_kind_bit | connect_kind_bit | reflection_kind_bit;

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
    std::uint32_t size_bytes = limits::stamp_base_bytes;  // UDP payload or PDU in a TCP frame.
    Duration interval = Duration::from_s(1);
    Duration timeout = Duration::from_s(1);
    Duration jitter;              // Each probe is sent up to this much after its slot, at random.
    std::uint32_t max_lost = 10;  // Consecutive losses after which the path is opened anew.
    std::string source;           // Local address to send from; "": the kernel's choice.
    std::string interface;        // Network interface to send through; "": the kernel's choice.
    std::uint8_t dscp = 0;        // 0..63
    SourcePosition where;
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
    std::uint32_t kinds = 0;  // Mask of ..._kind_bit: the samples it takes. 0: the default kinds.
    bool is_compatible = false;  // The ancestor's shape: [metrics]. The option "compatible".
    std::vector<std::pair<std::string, OptionValue>> options;
    SourcePosition where;
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
    std::uint32_t rate_total = 500'000;  // Datagrams a second and core, whoever sends.
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
    LogLevel log_level = LogLevel::info;
    std::string log_file;                  // "": stderr only.
    std::vector<std::string> plugin_path;  // Searched before LATMON_PLUGIN_PATH and the default.
    Duration node_interval = Duration{limits::node_samples_interval_ns};  // Own counters; 0: never.
    Duration resolve_interval = Duration::from_s(60);
    ReflectorConfig reflector;
    std::vector<TargetConfig> targets;
    std::vector<ExporterConfig> exporters;
};

}  // namespace latmon
