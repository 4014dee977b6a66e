# SPDX-License-Identifier: Apache-2.0
#
# What passes an interface, as the kernel shows it to packet sockets. There is no thread: packets
# wait in the socket, which holds some thousands of them, until they are asked for. Needs root.
import socket
import struct
from typing import NamedTuple

ETH_P_ALL = 3
PACKET_OUTGOING = 4  # On loopback every packet comes twice: as it leaves and as it arrives.
SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
BUFFER_BYTES = 64 << 20
SOL_PACKET, PACKET_STATISTICS = 263, 6
ETHERTYPES = {0x0800: socket.AF_INET, 0x86DD: socket.AF_INET6}
UDP = 17


class Packet(NamedTuple):
    time_ns: int
    frame: bytes
    family: int
    source: tuple
    destination: tuple
    payload: bytes


def udp_of(time_ns, frame):
    """A Packet, or None if it is anything but UDP in one piece."""
    family = ETHERTYPES.get(int.from_bytes(frame[12:14], "big"))
    if family is None:
        return None
    length = (frame[14] & 15) * 4 if family == socket.AF_INET else 40
    protocol = frame[23] if family == socket.AF_INET else frame[20]
    is_fragment = family == socket.AF_INET and int.from_bytes(frame[20:22], "big") & 0x3FFF
    if protocol != UDP or is_fragment:
        return None
    first, size = (26, 4) if family == socket.AF_INET else (22, 16)
    hosts = [socket.inet_ntop(family, frame[at:at + size]) for at in (first, first + size)]
    udp = 14 + length
    source, destination, octets = struct.unpack_from(">HHH", frame, udp)
    return Packet(time_ns, frame, family, (hosts[0], source), (hosts[1], destination),
                  frame[udp + 8:udp + octets])


class Capture:
    def __init__(self, case, device="lo"):
        self.case = case
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        case.addCleanup(self.socket.close)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((device, ETH_P_ALL))
        self.socket.setblocking(False)

    def udp(self):
        """The UDP packets since the last call, in order; none is missing."""
        found = []
        while True:
            try:
                frame, control, _, address = self.socket.recvmsg(1 << 16, 64)
            except BlockingIOError:
                break
            if address[2] == PACKET_OUTGOING:
                continue
            seconds, rest = struct.unpack("qq", control[0][2])
            packet = udp_of(seconds * 10**9 + rest, frame)
            if packet is not None:
                found.append(packet)
        statistics = self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        self.case.assertEqual(struct.unpack("II", statistics)[1], 0, "the capture has holes")
        return found


def write_pcap(path, packets):
    """As every tool reads it: Ethernet frames, times in nanoseconds."""
    with open(path, "wb") as file:
        file.write(struct.pack("=IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 1 << 16, 1))
        for packet in packets:
            seconds, rest = divmod(packet.time_ns, 10**9)
            size = len(packet.frame)
            file.write(struct.pack("=IIII", seconds, rest, size, size) + packet.frame)
