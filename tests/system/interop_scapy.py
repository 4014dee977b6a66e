# SPDX-License-Identifier: Apache-2.0
#
# scapy's own idea of STAMP (scapy.contrib.stamp): it decodes latmon's requests and replies to the
# values that stand in them, encodes them again to the same octets, and latmon answers what scapy
# makes up.
import socket
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import captured
import netns
import node
import runner
import stamp

sys.path.append("/usr/lib/python3/dist-packages")  # Debian's, whichever Python this is.
try:
    from scapy.contrib.stamp import (ErrorEstimate, STAMPSessionReflectorTestUnauthenticated,
                                     STAMPSessionSenderTestUnauthenticated, STAMPTestTLV)
    from scapy.layers.inet import UDP
    HAS_SCAPY = True
except ImportError:
    HAS_SCAPY = False

PACKETS = 200
# Names of the fields of ours, and of those of scapy, in `fields` as they stand in the packet.
SENDER = {"sequence": "seq", "t1": "ts", "ssid": "ssid"}
REFLECTOR = {"sequence": "seq", "t3": "ts", "ssid": "ssid", "t2": "ts_rx",
             "sender_sequence": "seq_sender", "sender_t1": "ts_sender",
             "sender_ttl": "ttl_sender"}


def setUpModule():
    if not HAS_SCAPY:
        raise unittest.SkipTest("needs scapy (python3-scapy)")
    runner.need_ipv6()
    netns.enter()


def dissect(layer, payload):
    """scapy takes the length of the TLVs from a parent, which it only has in a list."""
    return layer(payload, _parent=UDP(len=8 + len(payload)))


def estimate_of(layer):
    """Error Estimate, as two octets."""
    return layer.S << 15 | layer.Z << 14 | layer.scale << 8 | layer.multiplier


class InteropScapy(unittest.TestCase):
    def check_same(self, payload, layer, names, ours):
        theirs = dissect(layer, payload)
        for name, their_name in names.items():
            self.assertEqual(theirs.fields[their_name], getattr(ours, name), name)
        self.assertEqual(estimate_of(theirs.err_estimate), ours.error_estimate)
        self.assertEqual([(part.flags.value, part.type, bytes(part.value))
                          for part in theirs.tlv_objects], stamp.tlvs_of(payload))
        theirs.clear_cache()  # Else it gives back what it was given.
        self.assertEqual(bytes(theirs), payload)
        return theirs

    def test_scapy_decodes_what_latmon_says(self):
        for form in captured.FORMATS:
            exchange = captured.measure(self, form, PACKETS)
            for packet in exchange.requests:
                self.check_same(packet.payload, STAMPSessionSenderTestUnauthenticated, SENDER,
                                stamp.unpack_request(packet.payload))
            for packet in exchange.replies:
                ours = stamp.unpack_reply(packet.payload)
                theirs = self.check_same(packet.payload, STAMPSessionReflectorTestUnauthenticated,
                                         REFLECTOR, ours)
                self.assertEqual(estimate_of(theirs.err_estimate_sender),
                                 ours.sender_error_estimate)
                self.assertEqual(theirs.mbz1 | theirs.mbz2, 0)
            kinds = {kind for packet in exchange.requests
                     for _, kind, _ in stamp.tlvs_of(packet.payload)}
            print(f"{form}: {len(exchange.requests)} exchanges, TLVs {sorted(kinds)}")
            self.assertLessEqual(set(range(2, 8)), kinds)

    def requests(self):
        """Made by scapy: sequence number, then what it encodes."""
        layer, estimate = STAMPSessionSenderTestUnauthenticated, ErrorEstimate
        now = stamp.ntp_now() / 2**32
        padding = STAMPTestTLV(flags=stamp.U, type=stamp.EXTRA_PADDING, len=4, value=b"abcd")
        unknown = STAMPTestTLV(flags=stamp.U, type=200, len=2, value=b"xy")
        return [bytes(layer(seq=index, ts=now, ssid=ssid, err_estimate=error, tlv_objects=tlvs))
                for index, (ssid, error, tlvs) in enumerate((
                    (1, estimate(S=0, scale=10, multiplier=1), []),
                    (0xFFFF, estimate(S=1, scale=63, multiplier=255), []),
                    (7, estimate(S=1, scale=0, multiplier=1), [padding]),
                    (7, estimate(S=1, scale=0, multiplier=1), [padding, unknown, padding])))]

    def test_latmon_answers_what_scapy_encodes(self):
        ports = node.free_ports()
        daemon = node.Node(self, node.config("reflector", ports)).wait_started()
        requests = self.requests()
        for host in captured.HOSTS.values():
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as sender:
                sender.settimeout(runner.DEADLINE_S)
                sender.connect((host, ports.udp))
                for request in requests:
                    sender.send(request)
                    self.check_answer(request, sender.recv(1 << 16))
        accounts = daemon.stop()
        self.assertEqual({name: count for name, count in accounts.udp_reasons.items() if count},
                         {"reflected": 2 * len(requests)})

    def check_answer(self, request, answer):
        """As scapy reads it."""
        theirs = dissect(STAMPSessionReflectorTestUnauthenticated, answer)
        sent = stamp.unpack_request(request)
        self.assertEqual(len(answer), len(request))
        self.assertEqual((theirs.seq_sender, theirs.ssid, theirs.fields["ts_sender"]),
                         (sent.sequence, sent.ssid, sent.t1))
        self.assertEqual(estimate_of(theirs.err_estimate_sender), sent.error_estimate)
        self.assertEqual((theirs.err_estimate.Z, theirs.mbz1, theirs.mbz2), (0, 0, 0))
        self.assertNotEqual(theirs.err_estimate.multiplier, 0)
        self.assertEqual(
            [(part.flags.value, part.type, bytes(part.value)) for part in theirs.tlv_objects],
            [(stamp.U if kind == 200 else 0, kind, value)
             for _, kind, value in stamp.tlvs_of(request)])


if __name__ == "__main__":
    runner.main()
