# SPDX-License-Identifier: Apache-2.0
#
# latmon's reflector before a STAMP sender that was written from the RFCs alone: every field of
# every reply, for bare packets, session ids, TLVs that are known, unknown and broken, TWAMP-Light's
# short ones, and all that must not be answered.
import socket
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner
import stamp

TTL, TOS = 77, 0xB9  # Expedited forwarding, and an ECN bit that is not ours to send back.
REFLECTOR_TTL = 255  # RFC 5357 section 4.2.1.
ROUNDING_NS = 1


class Sender:
    """One socket, one sender. Not connected, so that a reply may come from anywhere."""

    def __init__(self, case, port, host="127.0.0.1", source_port=0):
        self.case, self.to = case, (host, port)
        is_ipv6 = ":" in host
        self.socket = socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET,
                                    socket.SOCK_DGRAM)
        case.addCleanup(self.socket.close)
        level = socket.IPPROTO_IPV6 if is_ipv6 else socket.IPPROTO_IP
        for send, receive, value in (
                ((socket.IPV6_UNICAST_HOPS, socket.IPV6_RECVHOPLIMIT, TTL),
                 (socket.IPV6_TCLASS, socket.IPV6_RECVTCLASS, TOS)) if is_ipv6 else
                ((socket.IP_TTL, 12, TTL), (socket.IP_TOS, 13, TOS))):  # IP_RECVTTL, IP_RECVTOS
            self.socket.setsockopt(level, send, value)
            self.socket.setsockopt(level, receive, 1)
        self.socket.bind(("::1" if is_ipv6 else "127.0.0.1", source_port))
        self.socket.settimeout(runner.DEADLINE_S)

    def send(self, data):
        self.socket.sendto(data, self.to)

    def ask(self, data):
        """The reply, who sent it, and its TTL and traffic class."""
        self.send(data)
        reply, control, _, source = self.socket.recvmsg(65_536, 256)
        levels = {(level, kind): int.from_bytes(value[:4].ljust(4, b"\0"), sys.byteorder)
                  for level, kind, value in control}
        ipv4, ipv6 = socket.IPPROTO_IP, socket.IPPROTO_IPV6
        ttl = levels.get((ipv4, socket.IP_TTL), levels.get((ipv6, socket.IPV6_HOPLIMIT)))
        tos = levels.get((ipv4, socket.IP_TOS), levels.get((ipv6, socket.IPV6_TCLASS)))
        return reply, source, ttl, tos


class InteropSenders(unittest.TestCase):
    def setUp(self):
        self.ports = node.free_ports()
        keys = node.config("reflector", self.ports, stamp_port=self.ports.stamp)
        del keys["address"]  # All of them: a reply must find the right one by itself.
        self.daemon = node.Node(self, keys).wait_started()

    def exchange(self, sender, sequence, ssid=0, behind=b"", cut=None):
        """Sends a request, checks all of its reply but the TLVs, and returns these."""
        request = stamp.Request(sequence, stamp.ntp_now(), ssid=ssid)
        data = (request.pack() + behind)[:cut]
        answer, source, ttl, tos = sender.ask(data)
        after = stamp.ntp_now()
        self.assertEqual(source[:2], sender.to)
        self.assertEqual(len(answer), max(len(data), 44))
        self.assertEqual((ttl, tos), (REFLECTOR_TTL, TOS & 0xFC))
        reply = stamp.unpack_reply(answer)
        self.assertEqual(reply.pack(), answer[:44], "octets that must be zero are not")
        sent = stamp.unpack_request(data)  # Octets that were cut off read as zero.
        self.assertEqual((reply.sender_sequence, reply.sender_t1, reply.sender_error_estimate,
                          reply.sender_ttl, reply.ssid),
                         (sent.sequence, sent.t1, sent.error_estimate, TTL, sent.ssid))
        self.assertNotEqual(reply.error_estimate & 0xFF, 0, "a multiplier of 0 is corrupt")
        self.assertEqual(reply.error_estimate & stamp.PTP, 0)
        times = [stamp.unix_ns(bits) for bits in (sent.t1, reply.t2, reply.t3, after)]
        for earlier, later in zip(times, times[1:]):  # All four are of one clock.
            self.assertLessEqual(earlier, later + ROUNDING_NS, times)
        return reply.sequence, answer[44:]

    def finish(self, **reasons):
        """Stops the reflector, which has refused exactly this."""
        accounts = self.daemon.stop()
        refused = {name: count for name, count in accounts.udp_reasons.items()
                   if count and name != "reflected"}
        self.assertEqual(refused, reasons)
        return accounts

    # -- Answered ---------------------------------------------------------------------------------

    def test_a_bare_packet_is_answered_field_by_field(self):
        for port in (self.ports.udp, self.ports.stamp):
            sender = Sender(self, port)
            for sequence in range(100):
                numbers = self.exchange(sender, 2**32 - 50 + sequence & 0xFFFFFFFF)
                self.assertEqual(numbers, (sequence, b""))
        self.assertEqual(self.finish().udp["reflected"], 200)

    def test_a_reply_leaves_from_the_address_that_was_asked(self):
        for last in (1, 2, 9, 254):
            self.exchange(Sender(self, self.ports.udp, f"127.0.0.{last}"), 0)
        self.finish()

    def test_ipv6_is_answered_alike(self):
        runner.need_ipv6()
        sender = Sender(self, self.ports.udp, "::1")
        for sequence in range(10):
            self.assertEqual(self.exchange(sender, sequence)[0], sequence)
        self.finish()

    def test_each_session_has_a_sequence_of_its_own(self):
        first, second = Sender(self, self.ports.udp), Sender(self, self.ports.udp)
        for count in range(5):
            for sender, ssid in ((first, 1), (first, 2), (first, 0xFFFF), (second, 1)):
                self.assertEqual(self.exchange(sender, 1000 + count, ssid)[0], count)
        self.finish()

    def test_tlvs_come_back_with_their_flags(self):
        tlv, u, m = stamp.tlv, stamp.U, stamp.M
        padding, unknown = stamp.EXTRA_PADDING, 200
        value = bytes(range(1, 21))
        cases = (
            ("known", tlv(padding, value), tlv(padding, value, 0)),
            ("empty", tlv(padding), tlv(padding, flags=0)),
            ("unknown", tlv(unknown, value), tlv(unknown, value, u)),
            ("unknown without U", tlv(unknown, value, 0), tlv(unknown, value, u)),
            ("both", tlv(unknown, value) + tlv(padding, value),
             tlv(unknown, value, u) + tlv(padding, value, 0)),
            ("malformed", tlv(padding, value, length=21), tlv(padding, value, m, 21)),
            ("unknown and malformed", tlv(unknown, value, length=0xFFFF),
             tlv(unknown, value, u | m, 0xFFFF)),
            ("fine, then malformed", tlv(padding, value) + tlv(padding, length=1),
             tlv(padding, value, 0) + tlv(padding, flags=m, length=1)),
            ("too short to be one", b"\x80\x01\x00", b"\x80\x01\x00"),
            ("old flags", tlv(padding, value, 0xFF), tlv(padding, value, 0)))
        sender = Sender(self, self.ports.udp)
        for sequence, (what, behind, expected) in enumerate(cases):
            with self.subTest(what):
                self.assertEqual(self.exchange(sender, sequence, behind=behind)[1], expected)
        self.finish()

    def test_short_packets_of_twamp_light_are_answered_with_44_octets(self):
        sender = Sender(self, self.ports.udp)
        for sequence, length in enumerate(range(14, 44)):
            self.assertEqual(self.exchange(sender, length, cut=length), (sequence, b""))
        self.finish()

    # -- Not answered -----------------------------------------------------------------------------

    def assert_silent(self, sender):
        sender.socket.setblocking(False)
        with self.assertRaises(BlockingIOError):
            sender.socket.recv(65_536)

    def assert_unanswered(self, *refused, **reasons):
        """Each of `refused` gets no reply: the first that comes is for what follows."""
        sender = Sender(self, self.ports.udp)
        for data in refused:
            sender.send(data)
        self.exchange(sender, 7)
        self.assert_silent(sender)
        self.finish(**reasons)

    def test_what_is_too_short_is_not_answered(self):
        request = stamp.Request(1, stamp.ntp_now()).pack()
        self.assert_unanswered(b"", b"\0", request[:13], too_short=3)

    def test_a_reflection_is_not_reflected(self):
        request = stamp.Request(1, stamp.ntp_now()).pack()
        reply = stamp.reply_to(request)
        in_ptp = stamp.unpack_reply(reply)._replace(t2=stamp.ptp_now(), sender_t1=stamp.ptp_now())
        self.assert_unanswered(reply, reply + stamp.tlv(200, b"behind"), in_ptp.pack(), looped=3)

    def test_a_corrupt_error_estimate_is_not_answered(self):
        corrupt = stamp.Request(1, stamp.ntp_now(), stamp.ERROR_ESTIMATE & 0xFF00)
        self.assert_unanswered(corrupt.pack(), corrupt.pack() + b"behind", corrupt_error_estimate=2)

    def test_the_port_of_a_reflector_is_not_answered(self):
        # On another loopback address the port is free; two reflectors would talk for ever.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            free = other.getsockname()[1]
        self.daemon.stop()
        keys = node.config("reflector", self.ports, address=["127.0.0.2"], udp_port=free)
        self.daemon = node.Node(self, keys).wait_started()
        sender = Sender(self, free, "127.0.0.2", source_port=free)
        sender.send(stamp.Request(1, stamp.ntp_now()).pack())
        self.exchange(Sender(self, free, "127.0.0.2"), 7)
        self.assert_silent(sender)
        self.finish(bad_source_port=1)

    # -- The ancestor -----------------------------------------------------------------------------

    def answer_to_ancestor(self, reply, request):
        """What a reply says of us: the name and the time."""
        self.assertEqual(len(reply), len(request))
        sequence, name, time_ns, tags, padding = reply.decode().split("|")
        asked = request.decode().split("|")
        self.assertEqual((sequence, tags), (asked[0], asked[3] + "  "))
        self.assertEqual(padding, "0" * len(padding))
        return name, int(time_ns)

    def test_the_ancestor_is_answered_in_its_format(self):
        sender = Sender(self, self.ports.udp)
        for sequence, size in enumerate((0, 60, 1470, 9000)):
            before = time.time_ns()
            request = f"{sequence}|their-host|{before}|['isp:local']|".ljust(size, "0").encode()
            reply, source, ttl, tos = sender.ask(request)
            name, time_ns = self.answer_to_ancestor(reply, request)
            # What has no padding makes room for our mark by our name.
            self.assertEqual(name, "reflector" if size else "reflector"[:len("their-host") - 2])
            self.assertTrue(before <= time_ns <= time.time_ns())
            self.assertEqual((source, ttl, tos), (sender.to, REFLECTOR_TTL, TOS & 0xFC))
        self.finish(reflected_ancestor=4)

    def test_the_ancestor_is_answered_over_tcp_however_its_stream_is_cut(self):
        requests = [f"{sequence}|their-host|{time.time_ns()}|['a:b']|".ljust(100, "0").encode()
                    for sequence in (*range(5), 100, 0, 0)]
        with socket.create_connection(("127.0.0.1", self.ports.tcp),
                                      runner.DEADLINE_S) as stream:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for request in requests:
                stream.sendall(request)
                reply = stream.recv(len(request), socket.MSG_WAITALL)
                self.answer_to_ancestor(reply, request)
            stream.sendall(b"".join(requests))  # At once.
            replies = stream.recv(100 * len(requests), socket.MSG_WAITALL)
            for index, request in enumerate(requests):
                self.answer_to_ancestor(replies[100 * index:][:100], request)
        counts = self.finish().tcp
        self.assertEqual(counts["reflected_ancestor"], 2 * len(requests))
        self.assertEqual(counts["closed_by_peer"], 1)

    def test_a_reply_to_the_ancestor_is_not_answered(self):
        text = f"7|their-host|{time.time_ns()}|['isp:local']  |".ljust(200, "0").encode()
        self.assert_unanswered(text, looped=1)


if __name__ == "__main__":
    runner.main()
