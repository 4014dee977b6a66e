# SPDX-License-Identifier: Apache-2.0
#
# A reader of spools that shares no code with latmon, written from the description of the format in
# docs/exporters/push.md: what is in the directory of a process that was killed, before the next one
# touches it.
import re
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

HEAD = struct.Struct("<4sIII")
MAGIC = b"LMR1"


class Spool(NamedTuple):
    payloads: list  # Of the records that are not done, in order.
    torn: int       # Segments that end in the middle of a record.
    bad: int        # Records that are whole and wrong.
    octets: int     # Of all segments.


def read_position(folder):
    """(segment, octets) up to which all is done."""
    try:
        text = Path(folder, "position").read_bytes()
    except FileNotFoundError:
        return 0, 0
    above, crc = re.fullmatch(rb"(.*\n)crc ([0-9a-f]{8})\n", text, re.S).groups()
    if zlib.crc32(above) != int(crc, 16):
        raise AssertionError(f"the position is spoiled: {text}")
    segment, octets = re.match(rb"latmon-spool 1\ndone (\d+) (\d+)\n", above).groups()
    return int(segment), int(octets)


def read(folder):
    segment_done, octets_done = read_position(folder)
    payloads, torn, bad, octets = [], 0, 0, 0
    for path in sorted(Path(folder).glob("*.seg"), key=lambda path: int(path.stem)):
        data = path.read_bytes()
        octets += len(data)
        if int(path.stem) < segment_done:
            continue
        at = octets_done if int(path.stem) == segment_done else 0
        while at < len(data):
            if len(data) - at < HEAD.size:
                torn += 1
                break
            magic, length, rows, crc = HEAD.unpack_from(data, at)
            payload = data[at + HEAD.size:at + HEAD.size + length]
            if magic == MAGIC and len(payload) < length:
                torn += 1
                break
            if magic != MAGIC or zlib.crc32(data[at + 4:at + 12] + payload) != crc:
                bad += 1
                break
            payloads.append(payload)
            at += HEAD.size + length
    return Spool(payloads, torn, bad, octets)
