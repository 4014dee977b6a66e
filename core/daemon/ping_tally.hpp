// SPDX-License-Identifier: Apache-2.0
//
// What a run of `latmon ping` came to: counts by fate, and the exact percentiles of its times.
// Every value is kept until the end, which is right for a run of a million probes at most and would
// not be for a daemon. Pure; one thread.
#pragma once

#include "probe/core_counters.hpp"
#include "sample/sample.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace latmon {

// Differences between neighbours of a series.
struct Jitter {
    // J = J + (|D| - J) / 16 over the values in the order in which they came, where D is the
    // difference of two round trips (or delays) in a row; RFC 3550 section 6.4.1.
    std::int64_t rfc3550_ns = 0;
    // Mean of |IPDV| (RFC 3393) over all pairs of probes that were sent one after the other and
    // both have a value.
    std::int64_t ipdv_mean_ns = 0;
    bool has_ipdv = false;
};

// Times of one kind, in nanoseconds.
class TimeSeries {
public:
    void record(std::uint32_t sequence, std::int64_t value_ns);

    [[nodiscard]] std::size_t count() const noexcept { return values_.size(); }
    // The value at or below which `per_mille` thousandths of all lie: nearest rank, exact. `lost`
    // more values count as larger than any. Nothing if the rank falls among those, or if there is
    // no value at all. per_mille in [0, 1000]; 0: the least.
    [[nodiscard]] std::optional<std::int64_t> percentile_ns(std::uint32_t per_mille,
                                                            std::uint64_t lost = 0) const;
    // The largest value that came; nothing if none did.
    [[nodiscard]] std::optional<std::int64_t> max_ns() const;
    // Nothing for fewer than two values.
    [[nodiscard]] std::optional<Jitter> jitter() const;

private:
    struct Value {
        std::uint32_t sequence;
        std::int64_t ns;
    };
    void sort() const;

    std::vector<Value> values_;                 // In the order in which they came.
    mutable std::vector<std::int64_t> sorted_;  // As of the last question.
};

// How many exchanges had a fate, by reason: errno value, or LATMON_ERROR_...
using Reasons = std::map<std::int32_t, std::uint64_t>;

struct PingTally {
    // Takes one exchange's sample; others are left out.
    void add(const Sample& sample);

    [[nodiscard]] std::uint64_t lost() const noexcept {
        return lost_forward + lost_reverse + lost_local_tx + lost_local_rx + lost_unknown;
    }
    [[nodiscard]] static std::uint64_t sum_of(const Reasons& reasons) noexcept;
    // Exchanges whose fate is known: each has exactly one.
    [[nodiscard]] std::uint64_t settled() const noexcept {
        return answered + lost() + sum_of(unreachable) + sum_of(local_errors);
    }
    // Probes that left, or were to leave, and have no round trip: what percentiles count as larger
    // than any value.
    [[nodiscard]] std::uint64_t unanswered() const noexcept { return lost() + sum_of(unreachable); }

    std::uint64_t answered = 0;  // Reordered ones too.
    std::uint64_t lost_forward = 0;
    std::uint64_t lost_reverse = 0;
    std::uint64_t lost_local_tx = 0;
    std::uint64_t lost_local_rx = 0;
    std::uint64_t lost_unknown = 0;
    std::uint64_t late = 0;
    std::uint64_t duplicate = 0;
    std::uint64_t reordered = 0;
    Reasons unreachable;
    Reasons local_errors;
    std::array<std::uint64_t, owd_class_names.size()> owd{};  // Answered, by latmon_owd_class_t.
    // Exchanges of any fate during which this host did something wrong, and by bit of
    // LATMON_BLAME_: one may have several.
    std::uint64_t tainted = 0;
    std::array<std::uint64_t, blame_names.size()> blamed{};
    TimeSeries rtt;
    TimeSeries rtt_user;
    // One-way delays whose value means something: bounded or estimated. And all that have one, for
    // their differences, of which those of relative ones mean something too.
    TimeSeries forward;
    TimeSeries reverse;
    TimeSeries forward_changes;
    TimeSeries reverse_changes;
    // Answered, by who made T1, T2, T3 and T4 (latmon_stamp_t). Round trips by unlike stamps differ
    // by what lies between those, some microseconds, and not by what the network did.
    std::map<std::array<std::uint8_t, 4>, std::uint64_t> stamps;
};

}  // namespace latmon
