// SPDX-License-Identifier: Apache-2.0
//
// See session_table.hpp. Links are indexes, not pointers: half the size, and a session stays a
// line.
#include "probe/session_table.hpp"

#include "base/assert.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace latmon {
namespace {

constexpr std::uint32_t none = 0xffff'ffff;

// Two chains per session, so that most chains hold one session or none.
constexpr std::uint32_t buckets = 2 * limits::sessions_per_core;
static_assert(std::has_single_bit(buckets));

// Four per session: at most a quarter of the counts is in use.
constexpr std::size_t source_counts = std::size_t{4} * limits::sessions_per_core;
static_assert(limits::sessions_per_core <= 0xffff);

constexpr Duration idle_max{limits::session_idle_ns};

std::uint64_t hash_of(HashKey hash_key, const SessionKey& key) noexcept {
    std::array<std::uint64_t, 4> words{};
    static_assert(sizeof(AddressBytes) == 2 * sizeof(words[0]));
    std::memcpy(words.data(), key.peer.address.data(), sizeof(AddressBytes));
    words[2] =
        std::uint64_t{key.peer.scope_id} << 32U | std::uint32_t{key.peer.port} << 16U | key.ssid;
    words[3] = key.listener;
    return keyed_hash(hash_key, words);
}

}  // namespace

SessionTable::SessionTable(HashKey key)
    : hash_key_(key),
      sessions_(limits::sessions_per_core),
      buckets_(buckets, none),
      per_source_(source_counts),
      free_(none),
      newest_(none),
      oldest_(none) {}

void SessionTable::take_memory() noexcept {
    sessions_.take_memory();
    per_source_.take_memory();
}

std::size_t SessionTable::source_of(const AddressBytes& address) const noexcept {
    std::array<std::uint64_t, 2> words{};
    static_assert(sizeof(AddressBytes) == sizeof(words));
    std::memcpy(words.data(), address.data(), sizeof(words));
    return keyed_hash(hash_key_, words) % source_counts;
}

bool SessionTable::is_source_full(const AddressBytes& address,
                                  std::uint32_t per_source_max) const noexcept {
    return per_source_[source_of(address)] >= per_source_max;
}

Session* SessionTable::find_or_create(const SessionKey& key, Instant now,
                                      std::uint32_t per_source_max) noexcept {
    Index index = bucket_of(key);
    while (index != none && sessions_[index].key_ != key) {
        index = sessions_[index].next_in_bucket_;
    }
    if (index != none && is_idle(sessions_[index], now)) {
        forget(index);
        index = none;
    }
    if (index == none) {
        const bool is_limited = per_source_max < limits::sessions_per_core;
        if (is_limited && is_source_full(key.peer.address, per_source_max)) return nullptr;
        const bool is_full = free_ == none && unused_ == sessions_.size();
        if (is_full && expire(now, 1) == 0) return nullptr;
        index = create(key);
        ++per_source_[source_of(key.peer.address)];
    } else if (index != newest_) {
        unlink(index);
        link_as_newest(index);
    }
    sessions_[index].last_seen_ = now;
    return &sessions_[index];
}

std::uint32_t SessionTable::expire(Instant now, std::uint32_t count_max) noexcept {
    std::uint32_t count = 0;
    while (count < count_max && oldest_ != none && is_idle(sessions_[oldest_], now)) {
        forget(oldest_);
        ++count;
    }
    return count;
}

SessionTable::Index& SessionTable::bucket_of(const SessionKey& key) noexcept {
    return buckets_[hash_of(hash_key_, key) & (buckets - 1)];
}

bool SessionTable::is_idle(const Session& session, Instant now) const noexcept {
    return now - session.last_seen_ > idle_max;
}

SessionTable::Index SessionTable::create(const SessionKey& key) noexcept {
    const Index index = free_ == none ? unused_ : free_;
    LATMON_ASSERT(index < sessions_.size());
    Session& session = sessions_[index];
    if (free_ == none) {
        ++unused_;
    } else {
        free_ = session.next_in_bucket_;
    }
    session = Session{};
    session.key_ = key;
    Index& first = bucket_of(key);
    session.next_in_bucket_ = first;
    first = index;
    link_as_newest(index);
    ++size_;
    return index;
}

void SessionTable::forget(Index index) noexcept {
    Index* link = &bucket_of(sessions_[index].key_);
    while (*link != index) {
        LATMON_ASSERT(*link != none);
        link = &sessions_[*link].next_in_bucket_;
    }
    *link = sessions_[index].next_in_bucket_;
    unlink(index);
    --per_source_[source_of(sessions_[index].key_.peer.address)];
    sessions_[index].next_in_bucket_ = free_;
    free_ = index;
    --size_;
}

void SessionTable::unlink(Index index) noexcept {
    const Session& session = sessions_[index];
    (session.newer_ == none ? newest_ : sessions_[session.newer_].older_) = session.older_;
    (session.older_ == none ? oldest_ : sessions_[session.older_].newer_) = session.newer_;
}

void SessionTable::link_as_newest(Index index) noexcept {
    sessions_[index].newer_ = none;
    sessions_[index].older_ = newest_;
    (newest_ == none ? oldest_ : sessions_[newest_].newer_) = index;
    newest_ = index;
}

}  // namespace latmon
