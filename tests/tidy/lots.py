#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Which sources may be put together into one, to be read as one: the headers of the standard library
# take a compiler longer than most of our sources, and are then read once. For clang_tidy.py, and
# for tools/cmake/Lots.cmake:
#
#   tests/tidy/lots.py SIZE SOURCE...     prints "LOT;SOURCE" for each, LOT from 0
import re
import sys
from pathlib import Path

# What any source may say, or says for itself alone.
COMMON = {"TEST_CASE", "TEST_CASE_FIXTURE", "TEST_CASE_TEMPLATE", "TEST_SUITE"}


def names_of(path):
    """What a source declares for itself: between `namespace {` and its end."""
    names = set()
    for own in re.findall(r"^namespace \{$(.*?)^\}  // namespace$", path.read_text(), re.M | re.S):
        for line in re.findall(r"^(?!static_assert)\w.*", own, re.M):
            names |= set(re.findall(r"(\w+)(?:\[.*?\])?(?:[({;]| [={:])", line)[:1])
    return names - COMMON


def batches(sources, size_max):
    """`sources`, as pairs (path, kind), in lots of at most `size_max` of one kind that can be one
    source: no two of a lot give one name to two things. A list of lists of positions."""
    lots = []
    for position, (path, kind) in enumerate(sources):
        names = names_of(path)
        for lot in lots:
            has_room = lot["kind"] == kind and len(lot["positions"]) < size_max
            if has_room and not names & lot["names"]:
                break
        else:
            lot = {"kind": kind, "positions": [], "names": set()}
            lots.append(lot)
        lot["positions"].append(position)
        lot["names"] |= names
    return [lot["positions"] for lot in lots]


def main():
    size_max = int(sys.argv[1])
    paths = [Path(name) for name in sys.argv[2:]]
    for number, lot in enumerate(batches([(path, None) for path in paths], size_max)):
        for position in lot:
            print(f"{number};{paths[position]}")


if __name__ == "__main__":
    main()
