# SPDX-License-Identifier: Apache-2.0
#
# A node that is probed says in its log who probes it, if the other is a latmon that tells: by name
# and tags, once, over authenticated paths and open ones. What it exports of these probes then
# carries the name and the tags, and its counters tell of the peers.
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner
import samples

KEY = bytes(range(32))
TAGS = ["site:home", "rack:2"]


class Peers(unittest.TestCase):
    def start(self, key=None, **keys):
        """One that answers, and one that probes it: returns both."""
        ports, secret = node.free_ports(), {}
        if key is not None:
            secret = {"key_file": node.key_file(self, key)}
        reflector = {"keys": [{"prefixes": ["127.0.0.0/8"], **secret}]} if secret else {}
        there = node.Node(self, node.config(
            "there", ports, reflector=reflector, node_interval=1, exporters=[
                node.cli("reflections", "reflection", name="owd", format="legacy"),
                node.cli("counters", "node", name="counters")])).wait_started()
        target = node.target("127.0.0.1", ports, label="there", type="udp", tags=TAGS, **secret)
        here = node.Node(self, node.config(
            "web1", node.free_ports(), interval=20, targets=[target | keys],
            exporters=[node.cli("/dev/null")])).wait_started()
        return here, there

    def lines(self, there):
        return [line for line in there.log().splitlines() if "] [INFO] peer " in line]

    def check_told(self, here, there):
        there.wait_line(r"\] \[INFO\] peer 127\.0\.0\.1:\d+ session 1 is "
                        r"\"web1\" \[site:home, rack:2\]\n")
        node.run_for(1.5, here, there)
        mine, theirs = here.stop(), there.stop()
        self.assertEqual(len(self.lines(there)), 1, self.lines(there))
        probe = mine.probe("there")
        self.assertEqual(probe["descriptors"], 1)
        self.assertEqual(probe["answered"], probe["sent"])
        self.assertEqual(theirs.udp["reflected"], probe["sent"] + 1)
        self.check_exported(there, probe["sent"])

    def exported(self, there):
        """The tags of each line about a probe that came, in their order."""
        text = (there.folder / "reflections").read_text()
        lines = [json.loads(line) for line in text.splitlines()]
        self.assertEqual({line["metric"] for line in lines}, {"udp.wan.owd"})
        return [line["tags"] for line in lines]

    def check_exported(self, there, sent):
        """The first probe comes before the name, and no other."""
        tags = self.exported(there)
        self.assertEqual(len(tags), sent)
        self.assertEqual(tags[0], ["source:127.0.0.1", "target:there"])
        wanted = ["source:web1", "target:there", *TAGS]
        self.assertEqual([line for line in tags[1:] if line != wanted], [])
        self.assertEqual(self.counter(there, "peer_series"), 1)
        self.assertEqual(self.counter(there, "peer_series_full_total"), 0)

    def counter(self, there, name):
        """Its last value, over all cores."""
        last = {}
        for sample in samples.read(there.folder / "counters"):
            if sample["name"] == name:
                last[sample["core"]] = sample["value"]
        return sum(last.values())

    def test_who_probes_is_named_in_the_log(self):
        self.check_told(*self.start())

    def test_who_probes_with_a_key_is_named_too(self):
        self.check_told(*self.start(KEY))

    def test_who_is_not_to_tell_stays_nameless(self):
        here, there = self.start(descriptor=False)
        node.run_for(2, here, there)
        mine, theirs = here.stop(), there.stop()
        self.assertEqual(self.lines(there), [])
        self.assertEqual(mine.probe("there")["descriptors"], 0)
        self.assertEqual(theirs.udp["reflected"], mine.probe("there")["sent"])
        tags = self.exported(there)
        self.assertEqual(len(tags), mine.probe("there")["sent"])
        self.assertEqual([line for line in tags if line != tags[0]], [])
        self.assertEqual(tags[0], ["source:127.0.0.1", "target:there"])
        self.assertEqual(self.counter(there, "peer_series"), 0)

    def test_check_warns_of_tags_that_cannot_be_told(self):
        keys = node.config("web1", node.free_ports(), targets=[
            {"host": "127.0.0.1", "tags": ["site:a|b"]}], exporters=[{"plugin": "cli"}])
        path = runner.scratch(self) / "latmon.toml"
        path.write_text(node.to_toml(keys))
        done = node.run("check", str(path))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('warning: target "127.0.0.1": tags "site:a|b" are not told', done.stdout)


if __name__ == "__main__":
    runner.main()
