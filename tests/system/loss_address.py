# SPDX-License-Identifier: Apache-2.0
#
# Every loss has an address. Packets are thrown away at one known place after the other: on the way
# there, on the way back, by a filter of this host, by a queue of this host, by a receive buffer of
# this host. Whoever throws them away counts them, and latmon must find the same number at that
# place, and none anywhere else.
import signal
import sys
import time
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import netns
import node
import proc_net
import runner
import samples
import veth

TIMEOUT_S = 1
# From the last packet that was thrown away on: what comes next tells where that one was lost, and
# the timeout tells that it was.
QUIET_S = TIMEOUT_S + 0.5
PROBES_AT_1_KHZ = 10_000  # More than these are sent twice as fast.

# A queue that takes half of what it is given: 242 octets a millisecond are 1.9 Mbit/s.
SLOW_BITS_PER_S, SLOW_LIMIT_BYTES, SLOW_PROBE_BYTES = 1_000_000, 4_000, 200

SMALL_BUFFER_BYTES = 2_048
BURST_S = 0.05
BURSTS = 10


def setUpModule():
    for tool in ("nft", "tc"):
        runner.need_tool(tool)
    netns.enter()


class LossAddress(unittest.TestCase):
    def setUp(self):
        self.ports = node.free_ports()
        self.link = veth.Veth(self)

    def start(self, *flags, **keys):
        """Our latmon, and the other that answers it; probes are under way."""
        self.path = runner.scratch(self) / "samples.ndjson"
        self.seen = samples.Tail(self.path)
        self.theirs = node.Node(self, node.config(
            "there", self.ports, address=[veth.THERE], reflector={"mode": "stateful"}),
            net=self.link.there).wait_started()
        interval = 1 if runner.probes() <= PROBES_AT_1_KHZ else 0.5
        target = node.target(veth.THERE, self.ports, label="there", type="udp",
                             reflector_mode="stateful", descriptor=False, **keys)
        self.mine = node.Node(self, node.config(
            "here", node.free_ports(), address=[veth.HERE], interval=interval, timeout=TIMEOUT_S,
            max_lost=1_000_000, targets=[target], exporters=[node.cli(self.path, "exchange")]),
            *flags).wait_started()

    def wait_probes(self, count):
        """Until so many more have met their fate."""
        end, have = time.monotonic() + 3 * count / 1000 + runner.DEADLINE_S, 0
        while have < count:
            self.assertLess(time.monotonic(), end, f"{have} of {count} probes")
            node.run_for(0.05, self.mine, self.theirs)
            have += len(self.seen.new())

    def finish(self, expected, count, error=None):
        """Ends both. `count` probes have the fate `expected`, with this error, and all others were
        answered."""
        node.run_for(QUIET_S, self.mine, self.theirs)
        mine, theirs = self.mine.stop(), self.theirs.stop()
        mine.check_delivered(self, "cli")
        fates, errors = Counter(), Counter()
        for sample in samples.read_checked(self, self.path):
            fates[sample["status"]] += 1
            if sample["status"] == "local_error":
                errors[sample["error_name"]] += 1
        print(f"{self.id()}: {count} thrown away, {dict(fates)}, {dict(errors)}")
        # A slot came while the send before it was still with the kernel: never sent.
        fates["local_error"] -= errors.pop("EAGAIN", 0)
        answered = fates.pop("ok") + fates.pop("reordered", 0)
        self.assertGreater(count, 0)
        self.assertEqual(+fates, Counter({expected: count}))
        self.assertEqual(+errors, Counter({error: count} if error else {}))
        probe = mine.probe("there")
        self.assertEqual(probe["answered"], answered)
        self.assertEqual(probe["lost"], 0 if error else count)
        if not error:
            self.assertEqual(probe[expected], count)
        return probe, theirs

    def test_what_is_dropped_on_the_way_there_is_lost_forward(self):
        rule = veth.Drops(self, "ingress device there", "dport", self.ports.udp, self.link.there)
        self.start()
        self.wait_probes(runner.probes())
        rule.end()
        probe, theirs = self.finish("lost_forward", rule.count())
        self.assertEqual(theirs.udp["reflected"], probe["answered"])

    def test_what_is_dropped_on_the_way_back_is_lost_reverse(self):
        rule = veth.Drops(self, "ingress device here", "sport", self.ports.udp)
        self.start()
        self.wait_probes(runner.probes())
        rule.end()
        probe, theirs = self.finish("lost_reverse", rule.count())
        self.assertEqual(theirs.udp["reflected"], probe["sent"])

    def test_what_a_filter_of_this_host_drops_is_a_local_error(self):
        rule = veth.Drops(self, "output", "dport", self.ports.udp)
        self.start()
        self.wait_probes(runner.probes())
        rule.end()
        probe, theirs = self.finish("local_error", rule.count(), "EPERM")
        self.assertEqual(theirs.udp["reflected"], probe["sent"])

    def test_what_a_queue_of_this_host_drops_is_lost_here(self):
        bucket = veth.Bucket(self, "here", SLOW_BITS_PER_S, SLOW_LIMIT_BYTES)
        self.start(size=SLOW_PROBE_BYTES)
        self.wait_probes(runner.probes())
        bucket.end()
        probe, theirs = self.finish("local_error", bucket.count(), "ENOBUFS")
        self.assertEqual(theirs.udp["reflected"], probe["sent"])

    def test_what_a_buffer_of_this_host_has_no_room_for_is_lost_here(self):
        """The other answers in bursts, and each of them finds us asleep."""
        before = proc_net.udp_counter("RcvbufErrors")
        self.start(f"--debug-receive-buffer={SMALL_BUFFER_BYTES}")
        self.wait_probes(100)
        for _ in range(BURSTS):
            self.theirs.process.send_signal(signal.SIGSTOP)
            time.sleep(BURST_S)  # Our probes wait in its buffer.
            self.mine.process.send_signal(signal.SIGSTOP)
            self.theirs.process.send_signal(signal.SIGCONT)
            time.sleep(BURST_S)
            self.mine.process.send_signal(signal.SIGCONT)
            self.wait_probes(100)
        dropped = proc_net.udp_counter("RcvbufErrors") - before
        probe, theirs = self.finish("lost_local_rx", dropped)
        self.assertEqual(theirs.udp["reflected"], probe["sent"])


if __name__ == "__main__":
    runner.main()
