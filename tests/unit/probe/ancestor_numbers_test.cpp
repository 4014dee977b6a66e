// SPDX-License-Identifier: Apache-2.0
//
// Claims about a hundred and one numbers that stand for any number of exchanges.
#include "probe/ancestor_numbers.hpp"

#include <doctest/doctest.h>

namespace latmon {

TEST_CASE("ancestor_numbers: they run from 0 to 100 and again, and lead back to the exchange") {
    for (const std::uint32_t first : {0U, 7U, 0xffff'ffc0U}) {  // The last wraps on the way.
        AncestorNumbers numbers;
        for (std::uint32_t count = 0; count < 500; ++count) {
            CHECK(numbers.next() == count % 101);
            CHECK(numbers.take(first + count) == count % 101);
            CHECK(numbers.sequence_of(count % 101) == first + count);
            if (count >= 100) CHECK(numbers.sequence_of((count + 1) % 101) == first + count - 100);
        }
    }
}

TEST_CASE("ancestor_numbers: a number is in doubt if nothing answered it when it was given again") {
    AncestorNumbers numbers;
    for (std::uint32_t sequence = 0; sequence < 101; ++sequence) {
        const std::uint8_t number = numbers.take(sequence);
        CHECK(!numbers.is_doubtful(number));
        if (number != 5 && number != 6) numbers.note_reply(number);
    }
    CHECK(!numbers.is_doubtful(5));
    for (std::uint32_t sequence = 101; sequence < 110; ++sequence)
        numbers.take(sequence);
    CHECK(!numbers.is_doubtful(4));
    CHECK(numbers.is_doubtful(5));
    CHECK(numbers.is_doubtful(6));
    numbers.note_former_reply(5);
    CHECK(!numbers.is_doubtful(5));
    numbers.note_reply(6);
    CHECK(!numbers.is_doubtful(6));
}

TEST_CASE("ancestor_numbers: they are spent when each stands for an exchange without a reply") {
    AncestorNumbers numbers;
    for (std::uint32_t sequence = 0; sequence < 101; ++sequence) {
        CHECK(!numbers.are_spent());
        numbers.take(sequence);
    }
    CHECK(numbers.are_spent());
    numbers.note_reply(17);
    CHECK(!numbers.are_spent());
    numbers.restart();
    CHECK(!numbers.are_spent());
    CHECK(numbers.next() == 0);
}

}  // namespace latmon
