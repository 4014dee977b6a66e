# SPDX-License-Identifier: Apache-2.0
#
# STAMP once more, from RFC 8762 and RFC 8972 and not from latmon: what the tests hold latmon
# against. Octets by struct, times as integers.
import hashlib
import hmac
import struct
import time
from typing import NamedTuple

SENDER = struct.Struct(">IQHH28x")  # RFC 8762 section 4.2.1, SSID: RFC 8972 section 3.
REFLECTOR = struct.Struct(">IQHHQIQH2xB3x")  # RFC 8762 section 4.3.1.
assert SENDER.size == REFLECTOR.size == 44
# The same in authenticated mode, RFC 8762 sections 4.2.2 and 4.3.2, without the HMAC at their end.
SENDER_AUTHENTICATED = struct.Struct(">I12xQHH68x")
REFLECTOR_AUTHENTICATED = struct.Struct(">I12xQHH4xQ8xI12xQH6xB15x")
assert SENDER_AUTHENTICATED.size == REFLECTOR_AUTHENTICATED.size == 96
HMAC_BYTES = 16

NTP_TO_UNIX_S = 2_208_988_800
# S = 1, Z = 0, scale 10, multiplier 1: RFC 4656 section 4.1.2.
ERROR_ESTIMATE = 0x8A01
SYNCHRONIZED = 0x8000  # S: the clock follows UTC.
PTP = 0x4000  # Z: time stamps in PTP format, RFC 8186.

U, M = 0x80, 0x40  # TLV flags: unrecognized, malformed.
EXTRA_PADDING = 1
TLV_HMAC = 8


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


def tlvs_of(data, base=44):
    """(flags, type, value) of each TLV behind the base packet; what is left must be none."""
    found, at = [], base
    while at + 4 <= len(data):
        flags, kind, length = struct.unpack_from(">BBH", data, at)
        found.append((flags, kind, data[at + 4:at + 4 + length]))
        at += 4 + length
    return found


def sign(packet, key):
    """RFC 8762 section 4.4: `packet`, 96 octets, with the HMAC that closes it."""
    return packet + hmac.digest(key, packet, hashlib.sha256)[:HMAC_BYTES]


def pack_authenticated(packet, key):
    """Of a Request or a Reply."""
    layout = SENDER_AUTHENTICATED if isinstance(packet, Request) else REFLECTOR_AUTHENTICATED
    return sign(layout.pack(*packet), key)


def unpack_authenticated_request(data):
    return Request(*SENDER_AUTHENTICATED.unpack(data[:96]))


def reply_authenticated_to(data, key, sequence=0):
    """As reply_to(), in authenticated mode and without TLVs."""
    request = unpack_authenticated_request(data)
    now = ntp_now()
    return pack_authenticated(
        Reply(sequence, now, ERROR_ESTIMATE, request.ssid, now, request.sequence, request.t1,
              request.error_estimate, 64), key)
