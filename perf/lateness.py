#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# How late do we send, and what does it cost? One target at 1 kHz, in each precision mode, on a CPU
# that is ours alone and on one that another program wants all the time. The lateness is latmon's
# own account of each probe; perf/peers holds it against packets seen on the wire, and against irtt.
import sys

import measure
from case import Case, run

RATE_PER_S = 1000
MODES = ("power", "balanced", "spin")


def main():
    options = measure.arguments("How late do we send, and what does it cost?")
    figures = measure.Figures("Lateness at 1 kHz", options)
    for _ in range(options.runs):
        for mode in MODES:
            for has_hog in (False, True):
                result = run(options, Case(rate_per_s=RATE_PER_S, keys={"precision": mode},
                                           has_hog=has_hog))
                of = f"{mode}, {'beside a busy program' if has_hog else 'alone'}"
                for name in ("p50", "p99", "p999"):
                    figures.add(f"lateness {name}, {of}", result.value("lateness", name), "ns")
                missed = 1 - result.rate_per_s() / RATE_PER_S
                figures.add(f"slots missed, {of}", 100 * max(0.0, missed), "%")
                figures.add(f"CPU of the core-thread, {of}",
                            100 * result.cores_ns() / result.elapsed_ns, "%")
    figures.goal("lateness p50, balanced, alone", most=1_000)
    figures.goal("lateness p99, balanced, alone", most=20_000)
    figures.goal("CPU of the core-thread, balanced, alone", most=8)
    return figures.finish()


if __name__ == "__main__":
    sys.exit(main())
