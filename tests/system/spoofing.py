# SPDX-License-Identifier: Apache-2.0
#
# latmon is no weapon, and no liar can talk to it. Two reflectors that are made to answer each other
# fall silent at once; no reply is longer than its request; nobody who is not on the path can answer
# in a reflector's place; and a million senders that do not exist cost neither memory nor the sample
# of one that does.
import random
import socket
import sys
import time
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import capture
import netns
import node
import proc_net
import runner
import samples
import stamp
import veth
from forge import Forger

KEY = bytes(range(1, 33))
HOST, OTHER = "127.0.0.1", "127.0.0.2"

SILENT_NS = 100_000_000  # After that no packet is under way any more.
WATCH_S = 0.2

LENGTH_MAX = 9000
LENGTH_STEP = 7 if runner.IS_SANITIZED else 1
# Requests of TWAMP-Light, whose replies have 44 octets: RFC 8762 section 4.6.
SHORT = range(14, 44)

FORGED_PER_REQUEST = 25
ANSWERED = 10

WARM_UP = 2_000  # What the first packets touch is not growth.
PACKETS_PER_SOURCE = 3
GROWTH_BYTES_MAX = (64 << 20) if runner.IS_SANITIZED else (1 << 20)
BURST = 64  # Datagrams between two looks at the reflector's buffer.


def setUpModule():
    netns.enter()


def drain(opened):
    """What waits in a socket."""
    opened.setblocking(False)
    found = []
    while True:
        try:
            found.append(opened.recv(1 << 16))
        except BlockingIOError:
            return found


class Loops(unittest.TestCase):
    """One forged packet makes two reflectors believe that each has asked the other."""

    def start(self, host, ports, **keys):
        return node.Node(self, node.config("reflector", ports, address=[host], **keys)
                         ).wait_started()

    def packets(self, key, recorded):
        """Name, what is forged, and how many replies it may cause."""
        def request(**fields):
            return stamp.Request(7, stamp.ntp_now(), ssid=3)._replace(**fields)
        if key is not None:
            return (("authenticated", stamp.pack_authenticated(request(), key), 1),
                    ("a recorded reply", recorded, 0),
                    ("without a key", request().pack(), 0))
        padded = request().pack() + stamp.tlv(stamp.EXTRA_PADDING, bytes(1400))
        return (("plain", request().pack(), 1),
                ("padded", padded, 1),
                ("with an unknown TLV", request().pack() + stamp.tlv(200, b"loop"), 1),
                ("of TWAMP-Light", request().pack()[:14], 1),
                # The reply is no reflection yet, by its T1; the reply to that is one.
                ("without a T1", request(t1=0).pack(), 2),
                ("in PTP", request(t1=stamp.ptp_now(), error_estimate=stamp.ERROR_ESTIMATE |
                                   stamp.PTP).pack(), 1),
                ("a reply", stamp.reply_to(request().pack()), 0),
                ("a recorded reply", recorded, 0),
                ("of the ancestor", b"7|host|1719500000000000000|a:b|" + b"0" * 100, 1),
                ("of the ancestor, bare", b"7|h|1719500000000000000|a:b|", 1),
                ("a reply to the ancestor", b"7|host|1719500000000000000|a:b  |00000", 0))

    def record(self, port, key):
        """A genuine reply."""
        request = stamp.Request(1, stamp.ntp_now(), ssid=3)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.settimeout(runner.DEADLINE_S)
            sender.sendto(stamp.pack_authenticated(request, key) if key else request.pack(),
                          (OTHER, port))
            return sender.recv(1 << 16)

    def check(self, ports, other_ports, key=None):
        keys = {}
        if key is not None:
            keys["reflector"] = {"keys": [{"prefixes": ["127.0.0.0/8"],
                                           "key_file": node.key_file(self, key)}]}
        daemons = [self.start(HOST, ports, **keys), self.start(OTHER, other_ports, **keys)]
        recorded = self.record(other_ports.udp, key)
        forger, seen = Forger(self), capture.Capture(self)
        for name, payload, replies_max in self.packets(key, recorded):
            with self.subTest(name):
                seen.udp()
                forger.send((HOST, ports.udp), (OTHER, other_ports.udp), payload)
                node.run_for(WATCH_S, *daemons)
                packets = seen.udp()
                self.assertLessEqual(len(packets) - 1, replies_max)
                self.assertLess(packets[-1].time_ns - packets[0].time_ns, SILENT_NS)
        for daemon in daemons:
            daemon.stop()

    def test_one_forged_packet_between_two_reflectors_dies_at_once(self):
        self.check(node.free_ports(), node.free_ports())

    def test_nor_does_it_live_where_both_have_the_same_port(self):
        ports = node.free_ports()
        self.check(ports, ports)

    def test_nor_in_authenticated_mode(self):
        self.check(node.free_ports(), node.free_ports(), KEY)


class Amplification(unittest.TestCase):
    def contents(self, length, source):
        """As long as this, each of another kind."""
        request = stamp.Request(length, stamp.ntp_now(), ssid=length % 5).pack()
        storm = b"".join(stamp.tlv(source.randrange(256), flags=source.randrange(256))
                         for _ in range(length // 4))
        ancestor = b"7|host|1719500000000000000|a:b|"
        return (bytes(length), source.randbytes(length), request.ljust(length, b"\0")[:length],
                (request + storm)[:length], (request + source.randbytes(length))[:length],
                ancestor.ljust(length, b"0")[:length])

    def check(self, allow, is_provisioned):
        """Every length, one after the other: the answer to one more request says that all before
        it have been dealt with."""
        ports, source = node.free_ports(), random.Random(8762)
        daemon = node.Node(self, node.config("reflector", ports, address=[HOST],
                                             reflector={"allow": allow})).wait_started()
        to = (HOST, ports.udp)
        last, replies, asked = stamp.Request(0, stamp.ntp_now()).pack(), 0, 0
        with (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
              socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closing):
            closing.settimeout(runner.DEADLINE_S)
            for length in range(0, LENGTH_MAX + 1, LENGTH_STEP):
                for octets in self.contents(length, source):
                    sender.sendto(octets, to)
                    asked += 1
                closing.sendto(last, to)
                closing.recv(1 << 16)
                is_short = is_provisioned and length in SHORT
                for reply in drain(sender):
                    replies += 1
                    self.assertLessEqual(len(reply), 44 if is_short else length)
        accounts = daemon.stop()
        print(f"{asked} requests, {replies} replies, {accounts.udp_reasons}")
        self.assertGreater(replies, asked // 4)

    def test_no_reply_is_longer_than_its_request_but_those_to_twamp_light(self):
        self.check(["127.0.0.0/8"], is_provisioned=True)

    def test_no_reply_is_longer_than_its_request_if_anybody_may_ask(self):
        self.check(["any"], is_provisioned=False)


class ForgedReplies(unittest.TestCase):
    """Somebody answers in a reflector's place: all is right but one thing. `silent` is asked and
    never answers; another target does, and must not notice."""

    def forgeries(self, request, source):
        """From the reflector's own port: wrong in one thing, by a little or by a lot."""
        reply = stamp.unpack_reply(stamp.reply_to(request))
        wrong = (lambda: {"sender_sequence": reply.sender_sequence ^ 1 << source.randrange(32)},
                 lambda: {"sender_t1": reply.sender_t1 ^ 1 << source.randrange(64)},
                 lambda: {"sender_t1": source.getrandbits(64)},
                 lambda: {"sender_t1": 0})
        for index in range(FORGED_PER_REQUEST - 1):
            yield reply._replace(**wrong[index % len(wrong)]()).pack() + request[44:]

    def authenticated_forgeries(self, request, source):
        """All is right, but the HMAC is not."""
        reply = stamp.reply_authenticated_to(request, KEY)
        yield stamp.reply_to(request)
        yield stamp.reply_authenticated_to(request, bytes(32))
        yield reply[:96]
        yield reply[:96] + bytes(16)
        for _ in range(FORGED_PER_REQUEST - 5):
            flipped = bytearray(reply)
            flipped[source.randrange(112)] ^= 1 << source.randrange(8)
            yield bytes(flipped)

    def start(self, **keys):
        ports, self.path = node.free_ports(), runner.scratch(self) / "samples.ndjson"
        self.reflector = node.Node(self, node.config("reflector", ports)).wait_started()
        self.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.silent.close)
        self.silent.bind((HOST, 0))
        self.sender = node.Node(self, node.config(
            "sender", node.free_ports(), interval=1, timeout=1, max_lost=1_000_000, targets=[
                node.target(HOST, ports, label="genuine", type="udp"),
                node.target(HOST, ports, udp_port=self.silent.getsockname()[1], label="silent",
                            type="udp", descriptor=False, **keys)],
            exporters=[node.cli(self.path, "exchange")])).wait_started()

    def forge(self, forgeries, right):
        """Answers every request with forgeries, and with the right reply from a wrong port or from
        a wrong address."""
        source, sent, strangers = random.Random(793), 0, []
        for address in ((OTHER, self.silent.getsockname()[1]), (HOST, 0)):
            strangers.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            self.addCleanup(strangers[-1].close)
            strangers[-1].bind(address)
        self.silent.settimeout(runner.DEADLINE_S)
        while sent < runner.forged():
            request, asker = self.silent.recvfrom(1 << 16)
            for octets in forgeries(request, source):
                self.silent.sendto(octets, asker)
                sent += 1
            source.choice(strangers).sendto(right(request), asker)
            sent += 1
        return sent

    def answer(self, right):
        """So that all the rest was refused for what was wrong with it: the right reply from the
        right place. Returns how many."""
        for _ in range(ANSWERED):
            request, asker = self.silent.recvfrom(1 << 16)
            self.silent.sendto(right(request), asker)
        return ANSWERED

    def check(self, forgeries, right, **keys):
        self.start(**keys)
        sent = self.forge(forgeries, right)
        answered = self.answer(right)
        node.run_for(0.1, self.sender, self.reflector)
        accounts = self.sender.stop()
        self.reflector.stop()
        silent, genuine = accounts.probe("silent"), accounts.probe("genuine")
        print(f"{sent} forged, {silent}, {genuine}")
        self.assertEqual(silent["answered"], answered)
        self.assertEqual(silent["duplicate"] + silent["late"], 0)
        self.assertGreater(silent["invalid"], 0)
        self.assertEqual(genuine["answered"], genuine["sent"])
        self.assertEqual(genuine["invalid"], 0)
        fates = Counter()
        for sample in samples.read_checked(self, self.path):
            if sample["target"] == "silent":
                fates[sample["status"]] += samples.count_of(sample)
        # Exporters know of each, though few samples tell of them.
        self.assertEqual(fates["invalid"], silent["invalid"])
        self.assertEqual(fates["ok"] + fates["reordered"], answered)

    def test_none_of_them_is_accepted(self):
        self.check(self.forgeries, stamp.reply_to)

    def test_none_of_them_is_accepted_in_authenticated_mode(self):
        self.check(self.authenticated_forgeries,
                   lambda request: stamp.reply_authenticated_to(request, KEY),
                   key_file=node.key_file(self, KEY))


class ForgedSources(unittest.TestCase):
    def start(self):
        self.link = veth.Veth(self)
        netns.run("ip", "route", "add", "default", "via", veth.HERE, net=self.link.there)
        self.ports = node.free_ports()
        self.reflector = node.Node(self, node.config(
            "there", self.ports, address=[veth.THERE], stamp_port=self.ports.stamp,
            reflector={"allow": ["10.0.0.0/8"]}), net=self.link.there).wait_started()
        self.sender = node.Node(self, node.config(
            "here", node.free_ports(), address=[veth.HERE], interval=10, timeout=3,
            targets=[node.target(veth.THERE, self.ports, label="there", type="udp")])
        ).wait_started()

    def flood(self, forger, numbers):
        """Three packets from each of these sources, no faster than they are taken. They go to a
        second port of the same core, so that what does not fit is none of who measures."""
        to, sent = (veth.THERE, self.ports.stamp), 0
        for number in numbers:
            source = ((0x0A000000 + number).to_bytes(4, "big"), 1024 + number % 60_000)
            for sequence in range(PACKETS_PER_SOURCE):
                forger.send(source, to, stamp.Request(sequence, stamp.ntp_now()).pack())
                sent += 1
            if number % BURST == 0:
                node.run_for(0, self.reflector, self.sender)
                time.sleep(0.001)
        return sent

    def test_senders_that_do_not_exist_cost_nothing(self):
        self.start()
        forger = Forger(self)
        sent = self.flood(forger, range(WARM_UP))
        before = proc_net.resident_bytes(self.reflector.pid)
        # Without the cable's own network, 10.99.0.0/24.
        sources = [number for number in range(WARM_UP, WARM_UP + runner.forged())
                   if number >> 8 != 99 << 8]
        sent += self.flood(forger, sources)
        growth = proc_net.resident_bytes(self.reflector.pid) - before
        node.run_for(0.2, self.reflector, self.sender)
        mine, theirs = self.sender.stop(), self.reflector.stop()
        probe = mine.probe("there")
        print(f"{sent} forged, {growth:+} octets, {probe}, {theirs.udp_reasons}")
        self.assertEqual(probe["answered"], probe["sent"], probe)
        self.assertGreater(probe["answered"], 0)
        self.assertLessEqual(growth, GROWTH_BYTES_MAX)
        # Most were taken, or this would prove nothing.
        self.assertGreater(theirs.udp["received"], sent // 2)


if __name__ == "__main__":
    runner.main()
