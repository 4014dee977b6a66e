# SPDX-License-Identifier: Apache-2.0
#
# The wall clock jumps by three seconds, either way, while probes are under way. No round trip may
# change by it; samples whose two stamps stand on either side of the jump say so, and no others do.
import sys
import unittest
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner
import samples
import stamp
from reflectors import Reflectors

INTERVAL_MS = 1
# As many to the peer over UDP, so that at every moment one of them is on its way.
PATHS = 8
TIMEOUT_S = 1
STEP_NS = 3 * 10**9
# Larger than any round trip can be, smaller than the step.
ODD_NS = 2 * 10**9
# One more target answers after this long, so that some of its probes are in flight at the step.
SLOW_S = 0.3


class WallClock(unittest.TestCase):
    def start(self, name, ports, targets, *flags):
        path = runner.scratch(self) / f"{name}.ndjson"
        keys = node.config(
            name, ports, interval=INTERVAL_MS, timeout=TIMEOUT_S, node_interval=1,
            max_lost=1_000_000, targets=targets,
            exporters=[node.cli(path, "exchange", "connect", "node")])
        return node.Node(self, keys, *flags).wait_started(), path

    def steps_seen(self, path):
        return [sample["value"] for sample in samples.read(path)
                if sample["kind"] == "node" and sample["name"] == "wall_clock_steps_total"]

    def check_round_trips(self, path):
        """Returns the answered samples of each series, in order."""
        series = defaultdict(list)
        for sample in samples.read_checked(self, path):
            if sample["kind"] == "node" or "rtt_ns" not in sample:
                continue
            self.assertLess(sample["rtt_user_ns"], TIMEOUT_S * 10**9, sample)
            series[samples.series_of(sample)].append(sample)
        return series

    def check_blame(self, series):
        """The step is seen in every series, and blamed only where it could have mattered."""
        self.assertEqual(len(series), PATHS + 3)
        on_either_side = 0
        for name, answered in series.items():
            jumps = [later["sequence"] for before, later in zip(answered, answered[1:])
                     if abs(later["t1_ns"] - before["t1_ns"]) > ODD_NS]
            self.assertEqual(len(jumps), 1, name)
            in_flight = TIMEOUT_S * 1000 // INTERVAL_MS
            for sample in answered:
                is_blamed = "clock_stepped" in sample["blame"]
                if abs(sample["t4_ns"] - sample["t1_ns"]) > ODD_NS:
                    on_either_side += 1
                    self.assertTrue(is_blamed, sample)
                if is_blamed:
                    self.assertLessEqual(abs(sample["sequence"] - jumps[0]), in_flight, sample)
        self.assertGreater(on_either_side, 0)

    def check_step(self, step):
        reflectors = Reflectors(self)
        slow_port = reflectors.add(
            lambda request, index: [(SLOW_S, stamp.reply_to(request, index))])
        ports, peer_ports = node.free_ports(), node.free_ports()
        to_peer = [node.target("127.0.0.1", peer_ports, label=f"peer{index}",
                               **({} if index == 0 else {"type": "udp"}))
                   for index in range(PATHS)]
        to_slow = node.target("127.0.0.1", peer_ports, label="slow", type="udp",
                              udp_port=slow_port)
        peer, peer_path = self.start(
            "peer", peer_ports, [node.target("127.0.0.1", ports, label="stepped")])
        stepped, path = self.start("stepped", ports, [*to_peer, to_slow],
                                   f"--debug-clock-step=1s:{step}")
        reflectors.start()
        runner.wait_until("the step in the node's counters", lambda: 1 in self.steps_seen(path))
        node.run_for(runner.seconds(1), peer, stepped)
        stepped.stop()
        peer.stop()
        self.check_blame(self.check_round_trips(path))
        self.assertEqual(len(self.check_round_trips(peer_path)), 3)
        self.assertEqual(self.steps_seen(path)[-1], 1)

    def test_no_round_trip_is_off_when_the_wall_clock_jumps_ahead(self):
        self.check_step("+3s")

    def test_no_round_trip_is_off_when_the_wall_clock_jumps_back(self):
        self.check_step("-3s")


if __name__ == "__main__":
    runner.main()
