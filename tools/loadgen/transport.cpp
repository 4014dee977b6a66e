// SPDX-License-Identifier: Apache-2.0
//
// What the transports have in common; see transport.hpp.
#include "loadgen/transport.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace latmon::loadgen {

void stamp(Shot& shot, std::uint16_t ssid, std::span<std::byte> packet) noexcept {
    static const OsClock clock;
    // What a wall clock that nobody vouches for may be wrong by; the reply's timing is not judged.
    static const std::uint16_t error_estimate =
        encode_error_estimate({.error = Duration::from_ms(1)});
    shot.sent_at = clock.now();
    shot.t1 = to_ntp(clock.wall_now());
    shot.raw_sent_at = clock.raw_now();
    encode_sender(
        {.sequence = shot.sequence, .t1 = shot.t1, .error_estimate = error_estimate, .ssid = ssid},
        packet.first<limits::stamp_base_bytes>());
}

std::vector<std::byte> blank_request(std::uint32_t size_bytes) {
    LATMON_ASSERT(size_bytes >= limits::stamp_base_bytes);
    std::vector<std::byte> request(size_bytes);
    std::array<std::byte, tlv_header_bytes> header{};
    const std::uint32_t header_bytes = encode_padding_header(size_bytes, header);
    std::copy_n(header.begin(), header_bytes, request.begin() + limits::stamp_base_bytes);
    return request;
}

std::size_t wait_for_events(int epoll, Duration wait, std::span<epoll_event> events) noexcept {
    const timespec timeout{.tv_sec = wait.ns / 1'000'000'000, .tv_nsec = wait.ns % 1'000'000'000};
    const int count =
        ::epoll_pwait2(epoll, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    return count < 0 ? 0 : static_cast<std::size_t>(count);
}

}  // namespace latmon::loadgen
