// SPDX-License-Identifier: Apache-2.0
//
// One direction of the simulated network between latmon and the targets: it loses, delays, holds up
// and doubles packets. Each target has a line of its own, on which packets keep their order unless
// another one is asked for. Pure: it is given times, and holds no packets. One per thread.
#pragma once

#include "base/time.hpp"
#include "loadgen/chance.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace latmon::loadgen {

// What `jitter` is of: the width from 0, the standard deviation, or the mean.
enum class JitterShape : std::uint8_t { uniform, normal, exponential, heavy_tail };

// As the command line has it: "heavy-tail".
[[nodiscard]] std::string_view to_text(JitterShape shape) noexcept;

struct DirectionOptions {
    double loss_percent = 0;  // 0..100
    // How many packets of a line are lost in a row, on average (Gilbert's model). 0: each is lost
    // or not for itself. At least 1, and no less than loss_percent makes necessary: see
    // loss_burst_min().
    double loss_burst = 0;
    Duration delay;
    Duration jitter;  // In addition to the delay; no packet is faster than at once.
    JitterShape jitter_shape = JitterShape::uniform;
    double reorder_percent = 0;  // Of packets that arrive later by reorder_by, which others pass.
    Duration reorder_by;
    double duplicate_percent = 0;  // Of packets that arrive twice, one right behind the other.
    std::uint64_t bits_per_s = 0;  // Of each line; 0: no limit.
    Duration queue_max;  // A packet that would wait for longer until the line is free is dropped.
};

// The least loss_burst with which `loss_percent`, below 100, can be had.
[[nodiscard]] double loss_burst_min(double loss_percent) noexcept;

// No packet takes longer, if there is no bit rate; rounded up.
[[nodiscard]] Duration delay_max(const DirectionOptions& options) noexcept;

struct Crossing {
    std::uint32_t target = 0;
    std::size_t size_bytes = 0;  // With all headers.
    Instant at;
};

enum class Fate : std::uint8_t { arrives, lost, queue_full };

struct Passage {
    Fate fate = Fate::arrives;
    Instant arrival;
    bool is_doubled = false;
};

class LinkDirection {
public:
    LinkDirection(const DirectionOptions& options, std::uint32_t target_count, std::uint64_t seed);

    // Whether packets have to wait at all.
    [[nodiscard]] bool delays() const noexcept;

    // What becomes of a packet; those of one target are asked about in the order of `at`.
    [[nodiscard]] Passage cross(const Crossing& packet) noexcept;

private:
    struct Line {
        Instant free_from;  // Its last packet has been put on it.
        Instant arrival;    // Of the last that kept the order.
        bool is_losing = false;
    };

    [[nodiscard]] bool loses(Line& line) noexcept;
    [[nodiscard]] Duration next_delay() noexcept;

    DirectionOptions options_;
    std::vector<Line> lines_;
    Chance loss_;
    Chance jitter_;
    Chance order_;
    Chance double_;
};

}  // namespace latmon::loadgen
