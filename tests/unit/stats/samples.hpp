// SPDX-License-Identifier: Apache-2.0
//
// Samples as a probe would have made them, and windows compared octet by octet, for the tests of
// core/stats.
#pragma once

#include "sample/sample.hpp"
#include "stats/aggregator.hpp"
#include "stats/series_window.hpp"

#include <algorithm>
#include <cstring>
#include <random>
#include <span>
#include <vector>

namespace latmon::testing {

inline constexpr std::int64_t ms = 1'000'000;
inline constexpr std::int64_t second = 1'000 * ms;
// A multiple of 60 s.
inline constexpr std::int64_t origin_ns = 1'800'000'000 * second;
static_assert(origin_ns % (60 * second) == 0);

inline Sample probe_sample(std::uint32_t sequence, latmon_status_t status, std::int64_t time_ns) {
    Sample sample{};
    sample.kind = LATMON_KIND_EXCHANGE;
    sample.status = static_cast<std::uint8_t>(status);
    sample.protocol = LATMON_PROTOCOL_UDP;
    sample.time_ns = time_ns;
    sample.sequence = sequence;
    sample.lateness_ns = 1'000 + sequence % 7;
    sample.valid = LATMON_HAS_SEQUENCE | LATMON_HAS_SCHEDULE;
    return sample;
}

// Answered, with a way there and a way back; the peer's clock is 7 ms ahead.
inline Sample answer(std::uint32_t sequence, std::int64_t forward_ns, std::int64_t reverse_ns,
                     std::int64_t time_ns) {
    constexpr std::int64_t offset_ns = 7 * ms;
    constexpr std::int64_t turnaround_ns = 20'000;
    Sample sample = probe_sample(sequence, LATMON_STATUS_OK, time_ns);
    sample.rtt_ns = forward_ns + reverse_ns;
    sample.turnaround_ns = turnaround_ns;
    sample.owd_fwd_ns = forward_ns;
    sample.owd_rev_ns = reverse_ns;
    sample.owd_class = LATMON_OWD_ESTIMATED;
    sample.t1_ns = time_ns - forward_ns - reverse_ns - turnaround_ns;
    sample.t2_ns = sample.t1_ns + forward_ns + offset_ns;
    sample.t3_ns = sample.t2_ns + turnaround_ns;
    sample.t4_ns = time_ns;
    sample.valid |= LATMON_HAS_RTT | LATMON_HAS_TURNAROUND | LATMON_HAS_OWD_FWD |
                    LATMON_HAS_OWD_REV | LATMON_HAS_T1 | LATMON_HAS_T2 | LATMON_HAS_T3 |
                    LATMON_HAS_T4;
    return sample;
}

// A random life of one probe: answers in and out of order, losses of all kinds that are told late,
// afterthoughts, blame. Times ascend, as they do in a queue.
inline std::vector<Sample> random_samples(std::uint64_t seed, std::uint32_t count,
                                          std::int64_t interval_ns) {
    std::mt19937_64 random(seed);
    const auto below = [&random](std::uint64_t bound) { return random() % bound; };
    std::lognormal_distribution<double> delay_us(5, 0.5);
    std::vector<std::pair<std::uint64_t, Sample>> told;
    for (std::uint32_t index = 0; index < count; ++index) {
        const std::uint32_t sequence = index - 1'000;  // Wraps on the way.
        const auto forward_ns = static_cast<std::int64_t>(delay_us(random) * 1'000);
        const auto reverse_ns = static_cast<std::int64_t>(delay_us(random) * 1'000);
        const std::uint64_t chance = below(100);
        Sample sample = answer(sequence, forward_ns, reverse_ns, 0);
        std::uint64_t rank = std::uint64_t{index} * 8 + below(40);
        if (chance < 12) {
            constexpr latmon_status_t fates[]{
                LATMON_STATUS_LOST,        LATMON_STATUS_LOST_FORWARD, LATMON_STATUS_LOST_REVERSE,
                LATMON_STATUS_UNREACHABLE, LATMON_STATUS_LOCAL_ERROR,  LATMON_STATUS_LOST_LOCAL_RX};
            sample = probe_sample(sequence, fates[below(6)], 0);
            rank += 400;
        } else if (chance < 16) {
            sample.status = LATMON_STATUS_REORDERED;
        } else if (chance < 20) {
            sample.blame = 1U << below(7);
        } else if (chance < 22) {
            sample.valid |= LATMON_HAS_TCP_ACK;
            sample.tcp_ack_ns = static_cast<std::uint32_t>(forward_ns);
        } else if (chance < 24) {
            sample.owd_class = static_cast<std::uint8_t>(below(5));
        }
        told.emplace_back(rank, sample);
        if (chance % 25 == 7) {
            told.emplace_back(
                rank + below(60),
                probe_sample(sequence, chance < 12 ? LATMON_STATUS_LATE : LATMON_STATUS_DUPLICATE,
                             0));
        }
    }
    std::ranges::stable_sort(told, {}, &std::pair<std::uint64_t, Sample>::first);
    std::vector<Sample> samples;
    for (auto& [rank, sample] : told) {
        const auto time_ns = origin_ns + static_cast<std::int64_t>(rank) * interval_ns / 8;
        const std::int64_t shift_ns = time_ns - sample.time_ns;
        sample.time_ns = time_ns;
        for (std::int64_t* stamp : {&sample.t1_ns, &sample.t2_ns, &sample.t3_ns, &sample.t4_ns})
            *stamp += shift_ns;
        samples.push_back(sample);
    }
    return samples;
}

// One window over all of them, in their order.
inline SeriesWindow window_over(std::span<const Sample> samples, SeriesState& state,
                                const std::optional<Objective>& objective = std::nullopt) {
    SeriesWindow window;
    window.open(WallTime{origin_ns}, Duration::from_s(60), LATMON_KIND_EXCHANGE, objective);
    for (const Sample& sample : samples)
        window.take(sample, state.take(sample, false), false);
    window.note_jitter(state);
    return window;
}

// Every field and every bucket.
inline bool is_same(const latmon_window_t& a, const latmon_window_t& b) {
    latmon_window_t head_a = a;
    latmon_window_t head_b = b;
    head_a.buckets = nullptr;
    head_b.buckets = nullptr;
    const auto is_same_bucket = [](const latmon_bucket_t& one, const latmon_bucket_t& other) {
        return one.index == other.index && one.count == other.count;
    };
    return std::memcmp(&head_a, &head_b, sizeof(head_a)) == 0 &&
           std::equal(a.buckets, a.buckets + a.bucket_count, b.buckets, is_same_bucket);
}
inline bool is_same(const OwnedWindow& a, const OwnedWindow& b) {
    return is_same(a.window, b.window);
}

// Keeps what it gets.
class Windows final : public WindowSink {
public:
    void on_window(const latmon_window_t& window) override {
        OwnedWindow& owned = all.emplace_back();
        owned.window = window;
        owned.buckets.assign(window.buckets, window.buckets + window.bucket_count);
        owned.window.buckets = owned.buckets.data();
    }
    [[nodiscard]] std::vector<const OwnedWindow*> of(std::uint32_t series_id,
                                                     std::int64_t length_ns) const {
        std::vector<const OwnedWindow*> found;
        for (const OwnedWindow& owned : all)
            if (owned.window.series_id == series_id && owned.window.length_ns == length_ns) {
                found.push_back(&owned);
            }
        return found;
    }

    std::vector<OwnedWindow> all;
};

}  // namespace latmon::testing
