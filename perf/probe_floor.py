#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# What round trip do we report where there is no network, and how much of it is us? Loopback, a
# reflector that never sleeps on one CPU, latmon that never sleeps on the other; beside it the least
# code that does the same, a busy ping-pong of two threads.
import sys

import measure
from case import Case, run

# Name, metric: what latmon publishes, what an application sees, and what lies between.
METRICS = (("round trip published", "rtt"), ("round trip of an application", "rtt_user"),
           ("of it: our send to the kernel's stamp", "local_tx"),
           ("of it: the kernel's stamp to our read", "local_rx"),
           ("of it: the reflector", "turnaround"))
# Stamps, probes a second, who answers. A latmon that answers tells its kernel's T2 and T3.
CASES = (("kernel", 1_000, "loadgen"), ("kernel", 1_000, "latmon"), ("kernel", 10_000, "loadgen"),
         ("user", 1_000, "loadgen"), ("user", 10_000, "loadgen"))


def main():
    options = measure.arguments("What round trip do we report where there is no network?")
    figures = measure.Figures("The round trip reported on loopback", options)
    spins = measure.reflect_spins(options)
    for _ in range(options.runs):
        floor_ns = measure.floor(options, "pingpong")["rtt_p50_ns"]
        figures.add("floor: busy ping-pong, p50", floor_ns, "ns")
        for stamps, rate_per_s, reflector in CASES:
            keys = {"precision": "spin", "stamps": stamps}
            if reflector == "latmon":
                keys["size"] = 0  # With TLVs: it tells its kernel's stamps in them.
            result = run(options, Case(rate_per_s=rate_per_s, keys=keys, reflector=reflector,
                                       reflect_flags=spins))
            of = f"{stamps} stamps, {rate_per_s:,}/s, {reflector} answers"
            for name, metric in METRICS:
                if stamps == "kernel" or not metric.startswith("local_"):
                    figures.add(f"{name}, p50, {of}", result.value(metric, "p50"), "ns")
            figures.note(result.distrust())
            for name, metric in METRICS[:2]:
                value = result.value(metric, "p50")
                figures.add(f"{name} / floor, {of}",
                            None if value is None else value / floor_ns, "x")
    # Between kernel stamps latmon reports less than an application could see; like by like is the
    # other: both ends in user space, and asked as fast as the floor's keep a cache warm.
    for of in ("kernel stamps, 1,000/s", "user stamps, 10,000/s"):
        figures.goal(f"round trip published / floor, {of}, loadgen answers", most=1.1)
    if not spins:
        figures.note("The reflector sleeps: this loadgen has no --spin.")
    figures.note("With kernel stamps the published round trip holds neither end's waking up; the "
                 "floor's holds both of its ends' system calls.")
    return figures.finish()


if __name__ == "__main__":
    sys.exit(main())
