#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# How long until 20,000 targets are probed? From the start of the process until it says that it
# probes, until the first answer, and until every target has answered once; the last includes the
# interval of a second over which first probes are spread.
import sys

import measure
from case import Case, run

COUNTS = (1, 1_000, measure.allowed_targets(20_000))


def main():
    options = measure.arguments("How long until all targets are probed?", 3)
    figures = measure.Figures("Start-up", options)
    for _ in range(options.runs):
        for count in (1, 100) if options.smoke else COUNTS:
            result = run(options, Case(count=count, rate_per_s=count))
            of = measure.targets(count)
            record, started_ns = result.record, result.started_ns
            figures.add(f"until it probes, {of}", result.starting_ns, "ns")
            figures.add(f"until the first answer, {of}", record["first_seen_ns"] - started_ns, "ns")
            has_all = record["series_seen"] == count
            figures.add(f"until all have answered, {of}",
                        record["all_seen_ns"] - started_ns if has_all else None, "ns")
    return figures.finish()


if __name__ == "__main__":
    sys.exit(main())
