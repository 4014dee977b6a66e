// SPDX-License-Identifier: Apache-2.0
//
// The reflector's memory of who is measuring: one session per sender, session id and listener, each
// with the reflector's own sequence counter (RFC 8762 section 4.3, stateful mode), by which the
// sender tells loss on the way there from loss on the way back.
//
// A hash table with a keyed hash, chained, and a list of all sessions in the order in which they
// were last seen; so the one that has been silent longest is always at hand. Every place can be
// used. One per core-thread; allocates when it is built, never after.
#pragma once

#include "base/address.hpp"
#include "base/keyed_hash.hpp"
#include "base/limits.hpp"
#include "base/time.hpp"
#include "base/zeroed_array.hpp"

#include <cstdint>
#include <vector>

namespace latmon {

struct SessionKey {
    Endpoint peer;
    std::uint16_t ssid = 0;
    std::uint16_t listener = 0;  // Index in Plan::listeners.
    friend bool operator==(const SessionKey&, const SessionKey&) noexcept = default;
};

// `sequence` and `last_sender_sequence` are the reflector's to use; the rest is the table's.
class alignas(limits::cache_line_bytes) Session {
public:
    std::uint32_t sequence = 0;              // Of the next reply.
    std::uint32_t last_sender_sequence = 0;  // Of the last request; 0 before the first.

    [[nodiscard]] const SessionKey& key() const noexcept { return key_; }
    [[nodiscard]] Instant last_seen() const noexcept { return last_seen_; }

private:
    friend class SessionTable;

    SessionKey key_;
    Instant last_seen_;
    std::uint32_t next_in_bucket_ = 0;  // Also links the free sessions.
    std::uint32_t newer_ = 0;
    std::uint32_t older_ = 0;
};
static_assert(sizeof(Session) == 64, "one cache line: a look-up that hits touches no second");

class SessionTable {
public:
    // [set-up]
    explicit SessionTable(HashKey key);

    // Takes its memory, all of it, now. [set-up]
    void take_memory() noexcept;

    // The session with this key, seen `now`; made anew, counting from 0, if there is none or if it
    // has been silent for longer than limits::session_idle_ns. nullptr if the table is full of
    // sessions that have not: the newcomer loses, never one that is being measured. Valid until the
    // session expires. `now` never goes back. nullptr too, if there is none yet and the address has
    // `per_source_max` already: see is_source_full(). [core-thread]
    [[nodiscard]] Session* find_or_create(
        const SessionKey& key, Instant now,
        std::uint32_t per_source_max = limits::sessions_per_core) noexcept;

    // True if the address has at least so many sessions. Addresses are counted by their keyed hash:
    // now and then two share a count. [core-thread]
    [[nodiscard]] bool is_source_full(const AddressBytes& address,
                                      std::uint32_t per_source_max) const noexcept;

    // In [0, sessions_per_core), the session's own as long as it lives: for what is kept of it
    // elsewhere. [core-thread]
    [[nodiscard]] std::uint32_t index_of(const Session& session) const noexcept {
        return static_cast<std::uint32_t>(&session - sessions_.data());
    }

    // Forgets up to `count_max` sessions that have been silent for longer than session_idle_ns and
    // returns how many. Not needed for correctness; it keeps size() honest. [core-thread]
    std::uint32_t expire(Instant now, std::uint32_t count_max) noexcept;

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

private:
    using Index = std::uint32_t;

    [[nodiscard]] std::size_t source_of(const AddressBytes& address) const noexcept;
    [[nodiscard]] Index& bucket_of(const SessionKey& key) noexcept;
    [[nodiscard]] bool is_idle(const Session& session, Instant now) const noexcept;
    [[nodiscard]] Index create(const SessionKey& key) noexcept;
    void forget(Index index) noexcept;
    void unlink(Index index) noexcept;
    void link_as_newest(Index index) noexcept;

    HashKey hash_key_;
    ZeroedArray<Session> sessions_;
    std::vector<Index> buckets_;             // First session of each chain.
    ZeroedArray<std::uint16_t> per_source_;  // Sessions, by the hash of their address.
    Index unused_ = 0;                       // Sessions from here on were never in use.
    Index free_;                             // First of the others that are not in use.
    Index newest_;
    Index oldest_;
    std::uint32_t size_ = 0;
};

}  // namespace latmon
