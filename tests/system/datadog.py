# SPDX-License-Identifier: Apache-2.0
#
# The exporter datadog against a server that answers as Datadog's API reference says. Its bodies are
# judged by the API's own schema; that Datadog itself takes them cannot be tried here.
import gzip
import json
import os
import sys
import threading
import time
import unittest
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import manual
import node
import runner

KEY = "0123456789abcdef0123456789abcdef"
SCHEMAS = {"/api/v2/series": "datadog_series_v2", "/api/v1/series": "datadog_series_v1",
           "/api/v1/distribution_points": "datadog_distribution_points"}
WIRE_OCTETS_MAX, PLAIN_OCTETS_MAX = 512_000, 5_242_880
GAUGE, COUNT = 3, 1


class Post(NamedTuple):
    path: str
    headers: dict
    wire_octets: int
    body: dict
    octets: int


class Intake:
    """Keeps what it took. `decide`: (post) -> (status, headers, errors); 202 is success."""

    def __init__(self, case):
        self.case = case
        self.posts, self.refused = [], []
        self.decide = lambda post: (202, {}, [])
        intake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                wire = self.rfile.read(int(self.headers["Content-Length"]))
                is_gzip = self.headers.get("Content-Encoding") == "gzip"
                plain = gzip.decompress(wire) if is_gzip else wire
                post = Post(self.path, dict(self.headers), len(wire), json.loads(plain),
                            len(plain))
                status, headers, errors = intake.decide(post)
                (intake.posts if status == 202 else intake.refused).append(post)
                answer = json.dumps({"errors": errors}).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        case.addCleanup(self.close)

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def check(self):
        """Every body is what the API's reference says, and within its limits."""
        try:
            import jsonschema
        except ImportError:
            raise unittest.SkipTest("needs python3-jsonschema") from None
        self.case.assertTrue(self.posts)
        for post in self.posts:
            path = runner.ROOT / "tests/support/schemas" / f"{SCHEMAS[post.path]}.json"
            jsonschema.validate(post.body, json.loads(path.read_text()))
            self.case.assertEqual(post.headers["DD-API-KEY"], KEY)
            self.case.assertEqual(post.headers["Content-Type"], "application/json")
            self.case.assertLessEqual(post.wire_octets, WIRE_OCTETS_MAX)
            self.case.assertLessEqual(post.octets, PLAIN_OCTETS_MAX)

    def series(self, path="/api/v2/series"):
        """metric -> [series] of all bodies."""
        found = defaultdict(list)
        for post in [post for post in self.posts if post.path == path]:
            for series in post.body["series"]:
                found[series["metric"]].append(series)
        return found

    def sum_of(self, metric, tag):
        return sum(point["value"] for series in self.series()[metric] if tag in series["tags"]
                   for point in series["points"])


class Datadog(unittest.TestCase):
    def setUp(self):
        self.intake = Intake(self)

    def keys(self, **keys):
        ports = node.free_ports()
        target = node.target("127.0.0.1", ports, label="b", tags=["isp:x", "v6:2001:db8::1"])
        return node.config("a", ports, interval=10, targets=[target], **keys)

    def exporter(self, **keys):
        return {"plugin": "datadog", "url": self.intake.url, "api_key": KEY, "interval": 1,
                "retry_min": 0.05, "retry_max": 0.2, "flush_interval": 0.2} | keys

    def start(self, keys, **environment):
        clean = {name: "" for name in ("DD_SITE", "DD_API_KEY") if name in os.environ}
        daemon = node.Node(self, keys, environment=clean | environment).wait_started()
        self.addCleanup(lambda: self.assertNotIn(KEY, daemon.log()))
        return daemon

    def wait_posts(self, count=1):
        runner.wait_until(f"{count} posts", lambda: len(self.intake.posts) >= count)

    @staticmethod
    def settled(accounts, kind="udp"):
        """How many probes there are samples of."""
        probe = accounts.probe("b", kind)
        return probe["sent"] - probe["in_flight"]

    def check_counts(self, accounts):
        for proto, kind in (("udp", "udp"), ("tcp", "tcp"), ("tcp_connect", "connect")):
            for metric, count in (("sent", self.settled(accounts, kind)),
                                  ("received", accounts.probe("b", kind)["answered"])):
                self.assertEqual(
                    self.intake.sum_of(f"latmon.probes.{metric}", f"proto:{proto}"), count)

    # -- Statistics -------------------------------------------------------------------------------

    def test_intervals_have_statistics_and_every_probe_is_counted(self):
        daemon = self.start(self.keys(exporters=[self.exporter(node_counters=True)],
                                      node_interval=1))
        self.wait_posts(2)
        accounts = daemon.stop()
        self.intake.check()
        self.check_counts(accounts)
        found = self.intake.series()
        [rtt, *_] = [series for series in found["latmon.rtt.p99"] if "proto:udp" in series["tags"]]
        self.assertEqual(rtt["tags"],
                         ["proto:udp", "source:a", "target:b", "isp:x", "v6:2001:db8::1"])
        self.assertEqual((rtt["type"], rtt["unit"], rtt["resources"]),
                         (GAUGE, "second", [{"type": "host", "name": "a"}]))
        self.assertTrue(0 < rtt["points"][0]["value"] < 1)
        self.assertLess(abs(rtt["points"][0]["timestamp"] - time.time()), 600)
        [sent, *_] = found["latmon.probes.sent"]
        self.assertEqual((sent["type"], sent["interval"]), (COUNT, 1))
        for metric in ("min", "avg", "p50", "p95", "max"):
            self.assertIn(f"latmon.rtt.{metric}", found)
            self.assertIn(f"latmon.tcp_connect.{metric}", found)
        self.assertIn("latmon.node.loop_turns_total", found)
        self.assertTrue(all(post.headers["Content-Encoding"] == "gzip"
                            for post in self.intake.posts))

    def test_version_1_of_the_api_has_the_same_points(self):
        daemon = self.start(self.keys(exporters=[self.exporter(api_version=1)]))
        self.wait_posts(2)
        accounts = daemon.stop()
        self.intake.check()
        found = self.intake.series("/api/v1/series")
        sent = sum(value for series in found["latmon.probes.sent"]
                   if "proto:udp" in series["tags"] for _, value in series["points"])
        self.assertEqual(sent, self.settled(accounts))
        self.assertEqual(found["latmon.rtt.max"][0]["type"], "gauge")

    def test_a_distribution_has_the_time_of_every_answer(self):
        daemon = self.start(self.keys(exporters=[self.exporter(distribution=True)]))
        self.wait_posts(4)
        accounts = daemon.stop()
        self.intake.check()
        self.check_counts(accounts)
        values = [value
                  for series in self.intake.series("/api/v1/distribution_points")["latmon.rtt"]
                  if "proto:udp" in series["tags"]
                  for _, values in series["points"] for value in values]
        self.assertEqual(len(values), accounts.probe("b", "udp")["answered"])
        self.assertTrue(all(0 < value < 10 for value in values))
        self.assertNotIn("latmon.rtt.max", self.intake.series())
        for post in self.intake.posts:
            if post.path == "/api/v1/distribution_points":
                self.assertNotIn("Content-Encoding", post.headers)

    # -- As latency-monitor -----------------------------------------------------------------------

    def legacy(self, **keys):
        return self.keys(metrics={"backend": "datadog", "site": "example.net", "api_key": KEY,
                                  "url": self.intake.url, "send_interval": 0.5} | keys)

    def test_the_ancestors_gauges_are_there_one_a_second(self):
        daemon = self.start(self.legacy())
        self.wait_posts(3)
        daemon.stop()
        self.intake.check()
        found = self.intake.series()
        self.assertEqual(set(found), {"udp.wan.rtt", "tcp.wan.rtt", "udp.wan.owd", "tcp.wan.owd",
                                      "tcp.wan.latency"})
        seconds = defaultdict(int)
        for series in found["udp.wan.rtt"]:
            self.assertEqual(series["tags"], ["source:a", "target:b", "isp:x", "v6:2001:db8::1"])
            self.assertEqual(series["type"], GAUGE)
            self.assertNotIn("resources", series)
            for point in series["points"]:
                seconds[point["timestamp"]] += 1
                self.assertTrue(0 <= point["value"] < 1e3, point)
        self.assertGreaterEqual(len(seconds), 2)
        self.assertEqual(set(seconds.values()), {1})

    def test_the_environment_wins_as_it_did(self):
        daemon = self.start(self.legacy(api_key="of the file"), DD_API_KEY=KEY)
        self.wait_posts()
        daemon.stop()
        self.intake.check()

    # -- Answers ----------------------------------------------------------------------------------

    def fail_first(self, count, status, headers=None, errors=()):
        left = [count]

        def decide(_):
            left[0] -= 1
            return (status, headers or {}, list(errors)) if left[0] >= 0 else (202, {}, [])
        self.intake.decide = decide

    def test_what_may_work_later_is_sent_again(self):
        for status, headers in ((429, {"Retry-After": "0"}), (503, {}), (408, {})):
            with self.subTest(status):
                self.intake.posts.clear()
                self.fail_first(2, status, headers)
                daemon = self.start(self.keys(exporters=[self.exporter()]))
                self.wait_posts(2)
                accounts = daemon.stop()
                self.check_counts(accounts)

    def test_a_key_that_is_refused_is_told_loudly_and_loses_nothing(self):
        self.fail_first(1, 403, errors=["Forbidden"])
        daemon = self.start(self.keys(exporters=[self.exporter()]))
        daemon.wait_line(r"\[(ERROR|CRITICAL)\] exporter datadog: .*403.*API key")
        self.wait_posts(2)
        self.check_counts(daemon.stop())
        self.assertEqual(len(self.intake.refused), 1)

    def test_what_is_too_large_is_cut(self):
        self.intake.decide = lambda post: (
            (202, {}, []) if post.octets <= 150_000 else (413, {}, ["Payload too large"]))
        ports = node.free_ports()
        targets = [node.target("127.0.0.1", ports, label=f"target-{number}", type="udp",
                               tags=["city:" + "x" * 150])
                   for number in range(200)]
        daemon = self.start(node.config("a", ports, interval=200, targets=targets,
                                        exporters=[self.exporter(interval=2)]))
        runner.wait_until("a body that is too large", lambda: self.intake.refused)
        self.wait_posts(4)
        accounts = daemon.stop()
        self.intake.check()
        sent = sum(point["value"] for series in self.intake.series()["latmon.probes.sent"]
                   for point in series["points"])
        self.assertEqual(sent, accounts.total("sent") - accounts.total("in_flight"))

    def test_what_datadog_will_not_have_is_told_with_its_reason(self):
        self.fail_first(1, 400, errors=["Payload is not valid"])
        daemon = self.start(self.keys(exporters=[self.exporter()]))
        daemon.wait_line(r"\[ERROR\] exporter datadog: .*Payload is not valid")
        self.wait_posts()
        daemon.stop()

    # -- The manual, and mistakes -----------------------------------------------------------------

    def test_the_examples_of_the_manual_work(self):
        key_file = runner.scratch(self) / "datadog.key"
        key_file.touch(mode=0o600)
        key_file.write_text(KEY + "\n")
        new, legacy = manual.examples("exporters/datadog.md")
        new = manual.replaced(new, ("/etc/latmon/datadog.key", str(key_file)))
        for example in (new, legacy):
            with self.subTest(example):
                self.intake.posts.clear()
                url = f'site = "datadoghq.eu"\nurl = "{self.intake.url}"'
                text = manual.replaced(example, ('site = "datadoghq.eu"', url))
                daemon = self.start(node.to_toml(self.keys()) + text)
                node.run_for(0.3, daemon)
                daemon.stop()  # What has not been sent yet is sent now.
                self.intake.check()

    def test_mistakes_are_refused_with_their_cure(self):
        for keys, words in (({"api_key": ""}, "api_key is missing"),
                            ({"api_key": "two\nlines"}, "the key alone"),
                            ({"site": "https://x.net", "url": ""}, "site is no host's name"),
                            ({"api_version": 3}, "api_version")):
            with self.subTest(keys):
                daemon = node.Node(self, self.keys(exporters=[self.exporter(**keys)]),
                                   environment={"DD_API_KEY": "", "DD_SITE": ""})
                self.assertEqual(daemon.wait_end(), 78, daemon.log())
                self.assertIn(words, daemon.log())


if __name__ == "__main__":
    runner.main()
