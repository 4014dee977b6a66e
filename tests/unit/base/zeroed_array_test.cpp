// SPDX-License-Identifier: Apache-2.0
//
// What a table holds before it was written, and how much of it is in memory.
#include "base/zeroed_array.hpp"

#include <doctest/doctest.h>
#include <unistd.h>
#include <algorithm>
#include <cstdint>
#include <vector>

namespace latmon {
namespace {

constexpr std::size_t count = 1U << 20U;

std::size_t resident_pages(ZeroedArray<std::uint64_t>& array) {
    const std::size_t bytes = array.size() * sizeof(std::uint64_t);
    const auto page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    std::vector<unsigned char> pages((bytes + page_bytes - 1) / page_bytes);
    REQUIRE(::mincore(array.data(), bytes, pages.data()) == 0);
    return static_cast<std::size_t>(
        std::ranges::count_if(pages, [](unsigned char page) { return (page & 1U) != 0; }));
}

}  // namespace

TEST_CASE("zeroed_array: everything is 0, and what is written stays") {
    ZeroedArray<std::uint64_t> array(count);
    CHECK(array.size() == count);
    CHECK(array[0] == 0);
    CHECK(array[count - 1] == 0);
    array[count - 1] = 7;
    CHECK(array[count - 1] == 7);
    CHECK(array[count - 2] == 0);
}

TEST_CASE("zeroed_array: memory is taken as far as it is written") {
    ZeroedArray<std::uint64_t> array(count);
    CHECK(resident_pages(array) == 0);
    array[0] = 1;
    array[count / 2] = 1;
    CHECK(resident_pages(array) == 2);
}

TEST_CASE("zeroed_array: one of nothing is nothing") {
    const ZeroedArray<std::uint64_t> array(0);
    CHECK(array.size() == 0);
    CHECK(array.data() == nullptr);
}

}  // namespace latmon
