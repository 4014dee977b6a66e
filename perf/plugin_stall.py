#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# What does a plugin that stalls do to a measurement? 1,000 targets at ten probes a second, with a
# second exporter that takes a second for every batch, and without: lateness and round trip of the
# same stretch, what the first exporter got, and what the second one lost, which must be counted.
import sys

import measure
from case import Case, run

COUNT, RATE_PER_S = 1_000, 10_000
METRICS = (("round trip", "rtt"), ("lateness", "lateness"))


def stalled(options):
    """The plugin of the recorder, a second time, and slow."""
    return {"path": measure.program(options, "recorder.so"), "name": "stalled", "file": "",
            "queue_samples": 1024, "stall_ms": 1000}


def main():
    options = measure.arguments("What does a plugin that stalls do to a measurement?")
    figures = measure.Figures("A plugin that stalls", options)
    for _ in range(options.runs):
        first = {}
        for of, exporters in (("all well", ()), ("one stalled", (stalled(options),))):
            result = run(options, Case(count=COUNT, rate_per_s=RATE_PER_S, exporters=exporters))
            for name, metric in METRICS:
                for percentile in ("p50", "p99"):
                    value, key = result.value(metric, percentile), f"{name} {percentile}"
                    figures.add(f"{key}, {of}", value, "ns")
                    if exporters and value and first[key]:
                        figures.add(f"{key}, stalled / well", value / first[key], "x")
                    first.setdefault(key, value)
            other = result.accounts.exporters["recorder"]
            figures.add(f"samples that the other exporter lost, {of}",
                        other["made"] - other["exported"], "")
            if exporters:
                own = result.accounts.exporters["stalled"]
                figures.add("samples that the stalled one lost, counted", own["dropped"], "")
    figures.goal("samples that the other exporter lost, one stalled", most=0)
    return figures.finish()


if __name__ == "__main__":
    sys.exit(main())
