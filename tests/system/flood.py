# SPDX-License-Identifier: Apache-2.0
#
# A flood of nonsense at a reflector while another latmon measures it a hundred times a second: that
# one loses nothing, the reflector survives, and its counters account for every datagram and every
# connection. Worth most under AddressSanitizer.
#
# Most of the flood goes to a second port of the same core, as fast as it can be sent; the port that
# the other measures gets as much as its socket's buffer holds for sure.
import random
import socket
import struct
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner
import stamp
from proc_net import dropped, rows, waiting_octets

HOST = "127.0.0.1"
LENGTH_MAX = 9000
BURST = 64  # Datagrams between two looks at the clock.
GENTLE_PER_S = 500
SOURCES = 8
CONNECTIONS = 200  # At once, and more than once;
CONNECTIONS_MAX = 10_000  # but each takes one of the kernel's 28,232 ports for a minute.
PATIENT = 3  # Connections that greet and then stay.
MUTE = 10  # Connections that never say a word.
PREFACE = struct.pack(">4sBBHQ", b"LMN1", 1, 0, 7, 42)


def noise(source):
    """One datagram of one of the kinds that a reflector has to tell apart."""
    data = source.randbytes(source.randrange(LENGTH_MAX + 1))
    request = stamp.Request(source.randrange(2**32), stamp.ntp_now(), ssid=source.randrange(4))
    return source.choice((
        lambda: data,
        lambda: data[:44],
        lambda: request.pack(),
        lambda: request.pack() + data[44:],  # Random TLVs.
        lambda: request.pack() + stamp.tlv(source.randrange(256), data[:2000]),
        lambda: request.pack()[:source.randrange(44)],
        lambda: request._replace(error_estimate=0x8A00).pack(),  # Corrupt.
        lambda: stamp.reply_to(request.pack() + data[44:]),  # Reflected already.
        lambda: b"7|host|1719500000000000000|a:b|" + b"0" * source.randrange(1000)))()


class DatagramFlood:
    def __init__(self, case, ports):
        source = random.Random(8762)
        self.pool = [noise(source) for _ in range(1000)]
        self.sockets = []
        # The last has the port of the reflector itself, which is free on another address.
        for address in SOURCES * [(HOST, 0)] + [("127.0.0.2", ports.udp)]:
            opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            case.addCleanup(opened.close)
            opened.bind(address)
            self.sockets.append(opened)
        self.ports = ports
        self.sent = 0
        self.index = 0

    def send(self, port):
        self.index += 1
        sender = self.sockets[self.index % len(self.sockets)]
        sender.sendto(self.pool[self.index % len(self.pool)], (HOST, port))
        self.sent += 1

    def run(self, duration_s, *nodes):
        began, gentle = time.monotonic(), 0
        while (passed := time.monotonic() - began) < duration_s:
            node.run_for(0, *nodes)
            for _ in range(BURST):
                self.send(self.ports.stamp)
            if gentle < passed * GENTLE_PER_S:
                self.send(self.ports.udp)
                gentle += 1


class ConnectionFlood:
    def __init__(self, case, port):
        self.case, self.port, self.made, self.open = case, port, 0, []
        case.addCleanup(self.close)

    def close(self):
        for connection in self.open:
            connection.close()

    def connect(self, *octets):
        opened = socket.create_connection((HOST, self.port), timeout=runner.DEADLINE_S)
        self.open.append(opened)
        self.made += 1
        for part in octets:
            opened.sendall(part)
        return opened

    def greet(self):
        opened = self.connect(PREFACE)
        answer = opened.recv(16, socket.MSG_WAITALL)
        self.case.assertEqual(answer[:8], PREFACE[:8])
        return opened

    def run(self):
        """Opens all, then ends half of them in good manners and half with a reset."""
        source = random.Random(793)
        frame = struct.pack(">HBB", 44, 1, 0) + stamp.Request(1, stamp.ntp_now()).pack()
        scripts = ((), (b"GET / HTTP/1.1\r\n\r\n",), (b"\x16\x03\x01\x02\x00\x01",),
                   (b"7|host|1719500000000000000|a:b|",), (b"L",), (PREFACE[:15],),
                   (PREFACE[:4] + b"\xff" * 12,), (PREFACE, b"\0"), (PREFACE, frame[:-1]),
                   (PREFACE, frame, frame[:20]), (PREFACE, 50 * frame),
                   (PREFACE, struct.pack(">HBB", 43, 1, 0)), (PREFACE, b"\xff\xff\xff\xff"),
                   (PREFACE, struct.pack(">HBB", 44, 2, 0) + bytes(44)),  # A reflection.
                   (source.randbytes(500),), (PREFACE, source.randbytes(500)))
        first = len(self.open)
        for index in range(CONNECTIONS):
            try:
                self.connect(*scripts[index % len(scripts)])
            except (ConnectionResetError, BrokenPipeError):
                pass  # The reflector had seen enough after the first part.
        for index, connection in enumerate(self.open[first:]):
            if index % 2 == 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                      struct.pack("ii", 1, 0))
            connection.close()
        del self.open[first:]


def connections(port):
    """Connections that are established, or wait to be accepted or closed by the reflector."""
    closed = {"06", "07"}  # TIME_WAIT and CLOSE: no file descriptor behind it.
    established = [fields for fields in rows("tcp", port)
                   if fields[3] not in closed | {"0A", "03"}]
    queued = sum(int(fields[4].split(":")[1], 16) for fields in rows("tcp", port)
                 if fields[3] == "0A")
    return len(established) + queued


class Flood(unittest.TestCase):
    def setUp(self):
        self.ports = node.free_ports()
        self.reflector = node.Node(self, node.config(
            "reflector", self.ports, address=[HOST], stamp_port=self.ports.stamp,
            cores=[runner.CPUS[0]])).wait_started()
        self.sender = node.Node(self, node.config(
            "sender", node.free_ports(), interval=10, timeout=3, cores=[runner.CPUS[-1]],
            protocol="stamp",  # One connection: it asks nobody what they speak.
            targets=[node.target(HOST, self.ports, label="reflector", tcp_latency=False)])
        ).wait_started()

    def stop_sender(self):
        """Whatever came over the reflector, who measures it lost nothing."""
        mine = self.sender.stop()
        for kind in ("udp", "tcp"):
            probe = mine.probe("reflector", kind)
            self.assertGreater(probe["answered"], 0)
            self.assertEqual(probe["answered"], probe["sent"], probe)
        return mine

    def test_every_datagram_of_a_flood_is_accounted_for(self):
        flood = DatagramFlood(self, self.ports)
        flood.run(runner.seconds(4), self.reflector, self.sender)
        mine = self.stop_sender()
        ports = (self.ports.udp, self.ports.stamp)
        runner.wait_until("the sockets to be empty",
                          lambda: not any(waiting_octets(port) for port in ports))
        drops = [dropped(port) for port in ports]
        theirs = self.reflector.stop()
        print(f"flood {flood.sent}, dropped by the kernel {drops}, {theirs.udp_reasons}")
        probe = mine.probe("reflector")
        sent = flood.sent + probe["sent"] + probe["descriptors"]
        self.assertEqual(theirs.udp["received"] + sum(drops), sent)
        self.assertEqual(drops[0], 0)
        for reason in ("reflected", "too_short", "bad_source_port", "reflected_ancestor",
                       "looped", "corrupt_error_estimate"):
            self.assertGreater(theirs.udp[reason], 0, reason)

    def test_every_connection_of_a_flood_is_accounted_for(self):
        flood = ConnectionFlood(self, self.ports.tcp)
        mute = [flood.connect() for _ in range(MUTE)]
        patient = [flood.greet() for _ in range(PATIENT)]
        end = time.monotonic() + runner.seconds(2)
        while time.monotonic() < end:
            if flood.made < CONNECTIONS_MAX:
                flood.run()
            node.run_for(0.01, self.reflector, self.sender)
        for connection in mute:  # The reflector loses patience by itself.
            self.assertEqual(connection.recv(1), b"")
            connection.close()
        self.stop_sender()
        runner.wait_until("the connections to be closed",
                          lambda: connections(self.ports.tcp) == PATIENT)
        theirs = self.reflector.stop()
        print(f"connections {flood.made}, {theirs.tcp}")
        self.assertEqual(theirs.tcp["accepted"] - theirs.tcp_closed, len(patient))
        # One more is the sender's.
        self.assertEqual(theirs.tcp["accepted"] + theirs.tcp_refused, flood.made + 1)
        self.assertEqual(theirs.tcp["closed_no_preface"], MUTE)
        for reason in ("by_peer", "tls", "garbage", "broken"):
            self.assertGreater(theirs.tcp[f"closed_{reason}"], 0, reason)


if __name__ == "__main__":
    runner.main()
