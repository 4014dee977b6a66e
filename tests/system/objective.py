# SPDX-License-Identifier: Apache-2.0
#
# A target that kept its objective breaks it at a known time, and a Prometheus knows within one
# window and one scrape. By default the window is the shortest, of a second, of which the exporter
# prometheus gives the two counts that an objective is judged by; with
#
#   LATMON_SYSTEM_OBJECTIVE_WINDOW=60 python3 tests/system/objective.py
#
# it is the minute that `latmon_objective_kept` is about, which takes two to three minutes.
import math
import os
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner
import samples
import stamp
from prometheus_servers import Prometheus
from reflectors import Reflectors

WINDOW_S = int(os.environ.get("LATMON_SYSTEM_OBJECTIVE_WINDOW", 1))
SCRAPE_S = 0.5
INTERVAL_MS = 10
RATIO, GOOD_S = 0.99, 0.15
SLOW_S = 0.3  # What an answer takes from the breach on. It is an answer, and no loss.
# Of a window, when it breaks: more than a hundredth of what comes in it is slow by its end.
BREACH_AT = 0.5


class Objective(unittest.TestCase):
    def setUp(self):
        self.breach_s = math.inf
        self.windows_path = runner.scratch(self) / "windows"

    def answer(self, request, _):
        """T2 and T3 are those of the receipt: what it takes is on the way."""
        is_slow = time.time() >= self.breach_s
        return [(SLOW_S if is_slow else 0, stamp.reply_to(request))]

    def start(self):
        reflectors = Reflectors(self)
        port = reflectors.add(self.answer)
        admin = f"127.0.0.1:{node.free_ports().tcp}"
        target = {"host": "127.0.0.1", "udp_port": port, "label": "far", "type": "udp",
                  "tags": ["isp:a"]}
        text = node.to_toml(node.config(
            "near", node.free_ports(), interval=INTERVAL_MS, timeout=1, targets=[target],
            admin={"listen": admin}, exporters=[
                {"plugin": "prometheus"},
                {"plugin": "json", "file": str(self.windows_path), "samples": [],
                 "windows": ["1s", "60s"]}]))
        # An objective is a value, not a table.
        value = f"{{ percent = {100 * RATIO}, rtt_us = {GOOD_S * 1e6:.0f} }}"
        daemon = node.Node(self, f"objective = {value}\n{text}").wait_started()
        reflectors.start()
        self.prometheus = Prometheus(self, [admin], interval_s=SCRAPE_S)
        self.prometheus.start()
        return daemon

    def scraped(self, metric):
        """[(when, value)] of the one series."""
        found = self.prometheus.scraped(f'{metric}{{target="far",source="near",isp="a"}}')
        return found[0][1] if found else []

    def judged(self):
        """[(when, was it kept?)]: what one who asks this Prometheus knew, and when."""
        if WINDOW_S == 60:
            return [(at_s, value == 1) for at_s, value in self.scraped("latmon_objective_kept")]
        good = dict(self.scraped("latmon_objective_good_total"))
        verdicts, before = [], None
        for at_s, count in self.scraped("latmon_objective_probes_total"):
            if at_s not in good:  # Scraped between the two questions.
                continue
            if before is not None and count > before[0]:
                verdicts.append((at_s, good[at_s] - before[1] >= RATIO * (count - before[0])))
            before = count, good[at_s]
        return verdicts

    def break_it(self):
        """The window in which it is about to break, from its beginning."""
        now_s = time.time()
        begin_s = now_s // WINDOW_S * WINDOW_S
        if now_s > begin_s + BREACH_AT / 2 * WINDOW_S:
            begin_s += WINDOW_S
        self.breach_s = begin_s + BREACH_AT * WINDOW_S
        return begin_s

    def check_window(self, begin_s):
        """The daemon's own verdict, and that it was the first of this kind."""
        verdicts = {window["begin_ns"] // 10**9: window["objective_kept"]
                    for window in samples.read(self.windows_path)
                    if window["length_ns"] == WINDOW_S * 10**9 and "objective_kept" in window}
        self.assertFalse(verdicts[begin_s])
        self.assertTrue(all(kept for at_s, kept in verdicts.items() if at_s < begin_s), verdicts)

    def test_a_breach_is_known_within_a_window_and_a_scrape(self):
        daemon = self.start()
        patience_s = 2 * WINDOW_S + runner.DEADLINE_S
        runner.wait_until("a window that keeps it", self.judged, patience_s)
        begin_s = self.break_it()
        runner.wait_until("the breach", lambda: not all(kept for _, kept in self.judged()),
                          patience_s)
        verdicts = self.judged()
        daemon.stop()
        known_s = next(at_s for at_s, kept in verdicts if not kept)
        print(f"known {known_s - self.breach_s:.2f} s after the breach", file=sys.stderr)
        self.assertTrue(any(at_s < self.breach_s for at_s, _ in verdicts))
        self.assertGreater(known_s, self.breach_s)
        self.assertLessEqual(known_s, self.breach_s + WINDOW_S + SCRAPE_S)
        self.assertEqual({value for _, value in self.scraped("latmon_objective_ratio")}, {RATIO})
        self.assertEqual(
            {value for _, value in self.scraped("latmon_objective_threshold_seconds")}, {GOOD_S})
        self.check_window(begin_s)


if __name__ == "__main__":
    runner.main()
