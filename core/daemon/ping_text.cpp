// SPDX-License-Identifier: Apache-2.0
//
// See ping_text.hpp.
#include "daemon/ping_text.hpp"

#include <fmt/format.h>
#include <array>
#include <cstring>
#include <iterator>
#include <utility>

namespace latmon {
namespace {

constexpr std::array<std::string_view, 13> statuses{
    "unknown",      "ok",        "lost",        "lost_forward", "lost_reverse", "late",
    "duplicate",    "reordered", "local_error", "unreachable",  "invalid",      "lost_local_tx",
    "lost_local_rx"};
static_assert(statuses.size() == LATMON_STATUS_LOST_LOCAL_RX + 1);

constexpr std::array<std::string_view, 5> stamp_words{"none", "hw", "kernel", "user", "peer"};
static_assert(stamp_words.size() == LATMON_STAMP_PEER + 1);

bool has(const Sample& sample, std::uint32_t bits) noexcept {
    return (sample.valid & bits) == bits;
}

using Text = std::back_insert_iterator<std::string>;

// " NAME=20.1us", and the interval in which the truth lies.
struct Delay {
    std::string_view name;
    bool has_value;
    std::int64_t ns;
    bool has_bounds;
    std::int64_t lo_ns;
    std::int64_t hi_ns;
};

void add_delay(Text to, const Delay& delay) {
    if (!delay.has_value && !delay.has_bounds) return;
    fmt::format_to(to, " {}=", delay.name);
    if (delay.has_value) fmt::format_to(to, "{}", in_microseconds(delay.ns));
    if (delay.has_bounds) {
        fmt::format_to(to, "[{}..{}]", in_microseconds(delay.lo_ns), in_microseconds(delay.hi_ns));
    }
}

void add_delays(Text to, const Sample& sample) {
    add_delay(to,
              {"fwd", has(sample, LATMON_HAS_OWD_FWD), sample.owd_fwd_ns,
               has(sample, LATMON_HAS_OWD_FWD_LO_HI), sample.owd_fwd_lo_ns, sample.owd_fwd_hi_ns});
    add_delay(to,
              {"rev", has(sample, LATMON_HAS_OWD_REV), sample.owd_rev_ns,
               has(sample, LATMON_HAS_OWD_REV_LO_HI), sample.owd_rev_lo_ns, sample.owd_rev_hi_ns});
    if (sample.owd_class != LATMON_OWD_NONE && sample.owd_class < owd_class_names.size()) {
        fmt::format_to(to, " owd={}", owd_class_names[sample.owd_class]);
    }
}

// As the far end saw it, and as we did: "ttl=63/64"; "?" for what is not known.
void add_ttl(Text to, const Sample& sample) {
    if (!has(sample, LATMON_HAS_TTL_FWD) && !has(sample, LATMON_HAS_TTL_REV)) return;
    const auto shown = [&](std::uint32_t bit, std::uint8_t ttl) {
        return has(sample, bit) ? std::to_string(ttl) : std::string("?");
    };
    fmt::format_to(to, " ttl={}/{}", shown(LATMON_HAS_TTL_FWD, sample.ttl_fwd),
                   shown(LATMON_HAS_TTL_REV, sample.ttl_rev));
}

void add_measured(Text to, const Sample& sample) {
    const auto add = [&](std::string_view name, std::uint32_t bit, std::int64_t ns) {
        if (has(sample, bit)) fmt::format_to(to, " {}={}", name, in_microseconds(ns));
    };
    add("rtt", LATMON_HAS_RTT, sample.rtt_ns);
    add("app", LATMON_HAS_RTT_USER, sample.rtt_user_ns);
    add_delays(to, sample);
    add("turnaround", LATMON_HAS_TURNAROUND, sample.turnaround_ns);
    add_ttl(to, sample);
    fmt::format_to(
        to, " stamps={}",
        stamps_text({sample.t1_stamp, sample.t2_stamp, sample.t3_stamp, sample.t4_stamp}));
}

// -- Summary ------------------------------------------------------------------------------------

void add_counts(Text to, const PingReport& report) {
    const PingTally& tally = report.tally;
    const std::uint64_t lost = tally.lost();
    fmt::format_to(to, "{} sent, {} answered, {} lost", report.sent, tally.answered, lost);
    if (lost > 0 && report.sent > 0) {
        fmt::format_to(to, " ({:.3g} %)",
                       100.0 * static_cast<double>(lost) / static_cast<double>(report.sent));
        const std::array<std::pair<std::string_view, std::uint64_t>, 5> places{
            {{"forward", tally.lost_forward},
             {"reverse", tally.lost_reverse},
             {"local_tx", tally.lost_local_tx},
             {"local_rx", tally.lost_local_rx},
             {"unknown", tally.lost_unknown}}};
        std::string_view separator = ": ";
        for (const auto& [name, count] : places) {
            if (count == 0) continue;
            fmt::format_to(to, "{}{} {}", separator, count, name);
            separator = ", ";
        }
    }
    fmt::format_to(to, "\n");
}

void add_reasons(Text to, std::string_view name, const Reasons& reasons) {
    for (const auto& [error, count] : reasons) {
        fmt::format_to(to, "{} {}: {}\n", count, name, error_text(error));
    }
}

// What is not there is not told.
void add_oddities(Text to, const PingReport& report) {
    add_reasons(to, "unreachable", report.tally.unreachable);
    add_reasons(to, "not sent", report.tally.local_errors);
    const auto add = [&](std::string_view what, std::uint64_t count) {
        if (count > 0) fmt::format_to(to, "{} {}\n", count, what);
    };
    add("late: answered after their timeout", report.tally.late);
    add("duplicate", report.tally.duplicate);
    add("reordered", report.tally.reordered);
    add("invalid: packets that are no reply to these probes", report.invalid);
    add("missed: this host stalled when they were due", report.missed);
    add("still in flight at the end", report.in_flight);
}

struct Row {
    std::string_view name;
    const TimeSeries& series;
    const TimeSeries& changes;  // What jitter is made of.
    std::uint64_t lost;
};

// One row of the table of percentiles. "lost": that share of the probes did not come back. "-":
// there is nothing to tell.
void add_row(Text to, const Row& row) {
    const bool has_values = row.series.count() > 0;
    const std::optional<Jitter> jitter = row.changes.jitter();
    if (!has_values && !jitter) return;
    const auto cell = [&](std::optional<std::int64_t> ns, std::string_view otherwise) {
        fmt::format_to(to, " {:>9}", ns ? in_microseconds(*ns) : otherwise);
    };
    fmt::format_to(to, "{:<8}", row.name);
    cell(row.series.percentile_ns(0), "-");
    for (const std::uint32_t per_mille : {500U, 900U, 950U, 990U, 999U}) {
        cell(row.series.percentile_ns(per_mille, row.lost), has_values ? "lost" : "-");
    }
    cell(row.series.max_ns(), "-");
    const bool has_ipdv = jitter && jitter->has_ipdv;
    cell(jitter ? std::optional(jitter->rfc3550_ns) : std::nullopt, "-");
    cell(has_ipdv ? std::optional(jitter->ipdv_mean_ns) : std::nullopt, "-");
    fmt::format_to(to, "\n");
}

void add_table(Text to, const PingTally& tally) {
    if (tally.answered == 0) return;
    fmt::format_to(to, "{:<8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "", "min",
                   "p50", "p90", "p95", "p99", "p99.9", "max", "jitter", "|ipdv|");
    add_row(to, {"rtt", tally.rtt, tally.rtt, tally.unanswered()});
    add_row(to, {"app", tally.rtt_user, tally.rtt_user, tally.unanswered()});
    add_row(to, {"forward", tally.forward, tally.forward_changes, 0});
    add_row(to, {"reverse", tally.reverse, tally.reverse_changes, 0});
}

void add_stamps(Text to, const PingTally& tally) {
    std::string_view separator = "stamps: ";
    for (const auto& [stamps, count] : tally.stamps) {
        fmt::format_to(to, "{}{} {}", separator, count, stamps_text(stamps));
        separator = ", ";
    }
    fmt::format_to(to, "\n");
}

template <typename Names, typename Counts>
void add_named_counts(Text to, const Names& names, const Counts& counts) {
    std::string_view separator;
    for (std::size_t index = 0; index < names.size(); ++index) {
        if (counts[index] == 0) continue;
        fmt::format_to(to, "{}{} {}", separator, counts[index], names[index]);
        separator = ", ";
    }
    fmt::format_to(to, "\n");
}

}  // namespace

std::string in_microseconds(std::int64_t ns) {
    const double us = static_cast<double>(ns) / 1e3;
    return us > -99.95 && us < 99.95 ? fmt::format("{:.1f}us", us) : fmt::format("{:.0f}us", us);
}

std::string_view status_word(std::uint8_t status) noexcept {
    return status < statuses.size() ? statuses[status] : statuses.front();
}

std::string_view stamp_word(std::uint8_t stamp) noexcept {
    return stamp < stamp_words.size() ? stamp_words[stamp] : "unknown";
}

std::string stamps_text(const std::array<std::uint8_t, 4>& stamps) {
    return fmt::format("{}/{}/{}/{}", stamp_word(stamps[0]), stamp_word(stamps[1]),
                       stamp_word(stamps[2]), stamp_word(stamps[3]));
}

std::string error_text(std::int32_t error) {
    if (error == LATMON_ERROR_UNRESOLVED) return "its name has no address";
    return ::strerrordesc_np(error) != nullptr ? ::strerrordesc_np(error)
                                               : fmt::format("error {}", error);
}

std::string blame_text(std::uint32_t blame) {
    std::string text;
    for (std::size_t bit = 0; bit < blame_names.size(); ++bit) {
        if ((blame >> bit & 1U) == 0) continue;
        if (!text.empty()) text += ',';
        text += blame_names[bit];
    }
    return text;
}

std::string ping_heading(const PingReport& report) {
    const PingOptions& options = report.options;
    std::string text = fmt::format("latmon ping {}", options.host);
    if (const std::string address = to_string(report.target); options.host != address) {
        text += fmt::format(" ({})", address);
    }
    text += fmt::format(": {} over {}, {} octets, every {} ms",
                        options.protocol == ProbeProtocol::stamp ? "STAMP" : "TWAMP-Light",
                        options.is_tcp ? "TCP" : "UDP", report.size_bytes,
                        static_cast<double>(options.interval.ns) / 1e6);
    if (report.handshake) {
        text += fmt::format("; TCP handshake {}", in_microseconds(report.handshake->ns));
    }
    return text + "\n";
}

std::string exchange_line(const Sample& sample) {
    std::string text;
    const Text to(text);
    const bool has_sequence = has(sample, LATMON_HAS_SEQUENCE);
    fmt::format_to(to, "seq={} {}", has_sequence ? std::to_string(sample.sequence) : "-",
                   status_word(sample.status));
    if (has(sample, LATMON_HAS_ERROR)) fmt::format_to(to, " ({})", error_text(sample.error));
    const bool is_answered =
        sample.status == LATMON_STATUS_OK || sample.status == LATMON_STATUS_REORDERED;
    if (is_answered) add_measured(to, sample);
    if (sample.blame != 0) fmt::format_to(to, " blame={}", blame_text(sample.blame));
    return text + "\n";
}

std::string ping_summary(const PingReport& report) {
    std::string text;
    const Text to(text);
    fmt::format_to(to, "--- {} ---\n", report.options.host);
    add_counts(to, report);
    add_oddities(to, report);
    add_table(to, report.tally);
    if (report.tally.answered > 0) {
        fmt::format_to(to, "one-way delays: ");
        add_named_counts(to, owd_class_names, report.tally.owd);
        add_stamps(to, report.tally);
    }
    if (report.tally.tainted > 0) {
        fmt::format_to(to, "{} tainted: ", report.tally.tainted);
        add_named_counts(to, blame_names, report.tally.blamed);
    }
    return text;
}

}  // namespace latmon
