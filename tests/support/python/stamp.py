# SPDX-License-Identifier: Apache-2.0
#
# STAMP once more, from RFC 8762 and RFC 8972 and not from latmon: what the tests hold latmon
# against. Octets by struct, times as integers.
import struct
import time
from typing import NamedTuple

SENDER = struct.Struct(">IQHH28x")  # RFC 8762 section 4.2.1, SSID: RFC 8972 section 3.
REFLECTOR = struct.Struct(">IQHHQIQH2xB3x")  # RFC 8762 section 4.3.1.
assert SENDER.size == REFLECTOR.size == 44

NTP_TO_UNIX_S = 2_208_988_800
# S = 1, Z = 0, scale 10, multiplier 1: RFC 4656 section 4.1.2.
ERROR_ESTIMATE = 0x8A01
PTP = 0x4000  # Z: time stamps in PTP format, RFC 8186.

U, M = 0x80, 0x40  # TLV flags: unrecognized, malformed.
EXTRA_PADDING = 1


class Request(NamedTuple):
    sequence: int
    t1: int
    error_estimate: int = ERROR_ESTIMATE
    ssid: int = 0

    def pack(self):
        return SENDER.pack(*self)


class Reply(NamedTuple):
    sequence: int
    t3: int
    error_estimate: int
    ssid: int
    t2: int
    sender_sequence: int
    sender_t1: int
    sender_error_estimate: int
    sender_ttl: int

    def pack(self):
        return REFLECTOR.pack(*self)


def ntp(unix_ns):
    whole, rest = divmod(unix_ns, 10**9)
    return ((whole + NTP_TO_UNIX_S) % 2**32 << 32) | (rest << 32) // 10**9


def ntp_now():
    return ntp(time.time_ns())


def unix_ns(bits):
    """In the era that began in 1900, or the next."""
    whole = (bits >> 32) - NTP_TO_UNIX_S
    if whole < 0:
        whole += 2**32
    return whole * 10**9 + ((bits & 0xFFFFFFFF) * 10**9 >> 32)


def ptp_now():
    whole, rest = divmod(time.time_ns(), 10**9)
    return (whole % 2**32) << 32 | rest


def unpack_request(data):
    return Request(*SENDER.unpack(data[:44].ljust(44, b"\0")))


def unpack_reply(data):
    return Reply(*REFLECTOR.unpack(data[:44]))


def reply_to(data, sequence=0):
    """What a plain reflector answers to `data`, as long as it."""
    request = unpack_request(data)
    now = ntp_now()
    reply = Reply(sequence, now, ERROR_ESTIMATE, request.ssid, now, request.sequence, request.t1,
                  request.error_estimate, 64)
    return reply.pack() + data[44:]


def tlv(kind, value=b"", flags=U, length=None):
    return struct.pack(">BBH", flags, kind, len(value) if length is None else length) + value
