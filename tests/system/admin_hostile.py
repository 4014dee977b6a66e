# SPDX-License-Identifier: Apache-2.0
#
# Clients of the admin listener that mean harm: thousands of connections, headers that never end or
# are 10 MB long, bodies and garbage. They come from one address of loopback, a scraper from
# another: the scraper is always answered, what they can make the node hold is bounded, and no slot
# of a probe is missed because of them. LATMON_SYSTEM_CONNECTIONS says how many connections.
import contextlib
import os
import re
import resource
import socket
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import admin
import node
import runner

CONNECTIONS = int(os.environ.get("LATMON_SYSTEM_CONNECTIONS", 10_000))
CONNECTIONS_MAX = 64
ATTACK_S = 4
SCRAPER = "127.0.0.2"
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
# Two answers of the largest kind, buffers of every connection, and what an allocator keeps.
RSS_GROWTH_KB_MAX = 65_536 if not runner.IS_SANITIZED else 1_000_000


class Attackers:
    """Threads that go on until the end, and do not mind being refused."""

    def __init__(self, port):
        self.port = port
        self.has_ended = threading.Event()
        self.threads = []

    def add(self, attack, count=1):
        for _ in range(count):
            thread = threading.Thread(target=self.go_on, args=(attack,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def go_on(self, attack):
        while not self.has_ended.is_set():
            try:
                attack()
            except OSError:
                pass

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)

    def dribble(self):
        """One octet of a header now and then, on forty connections."""
        with contextlib.ExitStack() as stack:
            slow = [stack.enter_context(self.connect()) for _ in range(40)]
            for octet in HEAD + b"X: " + b"x" * 1000:
                if self.has_ended.wait(0.1):
                    break
                for connection in slow:
                    connection.send(bytes([octet]))

    def endless_header(self):
        with self.connect() as connection:
            connection.sendall(HEAD)
            for _ in range(160):
                connection.sendall(b"X: " + b"x" * 65_536 + b"\r\n")

    def huge_body(self):
        with self.connect() as connection:
            connection.sendall(b"POST /-/reload HTTP/1.1\r\nHost: x\r\n"
                               b"Transfer-Encoding: chunked\r\n\r\n")
            for _ in range(160):
                connection.sendall(b"10000\r\n" + b"y" * 65_536 + b"\r\n")

    def garbage(self):
        with self.connect() as connection:
            connection.sendall(os.urandom(5_000))
            connection.recv(1_000)

    def half_closed(self):
        with self.connect() as connection:
            connection.sendall(HEAD)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1_000)

    def pipeline(self):
        """A thousand requests at once, and nobody who reads the answers."""
        with self.connect() as connection:
            connection.sendall((HEAD + b"\r\n") * 1_000)
            self.has_ended.wait(0.5)

    def flood(self, count):
        """So many connections, some hundreds of them open at once, that say nothing."""
        opened = []
        for _ in range(count):
            if self.has_ended.is_set():
                break
            try:
                opened.append(self.connect())
            except OSError:
                continue
            if len(opened) > 500:
                opened.pop(0).close()
        for connection in opened:
            connection.close()

    def end(self):
        self.has_ended.set()
        for thread in self.threads:
            thread.join()


class Hostile(unittest.TestCase):
    def setUp(self):
        # The attackers leave the core its CPU, as a network's other end would.
        if len(runner.CPUS) > 1:
            os.sched_setaffinity(0, set(runner.CPUS[:-1]))
            self.addCleanup(os.sched_setaffinity, 0, set(runner.CPUS))
        self.ports = node.free_ports()
        config = node.config("node", self.ports, interval=50, tcp=False,
                             admin={"listen": admin.LISTEN, "connections_max": CONNECTIONS_MAX},
                             cores=[runner.CPUS[-1]],
                             targets=[node.target("127.0.0.1", self.ports, label="self")],
                             exporters=[node.cli(runner.scratch(self) / "o")])
        self.daemon = self.start(config)
        # One that nobody attacks, on the same CPU: what both miss is the machine's doing.
        ports = node.free_ports()
        self.control = self.start(config | {
            "name": "control", "admin": {"listen": ""}, "udp_port": ports.udp,
            "tcp_port": ports.tcp, "targets": [node.target("127.0.0.1", ports, label="self")],
            "exporters": [node.cli(runner.scratch(self) / "c")]})
        self.port = admin.port_of(self.daemon)

    def start(self, config):
        cpus = set(runner.CPUS)
        return node.Node(self, config,
                         before_exec=lambda: os.sched_setaffinity(0, cpus)).wait_started()

    def check_probes(self):
        missed = self.daemon.stop().probe("self")["missed"]
        without = self.control.stop().probe("self")["missed"]
        print(f"missed {missed} slots, the control {without}")
        self.assertLessEqual(missed, 2 * without + 2)

    def fds(self):
        return len(os.listdir(f"/proc/{self.daemon.pid}/fd"))

    def rss_kb(self):
        status = Path(f"/proc/{self.daemon.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def scrape(self):
        answer = admin.ask(self.port, "/api/v1/targets", source=SCRAPER)
        self.assertEqual(answer.status, 200)
        return answer.json()["targets"][0]

    def scrape_until(self, condition):
        """How often it was answered; and the most descriptors and memory seen meanwhile."""
        count, fds, rss_kb = 0, 0, 0
        while condition():
            self.scrape()
            count += 1
            fds, rss_kb = max(fds, self.fds()), max(rss_kb, self.rss_kb())
            time.sleep(0.05)
        return count, fds, rss_kb

    def attack_and_watch(self, prepare, condition):
        fds_before, rss_before, before = self.fds(), self.rss_kb(), self.scrape()
        attackers = Attackers(self.port)
        try:
            prepare(attackers)
            count, fds, rss_kb = self.scrape_until(condition(attackers))
        finally:
            attackers.end()
        after = self.scrape()
        print(f"scraped {count} times; descriptors {fds_before} -> {fds}, "
              f"RSS {rss_before} -> {rss_kb} KiB")
        self.assertGreater(count, 5)
        self.assertLessEqual(fds, fds_before + CONNECTIONS_MAX + 4)
        self.assertLess(rss_kb - rss_before, RSS_GROWTH_KB_MAX)
        self.assertGreater(after["answered"], before["answered"])
        runner.wait_until("all connections to be gone", lambda: self.fds() <= fds_before)

    def test_clients_that_mean_harm(self):
        def prepare(attackers):
            attackers.add(attackers.dribble, 3)
            for attack in (attackers.endless_header, attackers.huge_body, attackers.garbage,
                           attackers.half_closed, attackers.pipeline):
                attackers.add(attack)

        end = time.monotonic() + runner.seconds(ATTACK_S)
        self.attack_and_watch(prepare, lambda attackers: lambda: time.monotonic() < end)
        self.check_probes()

    def test_ten_thousand_connections(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4_096), hard), hard))
        flood = threading.Event()

        def prepare(attackers):
            def once():
                attackers.flood(CONNECTIONS)
                flood.set()
                attackers.has_ended.wait()
            attackers.add(once)

        self.attack_and_watch(prepare, lambda attackers: lambda: not flood.is_set())
        self.check_probes()


if __name__ == "__main__":
    runner.main()
