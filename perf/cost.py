#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# What does a probe cost? CPU time of latmon's threads per probe and per exported sample, system
# calls per probe, cycles where the machine counts them; at 10,000 targets, with exporters that do
# nothing and that write JSON, and from 100 to 20,000 targets at the same probes a second.
import sys

import measure
from case import Case, run

CALLS = "raw_syscalls:sys_enter"
EVENTS = (CALLS, "cycles")
GROWTH_PER_S = 20_000
GROWTH_COUNTS = (100, 1_000, 5_000, 10_000, measure.allowed_targets(20_000))

EXPORTERS = {"null": {"plugin": "null"},
             "json": {"plugin": "json", "file": "/dev/null"}}


def ask_cost(options, figures, count, per_target_per_s, exporter):
    rate_per_s = count * per_target_per_s
    table = EXPORTERS[exporter] | {"queue_samples": 1 << 17, "samples": ["exchange"]}
    case = Case(count=count, rate_per_s=rate_per_s, is_recorded=False, is_counted=True,
                exporters=(table,))
    result = run(options, case)
    of = f"{measure.targets(count)} x {per_target_per_s:g}/s, {exporter}"
    per_probe = result.total_ns() / result.probes
    figures.add(f"CPU per probe, exporter included, {of}", per_probe, "ns")
    figures.add(f"CPU of one core, exporter included, {of}",
                100 * result.total_ns() / result.elapsed_ns, "%")
    figures.add(f"CPU of the core-thread per probe, {of}", result.cores_ns() / result.probes, "ns")
    kept = result.accounts.exporters[exporter]
    figures.add(f"CPU of the exporter-thread per sample, {of}",
                result.exporter_ns(exporter) / result.probes * kept["made"]
                / max(1, kept["exported"]), "ns")
    # What was not done costs nothing.
    figures.add(f"samples not exported, {of}",
                100 * (1 - kept["exported"] / max(1, kept["made"])), "%")
    figures.add(f"probes not answered, {of}", 100 * result.share_unanswered(), "%")
    figures.note(result.distrust())
    missed = result.accounts.total("missed")
    figures.add(f"slots missed of all, {of}",
                100 * missed / max(1, missed + result.accounts.total("sent")), "%")


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
    few, many = counts[0], counts[-1]
    figures.add(f"CPU per probe, {many:,} targets / {few:,}", per_probe[many] / per_probe[few], "x")


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
        for per_target_per_s in (10,) if options.smoke else (10, 1):
            for exporter in EXPORTERS:
                ask_cost(options, figures, count, per_target_per_s, exporter)
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
    figures.goal(f"CPU per probe, {counts[-1]:,} targets / {counts[0]:,}", most=1.2)
    figures.note("An event without a value is one that this kernel or hypervisor does not count.")
    return figures.finish()


if __name__ == "__main__":
    sys.exit(main())
