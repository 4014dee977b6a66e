#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# How much memory does a target take? Resident, proportional and private memory of latmon after it
# has run a while, at 1 to 20,000 targets of one probe a second each; and with targets of which
# nothing is said, and statistics. What the kernel keeps for the sockets themselves is not in it.
import sys

import measure
from case import FILES_BY_DEFAULT, Case, by_default, run

COUNTS = (1, 1_000, 5_000, 10_000, measure.allowed_targets(20_000))
DEFAULT_COUNTS = (1, 1_000, measure.allowed_targets(3_000, FILES_BY_DEFAULT))
BASE_BYTES = 12 << 20
TARGET_BYTES = 1 << 10


def udp_alone(count):
    """What the goals are made for."""
    return Case(count=count, rate_per_s=count, is_recorded=False, exporters=({"plugin": "null"},))


def ask(options, figures, counts, case_of, how=""):
    """`how` the targets are configured stands behind each name."""
    rss = {}
    for count in counts:
        result = run(options, case_of(count))
        for kind, value in result.memory.items():
            figures.add(f"{kind}, {measure.targets(count)}{how}", value, "bytes")
        rss[count] = result.memory["rss"]
    few, many = counts[0], counts[-1]
    figures.add(f"resident memory per target{how}", (rss[many] - rss[few]) / (many - few), "bytes")


def main():
    options = measure.arguments("How much memory does a target take?")
    figures = measure.Figures("Memory", options)
    for _ in range(options.runs):
        ask(options, figures, (1, 100) if options.smoke else COUNTS, udp_alone)
        ask(options, figures, (1, 100) if options.smoke else DEFAULT_COUNTS,
            lambda count: by_default(count)._replace(is_counted=False), " as by default")
    for count in (1, 100) if options.smoke else COUNTS:
        figures.goal(f"rss, {measure.targets(count)}", most=BASE_BYTES + count * TARGET_BYTES)
    figures.note("Judged are targets over UDP, with the exporter null. Those 'as by default' have "
                 "three probes each, over UDP and TCP, with statistics and the page of Prometheus.")
    return figures.finish()


if __name__ == "__main__":
    sys.exit(main())
