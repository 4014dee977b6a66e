# SPDX-License-Identifier: Apache-2.0
#
# Loss as a firewall makes it: a rule of nftables drops exactly one in a hundred probes, or one in
# a hundred replies, and counts them. latmon must find the same number, and lose no other packet.
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import netns
import node
import runner
import samples

HERE, THERE = "10.99.0.1", "10.99.0.2"
EVERY = 100

RULE = """
table netdev latmon {{
    chain ingress {{
        type filter hook ingress device {device} priority 0
        udp {end} {port} numgen inc mod {every} 0 counter drop
    }}
}}
"""


def setUpModule():
    runner.need_tool("nft")
    netns.enter()


class Firewall(unittest.TestCase):
    def setUp(self):
        self.there = netns.neighbour(self)
        netns.run("ip", "link", "add", "here", "type", "veth", "peer", "name", "there", "netns",
                  str(self.there))
        self.addCleanup(netns.run, "ip", "link", "del", "here")
        for device, address, net in (("here", HERE, None), ("there", THERE, self.there)):
            netns.run("ip", "address", "add", f"{address}/24", "dev", device, net=net)
            netns.run("ip", "link", "set", device, "up", net=net)

    def add_rule(self, device, end, port, net):
        rule = RULE.format(device=device, end=end, port=port, every=EVERY)
        netns.run("nft", "-f", "-", net=net, text=rule)
        self.addCleanup(netns.run, "nft", "delete", "table", "netdev", "latmon", net=net)

    def dropped(self, net):
        listing = json.loads(netns.run("nft", "-j", "list", "ruleset", net=net))
        counters = [part["counter"]["packets"] for item in listing["nftables"]
                    for part in item.get("rule", {}).get("expr", []) if "counter" in part]
        self.assertEqual(len(counters), 1)
        return counters[0]

    def measure(self, ports):
        """Accounts of sender and reflector, and the sequence numbers that were lost."""
        path = runner.scratch(self) / "here.ndjson"
        reflector = node.Node(self, node.config("there", ports, address=[THERE]),
                              net=self.there).wait_started()
        sender = node.Node(self, node.config(
            "here", node.free_ports(), address=[HERE], interval=1, max_lost=1_000_000,
            targets=[node.target(THERE, ports, label="there", type="udp")],
            exporters=[node.cli(path)])).wait_started()
        node.run_for(runner.seconds(3), sender, reflector)
        mine = sender.stop()
        theirs = reflector.stop()
        mine.check_delivered(self, "cli")
        lost = [sample["sequence"] for sample in samples.read_checked(self, path)
                if sample["status"] == "lost"]
        return mine.probe("there"), theirs, lost

    def check(self, probe, lost, dropped):
        print(f"sent {probe['sent']}, lost {probe['lost']}, dropped by the rule {dropped}")
        self.assertGreater(dropped, 0)
        self.assertEqual(probe["lost"], dropped)
        self.assertEqual(len(lost), dropped)
        self.assertEqual(probe["sent"], probe["answered"] + dropped)
        self.assertEqual(probe["unreachable"] + probe["duplicate"] + probe["late"], 0, probe)

    def test_lost_forward_is_what_the_firewall_dropped(self):
        ports = node.free_ports()
        self.add_rule("there", "dport", ports.udp, self.there)
        probe, theirs, lost = self.measure(ports)
        self.check(probe, lost, self.dropped(self.there))
        self.assertEqual(theirs.udp["reflected"], probe["answered"])
        if probe["local_error"] == 0:  # Else a number was used up that no packet carried.
            self.assertEqual({number % EVERY for number in lost}, {lost[0] % EVERY})

    def test_lost_reverse_is_what_the_firewall_dropped(self):
        ports = node.free_ports()
        self.add_rule("here", "sport", ports.udp, None)
        probe, theirs, lost = self.measure(ports)
        self.check(probe, lost, self.dropped(None))
        self.assertEqual(theirs.udp["reflected"], probe["sent"])


if __name__ == "__main__":
    runner.main()
