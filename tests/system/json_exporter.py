# SPDX-License-Identifier: Apache-2.0
#
# The json exporter of a running daemon: its lines fit the schema, none is lost or torn when files
# are moved under it, by a signal or without one, and those that nobody takes are counted.
import json
import os
import signal
import socket
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import json_schema
import node
import runner
import samples

FAST_TARGETS = 10  # Each is probed once a millisecond.
RENAMES = 5


class Listener:
    """A program that reads lines from a Unix socket, of either type."""

    def __init__(self, case, path, kind):
        self.path, self.lines, self.rest = path, [], b""
        self.is_stream = kind == "stream"
        self.socket = socket.socket(
            socket.AF_UNIX, socket.SOCK_STREAM if self.is_stream else socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        if self.is_stream:
            self.socket.listen(1)
        self.socket.settimeout(0.2)
        self.must_end = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        case.addCleanup(self.close)

    def receive(self, peer):
        try:
            return peer.recv(1 << 16)
        except TimeoutError:
            return None

    def run(self):
        while not self.must_end:
            if not self.is_stream:
                self.take(self.receive(self.socket) or b"")
                continue
            try:
                peer, _ = self.socket.accept()
            except TimeoutError:
                continue
            with peer:
                peer.settimeout(0.2)
                while not self.must_end and (data := self.receive(peer)) != b"":
                    self.take(data or b"")
            self.rest = b""

    def take(self, data):
        *whole, self.rest = (self.rest + data).split(b"\n")
        self.lines += [json.loads(line) for line in whole]

    def close(self):
        self.must_end = True
        self.thread.join(runner.DEADLINE_S)
        self.socket.close()
        self.path.unlink(missing_ok=True)


class JsonExporter(unittest.TestCase):
    def setUp(self):
        self.ports = node.free_ports()
        self.folder = runner.scratch(self)
        self.path = self.folder / "samples.ndjson"

    def config(self, targets, interval, exporter, **keys):
        return node.config("node", self.ports, interval=interval, targets=targets,
                           exporters=[{"plugin": "json", "queue_samples": 1 << 16} | exporter],
                           **keys)

    def loading(self, interval=1, **exporter):
        """Ten thousand probes a second of ourselves, at an interval of 1 ms."""
        targets = [node.target("127.0.0.1", self.ports, label=f"self{index}", type="udp",
                               timeout=0.5) for index in range(FAST_TARGETS)]
        keys = self.config(targets, interval, exporter, tcp=False)
        return node.Node(self, keys).wait_started()

    def files(self):
        return sorted(self.folder.glob("samples.ndjson*"))

    def stop(self, daemon):
        """Each sample was taken, and each line was written or is counted."""
        mine = daemon.stop().exporters["json"]
        written, lost = (mine[f"exporter_lines_{fate}_total"] for fate in ("written", "lost"))
        self.assertEqual(mine["exported"], written + lost, mine)
        self.assertEqual(mine["rejected"], 0, mine)
        return written, lost

    def check_files(self, daemon):
        """All that was written stands in these files, as whole lines, each once."""
        written, lost = self.stop(daemon)
        self.assertEqual(lost, 0)
        seen = set()
        for path in self.files():
            text = path.read_text()
            self.assertTrue(text == "" or text.endswith("\n"), path)
            for line in text.splitlines():
                sample = json.loads(line)
                seen.add((sample["series_id"], sample["sequence"], sample["status"]))
        self.assertEqual(len(seen), written)

    def size(self):
        return self.path.stat().st_size if self.path.exists() else 0

    def wait_written(self):
        runner.wait_until("lines in a new file", lambda: self.size() > 0)

    # -- Lines ------------------------------------------------------------------------------------

    def test_real_lines_fit_the_schema(self):
        judge = json_schema.validator()
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        silent.bind(("127.0.0.1", 0))
        closed = node.free_ports()
        targets = [node.target("127.0.0.1", self.ports, label="self", tags=["isp:a"]),
                   node.target("127.0.0.1", self.ports, label="silent", type="udp",
                               udp_port=silent.getsockname()[1]),
                   node.target("127.0.0.1", closed, label="closed")]
        for timestamps in ("ns", "rfc3339"):
            self.path.unlink(missing_ok=True)
            keys = self.config(
                targets, 20, {"file": str(self.path), "timestamps": timestamps,
                              "samples": ["exchange", "connect", "reflection", "node"]},
                timeout=0.2, node_interval=1)
            daemon = node.Node(self, keys).wait_started()
            tail, seen = samples.Tail(self.path), set()

            def has_all(tail=tail, seen=seen):
                for sample in tail.new():
                    json_schema.check(self, judge, sample)
                    seen.add((sample["kind"], sample.get("status")))
                return seen >= {("exchange", "ok"), ("exchange", "lost"), ("connect", "ok"),
                                ("connect", "unreachable"), ("reflection", "ok"), ("node", None)}
            runner.wait_until("samples of every kind", has_all)
            self.stop(daemon)

    # -- Files ------------------------------------------------------------------------------------

    def test_a_file_that_is_renamed_or_removed_is_made_anew(self):
        daemon = self.loading(file=str(self.path))
        for number in range(RENAMES):
            self.wait_written()
            self.path.rename(self.folder / f"samples.ndjson.{number}")
        self.wait_written()
        self.check_files(daemon)
        self.assertEqual(len(self.files()), RENAMES + 1)

    def test_a_signal_opens_files_anew_at_once(self):
        log = self.folder / "latmon.log"
        keys = self.config([node.target("127.0.0.1", self.ports, label="self", type="udp")], 100,
                           {"file": str(self.path)}, log_file=str(log))
        daemon = node.Node(self, keys).wait_started()
        for number in range(2):
            self.path.rename(self.folder / f"samples.ndjson.{number}")
            log.rename(self.folder / f"latmon.log.{number}")
            daemon.process.send_signal(signal.SIGUSR1)
            runner.wait_until("a new file", self.path.exists)
            runner.wait_until("a new log", lambda: log.exists() and "anew" in log.read_text())
        self.check_files(daemon)
        self.assertIn("accounts: ", log.read_text())
        self.assertEqual(self.path.stat().st_mode & 0o027, 0)

    def test_a_signal_while_it_stops_ends_nothing(self):
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        silent.bind(("127.0.0.1", 0))
        keys = self.config([node.target("127.0.0.1", self.ports, label="silent", type="udp",
                                        udp_port=silent.getsockname()[1])],
                           20, {"file": str(self.path)}, timeout=1)
        daemon = node.Node(self, keys).wait_started()
        silent.recv(65_536)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.wait_line("stopping")
        daemon.process.send_signal(signal.SIGUSR1)
        self.assertEqual(daemon.wait_end(), 0, daemon.log())

    def test_files_of_a_size(self):
        size = 1_000_000
        daemon = self.loading(file=str(self.path), rotate_bytes=size, rotate_keep=3)
        runner.wait_until("three old files", (self.folder / "samples.ndjson.3").exists)
        self.stop(daemon)
        self.assertEqual(len(self.files()), 4)
        for path in self.files():
            lines = path.read_text().splitlines()
            for line in lines:
                json.loads(line)
            if path != self.path:
                self.assertGreaterEqual(path.stat().st_size, size)
                self.assertLess(path.stat().st_size, size + 200_000)

    # -- Sockets ----------------------------------------------------------------------------------

    def check_socket(self, kind):
        path = self.folder / kind
        daemon = self.loading(5, unix=str(path), unix_type=kind)
        daemon.wait_line("lines are lost until somebody listens")
        received = 0
        for _ in range(2):
            listener = Listener(self, path, kind)
            runner.wait_until("lines", lambda listener=listener: len(listener.lines) > 1000)
            listener.close()
            received += len(listener.lines)
        daemon.wait_line("somebody listens again; lines lost: [1-9]")
        listener = Listener(self, path, kind)
        runner.wait_until("lines", lambda: len(listener.lines) > 1000)
        written, lost = self.stop(daemon)
        runner.wait_until("the last line", lambda: listener.rest == b"")
        received += len(listener.lines)
        self.assertGreater(lost, 0)
        # A listener that goes leaves unread what the kernel had taken for it.
        self.assertLessEqual(received, written)

    def test_a_stream_socket_whose_listener_comes_and_goes(self):
        self.check_socket("stream")

    def test_a_datagram_socket_whose_listener_comes_and_goes(self):
        self.check_socket("datagram")

    def test_what_a_listener_gets_and_what_is_lost_is_all(self):
        for kind in ("stream", "datagram"):
            with self.subTest(kind):
                path = self.folder / f"all-{kind}"
                daemon = self.loading(5, unix=str(path), unix_type=kind)
                daemon.wait_line("lines are lost until somebody listens")
                listener = Listener(self, path, kind)
                runner.wait_until("lines", lambda listener=listener: len(listener.lines) > 5000)
                written, lost = self.stop(daemon)
                self.assertGreater(lost, 0)
                runner.wait_until("every line", lambda listener=listener, written=written:
                                  len(listener.lines) == written)

    # -- Standard output --------------------------------------------------------------------------

    def test_standard_output(self):
        keys = self.config([node.target("127.0.0.1", self.ports, label="self", type="udp")], 20, {})
        daemon = node.Node(self, keys).wait_started()
        runner.wait_until("lines", lambda: os.path.getsize(daemon.stdout_path) > 0)
        written, _ = self.stop(daemon)
        self.assertEqual(len(list(samples.read(daemon.stdout_path))), written)


if __name__ == "__main__":
    runner.main()
