// SPDX-License-Identifier: Apache-2.0
//
// A path between two nodes that remembers how long each packet really took: asymmetric, with heavy
// tails, and some loss. What was published of an exchange is held against that.
#pragma once

#include "support/sim_node.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <vector>

namespace latmon::sim {

// A number from the environment.
inline std::uint64_t seed_from(const char* variable, std::uint64_t usual) {
    const char* const text = std::getenv(variable);
    return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

// What really happened to one exchange.
struct Truth {
    std::int64_t forward_ns = 0;
    std::int64_t reverse_ns = 0;
    std::int64_t theta_ns = 0;  // The peer's wall clock less ours, when it answered.
};

class Path {
public:
    Path(World& world, std::mt19937_64& choose) : world_(world) {
        std::uniform_real_distribution<double> base_us(20.0, 2'000.0);
        forward_us_ = base_us(choose);
        reverse_us_ = choose() % 2 == 0 ? forward_us_ : base_us(choose);
        sigma_ = 0.2 + static_cast<double>(choose() % 20) * 0.1;
        loss_ = static_cast<double>(choose() % 3) * 0.01;
    }

    void join(const Node& near, const Node& far) {
        world_.simulation.link = [this, &near, &far](const Packet& packet,
                                                     std::mt19937_64& random) {
            const bool is_forward = packet.to.port == 8001;
            const double base_us = is_forward ? forward_us_ : reverse_us_;
            // Queues: log-normal, and now and then something far out (Pareto, alpha 1.5).
            std::lognormal_distribution<double> queue_us(std::log(base_us / 20.0), sigma_);
            std::uniform_real_distribution<double> chance(0.0, 1.0);
            if (chance(random) < loss_) return std::vector<Duration>{};
            double delay_us = base_us + queue_us(random);
            if (chance(random) < 0.01) {
                delay_us += base_us * (std::pow(1.0 - chance(random), -1.0 / 1.5) - 1.0);
            }
            const Duration delay{
                static_cast<std::int64_t>(std::min(delay_us, 400'000.0) * 1'000.0)};
            if (is_forward) {
                truths[load(packet.octets, 0)].forward_ns = delay.ns;
            } else {
                Truth& truth = truths[load(packet.octets, 24)];
                truth.reverse_ns = delay.ns;
                truth.theta_ns = (far.clock.kernel_now() - near.clock.kernel_now()).ns;
            }
            return std::vector{delay};
        };
    }

    // By the sender's sequence number.
    std::map<std::uint32_t, Truth> truths;

private:
    static std::uint32_t load(const Octets& octets, std::size_t at) {
        std::uint32_t value = 0;
        for (std::size_t index = 0; index < 4; ++index) {
            value = value << 8U | std::to_integer<std::uint32_t>(octets.at(at + index));
        }
        return value;
    }

    World& world_;
    double forward_us_;
    double reverse_us_;
    double sigma_;
    double loss_;
};

inline bool is_answer(const Sample& sample) {
    return sample.kind == LATMON_KIND_EXCHANGE &&
           (sample.status == LATMON_STATUS_OK || sample.status == LATMON_STATUS_REORDERED);
}

inline bool is_published(const Sample& sample) {
    return sample.owd_class == LATMON_OWD_BOUNDED || sample.owd_class == LATMON_OWD_ESTIMATED;
}

inline bool lies_in(std::int64_t value, std::int64_t lo, std::int64_t hi, std::int64_t slack) {
    return value >= lo - slack && value <= hi + slack;
}

// Of a sample whose one-way delays are published.
inline void check_bounds(const Sample& sample, const Truth& truth) {
    // User space's T2 is a few readings of the clock after the packet came, and its T3 as many
    // before it leaves.
    const bool is_kernel =
        sample.t2_stamp == LATMON_STAMP_KERNEL && sample.t3_stamp == LATMON_STAMP_KERNEL;
    const std::int64_t slack_ns = is_kernel ? 2 : 500;
    const bool is_true =
        lies_in(truth.forward_ns, sample.owd_fwd_lo_ns, sample.owd_fwd_hi_ns, slack_ns) &&
        lies_in(truth.reverse_ns, sample.owd_rev_lo_ns, sample.owd_rev_hi_ns, slack_ns);
    if (!is_true) {
        FAIL_CHECK("exchange ", sample.sequence, " of class ", int{sample.owd_class}, ": forward ",
                   truth.forward_ns, " in [", sample.owd_fwd_lo_ns, ", ", sample.owd_fwd_hi_ns,
                   "], reverse ", truth.reverse_ns, " in [", sample.owd_rev_lo_ns, ", ",
                   sample.owd_rev_hi_ns, "]");
    }
    if (!lies_in(sample.owd_fwd_ns, sample.owd_fwd_lo_ns, sample.owd_fwd_hi_ns, 0)) {
        FAIL_CHECK("exchange ", sample.sequence, ": its value is out of its own bounds");
    }
}

}  // namespace latmon::sim
