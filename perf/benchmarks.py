#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# What do the parts of the hot path cost by themselves? Runs the micro-benchmarks (queue, sample,
# timers, wire, histogram; Google Benchmark) and puts their times, of each repetition, into the form
# of all other figures. A part's time is one thread's, with warm caches, and not that of a probe:
# cost.py.
import json
import sys

import measure

PROGRAMS = ("sample", "queue", "timers", "wire", "histogram")
UNITS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
SAMPLE_MOST_NS = 60


def took_ns(row):
    """Of one item, where an iteration is many; else CPU time of one iteration."""
    if "items_per_second" in row:
        return measure.NS / row["items_per_second"]
    return row["cpu_time"] * UNITS[row["time_unit"]]


def run(options, name):
    """[(benchmark, nanoseconds)] of one repetition of a program."""
    # The queue's threads place themselves.
    cpus = measure.CPUS if name == "queue" else [measure.OURS]
    rows = json.loads(measure.output_of(
        ["taskset", "-c", ",".join(map(str, cpus)), measure.program(options, name),
         "--benchmark_format=json",
         f"--benchmark_min_time={0.01 if options.smoke else 0.5}"]))["benchmarks"]
    broken = [f"{row['name']}: {row['error_message']}" for row in rows if row.get("error_occurred")]
    if broken:
        raise RuntimeError("\n".join(broken))
    return [(row["name"].removesuffix("/manual_time"), took_ns(row)) for row in rows]


def main():
    options = measure.arguments("What do the parts of the hot path cost by themselves?")
    figures = measure.Figures("Parts of the hot path", options)
    for _ in range(options.runs):
        for name in PROGRAMS:
            for benchmark, one_ns in run(options, name):
                figures.add(f"{name}: {benchmark}", one_ns, "ns")
    for tlvs in (0, 1):
        figures.goal(f"sample: reply_to_queue/tlvs:{tlvs}", most=SAMPLE_MOST_NS)
    return figures.finish()


if __name__ == "__main__":
    sys.exit(main())
