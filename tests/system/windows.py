# SPDX-License-Identifier: Apache-2.0
#
# Windows of a running daemon against the very samples that they were made of, which another
# exporter wrote: counts, extremes and percentiles of every window, loss as a part of them, and the
# objective judged in the window in which it is broken.
import collections
import math
import os
import signal
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner
import samples

SECOND_NS = 1_000_000_000
LOST = ("lost", "lost_forward", "lost_reverse", "unreachable")
LOST_LOCAL = ("local_error", "lost_local_tx", "lost_local_rx")
RANKS = {"rtt_p50_ns": 0.5, "rtt_p90_ns": 0.9, "rtt_p95_ns": 0.95, "rtt_p99_ns": 0.99,
         "rtt_p999_ns": 0.999, "rtt_p9999_ns": 0.9999}
# Half of a bucket's width at schema 7 is 0.27 %.
ERROR_MAX = 0.003
OBJECTIVE_NS = 500_000_000


def nearest_rank(answered, lost, ratio):
    """The value at that rank of all, a lost one being longer than any; None if it is lost."""
    rank = max(math.ceil(ratio * (len(answered) + lost)), 1)
    return sorted(answered)[rank - 1] if rank <= len(answered) else None


class Statistics(unittest.TestCase):
    def setUp(self):
        self.folder = runner.scratch(self)
        self.ports = node.free_ports()
        self.far_ports = node.free_ports()

    def start(self, windows):
        far = node.Node(self, node.config("far", self.far_ports)).wait_started()
        target = node.target("127.0.0.1", self.far_ports, label="far",
                             objective={"percent": 99.0, "rtt_us": OBJECTIVE_NS / 1000})
        near = node.Node(self, node.config(
            "near", self.ports, interval=5, timeout=0.2, targets=[target],
            exporters=[
                {"plugin": "json", "name": "samples", "file": str(self.folder / "samples"),
                 "queue_samples": 1 << 16}] + ([
                {"plugin": "json", "name": "windows", "file": str(self.folder / "windows"),
                 "samples": [], "windows": windows},
            ] if windows else []))).wait_started()
        return far, near

    def read(self, name):
        return list(samples.read(self.folder / name))

    # Samples by series and window, by the moment at which they were made.
    def by_window(self, length_ns):
        groups = collections.defaultdict(list)
        for sample in self.read("samples"):
            if sample["kind"] in ("exchange", "connect"):
                begin_ns = sample["time_ns"] // length_ns * length_ns
                groups[sample["series_id"], begin_ns].append(sample)
        return groups

    def check_window(self, window, group):
        statuses = collections.Counter(sample["status"] for sample in group)
        self.assertEqual(window["samples"], len(group))
        self.assertEqual(window["statuses"], dict(statuses))
        answered = [sample["rtt_ns"] for sample in group if sample["status"] in samples.ANSWERED]
        lost = sum(statuses[status] for status in LOST)
        self.assertEqual(window["answered"], len(answered))
        self.assertEqual(window["lost"], lost)
        self.assertEqual(window["lost_local"], sum(statuses[status] for status in LOST_LOCAL))
        if answered:
            self.assertEqual(window["rtt"]["count"], len(answered))
            self.assertEqual(window["rtt"]["sum_ns"], sum(answered))
            self.assertEqual(window["rtt"]["min_ns"], min(answered))
            self.assertEqual(window["rtt"]["max_ns"], max(answered))
        for name, ratio in RANKS.items():
            exact = nearest_rank(answered, lost, ratio) if answered or lost else None
            self.assertEqual(name in window, exact is not None, (name, window))
            if exact is not None:
                self.assertLessEqual(abs(window[name] - exact), ERROR_MAX * exact, name)
        if group[0]["kind"] == "exchange":
            good = sum(1 for rtt_ns in answered if rtt_ns <= OBJECTIVE_NS)
            self.assertEqual(window["objective_count"], len(answered) + lost)
            self.assertEqual(window["objective_good"], good)
            if answered or lost:
                self.assertEqual(window["objective_kept"], good >= 0.99 * (len(answered) + lost))

    def check_windows(self, length_s):
        groups = self.by_window(length_s * SECOND_NS)
        windows = [window for window in self.read("windows")
                   if window["length_ns"] == length_s * SECOND_NS]
        found = set()
        for window in windows:
            key = window["series_id"], window["begin_ns"]
            self.assertNotIn(key, found, "no window comes twice")
            found.add(key)
            self.check_window(window, groups[key])
        self.assertEqual(found, set(groups), "a window for all that was measured")
        return windows

    def test_windows_are_what_their_samples_say(self):
        far, near = self.start(["1s", "5s", "60s"])
        node.run_for(runner.seconds(3), far, near)
        os.kill(far.pid, signal.SIGSTOP)
        node.run_for(0.8, near)
        os.kill(far.pid, signal.SIGCONT)
        node.run_for(runner.seconds(2), far, near)
        accounts = near.stop()
        self.assertGreater(accounts.exporters["samples"]["made"], 0)
        self.assertEqual(accounts.exporters["samples"]["dropped"], 0)
        self.assertEqual(accounts.windows["windows"]["made"],
                         accounts.windows["windows"]["exported"])
        seconds = self.check_windows(1)
        self.check_windows(5)
        self.check_windows(60)
        exchanges = [window for window in seconds if window["of"] == "exchange"]
        broken = [window for window in exchanges if window.get("objective_kept") is False]
        self.assertTrue(broken, "the far end stood for 0.8 s")
        self.assertLess(len(broken), len(exchanges))
        for window in broken:
            self.assertGreater(window["lost"], 0)
            self.assertGreater(window["loss_burst_max"], 1)

    def test_windows_that_begin_with_a_reload_are_whole(self):
        far, near = self.start([])
        keys = near.config.read_text()
        node.run_for(0.5, far, near)
        near.config.write_text(keys + node.to_toml({"exporters": [
            {"plugin": "json", "name": "windows", "file": str(self.folder / "windows"),
             "samples": [], "windows": ["1s", "5s", "60s"]}]}))
        asked_ns = time.time_ns()
        near.process.send_signal(signal.SIGHUP)
        near.wait_line("reload: done")
        runner.wait_until("windows of three seconds", lambda: len(
            {window["begin_ns"] for window in self.read("windows")
             if window["length_ns"] == SECOND_NS}) >= 3)
        near.stop()
        windows = self.read("windows")
        groups = {length_s * SECOND_NS: self.by_window(length_s * SECOND_NS)
                  for length_s in (1, 5, 60)}
        for window in windows:
            self.assertGreater(window["begin_ns"], asked_ns)
            key = window["series_id"], window["begin_ns"]
            self.check_window(window, groups[window["length_ns"]][key])
        begins = {window["begin_ns"] for window in windows if window["length_ns"] == SECOND_NS}
        self.assertEqual(begins, set(range(min(begins), max(begins) + 1, SECOND_NS)))


if __name__ == "__main__":
    runner.main()
