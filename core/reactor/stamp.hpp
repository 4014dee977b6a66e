// SPDX-License-Identifier: Apache-2.0
//
// Time stamps that the kernel or the card takes of packets (Documentation/networking/timestamping
// in the kernel's tree): what they are called here. Plain values; used on core-threads.
//
// The kernel's stamps are readings of CLOCK_REALTIME and are handed on as they are: their user maps
// them by Clock::wall_of_kernel().
#pragma once

#include "base/time.hpp"

#include <cstdint>

namespace latmon {

// Who took a time stamp.
enum class StampSource : std::uint8_t { none, hardware, kernel };

// What happened to a packet of ours when its stamp was taken (SCM_TSTAMP_ of errqueue.h).
enum class StampPoint : std::uint8_t {
    sent,       // Handed to the driver, or sent by the card.
    scheduled,  // Entered the queueing discipline.
    acked       // TCP: acknowledged by the peer's host.
};

// The moment at which a packet of ours passed a point of the kernel or left the card.
struct TxStamp {
    std::uint32_t key = 0;  // Datagram: Message::set_key(). Stream: see prepare_send_stream().
    StampPoint point = StampPoint::sent;
    StampSource source = StampSource::none;  // none: this is no stamp.
    WallTime time;  // CLOCK_REALTIME; of hardware: by the card's own clock.
};

// How far stamps go on this kernel, found out when the ring is opened. Whether a given interface
// makes them is another question: only a packet tells.
enum class TxStampWay : std::uint8_t {
    ring,         // SOCKET_URING_OP_TX_TIMESTAMP, Linux 6.17.
    error_queue,  // MSG_ERRQUEUE, read when the socket says there is something.
    none          // Not at all: user space is the best there is.
};
struct StampAbility {
    TxStampWay tx = TxStampWay::none;
    bool has_keys = false;  // SCM_TS_OPT_ID, Linux 6.13: each datagram brings its own key.
    bool has_rx = false;
};

}  // namespace latmon
