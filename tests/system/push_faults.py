# SPDX-License-Identifier: Apache-2.0
#
# What an HTTP server can do to an exporter that pushes, one thing after the other: no row is lost
# that is not counted, order is kept, the log is told once, and neither probes nor the end of latmon
# wait for the server. Each claim holds for every exporter in push_rows.EXPORTERS.
import ssl
import subprocess
import sys
import time
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fault_server
import node
import push_rows
import runner
import samples
from fault_server import answer

TIMEOUT_S = 1
SHUTDOWN_S = 3  # The default of shutdown_timeout.

# What is over after one request; how often the client counts it as a failure at least.
TRANSIENT = [
    (answer(500), 1), (answer(503, b"busy"), 1), (answer(408), 1), (answer(429), 1),
    (fault_server.GARBAGE, 1), (fault_server.CLOSE_HALFWAY, 1), (fault_server.slow(0.3), 0),
    (fault_server.ENDLESS, 0),
]


class Pushing(unittest.TestCase):
    def setUp(self):
        self.server = fault_server.FaultServer(self)

    def start(self, exporter, *more, **keys):
        """A latmon that measures itself, with this exporter and one that writes a file."""
        self.path = runner.scratch(self) / "samples.ndjson"
        ports = node.free_ports()
        config = node.config("node", ports, interval=2, timeout=TIMEOUT_S, tcp=False,
                             tcp_latency=False,
                             targets=[node.target("127.0.0.1", ports, label="self")],
                             exporters=[node.cli(self.path, "exchange"),
                                        exporter.table(self.server, **keys), *more])
        return node.Node(self, config, "--log-level=DEBUG").wait_started()

    def finish(self, exporter, daemon):
        """Stops it. The accounts of rows, and the rows that the server has."""
        daemon.stop(within_s=TIMEOUT_S + SHUTDOWN_S + runner.DEADLINE_S)
        counts = push_rows.accounts(self, daemon.log(), exporter.name)
        found = push_rows.rows(self, exporter, self.server.stored)
        push_rows.check_order(self, found)
        return counts, found

    def made(self):
        """Each probe and its first fate."""
        for sample in samples.read_checked(self, self.path):
            if "sequence" in sample and sample["status"] not in ("late", "duplicate"):
                yield sample

    def assert_complete(self, counts, found):
        """Every sample that was made is there."""
        made = Counter((str(sample["series_id"]), str(sample["sequence"]))
                       for sample in self.made())
        self.assertEqual(Counter(row[:2] for row in found), made)
        self.assertEqual(counts["sent"], len(found), counts)
        self.assertEqual(counts["appended"], sum(made.values()), counts)

    def wait_requests(self, count):
        runner.wait_until(f"{count} requests", lambda: len(self.server.requests) >= count)

    def each(self):
        for exporter in push_rows.EXPORTERS:
            with self.subTest(exporter.name):
                yield exporter


class PushFaults(Pushing):
    # -- What passes ------------------------------------------------------------------------------

    def test_a_fault_that_passes_costs_no_row_and_is_told_once(self):
        for exporter in self.each():
            for behaviour, failures in TRANSIENT:
                with self.subTest(behaviour.name):
                    self.server.stored.clear()
                    self.server.requests.clear()
                    self.server.then(behaviour)
                    daemon = self.start(exporter)
                    self.wait_requests(4)
                    counts, found = self.finish(exporter, daemon)
                    self.assert_complete(counts, found)
                    self.assertGreaterEqual(counts["failures"], failures)
                    self.assertEqual(daemon.log().count(": does not work: "), failures)
                    self.assertEqual(daemon.log().count(": works again after "), failures)

    def test_a_connection_that_is_closed_between_requests_is_no_failure(self):
        """A server may close what it kept at any time: that is sent once more, at once."""
        for exporter in self.each():
            for behaviour in (fault_server.CLOSE, fault_server.RESET):
                with self.subTest(behaviour.name):
                    self.server.stored.clear()
                    self.server.requests.clear()
                    self.server.then(fault_server.OK, behaviour)
                    daemon = self.start(exporter)
                    self.wait_requests(4)
                    counts, found = self.finish(exporter, daemon)
                    self.assert_complete(counts, found)
                    self.assertEqual(counts["failures"], 0)

    def test_a_block_whose_answer_was_lost_comes_again_with_its_id(self):
        for exporter in self.each():
            # Of a new connection, so that it does not come again by itself.
            self.server.then(fault_server.CLOSE_AFTER_STORING)
            daemon = self.start(exporter)
            self.wait_requests(3)
            counts, found = self.finish(exporter, daemon)
            self.assert_complete(counts, found)
            first, second = self.server.stored[:2]
            self.assertEqual(exporter.block(first), exporter.block(second))
            self.assertEqual(first.body, second.body)

    def test_a_server_is_asked_no_sooner_than_it_wants(self):
        for exporter in self.each():
            for behaviour in (answer(429, Retry_After=1), answer(503, Retry_After=1),
                              fault_server.retry_after_date(429, 1)):
                with self.subTest(behaviour.name):
                    self.server.stored.clear()
                    self.server.requests.clear()
                    self.server.then(behaviour)
                    daemon = self.start(exporter)
                    self.wait_requests(3)
                    self.assert_complete(*self.finish(exporter, daemon))
                    first, second = self.server.requests[:2]
                    self.assertGreaterEqual(second.time_s - first.time_s, 0.95)

    def test_a_server_that_is_down_for_a_while_gets_everything_in_order(self):
        for exporter in self.each():
            daemon = self.start(exporter)
            self.wait_requests(2)
            self.server.refuse()
            daemon.wait_line("does not work: Failed to connect")
            node.run_for(1, daemon)
            self.server.listen()
            daemon.wait_line("works again after .*; 0 rows dropped meanwhile")
            self.assert_complete(*self.finish(exporter, daemon))

    # -- What does not fit ------------------------------------------------------------------------

    def overflow(self, exporter, overflow):
        """Accounts, rows that arrived, and rows that were made, of a server that was down until
        rows had to be dropped."""
        self.server.refuse()
        daemon = self.start(exporter, overflow=overflow, row_bytes=500, batch_bytes=16_384,
                            buffer_bytes=65_536)
        daemon.wait_line("there is no room for more rows")
        node.run_for(0.5, daemon)
        self.server.listen()
        daemon.wait_line("works again after .*; [1-9][0-9]* rows dropped meanwhile")
        counts, found = self.finish(exporter, daemon)
        self.assertEqual(counts["appended"], counts["dropped"] + counts["sent"], counts)
        self.assertEqual(counts["sent"], len(found))
        self.assertGreater(counts["dropped"], 0)
        made = sorted(sample["sequence"] for sample in self.made())
        self.assertEqual(counts["appended"], len(made))
        self.assertEqual(daemon.log().count("there is no room for more rows"), 1)
        return counts, [int(row[1]) for row in found], made

    def test_the_oldest_rows_give_way_and_are_counted_to_the_row(self):
        for exporter in self.each():
            counts, found, made = self.overflow(exporter, "drop_oldest")
            # A block that was under way stays; then a gap; then all to the end.
            gap = counts["dropped"]
            missing = sorted(set(made) - set(found))
            self.assertEqual(len(missing), gap)
            self.assertEqual(missing, [each for each in made
                                       if missing[0] <= each <= missing[-1]])
            self.assertIn(made[-1], found)

    def test_the_newest_rows_give_way_if_the_operator_wants_that(self):
        for exporter in self.each():
            counts, found, made = self.overflow(exporter, "drop_newest")
            first = made[:len(found) // 4]
            self.assertEqual(found[:len(first)], first)
            self.assertEqual(len(set(made) - set(found)), counts["dropped"])

    def test_a_server_that_finds_it_too_large_gets_it_in_parts(self):
        for exporter in self.each():
            self.server.refuse()
            self.server.usual = fault_server.too_large(20_000)
            daemon = self.start(exporter, row_bytes=500)
            node.run_for(1, daemon)
            self.server.listen()
            daemon.wait_line("are too large for the server")
            daemon.wait_line("works again after")
            self.assert_complete(*self.finish(exporter, daemon))
            self.assertGreater(max(len(each.body) for each in self.server.requests), 20_000)

    def test_what_is_too_large_by_itself_is_rejected(self):
        for exporter in self.each():
            self.server.usual = fault_server.too_large(3)
            daemon = self.start(exporter)
            daemon.wait_line("the server will not have .*HTTP 413: too large")
            counts, found = self.finish(exporter, daemon)
            self.assertEqual(found, [])
            self.assertEqual(counts["rejected"], counts["appended"])

    # -- What never will --------------------------------------------------------------------------

    def test_rows_that_a_server_will_not_have_are_counted_and_told(self):
        for exporter in self.each():
            self.server.then(answer(400, b"no such\x1b table"))
            daemon = self.start(exporter)
            self.wait_requests(3)
            counts, found = self.finish(exporter, daemon)
            self.assertGreater(counts["rejected"], 0)
            self.assertEqual(counts["rejected"] + len(found), counts["appended"])
            self.assertRegex(daemon.log(), "will not have .*: HTTP 400: no such  table; ")

    def test_wrong_credentials_lose_nothing_and_are_loud(self):
        for exporter in self.each():
            self.server.then(answer(403, b"who are you"), answer(401), answer(407))
            daemon = self.start(exporter)
            self.wait_requests(5)
            self.assert_complete(*self.finish(exporter, daemon))
            self.assertEqual(daemon.log().count("[ERROR]"), 1, daemon.log())
            self.assertIn("the server refuses us: HTTP 403: who are you; ", daemon.log())

    def test_a_redirect_is_not_followed(self):
        for exporter in self.each():
            self.server.usual = answer(302, Location=f"{self.server.url}/elsewhere")
            daemon = self.start(exporter)
            daemon.wait_line("HTTP 302")
            counts, _ = self.finish(exporter, daemon)
            self.assertEqual(counts["rejected"], counts["appended"])
            self.assertEqual([each for each in self.server.requests if "else" in each.path], [])

    # -- The end ----------------------------------------------------------------------------------

    def test_what_waits_is_sent_when_latmon_stops(self):
        for exporter in self.each():
            daemon = self.start(exporter, flush_interval=3_600.0)
            node.run_for(0.5, daemon)
            self.assertEqual(self.server.requests, [])
            self.assert_complete(*self.finish(exporter, daemon))
            self.assertEqual(len(self.server.requests), 1)

    def test_a_server_that_stalls_delays_neither_probes_nor_the_end(self):
        for exporter in self.each():
            self.server.usual = fault_server.STALL
            daemon = self.start(exporter, timeout=600.0, shutdown_timeout=0.5)
            self.wait_requests(1)
            node.run_for(runner.seconds(1), daemon)
            began = time.monotonic()
            log_before_end = daemon.log()
            counts, found = self.finish(exporter, daemon)
            self.assertLess(time.monotonic() - began, TIMEOUT_S + 1 + 0.5 + runner.SLACK_S)
            self.assertEqual(found, [])
            self.assertEqual(counts["abandoned"], counts["appended"])
            self.assertEqual(len(list(self.made())), counts["appended"])
            self.assertNotIn("does not work", log_before_end)

    def test_a_server_that_stalls_is_given_up_after_the_timeout(self):
        for exporter in self.each():
            self.server.then(fault_server.STALL)
            daemon = self.start(exporter, timeout=0.5)
            daemon.wait_line("does not work: .*[Tt]imed? ?out")
            daemon.wait_line("works again")
            self.assert_complete(*self.finish(exporter, daemon))


class PushLines(Pushing):
    """What only an exporter made for it can show."""

    def each(self):
        yield push_rows.PUSH_LINES

    def test_the_server_is_asked_before_the_first_block_and_after_a_failure(self):
        for exporter in self.each():
            self.server.then(answer(503), fault_server.OK, answer(500), answer(404),
                             fault_server.OK)
            daemon = self.start(exporter, prepare_url=f"{self.server.url}/table")
            self.wait_requests(8)
            self.assert_complete(*self.finish(exporter, daemon))
            methods = [each.method for each in self.server.requests[:6]]
            self.assertEqual(methods, ["GET", "GET", "POST", "GET", "GET", "POST"])

    def test_the_farewell_comes_last_and_only_after_everything_else(self):
        for exporter in self.each():
            daemon = self.start(exporter, farewell=True)
            self.wait_requests(2)
            self.finish(exporter, daemon)
            self.assertEqual([each.method for each in self.server.requests].count("DELETE"), 1)
            self.assertEqual(self.server.requests[-1].method, "DELETE")

    def test_a_newer_state_takes_the_place_of_an_older_one(self):
        for exporter in self.each():
            self.server.usual = answer(503)
            daemon = self.start(exporter, snapshot=True)
            self.wait_requests(5)
            self.server.usual = fault_server.OK
            daemon.wait_line("works again")
            counts, found = self.finish(exporter, daemon)
            self.assertGreater(counts["superseded"], 0)
            self.assertEqual(counts["sent"], len(found))
            self.assertEqual(counts["dropped"], 0)

    def secure(self):
        """Lets the server speak TLS, with a certificate that only its own file proves."""
        runner.need_tool("openssl")
        folder = runner.scratch(self)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=latmon test", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", folder / "key", "-out", folder / "cert"],
                       check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert", folder / "key")
        self.server = fault_server.FaultServer(
            self, wrap=lambda plain: context.wrap_socket(plain, server_side=True))
        return str(folder / "cert")

    def test_a_certificate_is_proved_unless_the_operator_says_otherwise(self):
        certificate = self.secure()
        for exporter in self.each():
            daemon = self.start(exporter, shutdown_timeout=0.1)
            daemon.wait_line("does not work: .*certificate")
            counts, found = self.finish(exporter, daemon)
            self.assertEqual(found, [])
            self.assertEqual(counts["abandoned"], counts["appended"])
            for keys, warnings in (({"ca_file": certificate}, 0), ({"insecure": True}, 1)):
                self.server.stored.clear()
                self.server.requests.clear()
                daemon = self.start(exporter, **keys)
                self.wait_requests(2)
                self.assert_complete(*self.finish(exporter, daemon))
                self.assertEqual(daemon.log().count("any certificate is accepted"), warnings)

    def test_compression_is_what_the_operator_says(self):
        for exporter in self.each():
            for compression, header in (("gzip", "gzip"), ("none", None)):
                self.server.requests.clear()
                self.server.stored.clear()
                daemon = self.start(exporter, compression=compression)
                self.wait_requests(1)
                self.assert_complete(*self.finish(exporter, daemon))
                for request in self.server.requests:
                    self.assertEqual(request.headers.get("content-encoding"), header)
                    self.assertRegex(request.headers["user-agent"], r"^latmon/\d")
                    self.assertNotIn("expect", request.headers)


if __name__ == "__main__":
    runner.main()
