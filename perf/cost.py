#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# What does a probe cost? CPU time of latmon's threads per probe and per exported sample, system
# calls per probe, cycles where the machine counts them; at 10,000 targets, with exporters that do
# nothing and that write JSON, and from 100 to 20,000 targets at the same probes a second. Beside it
# the least code that does the same I/O, in the same round: as fast as it can, and at the same rate.
# And what targets cost of which nothing is said.
import sys

import measure
from case import FILES_BY_DEFAULT, Case, by_default, run

CALLS = "raw_syscalls:sys_enter"
EVENTS = (CALLS, "cycles")
GROWTH_PER_S = 20_000
GROWTH_COUNTS = (100, 1_000, 5_000, 10_000, measure.allowed_targets(20_000))
# A core probes its first 64 one by one and those behind by sixteen (core/config/plan.cpp): what
# many cost is judged against few of which most are probed by themselves, and against few like them.
GROWTH_FROM = (100, 1_000)
GROUP = 16
DEFAULT_COUNT = measure.allowed_targets(3_000, FILES_BY_DEFAULT)

EXPORTERS = {"null": {"plugin": "null"},
             "json": {"plugin": "json", "file": "/dev/null"}}


def ask_floor(options, figures, count, rates_per_s):
    """{rate: nanoseconds of CPU per round trip}; None: of as many as it can do."""
    flags = ("--stamps", "--sockets", str(count))
    floors_ns = {None: measure.floor(options, "capacity", *flags)["cpu_ns_per_round_trip"]}
    figures.add(f"floor: CPU per round trip, {count:,} sockets, closed loop", floors_ns[None], "ns")
    for rate_per_s in rates_per_s:
        said = measure.floor(options, "paced", "--rate", str(rate_per_s), "--group", str(GROUP),
                             *flags)
        floors_ns[rate_per_s] = said["cpu_ns_per_round_trip"]
        of = f"{count:,} sockets, {rate_per_s:,}/s by {GROUP}"
        figures.add(f"floor: CPU per round trip, {of}", floors_ns[rate_per_s], "ns")
        figures.add(f"floor: round trips, {of}", said["round_trips_per_s"], "/s")
    return floors_ns


def add_costs(figures, result, of):
    """What all threads took; per probe."""
    per_probe_ns = result.total_ns() / result.probes
    figures.add(f"CPU per probe, exporter included, {of}", per_probe_ns, "ns")
    figures.add(f"CPU of one core, exporter included, {of}",
                100 * result.total_ns() / result.elapsed_ns, "%")
    figures.add(f"CPU of the core-thread per probe, {of}", result.cores_ns() / result.probes, "ns")
    figures.add(f"probes not answered, {of}", 100 * result.share_unanswered(), "%")
    missed = result.accounts.total("missed")
    figures.add(f"slots missed of all, {of}",
                100 * missed / max(1, missed + result.accounts.total("sent")), "%")
    figures.note(result.distrust())
    return per_probe_ns


def ask_cost(options, figures, count, per_target_per_s, exporter):
    """Nanoseconds per probe."""
    rate_per_s = count * per_target_per_s
    table = EXPORTERS[exporter] | {"queue_samples": 1 << 17, "samples": ["exchange"]}
    case = Case(count=count, rate_per_s=rate_per_s, is_recorded=False, is_counted=True,
                exporters=(table,))
    result = run(options, case)
    of = f"{measure.targets(count)} x {per_target_per_s:g}/s, {exporter}"
    per_probe_ns = add_costs(figures, result, of)
    kept = result.accounts.exporters[exporter]
    figures.add(f"CPU of the exporter-thread per sample, {of}",
                result.exporter_ns(exporter) / result.probes * kept["made"]
                / max(1, kept["exported"]), "ns")
    # What was not done costs nothing.
    figures.add(f"samples not exported, {of}",
                100 * (1 - kept["exported"] / max(1, kept["made"])), "%")
    return per_probe_ns


def ask_against_floor(options, figures, count, rates):
    """`rates`: probes of a target a second."""
    floors_ns = ask_floor(options, figures, count, [count * rate for rate in rates])
    for rate in rates:
        for exporter in EXPORTERS:
            per_probe_ns = ask_cost(options, figures, count, rate, exporter)
            of = f"{measure.targets(count)} x {rate:g}/s, {exporter}"
            for how, key in (("closed loop", None), ("at the same rate", count * rate)):
                figures.add(f"CPU per probe / floor, {how}, {of}", per_probe_ns / floors_ns[key],
                            "x")


def ask_default(options, figures, count):
    result = run(options, by_default(count))
    add_costs(figures, result, f"{measure.targets(count)} as by default")
    figures.add(f"probes, {measure.targets(count)} as by default",
                result.probes * measure.NS / result.elapsed_ns, "/s")


def ask_growth(options, figures, counts):
    rate_per_s = GROWTH_PER_S
    per_probe = {}
    for count in counts:
        # Counting is not free, so that it is not done where CPU time is looked at.
        case = Case(count=count, rate_per_s=rate_per_s, is_recorded=False, is_counted=True,
                    exporters=({"plugin": "null"},))
        result = run(options, case)
        figures.note(result.distrust())
        per_probe[count] = result.total_ns() / result.probes
        figures.add(f"CPU per probe, {rate_per_s:,}/s over {measure.targets(count)}",
                    per_probe[count], "ns")
    for few in GROWTH_FROM:
        for many in (count for count in counts if few in counts and count > few):
            figures.add(f"CPU per probe, {many:,} targets / {few:,}",
                        per_probe[many] / per_probe[few], "x")


def ask_events(options, figures):
    rate_per_s = GROWTH_PER_S if options.smoke else 100_000
    result = run(options, Case(count=1_000, rate_per_s=rate_per_s, is_recorded=False,
                               is_counted=True, exporters=({"plugin": "null"},), events=EVENTS))
    probes = result.probes * result.seconds * measure.NS / result.elapsed_ns  # While it counted.
    of = f"of the core-thread per probe, 1,000 targets, {rate_per_s:,}/s"
    for event, name in zip(EVENTS, ("system calls", "cycles")):
        count = result.events.get(event)
        figures.add(f"{name} {of}", None if count is None else count / probes, "",
                    may_lack=True)


def main():
    options = measure.arguments("What does a probe cost?")
    figures = measure.Figures("Cost of a probe", options)
    count = 200 if options.smoke else 10_000
    counts = (100, 500) if options.smoke else GROWTH_COUNTS
    for _ in range(options.runs):
        ask_against_floor(options, figures, count, (10,) if options.smoke else (10, 1))
        ask_default(options, figures, 50 if options.smoke else DEFAULT_COUNT)
        ask_growth(options, figures, counts)
        ask_events(options, figures)
    for exporter in EXPORTERS:
        figures.goal("CPU per probe, exporter included, 10,000 targets x 10/s, " + exporter,
                     most=5_000)
    for exporter in EXPORTERS:
        for each in ("10", "1"):
            of = f"10,000 targets x {each}/s, {exporter}"
            figures.goal(f"samples not exported, {of}", most=0)
            figures.goal(f"probes not answered, {of}", most=0.1)
    figures.goal("CPU of one core, exporter included, 10,000 targets x 1/s, null", most=5)
    for few in GROWTH_FROM:
        figures.goal(f"CPU per probe, {counts[-1]:,} targets / {few:,}", most=1.2)
    figures.note("Judged is what probes over UDP of 44 octets cost, without statistics. 'As by "
                 "default' are three probes a second to each target: UDP with TLVs, TCP, and a "
                 "handshake, with statistics and the page of Prometheus; a probe of any kind "
                 "counts as one.")
    figures.note("An event without a value is one that this kernel or hypervisor does not count.")
    return figures.finish()


if __name__ == "__main__":
    sys.exit(main())
