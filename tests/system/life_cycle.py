# SPDX-License-Identifier: Apache-2.0
#
# Start, end, violent end, start again: signals, ports that are not free yet, and no configuration.
# What latmon refuses to start with is in exit_codes.py.
import os
import resource
import signal
import socket
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner
import samples
import stamp

# Nobody answers there: probes stay in flight until they time out.
BLACK_HOLE = "127.0.0.1"
RESTARTS = 5


def ask(port, case):
    """Sends a STAMP request to the loopback address until it is answered."""
    asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    case.addCleanup(asker.close)
    asker.settimeout(0.2)
    request = stamp.Request(1, stamp.ntp_now())

    def is_answered():
        try:
            asker.sendto(request.pack(), ("127.0.0.1", port))
            return asker.recv(65_536)
        except (TimeoutError, ConnectionRefusedError):
            return None
    reply = stamp.unpack_reply(runner.wait_until("an answer", is_answered))
    case.assertEqual(reply.sender_t1, request.t1)


class LifeCycle(unittest.TestCase):
    def measuring(self, timeout_s):
        """A latmon that measures itself, and one target that never answers."""
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        silent.bind((BLACK_HOLE, 0))
        ports = node.free_ports()
        path = runner.scratch(self) / "samples.ndjson"
        keys = node.config(
            "node", ports, interval=20, timeout=timeout_s,
            targets=[node.target("127.0.0.1", ports, label="self"),
                     node.target(BLACK_HOLE, ports, label="silent", type="udp",
                                 udp_port=silent.getsockname()[1])],
            exporters=[node.cli(path)])
        daemon = node.Node(self, keys).wait_started()
        silent.settimeout(runner.DEADLINE_S)
        silent.recv(65_536)  # A probe is in flight.
        return daemon, path

    def check_end(self, number):
        timeout_s = 1
        daemon, path = self.measuring(timeout_s)
        began = time.monotonic()
        accounts = daemon.stop(number)
        self.assertLess(time.monotonic() - began, timeout_s + 1 + runner.SLACK_S)
        accounts.check_delivered(self, "cli")
        self.assertEqual(accounts.exporters["cli"]["made"],
                         sum(1 for _ in samples.read_checked(self, path)))
        # It waited for what was under way: everything has its fate.
        silent = accounts.probe("silent")
        self.assertGreater(silent["lost"], 0)
        self.assertEqual(silent["in_flight"], 0)

    def test_room_for_more_targets_is_no_more_than_the_limit_allows(self):
        runner.need_tool("setpriv")
        drop = ["setpriv", "--bounding-set=-sys_resource"] if runner.IS_ROOT else []

        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (1_800, 1_800))
        ports = node.free_ports()
        targets = [node.target("127.0.0.1", ports, label=f"t{index}") for index in range(600)]
        daemon = node.Node(self, node.config("node", ports, tcp=False, targets=targets),
                           command=drop, before_exec=limit).wait_started()
        daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait_end(runner.DEADLINE_S), 0, daemon.log())

    def test_sigterm_ends_it_in_order(self):
        self.check_end(signal.SIGTERM)

    def test_sigint_ends_it_in_order(self):
        self.check_end(signal.SIGINT)

    def test_a_second_signal_ends_it_at_once(self):
        for first, second in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT)):
            daemon, _ = self.measuring(60)
            daemon.process.send_signal(first)
            daemon.wait_line(r"signal \d+: stopping")
            self.assertTrue(daemon.is_running())
            daemon.process.send_signal(second)
            self.assertEqual(daemon.wait_end(1 + runner.SLACK_S), -second)

    def test_without_a_file_it_answers_and_says_so(self):
        ports = node.free_ports()
        daemon = node.Node(self, None, f"--udp-port={ports.udp}",
                           f"--tcp-port={ports.tcp}").wait_started()
        self.assertRegex(daemon.log(), r"\[CRITICAL\] there is no (\./)?latency\.toml")
        ask(ports.udp, self)
        accounts = daemon.stop()
        self.assertEqual(accounts.probes, [])
        self.assertGreater(accounts.udp["reflected"], 0)

    def test_the_file_of_the_directory_is_found(self):
        folder = runner.scratch(self)
        ports = node.free_ports()
        (folder / "latency.toml").write_text(node.to_toml(node.config("found", ports)))
        daemon = node.Node(self, None, cwd=folder).wait_started()
        ask(ports.udp, self)
        daemon.stop()
        self.assertNotIn("CRITICAL", daemon.log())

    def test_killed_it_comes_up_again_on_the_same_ports(self):
        ports = node.free_ports()
        keys = node.config("node", ports)
        for _ in range(RESTARTS):
            daemon = node.Node(self, keys).wait_started()
            ask(ports.udp, self)
            # A connection that the kernel must end: its port is in use a little longer.
            with socket.create_connection(("127.0.0.1", ports.tcp)):
                os.kill(daemon.pid, signal.SIGKILL)
                self.assertEqual(daemon.wait_end(), -signal.SIGKILL)
        daemon = node.Node(self, keys).wait_started()
        ask(ports.udp, self)
        daemon.stop()

    def test_a_port_that_comes_free_in_time_is_taken(self):
        ports = node.free_ports()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
            holder.bind(("127.0.0.1", ports.udp))
            daemon = node.Node(self, node.config("node", ports))
            daemon.wait_line("exporter cli: plugin cli")  # The last step before the ports.
        daemon.wait_started()
        ask(ports.udp, self)
        daemon.stop()


if __name__ == "__main__":
    runner.main()
