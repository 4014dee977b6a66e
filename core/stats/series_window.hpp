// SPDX-License-Identifier: Apache-2.0
//
// A window while it is open: what latmon_window_t says at its end, added up. Merging windows gives,
// bit for bit, what one window over all their samples would have been, but for what window.h marks
// "not merged": of that the later window's counts. Every number is listed once more in
// each_number(), for whoever stores windows. One thread.
#pragma once

#include "base/time.hpp"
#include "sample/sample.hpp"
#include "stats/histogram.hpp"
#include "stats/series_state.hpp"
#include "stats/wide.hpp"

#include <latmon/window.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace latmon {

// By the number of their bit, LATMON_WINDOW_1S and so on.
inline constexpr std::array window_lengths{Duration::from_s(1), Duration::from_s(5),
                                           Duration::from_s(60)};

// Such a share of exchanges is to be answered within that time.
struct Objective {
    double ratio = 0;  // In (0, 1].
    Duration rtt;

    friend constexpr bool operator==(const Objective&, const Objective&) noexcept = default;
};

// A finished window that owns its buckets.
struct OwnedWindow {
    OwnedWindow() = default;
    OwnedWindow(OwnedWindow&&) = default;
    OwnedWindow& operator=(OwnedWindow&&) = default;
    OwnedWindow(const OwnedWindow&) = delete;
    OwnedWindow& operator=(const OwnedWindow&) = delete;
    ~OwnedWindow() = default;

    latmon_window_t window{};
    std::vector<latmon_bucket_t> buckets;
};

struct Variation {
    void take(const Changes& changes) noexcept;
    void merge(const Variation& other) noexcept;

    Wide abs_sum_ns = 0;
    std::uint64_t count = 0;
    std::int64_t min_ns = 0;
    std::int64_t max_ns = 0;
    std::int64_t smoothed_ns = 0;  // Set at the end.
};

// One exchange that is named.
struct Named {
    std::int64_t rtt_ns = 0;
    std::int64_t time_ns = 0;
    std::uint32_t sequence = 0;
    std::uint32_t is_set = 0;  // 0 or 1.
};

struct SeriesWindow {
    // -- While it is open --

    // Begins at `begin`, empty. `kind` and `objective` are the series'.
    void open(WallTime begin, Duration length, latmon_kind_t kind,
              const std::optional<Objective>& objective) noexcept;
    [[nodiscard]] bool is_open() const noexcept { return length_ns != 0; }
    [[nodiscard]] WallTime begin() const noexcept { return WallTime{begin_ns}; }
    [[nodiscard]] WallTime end() const noexcept { return WallTime{begin_ns + length_ns}; }

    // `found` is what the series' state says of the same sample.
    void take(const Sample& sample, const Findings& found, bool leaves_out_tainted);
    // Of the same series. An objective other than this window's is not merged.
    void merge(const SeriesWindow& other);
    // Counts for another objective, or for none, from now on.
    void set_objective(const std::optional<Objective>& objective) noexcept;
    // The jitter as it stands.
    void note_jitter(const SeriesState& state) noexcept;
    // Closed and empty; keeps memory for the next.
    void clear() noexcept;
    // The same, and the window as it was; both have the memory.
    [[nodiscard]] SeriesWindow take_out();

    // -- At its end --

    // Fills `window`, with `buckets` for its buckets, which it borrows. Buckets are cleared first.
    void finish(latmon_window_t& window, std::vector<latmon_bucket_t>& buckets) const;
    [[nodiscard]] OwnedWindow finish() const;
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return rtt.memory_bytes() + owd_fwd.memory_bytes() + owd_rev.memory_bytes();
    }

    // Calls visit() with each number but those of histograms, in an order that never changes.
    // `Self` is this, const or not.
    template <typename Self, typename Visit>
    static void each_number(Self& self, Visit&& visit);
    // Likewise with each histogram.
    template <typename Self, typename Visit>
    static void each_histogram(Self& self, Visit&& visit);

    std::int64_t begin_ns = 0;
    std::int64_t length_ns = 0;  // 0: not open.
    std::uint32_t kind = 0;

    std::uint64_t samples = 0;
    // In 32 bits: there are many windows, and none lasts long enough for more.
    std::array<std::uint32_t, LATMON_WINDOW_STATUSES> by_status{};
    std::array<std::uint32_t, LATMON_WINDOW_BLAMES> by_blame{};
    std::array<std::uint32_t, LATMON_WINDOW_OWD_CLASSES> by_owd_class{};
    std::uint64_t loss_runs = 0;
    std::uint64_t loss_run_max = 0;
    std::uint64_t tainted = 0;
    std::uint64_t left_out = 0;
    std::uint64_t lost_left_out = 0;

    Histogram rtt;
    Histogram owd_fwd;
    Histogram owd_rev;
    Variation rtt_ipdv;
    Variation owd_fwd_ipdv;
    Variation owd_rev_ipdv;
    Named slowest;
    Named last;

    std::uint64_t lateness_count = 0;
    Wide lateness_sum_ns = 0;
    std::int64_t lateness_max_ns = 0;
    std::uint64_t tcp_ack_count = 0;
    std::uint64_t tcp_ack_sum_ns = 0;
    std::uint32_t tcp_ack_min_ns = 0;
    std::uint32_t tcp_ack_max_ns = 0;

    double objective_ratio = 0;  // 0: there is none.
    std::int64_t objective_rtt_ns = 0;
    std::uint64_t objective_count = 0;
    std::uint64_t objective_good = 0;

    std::uint64_t value_count = 0;  // Gauges that are numbers, or counters.
    Wide value_sum = 0;
    double value_min = 0;
    double value_max = 0;
    double value_last = 0;
    std::int64_t value_last_ns = 0;

private:
    void take_answer(const Sample& sample, bool is_left_out);
    void take_loss(const Findings& found, bool is_left_out);
    void take_value(const Sample& sample);
    void take_duration(const Sample& sample, std::int64_t rtt_ns, bool is_left_out);
    void note_host(const Sample& sample) noexcept;
    void merge_values(const SeriesWindow& other) noexcept;
    void merge_counts(const SeriesWindow& other) noexcept;
    void finish_counts(latmon_window_t& window) const noexcept;
    void finish_values(latmon_window_t& window) const noexcept;
};

template <typename Self, typename Visit>
void SeriesWindow::each_number(Self& self, Visit&& visit) {
    const auto visit_all = [&](auto&... numbers) { (visit(numbers), ...); };
    const auto visit_variation = [&](auto& of) {
        visit_all(of.count, of.abs_sum_ns, of.min_ns, of.max_ns, of.smoothed_ns);
    };
    const auto visit_named = [&](auto& of) {
        visit_all(of.rtt_ns, of.time_ns, of.sequence, of.is_set);
    };
    visit_all(self.begin_ns, self.length_ns, self.kind, self.samples);
    for (auto& count : self.by_status)
        visit(count);
    for (auto& count : self.by_blame)
        visit(count);
    for (auto& count : self.by_owd_class)
        visit(count);
    visit_all(self.loss_runs, self.loss_run_max, self.tainted, self.left_out, self.lost_left_out);
    visit_variation(self.rtt_ipdv);
    visit_variation(self.owd_fwd_ipdv);
    visit_variation(self.owd_rev_ipdv);
    visit_named(self.slowest);
    visit_named(self.last);
    visit_all(self.lateness_count, self.lateness_sum_ns, self.lateness_max_ns);
    visit_all(self.tcp_ack_count, self.tcp_ack_sum_ns, self.tcp_ack_min_ns, self.tcp_ack_max_ns);
    visit_all(self.objective_ratio, self.objective_rtt_ns, self.objective_count,
              self.objective_good);
    visit_all(self.value_count, self.value_sum, self.value_min, self.value_max, self.value_last,
              self.value_last_ns);
}

template <typename Self, typename Visit>
void SeriesWindow::each_histogram(Self& self, Visit&& visit) {
    visit(self.rtt);
    visit(self.owd_fwd);
    visit(self.owd_rev);
}

}  // namespace latmon
