// SPDX-License-Identifier: Apache-2.0
//
// A read from a TCP connection together with when the kernel had what was read: over TCP too, what
// a load was late by in reading is its own and must be known. Needs SO_TIMESTAMPING on the socket,
// which those of sockets.hpp have. Any thread.
#pragma once

#include "base/fd.hpp"
#include "base/time.hpp"

#include <sys/types.h>
#include <cstddef>
#include <optional>
#include <span>

namespace latmon::loadgen {

struct StreamRead {
    ssize_t count = 0;  // As recv(2) has it: 0 at the end of the stream, -1 with errno.
    // When the last of the octets read came, by the kernel. There is one stamp for a read (tcp(7)
    // keeps that of the latest segment), so that for octets in front of them it is the latest that
    // they can have come. Nothing: the kernel took none.
    std::optional<WallTime> arrival;
};

// Takes what is there, never waits.
[[nodiscard]] StreamRead read_stream(const Fd& socket, std::span<std::byte> into) noexcept;

// How long before `now` that was. Nothing if there is no stamp, or if it cannot be: a clock that
// was set since lies between the two.
[[nodiscard]] std::optional<Duration> dwell_of(std::optional<WallTime> arrival,
                                               WallTime now) noexcept;

}  // namespace latmon::loadgen
