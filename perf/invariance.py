#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Does the figure of one target move when others are added? One watched target at 1 kHz, alone and
# beside up to 20,000 others; and once more with the same 10,000 probes a second spread over all of
# them. On loopback there is no network, so that all of a published round trip is error of ours and
# of the kernel's; the far end's share is taken out by its own kernel stamps (README.md says how).
# Beside it what an application sees, with waking up at both ends in it; and, with stamps of user
# space alone, a published round trip that is not taken out of that.
import sys

import measure
from case import Case, run

COUNTS = (1, 100, 1_000, 5_000, measure.allowed_targets(20_000))
SHARED_PER_S = 10_000      # Of all targets together, where they share a rate.
WATCHED_PER_S = 1_000
OTHER_PER_S = 1.0          # Of each other target beside the watched one.
JUDGED = 5_000
# Packets with all TLVs: the far end's exact T3 comes with the next reply.
KEYS = {"size": 0, "stamps": "kernel"}
METRICS = (("added error", "rtt"), ("round trip of an application", "rtt_user"),
           ("lateness", "lateness"), ("send to stamp", "local_tx"), ("stamp to read", "local_rx"),
           ("the reflector's turnaround", "turnaround"))
# Without kernel stamps nothing can be taken out: what is published is what an application sees,
# less what the far end took between its own stamps.
USER_METRICS = (("round trip published", "rtt"), *METRICS[1:3])
RATIOS = ("rtt", "rtt_user")


def cases(count, others_per_s):
    """How the targets are probed, and whose figures are looked at."""
    keys = KEYS | {"timeout": 0.5}
    yield (f"{WATCHED_PER_S:,}/s beside others at {others_per_s:g}/s", "watched",
           Case(count=count, rate_per_s=count * others_per_s, watched_per_s=WATCHED_PER_S,
                keys=keys, reflector="latmon"))
    shared = f"{SHARED_PER_S:,}/s shared by all"
    yield (shared, "all",
           Case(count=count, rate_per_s=SHARED_PER_S, keys=keys, reflector="latmon"))
    yield (f"{shared}, user stamps", "all",
           Case(count=count, rate_per_s=SHARED_PER_S, keys=keys | {"stamps": "user"},
                reflector="latmon"))


def is_by_kernels(record):
    """All four stamps of all that was answered are the kernels'; T3 nearly always."""
    total = sum(record["t1_stamp"])
    return total > 0 and all(record[f"{stamp}_stamp"][2] >= 0.99 * total
                             for stamp in ("t1", "t2", "t3", "t4"))


def add(parser):
    parser.add_argument("--others-per-s", type=float, default=OTHER_PER_S,
                        help="rate of each other target (default: 1)")


def add_figures(figures, result, asked, first):
    """`asked`: what cases() gave. `first`: the figures of one target alone."""
    how, of, case = asked
    size, is_stamped = measure.targets(case.count), case.keys["stamps"] == "kernel"
    for name, metric in METRICS if is_stamped else USER_METRICS:
        for percentile in ("p50", "p99"):
            key = f"{name} {percentile}, {how}"
            value = result.value(metric, percentile, of)
            figures.add(f"{key}, {size}", value, "ns")
            alone = first.setdefault(key, value)
            if metric in RATIOS and case.count > 1 and value and alone:
                figures.add(f"{key}, {size} / 1", value / alone, "x")
    if is_stamped and not is_by_kernels(result.record):
        figures.note(f"Not all stamps are the kernels' ({size}, {how}): what is called added error "
                     "holds more.")


def main():
    options = measure.arguments("Does a figure move when targets are added?", 5, add)
    figures = measure.Figures("Invariance: one target beside others", options)
    for _ in range(options.runs):
        first = {}
        for count in (1, 100) if options.smoke else COUNTS:
            for asked in cases(count, options.others_per_s):
                add_figures(figures, run(options, asked[2]), asked, first)
    for title, _, case in cases(1, options.others_per_s):
        if case.keys["stamps"] == "kernel":
            figures.goal(f"added error p50, {title}, {JUDGED:,} targets / 1", most=1.2)
            figures.goal(f"added error p99, {title}, {JUDGED:,} targets / 1", most=2)
    figures.note("With kernel stamps and more than 64 targets on a core latmon lets replies wait "
                 "for each other, for 50 us at most: that is in what an application sees, and not "
                 "in the added error. README.md says when it does not.")
    return figures.finish()


if __name__ == "__main__":
    sys.exit(main())
