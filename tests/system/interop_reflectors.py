# SPDX-License-Identifier: Apache-2.0
#
# latmon's sender before reflectors that were written from the RFCs alone, and answer as they like:
# short, in PTP, late, twice, out of order, with a wrong T1, or not at all. What became of each
# probe must be said as it was.
import sys
import unittest
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner
import samples
import stamp
from reflectors import Reflectors

TIMEOUT_S = 1
LATE_S = 1.5 * TIMEOUT_S
INTERVAL_MS = 50
ENOUGH = 10


def plain(request, index):
    return [(0, stamp.reply_to(request, index))]


def changed(**fields):
    """A reply with other fields than it should have."""
    def behaviour(request, index):
        reply = stamp.unpack_reply(stamp.reply_to(request, index))
        return [(0, reply._replace(**fields).pack())]
    return behaviour


def short(request, index):
    """TWAMP-Light as old routers speak it: the stamps and nothing behind them."""
    return [(0, stamp.reply_to(request, index)[:38])]


def too_short(request, index):
    return [(0, stamp.reply_to(request, index)[:37])]


def with_tlv(request, index):
    """Longer than the request was."""
    return [(0, stamp.reply_to(request, index) + stamp.tlv(200, b"never heard of"))]


def in_ptp(request, index):
    reply = stamp.unpack_reply(stamp.reply_to(request, index))
    now = stamp.ptp_now()
    return [(0, reply._replace(t2=now, t3=now,
                               error_estimate=stamp.ERROR_ESTIMATE | stamp.PTP).pack())]


def late(request, index):
    return [(LATE_S, stamp.reply_to(request, index))]


def twice(request, index):
    return 2 * plain(request, index)


class Swapping:
    """Answers every second request first."""

    def __init__(self):
        self.held = None

    def __call__(self, request, index):
        if index % 2 == 0:
            self.held = stamp.reply_to(request, index)
            return []
        return [(0, stamp.reply_to(request, index)), (0, self.held)]


def echo(request, index):
    """The echo service: no reflector at all."""
    return [(0, request)]


def wrong_t1(request, index):
    """As one who guesses sequence numbers but is not on the path."""
    reply = stamp.unpack_reply(stamp.reply_to(request, index))
    return [(0, reply._replace(sender_t1=reply.sender_t1 ^ 1).pack())]


def silent(request, index):
    return []


# Behaviour, and the only fates that its probes may have; all of them must be seen.
BEHAVIOURS = {
    "plain": (plain, {"ok"}),
    "no_session": (changed(ssid=0), {"ok"}),
    "no_error_estimate": (changed(error_estimate=0, sender_error_estimate=0), {"ok"}),
    "no_ttl": (changed(sender_ttl=0), {"ok"}),
    "short": (short, {"ok"}),
    "with_tlv": (with_tlv, {"ok"}),
    "in_ptp": (in_ptp, {"ok"}),
    "late": (late, {"lost", "late"}),
    "twice": (twice, {"ok", "duplicate"}),
    "swapping": (Swapping(), {"ok", "reordered"}),
    "silent": (silent, {"lost"}),
    "too_short": (too_short, {"lost", "invalid"}),
    "wrong_t1": (wrong_t1, {"lost", "invalid"}),
    "wrong_sequence": (changed(sender_sequence=0x80000000), {"lost", "invalid"}),
    "echo": (echo, {"lost", "invalid"}),
}


class InteropReflectors(unittest.TestCase):
    def measure(self):
        """Accounts, and the samples of each target."""
        reflectors, path = Reflectors(self), runner.scratch(self) / "samples.ndjson"
        ports = node.free_ports()
        targets = [node.target("127.0.0.1", ports, label=label, type="udp",
                               udp_port=reflectors.add(behaviour))
                   for label, (behaviour, _) in BEHAVIOURS.items()]
        keys = node.config("node", ports, interval=INTERVAL_MS, timeout=TIMEOUT_S,
                           max_lost=1_000_000, protocol="stamp", targets=targets,
                           exporters=[node.cli(path)])
        daemon = node.Node(self, keys).wait_started()
        reflectors.start()
        seen, tail = defaultdict(Counter), samples.Tail(path)

        def is_enough():
            for sample in tail.new():
                seen[sample["target"]][sample["status"]] += 1
            return all(seen[label][fate] >= ENOUGH
                       for label, (_, fates) in BEHAVIOURS.items() for fate in fates)
        try:
            runner.wait_until(f"{ENOUGH} of every fate", is_enough)
        finally:
            print({label: dict(counts) for label, counts in seen.items()})
        accounts = daemon.stop()
        reflectors.stop()
        of = defaultdict(list)
        for sample in samples.read_checked(self, path):
            of[sample["target"]].append(sample)
        return accounts, of

    def check_fates(self, accounts, of):
        for label, (_, fates) in BEHAVIOURS.items():
            with self.subTest(label):
                probe = accounts.probe(label)
                counts = Counter()
                for sample in of[label]:
                    counts[sample["status"]] += samples.count_of(sample)
                # A probe that the end left without its reply is lost, whatever the behaviour.
                self.assertLessEqual(set(counts), fates | {"lost"})
                for fate in ("lost", "late", "duplicate", "reordered", "invalid"):
                    self.assertEqual(counts[fate], probe[fate], fate)
                self.assertEqual(counts["ok"] + counts["reordered"], probe["answered"])
                self.assertEqual(probe["invalid"] > 0, "invalid" in fates, probe)

    def check_times(self, of):
        """An answer carries the far end's stamps if they can be compared; a loss carries none."""
        for label in ("plain", "short", "with_tlv", "no_ttl"):
            for sample in (sample for sample in of[label] if sample["status"] == "ok"):
                self.assertLessEqual(sample["t1_ns"], sample["t2_ns"] + 1, sample)
                self.assertLessEqual(sample["t3_ns"], sample["t4_ns"] + 1, sample)
                self.assertEqual("ttl_fwd" in sample, label in ("plain", "with_tlv"), sample)
        for sample in of["in_ptp"]:  # Its seconds are TAI, how far off nobody knows.
            self.assertNotIn("t2_ns", sample)
        for sample in of["late"]:
            self.assertNotIn("t4_ns", sample)

    def check_late(self, of):
        """A late reply comes in addition: every probe was lost first, once."""
        lost = Counter(sample["sequence"] for sample in of["late"] if sample["status"] == "lost")
        self.assertEqual(max(lost.values()), 1)
        for sample in of["late"]:
            if sample["status"] == "late":
                self.assertIn(sample["sequence"], lost)

    def test_every_probe_is_told_as_what_became_of_it(self):
        accounts, of = self.measure()
        self.check_fates(accounts, of)
        self.check_times(of)
        self.check_late(of)


if __name__ == "__main__":
    runner.main()
