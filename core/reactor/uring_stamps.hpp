// SPDX-License-Identifier: Apache-2.0
//
// What time stamps need of Linux and what the headers of Debian 12 (liburing 2.3, Linux 6.1) do not
// have yet. All such constants stand here and nowhere else; the kernel's user interface never
// changes them. Whether the running kernel knows them, ring_stamps.cpp finds out.
#pragma once

#include "reactor/stamp.hpp"

#include <linux/net_tstamp.h>
#include <cstdint>

struct io_uring_cqe;

namespace latmon {

// sqe->cmd_op of IORING_OP_URING_CMD on a socket, enum io_uring_socket_op of linux/io_uring.h,
// Linux 6.17: multishot; takes stamps off the socket's error queue, and nothing else. It needs
// completions of 32 octets (IORING_SETUP_CQE32). Each stamp is one completion with
// IORING_CQE_F_MORE: `res` is the key, `flags` holds type and origin, the second half an
// UringTimespec.
inline constexpr std::uint32_t socket_op_tx_timestamp = 4;

// Where `flags` of such a completion holds them: IORING_CQE_F_TSTAMP_HW and
// IORING_TIMESTAMP_TYPE_SHIFT of linux/io_uring.h, Linux 6.17. The type is a SCM_TSTAMP_.
inline constexpr std::uint32_t completion_stamp_is_hardware = 1U << 16U;
inline constexpr std::uint32_t completion_stamp_type_shift = 17;

// struct io_timespec of linux/io_uring.h, Linux 6.17.
struct UringTimespec {
    std::uint64_t seconds;
    std::uint64_t nanoseconds;
};
static_assert(sizeof(UringTimespec) == 16);

// Control message with the key of one datagram's stamps, uint32_t; SCM_TS_OPT_ID of
// asm-generic/socket.h, Linux 6.13. Older kernels refuse the whole datagram with EINVAL. (parisc
// and sparc number it otherwise; a number that is not known there is refused just so.)
inline constexpr int scm_ts_opt_id = 81;

// The key of a stream's stamps counts from what has been written, not from what has been
// acknowledged; SOF_TIMESTAMPING_OPT_ID_TCP of linux/net_tstamp.h, Linux 6.2.
inline constexpr std::uint32_t sof_timestamping_opt_id_tcp = 1U << 16U;

// The stamp in a completion of socket_op_tx_timestamp. [core-thread]
[[nodiscard]] TxStamp read_tx_stamp(const io_uring_cqe& entry) noexcept;

}  // namespace latmon
