# SPDX-License-Identifier: Apache-2.0
#
# latmon and stamp-suite, which others wrote from the same RFCs, in both roles: open and
# authenticated, IPv4 and IPv6, with all TLVs. Every probe is answered, nothing is invalid, and each
# says of the other's TLVs that they were processed. How stamp-suite is run, and what its options
# mean, stands in stamp_suite.py.
import sys
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import capture
import netns
import node
import runner
import samples
import stamp
import stamp_suite

KEY = bytes(range(32))
HOSTS = {"v4": "127.0.0.1", "v6": "::1"}
INTERVAL_MS = 5
PROBES = 200
DSCP = 10  # AF11
SSID = 0xBEEF
TLVS = ["exchange", "follow_up", "timestamp_info", "class_of_service", "direct_measurement",
        "location", "access_report"]
STANDARD_TYPES = {2, 3, 4, 5, 6, 7}
PRIVATE_TYPES = range(252, 255)


def setUpModule():
    runner.need_ipv6()
    stamp_suite.need()  # First: a namespace of our own has no way out.
    netns.enter()


class InteropStampSuite(unittest.TestCase):
    # -- latmon asks ------------------------------------------------------------------------------

    def start_reflectors(self):
        """One for each of four targets, by label: the reflector, and latmon's keys."""
        found = {}
        for family, host in HOSTS.items():
            for mode, key in (("open", None), ("authenticated", KEY)):
                ports = node.free_ports()
                flags = ["--stateful-reflector", *(["--verify-tlv-hmac"] if key else [])]
                reflector = stamp_suite.start_reflector(self, host, ports.udp, *flags, key=key)
                keys = {"key_file": node.key_file(self, key)} if key else {}
                found[f"{mode}_{family}"] = (reflector, node.target(
                    host, ports, label=f"{mode}_{family}", type="udp", tlvs=TLVS, dscp=DSCP,
                    descriptor=False, **keys))
        return found

    def measure(self, targets):
        """Accounts, and the samples of each target."""
        path = runner.scratch(self) / "samples.ndjson"
        daemon = node.Node(self, node.config(
            "node", node.free_ports(), interval=INTERVAL_MS, timeout=1, targets=targets,
            exporters=[node.cli(path, "exchange")])).wait_started()
        tail, counts = samples.Tail(path), Counter()

        def is_enough():
            counts.update(sample["target"] for sample in tail.new())
            return all(counts[target["label"]] >= PROBES for target in targets)
        runner.wait_until(f"{PROBES} of each", is_enough)
        accounts = daemon.stop()
        of = {target["label"]: [] for target in targets}
        for sample in samples.read_checked(self, path):
            of[sample["target"]].append(sample)
        return accounts, of

    def test_stamp_suite_answers_all_that_latmon_asks(self):
        found, seen = self.start_reflectors(), capture.Capture(self)
        accounts, of = self.measure([target for _, target in found.values()])
        packets = seen.udp()
        for label, (reflector, target) in found.items():
            with self.subTest(label):
                port = target["udp_port"]
                self.check_tlvs([packet.payload for packet in packets if packet.source[1] == port],
                                112 if "key_file" in target else 44)
                probe, theirs = accounts.probe(label), reflector.stop()
                print(f"{label}: {probe['sent']} probes, {theirs}")
                self.assertEqual(probe["answered"], probe["sent"], probe)
                self.assertEqual(probe["invalid"] + probe["duplicate"] + probe["late"], 0, probe)
                self.assertEqual(theirs["total_packets_received"], probe["sent"])
                self.assertEqual(theirs["total_packets_reflected"], probe["sent"])
                self.assertEqual(theirs["total_packets_dropped"], 0)
                self.assertEqual([session["packets_received"] for session in theirs["sessions"]],
                                 [probe["sent"]])
                self.assertNotEqual(theirs["sessions"][0]["ssid"], 0)
                self.check_samples(of[label])

    def check_tlvs(self, replies, base):
        """Those that the RFCs know were processed, and what latmon alone understands was not."""
        self.assertGreater(len(replies), 0)
        for payload in replies:
            tlvs = stamp.tlvs_of(payload, base)
            flags = {kind: flags for flags, kind, _ in tlvs}
            standard = STANDARD_TYPES | ({stamp.TLV_HMAC} if base == 112 else set())
            self.assertEqual({kind for kind in flags if kind not in PRIVATE_TYPES}, standard)
            for kind, value in flags.items():
                self.assertEqual(value, stamp.U if kind in PRIVATE_TYPES else 0, tlvs)

    def check_samples(self, measured):
        """What can only have come by way of the reflector's part of the packet and its TLVs."""
        answered = [sample for sample in measured if sample["status"] != "local_error"]
        for index, sample in enumerate(answered):
            self.assertEqual(sample["status"], "ok", sample)
            self.assertGreater(sample["ttl_fwd"], 0, sample)
            self.assertEqual(sample["dscp_fwd"], DSCP, sample)  # Class of Service.
            self.assertEqual(sample["peer_sequence"] - answered[0]["peer_sequence"], index)

    # -- stamp-suite asks -------------------------------------------------------------------------

    def start_latmon(self, key):
        ports, keys = node.free_ports(), {}
        if key:
            keys["reflector"] = {"keys": [{"prefixes": ["127.0.0.0/8", "::1/128"],
                                           "key_file": node.key_file(self, key)}]}
        return node.Node(self, node.config("reflector", ports, **keys)).wait_started(), ports

    def check_summary(self, summary, key):
        measured, count = summary["measurements"], PROBES
        self.assertEqual((summary["packets_sent"], summary["packets_received"],
                          summary["packets_lost"]), (count, count, 0))
        for name in ("late_replies", "duplicate_replies", "unknown_replies", "reordered_replies"):
            self.assertEqual(measured[name], 0, name)
        tlvs = measured["tlv_validation"]
        self.assertEqual(tlvs["rejected_replies"], 0)
        self.assertEqual(tlvs["hmac"]["verified"], count if key else 0)
        self.assertEqual(tlvs["hmac"]["failed"] + tlvs["hmac"]["unverified"], 0)
        types = stamp_suite.ALL_TLV_TYPES | ({8} if key else set())
        for kind in types - {6}:
            self.assertEqual(tlvs["by_type"][str(kind)]["observed"], count, kind)
        self.assertGreater(tlvs["by_type"]["6"]["observed"], 0)  # Until it is acknowledged.
        self.assertEqual(set(tlvs["by_type"]), {str(kind) for kind in types})
        for flag in ("unrecognized", "malformed", "integrity_failed"):
            self.assertEqual(tlvs["flags"][flag], 0, tlvs)
        direct = measured["direct_measurement"]
        self.assertEqual((direct["observations"], direct["forward_missing"],
                          direct["reverse_missing"], direct["discontinuities"]),
                         (count, 0, 0, 0), direct)
        follow_up = measured["follow_up"]
        self.assertEqual((follow_up["unmatched"], follow_up["ambiguous"]), (0, 0), follow_up)
        # Requests that a busy machine reads at one go are told of the same reply before them.
        self.assertEqual(follow_up["matched"] + follow_up["repeated"], count - 1, follow_up)
        self.assertGreater(follow_up["matched"], count / 2)
        self.assertEqual(summary["owd"]["samples"], count)
        self.assertEqual(summary["owd"]["clock_quality"]["invalid_estimate"], 0)

    def check_sender(self, host, key, *flags):
        daemon, ports = self.start_latmon(key)
        summary = stamp_suite.run_sender(self, host, ports.udp, PROBES, "--ssid", str(SSID),
                                         *stamp_suite.ALL_TLVS, *flags, key=key)
        self.check_summary(summary, key)
        theirs = daemon.stop()
        self.assertEqual({name: count for name, count in theirs.udp_reasons.items() if count},
                         {"reflected": PROBES})

    def test_latmon_answers_all_that_stamp_suite_asks(self):
        for family, host in HOSTS.items():
            for mode, key in (("open", None), ("authenticated", KEY)):
                for form in ("NTP", "PTP"):
                    with self.subTest(f"{mode} {family} {form}"):
                        self.check_sender(host, key, "-K", form)

    def test_latmon_does_not_answer_who_lacks_the_key(self):
        daemon, ports = self.start_latmon(KEY)
        for key in (None, bytes(32)):
            summary = stamp_suite.run_sender(self, HOSTS["v4"], ports.udp, 10, key=key)
            self.assertEqual(summary["packets_received"], 0)
        accounts = daemon.stop()
        self.assertEqual(accounts.udp["received"], 20)
        self.assertEqual(accounts.udp["reflected"], 0)

    def test_latmon_takes_no_answer_from_who_lacks_the_key(self):
        ports = node.free_ports()
        reflector = stamp_suite.start_reflector(self, HOSTS["v4"], ports.udp)
        target = node.target(HOSTS["v4"], ports, label="open", type="udp", descriptor=False,
                             key_file=node.key_file(self, KEY))
        accounts, of = self.measure([target])
        reflector.stop()
        self.assertEqual(accounts.probe("open")["answered"], 0)
        self.assertFalse([sample for sample in of["open"]
                          if sample["status"] in samples.ANSWERED])


if __name__ == "__main__":
    runner.main()
