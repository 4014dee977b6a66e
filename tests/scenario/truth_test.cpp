// SPDX-License-Identifier: Apache-2.0
//
// Two whole nodes whose clocks are off, skewed, stepped, slewed and lie, over a link with
// asymmetric and heavy-tailed delays. The simulation knows the true delays: none may lie outside
// bounds that were published as bounded or estimated, and a clock that lies is caught by the first
// exchange that contradicts it. LATMON_SEEDS sets how many seeds are tried, LATMON_SEED one alone.
#include "support/sim_node.hpp"

#include <doctest/doctest.h>
#include <cmath>
#include <cstdlib>
#include <map>

namespace latmon::sim {
namespace {

constexpr int exchanges_per_seed = 3'600;
constexpr int rounds = 180;  // Claims are renewed, and clocks disturbed, so many times.
constexpr Duration claimed = Duration::from_us(50);

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t seeds_usual = 10;
#else
constexpr std::uint64_t seeds_usual = 200;
#endif

// What the clocks claim, and what is true of it.
enum class Claims : std::uint8_t {
    none,       // Nobody claims anything.
    honest,     // Both claim 50 us and keep to it.
    lying,      // The peer claims 50 us and is off by 3 ms or more.
    untrusted,  // The peer claims, but the operator does not trust it.
    count
};

struct Truth {
    std::int64_t forward_ns = 0;
    std::int64_t reverse_ns = 0;
    std::int64_t theta_ns = 0;  // The peer's wall clock less ours, when it answered.
};

std::uint32_t load(const Octets& octets, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t index = 0; index < 4; ++index) {
        value = value << 8U | std::to_integer<std::uint32_t>(octets.at(at + index));
    }
    return value;
}

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

    std::map<std::uint32_t, Truth> truths;

private:
    World& world_;
    double forward_us_;
    double reverse_us_;
    double sigma_;
    double loss_;
};

LocalClock claim(Duration error, Instant now) {
    LocalClock clock;
    clock.is_synchronized = true;
    clock.source = ClockSource::operator_;
    clock.error = error;
    clock.as_of = now;
    clock.valid_until = Instant{std::numeric_limits<std::int64_t>::max()};
    return clock;
}

// What goes wrong with the clocks while probes flow.
void disturb(Node& node, World& world, std::mt19937_64& choose) {
    std::uniform_int_distribution<std::int64_t> skew_ppb(-100'000, 100'000);
    std::uniform_int_distribution<std::int64_t> step_ns(-2'000'000'000, 2'000'000'000);
    std::uniform_int_distribution<std::int64_t> small_step_ns(-4'000'000, 4'000'000);
    switch (choose() % 4) {
        case 0:
            // Often less than a round trip: the hardest to notice.
            node.clock.wall_offset_ns +=
                choose() % 2 == 0 ? step_ns(choose) : small_step_ns(choose);
            break;
        case 1:
            node.clock.set_wall_rate(choose() % 2 == 0 ? 500'000 : -500'000);
            break;
        case 2:
            node.clock.set_wall_rate(skew_ppb(choose));
            break;
        default:
            node.frozen_until_ns = world.simulation.now_ns() + 20'000'000;
            break;
    }
}

struct Tally {
    std::uint64_t bounded = 0;
    std::uint64_t estimated = 0;
    std::uint64_t falsified = 0;
    std::uint64_t answered = 0;
    friend bool operator==(const Tally&, const Tally&) = default;
};

bool lies_in(std::int64_t value, std::int64_t lo, std::int64_t hi, std::int64_t slack) {
    return value >= lo - slack && value <= hi + slack;
}

void judge(const Sample& sample, const Truth& truth, Claims claims, Tally& tally) {
    ++tally.answered;
    if (sample.owd_class == LATMON_OWD_BOUNDED) ++tally.bounded;
    if (sample.owd_class == LATMON_OWD_ESTIMATED) ++tally.estimated;
    if (sample.owd_class == LATMON_OWD_FALSIFIED) ++tally.falsified;
    // A claim grows old between two renewals, by 100 ppm.
    const std::int64_t error_ns = 2 * claimed.ns + 2 * 20 * 100'000;
    const std::int64_t rtt_ns = truth.forward_ns + truth.reverse_ns;
    const bool contradicts = std::abs(truth.theta_ns) > error_ns + rtt_ns + 2'000;
    if ((claims == Claims::lying || claims == Claims::untrusted) && contradicts &&
        sample.owd_class != LATMON_OWD_FALSIFIED) {
        FAIL_CHECK("exchange ", sample.sequence, " contradicts the claim, and is of class ",
                   int{sample.owd_class}, "; theta ", truth.theta_ns, " rtt ", rtt_ns);
    }
    const bool is_published =
        sample.owd_class == LATMON_OWD_BOUNDED || sample.owd_class == LATMON_OWD_ESTIMATED;
    if (!is_published) return;
    // Less than a round trip no arithmetic can tell from delay: a trusted liar that is not
    // contradicted yet.
    if (claims == Claims::lying && sample.owd_class == LATMON_OWD_BOUNDED && !contradicts) return;
    // The user-space T3 is a few readings of the clock before the packet leaves.
    const std::int64_t slack_ns = sample.t3_stamp == LATMON_STAMP_KERNEL ? 2 : 500;
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

Tally run(std::uint64_t seed) {
    std::mt19937_64 choose(seed);
    const auto claims = static_cast<Claims>(seed % static_cast<std::uint64_t>(Claims::count));
    World world(seed);
    Path path(world, choose);
    const Duration interval = Duration::from_ms(choose() % 2 == 0 ? 10 : 1'000);
    ProbePlan probe = probe_to("10.0.0.2", ProbeKind::udp, interval);
    probe.timeout = Duration::from_s(1);
    probe.trust_clock = claims == Claims::honest || claims == Claims::lying;
    Plan plan = plan_with({probe});
    plan.clock.has_series = false;
    Node& near = world.add(plan, "10.0.0.1");
    Node& far = world.add(plan_with({}), "10.0.0.2");
    path.join(near, far);

    std::uniform_int_distribution<std::int64_t> offset_ns(3'000'000, 1'000'000'000);
    std::uniform_int_distribution<std::int64_t> skew_ppb(-100'000, 100'000);
    const bool is_honest = claims == Claims::honest;
    if (is_honest) {
        far.clock.wall_offset_ns += static_cast<std::int64_t>(choose() % 80'000) - 40'000;
    } else {
        far.clock.wall_offset_ns += choose() % 2 == 0 ? offset_ns(choose) : -offset_ns(choose);
        far.clock.set_wall_rate(skew_ppb(choose));
        if (claims == Claims::none) near.clock.set_wall_rate(skew_ppb(choose));
    }
    const bool has_claims = claims != Claims::none;
    world.start();
    // The nodes have seen their clocks set; what went before is not asked about.
    world.run_for(interval * 2 + interval / 2);
    static_cast<void>(near.take_samples());
    const std::uint32_t first_judged = 3;
    Tally tally;
    for (int round = 0; round < rounds; ++round) {
        if (has_claims) {
            const LocalClock clock = claim(claimed, near.clock.now());
            near.core().apply({.kind = CoreCommand::Kind::set_clock, .clock = clock});
            far.core().apply({.kind = CoreCommand::Kind::set_clock, .clock = clock});
        }
        world.run_for(interval * (exchanges_per_seed / rounds));
        for (const Sample& sample : near.take_samples()) {
            const bool is_answer =
                sample.kind == LATMON_KIND_EXCHANGE &&
                (sample.status == LATMON_STATUS_OK || sample.status == LATMON_STATUS_REORDERED);
            if (is_answer && sample.sequence >= first_judged)
                judge(sample, path.truths.at(sample.sequence), claims, tally);
        }
        static_cast<void>(far.take_samples());
        if (claims == Claims::none && round % 18 == 0)
            disturb(choose() % 2 == 0 ? near : far, world, choose);
    }
    return tally;
}

std::uint64_t seeds() {
    const char* const text = std::getenv("LATMON_SEEDS");
    return text == nullptr ? seeds_usual : std::strtoull(text, nullptr, 10);
}

}  // namespace

TEST_CASE("truth: no delay lies outside published bounds, and every lie is caught") {
    Tally sum;
    std::uint64_t first = 1;
    std::uint64_t last = seeds();
    if (const char* const one = std::getenv("LATMON_SEED")) {
        first = last = std::strtoull(one, nullptr, 10);
    }
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        CAPTURE(seed);
        const Tally tally = run(seed);
        sum.answered += tally.answered;
        sum.bounded += tally.bounded;
        sum.estimated += tally.estimated;
        sum.falsified += tally.falsified;
        const auto claims = static_cast<Claims>(seed % static_cast<std::uint64_t>(Claims::count));
        if (claims == Claims::honest) CHECK(tally.falsified == 0);
        if (claims == Claims::lying) CHECK(tally.falsified > 0);
    }
    MESSAGE("answered ", sum.answered, ", bounded ", sum.bounded, ", estimated ", sum.estimated,
            ", falsified ", sum.falsified);
    CHECK(sum.bounded > 0);
    CHECK(sum.estimated > 0);
}

TEST_CASE("truth: a seed replays bit for bit") {
    CHECK(run(4) == run(4));
    CHECK(run(7) == run(7));
}

}  // namespace latmon::sim
