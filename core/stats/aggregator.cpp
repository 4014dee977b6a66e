// SPDX-License-Identifier: Apache-2.0
//
// See aggregator.hpp.
//
// All ends of windows are multiples of the shortest length that is reckoned, so that nothing can be
// over before advance() sees another one of these; and each window has a beginning of its own, so
// that clocks that jump leave windows where they were and open others elsewhere.
#include "stats/aggregator.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <bit>
#include <tuple>

namespace latmon {

struct Aggregator::Slot {
    std::uint32_t series_id = 0;
    latmon_kind_t kind = LATMON_KIND_EXCHANGE;
    bool is_active = false;     // In active_.
    bool is_undefined = false;  // Of undefined_count_.
    std::optional<Objective> objective;
    SeriesState state;
    std::array<SeriesWindow, window_lengths.size()> open;  // By level.
    std::unique_ptr<SeriesViews> views;
};

namespace {

// Times in windows are clamped to these, so that ends do not overflow: 1970 to 2200.
constexpr std::int64_t time_ns_max = 7'258'118'400'000'000'000;

bool has_windows(std::uint32_t kind) noexcept {
    switch (kind) {
        case LATMON_KIND_EXCHANGE:
        case LATMON_KIND_CONNECT:
        case LATMON_KIND_REFLECTION:
        case LATMON_KIND_COUNTER:
        case LATMON_KIND_GAUGE:
        case LATMON_KIND_TIMING:
            return true;
        default:
            return false;
    }
}

// Whether the clock went back further than a reader of several clocks may see.
bool is_set_back(std::int64_t from_ns, std::int64_t to_ns, std::int64_t length_ns) noexcept {
    return from_ns - to_ns > std::max(length_ns, limits::stats_clock_back_ns);
}

bool is_over(const SeriesWindow& window, std::int64_t now_ns) noexcept {
    return window.end().ns <= now_ns || is_set_back(window.begin_ns, now_ns, window.length_ns);
}

std::size_t bit_of(Duration length) noexcept {
    const auto found = std::ranges::find(window_lengths, length);
    return static_cast<std::size_t>(found - window_lengths.begin());
}

}  // namespace

Aggregator::Aggregator(const AggregatorOptions& options) : options_(options) {
    for (const Duration length : window_lengths) {
        const bool is_wanted = ((options.lengths >> bit_of(length)) & 1U) != 0;
        if (is_wanted || options.keeps_views) lengths_ns_[level_count_++] = length.ns;
    }
    LATMON_ASSERT(level_count_ > 0);
}

Aggregator::~Aggregator() = default;

// -- Series -------------------------------------------------------------------------------------

Aggregator::Slot& Aggregator::add_slot(std::uint32_t series_id, latmon_kind_t kind) {
    std::unique_ptr<Slot>& slot = slots_[series_id];
    slot = std::make_unique<Slot>();
    slot->series_id = series_id;
    slot->kind = kind;
    if (options_.keeps_views) slot->views = std::make_unique<SeriesViews>();
    return *slot;
}

void Aggregator::define(std::uint32_t series_id, latmon_kind_t kind,
                        const std::optional<Objective>& objective) {
    if (!has_windows(kind)) return;
    ended_.erase(series_id);
    const auto found = slots_.find(series_id);
    Slot& slot = found != slots_.end() ? *found->second : add_slot(series_id, kind);
    if (slot.is_undefined) --undefined_count_;
    slot.is_undefined = false;
    slot.objective = objective;
    for (SeriesWindow& window : slot.open)
        if (window.is_open()) window.set_objective(objective);
}

void Aggregator::end(std::uint32_t series_id, WindowSink& sink) {
    // What has ended long ago sends nothing any more.
    if (ended_.size() >= limits::stats_ended_series_max) ended_.clear();
    ended_.insert(series_id);
    const auto found = slots_.find(series_id);
    if (found == slots_.end()) return;
    Slot& slot = *found->second;
    collect(slot, std::nullopt);
    // Last: closing a window may seal a longer one.
    for (Sealed& sealed : sealed_)
        sealed.is_due = sealed.series_id == series_id;
    hand_out(sink);
    std::erase(active_, &slot);
    if (slot.is_undefined) --undefined_count_;
    last_ = nullptr;
    slots_.erase(found);
}

Aggregator::Slot* Aggregator::slot_for(const Sample& sample) {
    if (last_ != nullptr && last_->series_id == sample.series_id) return last_;
    const auto found = slots_.find(sample.series_id);
    if (found != slots_.end()) return last_ = found->second.get();
    if (ended_.contains(sample.series_id)) {
        ++counters_.after_end;
        return nullptr;
    }
    if (undefined_count_ >= options_.undefined_series_max) {
        ++counters_.refused;
        return nullptr;
    }
    ++undefined_count_;
    last_ = &add_slot(sample.series_id, static_cast<latmon_kind_t>(sample.kind));
    last_->is_undefined = true;
    return last_;
}

// -- Samples ------------------------------------------------------------------------------------

void Aggregator::take(std::span<const Sample> samples) {
    for (const Sample& sample : samples)
        take_one(sample);
}

void Aggregator::take_one(const Sample& sample) {
    if (!has_windows(sample.kind)) {
        ++counters_.ignored;
        return;
    }
    Slot* const slot = slot_for(sample);
    if (slot == nullptr) return;
    ++counters_.taken;
    place(*slot, sample.time_ns);
    const bool is_probe = sample.kind == LATMON_KIND_EXCHANGE || sample.kind == LATMON_KIND_CONNECT;
    const Findings found =
        is_probe ? slot->state.take(sample, options_.leaves_out_tainted) : Findings{};
    slot->open[0].take(sample, found, options_.leaves_out_tainted);
}

// Opens the window that a sample of this time goes into, if it is not open; those that it comes
// after are put away as they are, before the sample changes what the series remembers.
void Aggregator::place(Slot& slot, std::int64_t time_ns) {
    SeriesWindow& window = slot.open[0];
    if (!window.is_open() || time_ns >= window.end().ns) {
        for (std::size_t level = 0; level < level_count_; ++level) {
            const SeriesWindow& open = slot.open[level];
            if (open.is_open() && time_ns >= open.end().ns) seal(slot, level);
        }
    }
    const std::int64_t earliest_ns = window.is_open() ? window.begin_ns : closed_until_ns_;
    if (time_ns < earliest_ns) ++counters_.out_of_place;
    if (window.is_open()) return;
    const std::int64_t begin_ns = begin_of(std::max(time_ns, earliest_ns), 0);
    window.open(WallTime{begin_ns}, Duration{lengths_ns_[0]}, slot.kind, slot.objective);
    if (slot.is_active) return;
    slot.is_active = true;
    active_.push_back(&slot);
}

std::int64_t Aggregator::begin_of(std::int64_t time_ns, std::size_t level) const noexcept {
    const std::int64_t bounded_ns = std::clamp<std::int64_t>(time_ns, 0, time_ns_max);
    return bounded_ns - bounded_ns % lengths_ns_[level];
}

// -- Ends of windows ----------------------------------------------------------------------------

bool Aggregator::is_wanted(const SeriesWindow& window) const noexcept {
    return ((options_.lengths >> bit_of(Duration{window.length_ns})) & 1U) != 0;
}

// No sample goes into this window any more: it becomes part of the next longer one.
void Aggregator::close(Slot& slot, std::size_t level) {
    SeriesWindow& window = slot.open[level];
    window.note_jitter(slot.state);
    const bool is_shown = window.begin_ns >= std::max(whole_from_ns_, views_from_ns_);
    if (slot.views != nullptr && is_shown) slot.views->keep(window);
    if (level + 1 == level_count_) return;
    SeriesWindow& longer = slot.open[level + 1];
    if (longer.is_open() && window.begin_ns >= longer.end().ns) seal(slot, level + 1);
    if (!longer.is_open()) {
        longer.open(WallTime{begin_of(window.begin_ns, level + 1)},
                    Duration{lengths_ns_[level + 1]}, slot.kind, slot.objective);
    }
    longer.merge(window);
}

// Puts the window away until it is handed out, because the next one begins already.
void Aggregator::seal(Slot& slot, std::size_t level) {
    close(slot, level);
    SeriesWindow& window = slot.open[level];
    if (!is_wanted(window)) {
        window.clear();
        return;
    }
    sealed_.push_back({.series_id = slot.series_id, .window = window.take_out()});
}

// Closes those that are over, or all if there is no time, and has them handed out where they are.
void Aggregator::collect(Slot& slot, const std::optional<WallTime>& now) {
    bool stays_active = false;
    for (std::size_t level = 0; level < level_count_; ++level) {
        SeriesWindow& window = slot.open[level];
        if (!window.is_open()) continue;
        if (now && !is_over(window, now->ns)) {
            stays_active = true;
            continue;
        }
        close(slot, level);
        if (is_wanted(window)) {
            due_.push_back({window.end().ns, slot.series_id, &window});
        } else {
            window.clear();
        }
    }
    slot.is_active = stays_active;
}

void Aggregator::collect_all(const std::optional<WallTime>& now) {
    for (Slot* const slot : active_)
        collect(*slot, now);
    std::erase_if(active_, [](const Slot* slot) { return !slot->is_active; });
    // Last: closing a window may seal a longer one.
    for (Sealed& sealed : sealed_)
        sealed.is_due = !now || is_over(sealed.window, now->ns);
}

void Aggregator::hand_out(WindowSink& sink) {
    for (Sealed& sealed : sealed_)
        if (sealed.is_due) {
            due_.push_back({sealed.window.end().ns, sealed.series_id, &sealed.window});
        }
    std::ranges::sort(due_, {}, [](const Due& due) {
        return std::tuple(due.end_ns, due.series_id, due.window->length_ns, due.window->begin_ns);
    });
    latmon_window_t window;
    for (const Due& due : due_) {
        if (due.window->begin_ns >= whole_from_ns_) {
            due.window->finish(window, buckets_);
            window.series_id = due.series_id;
            sink.on_window(window);
            ++counters_.windows;
        }
        due.window->clear();
    }
    due_.clear();
    std::erase_if(sealed_, [](const Sealed& sealed) { return sealed.is_due; });
}

void Aggregator::advance(WallTime now, WindowSink& sink) {
    const std::int64_t now_ns = begin_of(now.ns, 0);
    if (now_ns == now_ns_ && sealed_.empty()) return;
    now_ns_ = now_ns;
    const bool begins_anew = is_set_back(closed_until_ns_, now_ns, lengths_ns_[0]);
    closed_until_ns_ = begins_anew ? now_ns : std::max(closed_until_ns_, now_ns);
    collect_all(WallTime{now_ns});
    hand_out(sink);
    if (begins_anew) note_clock_back(now_ns);
}

void Aggregator::finish(WindowSink& sink) {
    collect_all(std::nullopt);
    hand_out(sink);
}

// A time that the clock now says is far ahead would leave windows out for as long. What is open and
// stays so lies no further ahead than it is long.
void Aggregator::note_clock_back(std::int64_t now_ns) noexcept {
    const std::int64_t whole_ns = now_ns + window_lengths[2].ns + 1;
    whole_from_ns_ = std::min(whole_from_ns_, whole_ns);
    views_from_ns_ = std::min(views_from_ns_, whole_ns);
}

void Aggregator::set_whole_from(WallTime since) {
    whole_from_ns_ = since.ns;
}

// -- Views --------------------------------------------------------------------------------------

void Aggregator::keep_views(WallTime since) {
    if (options_.keeps_views) return;
    LATMON_ASSERT(level_count_ == window_lengths.size());
    options_.keeps_views = true;
    views_from_ns_ = since.ns;
    for (const auto& [series_id, slot] : slots_)
        slot->views = std::make_unique<SeriesViews>();
}

std::optional<WallTime> Aggregator::views_since() const noexcept {
    if (!options_.keeps_views) return std::nullopt;
    return WallTime{std::max(whole_from_ns_, views_from_ns_)};
}

std::optional<OwnedWindow> Aggregator::latest(std::uint32_t series_id,
                                              std::uint32_t length_bit) const {
    const auto found = slots_.find(series_id);
    if (found == slots_.end() || found->second->views == nullptr) return std::nullopt;
    const auto number = static_cast<std::size_t>(std::countr_zero(length_bit));
    if (number >= window_lengths.size()) return std::nullopt;
    std::optional<OwnedWindow> owned = found->second->views->latest(window_lengths[number]);
    if (owned) owned->window.series_id = series_id;
    return owned;
}

std::optional<OwnedWindow> Aggregator::sliding(std::uint32_t series_id) const {
    const auto found = slots_.find(series_id);
    if (found == slots_.end() || found->second->views == nullptr) return std::nullopt;
    const WallTime until{begin_of(now_ns_, 1)};
    if (until - window_lengths[2] < *views_since()) return std::nullopt;
    std::optional<OwnedWindow> owned = found->second->views->sliding(until);
    if (owned) owned->window.series_id = series_id;
    return owned;
}

std::size_t Aggregator::memory_bytes() const noexcept {
    std::size_t sum = 0;
    for (const auto& [series_id, slot] : slots_) {
        sum += sizeof(Slot) + slot->state.memory_bytes();
        for (const SeriesWindow& window : slot->open)
            sum += window.memory_bytes();
        if (slot->views != nullptr) sum += sizeof(SeriesViews) + slot->views->memory_bytes();
    }
    return sum;
}

}  // namespace latmon
