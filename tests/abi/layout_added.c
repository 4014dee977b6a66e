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
VALUE(LATMON_SERIES_PEER, 1u << 1);

/* latmon.counters/1, whose layout its id fixes. */
AT(latmon_counters_t, counter, 0);
AT(latmon_counters_t, add, 8);
AT(latmon_counters_t, set, 16);
_Static_assert(sizeof(latmon_counters_t) == 24, "latmon.counters/1 has changed: make it /2");
VALUE(LATMON_COUNTERS_MAX, 32u);
_Static_assert(sizeof(LATMON_COUNTERS_1) == sizeof("latmon.counters/1"), "an id never changes");

/* latmon.reopen/1 */
AT(latmon_reopen_t, reopen, 0);
_Static_assert(sizeof(latmon_reopen_t) == 8, "latmon.reopen/1 has changed: make it /2");
_Static_assert(sizeof(LATMON_REOPEN_1) == sizeof("latmon.reopen/1"), "an id never changes");
