// SPDX-License-Identifier: Apache-2.0
//
// The new shape: what has been measured since the start, as Prometheus wants it: counters and
// histograms in base units that only grow, so that a push that got lost costs resolution and no
// sample. All on the exporter-thread. Names, units and labels: docs/exporters/pushgateway.md.
#pragma once

#include <latmon/latmon.h>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace latmon::plugins::pushgateway {

// Upper bounds of the classic buckets: 1, 2 and 5 per decade, from 1 us to 10 s. What is larger
// counts in +Inf alone.
inline constexpr std::size_t bucket_count = 22;
struct Distribution {
    std::array<std::uint64_t, bucket_count> buckets{};  // Not cumulative.
    std::uint64_t count = 0;
    std::uint64_t sum_ns = 0;

    // A negative value, which only one-way delays have, counts in the first bucket and adds nothing
    // to the sum: a sum that shrinks would read as a restart.
    void record(std::int64_t value_ns) noexcept;
};

class Snapshot {
public:
    explicit Snapshot(const latmon_host_t* host) : host_(host) {}

    void add(const latmon_sample_t& sample);

    // Everything so far in the text format 0.0.4, with a newline at its end. Probes of which there
    // is no sample yet are there, with zeros.
    [[nodiscard]] std::string text();

private:
    static constexpr std::size_t status_count = LATMON_STATUS_LOST_LOCAL_RX + 1;
    static constexpr std::size_t directions = 2;  // Forward, reverse.
    static constexpr std::size_t classes = 2;     // Bounded, estimated.

    // A probe of ours, or who we reflect.
    struct Path {
        std::string labels;
        std::uint8_t kind = 0;
        bool has_rtt = true;
        Distribution times;
        std::array<std::array<Distribution, classes>, directions> delays;
        std::array<std::uint64_t, directions> negative{};
        std::array<std::uint64_t, status_count> statuses{};
        std::uint64_t disturbed = 0;
    };
    struct Reading {
        std::string labels;
        std::string value;
    };
    struct NodeSeries {
        std::string name;  // As it goes out; "": it does not.
        std::string labels;
        unsigned digits = 0;  // The value is in 10^-digits of the unit that goes out.
    };

    Path* path_of(std::uint32_t series_id);
    void declare_all();
    void add_node(const latmon_sample_t& sample);
    [[nodiscard]] std::string labels_of(const latmon_series_t& series);
    static void add_delay(Path& path, std::size_t direction, std::int64_t owd_ns,
                          std::uint8_t owd_class);

    void append_times(std::string& out, std::uint8_t kind) const;
    void append_delays(std::string& out) const;
    void append_counters(std::string& out) const;
    void append_losses(std::string& out) const;
    void append_nodes(std::string& out) const;

    const latmon_host_t* host_;
    std::map<std::string, Path> paths_;  // By kind and labels: two series may be told as one.
    std::vector<Path*> by_id_;           // Into paths_; null: not asked for yet, or of a node.
    std::uint32_t declared_ = 0;         // Series below this id are in paths_, if they are probes.
    std::map<std::uint32_t, NodeSeries> node_series_;
    std::map<std::string, std::map<std::string, std::string>> nodes_;  // name, labels, value
    bool has_warned_ = false;
};

}  // namespace latmon::plugins::pushgateway
