// SPDX-License-Identifier: Apache-2.0
//
// Who is asked: the operator's word, if there is one; else chronyd, if it answers; else the kernel.
// chronyd comes before the kernel though its bound may be the larger: what it tells the kernel
// leaves out what it is slewing off. Whoever is believed, a jump of the clock voids what was said
// before it, until it is said anew.
#include "clock/clock_survey.hpp"

#include "clock/chrony.hpp"
#include "clock/kernel_clock.hpp"
#include "clock/wall_watch.hpp"

#include <optional>
#include <utility>

namespace latmon {
namespace {

using Trust = ClockSurveyOptions::Trust;

// The survey is made once a second; what it says outlives two that were missed.
constexpr Duration validity = Duration::from_s(3);
// chronyd may be busy, or be started anew: its last word stands, growing, for as long.
constexpr Duration chrony_validity = Duration::from_s(30);
// An operator's word is of a clock that is tended; after a jump that takes a while.
constexpr Duration operator_pause = Duration::from_s(60);

LocalClock word(ClockSource source, Duration error, Instant as_of, Duration valid_for) {
    LocalClock local;
    local.is_synchronized = source != ClockSource::none;
    local.source = source;
    local.error = error;
    local.as_of = as_of;
    local.valid_until = as_of + valid_for;
    return local;
}

}  // namespace

struct ClockSurvey::Implementation {
    explicit Implementation(ClockSurveyOptions given)
        : options(std::move(given)), chrony(options.chrony) {}

    void notice_jumps(const Clock& clock, const KernelClock& kernel);
    [[nodiscard]] std::optional<LocalClock> by_operator(Instant now) const;
    [[nodiscard]] std::optional<LocalClock> by_chrony(const Clock& clock);
    [[nodiscard]] std::optional<LocalClock> by_kernel(Instant now, const KernelClock& kernel) const;
    [[nodiscard]] std::optional<LocalClock> believe(const Clock& clock, const KernelClock& kernel);

    ClockSurveyOptions options;
    Chrony chrony;
    std::optional<WallWatch> watch;       // From the first look on.
    std::optional<LocalClock> last_word;  // chronyd's.
    std::optional<Instant> jumped_at;
    std::optional<WallTime> jumped_to;  // chronyd's source must have been heard after it.
    Duration kernel_error;              // As of the last look.
    bool is_kernel_void = false;        // Until somebody renews its bound.
};

void ClockSurvey::Implementation::notice_jumps(const Clock& clock, const KernelClock& kernel) {
    if (!watch) watch.emplace(clock);
    if (watch->look()) {
        last_word.reset();
        jumped_at = clock.now();
        jumped_to = watch->pair().wall;
        is_kernel_void = true;
    } else if (kernel.error_max < kernel_error) {
        is_kernel_void = false;
    }
    kernel_error = kernel.error_max;
}

std::optional<LocalClock> ClockSurvey::Implementation::by_operator(Instant now) const {
    if (options.operator_error <= Duration{}) return std::nullopt;
    if (jumped_at && now - *jumped_at < operator_pause) return std::nullopt;
    return word(ClockSource::operator_, options.operator_error, now, validity);
}

std::optional<LocalClock> ClockSurvey::Implementation::by_chrony(const Clock& clock) {
    const Instant now = clock.now();
    const std::optional<ChronyTracking> tracking = chrony.ask(now);
    if (tracking) {
        last_word.reset();
        const bool is_stale = jumped_to && tracking->reference_time <= *jumped_to;
        const std::optional<Duration> bound = error_bound(*tracking, clock.wall_now());
        if (bound && !is_stale) {
            jumped_to.reset();
            last_word = word(ClockSource::chrony, *bound, now, chrony_validity);
        }
    }
    if (last_word && !last_word->is_synchronized_at(now)) last_word.reset();
    return last_word;
}

std::optional<LocalClock> ClockSurvey::Implementation::by_kernel(Instant now,
                                                                 const KernelClock& kernel) const {
    if (!is_believable(kernel) || is_kernel_void) return std::nullopt;
    return word(ClockSource::kernel, kernel.error_max + kernel.remaining, now, validity);
}

std::optional<LocalClock> ClockSurvey::Implementation::believe(const Clock& clock,
                                                               const KernelClock& kernel) {
    const Instant now = clock.now();
    switch (options.trust) {
        case Trust::none:
            return std::nullopt;
        case Trust::operator_:
            return by_operator(now);
        case Trust::chrony:
            return by_chrony(clock);
        case Trust::kernel:
            return by_kernel(now, kernel);
        case Trust::automatic:
            break;
    }
    if (options.operator_error > Duration{}) return by_operator(now);
    const std::optional<LocalClock> word = by_chrony(clock);
    return word ? word : by_kernel(now, kernel);
}

ClockSurvey::ClockSurvey(ClockSurveyOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(options))) {}

ClockSurvey::~ClockSurvey() = default;

LocalClock ClockSurvey::look(const Clock& clock) {
    const KernelClock kernel = read_kernel_clock();
    implementation_->notice_jumps(clock, kernel);
    const Instant now = clock.now();
    const LocalClock nobody = word(ClockSource::none, LocalClock{}.error, now, validity);
    LocalClock local = implementation_->believe(clock, kernel).value_or(nobody);
    local.has_tai_offset = kernel.has_tai_offset;
    local.tai_offset = kernel.tai_offset;
    return local;
}

}  // namespace latmon
