// SPDX-License-Identifier: Apache-2.0
//
// Which series has which id, while series come and go. An id is never given to another series: one
// that has ended and comes back identical gets its id again, so that ids and memory are bounded by
// how many different series there ever were, not by how often a configuration is loaded. Strings
// and lists are kept once, however many series have them, and a series that differs from the first
// of its group by name alone is made when somebody asks for it: some 400 octets for a target with
// its six series, and 80 for each that was asked for.
//
// Writers lock; readers do not, but the first of a series that is made on demand: entries lie in
// chunks that stay where they are, and are published by an atomic pointer. Nothing is ever taken
// back, so that a plugin may keep what it was shown.
//
//   hidden -- begin() --> live -- end() --> ended, and may be added again
#pragma once

#include "sample/peer_series.hpp"
#include "sample/series.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace latmon {

// Series with consecutive ids that come and go together.
struct SeriesGroup {
    std::uint32_t first_id = 0;
    std::uint32_t count = 0;
};

// Its ids, in order. [any-thread]
[[nodiscard]] std::vector<std::uint32_t> ids_of(SeriesGroup group);

class SeriesRegistry {
public:
    // 2^22 series: half a million targets. More than that is a mistake of ours.
    static constexpr std::uint32_t series_max = 1U << 22U;

    // `node_name` stands in the series of peers. [main-thread]
    explicit SeriesRegistry(std::string node_name = "");
    ~SeriesRegistry();
    SeriesRegistry(const SeriesRegistry&) = delete;
    SeriesRegistry& operator=(const SeriesRegistry&) = delete;

    // Makes room for the peers of one core, with ids of their own. Before any other thread looks.
    // [main-thread]
    [[nodiscard]] PeerSeries& add_peers(std::uint32_t capacity);

    // Gives ids to `head` and, behind it, to one series for each of `names`: like `head`, but of
    // kind NODE and with that name. Those of before, if such a group has ended. They are hidden
    // until begin(). Allocates. [main-thread, and a plugin's create()]
    [[nodiscard]] SeriesGroup add(const Series& head, std::span<const std::string_view> names = {});

    // From now on everybody sees the group. [main-thread]
    void begin(SeriesGroup group);
    // It is over, or was never begun: who comes later does not see it. [main-thread]
    void end(SeriesGroup group);

    // What ends from now on, ends after this: see find(). [main-thread]
    [[nodiscard]] std::uint32_t epoch() const noexcept {
        return epoch_.load(std::memory_order_acquire);
    }

    // The series with this id, or null if there is none (yet), it is hidden, or it had ended by
    // `epoch`. Valid as long as this. The first call for one may lock. [any-thread]
    [[nodiscard]] const latmon_series_t* find(std::uint32_t series_id,
                                              std::uint32_t epoch = 0) const noexcept;

    // The kind of what find() would show; makes no series of ours for it, but does a peer's.
    // [any-thread]
    [[nodiscard]] std::optional<latmon_kind_t> kind_of(std::uint32_t series_id) const noexcept;

    // Ids run from 0 to end_id() - 1; it grows. [any-thread]
    [[nodiscard]] std::uint32_t end_id() const noexcept {
        return end_id_.load(std::memory_order_acquire);
    }

    [[nodiscard]] const std::string& node_name() const noexcept { return node_name_; }

private:
    static constexpr std::uint32_t chunk_series = 1'024;
    static constexpr std::uint32_t never_begun = 1;  // Before the first epoch.

    struct Entry {
        std::atomic<const latmon_series_t*> shown{nullptr};  // Null: nobody has asked, or none.
        std::atomic<std::uint32_t> ended_at{never_begun};    // Epoch; 0: it is live.
        std::atomic<std::uint32_t> place{0};                 // In its group, behind the first.

        [[nodiscard]] bool is_visible(std::uint32_t epoch) const noexcept {
            const std::uint32_t ended = ended_at.load(std::memory_order_acquire);
            return ended == 0 || (ended > never_begun && ended > epoch);
        }
    };
    using Chunk = std::array<Entry, chunk_series>;
    using TextList = std::vector<const char*>;
    struct Group {
        SeriesGroup ids;
        const TextList* names = nullptr;  // Of those behind the first.
        bool is_taken = true;
    };

    [[nodiscard]] const char* keep(std::string_view text);
    template <typename Text>
    [[nodiscard]] const TextList& keep_list(std::span<const Text> texts);
    [[nodiscard]] latmon_series_t shape_of(const Series& series);
    void show(std::uint32_t series_id, const latmon_series_t& series);
    [[nodiscard]] Entry& entry(std::uint32_t series_id);
    [[nodiscard]] const Entry* find_entry(std::uint32_t series_id) const noexcept;
    [[nodiscard]] const latmon_series_t* make_named(std::uint32_t series_id) noexcept;
    [[nodiscard]] const latmon_series_t* find_peer(std::uint32_t series_id) noexcept;
    [[nodiscard]] Group* group_from(std::uint32_t first_id);
    [[nodiscard]] bool is_same(const Group& group, const latmon_series_t& head,
                               const TextList& names) const noexcept;

    const std::string node_name_;
    std::vector<std::unique_ptr<PeerSeries>> peers_;  // Fixed before other threads look.
    std::atomic<std::uint32_t> epoch_{never_begun};
    std::atomic<std::uint32_t> end_id_{0};
    std::array<std::atomic<Chunk*>, series_max / chunk_series> chunks_{};

    std::mutex mutex_;  // Guards what follows, and the making of entries.
    std::deque<latmon_series_t> shown_;
    std::unordered_set<std::string> texts_;
    std::set<TextList> lists_;                            // Of tags, and of names.
    std::unordered_multimap<std::size_t, Group> groups_;  // By the hash of their head.
};

}  // namespace latmon
