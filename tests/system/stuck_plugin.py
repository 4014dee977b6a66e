# SPDX-License-Identifier: Apache-2.0
#
# An exporter whose plugin blocks for longer than the whole test: it loses samples of its own, all
# of them counted; the other exporter gets every one; and the daemon ends in time.
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner
import samples

TIMEOUT_S = 1
STUCK_S = 3600


class StuckPlugin(unittest.TestCase):
    def measure(self, *others):
        """Accounts, the number of lines written, and how long the end took."""
        self.path = path = runner.scratch(self) / "samples.ndjson"
        ports = node.free_ports()
        keys = node.config("node", ports, interval=1, timeout=TIMEOUT_S, node_interval=1,
                           targets=[node.target("127.0.0.1", ports, label="self")],
                           exporters=[node.cli(path), *others])
        daemon = node.Node(self, keys).wait_started()
        node.run_for(runner.seconds(3), daemon)
        began = time.monotonic()
        accounts = daemon.stop()
        return accounts, sum(1 for _ in samples.read_checked(self, path)), time.monotonic() - began

    def check_counter(self, accounts):
        """What the plugin counts itself is exported by the other one, and told at the end."""
        seen = [sample for sample in samples.read(self.path)
                if sample["kind"] == "node" and sample["name"] == "exporter_begun_samples_total"]
        self.assertEqual({(each["target"], each["core"]) for each in seen}, {("stuck", 0)})
        values = [each["value"] for each in seen]
        self.assertEqual(values, sorted(values))
        self.assertGreater(values[-1], 0)
        self.assertLessEqual(values[-1], accounts["exporter_begun_samples_total"])
        self.assertGreaterEqual(accounts["exporter_begun_samples_total"], accounts["exported"])

    def test_a_stuck_plugin_costs_nobody_but_itself(self):
        stuck = {"path": str(runner.TEST_PLUGINS / "stuck.so"), "queue_samples": 64,
                 "seconds": STUCK_S}
        accounts, lines, end_s = self.measure(stuck)
        accounts.check_delivered(self, "cli")
        self.assertEqual(lines, accounts.exporters["cli"]["made"])
        itself = accounts.exporters["stuck"]
        self.assertGreater(itself["dropped"], 0)
        self.assertEqual(itself["made"], accounts.exporters["cli"]["made"])
        self.assertEqual(itself["exported"], 0)  # Not one batch came back.
        self.check_counter(itself)
        self.assertLess(end_s, TIMEOUT_S + 1 + runner.SLACK_S)

        without, _, _ = self.measure()
        for name, run in (("with", accounts), ("without", without)):
            print(f"{name} the plugin: missed {run.total('missed')} of "
                  f"{run.total('missed') + run.total('sent')}")

    def test_a_slow_plugin_delays_the_end_no_longer_than_promised(self):
        slow = {"path": str(runner.TEST_PLUGINS / "stuck.so"), "seconds": 0.2}
        accounts, lines, end_s = self.measure(slow)
        self.assertEqual(lines, accounts.exporters["cli"]["made"])
        itself = accounts.exporters["stuck"]
        self.assertGreater(itself["exported"], 0)
        self.check_counter(itself)
        self.assertLess(end_s, TIMEOUT_S + 1 + runner.SLACK_S)


if __name__ == "__main__":
    runner.main()
