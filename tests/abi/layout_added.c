/* SPDX-License-Identifier: Apache-2.0
 *
 * What ABI 1 got after its first release: a plugin of that time does not know it, one of today
 * counts on it. Lines are added, never changed. Compiled, never run. */
#include <latmon/latmon.h>

#include <stddef.h>

#define AT(type, field, offset) \
    _Static_assert(offsetof(type, field) == (offset), #type "." #field " has moved")
#define VALUE(constant, number) _Static_assert((constant) == (number), #constant " has changed")

AT(latmon_sample_t, tcp_ack_ns, 248);
AT(latmon_sample_t, reserved2, 252);
VALUE(LATMON_HAS_TCP_ACK, 1u << 27);
VALUE(LATMON_STATUS_LOST_LOCAL_TX, 11);
VALUE(LATMON_STATUS_LOST_LOCAL_RX, 12);
