// SPDX-License-Identifier: Apache-2.0
//
// What the exporter-thread gathers and scrapes read. A scrape takes all of it as it is at one
// moment, and holds the lock for as long as it takes to copy pointers; while it writes, the
// exporter-thread goes on, and copies what it must change first. So a scrape costs the
// exporter-thread neither the time to write megabytes nor a figure that does not fit the others.
#pragma once

#include "prometheus/labelling.hpp"
#include "prometheus/path.hpp"
#include "support/counters.hpp"

#include <latmon/latmon.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace latmon::plugins::prometheus {

// One counter of latmon's own, of all cores and all that it is about.
struct NodeFamily {
    struct Reading {
        SharedLabels labels;
        std::int64_t value = 0;
    };
    bool is_counter = false;
    unsigned digits = 0;
    std::map<std::pair<std::uint32_t, std::uint16_t>, Reading> readings;  // By series and core.
};

class Store {
public:
    // `host` and `shape` outlive it.
    Store(const latmon_host_t* host, const Shape& shape);

    // All series that are there, with zeros. Tags that cannot be labels together are mended,
    // counted and told in the log, as when a series comes later. [main-thread & in create()]
    void declare_all(std::int64_t now_ns);

    // Windows of several lengths have the same samples: those of the shortest there is are added
    // up. [exporter-thread]
    void take(std::span<const latmon_window_t* const> windows, std::int64_t now_ns);
    // Of KIND_NODE; others are ignored.
    void take(std::span<const latmon_sample_t> samples);
    void add(std::span<const std::uint32_t> ids, std::int64_t now_ns);
    void remove(std::span<const std::uint32_t> ids);

    // All there is at one moment. It must be gone before the Store. [any-thread]
    class Snapshot {
    public:
        explicit Snapshot(Store& store);
        ~Snapshot();
        Snapshot(const Snapshot&) = delete;
        Snapshot& operator=(const Snapshot&) = delete;

        // By series id.
        [[nodiscard]] const std::vector<std::shared_ptr<const Path>>& paths() const noexcept {
            return paths_;
        }
        // By name.
        [[nodiscard]] const std::vector<std::pair<std::string, std::shared_ptr<const NodeFamily>>>&
        nodes() const noexcept {
            return nodes_;
        }

    private:
        Store& store_;
        std::vector<std::shared_ptr<const Path>> paths_;
        std::vector<std::pair<std::string, std::shared_ptr<const NodeFamily>>> nodes_;
    };

private:
    [[nodiscard]] std::shared_ptr<Path> make(const latmon_series_t& series,
                                             std::int64_t created_ns);
    void put(std::uint32_t id, std::shared_ptr<Path> path);
    void find_shortest(std::span<const latmon_window_t* const> windows) noexcept;
    void declare_unknown(std::span<const latmon_window_t* const> windows, std::int64_t now_ns);
    void take_node(const latmon_sample_t& sample);
    // Of the path that a counter of latmon's own is about; null if there is none. Under the lock.
    [[nodiscard]] const SeriesLabels* labels_of_path(const latmon_series_t& node) const;
    void forget_nodes(std::span<const std::uint32_t> ids);

    const latmon_host_t* host_;
    const Shape& shape_;
    Labelling labelling_;         // Not for scrapes.
    std::int64_t length_ns_ = 0;  // Of the shortest windows so far.
    Counter mended_;

    // Guards what is below, and every count of its shared pointers: who finds one that nobody else
    // has may change what it points to.
    std::mutex mutex_;
    std::vector<std::shared_ptr<Path>> paths_;  // Index: series id; null: not told.
    std::map<std::string, std::shared_ptr<NodeFamily>> nodes_;
};

}  // namespace latmon::plugins::prometheus
