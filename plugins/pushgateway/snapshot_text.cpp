// SPDX-License-Identifier: Apache-2.0
//
// A Snapshot as text, family by family. HELP and TYPE stand above a family, and a family without
// lines is not there at all: the format wants no head alone.
#include "pushgateway/bounds.hpp"
#include "pushgateway/snapshot.hpp"
#include "support/decimal.hpp"
#include "support/json.hpp"
#include "support/node_help.hpp"
#include "support/words.hpp"

#include <algorithm>

namespace latmon::plugins::pushgateway {
namespace {

// One family's lines, behind its head.
class Family {
public:
    Family(std::string& out, std::string_view name, std::string_view type, std::string_view help)
        : out_(out), name_(name), type_(type), help_(help) {}

    // name SUFFIX {labels} value
    void line(std::string_view suffix, std::string_view labels, std::string_view value) {
        if (is_empty_) {
            out_.append("# HELP ").append(name_).append(" ").append(help_).append("\n# TYPE ");
            out_.append(name_).append(" ").append(type_).append("\n");
        }
        is_empty_ = false;
        out_.append(name_).append(suffix);
        if (!labels.empty()) out_.append("{").append(labels).append("}");
        out_.append(" ").append(value).append("\n");
    }
    void count(std::string_view labels, std::uint64_t value) {
        line("", labels, std::to_string(value));
    }
    void histogram(const std::string& labels, const Distribution& times) {
        std::uint64_t below = 0;
        for (std::size_t index = 0; index < bucket_count; ++index) {
            below += times.buckets[index];
            bucket(labels, bound_words[index], below);
        }
        bucket(labels, "+Inf", times.count);
        std::string sum;
        append_decimal(sum, static_cast<std::int64_t>(times.sum_ns), 9);
        line("_sum", labels, sum);
        line("_count", labels, std::to_string(times.count));
    }

private:
    void bucket(const std::string& labels, std::string_view bound, std::uint64_t value) {
        std::string with_bound = labels + ",le=\"";
        with_bound.append(bound).append("\"");
        line("_bucket", with_bound, std::to_string(value));
    }

    std::string& out_;
    std::string_view name_;
    std::string_view type_;
    std::string_view help_;
    bool is_empty_ = true;
};

constexpr std::string_view direction_words[] = {"fwd", "rev"};
constexpr std::string_view class_words[] = {"bounded", "estimated"};

// Each way in which a probe that was sent can be lost.
constexpr std::uint8_t losses[] = {LATMON_STATUS_LOST,          LATMON_STATUS_LOST_FORWARD,
                                   LATMON_STATUS_LOST_REVERSE,  LATMON_STATUS_LOST_LOCAL_TX,
                                   LATMON_STATUS_LOST_LOCAL_RX, LATMON_STATUS_UNREACHABLE};

struct StatusCounter {
    std::string_view name;
    std::string_view help;
    std::uint8_t status;
};
constexpr StatusCounter status_counters[] = {
    {"latmon_probes_late_total", "Replies that came after their probe was reported lost.",
     LATMON_STATUS_LATE},
    {"latmon_probes_duplicated_total", "Further replies to probes that were answered.",
     LATMON_STATUS_DUPLICATE},
    {"latmon_probes_reordered_total", "Probes answered after one that was sent later.",
     LATMON_STATUS_REORDERED},
    {"latmon_probes_invalid_total", "Replies that make no sense.", LATMON_STATUS_INVALID},
    {"latmon_probes_unsent_total", "Probes that never left this host, for an error of its own.",
     LATMON_STATUS_LOCAL_ERROR},
};

bool is_probe(std::uint8_t kind) noexcept {
    return kind == LATMON_KIND_EXCHANGE || kind == LATMON_KIND_CONNECT;
}

}  // namespace

std::string Snapshot::text() {
    declare_all();
    std::string out;
    Family build(out, "latmon_build_info", "gauge", "The latmon that pushes.");
    build.line("", "version=\"" + std::string(host_->version) + "\"", "1");
    append_times(out, LATMON_KIND_EXCHANGE);
    append_times(out, LATMON_KIND_CONNECT);
    append_delays(out);
    append_losses(out);
    append_counters(out);
    append_nodes(out);
    return out;
}

void Snapshot::append_times(std::string& out, std::uint8_t kind) const {
    const bool is_connect = kind == LATMON_KIND_CONNECT;
    Family family(out, is_connect ? "latmon_tcp_connect_seconds" : "latmon_rtt_seconds",
                  "histogram",
                  is_connect ? "TCP handshakes, from SYN to complete."
                             : "Round trips, less what the reflector took.");
    for (const auto& [key, path] : paths_) {
        if (path.kind == kind && path.has_rtt) family.histogram(path.labels, path.times);
    }
}

// From the first value on: which class a delay will have is not known before.
void Snapshot::append_delays(std::string& out) const {
    Family delays(out, "latmon_owd_seconds", "histogram",
                  "One-way delays, by how much they may be trusted.");
    for (const auto& [key, path] : paths_) {
        for (std::size_t place = 0; place < directions * classes; ++place) {
            const Distribution& times = path.delays[place / classes][place % classes];
            if (times.count == 0) continue;
            std::string labels = path.labels + ",direction=\"";
            labels.append(direction_words[place / classes]).append("\",class=\"");
            labels.append(class_words[place % classes]).append("\"");
            delays.histogram(labels, times);
        }
    }
    Family negative(out, "latmon_owd_negative_total", "counter",
                    "One-way delays below zero, which two clocks can make.");
    for (const auto& [key, path] : paths_) {
        if (path.kind != LATMON_KIND_EXCHANGE) continue;
        for (std::size_t direction = 0; direction < directions; ++direction) {
            std::string labels = path.labels + ",direction=\"";
            labels.append(direction_words[direction]).append("\"");
            negative.count(labels, path.negative[direction]);
        }
    }
}

void Snapshot::append_losses(std::string& out) const {
    const auto answered = [](const Path& path) -> std::uint64_t {
        return path.statuses[LATMON_STATUS_OK] + path.statuses[LATMON_STATUS_REORDERED];
    };
    Family sent(out, "latmon_probes_sent_total", "counter", "Probes that the kernel took.");
    for (const auto& [key, path] : paths_) {
        if (!is_probe(path.kind)) continue;
        std::uint64_t count = answered(path);
        for (const std::uint8_t status : losses) {
            count += path.statuses[status];
        }
        sent.count(path.labels, count);
    }
    Family received(out, "latmon_probes_received_total", "counter", "Probes answered in time.");
    for (const auto& [key, path] : paths_) {
        if (is_probe(path.kind)) received.count(path.labels, answered(path));
    }
    Family lost(out, "latmon_probes_lost_total", "counter",
                "Probes that were sent and not answered in time, by where they were lost.");
    for (const auto& [key, path] : paths_) {
        if (!is_probe(path.kind)) continue;
        for (const std::uint8_t status : losses) {
            std::string labels = path.labels + ",status=\"";
            labels.append(status_word(status)).append("\"");
            lost.count(labels, path.statuses[status]);
        }
    }
}

void Snapshot::append_counters(std::string& out) const {
    for (const StatusCounter& counter : status_counters) {
        Family family(out, counter.name, "counter", counter.help);
        for (const auto& [key, path] : paths_) {
            if (is_probe(path.kind)) family.count(path.labels, path.statuses[counter.status]);
        }
    }
    Family disturbed(out, "latmon_probes_disturbed_total", "counter",
                     "Probes during which this host did something wrong.");
    for (const auto& [key, path] : paths_) {
        if (is_probe(path.kind)) disturbed.count(path.labels, path.disturbed);
    }
    Family reflections(out, "latmon_reflections_total", "counter", "Probes of others, answered.");
    for (const auto& [key, path] : paths_) {
        if (path.kind != LATMON_KIND_REFLECTION) continue;
        std::uint64_t count = 0;
        for (const std::uint64_t of_status : path.statuses) {
            count += of_status;
        }
        reflections.count(path.labels, count);
    }
}

void Snapshot::append_nodes(std::string& out) const {
    for (const auto& [name, readings] : nodes_) {
        const bool is_counter = name.ends_with("_total");
        Family family(out, name, is_counter ? "counter" : "gauge", node_help(name));
        for (const auto& [labels, value] : readings) {
            family.line("", labels, value);
        }
    }
}

}  // namespace latmon::plugins::pushgateway
