#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# What does a second core bring? The same probes a second from one core and from two: if CPU time
# per probe stays the same, two cores do twice as much. Where there are CPUs to spare for those who
# answer, also the round trips a second when more is asked for than can be done.
import sys

import measure
from case import ANSWERED, Case, run

COUNT, RATE_PER_S, ASKED_PER_S = 2_000, 50_000, 400_000


def cores_to_try():
    """CPUs for one core, and for two; the second may be where the reflector is."""
    return {1: str(measure.OURS), 2: ",".join(map(str, sorted({measure.CPUS[-2], measure.OURS})))}


def main():
    options = measure.arguments("What does a second core bring?")
    figures = measure.Figures("Scaling from one core to two", options)
    rate_per_s = 2_000 if options.smoke else RATE_PER_S
    has_spare = len(measure.CPUS) > 2
    for _ in range(options.runs):
        per_probe, trips = {}, {}
        for cores, cpus in cores_to_try().items():
            result = run(options, Case(count=COUNT if not options.smoke else 20,
                                       rate_per_s=rate_per_s, keys={"cores": cpus}))
            per_probe[cores] = result.cores_ns() / result.probes
            figures.add(f"CPU of core-threads per probe, {cores} core{'s' * (cores > 1)}, "
                        f"{rate_per_s:,}/s", per_probe[cores], "ns")
            figures.add(f"slots missed, {cores} core{'s' * (cores > 1)}",
                        100 * max(0.0, 1 - result.rate_per_s() / rate_per_s), "%")
            if has_spare and not options.smoke:
                result = run(options, Case(count=COUNT, rate_per_s=cores * ASKED_PER_S,
                                           keys={"cores": cpus}))
                trips[cores] = result.rate_per_s(ANSWERED)
                figures.add(f"round trips, {cores} core{'s' * (cores > 1)}", trips[cores], "/s")
        figures.add("CPU per probe, two cores / one", per_probe[2] / per_probe[1], "x")
        if trips:
            figures.add("round trips, two cores / one", trips[2] / trips[1], "x")
    if not has_spare:
        figures.note("Two CPUs: the second core shares its own with those who answer, so that only "
                     "CPU time per probe is comparable.")
    return figures.finish()


if __name__ == "__main__":
    sys.exit(main())
