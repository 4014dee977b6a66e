# SPDX-License-Identifier: Apache-2.0
#
# The spool of an exporter that pushes: what it has taken survives kill -9, as often as one likes,
# and comes to the server in whole blocks with the same id if it comes twice; a disk that is full
# costs rows that are counted, and nothing else.
#
#   LATMON_SYSTEM_KILLS=50 python3 tests/system/push_spool.py      how often to kill; default 10
import os
import random
import re
import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fault_server
import node
import push_rows
import runner
import spool
from fault_server import answer

KILLS = int(os.environ.get("LATMON_SYSTEM_KILLS", "10"))
EXPORTER = push_rows.PUSH_LINES


def rows_of_payload(payload):
    return [tuple(line.split()[:4]) for line in payload.decode().splitlines()]


class PushSpool(unittest.TestCase):
    def setUp(self):
        self.server = fault_server.FaultServer(self)
        self.spool = runner.scratch(self) / "spool"

    def start(self, mark="-", command=(), **keys):
        keys = {"spool": str(self.spool), "mark": mark, "shutdown_timeout": 3.0} | keys
        ports = node.free_ports()
        config = node.config("node", ports, interval=1, timeout=1, tcp=False, tcp_latency=False,
                             targets=[node.target("127.0.0.1", ports, label=label)
                                      for label in ("one", "two")],
                             exporters=[EXPORTER.table(self.server, **keys)])
        return node.Node(self, config, "--log-level=DEBUG", command=command)

    def finish(self, daemon):
        daemon.stop()
        return push_rows.accounts(self, daemon.log(), EXPORTER.name)

    def kill(self, daemon):
        daemon.process.send_signal(signal.SIGKILL)
        daemon.process.wait()

    # -- kill -9 ----------------------------------------------------------------------------------

    def noted(self, daemon, words):
        """A number in the line of what was found at the start; 0 if there is none."""
        found = re.search(rf"(\d+) {words}", daemon.log())
        return int(found[1]) if found else 0

    def live(self, index, dice):
        """One life of a latmon that does not end well. What the spool held afterwards."""
        self.server.usual = dice.choice([fault_server.OK, answer(503), fault_server.STALL,
                                         fault_server.CLOSE_AFTER_STORING])
        daemon = self.start(mark=str(index), row_bytes=dice.choice([0, 0, 3_000]))
        daemon.wait_started()
        self.assertEqual(self.noted(daemon, "record.s. torn"), self.torn_expected, daemon.log())
        self.assertEqual(self.noted(daemon, "place.s. spoiled"), 0, daemon.log())
        node.run_for(dice.uniform(0.05, 0.6), daemon)
        self.kill(daemon)
        left = spool.read(self.spool)
        self.assertEqual(left.bad, 0)
        self.assertLessEqual(left.torn, 1, "more than one torn record per kill")
        self.torn_expected = left.torn
        self.torn += left.torn
        return [row for payload in left.payloads for row in rows_of_payload(payload)]

    def test_nothing_that_was_taken_is_lost_however_often_it_is_killed(self):
        seed = int(os.environ.get("LATMON_SYSTEM_SEED", random.randrange(1 << 30)))
        print(f"LATMON_SYSTEM_SEED={seed}")
        dice = random.Random(seed)
        self.torn = self.torn_expected = 0
        kept = set()
        for index in range(KILLS):
            kept.update(self.live(index, dice))
        self.server.usual = fault_server.OK
        last = self.start(mark="last").wait_started()
        counts = self.finish(last)
        self.assertEqual(counts["torn"], self.torn_expected)
        self.assertEqual(counts["waiting"], 0, counts)
        self.assertEqual(counts["dropped"], 0, counts)
        found = push_rows.rows(self, EXPORTER, self.server.stored)
        missing = kept - set(found)
        self.assertEqual(len(missing), 0, sorted(missing)[:10])
        for mark in {row[2] for row in found}:
            numbers = [int(row[3]) for row in found if row[2] == mark]
            self.assertEqual(numbers, sorted(numbers))
        self.assertGreater(len(kept), 0)
        print(f"killed {KILLS} times: {len(kept)} rows seen in the spool, {self.torn} torn records")

    def test_an_appended_row_is_in_the_spool_or_at_the_server(self):
        """Numbers without a gap, from the first one to the last that is anywhere."""
        self.server.usual = fault_server.OK
        daemon = self.start(mark="whole").wait_started()
        runner.wait_until("some blocks", lambda: len(self.server.stored) > 5)
        self.kill(daemon)
        left = spool.read(self.spool)
        rows = [row for payload in left.payloads for row in rows_of_payload(payload)]
        rows += push_rows.rows(self, EXPORTER, self.server.stored)
        numbers = sorted({int(row[3]) for row in rows})
        self.assertEqual(numbers, list(range(len(numbers))))

    def test_the_block_under_way_comes_again_with_its_id(self):
        self.server.usual = fault_server.CLOSE_AFTER_STORING
        daemon = self.start(retry_min=60.0, retry_max=60.0).wait_started()
        runner.wait_until("a block", lambda: len(self.server.stored) == 1)
        self.kill(daemon)
        self.server.usual = fault_server.OK
        daemon = self.start(mark="again").wait_started()
        runner.wait_until("blocks", lambda: len(self.server.stored) >= 3)
        self.finish(daemon)
        first, again = self.server.stored[:2]
        self.assertEqual(EXPORTER.block(first), EXPORTER.block(again))
        self.assertEqual(first.body, again.body)
        push_rows.rows(self, EXPORTER, self.server.stored)

    # -- Stop and start ---------------------------------------------------------------------------

    def test_what_a_server_that_is_down_did_not_get_waits_for_the_next_start(self):
        self.server.refuse()
        daemon = self.start(mark="first").wait_started()
        node.run_for(0.5, daemon)
        first = self.finish(daemon)
        self.assertEqual(first["waiting"], first["appended"], first)
        self.assertEqual(first["abandoned"], 0)
        self.server.listen()
        second = self.finish(self.start(mark="second").wait_started())
        self.assertEqual(second["recovered"], first["waiting"])
        self.assertEqual(second["sent"], second["recovered"] + second["appended"])
        found = push_rows.rows(self, EXPORTER, self.server.stored)
        self.assertEqual(len(found), first["appended"] + second["appended"])
        self.assertEqual(list(self.spool.glob("*.seg")), [])

    def test_a_second_latmon_on_the_same_spool_is_refused(self):
        daemon = self.start().wait_started()
        second = self.start()
        self.assertEqual(second.wait_end(), 78)
        self.assertIn(f'spool = "{self.spool}" is in use by another', second.log())
        self.finish(daemon)

    # -- Bounds -----------------------------------------------------------------------------------

    def test_a_spool_is_no_larger_than_it_may_be(self):
        self.server.refuse()
        bound = 512 * 1024
        daemon = self.start(row_bytes=1_000, spool_bytes=bound, batch_bytes=65_536).wait_started()
        daemon.wait_line("there is no room for more rows")
        for _ in range(10):
            daemon.process.send_signal(signal.SIGSTOP)  # It would write while we add up.
            os.waitid(os.P_PID, daemon.pid, os.WSTOPPED)  # Each thread of it stands still.
            self.assertLessEqual(spool.read(self.spool).octets, bound)
            daemon.process.send_signal(signal.SIGCONT)
            node.run_for(0.05, daemon)
        self.server.listen()
        daemon.wait_line("works again after")
        counts = self.finish(daemon)
        self.assertEqual(counts["sent"], counts["appended"] - counts["dropped"], counts)
        self.assertEqual(counts["sent"],
                         len(push_rows.rows(self, EXPORTER, self.server.stored)))

    def test_a_full_disk_costs_rows_that_are_counted_and_passes(self):
        runner.need_root()
        runner.need_tool("unshare")
        self.spool.mkdir()
        # A file system of its own in a mount namespace of its own, gone with the process.
        mount = f'mount -t tmpfs -o size=400k latmon "{self.spool}" && exec "$0" "$@"'
        self.server.refuse()
        daemon = self.start(command=("unshare", "--mount", "sh", "-c", mount), row_bytes=1_000,
                            batch_bytes=65_536).wait_started()
        daemon.wait_line(r"\[ERROR\] .*spool .* cannot be written: No space left on device")
        node.run_for(0.5, daemon)
        self.server.listen()
        daemon.wait_line(r"the spool works again; rows dropped: [1-9]")
        runner.wait_until("rows", lambda: len(self.server.stored) > 10)
        counts = self.finish(daemon)
        self.assertGreater(counts["dropped"], 0)
        self.assertEqual(counts["sent"], counts["appended"] - counts["dropped"], counts)
        self.assertEqual(counts["sent"],
                         len(push_rows.rows(self, EXPORTER, self.server.stored)))


if __name__ == "__main__":
    runner.main()
