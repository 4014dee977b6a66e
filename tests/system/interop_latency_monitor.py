# SPDX-License-Identifier: Apache-2.0
#
# A latmon beside a real old node, the Python tool that it takes the place of: each probes the
# other, over UDP and TCP, once a second and a thousand times, with small and with usual packets.
# Once each has been answered, neither may complain of what the other sends, and what they print has
# the same form.
#
# LATMON_SYSTEM_SECONDS=60 python3 tests/system/interop_latency_monitor.py
import json
import re
import statistics
import sys
import unittest
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import latency_monitor
import node
import runner

HOST = "127.0.0.1"
METRICS = ("udp.wan.rtt", "udp.wan.owd", "tcp.wan.rtt", "tcp.wan.owd", "tcp.wan.latency")
# One line, octet for octet: json.dumps() of the metric, one point, and the tags.
FORM = re.compile(r'\{"metric": "[a-z.]+", "points": \[\[\d{19}, \d+\]\], '
                  r'"tags": \["source:[^"]+", "target:[^"]+"(?:, "[^"]+")*\]\}')


def setUpModule():
    latency_monitor.need()


def lines(path):
    """Whole lines only: the last may be on its way."""
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file if line.endswith("\n")]


def values(path):
    """Of each series: (metric, tags) -> values in ns, in the order printed."""
    found = defaultdict(list)
    for line in lines(path):
        metric = json.loads(line)
        found[metric["metric"], tuple(metric["tags"])].append(metric["points"][0][1])
    return found


def describe(series):
    return "; ".join(
        f"{metric}: n {len(series)}, median {statistics.median(series) / 1000:.0f} us, zeros "
        f"{series.count(0)}" for metric, series in sorted(series.items()))


class InteropLatencyMonitor(unittest.TestCase):
    def configurations(self, interval_ms, size):
        """The same file for both, but for names and ports, as the old tool takes it."""
        ports = {"new": node.free_ports(), "old": node.free_ports()}
        def of(name, other):
            return {"name": name, "address": HOST, "udp_port": ports[name].udp,
                    "tcp_port": ports[name].tcp, "interval": interval_ms, "timeout": 1,
                    "metrics": {"backend": "cli"},
                    "targets": [{"host": HOST, "label": other, "udp_port": ports[other].udp,
                                 "tcp_port": ports[other].tcp, "size": size,
                                 "tags": ["isp:local", f"from:{name}"]}]}
        return of("new", "old") | {"stamp_port": 0}, of("old", "new")

    def measure(self, interval_ms, size):
        new_keys, old_keys = self.configurations(interval_ms, size)
        # The old tool ends if nobody listens where it connects to, so latmon comes first.
        new = node.Node(self, new_keys).wait_started()
        old = latency_monitor.OldNode(self, old_keys).wait_started()

        def is_complete():
            seen = {metric for (metric, tags), ns in values(new.stdout_path).items()
                    if any(value > 0 for value in ns)}
            return seen == set(METRICS)
        runner.wait_until("every metric of latmon's", is_complete)
        # Before the old one was there, latmon asked by turns in both formats.
        before = len(old.complaints())
        node.run_for(runner.seconds(3), new)
        # While both run: what happens at the end is nobody's mistake.
        complaints = old.complaints()[before:]
        old_values = values(old.stdout_path)
        accounts = new.stop()
        old.kill()
        self.assertEqual(complaints, [])
        return new, accounts, old_values

    def check(self, interval_ms, size):
        new, accounts, old_values = self.measure(interval_ms, size)
        for line in lines(new.stdout_path):
            self.assertIsNotNone(FORM.fullmatch(line), line)
        new_values = values(new.stdout_path)
        sent, received = ("isp:local", "from:new"), ("isp:local", "from:old")
        expected = {
            (metric, ("source:old", "target:new", *received)) if metric.endswith(".owd")
            else (metric, ("source:new", "target:old", *sent)) for metric in METRICS}
        self.assertEqual(set(new_values), expected)
        # The other side says the same of itself: its names and tags are ours turned round.
        mirror = {
            (metric, ("source:new", "target:old", *sent)) if metric.endswith(".owd")
            else (metric, ("source:old", "target:new", *received)) for metric in METRICS}
        self.assertEqual(set(old_values), mirror)
        print(f"\ninterval {interval_ms} ms, size {size}"
              f"\nlatmon: {describe({key[0]: ns for key, ns in new_values.items()})}"
              f"\nold:    {describe({key[0]: ns for key, ns in old_values.items()})}")
        for protocol in ("udp", "tcp"):
            probe = accounts.probe("old", protocol)
            # A thousand times a second may be more than the old one does: what it answers so late
            # that its number has come round belongs to no probe.
            overdue = probe["lost"] + probe["late"] if interval_ms < 1000 else 0
            self.assertLessEqual(probe["invalid"], overdue, probe)
            self.assertEqual(probe["duplicate"], 0, probe)
            self.assertGreater(probe["answered"], 0)

    def test_small_packets_every_second(self):
        self.check(1000, 0)

    def test_usual_packets_every_second(self):
        self.check(1000, 1470)

    def test_small_packets_every_millisecond(self):
        self.check(1, 0)

    def test_usual_packets_every_millisecond(self):
        self.check(1, 1470)


if __name__ == "__main__":
    runner.main()
