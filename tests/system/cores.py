# SPDX-License-Identifier: Apache-2.0
#
# Two core-threads: probes are spread over both, the kernel spreads what comes in over both, and
# what they count together is what happened.
import sys
import unittest
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner
import samples

# The kernel's choice is by hash: that all of these fall on one core will not happen.
TARGETS = 32
COUNTERS = ("reflector_udp_reflected_total", "reflector_udp_received_total",
            "reflector_tcp_accepted_total", "reflector_tcp_reflected_total")


class Cores(unittest.TestCase):
    def start(self, path):
        ports = node.free_ports()
        keys = node.config(
            "node", ports, cores=f"{runner.CPUS[0]},{runner.CPUS[1]}", interval=20, timeout=3,
            node_interval=1,
            targets=[node.target("127.0.0.1", ports, label=f"t{index}")
                     for index in range(TARGETS)],
            exporters=[node.cli(path, "exchange", "connect", "node")])
        return node.Node(self, keys).wait_started()

    def test_two_cores_share_probes_and_reflections(self):
        runner.need_two_cpus()
        path = runner.scratch(self) / "samples.ndjson"
        daemon = self.start(path)
        tail, counters = samples.Tail(path), defaultdict(dict)

        def have_both_worked():
            for sample in tail.new():
                if sample["kind"] == "node" and sample["name"] in COUNTERS:
                    counters[sample["name"]][sample["core"]] = sample["value"]
            return len(counters) == len(COUNTERS) and all(
                per_core.get(0, 0) > 0 and per_core.get(1, 0) > 0
                for per_core in counters.values())
        runner.wait_until("both cores to reflect over UDP and TCP", have_both_worked)
        node.run_for(runner.seconds(1), daemon)
        accounts = daemon.stop()

        self.assertEqual([core["core"] for core in accounts.cores], [0, 1])
        self.assertEqual([core["probes"] for core in accounts.cores], [3 * TARGETS // 2] * 2)
        for core in accounts.cores:
            self.assertGreater(core["answered"], 0)
            self.assertEqual(core["answered"], core["sent"], core)
        for protocol, reflected in (("udp", accounts.udp["reflected"]),
                                    ("tcp", accounts.tcp["reflected"])):
            sent = sum(probe["sent"] + probe["descriptors"] for probe in accounts.probes
                       if (probe["protocol"], probe["kind"]) == (protocol, "exchange"))
            self.assertEqual(reflected, sent, protocol)
        connects = sum(probe["sent"] for probe in accounts.probes if probe["kind"] == "connect")
        self.assertEqual(accounts.tcp["accepted"], connects + TARGETS)
        accounts.check_delivered(self, "cli")
        on_cores = {sample["core"] for sample in samples.read_checked(self, path)}
        self.assertEqual(on_cores, {0, 1})


if __name__ == "__main__":
    runner.main()
