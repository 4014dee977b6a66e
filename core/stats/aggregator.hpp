// SPDX-License-Identifier: Apache-2.0
//
// Turns samples into windows: of each series the open ones of 1 s, 5 s and 60 s (window.h says what
// is in them). Samples go into the shortest; at its end it is merged into the next longer one. The
// thread around it pops the queues, tells the time and passes windows on: here are no clock, no
// lock and no I/O, and one object belongs to one thread.
//
//   while (running) {
//       every queue until it is empty: aggregator.take(batch);
//       aggregator.advance(clock.wall_now() less some patience, sink);
//   }
//   aggregator.finish(sink);
//
// A series at 10 Hz with all three lengths takes 3.7 KB if its delays vary by a few per cent and
// 5.6 KB if they do by two octaves; with views 7 and 11 KB. 5,000 of them, 50,000 samples a second,
// take two to eight per cent of a CPU, as caches allow.
#pragma once

#include "base/limits.hpp"
#include "base/time.hpp"
#include "sample/sample.hpp"
#include "stats/series_views.hpp"
#include "stats/series_window.hpp"

#include <latmon/window.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace latmon {

// Whom windows are handed to.
class WindowSink {
public:
    // The window and its buckets are borrowed until return. The aggregator is not to be called from
    // here.
    virtual void on_window(const latmon_window_t& window) = 0;

protected:
    ~WindowSink() = default;
};

struct AggregatorOptions {
    // Bits LATMON_WINDOW_1S, ..._5S, ..._60S: the lengths that are handed to the sink.
    std::uint32_t lengths = LATMON_WINDOW_1S | LATMON_WINDOW_5S | LATMON_WINDOW_60S;
    // Tainted samples (any blame but CLOCK_UNSYNCED) enter no distribution, variation, percentile.
    bool leaves_out_tainted = false;
    // Keeps what latest() and sliding() show from the start; all three lengths are reckoned then.
    bool keeps_views = false;
    // So many series that nobody defined may define themselves by a sample.
    std::uint32_t undefined_series_max = limits::stats_undefined_series_max;
};

// What became of all samples: taken + ignored + refused + after_end = those given to take().
struct AggregatorCounters {
    std::uint64_t taken = 0;         // In one window of each length, exactly.
    std::uint64_t ignored = 0;       // Of kinds that have no windows: nodes' counters, and unknown.
    std::uint64_t refused = 0;       // Of series beyond undefined_series_max.
    std::uint64_t after_end = 0;     // Of series that had ended.
    std::uint64_t out_of_place = 0;  // Of `taken`: made before the window began that they are in.
    std::uint64_t windows = 0;       // Handed to a sink.
};

class Aggregator {
public:
    // LATMON_ASSERT: at least one length, or views.
    explicit Aggregator(const AggregatorOptions& options);
    ~Aggregator();
    Aggregator(const Aggregator&) = delete;
    Aggregator& operator=(const Aggregator&) = delete;

    // There is such a series from now on, from zero if it had ended. Of one that is there already
    // it changes the objective: what open windows have counted for another one is forgotten. Series
    // of kinds without windows are nothing to us. [aggregator-thread]
    void define(std::uint32_t series_id, latmon_kind_t kind,
                const std::optional<Objective>& objective = std::nullopt);

    // The series is over: its open windows are handed out before their time, and all of it is
    // forgotten. Samples that still come are counted in after_end, until define().
    // [aggregator-thread]
    void end(std::uint32_t series_id, WindowSink& sink);

    // Samples of one series come in the order in which they were made, or nearly so.
    // [aggregator-thread]
    void take(std::span<const Sample> samples);

    // It is `now`, and all samples made before were taken: hands out the windows that ended by
    // then, in order of their ends, then of series, then of lengths. Cheap if none did. If the
    // clock was set back by more than limits::stats_clock_back_ns and a window's length, open
    // windows are handed out too, and a new time begins; how far the clock was set costs nothing.
    // [aggregator-thread]
    void advance(WallTime now, WindowSink& sink);

    // Hands out all that is open; at stop. Samples taken later begin anew. [aggregator-thread]
    void finish(WindowSink& sink);

    // Samples have come in only since `since`: what began before then lacks some, is handed to
    // nobody and seen in no view. Until this is called nothing lacks anything. After a clock that
    // was set back it may take a minute until a window is believed again. [aggregator-thread]
    void set_whole_from(WallTime since);

    // From now on views are kept, and tell of windows that begin at `since` or later. Nothing if
    // they are kept already. LATMON_ASSERT: all lengths are reckoned. [aggregator-thread]
    void keep_views(WallTime since);

    // -- What an API shows; only with keeps_views, or since keep_views() --

    // Nothing: no views are kept. [aggregator-thread]
    [[nodiscard]] std::optional<WallTime> views_since() const noexcept;

    // The last window that ended, of a length given as bit LATMON_WINDOW_...; nothing if there is
    // none. [aggregator-thread]
    [[nodiscard]] std::optional<OwnedWindow> latest(std::uint32_t series_id,
                                                    std::uint32_t length_bit) const;
    // The 60 s until the last multiple of 5 s that has passed; nothing if there was no sample, or
    // these begin before views_since().
    // [aggregator-thread]
    [[nodiscard]] std::optional<OwnedWindow> sliding(std::uint32_t series_id) const;

    [[nodiscard]] const AggregatorCounters& counters() const noexcept { return counters_; }
    [[nodiscard]] std::size_t series_count() const noexcept { return slots_.size(); }
    // What all series take, without the allocator's own. Goes through all of them.
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

private:
    // All of one series.
    struct Slot;
    // A window whose successor began before it could be handed out.
    struct Sealed {
        std::uint32_t series_id = 0;
        bool is_due = false;
        SeriesWindow window;
    };
    // What is handed out next.
    struct Due {
        std::int64_t end_ns = 0;
        std::uint32_t series_id = 0;
        SeriesWindow* window = nullptr;
    };

    [[nodiscard]] Slot* slot_for(const Sample& sample);
    Slot& add_slot(std::uint32_t series_id, latmon_kind_t kind);
    void take_one(const Sample& sample);
    void place(Slot& slot, std::int64_t time_ns);
    void seal(Slot& slot, std::size_t level);
    void close(Slot& slot, std::size_t level);
    void collect(Slot& slot, const std::optional<WallTime>& now);
    void collect_all(const std::optional<WallTime>& now);
    void hand_out(WindowSink& sink);
    [[nodiscard]] std::int64_t begin_of(std::int64_t time_ns, std::size_t level) const noexcept;
    [[nodiscard]] bool is_wanted(const SeriesWindow& window) const noexcept;
    void note_clock_back(std::int64_t now_ns) noexcept;

    AggregatorOptions options_;
    AggregatorCounters counters_;
    std::array<std::int64_t, 3> lengths_ns_{};  // Of what is reckoned, ascending.
    std::size_t level_count_ = 0;
    std::unordered_map<std::uint32_t, std::unique_ptr<Slot>> slots_;
    std::unordered_set<std::uint32_t> ended_;
    std::uint32_t undefined_count_ = 0;
    Slot* last_ = nullptr;        // Of the sample before.
    std::vector<Slot*> active_;   // With an open window of any length.
    std::vector<Sealed> sealed_;  // In the order in which they were sealed.
    std::vector<Due> due_;        // Empty between calls, as the next.
    std::vector<latmon_bucket_t> buckets_;
    std::int64_t now_ns_ = 0;           // Of the last advance(), down to a multiple of the shortest
    std::int64_t closed_until_ns_ = 0;  // length. Windows before this one have been handed out.
    std::int64_t whole_from_ns_ = 0;    // Windows that begin before lack samples;
    std::int64_t views_from_ns_ = 0;    // are in no view.
};

}  // namespace latmon
