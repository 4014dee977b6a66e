// SPDX-License-Identifier: Apache-2.0
//
// The network that simulated targets seem to be behind: it loses packets on the way there and on
// the way back, and delays them each way. Chance comes from a seed, so that the same packets in the
// same order meet the same fate; each kind of chance has its own, so that asking for jitter does
// not change which packets are lost. Pure; one per thread; it does not hold packets.
#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <random>

namespace latmon::loadgen {

struct LinkOptions {
    double loss_forward_percent = 0;  // 0..100
    double loss_reverse_percent = 0;  // 0..100
    Duration delay;                   // Each way.
    Duration jitter;                  // Each way in addition, 0 to this, evenly spread.
    std::uint64_t seed = 1;
};

class SimulatedLink {
public:
    explicit SimulatedLink(const LinkOptions& options) noexcept
        : options_(options),
          forward_(options.seed),
          reverse_(options.seed ^ 0x5265'7665'7273'6521),
          jitter_(options.seed ^ 0x4a69'7474'6572'2121) {}

    // Whether packets have to wait at all.
    [[nodiscard]] bool delays() const noexcept {
        return options_.delay.ns > 0 || options_.jitter.ns > 0;
    }

    [[nodiscard]] bool loses_forward() noexcept {
        return draw(forward_) * 100 < options_.loss_forward_percent;
    }
    [[nodiscard]] bool loses_reverse() noexcept {
        return draw(reverse_) * 100 < options_.loss_reverse_percent;
    }
    // Of the next crossing, in either direction.
    [[nodiscard]] Duration next_delay() noexcept {
        const double share = draw(jitter_) * static_cast<double>(options_.jitter.ns);
        return options_.delay + Duration{static_cast<std::int64_t>(share)};
    }

private:
    // In [0, 1), of 53 bits. The standard's distributions differ between libraries; this does not.
    [[nodiscard]] static double draw(std::mt19937_64& chance) noexcept {
        return static_cast<double>(chance() >> 11U) * 0x1p-53;
    }

    LinkOptions options_;
    std::mt19937_64 forward_;
    std::mt19937_64 reverse_;
    std::mt19937_64 jitter_;
};

}  // namespace latmon::loadgen
