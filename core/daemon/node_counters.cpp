// SPDX-License-Identifier: Apache-2.0
//
// The table of node counters; see node_counters.hpp.
#include "daemon/node_counters.hpp"

#include "base/assert.hpp"
#include "daemon/core.hpp"
#include "daemon/node_interval.hpp"
#include "daemon/probe_totals.hpp"

#include <array>
#include <span>

namespace latmon {
namespace {

using Read = std::uint64_t (*)(const Core& core) noexcept;
struct CoreCounter {
    const char* name;
    Read read;
};

// Counters of the core as a whole; those of the UDP reflector's reasons follow by name.
constexpr std::array core_counters{
    CoreCounter{"loop_turns_total",
                [](const Core& core) noexcept { return core.reactor().counters().turns; }},
    CoreCounter{"timers_fired_total",
                [](const Core& core) noexcept { return core.reactor().counters().timers_fired; }},
    CoreCounter{"loop_stalls_total",
                [](const Core& core) noexcept { return core.reactor().counters().stalls; }},
    CoreCounter{"lateness_ns_max",
                [](const Core& core) noexcept {
                    return static_cast<std::uint64_t>(core.reactor().counters().lateness_ns_max);
                }},
    CoreCounter{"receive_overflows_total",
                [](const Core& core) noexcept { return core.reactor().counters().overflows; }},
    CoreCounter{"ring_submissions_total",
                [](const Core& core) noexcept { return core.ring_counters().submissions; }},
    CoreCounter{"ring_waits_total",
                [](const Core& core) noexcept { return core.ring_counters().waits; }},
    CoreCounter{"ring_polls_total",
                [](const Core& core) noexcept { return core.ring_counters().polls; }},
    CoreCounter{"loop_spun_ns_total",
                [](const Core& core) noexcept { return core.reactor().counters().spun_ns; }},
    CoreCounter{
        "ring_completion_overflows_total",
        [](const Core& core) noexcept { return core.ring_counters().completion_overflows; }},
    CoreCounter{
        "cpu_ns_total",
        [](const Core& core) noexcept { return static_cast<std::uint64_t>(core.thread_cpu().ns); }},
    CoreCounter{"wall_clock_steps_total",
                [](const Core& core) noexcept { return core.wall_steps(); }},
    CoreCounter{"suspends_total", [](const Core& core) noexcept { return core.suspends(); }},
    CoreCounter{"cpu_steals_total",
                [](const Core& core) noexcept { return core.reactor().counters().steals; }},
    CoreCounter{"clock_synchronized",
                [](const Core& core) noexcept -> std::uint64_t {
                    return core.own_clock().state().is_synchronized_at(core.now()) ? 1 : 0;
                }},
    CoreCounter{"clock_error_ns",
                [](const Core& core) noexcept {
                    return static_cast<std::uint64_t>(
                        core.own_clock().state().error_at(core.now()).ns);
                }},
    CoreCounter{
        "path_clock_resets_total",
        [](const Core& core) noexcept { return core.core_counters().path_clock_resets.read(); }},
    CoreCounter{"socket_drops_total",
                [](const Core& core) noexcept { return core.core_counters().socket_drops.read(); }},
    CoreCounter{"replies_ssid_zero_total",
                [](const Core& core) noexcept { return core.core_counters().ssid_zero.read(); }},
    CoreCounter{
        "replies_unauthenticated_total",
        [](const Core& core) noexcept { return core.core_counters().unauthenticated.read(); }},
    CoreCounter{
        "reply_tlvs_unrecognized_total",
        [](const Core& core) noexcept { return core.core_counters().tlvs_unrecognized.read(); }},
    CoreCounter{
        "reply_tlvs_malformed_total",
        [](const Core& core) noexcept { return core.core_counters().tlvs_malformed.read(); }},
    CoreCounter{"reply_tlvs_failed_integrity_total",
                [](const Core& core) noexcept {
                    return core.core_counters().tlvs_failed_integrity.read();
                }},
    CoreCounter{"reflector_udp_received_total",
                [](const Core& core) noexcept { return core.udp_reflector().received.read(); }},
    CoreCounter{
        "reflector_udp_sessions",
        [](const Core& core) noexcept -> std::uint64_t { return core.udp_session_count(); }},
    CoreCounter{"peer_series",
                [](const Core& core) noexcept -> std::uint64_t {
                    return core.peer_series() == nullptr ? 0 : core.peer_series()->count();
                }},
    CoreCounter{"stats_made_samples_total",
                [](const Core& core) noexcept -> std::uint64_t {
                    return core.stats_queue() == nullptr ? 0 : core.stats_queue()->made.read();
                }},
    CoreCounter{"stats_dropped_samples_total",
                [](const Core& core) noexcept -> std::uint64_t {
                    return core.stats_queue() == nullptr ? 0 : core.stats_queue()->dropped.read();
                }},
    CoreCounter{"peer_series_full_total",
                [](const Core& core) noexcept -> std::uint64_t {
                    return core.peer_series() == nullptr ? 0 : core.peer_series()->full().read();
                }},
};

// Families of core counters: the name is prefix, word, suffix.
struct CoreFamily {
    const char* prefix;
    std::span<const std::string_view> words;
    const PublishedCounter& (*counter)(const CoreCounters& counters, std::size_t index) noexcept;
};
constexpr std::array core_families{
    CoreFamily{"samples_tainted_", blame_names,
               [](const CoreCounters& counters, std::size_t index) noexcept
               -> const PublishedCounter& { return counters.tainted[index]; }},
    CoreFamily{"owd_", owd_class_names,
               [](const CoreCounters& counters, std::size_t index) noexcept
               -> const PublishedCounter& { return counters.owd[index]; }},
    CoreFamily{"stamps_t1_", stamp_names,
               [](const CoreCounters& counters, std::size_t index) noexcept
               -> const PublishedCounter& { return counters.t1[index]; }},
    CoreFamily{"stamps_t4_", stamp_names,
               [](const CoreCounters& counters, std::size_t index) noexcept
               -> const PublishedCounter& { return counters.t4[index]; }},
    CoreFamily{"peer_descriptors_", descriptor_fate_names,
               [](const CoreCounters& counters, std::size_t index) noexcept
               -> const PublishedCounter& { return counters.descriptors[index]; }},
};
constexpr std::size_t core_family_count = blame_names.size() + owd_class_names.size() +
                                          2 * stamp_names.size() + descriptor_fate_names.size();

constexpr std::size_t fixed_count = core_counters.size() + core_family_count +
                                    reflect_reason_count + tcp_counter_names.size() +
                                    probe_counter_names.size() + interval_figure_names.size();

const PublishedCounter& family_counter(const CoreCounters& counters, std::size_t index) noexcept {
    for (const CoreFamily& family : core_families) {
        if (index < family.words.size()) return family.counter(counters, index);
        index -= family.words.size();
    }
    LATMON_ASSERT(false);
    return counters.socket_drops;
}

}  // namespace

std::uint32_t node_counter_count() noexcept {
    return static_cast<std::uint32_t>(fixed_count);
}

std::optional<std::int64_t> read_node_counter(const NodeReading& reading,
                                              std::uint32_t index) noexcept {
    std::size_t at = index;
    std::uint64_t value = 0;
    if (at < core_counters.size()) {
        value = core_counters[at].read(reading.core);
    } else if (at -= core_counters.size(); at < core_family_count) {
        value = family_counter(reading.core.core_counters(), at).read();
    } else if (at -= core_family_count; at < reflect_reason_count) {
        value = reading.core.udp_reflector().by_reason[at].read();
    } else if (at -= reflect_reason_count; at < tcp_counter_names.size()) {
        value = (reading.core.tcp_reflector().*tcp_counter_names[at].counter).read();
    } else if (at -= tcp_counter_names.size(); at < probe_counter_names.size()) {
        value = reading.probes.sum(at);
    } else {
        at -= probe_counter_names.size();
        LATMON_ASSERT(at < interval_figure_names.size());
        return reading.interval.*interval_figure_names[at].figure;
    }
    return static_cast<std::int64_t>(value);
}

std::vector<std::string> node_counter_names() {
    std::vector<std::string> names;
    names.reserve(fixed_count);
    for (const CoreCounter& counter : core_counters)
        names.emplace_back(counter.name);
    for (const CoreFamily& family : core_families) {
        for (const std::string_view word : family.words) {
            names.push_back(family.prefix + std::string(word) + "_total");
        }
    }
    for (std::size_t reason = 0; reason < reflect_reason_count; ++reason) {
        const std::string word(name(static_cast<ReflectReason>(reason)));
        names.push_back("reflector_udp_" + word + "_total");
    }
    for (const TcpCounterName& counter : tcp_counter_names) {
        names.push_back("reflector_tcp_" + std::string(counter.name) + "_total");
    }
    for (const ProbeCounterName& counter : probe_counter_names)
        names.emplace_back(counter.name);
    for (const IntervalFigureName& figure : interval_figure_names)
        names.emplace_back(figure.name);
    LATMON_ASSERT(names.size() == fixed_count);
    return names;
}

}  // namespace latmon
