# SPDX-License-Identifier: Apache-2.0
#
# The examples of the README, as they stand there: both configurations pass `latmon check`, and on
# two hosts with the addresses that they name the two nodes measure each other.
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import netns
import node
import runner

README = Path(__file__).resolve().parents[2] / "README.md"
BERLIN, MADRID = "192.0.2.10", "192.0.2.20"


def setUpModule():
    netns.enter()


class Readme(unittest.TestCase):
    def setUp(self):
        self.files = re.findall(r"^```toml\n(.*?)^```", README.read_text(), re.M | re.S)
        self.there = netns.neighbour(self)
        netns.run("ip", "link", "add", "here", "type", "veth", "peer", "name", "there", "netns",
                  str(self.there))
        self.addCleanup(netns.run, "ip", "link", "del", "here")
        for device, address, net in (("here", BERLIN, None), ("there", MADRID, self.there)):
            netns.run("ip", "address", "add", f"{address}/24", "dev", device, net=net)
            netns.run("ip", "link", "set", device, "up", net=net)

    def test_the_two_hosts_of_the_readme_measure_each_other(self):
        self.assertEqual(len(self.files), 2)
        nodes = []
        for text, net in zip(self.files, (None, self.there)):
            path = runner.scratch(self) / "latmon.toml"
            path.write_text(text)
            netns.run(str(runner.LATMON), "check", str(path), net=net)
            nodes.append(node.Node(self, text, net=net).wait_started())
        node.run_for(runner.seconds(3), *nodes)
        for name, running in zip(("madrid", "berlin"), nodes):
            accounts = running.stop()
            for probe in accounts.probes:
                with self.subTest(**probe):
                    self.assertEqual(probe["target"], name)
                    self.assertGreater(probe["answered"], 0)
            self.assertEqual(len(accounts.probes), 3)


if __name__ == "__main__":
    runner.main()
