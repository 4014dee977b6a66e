// SPDX-License-Identifier: Apache-2.0
//
// Paths at random, whose truth is known: queues with heavy tails, clocks that drift, slew, step and
// lie. Each seed is one path and 3,600 exchanges; a failure names its seed. LATMON_SEEDS raises
// their number, LATMON_SEED replays one.
#include "clock/path_clock.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>

namespace latmon {
namespace {

constexpr int seeds_usual = 200;
constexpr int exchanges_per_seed = 3'600;
constexpr std::uint16_t enough = 30;
// No way takes longer: whoever probes gives up on it.
constexpr std::int64_t way_ns_max = 450'000'000;

enum class Claim { none, honest_trusted, honest, liar, liar_trusted, local_alone, count };
enum class Queue { none, exponential, log_normal, pareto, bursts, count };

class Simulation {
public:
    explicit Simulation(std::uint64_t seed);
    // The first thing that went wrong, or nothing.
    [[nodiscard]] std::string run();

private:
    struct Way {
        std::int64_t least_ns = 0;
        Queue queue = Queue::none;
        std::int64_t burst_until_ns = 0;
    };
    // What is true of one exchange, in our steady time.
    struct Truth {
        Duration forward;
        Duration reverse;
        Duration offset_min;  // Of the wall clocks, while it is under way.
        Duration offset_max;
        Duration offset;  // At its end.
    };

    double uniform() { return std::uniform_real_distribution<>(0, 1)(random_); }
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
    }
    bool one_in(std::int64_t cases) { return between(1, cases) == 1; }
    std::int64_t log_between(double low, double high) {
        return static_cast<std::int64_t>(low * std::pow(high / low, uniform()));
    }
    Duration take(Way& way);
    [[nodiscard]] Duration peer_minus_raw(std::int64_t raw_ns) const {
        return Duration{peer_ns_ + (raw_ns - since_ns_) * peer_ppb_ / 1'000'000'000};
    }
    [[nodiscard]] Duration wall_minus_raw(std::int64_t raw_ns) const {
        return Duration{wall_ns_ + (raw_ns - since_ns_) * wall_ppb_ / 1'000'000'000};
    }
    void let_clocks_misbehave();
    void exchange();
    [[nodiscard]] ClockClaims make_claims();
    void check(const PathStamps& stamps, const ClockClaims& claims);
    void check_class(const PathStamps& stamps, const ClockClaims& claims);
    void check_values();
    void fail(const char* what) {
        if (failure_.empty()) failure_ = what;
    }

    std::mt19937_64 random_;
    std::int64_t drift_ppb_;
    PathClock clock_;
    Claim claim_;
    Way forward_;
    Way reverse_;
    std::int64_t interval_ns_;
    std::int64_t stamp_error_ns_;
    bool has_slews_;  // Of either clock; and steps, and silences.

    std::int64_t raw_ns_ = 9'000'000'000'000;
    std::int64_t since_ns_ = raw_ns_;  // When the clocks were where these say.
    std::int64_t peer_ns_ = 0;
    std::int64_t peer_ppb_ = 0;
    std::int64_t wall_ns_ = 1'768'219'134'000'000'000;
    std::int64_t wall_ppb_ = 0;

    Truth truth_;
    OneWayDelays delays_;
    std::uint64_t steps_unannounced_ = 0;
    std::uint64_t falsified_ = 0;
    int since_reset_ = 0;
    bool was_caught_ = false;  // Since the last reset.
    std::string failure_;
};

Simulation::Simulation(std::uint64_t seed)
    : random_(seed),
      drift_ppb_(log_between(20'000, 700'000)),
      clock_(drift_ppb_),
      claim_(static_cast<Claim>(seed % static_cast<std::uint64_t>(Claim::count))),
      interval_ns_(log_between(1e6, 2e9)),
      stamp_error_ns_(between(0, 300)),
      has_slews_(!one_in(3)) {
    for (Way* way : {&forward_, &reverse_}) {
        way->least_ns = log_between(5e3, 50e6);
        way->queue = static_cast<Queue>(between(0, static_cast<int>(Queue::count) - 1));
    }
    const std::int64_t skew = std::min<std::int64_t>(drift_ppb_, 100'000);
    peer_ppb_ = between(-skew, skew);
    wall_ppb_ = has_slews_ ? between(-100'000, 100'000) : 0;
    const std::int64_t offset_kind = between(0, 2);
    peer_ns_ = wall_ns_;
    if (offset_kind == 0) peer_ns_ += between(-1'000'000'000, 1'000'000'000);
    if (offset_kind == 1) peer_ns_ += one_in(2) ? 3'000'000 : -3'000'000;
}

Duration Simulation::take(Way& way) {
    double queued_ns = 0;
    const double scale_ns = static_cast<double>(way.least_ns) / 4;
    switch (way.queue) {
        case Queue::exponential:
            queued_ns = -std::log(1 - uniform()) * scale_ns;
            break;
        case Queue::log_normal:
            queued_ns = std::lognormal_distribution<>(0, 1.5)(random_) * scale_ns;
            break;
        case Queue::pareto:
            queued_ns = (std::pow(1 - uniform(), -1 / 1.1) - 1) * scale_ns;
            break;
        case Queue::bursts:
            if (one_in(200)) way.burst_until_ns = raw_ns_ + log_between(1e6, 120e9);
            queued_ns = raw_ns_ < way.burst_until_ns ? 50e6 : 0;
            break;
        case Queue::none:
        case Queue::count:
            break;
    }
    const double way_ns = static_cast<double>(way.least_ns) + queued_ns;
    return Duration{static_cast<std::int64_t>(std::min(way_ns, double{way_ns_max}))};
}

// Between two exchanges, at most one of these.
void Simulation::let_clocks_misbehave() {
    peer_ns_ = peer_minus_raw(raw_ns_).ns;
    wall_ns_ = wall_minus_raw(raw_ns_).ns;
    since_ns_ = raw_ns_;
    if (!has_slews_) return;
    if (one_in(300)) peer_ppb_ = between(-drift_ppb_, drift_ppb_);
    if (one_in(300)) wall_ppb_ = between(-500'000, 500'000);
    const std::int64_t event = between(1, 2'000);
    if (event == 1) {  // Our step, which is seen.
        wall_ns_ += between(-1'000'000'000, 1'000'000'000);
    } else if (event == 2) {  // The peer's, which is announced.
        peer_ns_ += log_between(1e3, 1e9) * (one_in(2) ? 1 : -1);
    } else if (event == 3 && since_reset_ > 0) {  // The peer's, too large to need announcing.
        peer_ns_ += between(2'000'000'000, 3'000'000'000) * (one_in(2) ? 1 : -1);
        ++steps_unannounced_;
        since_reset_ = 0;
        was_caught_ = false;
        return;
    } else if (event == 4) {  // Silence.
        raw_ns_ += log_between(1e9, 600e9);
        return;
    } else {
        return;
    }
    clock_.reset();
    since_reset_ = 0;
    was_caught_ = false;
}

ClockClaims Simulation::make_claims() {
    const Duration away{std::max(std::abs(truth_.offset_min.ns), std::abs(truth_.offset_max.ns))};
    const Duration share{between(0, away.ns)};
    const Duration small = Duration::from_us(20);
    switch (claim_) {
        case Claim::honest_trusted:
        case Claim::honest:
            return {.local_error = share,
                    .remote_error = away - share + Duration{log_between(1, 1e6)},
                    .is_remote_trusted = claim_ == Claim::honest_trusted};
        case Claim::liar:
        case Claim::liar_trusted:
            return {.local_error = small,
                    .remote_error = Duration::from_us(50),
                    .is_remote_trusted = claim_ == Claim::liar_trusted};
        case Claim::local_alone:
            return {.local_error = small, .remote_error = std::nullopt, .is_remote_trusted = true};
        case Claim::none:
        case Claim::count:
            break;
    }
    return {};
}

void Simulation::exchange() {
    truth_.forward = take(forward_);
    truth_.reverse = take(reverse_);
    const std::int64_t turnaround_ns = one_in(10) ? 0 : log_between(1e3, 1e6);
    const std::int64_t t1 = raw_ns_;
    const std::int64_t t2 = t1 + truth_.forward.ns;
    const std::int64_t t3 = t2 + turnaround_ns;
    const std::int64_t t4 = t3 + truth_.reverse.ns;
    const std::int64_t at = t4 + between(0, 50'000);
    const auto error = [&]() -> std::int64_t { return between(-stamp_error_ns_, stamp_error_ns_); };
    const PathStamps stamps{.t1 = WallTime{t1 + wall_minus_raw(t1).ns + error()},
                            .t2 = WallTime{t2 + peer_minus_raw(t2).ns},
                            .t3 = WallTime{t3 + peer_minus_raw(t3).ns},
                            .t4 = WallTime{t4 + wall_minus_raw(t4).ns + error()},
                            .at = RawInstant{at},
                            .wall_minus_raw = wall_minus_raw(at) + Duration{error()},
                            // Both errors, 500 ppm since T1, and what was cut above.
                            .uncertainty = Duration{2 * stamp_error_ns_ + (at - t1) / 2'000 + 3}};
    const Duration offset_begin = peer_minus_raw(t1) - wall_minus_raw(t1);
    truth_.offset = peer_minus_raw(at) - wall_minus_raw(at);
    truth_.offset_min = std::min(offset_begin, truth_.offset);
    truth_.offset_max = std::max(offset_begin, truth_.offset);
    raw_ns_ = std::max(t1 + interval_ns_, at);
    // A reply whose round trip the errors of its stamps make negative is none: RFC 8762.
    if (stamps.t4 - stamps.t1 < stamps.t3 - stamps.t2) return;
    const ClockClaims claims = make_claims();
    delays_ = clock_.judge(stamps, claims);
    ++since_reset_;
    check(stamps, claims);
}

void Simulation::check_class(const PathStamps& stamps, const ClockClaims& claims) {
    const bool are_both_claimed = claims.local_error && claims.remote_error;
    const OwdClass owd_class = delays_.owd_class;
    if (owd_class == OwdClass::falsified) {
        ++falsified_;
        was_caught_ = true;
        if (claim_ != Claim::liar && claim_ != Claim::liar_trusted)
            fail("an honest clock falsified");
        return;
    }
    if (was_caught_ && are_both_claimed) fail("a clock that was caught is believed");
    if (are_both_claimed) {
        const Duration error = *claims.local_error + *claims.remote_error;
        const Duration rtt = truth_.forward + truth_.reverse;
        const Duration away = std::max(truth_.offset_min, -truth_.offset_max);
        if (away > error + rtt + stamps.uncertainty) fail("a liar was not falsified");
    }
    const bool is_bounded = are_both_claimed && claims.is_remote_trusted;
    if ((owd_class == OwdClass::bounded) != is_bounded) fail("bounded without proof");
    if (is_bounded) return;
    const OwdClass wanted = since_reset_ >= enough ? OwdClass::estimated : OwdClass::relative;
    if (owd_class != wanted) fail("neither estimated nor relative, as it should");
}

void Simulation::check_values() {
    if (delays_.owd_class == OwdClass::falsified && delays_.has_values) fail("a falsified value");
    if (!delays_.has_bounds || !delays_.has_values) return;
    const bool is_inside =
        delays_.forward_lo <= delays_.forward && delays_.forward <= delays_.forward_hi &&
        delays_.reverse_lo <= delays_.reverse && delays_.reverse <= delays_.reverse_hi;
    if (!is_inside) fail("a value outside its bounds");
}

void Simulation::check(const PathStamps& stamps, const ClockClaims& claims) {
    check_class(stamps, claims);
    check_values();
    const OffsetReading reading = clock_.read(stamps.at, stamps.wall_minus_raw);
    if (reading.offset_lo > truth_.offset || truth_.offset > reading.offset_hi) {
        fail("the offset is outside its bounds");
    }
    if (!delays_.has_bounds) return;
    Duration tolerance;
    // A trusted peer that lies by less than a round trip cannot be told from delay: then, and only
    // then, the bounds may be wrong, and by less than that.
    if (claim_ == Claim::liar_trusted && delays_.owd_class == OwdClass::bounded) {
        const Duration error = *claims.local_error + *claims.remote_error;
        const bool is_lie = truth_.offset_max > error || truth_.offset_min < -error;
        if (is_lie) tolerance = truth_.forward + truth_.reverse + stamps.uncertainty * 2;
    }
    const bool is_true = delays_.forward_lo <= truth_.forward + tolerance &&
                         truth_.forward - tolerance <= delays_.forward_hi &&
                         delays_.reverse_lo <= truth_.reverse + tolerance &&
                         truth_.reverse - tolerance <= delays_.reverse_hi;
    if (!is_true) fail("the truth is outside the bounds");
}

std::string Simulation::run() {
    for (int count = 0; count < exchanges_per_seed && failure_.empty(); ++count) {
        let_clocks_misbehave();
        exchange();
        if (!failure_.empty()) failure_ += ", at exchange " + std::to_string(count);
    }
    if (failure_.empty() && clock_.contradictions() != steps_unannounced_) {
        fail("a contradiction without a step, or a step without a contradiction");
    }
    if (failure_.empty() && clock_.falsified() != falsified_) fail("falsified, and not counted");
    return failure_;
}

TEST_CASE("path_clock: whatever clocks and queues do, the truth is within the bounds") {
    const char* const one = std::getenv("LATMON_SEED");
    const char* const more = std::getenv("LATMON_SEEDS");
    const std::uint64_t first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1;
    const std::uint64_t seeds = one != nullptr    ? 1
                                : more != nullptr ? std::strtoull(more, nullptr, 10)
                                                  : seeds_usual;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
        CAPTURE(seed);
        CHECK(Simulation(seed).run() == "");
    }
}

}  // namespace
}  // namespace latmon
