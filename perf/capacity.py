#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# How many probes a second does one core send before it falls behind? One latmon core, one CPU that
# answers, a socket per target, with stamps of the kernel and without. Two answers: the highest rate
# that is kept (bisected, to 5 %), and the round trips a second when far more is asked for. Beside
# them the least code that does the same over as many connected sockets.
import sys

import measure
from case import ANSWERED, OUR_FAULT, Case, run

KEPT = 0.999              # So much of the slots is sent, and of the probes answered.
LATENESS_MOST_NS = 1e6    # At the 99th percentile.
STEPS = 5
ASKED = 1.5               # When far more is asked for: so much of the floor.


def add(parser):
    parser.add_argument("--sockets", type=int, default=1000, help="targets (default: 1000)")


def floor_per_s(options, is_stamped):
    stamps = ["--stamps"] if is_stamped else []
    return measure.floor(options, "capacity", "--sockets", str(options.sockets),
                         *stamps)["round_trips_per_s"]


def at_rate(options, stamps, rate_per_s):
    return run(options, Case(count=options.sockets, rate_per_s=rate_per_s,
                             keys={"stamps": stamps, "node_interval": 1}))


def is_in_time(result, rate_per_s):
    """All that was asked for left, and in time; whether it was answered is another question."""
    left = result.rate_per_s() * (1 - result.share(OUR_FAULT))
    return (left >= KEPT * rate_per_s
            and result.value("lateness", "p99") <= LATENESS_MOST_NS)


def highest_kept(options, figures, stamps, floor):
    """(rate, Result) of the highest rate that was kept; bisected on a scale of ratios. (0, None):
    none was."""
    low, high, best = 0.3 * floor, 1.3 * floor, None
    for _ in range(1 if options.smoke else STEPS):
        rate_per_s = (low * high) ** 0.5
        result = at_rate(options, stamps, rate_per_s)
        answered = result.rate_per_s(ANSWERED)
        if is_in_time(result, rate_per_s) and answered >= KEPT * rate_per_s:
            low, best = rate_per_s, result
            continue
        high = rate_per_s
        if is_in_time(result, rate_per_s):
            figures.note(f"At {rate_per_s:,.0f}/s ({stamps} stamps) all was sent in time and "
                         f"{100 * (1 - answered / rate_per_s):.2g} % not answered, none of it lost "
                         "on our side: there the other end gave way, not latmon.")
    return (low, best) if best is not None else (0, None)


def ask(options, figures, stamps):
    """One run with one kind of stamps."""
    is_stamped = stamps == "kernel"
    of = f"{'kernel' if is_stamped else 'no kernel'} stamps"
    floor = floor_per_s(options, is_stamped)
    figures.add(f"floor, {of}", floor, "/s")
    kept, result = highest_kept(options, figures, stamps, floor)
    figures.add(f"highest rate kept, {of}", kept, "/s")
    figures.add(f"highest rate kept / floor, {of}", kept / floor, "x")
    calls = None
    if result is not None:
        figures.note(result.distrust())
        figures.add(f"lateness p99 at that rate, {of}", result.value("lateness", "p99"), "ns")
        figures.add(f"CPU of the core-thread per probe at that rate, {of}",
                    result.cores_ns() / result.probes, "ns")
        calls = result.node_per_s("ring_submissions_total", "ring_waits_total",
                                  "ring_polls_total")
    figures.add(f"system calls per probe at that rate, {of}",
                None if calls is None else calls / result.rate_per_s(), "", may_lack=True)
    result = at_rate(options, stamps, ASKED * floor)
    figures.add(f"round trips when {ASKED:g} x the floor is asked for, {of}",
                result.rate_per_s(ANSWERED), "/s")
    figures.add(f"round trips when {ASKED:g} x the floor is asked for / floor, {of}",
                result.rate_per_s(ANSWERED) / floor, "x")


def main():
    options = measure.arguments("How many probes a second does one core send?", 3, add)
    if options.smoke:
        options.sockets = min(options.sockets, 100)  # 0.1 ms is the least interval.
    figures = measure.Figures(f"Capacity of one core, {options.sockets:,} targets", options)
    for _ in range(options.runs):
        for stamps in ("kernel", "user"):
            ask(options, figures, stamps)
    figures.goal("highest rate kept, kernel stamps", least=200_000)
    figures.goal("highest rate kept / floor, kernel stamps", least=0.8)
    figures.goal("system calls per probe at that rate, kernel stamps", most=0.1)
    figures.note("A rate is kept if 99.9 % of the slots were sent and of the probes answered, and "
                 "99 % left within a millisecond. Samples went to the recorder, which takes more "
                 "than the null exporter.")
    return figures.finish()


if __name__ == "__main__":
    sys.exit(main())
