// SPDX-License-Identifier: Apache-2.0
//
// The window is one interval: widening it by the drift and intersecting it with each exchange gives
// the same as keeping every exchange and widening each by its age, because an intersection is
// ruled by one lower and one upper end, and all ends move at the same speed.
#include "clock/path_clock.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace latmon {
namespace {

// Exchanges before a guess of the offset is published.
constexpr std::uint16_t estimate_exchanges = 30;
// What a window is worth after a day, at any drift, is nothing; and sums stay far from overflow.
constexpr Duration silence_max = Duration::from_s(86'400);
// A claimed error beyond this says nothing; the widest that an Error Estimate can say is 17,000
// years.
constexpr Duration claim_max = Duration::from_s(86'400);
constexpr std::int64_t billion = 1'000'000'000;

std::optional<Duration> claimed_error(const ClockClaims& claims) noexcept {
    if (!claims.local_error || !claims.remote_error) return std::nullopt;
    if (*claims.local_error > claim_max || *claims.remote_error > claim_max) return std::nullopt;
    const Duration zero;
    return std::max(*claims.local_error, zero) + std::max(*claims.remote_error, zero);
}

}  // namespace

PathClock::PathClock(std::int64_t drift_ppb) noexcept : drift_ppb_(drift_ppb) {
    LATMON_ASSERT(drift_ppb >= 0 && drift_ppb <= billion);
}

void PathClock::reset() noexcept {
    ++resets_;
    line_.reset();
    exchanges_ = 0;
    is_refuted_ = false;
}

// How far the clocks may run apart within `passed`, rounded up. 0..1 day.
Duration PathClock::drift_over(Duration passed) const noexcept {
    const std::int64_t whole = passed.ns / billion * drift_ppb_;
    return Duration{whole + passed.ns % billion * drift_ppb_ / billion + 1};
}

PathClock::Exchange PathClock::reckon(const PathStamps& stamps) const noexcept {
    // T2 - T1 holds for the moment T2, T4 - T3 for T3; both are wanted for `at`.
    const Duration under_way = stamps.t4 - stamps.t1;
    const Duration since = stamps.at - RawInstant{(stamps.t4.ns - stamps.wall_minus_raw.ns)};
    Duration passed = Duration{std::abs(under_way.ns)} + Duration{std::abs(since.ns)};
    // An exchange that is not the latest is set against a window that is.
    if (exchanges_ > 0 && stamps.at < at_) passed = passed + (at_ - stamps.at);
    return {.forward = stamps.t2 - stamps.t1,
            .reverse = stamps.t4 - stamps.t3,
            .slack = stamps.uncertainty + drift_over(std::min(passed, silence_max))};
}

// Widens the window by what passed, exactly: what is less than a nanosecond is kept for next time.
void PathClock::advance(Duration passed) noexcept {
    const std::int64_t part = passed.ns % billion * drift_ppb_ + carry_;
    const Duration widening{passed.ns / billion * drift_ppb_ + part / billion};
    carry_ = static_cast<std::uint32_t>(part % billion);
    window_.lo = window_.lo - widening;
    window_.hi = window_.hi + widening;
}

void PathClock::take(const PathStamps& stamps, const Exchange& exchange) noexcept {
    if (exchanges_ > 0 && stamps.at - at_ > silence_max) reset();
    const Duration slack = exchange.slack + Duration{1};  // The carry.
    if (exchanges_ > 0 && stamps.at > at_) advance(stamps.at - at_);
    const Window fresh{.lo = stamps.wall_minus_raw - exchange.reverse - slack,
                       .hi = stamps.wall_minus_raw + exchange.forward + slack};
    if (exchanges_ > 0 && (fresh.lo > window_.hi || fresh.hi < window_.lo)) {
        ++contradictions_;
        reset();
    }
    if (exchanges_ == 0) {
        window_ = fresh;
        at_ = stamps.at;
    } else {
        window_ = {.lo = std::max(window_.lo, fresh.lo), .hi = std::min(window_.hi, fresh.hi)};
        at_ = std::max(at_, stamps.at);
    }
    uncertainty_ = stamps.uncertainty;
    if (exchanges_ < estimate_exchanges) ++exchanges_;
    const Duration middle = (exchange.forward - exchange.reverse) / 2;
    line_.add(stamps.at, stamps.wall_minus_raw + middle, exchange.forward + exchange.reverse);
}

// theta by the wall clocks, as of the last exchange. The mapping is as uncertain as it was then.
PathClock::Window PathClock::offset_window(Duration wall_minus_raw) const noexcept {
    return {.lo = window_.lo - wall_minus_raw - uncertainty_,
            .hi = window_.hi - wall_minus_raw + uncertainty_};
}

// `theta` is the window, for any moment of the exchange. The exchange by itself needs no drift: the
// claim is made for all of it.
bool PathClock::is_contradicted(Duration claimed, const Window& theta,
                                const Exchange& exchange) const noexcept {
    if (-exchange.reverse - uncertainty_ > claimed) return true;
    if (exchange.forward + uncertainty_ < -claimed) return true;
    return theta.lo > claimed || theta.hi < -claimed;
}

OneWayDelays PathClock::judge(const PathStamps& stamps, const ClockClaims& claims) noexcept {
    const Exchange exchange = reckon(stamps);
    take(stamps, exchange);
    Window theta = offset_window(stamps.wall_minus_raw);
    theta = {.lo = theta.lo - exchange.slack, .hi = theta.hi + exchange.slack};
    const std::optional<Duration> claimed = claimed_error(claims);
    if (claimed && is_contradicted(*claimed, theta, exchange)) is_refuted_ = true;

    if (claimed && is_refuted_) {
        ++falsified_;
        OneWayDelays delays = bounds_of(exchange, theta);
        delays.owd_class = OwdClass::falsified;
        return delays;
    }
    const bool is_bounded = claimed && claims.is_remote_trusted;
    if (!is_bounded && exchanges_ < estimate_exchanges) {
        OneWayDelays delays;
        delays.owd_class = OwdClass::relative;
        delays.has_values = true;
        delays.forward = exchange.forward;
        delays.reverse = exchange.reverse;
        return delays;
    }
    // Not empty, or it would be a contradiction.
    if (is_bounded) {
        theta = {.lo = std::max(theta.lo, -*claimed), .hi = std::min(theta.hi, *claimed)};
    }
    OneWayDelays delays = bounds_of(exchange, theta);
    delays.owd_class = is_bounded ? OwdClass::bounded : OwdClass::estimated;
    const Duration guess =
        std::clamp(line_.offset_at(stamps.at) - stamps.wall_minus_raw, theta.lo, theta.hi);
    delays.has_values = true;
    delays.forward = std::clamp(exchange.forward - guess, delays.forward_lo, delays.forward_hi);
    delays.reverse = std::clamp(exchange.reverse + guess, delays.reverse_lo, delays.reverse_hi);
    return delays;
}

// What follows of the delays if theta is in there. They are not negative, and no longer than both
// together; where stamps are so uncertain that this leaves nothing, the nearest is kept.
OneWayDelays PathClock::bounds_of(const Exchange& exchange, const Window& theta) noexcept {
    const Duration zero;
    const Duration slack = exchange.slack;
    const Duration most = std::max(exchange.forward + exchange.reverse + slack * 2, zero);
    OneWayDelays delays;
    delays.has_bounds = true;
    delays.forward_lo = std::clamp(exchange.forward - theta.hi - slack, zero, most);
    delays.forward_hi = std::clamp(exchange.forward - theta.lo + slack, delays.forward_lo, most);
    delays.reverse_lo = std::clamp(exchange.reverse + theta.lo - slack, zero, most);
    delays.reverse_hi = std::clamp(exchange.reverse + theta.hi + slack, delays.reverse_lo, most);
    return delays;
}

OffsetReading PathClock::read(RawInstant at, Duration wall_minus_raw) const noexcept {
    OffsetReading reading;
    const Duration passed = at - at_;
    if (exchanges_ == 0 || passed > silence_max) return reading;
    const Duration widening = drift_over(Duration{std::abs(passed.ns)});
    const Window window = offset_window(wall_minus_raw);
    reading.has_bounds = true;
    reading.offset_lo = window.lo - widening;
    reading.offset_hi = window.hi + widening;
    if (exchanges_ < estimate_exchanges) return reading;
    reading.has_estimate = true;
    reading.offset =
        std::clamp(line_.offset_at(at) - wall_minus_raw, reading.offset_lo, reading.offset_hi);
    reading.skew_ppb = line_.skew_ppb();
    reading.residual = line_.residual();
    return reading;
}

}  // namespace latmon
