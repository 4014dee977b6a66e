# SPDX-License-Identifier: Apache-2.0
#
# The calibration that RFC 7679 section 3.7.3 asks of a measuring instrument: back to back, over a
# cable that does nothing, what it shows is its own error. Two latmons measure the same third at the
# same time, one with the kernel's time stamps and one with its own. What each sample must have is
# asserted; how good the figures are depends on the machine and is only printed:
#
#   systematic   the median of one-way delays: an offset that every figure has
#   random       from their 2.5th to their 97.5th percentile
#   half-width   half of what the bounds of a one-way delay leave open
#   e95          so far are 95 of 100 one-way delays from their median at most
#   asymmetry    median forward less median reverse: both ways are the same cable
import statistics
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import netns
import node
import runner
import samples
import veth

CLAIM = {"trust": "operator", "error_bound": 50}  # Microseconds; in truth it is one clock.
WAYS = ("fwd", "rev")
STAMPS = ("kernel", "user")
FAR_STAMPS = {"hw", "kernel", "user", "peer"}


def setUpModule():
    netns.enter()


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Calibration(unittest.TestCase):
    def start(self, stamps, ports):
        path = runner.scratch(self) / f"{stamps}.ndjson"
        target = node.target(veth.THERE, ports, label="there", type="udp", trust_clock=True)
        daemon = node.Node(self, node.config(
            stamps, node.free_ports(), address=[veth.HERE], interval=1, timeout=1,
            cores=[runner.CPUS[0]], max_lost=1_000_000, stamps=stamps, clock=CLAIM,
            targets=[target], exporters=[node.cli(path, "exchange")]))
        return daemon.wait_started(), path

    def measure(self):
        """What each of the two measured."""
        link, ports = veth.Veth(self), node.free_ports()
        reflector = node.Node(self, node.config(
            "there", ports, address=[veth.THERE], cores=[runner.CPUS[-1]], clock=CLAIM),
            net=link.there).wait_started()
        started = {stamps: self.start(stamps, ports) for stamps in STAMPS}
        daemons = [reflector, *(daemon for daemon, _ in started.values())]
        tails = [samples.Tail(path) for _, path in started.values()]
        have, end = [0, 0], time.monotonic() + 3 * runner.probes() / 1000 + runner.DEADLINE_S
        while min(have) < runner.probes():
            self.assertLess(time.monotonic(), end, f"{have} probes")
            node.run_for(0.1, *daemons)
            have = [count + len(tail.new()) for count, tail in zip(have, tails)]
        for daemon, _ in started.values():
            daemon.stop().check_delivered(self, "cli")
        reflector.stop()
        return {stamps: [sample for sample in samples.read_checked(self, path)
                         if sample["status"] in samples.ANSWERED]
                for stamps, (_, path) in started.items()}

    def check_sample(self, sample, stamps):
        """Says who took its stamps, and has a value for everything that can be had."""
        ours = {sample["t1_stamp"], sample["t4_stamp"]}
        self.assertLessEqual(ours, {stamps, "user"}, sample)
        for name in ("t2_stamp", "t3_stamp"):
            self.assertIn(sample[name], FAR_STAMPS, sample)
        for name in ("rtt_ns", "rtt_user_ns", "turnaround_ns", "t1_ns", "t2_ns", "t3_ns", "t4_ns",
                     "clock_error_local_ns", "clock_error_remote_ns"):
            self.assertIn(name, sample)
        for way in WAYS:
            for name in (f"owd_{way}_ns", f"owd_{way}_lo_ns", f"owd_{way}_hi_ns"):
                self.assertIn(name, sample)
        if ours == {"kernel"}:
            self.assertGreaterEqual(sample["local_tx_ns"], 0, sample)
            self.assertGreaterEqual(sample["local_rx_ns"], 0, sample)
            self.assertLess(sample["rtt_ns"], sample["rtt_user_ns"], sample)

    def report(self, stamps, answered):
        medians = {}
        for way in WAYS:
            delays = sorted(sample[f"owd_{way}_ns"] for sample in answered)
            medians[way] = statistics.median(delays)
            low, high = (percentile(delays, share) for share in (0.025, 0.975))
            e95 = percentile(sorted(abs(delay - medians[way]) for delay in delays), 0.95)
            half_width = statistics.median(
                (sample[f"owd_{way}_hi_ns"] - sample[f"owd_{way}_lo_ns"]) / 2
                for sample in answered)
            print(f"{stamps:6} {way}: n {len(delays)}, systematic {medians[way]:.0f}, random "
                  f"{low:.0f} to {high:.0f}, half-width {half_width:.0f}, e95 {e95:.0f} ns")
        rtt = statistics.median(sample["rtt_ns"] for sample in answered)
        print(f"{stamps:6} asymmetry {abs(medians['fwd'] - medians['rev']):.0f}, rtt {rtt:.0f}, "
              f"as an application sees it "
              f"{statistics.median(sample['rtt_user_ns'] for sample in answered):.0f} ns")
        return rtt

    def test_stamps_of_the_kernel_and_our_own_beside_each_other(self):
        measured = self.measure()
        for stamps, answered in measured.items():
            self.assertGreater(len(answered), runner.probes() * 9 // 10)
            for sample in answered[1:]:  # The first may have been under way as all was set up.
                self.check_sample(sample, stamps)
            best = sum(sample["t1_stamp"] == sample["t4_stamp"] == stamps for sample in answered)
            self.assertGreater(best, len(answered) * 9 // 10)
        rtts = {stamps: self.report(stamps, answered[1:]) for stamps, answered in measured.items()}
        self.assertLess(rtts["kernel"], rtts["user"])


if __name__ == "__main__":
    runner.main()
