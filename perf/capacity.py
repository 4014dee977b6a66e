#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# How many probes a second does one core send before it falls behind? One latmon core, one CPU that
# answers, a socket per target, with stamps of the kernel and without. Two answers: the highest rate
# that is kept (bisected, to 5 %), which is what the goals are of, and the round trips a second when
# far more is asked for and probes leave late or not at all. Beside them the least code that does
# the same over as many connected sockets.
import sys

import measure
from case import ANSWERED, OUR_FAULT, SENT, Case, run

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
    """The far end never sleeps, as the floor's does not."""
    return run(options, Case(count=options.sockets, rate_per_s=rate_per_s, is_counted=True,
                             reflect_flags=measure.reflect_spins(options),
                             keys={"stamps": stamps}))


def left_per_s(result):
    """What left this host, and whatever came back of it was not lost here."""
    return result.rate_per_s() * (1 - result.share(OUR_FAULT))


def is_in_time(result, rate_per_s):
    """All that was asked for left, and in time; whether it was answered is another question."""
    return (left_per_s(result) >= KEPT * rate_per_s
            and result.value("lateness", "p99") <= LATENESS_MOST_NS)


def note_far_end(figures, result, what):
    """`what`: of which run. Says so if it was not latmon that gave way."""
    lacking = 1 - result.rate_per_s(ANSWERED) / max(1, left_per_s(result))
    if lacking > 1 - KEPT:
        figures.note(f"{what} {100 * lacking:.2g} % of what left was not answered, none of it lost "
                     "on our side: there the other end gave way first, not latmon.")


def highest_kept(options, figures, stamps, floor):
    """(rate, Result) of the highest rate that was kept; bisected on a scale of ratios. (0, None):
    none was."""
    low, high, best = 0.3 * floor, 1.3 * floor, None
    for _ in range(1 if options.smoke else STEPS):
        rate_per_s = (low * high) ** 0.5
        result = at_rate(options, stamps, rate_per_s)
        was_in_time = is_in_time(result, rate_per_s)
        if was_in_time and result.rate_per_s(ANSWERED) >= KEPT * rate_per_s:
            low, best = rate_per_s, result
            continue
        high = rate_per_s
        if was_in_time:
            note_far_end(figures, result, f"At {rate_per_s:,.0f}/s ({stamps} stamps) all was sent "
                                          "in time, and")
    return (low, best) if best is not None else (0, None)


def add_costs(figures, result, of):
    """What a probe took, and why the run would not be believed; None: there was no such run."""
    calls = sent = None
    if result is not None:
        figures.note(result.distrust())
        figures.add(f"lateness p99 {of}", result.value("lateness", "p99"), "ns")
        figures.add(f"CPU of the core-thread per probe {of}", result.cores_ns() / result.probes,
                    "ns")
        calls = result.node_per_s("ring_submissions_total", "ring_waits_total", "ring_polls_total")
        sent = result.node_per_s(SENT)
    figures.add(f"system calls per probe {of}", calls / sent if calls and sent else None, "",
                may_lack=True)


def ask(options, figures, stamps):
    """One run with one kind of stamps."""
    is_stamped = stamps == "kernel"
    of = f"{'kernel' if is_stamped else 'no kernel'} stamps"
    floor = floor_per_s(options, is_stamped)
    figures.add(f"floor, {of}", floor, "/s")
    kept, result = highest_kept(options, figures, stamps, floor)
    figures.add(f"highest rate kept, {of}", kept, "/s")
    figures.add(f"highest rate kept / floor, {of}", kept / floor, "x")
    add_costs(figures, result, f"at the highest rate kept, {of}")
    result = at_rate(options, stamps, ASKED * floor)
    asked = f"when {ASKED:g} x the floor is asked for"
    figures.add(f"round trips {asked}, {of}", result.rate_per_s(ANSWERED), "/s")
    figures.add(f"round trips {asked} / floor, {of}", result.rate_per_s(ANSWERED) / floor, "x")
    add_costs(figures, result, f"{asked}, {of}")
    note_far_end(figures, result, f"{asked[0].upper()}{asked[1:]} ({of}),")


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
    figures.goal("system calls per probe at the highest rate kept, kernel stamps", most=0.1)
    figures.note("A rate is kept if 99.9 % of the slots were sent and of the probes answered, and "
                 "99 % left within a millisecond: the highest is what a core can be given before "
                 "lateness grows, and it is judged. Nothing is where more is asked for: there "
                 "probes leave late or not at all. Samples went to the recorder, which takes more "
                 "than the null exporter, from the CPU of the other end; the floor's other end has "
                 "that CPU alone.")
    return figures.finish()


if __name__ == "__main__":
    sys.exit(main())
