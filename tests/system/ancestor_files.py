# SPDX-License-Identifier: Apache-2.0
#
# The example configurations of the Python tool latency-monitor, run as they stand in its manual
# (ancestor/template.toml with values in the place of its types): latmon must take them, and print
# the JSON that the tool printed. In a namespace of its own that has their addresses on loopback, so
# that nothing leaves the machine.
import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import netns
import node
import runner

FOLDER = Path(__file__).resolve().parent / "ancestor"
UDP = {"udp.wan.rtt", "udp.wan.owd"}
TCP = {"tcp.wan.rtt", "tcp.wan.owd", "tcp.wan.latency"}
# One line, octet for octet: a metric, one point of nanoseconds, and tags that begin with the ends.
FORM = re.compile(
    r'\{"metric": "([a-z.]+)", "points": \[\[(\d{19}), (\d+)\]\], '
    r'"tags": \["source:[^"]+", "target:[^"]+"(?:, "[^":]+:[^"]+")*\]\}')


def setUpModule():
    netns.enter()
    for address in ("10.0.0.2", "10.0.0.3"):
        netns.run("ip", "address", "add", f"{address}/32", "dev", "lo")


class AncestorFiles(unittest.TestCase):
    def measure(self, text, metrics):
        """Runs `text` until each of `metrics` was printed; returns all lines as objects."""
        folder = runner.scratch(self)
        (folder / "latency.toml").write_text(text)
        daemon = node.Node(self, None, cwd=folder).wait_started()
        runner.wait_until(f"{metrics} on standard output",
                          lambda: metrics <= set(self.metrics_of(daemon)))
        daemon.stop()
        self.assertEqual(set(self.metrics_of(daemon)), metrics)
        self.check_with_jq(daemon)
        return daemon, [json.loads(line) for line in daemon.stdout().splitlines()]

    def metrics_of(self, daemon):
        """The metric of each whole line, every one of which has the form."""
        for line in daemon.stdout().splitlines(keepends=True):
            if not line.endswith("\n"):
                break
            match = FORM.fullmatch(line.rstrip("\n"))
            self.assertIsNotNone(match, line)
            yield match[1]

    def check_with_jq(self, daemon):
        """Somebody else's parser says the same."""
        runner.need_tool("jq")
        program = """all(.metric | IN($ARGS.positional[])) and
            all(.points | length == 1 and (.[0] | length == 2 and all(type == "number"))) and
            all((.tags[0] | startswith("source:")) and (.tags[1] | startswith("target:")))"""
        with open(daemon.stdout_path, encoding="utf-8") as lines:
            done = subprocess.run(["jq", "-e", "-s", program, "--args", *sorted(UDP | TCP)],
                                  stdin=lines, text=True, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def start_bar(self):
        """The far end of the example's second target."""
        keys = node.config("bar", node.Ports(1718, 1717, 0), address=["10.0.0.2"])
        return node.Node(self, keys).wait_started()

    def check_example(self, text):
        bar = self.start_bar()
        daemon, lines = self.measure(text, UDP | TCP)
        bar.stop()
        answered = {tag for line in lines if line["points"][0][1] > 0 for tag in line["tags"]}
        for tag in ("source:this-host", "target:foo", "target:bar", "target:baz", "isp:local",
                    "location:laptop", "target:this-host"):
            self.assertIn(tag, answered)
        # One of its targets is this node itself, which is told its own name and the target's tags.
        ends = [line["tags"] for line in lines if line["metric"] == "udp.wan.owd"]
        self.assertIn(["source:this-host", "target:this-host", "isp:local", "location:laptop"],
                      ends)
        self.assertIn("target lm.example.com cannot be resolved", daemon.log())
        return daemon

    def test_the_example_runs_unchanged(self):
        text = (FOLDER / "example.toml").read_text()
        if (runner.PLUGINS / "clickhouse.so").exists():  # It is asked to print nothing.
            daemon = node.Node(self, text).wait_started()
            node.run_for(runner.seconds(2), daemon)
            self.assertGreater(daemon.stop().probe("foo")["answered"], 0)
            return
        self.check_example(text)

    def test_the_example_with_backend_cli_prints_the_same(self):
        text = (FOLDER / "example.toml").read_text()
        text = text[:text.index("[metrics]")] + '[metrics]\nbackend = "cli"\n'
        daemon = self.check_example(text)
        self.assertNotIn("[ERROR]", daemon.log())

    def test_the_template_runs_with_each_type(self):
        text = (FOLDER / "template.toml").read_text()
        _, lines = self.measure(text, UDP)
        self.assertIn(["isp:local", "location:laptop"], [line["tags"][2:] for line in lines])
        _, lines = self.measure(text.replace('"UDP"', '"TCP"'), TCP - {"tcp.wan.latency"})
        self.measure(text.replace('"UDP"', '"TCP"').replace("tcp_latency = false",
                                                            "tcp_latency = true"), TCP)
        self.measure(text.replace("rtt = true", "rtt = false"), {"udp.wan.owd"})


if __name__ == "__main__":
    runner.main()
