# SPDX-License-Identifier: Apache-2.0
#
# When probes really left: the kernel's own stamps of what leaves by a device, taken by a packet
# socket. One yardstick for every tool, whatever the tool says about itself. A filter in the kernel
# lets the probes through and nothing else; their heads and stamps go into memory that is shared
# with the kernel (packet(7), PACKET_RX_RING, version 2), so that no process runs while a tool is
# watched. IPv4 without options. Needs root.
import ctypes
import mmap
import socket
import struct

UDP, ICMP = socket.IPPROTO_UDP, socket.IPPROTO_ICMP
ETH_P_ALL, ETH_P_IP = 3, 0x0800
SO_ATTACH_FILTER = 26
SOL_PACKET, PACKET_RX_RING, PACKET_STATISTICS, PACKET_VERSION = 263, 5, 6, 10
TPACKET_V2 = 1
TP_STATUS_USER = 1  # The kernel is done with the frame.
FRAME_BYTES, BLOCK_BYTES = 128, 1 << 16
# struct tpacket2_hdr: status, len, snaplen, mac, net, sec, nsec.
HEAD = struct.Struct("=IIIHHII")
LINK_BYTES = 14  # Loopback and veth have the head of Ethernet.

# struct sock_filter; the numbers are those of linux/filter.h.
LOAD_WORD, LOAD_HALF, LOAD_BYTE = 0x20, 0x28, 0x30
LOAD_HALF_BEHIND, LOAD_BYTE_BEHIND = 0x48, 0x50  # Behind the IP head.
IP_LENGTH, IF_EQUAL, RETURN = 0xB1, 0x15, 0x06
PACKET_TYPE = 0xFFFFF004  # SKF_AD_OFF + SKF_AD_PKTTYPE
PACKET_OUTGOING = 4       # On loopback every packet comes twice: as it leaves and as it arrives.
ECHO_REQUEST = 8


def program(protocol, port):
    """Outgoing, IPv4, and either UDP to `port` or an ICMP echo request."""
    is_probe = ([(LOAD_HALF_BEHIND, 0, 0, LINK_BYTES + 2), (IF_EQUAL, 0, 1, port)]
                if protocol == UDP else
                [(LOAD_BYTE_BEHIND, 0, 0, LINK_BYTES), (IF_EQUAL, 0, 1, ECHO_REQUEST)])
    return [(LOAD_WORD, 0, 0, PACKET_TYPE), (IF_EQUAL, 0, 8, PACKET_OUTGOING),
            (LOAD_HALF, 0, 0, 12), (IF_EQUAL, 0, 6, ETH_P_IP),
            (LOAD_BYTE, 0, 0, LINK_BYTES + 9), (IF_EQUAL, 0, 4, protocol),
            (IP_LENGTH, 0, 0, LINK_BYTES), *is_probe,
            (RETURN, 0, 0, FRAME_BYTES), (RETURN, 0, 0, 0)]


def attach(opened, instructions):
    code = b"".join(struct.pack("=HBBI", *each) for each in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    opened.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                      struct.pack("HP", len(instructions), ctypes.addressof(buffer)))


class Capture:
    """Of probes that leave by `device` from now on, `most` of them at most."""

    def __init__(self, device, protocol, port, most):
        self.protocol = protocol
        blocks = -(-most * FRAME_BYTES // BLOCK_BYTES)
        self.frames = blocks * BLOCK_BYTES // FRAME_BYTES
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            attach(self.socket, program(protocol, port))
            self.socket.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V2)
            self.socket.setsockopt(SOL_PACKET, PACKET_RX_RING, struct.pack(
                "IIII", BLOCK_BYTES, blocks, FRAME_BYTES, self.frames))
            self.memory = mmap.mmap(self.socket.fileno(), blocks * BLOCK_BYTES)
            self.socket.bind((device, ETH_P_ALL))  # No other sees what leaves.
        except BaseException:
            self.socket.close()
            raise

    def read(self):
        """Ends the capture. {flow: [nanoseconds since 1970, in order]}; a flow is what one target's
        probes have in common: its address, and for UDP both ports."""
        try:
            seen = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
            if seen[1]:
                raise RuntimeError(f"the capture has holes: {seen[1]} of {seen[0]} probes")
            flows = {}
            for at in range(0, seen[0] * FRAME_BYTES, FRAME_BYTES):
                status, _, _, mac, _, seconds, rest = HEAD.unpack_from(self.memory, at)
                if status & TP_STATUS_USER == 0:
                    raise RuntimeError("the kernel has not filled the frame that it counted")
                flow = self.flow(at + mac + LINK_BYTES)
                flows.setdefault(flow, []).append(seconds * 10**9 + rest)
            return flows
        finally:
            self.memory.close()
            self.socket.close()

    def flow(self, at):
        address = bytes(self.memory[at + 16:at + 20])
        if self.protocol == ICMP:
            return address
        ports = at + (self.memory[at] & 15) * 4
        return address + bytes(self.memory[ports:ports + 4])


def spacing_errors_ns(flows, interval_ns):
    """How much each gap between two probes of a flow differs from the interval, both ways alike."""
    return [abs(later - earlier - interval_ns) for times in flows.values()
            for earlier, later in zip(times, times[1:])]
