# SPDX-License-Identifier: Apache-2.0
#
# IPv4 datagrams with a source that is not ours, as an attacker elsewhere would send them. Needs
# root, and goes no further than the namespace of the test.
import socket
import struct

HEADER = struct.Struct(">BBHHHBBH4s4sHHHH")  # IPv4 (RFC 791), then UDP (RFC 768).


class Forger:
    def __init__(self, case):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        case.addCleanup(self.socket.close)

    def send(self, source, destination, payload):
        """Both are (host, port), and a host may be four octets."""
        (from_host, from_port), (to_host, to_port) = source, destination
        hosts = [host if isinstance(host, bytes) else socket.inet_aton(host)
                 for host in (from_host, to_host)]
        # The kernel fills in the IPv4 checksum; a UDP checksum of 0 is none.
        octets = HEADER.pack(0x45, 0, 28 + len(payload), 0, 0, 64, socket.IPPROTO_UDP, 0, *hosts,
                             from_port, to_port, 8 + len(payload), 0) + payload
        self.socket.sendto(octets, (socket.inet_ntoa(hosts[1]), 0))
