// SPDX-License-Identifier: Apache-2.0
//
// See series_registry.hpp.
#include "sample/series_registry.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace latmon {
namespace {

// Strings and lists of tags are kept once: equal series have equal pointers.
bool is_equal(const latmon_series_t& a, const latmon_series_t& b) noexcept {
    return a.kind == b.kind && a.protocol == b.protocol && a.port == b.port && a.name == b.name &&
           a.source == b.source && a.target == b.target && a.host == b.host && a.tags == b.tags &&
           a.tags_count == b.tags_count && a.interval_ns == b.interval_ns &&
           a.timeout_ns == b.timeout_ns && a.flags == b.flags;
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
    latmon_series_t shape = shape_of(head);
    const std::size_t hash = hash_of(shape);
    const auto [first, last] = groups_.equal_range(hash);
    for (auto found = first; found != last; ++found) {
        Group& group = found->second;
        if (group.is_taken || !is_same(group.ids, shape, names)) continue;
        group.is_taken = true;
        return group.ids;
    }
    const SeriesGroup ids{.first_id = end_id_.load(std::memory_order_relaxed),
                          .count = static_cast<std::uint32_t>(1 + names.size())};
    LATMON_ASSERT(ids.count <= series_max - ids.first_id);
    show(ids.first_id, shape);
    shape.kind = LATMON_KIND_NODE;
    for (std::uint32_t index = 1; index < ids.count; ++index) {
        shape.name = keep(names[index - 1]);
        show(ids.first_id + index, shape);
    }
    groups_.emplace(hash, Group{.ids = ids});
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
    Group* const known = group_of(group);
    LATMON_ASSERT(known != nullptr && known->is_taken);
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
    const Entry* const known = find_entry(series_id);
    const latmon_series_t* const shown =
        known == nullptr ? nullptr : known->shown.load(std::memory_order_acquire);
    if (shown == nullptr) {
        const bool is_peer = std::ranges::any_of(peers_, [&](const auto& peers) {
            return series_id - peers->first_id() < peers->capacity();
        });
        return is_peer ? const_cast<SeriesRegistry*>(this)->find_peer(series_id) : nullptr;
    }
    const std::uint32_t ended_at = known->ended_at.load(std::memory_order_acquire);
    const bool is_visible = ended_at == 0 || (ended_at > never_begun && ended_at > epoch);
    return is_visible ? shown : nullptr;
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

latmon_series_t SeriesRegistry::shape_of(const Series& series) {
    std::vector<const char*> tags;
    tags.reserve(series.tags.size());
    for (const std::string& tag : series.tags)
        tags.push_back(keep(tag));
    const std::vector<const char*>& kept_tags = *tag_lists_.insert(std::move(tags)).first;
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
    };
}

SeriesRegistry::Group* SeriesRegistry::group_of(SeriesGroup ids) {
    const latmon_series_t* const head = entry(ids.first_id).shown.load(std::memory_order_relaxed);
    LATMON_ASSERT(head != nullptr);
    const auto [first, last] = groups_.equal_range(hash_of(*head));
    const auto found = std::find_if(first, last, [&](const auto& group) {
        return group.second.ids.first_id == ids.first_id && group.second.ids.count == ids.count;
    });
    return found == last ? nullptr : &found->second;
}

bool SeriesRegistry::is_same(SeriesGroup ids, const latmon_series_t& head,
                             std::span<const std::string_view> names) const noexcept {
    if (ids.count != 1 + names.size()) return false;
    if (!is_equal(*find_entry(ids.first_id)->shown.load(std::memory_order_relaxed), head)) {
        return false;
    }
    for (std::uint32_t index = 1; index < ids.count; ++index) {
        const Entry* const named = find_entry(ids.first_id + index);
        if (named->shown.load(std::memory_order_relaxed)->name != names[index - 1]) return false;
    }
    return true;
}

}  // namespace latmon
