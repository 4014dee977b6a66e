#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# What do latmon and others report, keep and cost, side by side? The same path, rate and size for
# all; the answering end on the first CPU, the probing end on the last; in turns. README.md says how
# to read it. `tools/setup peers` installs the others. Needs root and two CPUs.
#
#   perf/peers/run.py                      # loopback, three rounds, all tools, about 20 minutes
#   perf/peers/run.py --netns              # over a veth pair between two namespaces
#   perf/peers/run.py --only latmon --only sockperf --loads 1
import itertools
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import measure  # noqa: E402  (needs the path above; brings that of the test suite's helpers)
import cable  # noqa: E402
import runner  # noqa: E402
import tables  # noqa: E402
import tool as tools  # noqa: E402
import tool_fping  # noqa: E402
import tool_irtt  # noqa: E402
import tool_latency_monitor  # noqa: E402
import tool_latmon  # noqa: E402
import tool_smokeping_prober  # noqa: E402
import tool_sockperf  # noqa: E402
import trial  # noqa: E402


def parse():
    def add(parser):
        parser.add_argument("--netns", action="store_true",
                            help="over a veth pair instead of loopback")
        parser.add_argument("--size", type=int, default=128, metavar="OCTETS",
                            help="of a UDP payload, or of an echo's data (default: 128)")
        parser.add_argument("--only", action="append", metavar="TOOL",
                            help="this tool, or these: a name, or what it begins with")
        parser.add_argument("--loads", default="1,100,1000", metavar="COUNT,...",
                            help="targets; 1 is probed 1000 times a second, more 10 times each "
                                 "(default: 1,100,1000)")
    return measure.arguments("What do latmon and others report, keep and cost, side by side?",
                             add=add)


OPTIONS = parse()
DEBIAN = [tool_sockperf.Sockperf, tool_irtt.Irtt, tool_fping.Fping,
          tool_smokeping_prober.SmokepingProber]
LATMON = [tool_latmon.Balanced, tool_latmon.Spin, tool_latmon.User]


def chosen():
    """The smoke test leaves out what is not a Debian package."""
    kinds = [*LATMON, *DEBIAN]
    if not OPTIONS.smoke:
        kinds.append(tool_latency_monitor.LatencyMonitor)
    if OPTIONS.only:
        kinds = [kind for kind in kinds
                 if any(kind.name.startswith(only) for only in OPTIONS.only)]
    if not kinds:
        sys.exit(f"no tool is named like {OPTIONS.only}")
    return kinds


def loads():
    def load(targets):
        rate = 1000 if targets == 1 else 10
        return tools.Load(targets, rate, OPTIONS.size, OPTIONS.seconds, measure.settle_s(OPTIONS))
    counts = [1, 10] if OPTIONS.smoke else [int(count) for count in OPTIONS.loads.split(",")]
    return [load(count) for count in counts]


def need(kinds):
    runner.need_root()
    runner.need_two_cpus()
    for kind in kinds:
        for program in kind.programs:
            if shutil.which(program) is None:
                raise unittest.SkipTest(f"needs {program}: tools/setup peers")
        kind.need()


def judge(figures):
    """What latmon is to reach at one target, beside them in the same minutes: like for like, not
    with the kernel's stamps against theirs."""
    one = "1 x 1000/s, latmon / "
    figures.goal(f"{one}sockperf: {tables.NEAREST_P50}", most=1, may_lack=True)
    figures.goal(f"{one}irtt: {tables.NEAREST_P50}", most=0.5, may_lack=True)


def try_one(figures, kind, load, path):
    """A tool that fails under a load has no figures of that round, and the others go on; but a
    smoke test is to say whether all of them can be run and understood."""
    try:
        values = trial.run(kind, OPTIONS, load, path)
        if values["rtt p50"] is None:
            raise RuntimeError("it has reported no round trip")
        return values
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        if OPTIONS.smoke:
            raise
        figures.note(f"Failed under {load.name}: {kind.name}: {error}")
        return {}


def main():
    kinds = chosen()
    try:
        need(kinds)
    except unittest.SkipTest as reason:
        print(f"skipped: {reason}", flush=True)
        sys.exit(1 if os.environ.get("LATMON_NO_SKIP") == "1" else 77)
    figures = tables.PeerFigures("peers", OPTIONS)
    with cable.Stack() as stack:
        path = (cable.VethPair if OPTIONS.netns else cable.Loopback)(stack)
        figures.note(f"Path: {path.name}. Size: {OPTIONS.size} octets. Answering end on CPU "
                     f"{measure.THEIRS}, probing end on CPU {measure.OURS}.")
        trials = itertools.product(range(OPTIONS.runs), loads(), kinds)
        for turn, load, kind in trials:
            if load.targets > kind.most_targets:
                continue
            print(f"round {turn + 1}/{OPTIONS.runs}: {load.name}, {kind.name}", file=sys.stderr,
                  flush=True)
            figures.add_trial(load.name, kind.name, try_one(figures, kind, load, path))
    figures.add_ratios()
    judge(figures)
    sys.exit(figures.finish())


if __name__ == "__main__":
    main()
