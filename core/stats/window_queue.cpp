// SPDX-License-Identifier: Apache-2.0
//
// See window_queue.hpp. Most words of a window are 0: it travels as a map of those that are not,
// and these. What stands first says how long that is, and so where the next one begins.
//
//   | words, packed words | map: a bit for each word | words that are not 0 ... |
#include "stats/window_queue.hpp"

#include "base/assert.hpp"
#include "stats/window_code.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace latmon {
namespace {

using Word = std::uint64_t;
constexpr std::size_t words_per_block = limits::window_block_bytes / sizeof(Word);
constexpr std::size_t bits_per_word = 64;

struct WindowHead {
    std::uint32_t words;         // Of the code of window_code.hpp.
    std::uint32_t packed_words;  // Of what follows.
};
static_assert(sizeof(WindowHead) == sizeof(Word));

constexpr std::size_t blocks_popped_at_once = 1'024;
// Of a window with a few dozen buckets, which has as many words again that are not 0.
constexpr std::size_t blocks_per_window = 3;

std::size_t blocks_of(std::size_t packed_words) noexcept {
    return (1 + packed_words + words_per_block - 1) / words_per_block;
}

// `words` as map and words that are not 0, behind what is in `packed`.
void pack(std::span<const Word> words, std::vector<Word>& packed) {
    const std::size_t map = packed.size();
    packed.resize(map + (words.size() + bits_per_word - 1) / bits_per_word);
    for (std::size_t index = 0; index < words.size(); ++index) {
        if (words[index] == 0) continue;
        packed[map + index / bits_per_word] |= Word{1} << (index % bits_per_word);
        packed.push_back(words[index]);
    }
}

// The reverse: fills `words`, whose number is known.
void unpack(std::span<const Word> packed, std::span<Word> words) noexcept {
    std::size_t next = (words.size() + bits_per_word - 1) / bits_per_word;
    for (std::size_t index = 0; index < words.size(); ++index) {
        const bool is_there = (packed[index / bits_per_word] >> (index % bits_per_word) & 1U) != 0;
        words[index] = is_there ? packed[next++] : 0;
    }
}

}  // namespace

std::uint32_t length_bit(std::int64_t length_ns) noexcept {
    switch (length_ns) {
        case 1'000'000'000:
            return LATMON_WINDOW_1S;
        case 5'000'000'000:
            return LATMON_WINDOW_5S;
        case 60'000'000'000:
            return LATMON_WINDOW_60S;
        default:
            return 0;
    }
}

WindowQueue::WindowQueue(std::uint32_t capacity_blocks, std::uint32_t lengths)
    : blocks_(capacity_blocks), lengths_(lengths) {}

std::uint32_t WindowQueue::blocks_for(std::size_t series, std::uint32_t lengths) noexcept {
    const std::size_t blocks =
        series * static_cast<std::size_t>(std::popcount(lengths)) * blocks_per_window;
    return static_cast<std::uint32_t>(std::bit_ceil(std::clamp<std::size_t>(
        blocks, limits::window_queue_blocks_min, limits::window_queue_blocks_max)));
}

void WindowQueue::emit(const latmon_window_t& window) {
    if ((length_bit(window.length_ns) & lengths_) == 0) return;
    made.add(1);
    code_.assign(encoded_bytes(window) / sizeof(Word), 0);
    encode(window, std::as_writable_bytes(std::span(code_)));
    packed_.assign(1, 0);
    pack(code_, packed_);
    const WindowHead head{static_cast<std::uint32_t>(code_.size()),
                          static_cast<std::uint32_t>(packed_.size() - 1)};
    std::memcpy(packed_.data(), &head, sizeof(head));
    outgoing_.resize(blocks_of(head.packed_words));
    std::memcpy(std::as_writable_bytes(std::span(outgoing_)).data(), packed_.data(),
                packed_.size() * sizeof(Word));
    (blocks_.try_push_all(outgoing_) ? pushed : dropped).add(1);
}

// Moves what is left to the front and fills up behind it.
void WindowQueue::take_blocks() {
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
    const std::size_t left = held_.size();
    held_.resize(left + blocks_popped_at_once);
    const std::uint32_t count = blocks_.pop_batch(std::span(held_).subspan(left));
    held_.resize(left + count);
}

// The window that begins in the first of `blocks`, into place `index`; how many blocks it takes. 0:
// the others come with the next pop.
std::size_t WindowQueue::unpack_one(std::span<const WindowBlock> blocks, std::size_t index) {
    WindowHead head;
    std::memcpy(&head, std::as_bytes(blocks).data(), sizeof(head));
    const std::size_t count = blocks_of(head.packed_words);
    if (count > blocks.size()) return 0;
    packed_popped_.resize(head.packed_words);
    std::memcpy(packed_popped_.data(), std::as_bytes(blocks).data() + sizeof(head),
                head.packed_words * sizeof(Word));
    if (codes_.size() <= index) codes_.resize(index + 1);
    codes_[index].resize(head.words);
    unpack(packed_popped_, codes_[index]);
    return count;
}

std::span<const latmon_window_t* const> WindowQueue::pop(std::size_t most) {
    take_blocks();
    std::size_t popped = 0;
    while (popped < most && first_ < held_.size()) {
        const std::size_t count = unpack_one(std::span(held_).subspan(first_), popped);
        if (count == 0) break;
        first_ += count;
        ++popped;
    }
    windows_.resize(popped);
    shown_.resize(popped);
    for (std::size_t index = 0; index < popped; ++index) {
        decode(std::as_bytes(std::span(codes_[index])), windows_[index]);
        shown_[index] = &windows_[index];
    }
    return shown_;
}

std::uint64_t WindowQueue::queued() const noexcept {
    const std::uint64_t gone =
        exported.read() + rejected.read() + dropped.read() + abandoned.read();
    return made.read() - gone;
}

}  // namespace latmon
