// SPDX-License-Identifier: Apache-2.0
//
// See series_registry.hpp.
#include "sample/series_registry.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <numeric>

namespace latmon {
namespace {

// Strings and lists of tags are kept once: equal series have equal pointers.
bool is_equal(const latmon_series_t& a, const latmon_series_t& b) noexcept {
    return a.kind == b.kind && a.protocol == b.protocol && a.port == b.port && a.name == b.name &&
           a.source == b.source && a.target == b.target && a.host == b.host && a.tags == b.tags &&
           a.tags_count == b.tags_count && a.interval_ns == b.interval_ns &&
           a.timeout_ns == b.timeout_ns && a.flags == b.flags &&
           a.objective_ratio == b.objective_ratio && a.objective_rtt_ns == b.objective_rtt_ns;
}

std::size_t hash_of(const latmon_series_t& series) noexcept {
    std::size_t hash = 0;
    const auto mix = [&hash](std::uint64_t value) {
        hash = (hash ^ value) * 0x9e37'79b9'7f4a'7c15;
        hash ^= hash >> 29U;
    };
    for (const void* const text :
         {static_cast<const void*>(series.name), static_cast<const void*>(series.target),
          static_cast<const void*>(series.host), static_cast<const void*>(series.tags)}) {
        mix(reinterpret_cast<std::uintptr_t>(text));
    }
    mix(series.kind);
    mix(series.protocol);
    mix(series.port);
    mix(static_cast<std::uint64_t>(series.interval_ns));
    return hash;
}

Series series_of(const PeerLabels& peer, const std::string& node_name) {
    Series series;
    series.kind = LATMON_KIND_REFLECTION;
    series.protocol = peer.protocol;
    series.source = peer.name;
    series.target = node_name;
    series.tags.assign(peer.tags.begin(), peer.tags.end());
    series.flags = LATMON_SERIES_PEER;
    return series;
}

}  // namespace

std::vector<std::uint32_t> ids_of(SeriesGroup group) {
    std::vector<std::uint32_t> ids(group.count);
    std::iota(ids.begin(), ids.end(), group.first_id);
    return ids;
}

SeriesRegistry::SeriesRegistry(std::string node_name) : node_name_(std::move(node_name)) {}

SeriesRegistry::~SeriesRegistry() {
    for (std::atomic<Chunk*>& chunk : chunks_)
        delete chunk.load(std::memory_order_relaxed);
}

PeerSeries& SeriesRegistry::add_peers(std::uint32_t capacity) {
    const std::lock_guard lock(mutex_);
    const std::uint32_t first_id = end_id_.load(std::memory_order_relaxed);
    LATMON_ASSERT(capacity <= series_max - first_id);
    peers_.push_back(std::make_unique<PeerSeries>(first_id, capacity));
    end_id_.store(first_id + capacity, std::memory_order_release);
    return *peers_.back();
}

SeriesGroup SeriesRegistry::add(const Series& head, std::span<const std::string_view> names) {
    const std::lock_guard lock(mutex_);
    const latmon_series_t shape = shape_of(head);
    const TextList& kept_names = keep_list(names);
    const std::size_t hash = hash_of(shape);
    const auto [first, last] = groups_.equal_range(hash);
    for (auto found = first; found != last; ++found) {
        Group& group = found->second;
        if (group.is_taken || !is_same(group, shape, kept_names)) continue;
        group.is_taken = true;
        return group.ids;
    }
    const SeriesGroup ids{.first_id = end_id_.load(std::memory_order_relaxed),
                          .count = static_cast<std::uint32_t>(1 + names.size())};
    LATMON_ASSERT(ids.count <= series_max - ids.first_id);
    show(ids.first_id, shape);
    for (std::uint32_t place = 1; place < ids.count; ++place) {
        entry(ids.first_id + place).place.store(place, std::memory_order_release);
    }
    groups_.emplace(hash, Group{.ids = ids, .names = &kept_names});
    end_id_.store(ids.first_id + ids.count, std::memory_order_release);
    return ids;
}

void SeriesRegistry::begin(SeriesGroup group) {
    const std::lock_guard lock(mutex_);
    for (std::uint32_t index = 0; index < group.count; ++index) {
        entry(group.first_id + index).ended_at.store(0, std::memory_order_release);
    }
}

void SeriesRegistry::end(SeriesGroup group) {
    const std::lock_guard lock(mutex_);
    Group* const known = group_from(group.first_id);
    LATMON_ASSERT(known != nullptr && known->is_taken && known->ids.count == group.count);
    known->is_taken = false;
    const bool was_live = entry(group.first_id).ended_at.load(std::memory_order_relaxed) == 0;
    if (!was_live) return;
    const std::uint32_t now = epoch_.load(std::memory_order_relaxed) + 1;
    for (std::uint32_t index = 0; index < group.count; ++index) {
        entry(group.first_id + index).ended_at.store(now, std::memory_order_release);
    }
    epoch_.store(now, std::memory_order_release);
}

const latmon_series_t* SeriesRegistry::find(std::uint32_t series_id,
                                            std::uint32_t epoch) const noexcept {
    // Making what was told of already changes nothing that anybody could see.
    auto& self = const_cast<SeriesRegistry&>(*this);
    const Entry* const known = find_entry(series_id);
    const latmon_series_t* const shown =
        known == nullptr ? nullptr : known->shown.load(std::memory_order_acquire);
    const bool is_named = known != nullptr && known->place.load(std::memory_order_acquire) > 0;
    if (shown == nullptr && !is_named) {
        const bool is_peer = std::ranges::any_of(peers_, [&](const auto& peers) {
            return series_id - peers->first_id() < peers->capacity();
        });
        return is_peer ? self.find_peer(series_id) : nullptr;
    }
    if (!known->is_visible(epoch)) return nullptr;
    return shown == nullptr ? self.make_named(series_id) : shown;
}

std::optional<latmon_kind_t> SeriesRegistry::kind_of(std::uint32_t series_id) const noexcept {
    const Entry* const known = find_entry(series_id);
    const bool is_named = known != nullptr && known->place.load(std::memory_order_acquire) > 0;
    if (is_named) return known->is_visible(0) ? std::optional(LATMON_KIND_NODE) : std::nullopt;
    const latmon_series_t* const series = find(series_id);
    if (series == nullptr) return std::nullopt;
    return static_cast<latmon_kind_t>(series->kind);
}

// -- Entries ------------------------------------------------------------------------------------

SeriesRegistry::Entry& SeriesRegistry::entry(std::uint32_t series_id) {
    std::atomic<Chunk*>& place = chunks_[series_id / chunk_series];
    Chunk* chunk = place.load(std::memory_order_relaxed);
    if (chunk == nullptr) {
        chunk = new Chunk();
        place.store(chunk, std::memory_order_release);
    }
    return (*chunk)[series_id % chunk_series];
}

const SeriesRegistry::Entry* SeriesRegistry::find_entry(std::uint32_t series_id) const noexcept {
    if (series_id >= series_max) return nullptr;
    const Chunk* const chunk = chunks_[series_id / chunk_series].load(std::memory_order_acquire);
    return chunk == nullptr ? nullptr : &(*chunk)[series_id % chunk_series];
}

// Two threads may come here for the same id: the one that finds it made takes what there is.
const latmon_series_t* SeriesRegistry::make_named(std::uint32_t series_id) noexcept {
    const std::lock_guard lock(mutex_);
    const Entry& made = entry(series_id);
    const latmon_series_t* const known = made.shown.load(std::memory_order_relaxed);
    if (known != nullptr) return known;
    const std::uint32_t place = made.place.load(std::memory_order_relaxed);
    const std::uint32_t first_id = series_id - place;
    latmon_series_t series = *entry(first_id).shown.load(std::memory_order_relaxed);
    series.kind = LATMON_KIND_NODE;
    series.objective_ratio = 0;
    series.objective_rtt_ns = 0;
    series.name = (*group_from(first_id)->names)[place - 1];
    show(series_id, series);
    return made.shown.load(std::memory_order_relaxed);
}

// Likewise.
const latmon_series_t* SeriesRegistry::find_peer(std::uint32_t series_id) noexcept {
    const std::lock_guard lock(mutex_);
    Entry& place = entry(series_id);
    const latmon_series_t* const known = place.shown.load(std::memory_order_relaxed);
    if (known != nullptr) return known;
    for (const std::unique_ptr<PeerSeries>& peers : peers_) {
        const std::optional<PeerLabels> labels = peers->find(series_id);
        if (!labels) continue;
        place.ended_at.store(0, std::memory_order_relaxed);
        show(series_id, shape_of(series_of(*labels, node_name_)));
        return place.shown.load(std::memory_order_relaxed);
    }
    return nullptr;
}

void SeriesRegistry::show(std::uint32_t series_id, const latmon_series_t& series) {
    latmon_series_t& shown = shown_.emplace_back(series);  // Stays where it is: a deque.
    shown.series_id = series_id;
    entry(series_id).shown.store(&shown, std::memory_order_release);
}

const char* SeriesRegistry::keep(std::string_view text) {
    return texts_.emplace(text).first->c_str();
}

template <typename Text>
const SeriesRegistry::TextList& SeriesRegistry::keep_list(std::span<const Text> texts) {
    TextList list;
    list.reserve(texts.size());
    for (const Text& text : texts)
        list.push_back(keep(text));
    return *lists_.insert(std::move(list)).first;
}

latmon_series_t SeriesRegistry::shape_of(const Series& series) {
    const TextList& kept_tags = keep_list(std::span<const std::string>(series.tags));
    return latmon_series_t{
        .struct_size = sizeof(latmon_series_t),
        .series_id = 0,
        .kind = static_cast<std::uint8_t>(series.kind),
        .protocol = static_cast<std::uint8_t>(series.protocol),
        .port = series.port,
        .tags_count = static_cast<std::uint32_t>(kept_tags.size()),
        .name = keep(series.name),
        .source = keep(series.source),
        .target = keep(series.target),
        .host = keep(series.host),
        .tags = kept_tags.data(),
        .interval_ns = series.interval.ns,
        .timeout_ns = series.timeout.ns,
        .flags = series.flags,
        .objective_ratio = series.objective_ratio,
        .objective_rtt_ns = series.objective_rtt.ns,
    };
}

SeriesRegistry::Group* SeriesRegistry::group_from(std::uint32_t first_id) {
    const latmon_series_t* const head = entry(first_id).shown.load(std::memory_order_relaxed);
    LATMON_ASSERT(head != nullptr);
    const auto [first, last] = groups_.equal_range(hash_of(*head));
    const auto found = std::find_if(
        first, last, [&](const auto& group) { return group.second.ids.first_id == first_id; });
    return found == last ? nullptr : &found->second;
}

bool SeriesRegistry::is_same(const Group& group, const latmon_series_t& head,
                             const TextList& names) const noexcept {
    const Entry& known = *find_entry(group.ids.first_id);
    return group.names == &names && is_equal(*known.shown.load(std::memory_order_relaxed), head);
}

}  // namespace latmon
