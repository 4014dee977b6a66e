// SPDX-License-Identifier: Apache-2.0
//
// Claims about windows as octets.
#include "stats/window_code.hpp"

#include "unit/stats/samples.hpp"

#include <doctest/doctest.h>
#include <vector>

namespace latmon {
namespace {

using namespace testing;

TEST_CASE("window_code: windows come back as they were, one behind the other") {
    std::vector<OwnedWindow> windows;
    for (std::uint32_t count : {0U, 1U, 500U}) {
        SeriesState state;
        windows.push_back(window_over(random_samples(count, count, ms), state).finish());
    }
    std::vector<std::uint64_t> memory(8'192, 0xaaaa'aaaa'aaaa'aaaa);
    const std::span<std::byte> octets = std::as_writable_bytes(std::span(memory));
    std::size_t written = 0;
    for (const OwnedWindow& owned : windows) {
        const std::size_t bytes = encode(owned.window, octets.subspan(written));
        CHECK(bytes == encoded_bytes(owned.window));
        CHECK(bytes % window_code_alignment == 0);
        written += bytes;
    }
    CHECK(memory[written / 8] == 0xaaaa'aaaa'aaaa'aaaa);
    std::size_t read = 0;
    for (const OwnedWindow& owned : windows) {
        latmon_window_t window;
        read += decode(octets.subspan(read), window);
        CHECK(is_same(window, owned.window));
    }
    CHECK(read == written);
}

TEST_CASE("window_code: no pointer is in the octets, and buckets are read where they lie") {
    SeriesState state;
    const OwnedWindow owned = window_over(random_samples(3, 100, ms), state).finish();
    std::vector<std::uint64_t> memory(encoded_bytes(owned.window) / 8);
    const std::span<std::byte> octets = std::as_writable_bytes(std::span(memory));
    encode(owned.window, octets);
    latmon_window_t head;
    std::memcpy(&head, octets.data(), sizeof(head));
    CHECK(head.buckets == nullptr);
    latmon_window_t window;
    decode(octets, window);
    const auto* const first = reinterpret_cast<const std::byte*>(window.buckets);
    CHECK(first == octets.data() + sizeof(latmon_window_t));
}

}  // namespace
}  // namespace latmon
