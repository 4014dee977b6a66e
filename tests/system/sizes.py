# SPDX-License-Identifier: Apache-2.0
#
# Probes of every size that is special: without a TLV, with one to three octets that are no TLV,
# with an empty one, a full Ethernet frame, and the largest datagram there is.
import sys
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner
import samples

SIZES = (44, 45, 46, 47, 48, 1470, 65507)
HOSTS = {"v4": "127.0.0.1", "v6": "::1"}
ENOUGH = 10


class Sizes(unittest.TestCase):
    def test_every_size_comes_back_as_it_went(self):
        runner.need_ipv6()
        path = runner.scratch(self) / "samples.ndjson"
        ports = node.free_ports()
        targets = [node.target(host, ports, label=f"{family}-{size}", size=size)
                   for family, host in HOSTS.items() for size in SIZES]
        keys = node.config("node", ports, interval=100, timeout=3, tcp_latency=False,
                           targets=targets, exporters=[node.cli(path)])
        daemon = node.Node(self, keys).wait_started()
        answered, tail = Counter(), samples.Tail(path)

        def is_enough():
            answered.update(samples.series_of(sample) for sample in tail.new()
                            if sample["status"] == "ok")
            return len(answered) == 2 * len(targets) and min(answered.values()) >= ENOUGH
        runner.wait_until(f"{ENOUGH} answers of every size", is_enough)
        accounts = daemon.stop()

        for probe in accounts.probes:
            self.assertEqual(probe["answered"], probe["sent"], probe)
        for sample in samples.read_checked(self, path):
            if sample["status"] == "ok":
                size = int(sample["target"].split("-")[1])
                self.assertEqual(sample["packet_bytes"], size, sample)


if __name__ == "__main__":
    runner.main()
