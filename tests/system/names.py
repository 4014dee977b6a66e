# SPDX-License-Identifier: Apache-2.0
#
# Targets that are given by name: one that resolves is measured like an address; one that does not
# says so once, gives a sample per slot that tells why, and disturbs nobody.
import signal
import sys
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import admin
import node
import runner
import samples

# A label of 64 octets: no resolver sends it to a name server (RFC 1035 section 2.3.4).
NOWHERE = "n" * 64 + ".test"
LABELS = {"name": "localhost", "nowhere": NOWHERE, "literal": "127.0.0.1"}


class Names(unittest.TestCase):
    def check_unresolved(self, accounts, fates):
        for kind in ("udp", "tcp", "connect"):
            probe = accounts.probe("nowhere", kind)
            self.assertGreater(probe["local_error"], 0)
            self.assertEqual(probe["sent"], 0)
            self.assertEqual(fates["nowhere", kind],
                             Counter({("local_error", "UNRESOLVED"): probe["local_error"]}))

    def test_a_name_that_resolves_is_measured_and_one_that_does_not_says_so(self):
        path = runner.scratch(self) / "samples.ndjson"
        ports = node.free_ports()
        keys = node.config(
            "node", ports, interval=10, resolve_interval=1,
            targets=[node.target(host, ports, label=label) for label, host in LABELS.items()],
            exporters=[node.cli(path)])
        daemon = node.Node(self, keys).wait_started()
        daemon.wait_line(r"\[INFO\] target localhost is at (127\.0\.0\.1|::1)\b")
        # Looked up again after a second, and again after another: three failures, one line.
        node.run_for(max(2.5, runner.seconds(2.5)), daemon)
        accounts = daemon.stop()
        warnings = [line for line in daemon.log().splitlines() if "[WARNING]" in line]
        self.assertEqual(len(warnings), 1, warnings)
        self.assertIn(f"target {NOWHERE} cannot be resolved", warnings[0])

        fates = {}
        for sample in samples.read_checked(self, path):
            fate = (sample["status"], sample.get("error_name"))
            fates.setdefault(samples.series_of(sample), Counter())[fate] += 1
        self.check_unresolved(accounts, fates)
        for label in ("name", "literal"):
            for kind in ("udp", "tcp", "connect"):
                probe = accounts.probe(label, kind)
                self.assertGreater(probe["answered"], 0, probe)
                self.assertEqual(probe["answered"], probe["sent"], probe)

    def test_an_address_that_is_found_shows_no_other_target_anew(self):
        ports = node.free_ports()
        names = [node.target("localhost", ports, label=f"name{index}", type="udp")
                 for index in range(5)]
        daemon = node.Node(self, node.config(
            "node", ports, interval=100, admin={"listen": admin.LISTEN}, log_level="debug",
            targets=names + [node.target("127.0.0.1", ports, label="literal", type="udp")],
            exporters=[node.cli(runner.scratch(self) / "samples")])).wait_started()

        def are_shown():
            targets = admin.ask(admin.port_of(daemon), "/api/v1/targets").json()["targets"]
            return all(target.get("address") in ("127.0.0.1", "::1") for target in targets)
        runner.wait_until("all addresses", are_shown)
        self.assertEqual(daemon.log().count("target localhost is at"), len(names), daemon.log())
        self.assertEqual(daemon.log().count("admin: shows 6 probes anew"), 1, daemon.log())
        # Nor does what a reload leaves behind, which is looked at again and again.
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_line("reload: done")
        node.run_for(0.2, daemon)
        daemon.stop()
        self.assertEqual(daemon.log().count("admin: shows 6 probes anew"), 2, daemon.log())


if __name__ == "__main__":
    runner.main()
