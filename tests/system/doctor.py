# SPDX-License-Identifier: Apache-2.0
#
# `latmon doctor` on this very host: every question gets a line with a verdict, nothing that is
# merely less than perfect is a failure, and what would stop latmon is one.
import json
import resource
import socket
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import netns
import node
import runner
import veth

SUBJECTS = {"configuration", "kernel", "io_uring", "tx_stamps", "stamp_keys", "interface lo",
            "clock_kernel", "clock_chrony", "clock", "tai", "cpu", "steal", "scheduler", "governor",
            "files", "memlock", "receive_buffer", "privileges"}


class Doctor(unittest.TestCase):
    def setUp(self):
        self.ports = node.free_ports()
        self.folder = runner.scratch(self)

    def write(self, keys):
        path = self.folder / "latmon.toml"
        path.write_text(keys if isinstance(keys, str) else node.to_toml(keys))
        return str(path)

    def examine(self, *flags, code=0, **options):
        """Subject -> finding."""
        result = node.run("doctor", "--json", *flags, cwd=self.folder, **options)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        report = json.loads(result.stdout)
        self.assertEqual(report["exit_code"], code)
        verdicts = [finding["verdict"] for finding in report["findings"]]
        for verdict in ("ok", "warn", "bad"):
            self.assertEqual(report[verdict], verdicts.count(verdict))
        self.assertEqual(report["bad"] > 0, code == 1)
        return {finding["subject"]: finding for finding in report["findings"]}

    def config(self, **keys):
        null = {"plugin": "null"}
        return node.config("node", self.ports, exporters=[null], **keys)

    def test_a_host_without_a_file_is_examined_and_is_well(self):
        findings = self.examine(
            env={"PATH": "/usr/bin", "LATMON_PLUGIN_PATH": str(runner.PLUGINS)})
        self.assertLessEqual(SUBJECTS, set(findings))
        self.assertLessEqual({"port 8001/udp", "port 8000/tcp", "port 862/udp"}, set(findings))

    def test_every_finding_is_a_line_with_its_verdict_first(self):
        result = node.run("doctor", self.write(self.config()), cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stdout)
        *lines, last = result.stdout.splitlines()
        for line in lines:
            self.assertRegex(line, r"^(ok   |warn ) \S.*: \S")
        self.assertRegex(last, r"^\d+ ok, \d+ to look at, 0 bad$")
        for subject in SUBJECTS:
            self.assertTrue(any(line[6:].startswith(subject + ": ") for line in lines), subject)

    def test_a_file_is_examined_with_its_ports_targets_and_plugins(self):
        other = node.free_ports()
        findings = self.examine(self.write(self.config(
            targets=[node.target("127.0.0.1", other), node.target("nowhere.invalid", other)])))
        self.assertEqual(findings[f"port {self.ports.udp}/udp"]["verdict"], "ok")
        self.assertEqual(findings["plugin null"]["verdict"], "ok")
        self.assertIn("null.so", findings["plugin null"]["text"])
        self.assertEqual(findings["name nowhere.invalid"]["verdict"], "warn")

    def test_loopback_is_proved_by_a_packet(self):
        finding = self.examine()["interface lo"]
        self.assertEqual(finding["verdict"], "ok")
        self.assertIn("transmit stamps of the kernel proved", finding["text"])
        self.assertIn("receive stamps of the kernel proved", finding["text"])
        self.assertIn("hardware stamps: no", finding["text"])

    def test_a_latmon_that_runs_is_no_illness(self):
        keys = self.config()
        node.Node(self, keys).wait_started()
        finding = self.examine(self.write(keys))[f"port {self.ports.udp}/udp"]
        self.assertEqual(finding["verdict"], "warn")
        self.assertIn("is taken", finding["text"])

    # -- Bad --------------------------------------------------------------------------------------

    def test_a_file_that_makes_no_sense_is_bad_and_the_rest_is_examined_all_the_same(self):
        findings = self.examine(self.write("udp_port = 70000\n"), code=1)
        self.assertEqual(findings["configuration"]["verdict"], "bad")
        self.assertIn("udp_port", findings["configuration"]["text"])
        self.assertEqual(findings["io_uring"]["verdict"], "ok")

    def test_a_file_that_is_not_there_is_bad(self):
        self.assertEqual(self.examine("nowhere.toml", code=1)["configuration"]["verdict"], "bad")

    def test_a_plugin_that_is_not_there_is_bad(self):
        keys = self.config() | {"exporters": [{"plugin": "nowhere"}]}
        self.assertEqual(self.examine(self.write(keys), code=1)["plugin nowhere"]["verdict"], "bad")

    def test_a_key_file_that_others_may_read_is_bad(self):
        key = self.folder / "key"
        key.write_text("hex:" + "00" * 32 + "\n")
        key.chmod(0o644)
        targets = [node.target("127.0.0.1", node.free_ports(), key_file=str(key))]
        findings = self.examine(self.write(self.config(targets=targets)), code=1)
        self.assertEqual(findings[f"key_file {key}"]["verdict"], "bad")

    def test_an_address_of_another_host_is_bad(self):
        keys = self.config() | {"address": ["192.0.2.77"]}
        finding = self.examine(self.write(keys), code=1)[f"port {self.ports.udp}/udp"]
        self.assertEqual(finding["verdict"], "bad")

    def test_stamps_by_a_card_that_has_none_are_refused(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.77", 9))
            except OSError:
                raise unittest.SkipTest("needs a route") from None
        keys = self.config(stamps="hardware", targets=[node.target("192.0.2.77", self.ports)])
        result = node.run("doctor", "--json", self.write(keys), cwd=self.folder)
        report = json.loads(result.stdout)
        cards = [finding for finding in report["findings"]
                 if finding["subject"].startswith("interface ") and
                 finding["subject"] != "interface lo"]
        self.assertEqual(len(cards), 1, report)
        expected = "ok" if "hardware stamps: can" in cards[0]["text"] else "bad"
        self.assertEqual(cards[0]["verdict"], expected)

    def test_too_few_files_are_bad(self):
        runner.need_tool("setpriv")
        drop = ["setpriv", "--bounding-set=-sys_resource"] if runner.IS_ROOT else []

        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        daemon = node.Node(self, None, "doctor", command=drop, before_exec=limit, environment={
            "LATMON_PLUGIN_PATH": str(runner.PLUGINS)})
        self.assertEqual(daemon.wait_end(), 1)
        self.assertRegex(daemon.stdout(), r"\nbad   files: up to \d+ open files are needed, 256 "
                                          r"may be had: 'ulimit -n \d+'")


class OverALink(unittest.TestCase):
    """Behind the tests of this host, which has other interfaces: its own has none but these."""

    @classmethod
    def setUpClass(cls):
        netns.enter()

    def setUp(self):
        self.link = veth.Veth(self)
        self.ports = node.free_ports()

    def examine(self, host, **keys):
        """Of the interface on the way to `host`."""
        path = runner.scratch(self) / "latmon.toml"
        keys = node.config("here", node.free_ports(), exporters=[{"plugin": "null"}],
                           targets=[node.target(host, self.ports, type="udp")], **keys)
        path.write_text(node.to_toml(keys))
        report = json.loads(node.run("doctor", "--json", str(path)).stdout)
        findings = {finding["subject"]: finding for finding in report["findings"]}
        self.assertEqual(findings["interface lo"]["verdict"], "ok")
        return findings["interface here"], report["exit_code"]

    def test_a_link_with_a_reflector_behind_it_is_proved_both_ways(self):
        node.Node(self, node.config("there", self.ports, address=[veth.THERE]),
                  net=self.link.there).wait_started()
        finding, code = self.examine(veth.THERE)
        self.assertEqual((finding["verdict"], code), ("ok", 0), finding)
        self.assertIn("transmit stamps of the kernel proved; receive stamps of the kernel proved",
                      finding["text"])

    def test_a_link_with_nobody_behind_it_is_proved_one_way(self):
        finding, code = self.examine(veth.NOBODY)
        self.assertEqual((finding["verdict"], code), ("warn", 0), finding)
        self.assertIn("transmit stamps of the kernel proved; receive stamps of the kernel unproved,"
                      f" {veth.NOBODY}:{self.ports.udp} did not reply", finding["text"])

    def test_a_cable_has_no_hardware_stamps_and_says_so(self):
        finding, code = self.examine(veth.NOBODY, stamps="hardware")
        self.assertEqual((finding["verdict"], code), ("bad", 1), finding)
        self.assertIn("hardware stamps: no (it has none)", finding["text"])


if __name__ == "__main__":
    runner.main()
