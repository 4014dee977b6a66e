# SPDX-License-Identifier: Apache-2.0
#
# How the figures are shown: for each load a table of tools, and then latmon's figures divided by
# theirs, round by round.
import itertools
import statistics

import measure

COLUMNS = {  # Figure: unit.
    "rate": "%", "flows": "%", "rtt p50": "ns", "rtt p99": "ns", "trip p50": "ns",
    "trip p99": "ns", "spacing p50": "ns", "spacing p99": "ns", "lateness p50": "ns",
    "lateness p99": "ns", "timer mean": "ns", "client CPU": "ns", "core CPU": "ns",
    "server CPU": "ns", "RSS": "bytes", "Pss": "bytes", "dropped": "%"}

LATMON, USER = "latmon", "latmon, user stamps"
NEAREST_P50, NEAREST_P99 = "nearest rtt p50", "nearest rtt p99"
RATIOS = ("rtt p50", NEAREST_P50, "rtt p99", NEAREST_P99, "spacing p50", "spacing p99",
          "client CPU", "server CPU", "Pss")
# What latmon's is nearest to a tool's RTT: whose figure, and which. README.md says why.
NEAREST = {"sockperf": (LATMON, "trip"), "latency-monitor": (LATMON, "trip"),
           "irtt": (USER, "rtt"), "fping": (USER, "rtt"), "smokeping_prober": (USER, "rtt")}


def compared(tool, name):
    """A ratio of RATIOS is this latmon's figure of this name by that figure of the tool."""
    if name not in (NEAREST_P50, NEAREST_P99):
        return LATMON, name, name
    theirs = name.removeprefix("nearest ")
    whose, ours = NEAREST[tool]
    return whose, theirs.replace("rtt", ours), theirs


class PeerFigures(measure.Figures):
    """One figure of the base class is one of a tool under a load."""

    def __init__(self, question, options):
        super().__init__(question, options)
        self.trials = {}  # {load: {tool: [{figure: value} of each round]}}

    def command(self):
        return super().command().replace("perf/", "perf/peers/", 1)

    def add_trial(self, load, tool, values):
        self.trials.setdefault(load, {}).setdefault(tool, []).append(values)
        for name in COLUMNS:
            if values.get(name) is not None:
                self.add(f"{load}, {tool}: {name}", values[name], COLUMNS[name])

    def add_ratios(self):
        """Of each round its own: what a slow minute does to both cancels out."""
        for load, tools in self.trials.items():
            for tool, name in itertools.product(NEAREST, RATIOS):
                if LATMON not in tools or tool not in tools:
                    continue
                whose, ours, theirs = compared(tool, name)
                for our, their in zip(tools.get(whose, []), tools[tool]):
                    if our.get(ours) is not None and their.get(theirs):
                        self.add(f"{load}, latmon / {tool}: {name}", our[ours] / their[theirs], "x")

    def value(self, load, tool, name):
        runs = self.rows.get(f"{load}, {tool}: {name}", {"runs": []})["runs"]
        if not runs:
            return ""
        unit, of = COLUMNS[name], measure.spread(runs)
        text = measure.show(of["median"], unit)
        if len(runs) == 1:
            return text
        return f"{text} ({measure.show(of['low'], unit)} .. {measure.show(of['high'], unit)})"

    def print(self):
        print(f"### {self.question}\n\nMedian (low .. high) of {self.options.runs} rounds; "
              f"`{self.command()}`")
        for load, tools in self.trials.items():
            print(f"\n#### {load}\n")
            names = [name for name in COLUMNS if any(self.value(load, tool, name)
                                                     for tool in tools)]
            print(f"| figure | {' | '.join(tools)} |\n|---|{'---|' * len(tools)}")
            for name in names:
                cells = (self.value(load, tool, name) for tool in tools)
                print(f"| {name} | {' | '.join(cells)} |")
            self.print_ratios(load)
        for text in self.notes:
            print(f"\n{text}")
        print(flush=True)

    def print_ratios(self, load):
        """Below 1 latmon's figure is the smaller one."""
        def has(tool, name):
            return f"{load}, latmon / {tool}: {name}" in self.rows
        tools = [tool for tool in NEAREST if any(has(tool, name) for name in RATIOS)]
        if not tools:
            return
        print(f"\n| latmon divided by | {' | '.join(tools)} |\n|---|{'---|' * len(tools)}")
        for name in RATIOS:
            cells = (self.ratio(f"{load}, latmon / {tool}: {name}") for tool in tools)
            print(f"| {name} | {' | '.join(cells)} |")

    def ratio(self, name):
        row = self.rows.get(name)
        if row is None:
            return ""
        verdict = {True: " met", False: " **missed**", None: ""}[self.is_met(row)]
        return f"{measure.show(statistics.median(row['runs']), 'x')}{verdict}"
