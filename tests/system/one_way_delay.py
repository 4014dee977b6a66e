# SPDX-License-Identifier: Apache-2.0
#
# One-way delays are never silently wrong. Two hosts on one clock: its offset is known exactly, so
# what is claimed about one-way delays can be held against the truth. A clock that lies is found
# out, a clock that nobody vouches for vouches for nothing, and a queue in one direction is seen in
# that direction alone.
import ctypes
import socket
import statistics
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import netns
import node
import runner
import samples
import stamp
import veth
from reflectors import Reflectors

SHIFT_NS = 3_000_000
CLAIM = {"trust": "operator", "error_bound": 50}  # Microseconds.
# Time stamps go through the 32 bits that NTP has for fractions of seconds, and back.
ROUNDING_NS = 10

# A queue of some 50 ms: what one socket may have under way, in packets of known size, at this rate.
# The kernel lets a sender that waits sleep until half of it has gone.
QUEUE_BITS_PER_S = 4_000_000
QUEUE_NS = 72_000_000
RISE_NS_MIN = 40_000_000
READINGS = 20
BULK_PAYLOAD = 1_000
BULK_WIRE = BULK_PAYLOAD + 8 + 20 + 14
BULK_PACKETS = QUEUE_NS * QUEUE_BITS_PER_S // (8 * BULK_WIRE * 10**9) + 1
# The other direction may change by this much.
STILL_NS = 100_000_000 if runner.IS_SANITIZED else 100_000

STA_UNSYNC, TIME_ERROR = 0x40, 5


def setUpModule():
    runner.need_tool("tc")
    netns.enter()


def is_clock_tended():
    """adjtimex(2): somebody sets this host's clock, and says so."""
    timex = (ctypes.c_long * 26)()  # 208 octets; `modes` is 0: only asks. `status` is the sixth.
    verdict = ctypes.CDLL(None).adjtimex(timex)
    return verdict != TIME_ERROR and not timex[5] & STA_UNSYNC


class OneWayDelay(unittest.TestCase):
    def start(self, name, address, ports, targets, *flags, net=None, **keys):
        path = runner.scratch(self) / f"{name}.ndjson"
        daemon = node.Node(self, node.config(
            name, ports, address=[address], interval=1, timeout=1, max_lost=1_000_000,
            targets=targets, exporters=[node.cli(path, "exchange")], **keys), *flags, net=net)
        return daemon.wait_started(), path

    def wait_answers(self, tail, count, *daemons):
        """So many more answered samples."""
        found, end = [], time.monotonic() + 3 * count / 1000 + runner.DEADLINE_S
        while len(found) < count:
            self.assertLess(time.monotonic(), end, f"{len(found)} of {count} answers")
            node.run_for(0.05, *daemons)
            found += [sample for sample in tail.new() if sample["status"] in samples.ANSWERED]
        return found

    def check_truth(self, sample, offset_ns):
        """`offset_ns`: the peer's clock less ours, as it is."""
        truths = {"fwd": sample["t2_ns"] - sample["t1_ns"] - offset_ns,
                  "rev": sample["t4_ns"] - sample["t3_ns"] + offset_ns}
        for way, truth in truths.items():
            if f"owd_{way}_lo_ns" in sample:
                self.assertLessEqual(sample[f"owd_{way}_lo_ns"], truth + ROUNDING_NS, sample)
                self.assertGreaterEqual(sample[f"owd_{way}_hi_ns"], truth - ROUNDING_NS, sample)

    # -- What clocks claim ------------------------------------------------------------------------

    def measure_claims(self, *flags):
        """Both vouch for their clocks and trust each other; `flags` are for the first of them.
        Returns what each of them measured."""
        link = veth.Veth(self)
        ports, their_ports = node.free_ports(), node.free_ports()
        keys = {"type": "udp", "trust_clock": True}
        mine, path = self.start("here", veth.HERE, ports,
                                [node.target(veth.THERE, their_ports, label="there", **keys)],
                                *flags, clock=CLAIM)
        theirs, their_path = self.start("there", veth.THERE, their_ports,
                                        [node.target(veth.HERE, ports, label="here", **keys)],
                                        net=link.there, clock=CLAIM)
        for each in (path, their_path):
            self.wait_answers(samples.Tail(each), runner.probes(), mine, theirs)
        mine.stop()
        theirs.stop()
        return [[sample for sample in samples.read_checked(self, each)
                 if sample["status"] in samples.ANSWERED] for each in (path, their_path)]

    def test_a_clock_that_claims_what_cannot_be_is_found_out_at_once(self):
        flag = f"--debug-clock-offset=+{SHIFT_NS // 1_000_000}ms"
        for answered, offset_ns in zip(self.measure_claims(flag), (-SHIFT_NS, SHIFT_NS)):
            for sample in answered:
                # The stamps, whoever took them, are what the shifted clock showed.
                delay_ns = sample["t2_ns"] - sample["t1_ns"] - offset_ns
                self.assertGreaterEqual(delay_ns, -ROUNDING_NS, sample)
                self.assertLess(delay_ns, sample["rtt_user_ns"] + ROUNDING_NS, sample)
                self.check_truth(sample, offset_ns)
            classes = {sample["owd_class"] for sample in answered[1:]}
            self.assertEqual(classes, {"falsified"})
            for sample in answered:
                self.assertNotEqual(sample.get("owd_class"), "bounded", sample)
                if sample.get("owd_class") == "falsified":
                    self.assertNotIn("owd_fwd_ns", sample)
                    self.assertNotIn("owd_rev_ns", sample)

    def test_clocks_that_keep_what_they_claim_bound_the_truth(self):
        for answered in self.measure_claims():
            for sample in answered[1:]:
                self.assertEqual(sample["owd_class"], "bounded", sample)
                for name in ("owd_fwd_ns", "owd_fwd_lo_ns", "owd_fwd_hi_ns",
                             "owd_rev_ns", "owd_rev_lo_ns", "owd_rev_hi_ns"):
                    self.assertIn(name, sample)
                self.check_truth(sample, 0)

    # -- What nobody claims -----------------------------------------------------------------------

    def ask(self, port):
        """The Error Estimate of our own reflector."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.settimeout(runner.DEADLINE_S)
            sender.sendto(stamp.Request(1, stamp.ntp_now()).pack(), ("127.0.0.1", port))
            return stamp.unpack_reply(sender.recv(1 << 16)).error_estimate

    def check_unclaimed(self, trust):
        reflectors, seen, ports = Reflectors(self), [], node.free_ports()

        def claiming(request, index):
            """Claims, and rightly so, what would bound the delays if both did."""
            seen.append(stamp.unpack_request(request).error_estimate)
            return [(0, stamp.reply_to(request, index))]
        target = node.target("127.0.0.1", ports, udp_port=reflectors.add(claiming), label="peer",
                             type="udp", trust_clock=True)
        daemon, path = self.start("node", "127.0.0.1", ports, [target], clock={"trust": trust})
        reflectors.start()
        answered = self.wait_answers(samples.Tail(path), runner.probes() // 4, daemon)
        seen += [self.ask(ports.udp) for _ in range(10)]
        daemon.stop()
        reflectors.stop()
        for error_estimate in seen:
            self.assertEqual(error_estimate & stamp.SYNCHRONIZED, 0, hex(error_estimate))
            self.assertNotEqual(error_estimate & 0xFF, 0, "a multiplier of 0 is corrupt")
        for sample in answered:
            self.assertNotEqual(sample["owd_class"], "bounded", sample)
            self.check_truth(sample, 0)

    def test_a_clock_that_nobody_tends_claims_nothing(self):
        if is_clock_tended():
            self.skipTest("somebody tends the clock of this host")
        self.check_unclaimed("auto")

    def test_a_clock_that_shall_not_be_trusted_claims_nothing(self):
        self.check_unclaimed("none")

    # -- A queue in one direction -----------------------------------------------------------------

    def start_bulk(self, router, to):
        """Keeps a queue of the router's filled: the socket blocks as soon as so much of what it
        sent waits, so that nothing is ever dropped. Its packets are for nobody."""
        bulk = netns.socket_in(router, socket.AF_INET, socket.SOCK_DGRAM)
        is_stopping = threading.Event()

        def fill():
            while not is_stopping.is_set():
                bulk.sendto(bytes(BULK_PAYLOAD), (to, 9))

        # The kernel reckons 2304 octets for each of these packets, and doubles what it is told.
        bulk.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BULK_PACKETS * 2304 // 2)
        thread = threading.Thread(target=fill, daemon=True)
        thread.start()

        def end():
            is_stopping.set()
            thread.join()
            bulk.close()
        self.addCleanup(end)

    def check_queue(self, device, to, queued_way, still_way):
        """A router on the way sends what passes it to `device` through a queue."""
        link = veth.Route(self)
        bucket = veth.Bucket(self, device, QUEUE_BITS_PER_S, 1_000_000, net=link.router)
        ports = node.free_ports()
        target = node.target(veth.FAR_THERE, ports, label="there", type="udp", trust_clock=True)
        mine, path = self.start("here", veth.HERE, node.free_ports(), [target], clock=CLAIM)
        theirs, _ = self.start("there", veth.FAR_THERE, ports, [], net=link.there, clock=CLAIM)
        tail = samples.Tail(path)
        count = runner.probes() // 2
        self.wait_answers(tail, 100, mine, theirs)
        idle = self.wait_answers(tail, count, mine, theirs)
        self.start_bulk(link.router, to)
        self.wait_answers(tail, 4 * QUEUE_NS // 10**6, mine, theirs)  # Until it is full.
        loaded, queued_ns = [], []
        for _ in range(READINGS):
            queued_ns.append(bucket.queued_ns())
            loaded += self.wait_answers(tail, count // READINGS, mine, theirs)
        self.assertEqual(bucket.count(), 0, "the queue dropped")

        def change(way):
            medians = [statistics.median(sample[f"owd_{way}_ns"] for sample in each)
                       for each in (idle, loaded)]
            return round(medians[1] - medians[0])
        queued = statistics.median(queued_ns)
        print(f"queued {queued} ns, {queued_way} {change(queued_way):+} ns, "
              f"{still_way} {change(still_way):+} ns")
        self.assertGreaterEqual(change(queued_way), RISE_NS_MIN)
        self.assertLess(abs(change(queued_way) - queued), QUEUE_NS / 4)
        self.assertLess(abs(change(still_way)), STILL_NS)
        for sample in idle + loaded:
            self.assertEqual(sample["owd_class"], "bounded")
            self.check_truth(sample, 0)

    def test_a_queue_on_the_way_there_is_seen_forward_alone(self):
        self.check_queue("far", veth.FAR_NOBODY, "fwd", "rev")

    def test_a_queue_on_the_way_back_is_seen_in_reverse_alone(self):
        self.check_queue("near", veth.NOBODY, "rev", "fwd")


if __name__ == "__main__":
    runner.main()
