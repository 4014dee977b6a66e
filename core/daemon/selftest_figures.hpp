// SPDX-License-Identifier: Apache-2.0
//
// The arithmetic of `latmon selftest`: what the samples of a phase come to, and how the highest
// rate that a core keeps up with is searched for. Pure. [main-thread]
#pragma once

#include "daemon/ping_tally.hpp"
#include "daemon/selftest_plan.hpp"
#include "probe/probe_counters.hpp"
#include "sample/sample.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace latmon {

// Where the samples of a phase count, by scheduled_ns of a sample.
struct PhaseWindow {
    WallTime begin;
    WallTime end;
};

// What the sender's accounts say of a whole phase, when nothing is in flight any more.
struct PhaseAccounts {
    // Adds what one probe counted.
    void add(const ProbeCounters& counters) noexcept;

    // Each slot once: a refused probe was sent, one that failed was not.
    [[nodiscard]] std::uint64_t slots() const noexcept { return sent + failed + missed; }
    // Probes that came to nothing.
    [[nodiscard]] std::uint64_t wasted() const noexcept { return lost + unreachable + failed; }

    std::uint64_t sent = 0;  // answered + lost + unreachable
    std::uint64_t answered = 0;
    std::uint64_t lost = 0;         // On loopback: dropped by this host.
    std::uint64_t unreachable = 0;  // Sent, and refused.
    std::uint64_t failed = 0;       // Never left: local errors.
    std::uint64_t missed = 0;       // Slots that a stall let pass.
    // Not of probes: samples for which the queue had no room. The figures are without them.
    std::uint64_t samples_dropped = 0;
};

// What the core-thread said of itself (IntervalFigures), in the second half of the phase.
struct PhaseCost {
    std::optional<std::int64_t> cpu_ppm;
    std::optional<std::int64_t> cpu_ns_per_probe;
    std::optional<std::int64_t> ring_calls_per_1000_probes;
};

class PhaseFigures {
public:
    explicit PhaseFigures(const PhaseSpec& phase) : phase_(phase) {}

    // Takes one exchange's sample; others, and those outside of the window, are left out.
    void add(const Sample& sample, const PhaseWindow& window);

    [[nodiscard]] const PhaseSpec& phase() const noexcept { return phase_; }
    // Answered exchanges that count; those of them that have T1 and T4 of the kernel or a card; and
    // those that have all four of them.
    [[nodiscard]] std::uint64_t count() const noexcept { return rtt.count(); }
    [[nodiscard]] std::uint64_t stamped() const noexcept;
    [[nodiscard]] std::uint64_t fully_stamped() const noexcept;

    TimeSeries lateness;  // Of all that were sent.
    TimeSeries rtt;       // As published.
    // local_tx_ns + local_rx_ns: between the kernel's T1 and T4 and our sending and reading, which
    // stamps keep out of the round trip. Where latmon lets stamped replies wait for each other
    // (limits::reply_patience_ns), that wait is in it.
    TimeSeries dwell;
    std::map<std::array<std::uint8_t, 4>, std::uint64_t> stamps;  // As in PingTally.
    PhaseAccounts accounts;
    PhaseCost cost;

private:
    PhaseSpec phase_;
};

// How far a round trip is above the least one of all phases. The way through loopback is the same
// for each probe, so that this host put it there. What it puts into every round trip, the least one
// too, does not show: with a stamp of user space among the four that is tens of microseconds.
struct AddedError {
    std::int64_t p50_ns = 0;
    std::int64_t p99_ns = 0;
};
// Nothing without a round trip.
[[nodiscard]] std::optional<AddedError> added_error(const PhaseFigures& phase,
                                                    std::int64_t least_rtt_ns);

// The least round trip of them; nothing without one.
[[nodiscard]] std::optional<std::int64_t> least_rtt_ns(std::span<const PhaseFigures> phases);

// Why a rate was too much.
enum class RateLimit : std::uint8_t {
    none,      // It was not.
    lateness,  // Half of the probes were more than 100 us late.
    missed,    // Of a thousand slots more than one was missed,
    lost       // or of a thousand probes more than one was lost, or never left.
};
[[nodiscard]] std::string_view limit_word(RateLimit limit) noexcept;
[[nodiscard]] RateLimit limit_of(const PhaseFigures& step);

// Doubles the rate until it is too much, then halves the gap on a logarithmic scale until it is
// below a seventh.
class CapacitySearch {
public:
    explicit CapacitySearch(std::uint32_t rate_max) noexcept : rate_max_(rate_max) {}

    // What to try next, in probes a second; nothing: the search is over.
    [[nodiscard]] std::optional<std::uint32_t> next() const noexcept;
    void note(std::uint32_t rate_per_s, bool is_sustained) noexcept;
    // The highest rate that was sustained; 0: none was.
    [[nodiscard]] std::uint32_t best() const noexcept { return best_; }

private:
    std::uint32_t rate_max_;
    std::uint32_t best_ = 0;
    std::uint32_t least_failed_ = 0;  // 0: none has.
    std::uint32_t tries_ = 0;
};

// One run at a rate, in probes a second.
using StepRun = std::function<Result<PhaseFigures>(std::uint32_t)>;
// Runs until the search is over; the steps in the order of trying, one per rate. A single stall of
// the host makes any rate too much, by whatever limit: such a step is run again, and the second run
// counts. Errors: those of `run`.
[[nodiscard]] Result<std::vector<PhaseFigures>> run_search(CapacitySearch& search,
                                                           const StepRun& run);

}  // namespace latmon
