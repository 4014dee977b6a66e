// SPDX-License-Identifier: Apache-2.0
//
// See ancestor.hpp. One pass from left to right without going back: each field ends at the first
// '|', which no field may contain.
#include "wire/ancestor.hpp"

#include <cstdint>

namespace latmon {
namespace {

constexpr std::size_t sequence_digits_max = 3;
constexpr std::size_t source_octets_max = 255;
// Nanoseconds since 1970 have 19 digits from 2001 to 2286; the ancestor prints whatever it has.
constexpr std::size_t timestamp_digits_min = 16;
constexpr std::size_t timestamp_digits_max = 20;

bool is_digit(std::uint8_t octet) noexcept {
    return octet >= '0' && octet <= '9';
}
bool is_source_octet(std::uint8_t octet) noexcept {
    return octet > 0x1f && octet != '|';
}
bool is_tags_octet(std::uint8_t octet) noexcept {
    return octet != 0 && octet != '|';
}
bool is_padding(std::uint8_t octet) noexcept {
    return octet == '0';
}

class Reader {
public:
    explicit Reader(std::span<const std::byte> data) noexcept : rest_(data) {}

    // Moves over the octets that `accepts` takes and returns them.
    std::span<const std::byte> take(bool (*accepts)(std::uint8_t) noexcept) noexcept {
        std::size_t count = 0;
        while (count < rest_.size() && accepts(std::to_integer<std::uint8_t>(rest_[count]))) {
            ++count;
        }
        const std::span<const std::byte> taken = rest_.first(count);
        rest_ = rest_.subspan(count);
        return taken;
    }

    // Moves over one '|'; false if there is none here.
    bool take_bar() noexcept {
        if (rest_.empty() || rest_.front() != std::byte{'|'}) return false;
        rest_ = rest_.subspan(1);
        return true;
    }

    [[nodiscard]] bool is_at_end() const noexcept { return rest_.empty(); }

private:
    std::span<const std::byte> rest_;
};

bool is_sequence(std::span<const std::byte> digits) noexcept {
    if (digits.empty() || digits.size() > sequence_digits_max) return false;
    return digits.size() == 1 || digits.front() != std::byte{'0'};
}

}  // namespace

bool looks_like_ancestor(std::span<const std::byte> data) noexcept {
    Reader reader(data);
    if (!is_sequence(reader.take(is_digit)) || !reader.take_bar()) return false;

    const std::size_t source_octets = reader.take(is_source_octet).size();
    if (source_octets == 0 || source_octets > source_octets_max || !reader.take_bar()) return false;

    const std::size_t timestamp_digits = reader.take(is_digit).size();
    if (timestamp_digits < timestamp_digits_min || timestamp_digits > timestamp_digits_max) {
        return false;
    }
    if (!reader.take_bar()) return false;

    reader.take(is_tags_octet);
    if (!reader.take_bar()) return false;
    reader.take(is_padding);
    return reader.is_at_end();
}

}  // namespace latmon
