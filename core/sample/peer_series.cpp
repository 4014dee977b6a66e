// SPDX-License-Identifier: Apache-2.0
//
// See peer_series.hpp. Entries of a fixed size in memory of their own, and a chained hash table
// that only the core-thread looks at. An entry keeps its labels twice: as the octets that are
// compared, and as views into these for whoever asks.
//
//   octets of an entry: protocol, tags, name's length, 0 | length of each tag, 2 | name | tags
#include "sample/peer_series.hpp"

#include "base/assert.hpp"
#include "base/keyed_hash.hpp"
#include "base/limits.hpp"

#include <sys/mman.h>
#include <sys/random.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <limits>
#include <vector>

namespace latmon {
namespace {

constexpr std::size_t header_bytes = 4;
constexpr std::size_t key_words_max =
    (header_bytes + 2 * peer_tags_max + peer_name_bytes_max + peer_tags_bytes_max + 7) / 8;

constexpr std::uint32_t no_entry = std::numeric_limits<std::uint32_t>::max();

bool is_text(std::string_view text) noexcept {
    return std::ranges::none_of(text, [](char octet) {
        const unsigned char value = static_cast<unsigned char>(octet);
        return value < 0x20 || value == 0x7f;
    });
}

bool is_within_limits(const PeerLabels& labels) noexcept {
    if (labels.name.empty() || labels.name.size() > peer_name_bytes_max) return false;
    if (labels.tags.size() > peer_tags_max || !is_text(labels.name)) return false;
    std::size_t bytes = 0;
    for (const std::string_view tag : labels.tags) {
        bytes += tag.size();
        if (bytes > peer_tags_bytes_max || !is_text(tag)) return false;
    }
    return true;
}

// Labels as octets: equal if and only if the labels are.
class Key {
public:
    explicit Key(const PeerLabels& labels) noexcept {
        append_octet(static_cast<std::uint8_t>(labels.protocol));
        append_octet(static_cast<std::uint8_t>(labels.tags.size()));
        append_octet(static_cast<std::uint8_t>(labels.name.size()));
        append_octet(0);
        for (const std::string_view tag : labels.tags) {
            append_octet(static_cast<std::uint8_t>(tag.size() & 0xffU));
            append_octet(static_cast<std::uint8_t>(tag.size() >> 8U));
        }
        append(labels.name);
        for (const std::string_view tag : labels.tags)
            append(tag);
        while (bytes_ % 8 != 0)
            append_octet(0);
    }

    [[nodiscard]] std::span<const std::uint64_t> words() const noexcept {
        return std::span(words_).first(bytes_ / 8);
    }

private:
    void append_octet(std::uint8_t octet) noexcept {
        octets()[bytes_++] = static_cast<char>(octet);
    }
    void append(std::string_view text) noexcept {
        if (text.empty()) return;
        std::memcpy(octets() + bytes_, text.data(), text.size());
        bytes_ += text.size();
    }
    char* octets() noexcept { return reinterpret_cast<char*>(words_.data()); }

    std::array<std::uint64_t, key_words_max> words_;  // The first bytes_ octets are set.
    std::size_t bytes_ = 0;
};

}  // namespace

// Made by mmap: all zero before it is written.
struct alignas(limits::cache_line_bytes) PeerSeries::Entry {
    std::uint64_t hash;
    std::uint32_t next_in_bucket;
    std::uint32_t word_count;
    PeerLabels labels;
    std::array<std::string_view, peer_tags_max> tags;
    std::array<std::uint64_t, key_words_max> words;

    [[nodiscard]] bool is(const Key& key, std::uint64_t key_hash) const noexcept {
        return hash == key_hash &&
               std::ranges::equal(std::span(words).first(word_count), key.words());
    }

    void set(const Key& key, const PeerLabels& given) noexcept {
        word_count = static_cast<std::uint32_t>(key.words().size());
        std::ranges::copy(key.words(), words.begin());
        const char* at =
            reinterpret_cast<const char*>(words.data()) + header_bytes + 2 * given.tags.size();
        const auto take = [&at](std::size_t bytes) {
            const std::string_view text(at, bytes);
            at += bytes;
            return text;
        };
        labels.protocol = given.protocol;
        labels.name = take(given.name.size());
        for (std::size_t index = 0; index < given.tags.size(); ++index) {
            tags[index] = take(given.tags[index].size());
        }
        labels.tags = std::span(tags).first(given.tags.size());
    }
};

struct PeerSeries::Memory {
    explicit Memory(std::uint32_t capacity)
        : bytes(std::size_t{capacity} * sizeof(Entry)),
          buckets(std::bit_ceil(std::size_t{capacity}), no_entry) {
        static_assert(sizeof(Entry) == 1'920, "limits::peer_series_per_core says so");
        void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        LATMON_ASSERT(memory != MAP_FAILED);  // Address space only.
        ::madvise(memory, bytes, MADV_NOHUGEPAGE);
        entries = static_cast<Entry*>(memory);
        const ssize_t octets = ::getrandom(&hash_key, sizeof(hash_key), 0);
        LATMON_ASSERT(octets == sizeof(hash_key));  // Small requests are never cut, getrandom(2).
    }
    ~Memory() { ::munmap(entries, bytes); }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    std::size_t bytes;
    Entry* entries = nullptr;
    std::atomic<std::uint32_t> count{0};  // Entries before it are never written again.

    // Of the core-thread alone.
    HashKey hash_key;
    std::vector<std::uint32_t> buckets;  // First entry of each chain.
};

PeerSeries::PeerSeries(std::uint32_t first_id, std::uint32_t capacity)
    : first_id_(first_id), capacity_(capacity), memory_(std::make_unique<Memory>(capacity)) {}

PeerSeries::~PeerSeries() = default;

std::optional<std::uint32_t> PeerSeries::find_or_add(const PeerLabels& labels,
                                                     bool is_known) noexcept {
    if (!is_within_limits(labels)) return std::nullopt;
    const Key key(labels);
    const std::uint64_t hash = keyed_hash(memory_->hash_key, key.words());
    std::uint32_t& bucket = memory_->buckets[hash & (memory_->buckets.size() - 1)];
    for (std::uint32_t index = bucket; index != no_entry;) {
        const Entry& entry = memory_->entries[index];
        if (entry.is(key, hash)) return first_id_ + index;
        index = entry.next_in_bucket;
    }
    const std::uint32_t index = memory_->count.load(std::memory_order_relaxed);  // We alone write.
    const std::uint32_t places = is_known ? capacity_ : capacity_ - capacity_ / 4;
    if (index >= places) {
        full_.add(1);
        return std::nullopt;
    }
    Entry& entry = memory_->entries[index];
    entry.hash = hash;
    entry.next_in_bucket = bucket;
    entry.set(key, labels);
    bucket = index;
    memory_->count.store(index + 1, std::memory_order_release);  // Publishes the entry to find().
    return first_id_ + index;
}

std::optional<PeerLabels> PeerSeries::find(std::uint32_t series_id) const noexcept {
    const std::uint32_t index = series_id - first_id_;  // Wraps below the first: not less than.
    if (index >= count()) return std::nullopt;
    return memory_->entries[index].labels;
}

std::uint32_t PeerSeries::count() const noexcept {
    return memory_->count.load(std::memory_order_acquire);  // Pairs with find_or_add().
}

}  // namespace latmon
