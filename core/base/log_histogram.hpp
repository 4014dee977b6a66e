// SPDX-License-Identifier: Apache-2.0
//
// Counts durations in buckets that grow with what they hold: sixteen to each doubling, so that a
// percentile is right within 1/32 of itself, from a nanosecond to 18 minutes, in 2.3 KiB. For what
// a core-thread has to say of itself; recording costs two nanoseconds and allocates nothing. What
// is told of the network keeps its values or has a finer histogram. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace latmon {

class LogHistogram {
public:
    // Negative values count as 0, those beyond 2^40 as that.
    void record(std::int64_t value_ns) noexcept {
        const std::int64_t value = std::clamp<std::int64_t>(value_ns, 0, value_max);
        ++counts_[bucket_of(static_cast<std::uint64_t>(value))];
        ++count_;
        max_ns_ = std::max(max_ns_, value);
    }

    void clear() noexcept { *this = LogHistogram{}; }

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

    // The value at or below which `per_mille` thousandths of all lie: nearest rank, the middle of
    // its bucket, never above the largest value. Nothing if nothing was recorded. per_mille in
    // [0, 1000].
    [[nodiscard]] std::optional<std::int64_t> percentile_ns(std::uint32_t per_mille) const noexcept;

    // The largest value, exactly; nothing if nothing was recorded.
    [[nodiscard]] std::optional<std::int64_t> max_ns() const noexcept {
        if (count_ == 0) return std::nullopt;
        return max_ns_;
    }

private:
    static constexpr std::uint32_t sub_bits = 4;  // 2^4 buckets to each doubling.
    static constexpr std::uint32_t sub_count = 1U << sub_bits;
    static constexpr std::uint32_t value_bits = 40;
    static constexpr std::int64_t value_max = (std::int64_t{1} << value_bits) - 1;
    static constexpr std::size_t bucket_count =
        std::size_t{sub_count} * (value_bits - sub_bits + 1);

    // Below 16 each value has a bucket of its own; above, the four bits behind the leading one
    // choose among those of its power of two.
    [[nodiscard]] static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
        const auto width = static_cast<std::uint32_t>(std::bit_width(value));
        if (width <= sub_bits) return value;
        const std::uint32_t shift = width - sub_bits - 1;
        return (std::size_t{shift} << sub_bits) + (value >> shift);
    }
    [[nodiscard]] static constexpr std::int64_t middle_of(std::size_t bucket) noexcept {
        if (bucket < sub_count) return static_cast<std::int64_t>(bucket);
        const std::size_t shift = (bucket >> sub_bits) - 1;
        const std::uint64_t low = (bucket - (shift << sub_bits)) << shift;
        return static_cast<std::int64_t>(low + (std::uint64_t{1} << shift) / 2);
    }

    std::array<std::uint32_t, bucket_count> counts_{};
    std::uint64_t count_ = 0;
    std::int64_t max_ns_ = 0;
};

}  // namespace latmon
