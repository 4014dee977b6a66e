// SPDX-License-Identifier: Apache-2.0
//
// Virtual time and a simulated network for scenario tests. There is one true time, which moves only
// when the simulation says so; clocks of nodes are functions of it, packets are events in it. One
// thread, one seed: a scenario replays bit for bit.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <vector>

namespace latmon::sim {

using Octets = std::vector<std::byte>;

// One packet on its way, as a link sees it.
struct Packet {
    Endpoint from;
    Endpoint to;
    Octets octets;
    std::uint8_t traffic_class = 0;
    bool is_stream = false;  // A segment of a TCP stream: delayed, never lost or reordered.
};

// What a link does with one packet: one delay per copy that arrives; none: it is lost.
using Link = std::function<std::vector<Duration>(const Packet& packet, std::mt19937_64& random)>;

// Everything arrives after `delay`.
[[nodiscard]] Link constant_link(Duration delay);

class Simulation {
public:
    explicit Simulation(std::uint64_t seed) : random_(seed) {}

    [[nodiscard]] std::int64_t now_ns() const noexcept { return now_ns_; }
    // Reading a clock takes time too; it is what makes a spinning loop end.
    void pass(std::int64_t ns) noexcept { now_ns_ += ns; }

    // Runs `action` when true time has reached `at_ns`.
    void at(std::int64_t at_ns, std::function<void()> action);

    // Runs what is due. Afterwards no event lies in the past.
    void run_due();
    // When the next event is, or INT64_MAX.
    [[nodiscard]] std::int64_t next_event_ns() const noexcept;
    void advance_to(std::int64_t ns) noexcept {
        if (ns > now_ns_) now_ns_ = ns;
    }

    [[nodiscard]] std::mt19937_64& random() noexcept { return random_; }

    // What lies between all nodes.
    Link link = constant_link(Duration::from_us(50));
    // Streams are cut into segments of this many octets; 0: not at all.
    std::size_t segment_bytes = 0;

private:
    struct Event {
        std::int64_t at_ns;
        std::uint64_t order;  // Of two at the same time, the one that was planned first.
        std::function<void()> action;
    };
    struct Later {
        bool operator()(const Event& a, const Event& b) const noexcept {
            return a.at_ns != b.at_ns ? a.at_ns > b.at_ns : a.order > b.order;
        }
    };

    std::int64_t now_ns_ = 1'000'000'000;
    std::uint64_t order_ = 0;
    std::mt19937_64 random_;
    std::priority_queue<Event, std::vector<Event>, Later> events_;
};

// A node's three clocks. Each may be wrong in its own way; a step hits the wall clock alone.
class SimClock final : public Clock {
public:
    explicit SimClock(Simulation& simulation) noexcept : simulation_(simulation) {}

    Instant now() const noexcept override { return Instant{read()}; }
    RawInstant raw_now() const noexcept override { return RawInstant{read() + 77}; }
    WallTime wall_now() const noexcept override { return wall_at(read()); }

    Duration suspended() const noexcept override { return suspended_for; }
    Duration stolen(std::uint32_t) const noexcept override { return stolen_for; }
    // What the kernel would stamp a packet with at this moment: no time passes.
    WallTime kernel_now() const noexcept { return wall_at(simulation_.now_ns()); }

    // From now on the wall clock runs so much too fast, in parts in 10^9: a bad crystal, or a slew.
    void set_wall_rate(std::int64_t ppb) noexcept {
        wall_offset_ns = kernel_now().ns - simulation_.now_ns();
        rate_since_ns_ = simulation_.now_ns();
        rate_ppb_ = ppb;
    }

    // 2026-01-01 plus whatever a scenario does to it.
    std::int64_t wall_offset_ns = 1'767'225'600'000'000'000;
    Duration suspended_for{};
    Duration stolen_for{};

private:
    WallTime wall_at(std::int64_t now_ns) const noexcept {
        // Seconds and the rest apart: a day at 500 ppm would else not fit.
        const std::int64_t passed_ns = now_ns - rate_since_ns_;
        const std::int64_t drift_ns = passed_ns / 1'000'000'000 * rate_ppb_ +
                                      passed_ns % 1'000'000'000 * rate_ppb_ / 1'000'000'000;
        return WallTime{now_ns + wall_offset_ns + drift_ns};
    }
    std::int64_t read() const noexcept {
        simulation_.pass(20);  // A vDSO read.
        return simulation_.now_ns();
    }

    Simulation& simulation_;
    std::int64_t rate_since_ns_ = 0;
    std::int64_t rate_ppb_ = 0;
};

}  // namespace latmon::sim
