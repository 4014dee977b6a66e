// SPDX-License-Identifier: Apache-2.0
//
// The numbers of one path's probes in the ancestor's format: 0 to 100 and again, without a gap, as
// its servers expect. Finds the exchange that a reply's number stands for, and knows when that may
// be a former one:
//
//   exchange   ... 205 206 207 ...  305 306 307 308
//   number     ...   3   4   5 ...    2   3   4   5     5 is 308, or 207 if that had no answer
//
// Pure bookkeeping; one per probe, on its core-thread.
#pragma once

#include "wire/ancestor.hpp"

#include <bitset>
#include <cstddef>
#include <cstdint>

namespace latmon {

class AncestorNumbers {
public:
    // A new path: the far end counts from 0.
    void restart() noexcept { *this = AncestorNumbers{}; }

    // Numbers the exchange `sequence`, which follows the one before, or a pause.
    std::uint8_t take(std::uint32_t sequence) noexcept {
        const std::uint8_t number = next_;
        is_doubtful_[number] = is_open_[number];
        is_open_[number] = true;
        latest_ = sequence;
        next_ = static_cast<std::uint8_t>((number + 1U) % ancestor_sequences);
        return number;
    }

    [[nodiscard]] std::uint8_t next() const noexcept { return next_; }

    // The exchange that had this number last, if numbers were given without a pause since. 0..100
    [[nodiscard]] std::uint32_t sequence_of(std::uint32_t number) const noexcept {
        return latest_ - (next_ + ancestor_sequences - 1 - number) % ancestor_sequences;
    }

    // A reply came to the exchange that had this number last. 0..100
    void note_reply(std::size_t number) noexcept {
        is_open_[number] = is_doubtful_[number] = false;
    }
    // A reply came to the exchange that had it before.
    void note_former_reply(std::size_t number) noexcept { is_doubtful_[number] = false; }

    // No reply ever came to the exchange that had this number before the last: one that comes now
    // may be for either. 0..100
    [[nodiscard]] bool is_doubtful(std::size_t number) const noexcept {
        return is_doubtful_[number];
    }
    // Every number stands for an exchange without a reply: one more would make every reply doubtful
    // with nothing to judge it by.
    [[nodiscard]] bool are_spent() const noexcept { return is_open_.all(); }

private:
    std::bitset<ancestor_sequences> is_open_;
    std::bitset<ancestor_sequences> is_doubtful_;
    std::uint32_t latest_ = 0;
    std::uint8_t next_ = 0;
};

}  // namespace latmon
