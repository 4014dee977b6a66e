// SPDX-License-Identifier: Apache-2.0
//
// The queue of windows from the aggregator to one exporter, with its accounts:
//
//   made = exported + rejected + dropped + abandoned + queued            (invariant 4)
//
// A window is as long as its histograms are, so that it travels in blocks; all of its blocks or
// none. No pointers are in them.
#pragma once

#include "sample/sample_queue.hpp"
#include "sample/spsc_queue.hpp"

#include <latmon/window.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace latmon {

struct WindowBlock {
    // Not even zeroed: pages of an idle queue are never touched.
    WindowBlock() noexcept {}  // NOLINT(modernize-use-equals-default): that one zeroes.
    alignas(limits::cache_line_bytes) std::array<std::byte, limits::window_block_bytes> octets;
};

class WindowQueue {
public:
    // Holds so many blocks, a power of two; the consumer takes the windows whose lengths are in
    // `lengths`, a mask of LATMON_WINDOW_.... [before either thread runs]
    WindowQueue(std::uint32_t capacity_blocks, std::uint32_t lengths);

    // Blocks for `series` series of which each of the lengths has a window at once, with room for
    // another second's.
    [[nodiscard]] static std::uint32_t blocks_for(std::size_t series,
                                                  std::uint32_t lengths) noexcept;

    // Pushes if the exporter takes this length and there is room; counts either way.
    // [aggregator-thread]
    void emit(const latmon_window_t& window);

    // The oldest windows, at most `most` of them. They are valid until the next call.
    // [exporter-thread]
    [[nodiscard]] std::span<const latmon_window_t* const> pop(std::size_t most);

    [[nodiscard]] std::uint32_t lengths() const noexcept { return lengths_; }

    // How many are queued, or popped and in nobody's account yet; a moment later it may be wrong.
    // [any-thread]
    [[nodiscard]] std::uint64_t queued() const noexcept;

    alignas(limits::cache_line_bytes) PublishedCounter made;  // [aggregator-thread]
    PublishedCounter dropped;                                 // No room. [aggregator-thread]
    PublishedCounter pushed;                                  // Room. [aggregator-thread]

    alignas(limits::cache_line_bytes) PublishedCounter exported;  // [exporter-thread]
    PublishedCounter rejected;   // The plugin said no. [exporter-thread]
    PublishedCounter abandoned;  // Still queued when time was up at stop. [exporter-thread]

private:
    void take_blocks();
    [[nodiscard]] std::size_t unpack_one(std::span<const WindowBlock> blocks, std::size_t index);

    SpscQueue<WindowBlock> blocks_;
    const std::uint32_t lengths_;
    // Of the aggregator-thread: the window under way, as it is, packed, and in blocks.
    std::vector<std::uint64_t> code_;
    std::vector<std::uint64_t> packed_;
    std::vector<WindowBlock> outgoing_;
    // Of the exporter-thread: blocks popped, of which those before `first_` are done with; what
    // they hold; and what pop() returned.
    std::vector<WindowBlock> held_;
    std::size_t first_ = 0;
    std::vector<std::uint64_t> packed_popped_;
    std::vector<std::vector<std::uint64_t>> codes_;
    std::vector<latmon_window_t> windows_;
    std::vector<const latmon_window_t*> shown_;
};

// The bit LATMON_WINDOW_... of a window's length; 0 for a length that there is not.
[[nodiscard]] std::uint32_t length_bit(std::int64_t length_ns) noexcept;

}  // namespace latmon
