// SPDX-License-Identifier: Apache-2.0
//
// See families.hpp. One function per group of families; most are rows of a table.
#include "prometheus/families.hpp"

#include "support/node_help.hpp"
#include "support/words.hpp"

#include <array>
#include <limits>
#include <map>

namespace latmon::plugins::prometheus {
namespace {

using Paths = std::vector<std::shared_ptr<const Path>>;
using Extra = std::pair<std::string_view, std::string_view>;

bool is_probe(const Path& path) noexcept {
    return path.kind == LATMON_KIND_EXCHANGE || path.kind == LATMON_KIND_CONNECT;
}

Row row_of(const Path& path, std::span<const Extra> extra = {}) {
    return {.labels = *path.labels, .extra = extra, .created_ns = path.created_ns};
}

constexpr std::string_view direction_words[] = {"round_trip", "fwd", "rev"};
static_assert(std::size(direction_words) == directions);

// Each way in which a probe that was sent can be lost.
constexpr std::uint8_t losses[] = {LATMON_STATUS_LOST,          LATMON_STATUS_LOST_FORWARD,
                                   LATMON_STATUS_LOST_REVERSE,  LATMON_STATUS_LOST_LOCAL_TX,
                                   LATMON_STATUS_LOST_LOCAL_RX, LATMON_STATUS_UNREACHABLE};

std::uint64_t sent(const Path& path) noexcept {
    std::uint64_t count = path.answered;
    for (const std::uint8_t status : losses) {
        count += path.statuses[status];
    }
    return count;
}

// -- Counters of probes ---------------------------------------------------------------------------

struct ProbeCounter {
    std::string_view name;
    std::string_view help;
    std::uint64_t (*read)(const Path& path);
};
constexpr ProbeCounter probe_counters[] = {
    {"latmon_probes_sent_total", "Probes that the kernel took, and whose fate is known.", sent},
    {"latmon_probes_received_total", "Probes answered in time.",
     [](const Path& path) { return path.answered; }},
    {"latmon_probes_late_total", "Replies that came after their probe was reported lost.",
     [](const Path& path) { return path.statuses[LATMON_STATUS_LATE]; }},
    {"latmon_probes_duplicated_total", "Further replies to probes that were answered.",
     [](const Path& path) { return path.statuses[LATMON_STATUS_DUPLICATE]; }},
    {"latmon_probes_reordered_total", "Probes answered after one that was sent later.",
     [](const Path& path) { return path.statuses[LATMON_STATUS_REORDERED]; }},
    {"latmon_probes_invalid_total", "Replies that make no sense.",
     [](const Path& path) { return path.statuses[LATMON_STATUS_INVALID]; }},
    {"latmon_probes_unsent_total", "Probes that never left this host, for an error of its own.",
     [](const Path& path) { return path.statuses[LATMON_STATUS_LOCAL_ERROR]; }},
    {"latmon_probes_disturbed_total", "Probes during which this host did something wrong.",
     [](const Path& path) { return path.tainted; }},
    {"latmon_probes_left_out_total",
     "Disturbed probes that are in no distribution, as the configuration says.",
     [](const Path& path) { return path.left_out; }},
    {"latmon_loss_bursts_total", "Runs of lost probes that began.",
     [](const Path& path) { return path.loss_bursts; }},
};

void write_probe_counters(Writer& writer, const Paths& paths) {
    for (const ProbeCounter& counter : probe_counters) {
        writer.begin({.name = counter.name, .type = Type::counter, .help = counter.help});
        for (const auto& path : paths) {
            if (is_probe(*path)) writer.number(row_of(*path), counter.read(*path));
        }
    }
    writer.begin({.name = "latmon_probes_lost_total",
                  .type = Type::counter,
                  .help = "Probes that were sent and not answered in time, by where they were "
                          "lost."});
    for (const auto& path : paths) {
        if (!is_probe(*path)) continue;
        for (const std::uint8_t status : losses) {
            const Extra extra[] = {{"status", status_word(status)}};
            writer.number(row_of(*path, extra), path->statuses[status]);
        }
    }
    writer.begin({.name = "latmon_probes_owd_total",
                  .type = Type::counter,
                  .help = "Probes answered in time, by how much their one-way delays may be "
                          "trusted."});
    for (const auto& path : paths) {
        if (path->kind != LATMON_KIND_EXCHANGE) continue;
        for (std::uint8_t place = 0; place <= LATMON_OWD_FALSIFIED; ++place) {
            const Extra extra[] = {{"class", owd_class_word(place)}};
            writer.number(row_of(*path, extra), path->owd_classes[place]);
        }
    }
}

// -- Times ----------------------------------------------------------------------------------------

void write_times(Writer& writer, const Paths& paths, std::uint8_t kind) {
    const bool is_connect = kind == LATMON_KIND_CONNECT;
    writer.begin({.name = is_connect ? "latmon_tcp_connect_seconds" : "latmon_rtt_seconds",
                  .type = Type::histogram,
                  .help = is_connect ? "TCP handshakes, from SYN to complete."
                                     : "Round trips, less what the reflector took."});
    for (const auto& path : paths) {
        if (path->kind != kind || !path->has_rtt) continue;
        writer.histogram(row_of(*path), path->times[0], path->exemplars);
    }
}

void write_delays(Writer& writer, const Paths& paths) {
    writer.begin({.name = "latmon_owd_seconds",
                  .type = Type::histogram,
                  .help = "One-way delays that are bounded or estimated."});
    for (const auto& path : paths) {
        if (path->kind != LATMON_KIND_EXCHANGE) continue;
        for (std::size_t direction = 1; direction < directions; ++direction) {
            const Extra extra[] = {{"direction", direction_words[direction]}};
            writer.histogram(row_of(*path, extra), path->times[direction], {});
        }
    }
    writer.begin({.name = "latmon_owd_negative_total",
                  .type = Type::counter,
                  .help = "One-way delays below zero, which two clocks can make."});
    for (const auto& path : paths) {
        if (path->kind != LATMON_KIND_EXCHANGE) continue;
        for (std::size_t direction = 1; direction < directions; ++direction) {
            const Extra extra[] = {{"direction", direction_words[direction]}};
            writer.number(row_of(*path, extra), path->times[direction].negative_count);
        }
    }
}

void write_variations(Writer& writer, const Paths& paths) {
    const auto each = [&](const auto& write) {
        for (const auto& path : paths) {
            if (!is_probe(*path)) continue;
            const bool is_connect = path->kind == LATMON_KIND_CONNECT;
            for (std::size_t place = 0; place < (is_connect ? 1 : directions); ++place) {
                const Extra extra[] = {{"direction", direction_words[place]}};
                write(row_of(*path, extra), path->variations[place]);
            }
        }
    };
    writer.begin({.name = "latmon_ipdv_seconds",
                  .type = Type::summary,
                  .help = "By how much a delay differed from that of the probe before, without "
                          "sign (RFC 3393)."});
    each([&](const Row& row, const Variation& variation) {
        writer.summary(row, variation.count, variation.abs_sum);
    });
    writer.begin({.name = "latmon_jitter_seconds",
                  .type = Type::gauge,
                  .help = "Interarrival jitter as of the last window (RFC 3550)."});
    each([&](const Row& row, const Variation& variation) {
        if (variation.count == 0) return;
        writer.number(row, Decimal{.value = variation.smoothed_ns, .digits = 9});
    });
}

void write_totals(Writer& writer, const Paths& paths) {
    writer.begin({.name = "latmon_schedule_slip_seconds",
                  .type = Type::summary,
                  .help = "How late probes were sent: an error of this host."});
    for (const auto& path : paths) {
        if (!is_probe(*path)) continue;
        writer.summary(row_of(*path), path->lateness.count, path->lateness.sum);
    }
    writer.begin({.name = "latmon_tcp_ack_seconds",
                  .type = Type::summary,
                  .help = "Round trips to the peer's kernel, without its program."});
    for (const auto& path : paths) {
        if (path->tcp_ack.count == 0) continue;
        writer.summary(row_of(*path), path->tcp_ack.count, path->tcp_ack.sum);
    }
}

// -- The state of a target ------------------------------------------------------------------------

void write_up(Writer& writer, const Paths& paths) {
    writer.begin({.name = "latmon_target_up",
                  .type = Type::gauge,
                  .help = "1 if a probe was answered in the last window, 0 if none was."});
    for (const auto& path : paths) {
        if (is_probe(*path) && path->is_up) {
            writer.number(row_of(*path), std::uint64_t{*path->is_up ? 1U : 0U});
        }
    }
}

void write_objectives(Writer& writer, const Paths& paths) {
    const auto each = [&](const Family& family, const auto& value) {
        writer.begin(family);
        for (const auto& path : paths) {
            if (path->objective) writer.number(row_of(*path), value(*path->objective));
        }
    };
    each({.name = "latmon_objective_probes_total",
          .type = Type::counter,
          .help = "Probes that the objective judges: answered and lost."},
         [](const Objective& objective) -> Value { return objective.count; });
    each({.name = "latmon_objective_good_total",
          .type = Type::counter,
          .help = "Of them, those answered within the objective's threshold."},
         [](const Objective& objective) -> Value { return objective.good; });
    each({.name = "latmon_objective_ratio",
          .type = Type::gauge,
          .help = "The share of good probes that the objective asks for."},
         [](const Objective& objective) -> Value { return objective.ratio; });
    each({.name = "latmon_objective_threshold_seconds",
          .type = Type::gauge,
          .help = "The round trip within which a probe is good."},
         [](const Objective& objective) -> Value {
             return Decimal{.value = objective.rtt_ns, .digits = 9};
         });
    writer.begin({.name = "latmon_objective_kept",
                  .type = Type::gauge,
                  .help = "1 if the last whole minute kept the objective, 0 if not."});
    for (const auto& path : paths) {
        if (!path->objective || !path->objective->was_kept) continue;
        writer.number(row_of(*path), std::uint64_t{*path->objective->was_kept ? 1U : 0U});
    }
}

constexpr std::array<std::string_view, LATMON_PERCENTILES> percentile_words{
    "p50", "p90", "p95", "p99", "p99.9", "p99.99"};

void write_minutes(Writer& writer, const Paths& paths, bool has_percentiles) {
    writer.begin({.name = "latmon_loss_burst_max_probes",
                  .type = Type::gauge,
                  .help = "The longest run of lost probes that grew in the last whole minute."});
    for (const auto& path : paths) {
        if (is_probe(*path) && path->minute) {
            writer.number(row_of(*path), path->minute->loss_burst_max);
        }
    }
    if (!has_percentiles) return;
    writer.begin({.name = "latmon_rtt_percentile_seconds",
                  .type = Type::gauge,
                  .help = "Percentiles of the last whole minute; lost probes are longer than any: "
                          "+Inf."});
    for (const auto& path : paths) {
        if (!is_probe(*path) || !path->has_rtt || !path->minute) continue;
        const Minute& minute = *path->minute;
        if (minute.judged == 0) continue;
        for (std::size_t place = 0; place < percentile_words.size(); ++place) {
            const bool is_time = (minute.percentile_valid >> place & 1U) != 0;
            const Extra extra[] = {{"percentile", percentile_words[place]}};
            const Value value =
                is_time ? Value(Decimal{.value = minute.percentile_ns[place], .digits = 9})
                        : Value(std::numeric_limits<double>::infinity());
            writer.number(row_of(*path, extra), value);
        }
    }
}

// -- Whom we answer, applications, and latmon itself ----------------------------------------------

void write_reflections(Writer& writer, const Paths& paths) {
    writer.begin({.name = "latmon_reflections_total",
                  .type = Type::counter,
                  .help = "Probes of others, answered."});
    for (const auto& path : paths) {
        if (path->kind == LATMON_KIND_REFLECTION) writer.number(row_of(*path), path->samples);
    }
    writer.begin({.name = "latmon_reflected_owd_seconds",
                  .type = Type::histogram,
                  .help = "One-way delays from the sender to us, bounded or estimated."});
    for (const auto& path : paths) {
        if (path->kind != LATMON_KIND_REFLECTION || path->times[1].count == 0) continue;
        writer.histogram(row_of(*path), path->times[1], {});
    }
}

// The name of an application's series as a family: in front of it "app_", that it never is one of
// ours, and behind it what its type asks for.
std::string application_family(const Path& path) {
    std::string name = label_name(path.name);
    const auto cut = [&](std::string_view end) {
        if (name.ends_with(end)) name.resize(name.size() - end.size());
    };
    for (const std::string_view end : {"_total", "_count", "_sum", "_bucket", "_created", "_info"})
        cut(end);
    if (path.kind == LATMON_KIND_COUNTER) return "app_" + name + "_total";
    if (path.kind == LATMON_KIND_GAUGE) return "app_" + name;
    for (const std::string_view end : {"_ns", "_seconds"})
        cut(end);
    return "app_" + name + "_seconds";
}

void write_applications(Writer& writer, const Paths& paths) {
    std::map<std::string, std::vector<const Path*>> families;
    for (const auto& path : paths) {
        const bool is_ours = path->kind < LATMON_KIND_COUNTER || path->kind > LATMON_KIND_TIMING;
        if (!is_ours) families[application_family(*path)].push_back(path.get());
    }
    for (const auto& [name, members] : families) {
        const std::uint8_t kind = members.front()->kind;
        const Type type = kind == LATMON_KIND_COUNTER ? Type::counter
                          : kind == LATMON_KIND_GAUGE ? Type::gauge
                                                      : Type::histogram;
        writer.begin({.name = name, .type = type, .help = "Of an application."});
        for (const Path* const path : members) {
            if (path->kind != kind) continue;  // A gauge called as a timing is: the first wins.
            if (kind == LATMON_KIND_COUNTER) {
                writer.number(row_of(*path), Decimal{.value = path->value_sum, .digits = 0});
            } else if (kind == LATMON_KIND_GAUGE) {
                if (path->value_last) writer.number(row_of(*path), *path->value_last);
            } else {
                writer.histogram(row_of(*path), path->times[0], {});
            }
        }
    }
}

void write_nodes(Writer& writer, const Store::Snapshot& snapshot) {
    for (const auto& [name, family] : snapshot.nodes()) {
        writer.begin({.name = name,
                      .type = family->is_counter ? Type::counter : Type::gauge,
                      .help = node_help(name)});
        for (const auto& [key, reading] : family->readings) {
            writer.number({.labels = *reading.labels},
                          Decimal{.value = reading.value, .digits = family->digits});
        }
    }
}

}  // namespace

void write_families(Writer& writer, const Store::Snapshot& snapshot, const Content& content) {
    const Paths& paths = snapshot.paths();
    const SeriesLabels none;
    const Extra version[] = {{"version", content.version}};
    writer.begin({.name = "latmon_build_info", .type = Type::gauge, .help = "This latmon."});
    writer.number({.labels = none, .extra = version}, std::uint64_t{1});
    write_times(writer, paths, LATMON_KIND_EXCHANGE);
    write_times(writer, paths, LATMON_KIND_CONNECT);
    write_delays(writer, paths);
    write_probe_counters(writer, paths);
    write_variations(writer, paths);
    write_totals(writer, paths);
    write_up(writer, paths);
    write_objectives(writer, paths);
    write_minutes(writer, paths, content.has_percentiles);
    write_reflections(writer, paths);
    write_applications(writer, paths);
    write_nodes(writer, snapshot);
    process_families(writer);
    writer.finish();
}

}  // namespace latmon::plugins::prometheus
