#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# How much memory does a target take? Resident, proportional and private memory of latmon after it
# has run a while, at 1 to 20,000 targets of one probe a second each. What the kernel keeps for the
# sockets themselves is not in it.
import sys

import measure
from case import Case, run

COUNTS = (1, 1_000, 5_000, 10_000, measure.allowed_targets(20_000))
BASE_BYTES = 12 << 20
TARGET_BYTES = 1 << 10


def main():
    options = measure.arguments("How much memory does a target take?")
    figures = measure.Figures("Memory", options)
    counts = (1, 100) if options.smoke else COUNTS
    for _ in range(options.runs):
        rss = {}
        for count in counts:
            result = run(options, Case(count=count, rate_per_s=count, is_recorded=False,
                                       exporters=({"plugin": "null"},)))
            for kind, value in result.memory.items():
                figures.add(f"{kind}, {measure.targets(count)}", value, "bytes")
            rss[count] = result.memory["rss"]
        few, many = counts[0], counts[-1]
        figures.add("resident memory per target", (rss[many] - rss[few]) / (many - few), "bytes")
    for count in counts:
        figures.goal(f"rss, {measure.targets(count)}", most=BASE_BYTES + count * TARGET_BYTES)
    return figures.finish()


if __name__ == "__main__":
    sys.exit(main())
