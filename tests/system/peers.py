# SPDX-License-Identifier: Apache-2.0
#
# A node that is probed says in its log who probes it, if the other is a latmon that tells: by name
# and tags, once, over authenticated paths and open ones.
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner

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
            "there", ports, reflector=reflector, exporters=[node.cli("/dev/null")])).wait_started()
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
