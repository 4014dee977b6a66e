/* SPDX-License-Identifier: Apache-2.0
 *
 * The only header that a plugin includes: #include <latmon/latmon.h>. Plain C11, no dependency but
 * the C library's own <stdbool.h>, <stddef.h> and <stdint.h>. Start with plugin.h; README.md in
 * this directory says in prose what may change and what may not. */
#ifndef LATMON_LATMON_H
#define LATMON_LATMON_H

#include "counters.h"
#include "distribution.h"
#include "host.h"
#include "http.h"
#include "plugin.h"
#include "reopen.h"
#include "sample.h"
#include "series.h"
#include "version.h"
#include "window.h"

#endif /* LATMON_LATMON_H */
