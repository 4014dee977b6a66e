// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the real ring share: a ring, free ports on loopback, and waiting for what is
// to complete. Used on the test's own thread.
#pragma once

#include "reactor/ring_uring.hpp"

#include <doctest/doctest.h>
#include <array>
#include <memory>
#include <vector>

namespace latmon {

struct Recorder : Operation {
    Recorder() noexcept : Operation([](Operation&, const Completion&) noexcept {}) {}
};

inline std::unique_ptr<UringRing> open_ring(const UringOptions& options = {.sockets_max = 64}) {
    Result<std::unique_ptr<UringRing>> ring = UringRing::open(options);
    REQUIRE_MESSAGE(ring.has_value(), (ring ? "" : ring.error().text));
    return std::move(*ring);
}

// Drains until `count` completions have come, five seconds at most.
inline std::vector<Ready> wait_for(UringRing& ring, std::size_t count) {
    const OsClock clock;
    const Instant give_up = clock.now() + Duration::from_s(5);
    std::vector<Ready> all;
    while (all.size() < count && clock.now() < give_up) {
        ring.wait(clock.now() + Duration::from_ms(100));
        std::array<Ready, 64> ready;
        const std::uint32_t drained = ring.drain(ready);
        for (std::uint32_t index = 0; index < drained; ++index) {
            if (!ready[index].completion.has_more) ready[index].operation->is_active = false;
            all.push_back(ready[index]);
        }
    }
    REQUIRE(all.size() == count);
    return all;
}

inline Endpoint loopback(std::uint16_t port, bool is_ipv6 = false) {
    return *parse_endpoint(is_ipv6 ? "::1" : "127.0.0.1", port);
}

// A reflector's socket on a free port.
inline SocketId open_bound(UringRing& ring, std::uint16_t& port, SocketOptions options) {
    options.is_reflector = true;
    for (port = 20'000; port < 21'000; ++port) {
        options.local = loopback(port, options.is_ipv6);
        const Outcome<SocketId> socket = ring.open_udp(options);
        if (socket) return *socket;
    }
    FAIL("no free port");
    return no_socket;
}

inline SocketId open_bound(UringRing& ring, bool is_ipv6, std::uint16_t& port) {
    return open_bound(ring, port, {.is_ipv6 = is_ipv6});
}

inline std::vector<std::byte> pattern(std::size_t bytes) {
    std::vector<std::byte> data(bytes);
    for (std::size_t index = 0; index < bytes; ++index) {
        data[index] = static_cast<std::byte>(index * 7);
    }
    return data;
}

}  // namespace latmon
