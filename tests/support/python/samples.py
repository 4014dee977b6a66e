# SPDX-License-Identifier: Apache-2.0
#
# The JSON lines of the cli exporter, as a program would read them: one json.loads per line, one by
# one, for there may be millions. Checks what holds for every sample.
import json

ANSWERED = ("ok", "reordered")
# An address that each loss may have; "lost" is one of which nobody knows where.
LOST = {"lost", "lost_forward", "lost_reverse", "lost_local_tx", "lost_local_rx"}
STATUSES = {"ok", "late", "duplicate", "reordered", "local_error", "unreachable", "invalid"} | LOST


def lines_of(path):
    """Whole lines only: the last may be on its way."""
    try:
        with open(path, encoding="utf-8", newline="\n") as file:
            for line in file:
                if line.endswith("\n"):
                    yield line
    except FileNotFoundError:
        return


def read(path):
    for line in lines_of(path):
        yield json.loads(line)


def series_of(sample):
    """A name for what it measures: ("b4", "udp"), ("b4", "connect"), ..."""
    kind = sample["protocol"] if sample["kind"] == "exchange" else sample["kind"]
    return sample["target"], kind


def count_of(sample):
    """How many packets it tells of."""
    return sample["value"] if sample["status"] == "invalid" else 1


def check(case, sample):
    """The two rules of sample.h: no value stands for no value, and only an answer has an rtt."""
    case.assertEqual(sample["v"], 1)
    if sample["kind"] == "node":
        case.assertIn("value", sample)
        return
    case.assertIn(sample["status"], STATUSES)
    if sample["kind"] == "reflection":
        return
    if sample["status"] in ANSWERED:
        case.assertGreater(sample.get("rtt_ns", 0), 0, sample)
        case.assertLessEqual(sample["rtt_ns"], sample["rtt_user_ns"], sample)
    else:
        case.assertNotIn("rtt_ns", sample)
        case.assertNotIn("rtt_user_ns", sample)


def read_checked(case, path):
    for sample in read(path):
        check(case, sample)
        yield sample


class Tail:
    """Reads a growing file from where it stopped the last time."""

    def __init__(self, path):
        self.path = path
        self.at = 0

    def new(self):
        try:
            with open(self.path, "rb") as file:
                file.seek(self.at)
                data = file.read()
        except FileNotFoundError:
            return []
        end = data.rfind(b"\n") + 1
        self.at += end
        return [json.loads(line) for line in data[:end].splitlines()]
