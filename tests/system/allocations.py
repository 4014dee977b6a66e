# SPDX-License-Identifier: Apache-2.0
#
# Once probes flow, a core-thread asks nobody for memory, and gives none back: not for a sample, not
# for a reply, not when its peer dies and comes back. plugins/count_allocations.c counts.
import mmap
import struct
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner
import samples

LIBRARY = runner.TEST_PLUGINS / "count_allocations.so"
FUNCTIONS = ("malloc", "calloc", "realloc", "aligned_alloc", "free", "mmap", "munmap")
# struct counts: the row, the rows' counters, the rows' last callers.
LAYOUT = struct.Struct(f"=Q{2 * len(FUNCTIONS)}Q2Q")


class Counts:
    """The counters that the daemon and the test share."""

    def __init__(self, case):
        path = runner.scratch(case) / "counts"
        path.write_bytes(bytes(LAYOUT.size))
        self.environment = {"LD_PRELOAD": str(LIBRARY), "LATMON_COUNT_ALLOCATIONS": str(path)}
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), LAYOUT.size)
        case.addCleanup(self.memory.close)

    def select(self, row):
        self.memory[:8] = struct.pack("=Q", row)

    def row(self, row):
        """Calls by function, without those that were not made, and the last caller."""
        values = LAYOUT.unpack(self.memory[:])
        first = 1 + row * len(FUNCTIONS)
        calls = dict(zip(FUNCTIONS, values[first:first + len(FUNCTIONS)]))
        return {name: count for name, count in calls.items() if count}, values[-2 + row]


def place_of(pid, address):
    """FILE+0xOFFSET, for addr2line."""
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        fields = line.split()
        start, end = (int(part, 16) for part in fields[0].split("-"))
        if start <= address < end:
            return f"{fields[-1]}+{address - start + int(fields[2], 16):#x}"
    return hex(address)


class Allocations(unittest.TestCase):
    def start_peer(self, ports, other):
        keys = node.config("peer", ports, interval=2, tcp_latency=True,
                           targets=[node.target("127.0.0.1", other, label="counted")])
        return node.Node(self, keys).wait_started()

    def start_counted(self, ports, other, path, environment):
        keys = node.config(
            "counted", ports, interval=2, max_lost=5, node_interval=1,
            targets=[node.target("localhost", other, label="name"),
                     node.target("127.0.0.1", other, label="literal", size=1470)],
            exporters=[node.cli(path, "exchange", "connect", "reflection", "node")])
        return node.Node(self, keys, environment=environment).wait_started()

    def wait_for(self, what, path, is_it):
        """A sample of every series of ours that `is_it`, made from now on."""
        since_ns, tail, seen = time.time_ns(), samples.Tail(path), set()

        def is_done():
            seen.update(samples.series_of(sample) for sample in tail.new()
                        if sample["kind"] in ("exchange", "connect")
                        and sample["time_ns"] > since_ns and is_it(sample))
            return len(seen) == 6
        runner.wait_until(what, is_done)

    def test_a_core_thread_allocates_nothing_while_it_runs(self):
        if not LIBRARY.exists():
            self.skipTest("not in builds with sanitizers")
        counts, path = Counts(self), runner.scratch(self) / "samples.ndjson"
        ports, peer_ports = node.free_ports(), node.free_ports()
        peer = self.start_peer(peer_ports, ports)
        counted = self.start_counted(ports, peer_ports, path, counts.environment)
        self.wait_for("answers", path, lambda sample: sample["status"] == "ok")

        counts.select(1)
        node.run_for(runner.seconds(1), counted, peer)
        peer.kill()
        self.wait_for("failures", path, lambda sample: sample["status"] != "ok")
        self.start_peer(peer_ports, ports)
        self.wait_for("answers again", path, lambda sample: sample["status"] == "ok")
        calls, caller = counts.row(1)
        counts.select(0)

        self.assertEqual(calls, {}, f"the last by {place_of(counted.pid, caller)}")
        accounts = counted.stop()
        self.assertGreater(accounts.total("reopened"), 0)
        self.assertGreater(accounts.udp["reflected"], 0)
        # The counting works: a core-thread that is set up allocates a lot.
        self.assertGreater(counts.row(0)[0]["malloc"], 100)


if __name__ == "__main__":
    runner.main()
