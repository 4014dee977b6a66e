# SPDX-License-Identifier: Apache-2.0
#
# Two latmons on loopback that measure each other every millisecond in every way there is: nothing
# is lost, no sample lies, and both sets of accounts balance to the packet.
import sys
import time
import unittest
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner
import samples

KINDS = ("udp", "tcp", "connect")
# Long enough that only a real loss is one: a stalled machine does not make any.
TIMEOUT_S = 3
LAST_NS = 500_000_000


class TwoNodes(unittest.TestCase):
    def start(self, name, ports, other, cpu):
        path = runner.scratch(self) / f"{name}.ndjson"
        keys = node.config(
            name, ports, cores=[cpu], interval=1, timeout=TIMEOUT_S, max_lost=1_000_000,
            targets=[node.target("127.0.0.1", other, label="v4"),
                     node.target("::1", other, label="v6")],
            exporters=[node.cli(path)])
        return node.Node(self, keys).wait_started(), path

    def measure(self):
        """Both nodes' outputs and accounts, and the time in which both were up."""
        a_ports, b_ports = node.free_ports(), node.free_ports()
        a, a_path = self.start("a", a_ports, b_ports, runner.CPUS[0])
        b, b_path = self.start("b", b_ports, a_ports, runner.CPUS[-1])
        self.wait_all_answered(a_path)
        self.wait_all_answered(b_path)
        began_ns = time.time_ns()
        node.run_for(runner.seconds(4), a, b)
        # The one that ends first stops answering the other: the last probes are not counted on.
        ended_ns = time.time_ns() - LAST_NS
        return (began_ns, ended_ns), (a_path, a.stop()), (b_path, b.stop())

    def wait_all_answered(self, path):
        """Every way to measure has given a figure: the far end is up, in all of them."""
        tail, waiting = samples.Tail(path), {(to, kind) for to in ("v4", "v6") for kind in KINDS}

        def is_done():
            for sample in tail.new():
                if sample["status"] == "ok":
                    waiting.discard(samples.series_of(sample))
            return not waiting
        runner.wait_until("an answer in every series", is_done)

    def check_samples(self, path, accounts, began_ns, ended_ns):
        """Returns how many lines there are."""
        count, sequences, fates = 0, defaultdict(list), defaultdict(int)
        for sample in samples.read_checked(self, path):
            count += 1
            fates[sample["status"]] += 1
            if not began_ns <= sample["scheduled_ns"] <= ended_ns:
                continue
            if sample["status"] == "local_error":
                # A slot came while the send before it was still with the kernel: never sent.
                self.assertEqual(sample["error_name"], "EAGAIN", sample)
                continue
            self.assertEqual(sample["status"], "ok", sample)
            if sample["kind"] == "exchange":
                self.assertEqual(sample["packet_bytes"], 100)
            sequences[samples.series_of(sample)].append(sample["sequence"])
        self.assertEqual(len(sequences), 6)
        for series, numbers in sequences.items():
            # A sequence number without a sample would be a probe without a fate.
            numbers.sort()
            self.assertEqual(len(numbers), len(set(numbers)), series)
            # A failed send uses up its number, and so does a packet that tells our name.
            spent = fates["local_error"] + accounts.probe(*series)["descriptors"]
            self.assertLessEqual(numbers[-1] - numbers[0] + 1 - len(numbers), spent, series)
        print(f"{path.name}: {dict(fates)}")
        return count

    def check_against_peer(self, mine, theirs):
        """What came from me arrived there, and only that."""
        for counter, reflected in (("udp", theirs.udp["reflected"]),
                                   ("tcp", theirs.tcp["reflected"])):
            probes = [mine.probe(label, counter) for label in ("v4", "v6")]
            self.assertGreaterEqual(reflected, sum(probe["answered"] for probe in probes),
                                    counter)
            self.assertLessEqual(
                reflected, sum(probe["sent"] + probe["descriptors"] for probe in probes), counter)
        # The one that started first may have asked before the other was ready.
        self.assertEqual(theirs.udp["received"],
                         theirs.udp["reflected"] + theirs.udp["not_started"])

    def test_two_nodes_lose_nothing_and_account_for_everything(self):
        runner.need_ipv6()
        (began_ns, ended_ns), (a_path, a), (b_path, b) = self.measure()
        for path, accounts in ((a_path, a), (b_path, b)):
            accounts.check_delivered(self, "cli")
            lines = self.check_samples(path, accounts, began_ns, ended_ns)
            self.assertEqual(lines, accounts.exporters["cli"]["exported"])
            for counter in ("invalid", "duplicate"):
                self.assertEqual(accounts.total(counter), 0, counter)
        self.check_against_peer(a, b)
        self.check_against_peer(b, a)


if __name__ == "__main__":
    runner.main()
