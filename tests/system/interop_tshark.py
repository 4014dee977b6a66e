# SPDX-License-Identifier: Apache-2.0
#
# tshark reads what latmon says to latmon: every packet, IPv4 and IPv6, time stamps of NTP and PTP,
# all TLVs (which it shows as padding). It finds nothing malformed and nothing to remark, and the
# fields that it knows have the values that our own reading gives them.
import os
import subprocess
import sys
import unittest
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import capture
import captured
import netns
import node
import runner
import stamp

PACKETS = 200
FIELDS = ("frame.protocols", "_ws.malformed", "_ws.expert", "twamp.test.seq_number",
          "twamp.test.error_estimate", "twamp.test.error_estimate.s",
          "twamp.test.error_estimate.z", "twamp.test.error_estimate.scale",
          "twamp.test.error_estimate.multiplier", "twamp.test.timestamp",
          "twamp.test.receive_timestamp", "twamp.test.sender_seq_number",
          "twamp.test.sender_timestamp", "twamp.test.sender_error_estimate",
          "twamp.test.sender_ttl")


def setUpModule():
    runner.need_tool("tshark")
    runner.need_ipv6()
    netns.enter()


def number(text):
    return int(text, 0)


def unix_ns(text):
    """Of "Nov 21, 2026 14:51:08.764586379 UTC"."""
    whole, rest = text.removesuffix(" UTC").split(".")
    moment = datetime.strptime(whole, "%b %d, %Y %H:%M:%S").replace(tzinfo=timezone.utc)
    return int(moment.timestamp()) * 10**9 + int(rest)


class InteropTshark(unittest.TestCase):
    def read(self, packets, port):
        """The fields of each packet, as texts."""
        path = runner.scratch(self) / "capture.pcap"
        capture.write_pcap(path, packets)
        command = ["tshark", "-n", "-r", str(path), "-d", f"udp.port=={port},twamp.test",
                   "-T", "fields", "-E", "separator=/t"]
        for field in FIELDS:
            command += ["-e", field]
        done = subprocess.run(command, capture_output=True, text=True,
                              env=os.environ | {"TZ": "UTC", "LC_ALL": "C"},
                              preexec_fn=node.die_with_parent, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [dict(zip(FIELDS, line.split("\t"))) for line in done.stdout.splitlines()]

    def check_common(self, fields, packet):
        self.assertTrue(fields["frame.protocols"].endswith(":udp:twamp.test"), fields)
        self.assertEqual((fields["_ws.malformed"], fields["_ws.expert"]), ("", ""), fields)
        self.assertEqual(number(fields["twamp.test.seq_number"]), packet.sequence)
        estimate = packet.error_estimate
        for name, value in (("", estimate), (".s", estimate >> 15), (".z", estimate >> 14 & 1),
                            (".scale", estimate >> 8 & 0x3F), (".multiplier", estimate & 0xFF)):
            # A reply has two of them; the first is its own.
            first = fields[f"twamp.test.error_estimate{name}"].split(",")[0]
            self.assertEqual(number(first), value, (name, fields))

    def check_time(self, text, bits, form):
        """tshark rounds, or cuts off, as it likes, and leaves TAI as it is."""
        ours = stamp.unix_ns(bits) if form == "ntp" else (
            (bits >> 32) * 10**9 + (bits & 0xFFFFFFFF))
        self.assertLessEqual(abs(unix_ns(text) - ours), 1, text)

    def check(self, form):
        exchange = captured.measure(self, form, PACKETS)
        self.assertEqual({packet.family for packet in exchange.requests},
                         {packet.family for packet in exchange.replies})
        packets = sorted(exchange.requests + exchange.replies, key=lambda each: each.time_ns)
        read = self.read(packets, exchange.port)
        self.assertEqual(len(read), len(packets))
        for fields, packet in zip(read, packets):
            if packet.destination[1] == exchange.port:
                request = stamp.unpack_request(packet.payload)
                self.check_common(fields, request)
                self.assertEqual(bool(request.error_estimate & stamp.PTP), form == "ptp")
                self.check_time(fields["twamp.test.timestamp"], request.t1, form)
            else:
                reply = stamp.unpack_reply(packet.payload)
                self.check_common(fields, reply)
                self.assertEqual(bool(reply.error_estimate & stamp.PTP), form == "ptp")
                self.assertEqual(number(fields["twamp.test.sender_seq_number"]),
                                 reply.sender_sequence)
                self.assertEqual(number(fields["twamp.test.sender_error_estimate"]),
                                 reply.sender_error_estimate)
                self.assertEqual(number(fields["twamp.test.sender_ttl"]), reply.sender_ttl)
                self.check_time(fields["twamp.test.timestamp"], reply.t3, form)
                self.check_time(fields["twamp.test.receive_timestamp"], reply.t2, form)
                if form == "ntp":  # Of this one tshark takes no other format into account.
                    self.check_time(fields["twamp.test.sender_timestamp"], reply.sender_t1, form)
        print(f"{form}: {len(packets)} packets of {len(packets[0].payload)} octets and more, "
              f"the last: {read[-1]}")

    def test_tshark_reads_every_packet_in_the_format_of_ntp(self):
        self.check("ntp")

    def test_tshark_reads_every_packet_in_the_format_of_ptp(self):
        if "ptp" in captured.FORMATS:  # Else NTP alone, and that was the other test.
            self.check("ptp")


if __name__ == "__main__":
    runner.main()
