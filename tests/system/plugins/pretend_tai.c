/* SPDX-License-Identifier: Apache-2.0
 *
 * LD_PRELOAD: a kernel that was told how far TAI is ahead of UTC. Who may set that in earnest sets
 * it for the whole host, which is not for a test to do. Not for builds with sanitizers, which must
 * be the first to be loaded. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

enum { TAI_MINUS_UTC_S = 37 }; /* Since 2017. */

int adjtimex(struct timex* clock) {
    const int state = (int)syscall(SYS_adjtimex, clock);
    clock->tai = TAI_MINUS_UTC_S;
    return state;
}
