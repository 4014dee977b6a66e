// SPDX-License-Identifier: Apache-2.0
//
// Series that appear while we run: one for each peer that probes us and says who it is. A
// core-thread writes one once, into memory of its own that was reserved before the start, and then
// publishes it; from then on nobody changes it. Whoever pops a sample of such a series sees it,
// because the queue's release and acquire stand in between; who only looks asks `find`.
//
// One object per core; ids are `first_id` to `first_id + capacity - 1`, and other cores have others
// for the same peer. Series are never taken back: when there is no place left, samples stay in the
// series of the reflector, which has no peer's name.
#pragma once

#include "sample/sample_queue.hpp"

#include <latmon/sample.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace latmon {

inline constexpr std::size_t peer_name_bytes_max = 255;
inline constexpr std::size_t peer_tags_max = 32;
inline constexpr std::size_t peer_tags_bytes_max = 1'024;  // Of all tags together.

// A peer, as its samples are labelled. No text has control characters: a line feed or a NUL would
// be a second line, or a shorter name, somewhere behind the ABI.
struct PeerLabels {
    latmon_protocol_t protocol = LATMON_PROTOCOL_NONE;
    std::string_view name;                   // 1 to peer_name_bytes_max octets.
    std::span<const std::string_view> tags;  // "key:value"; within the limits above.
};

class PeerSeries {
public:
    // Reserves address space; pages appear as series do. Draws the key of its hash: peers choose
    // their names, and must not choose the chain that they are looked for in. [set-up]
    PeerSeries(std::uint32_t first_id, std::uint32_t capacity);
    ~PeerSeries();
    PeerSeries(const PeerSeries&) = delete;
    PeerSeries& operator=(const PeerSeries&) = delete;

    // The id of the series with these labels, which is made if there is none. nullopt: there is no
    // place left, or the labels break the limits above. Some 300 ns. [core-thread]
    // `is_known`: the operator named the peer's address. Others get no more than three quarters of
    // the places, so that whoever makes names up leaves room for these.
    [[nodiscard]] std::optional<std::uint32_t> find_or_add(const PeerLabels& labels,
                                                           bool is_known = true) noexcept;

    // The labels of an id, valid as long as this; nullopt if there is no such series (yet).
    // [any-thread]
    [[nodiscard]] std::optional<PeerLabels> find(std::uint32_t series_id) const noexcept;

    [[nodiscard]] std::uint32_t first_id() const noexcept { return first_id_; }
    [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] std::uint32_t count() const noexcept;  // [any-thread]
    // How often find_or_add() had no place left for labels that are fine. [any-thread]
    [[nodiscard]] const PublishedCounter& full() const noexcept { return full_; }

private:
    struct Entry;
    struct Memory;
    std::uint32_t first_id_;
    std::uint32_t capacity_;
    PublishedCounter full_;
    std::unique_ptr<Memory> memory_;
};

}  // namespace latmon
