// SPDX-License-Identifier: Apache-2.0
//
// See compact_window.hpp. Numbers go seven bits to an octet, the lowest first; eight of them share
// an octet that says which are not 0. A bucket is its distance from the one before, twice, plus one
// if it counts more than one value; then comes that count.
#include "stats/compact_window.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <bit>
#include <type_traits>
#include <vector>

namespace latmon {
namespace {

__extension__ using WideBits = unsigned __int128;

constexpr unsigned bits_per_octet = 7;
constexpr unsigned more_follow = 1U << bits_per_octet;

// Small numbers of either sign become small ones without.
constexpr WideBits to_bits(Wide number) noexcept {
    return (static_cast<WideBits>(number) << 1U) ^ static_cast<WideBits>(number >> 127);
}
constexpr Wide from_bits(WideBits bits) noexcept {
    const auto half = static_cast<Wide>(bits >> 1U);
    return (bits & 1U) != 0 ? -half - 1 : half;
}

class Writer {
public:
    explicit Writer(std::vector<std::byte>& octets) noexcept : octets_(octets) {}

    void put(WideBits bits) {
        for (; bits >= more_follow; bits >>= bits_per_octet)
            octets_.push_back(static_cast<std::byte>((bits & (more_follow - 1)) | more_follow));
        octets_.push_back(static_cast<std::byte>(bits));
    }

    // One of those that share octets.
    void put_shared(WideBits bits) {
        if (place_ == 0) {
            mask_at_ = octets_.size();
            octets_.push_back(std::byte{0});
        }
        if (bits != 0) {
            octets_[mask_at_] |= std::byte{1} << place_;
            put(bits);
        }
        place_ = (place_ + 1) % 8;
    }

    void put_buckets(const BucketCounts& counts) {
        std::uint64_t size = 0;
        counts.each([&size](std::int32_t, std::uint64_t) { ++size; });
        put(size);
        std::int32_t before = 0;
        counts.each([&](std::int32_t index, std::uint64_t count) {
            put(to_bits(index - before) * 2 + (count > 1 ? 1 : 0));
            if (count > 1) put(count);
            before = index;
        });
    }

private:
    std::vector<std::byte>& octets_;
    std::size_t mask_at_ = 0;
    unsigned place_ = 0;
};

// What a Writer wrote, in the same order.
class Reader {
public:
    explicit Reader(std::span<const std::byte> octets) noexcept : octets_(octets) {}

    [[nodiscard]] WideBits get() noexcept {
        WideBits bits = 0;
        for (unsigned shift = 0;; shift += bits_per_octet) {
            const auto octet = std::to_integer<unsigned>(next());
            bits |= static_cast<WideBits>(octet & (more_follow - 1)) << shift;
            if (octet < more_follow) return bits;
        }
    }

    [[nodiscard]] WideBits get_shared() noexcept {
        if (place_ == 0) mask_ = next();
        const bool is_set = (mask_ & (std::byte{1} << place_)) != std::byte{0};
        place_ = (place_ + 1) % 8;
        return is_set ? get() : 0;
    }

    template <typename Add>
    void get_buckets(Add&& add) {
        std::int32_t index = 0;
        for (auto left = static_cast<std::uint64_t>(get()); left > 0; --left) {
            const WideBits bits = get();
            index += static_cast<std::int32_t>(from_bits(bits >> 1U));
            add(index, (bits & 1U) != 0 ? static_cast<std::uint64_t>(get()) : 1);
        }
    }

private:
    [[nodiscard]] std::byte next() noexcept {
        LATMON_ASSERT(at_ < octets_.size());
        return octets_[at_++];
    }

    std::span<const std::byte> octets_;
    std::size_t at_ = 0;
    std::byte mask_{0};
    unsigned place_ = 0;
};

// Doubles by their bits.
template <typename Number>
WideBits bits_of(const Number& number) noexcept {
    if constexpr (std::is_same_v<Number, double>) {
        return std::bit_cast<std::uint64_t>(number);
    } else if constexpr (std::is_unsigned_v<Number>) {
        return number;
    } else {
        return to_bits(number);
    }
}

template <typename Number>
void set_bits(Number& number, WideBits bits) noexcept {
    if constexpr (std::is_same_v<Number, double>) {
        number = std::bit_cast<double>(static_cast<std::uint64_t>(bits));
    } else if constexpr (std::is_unsigned_v<Number>) {
        number = static_cast<Number>(bits);
    } else {
        number = static_cast<Number>(from_bits(bits));
    }
}

// But for the count, without which there is nothing.
template <typename Totals, typename Visit>
void each_total(Totals& totals, Visit&& visit) {
    visit(totals.zero_count);
    visit(totals.sum_ns);
    visit(totals.min_ns);
    visit(totals.max_ns);
}

}  // namespace

CompactWindow::CompactWindow(const SeriesWindow& window) {
    std::vector<std::byte> octets;
    octets.reserve(1'024);
    Writer writer(octets);
    SeriesWindow::each_number(window,
                              [&](const auto& number) { writer.put_shared(bits_of(number)); });
    SeriesWindow::each_histogram(window, [&](const Histogram& histogram) {
        const Histogram::Totals& totals = histogram.totals();
        writer.put(totals.count);
        if (totals.count == 0) return;
        each_total(totals, [&](const auto& number) { writer.put(bits_of(number)); });
        writer.put_buckets(histogram.positive());
        writer.put_buckets(histogram.negative());
    });
    size_ = octets.size();
    octets_ = std::make_unique_for_overwrite<std::byte[]>(size_);
    std::ranges::copy(octets, octets_.get());
}

SeriesWindow CompactWindow::restore() const {
    SeriesWindow window;
    Reader reader({octets_.get(), size_});
    SeriesWindow::each_number(window, [&](auto& number) { set_bits(number, reader.get_shared()); });
    SeriesWindow::each_histogram(window, [&](Histogram& histogram) {
        Histogram::Totals totals;
        totals.count = static_cast<std::uint64_t>(reader.get());
        if (totals.count == 0) return;
        each_total(totals, [&](auto& number) { set_bits(number, reader.get()); });
        histogram.set_totals(totals);
        reader.get_buckets([&](auto index, auto count) { histogram.add_positive(index, count); });
        reader.get_buckets([&](auto index, auto count) { histogram.add_negative(index, count); });
    });
    return window;
}

}  // namespace latmon
