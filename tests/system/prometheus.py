# SPDX-License-Identifier: Apache-2.0
#
# The exporter prometheus against a real Prometheus. What is scraped is what was handed over, to the
# last probe; histograms, exemplars and what is gone are understood as they are meant. Windows are
# made up by plugin_driver where a test must know every value, and come from a real latmon
# elsewhere.
import decimal
import gzip
import json
import math
import re
import signal
import sys
import time
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import manual
import node
import plugin_driver
import runner
import samples
from prometheus_servers import Prometheus, check_metrics, http

OPEN_METRICS = "application/openmetrics-text;version=1.0.0"
PROTOBUF = ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
            "encoding=delimited")
NATIVE = ("native-histograms", "exemplar-storage")
# A bucket of schema 5 is so wide, from its beginning.
BUCKET_ERROR = 2 ** (1 / 32) - 1


def open_metrics_parser():
    """The strictest reader of that format there is, as Debian has it."""
    folder = "/usr/lib/python3/dist-packages"
    if not Path(folder, "prometheus_client").exists():
        raise unittest.SkipTest("needs python3-prometheus-client")
    sys.path.append(folder)
    from prometheus_client.openmetrics import parser
    return parser.text_string_to_metric_families


def fetch(url, accept="", encoding="", method="GET"):
    """(headers, body) of an answer, as it came."""
    request = urllib.request.Request(url, method=method, headers={
        "Accept": accept, "Accept-Encoding": encoding})
    with urllib.request.urlopen(request, timeout=runner.DEADLINE_S) as answer:
        return answer.headers, answer.read()


class Driven(unittest.TestCase):
    """The plugin alone, with windows over samples that plugin_driver describes."""

    SERIES = 3  # Of exchange, connect and reflection, in turn.

    def feed(self, rows, options=None, **flags):
        """Starts to feed; what is fed stays to be scraped until self.end()."""
        self.rows = rows
        self.unlock = runner.scratch(self) / "unlock"
        self.port = node.free_ports().tcp
        self.url = f"http://127.0.0.1:{self.port}/metrics"
        self.driver = plugin_driver.Driver(
            self, "prometheus", options or {}, rows=rows, series=self.SERIES, windows=1,
            kinds="exchange,connect,reflection", tag=["isp-name:x/y", 'note:a "b"'],
            serve=self.port, unlock=self.unlock, start=time.time_ns(), **flags)
        runner.wait_until("the page", lambda: http(self.url)[0] == 200)

    def end(self):
        self.unlock.touch()

    def wait_fed(self):
        total = len(range(0, self.rows, self.SERIES))
        labels = 'proto="udp",source="driver",target="target-0"'

        def is_whole():
            text = http(self.url)[1]
            return any(line.startswith(f"latmon_probes_sent_total{{{labels}")
                       and line.endswith(f" {total}") for line in text.splitlines())
        runner.wait_until("all windows", is_whole)

    def round_trips(self, series=0):
        """All of one series, in seconds, ascending."""
        return sorted((100_000 + 7_919 * number % 1_000_003) * 1e-9
                      for number in range(series, self.rows, self.SERIES) if number % 10 != 9)

    # -- The formats ------------------------------------------------------------------------------

    def test_promtool_has_nothing_to_say(self):
        self.feed(3_000, {"percentiles": True})
        self.wait_fed()
        check_metrics(self, http(self.url)[1])
        self.end()
        self.driver.result()

    def test_openmetrics_is_valid_to_a_strict_reader(self):
        parse = open_metrics_parser()
        self.feed(3_000)
        self.wait_fed()
        headers, body = fetch(self.url, OPEN_METRICS)
        self.assertTrue(headers["Content-Type"].startswith("application/openmetrics-text"))
        families = {family.name: family for family in parse(body.decode())}
        self.end()
        rtt = families["latmon_rtt_seconds"]
        self.assertEqual((rtt.type, rtt.unit), ("histogram", "seconds"))
        exemplars = [sample.exemplar for sample in rtt.samples if sample.exemplar]
        self.assertTrue(exemplars)
        for exemplar in exemplars:
            number = int(exemplar.labels["seq"])
            self.assertEqual(round(exemplar.value * 1e9), 100_000 + 7_919 * number % 1_000_003)
        self.driver.result()

    def test_what_is_packed_is_the_same(self):
        self.feed(3_000)
        self.wait_fed()

        def stable(body):
            return [line for line in body.decode().splitlines() if "process_" not in line]
        for accept in ("text/plain", OPEN_METRICS):
            headers, packed = fetch(self.url, accept, "gzip")
            self.assertEqual(headers["Content-Encoding"], "gzip")
            self.assertEqual(stable(gzip.decompress(packed)), stable(fetch(self.url, accept)[1]))
        headers, body = fetch(self.url, PROTOBUF)
        self.assertIn("MetricFamily", headers["Content-Type"])
        packed = fetch(self.url, PROTOBUF, "gzip")[1]
        self.assertLess(len(packed), len(body))
        self.assertIn(b"latmon_rtt_seconds", gzip.decompress(packed))
        self.end()
        self.driver.result()

    # -- What Prometheus makes of it --------------------------------------------------------------

    def prometheus(self, *features):
        return Prometheus(self, [f"127.0.0.1:{self.port}"], features=features).start()

    def wait_value(self, prometheus, expression, value):
        def is_there():
            rows = prometheus.query(expression)
            return rows and rows[0][1] == value
        try:
            runner.wait_until(f"{expression} = {value}", is_there)
        except AssertionError as error:
            raise AssertionError(f"{error}: {prometheus.query(expression)}") from None

    def check_counts(self, prometheus):
        """Every counter has exactly what was handed over."""
        for series, proto in ((0, "udp"), (1, "tcp_connect")):
            numbers = range(series, self.rows, self.SERIES)
            lost = sum(number % 10 == 9 for number in numbers)
            labels = f'proto="{proto}",target="target-{series}",isp_name="x/y",note="a \\"b\\""'
            for name, value in (("sent_total", len(numbers)), ("received_total",
                                len(numbers) - lost), ("late_total", 0)):
                self.wait_value(prometheus, f"latmon_probes_{name}{{{labels}}}", value)
            self.wait_value(prometheus,
                            f'latmon_probes_lost_total{{{labels},status="lost"}}', lost)
        self.wait_value(prometheus, "latmon_reflections_total",
                        len(range(2, self.rows, self.SERIES)))

    def exemplars(self, prometheus, query):
        now = time.time()
        arguments = urllib.parse.urlencode({"query": query, "start": now - 600, "end": now + 60})
        status, text = http(f"{prometheus.url}/api/v1/query_exemplars?{arguments}")
        self.assertEqual(status, 200, text)
        return [exemplar for series in json.loads(text)["data"] for exemplar in series["exemplars"]]

    def check_exemplars(self, prometheus, query):
        found = runner.wait_until("exemplars", lambda: self.exemplars(prometheus, query))
        for exemplar in found:
            number = int(exemplar["labels"]["seq"])
            self.assertEqual(round(float(exemplar["value"]) * 1e9),
                             100_000 + 7_919 * number % 1_000_003)
            self.assertRegex(exemplar["labels"]["time"], r"^\d{4}-\d\d-\d\dT.*\.\d{9}Z$")

    def test_native_histograms_are_scraped_exactly_and_agree_within_a_bucket(self):
        self.feed(12_000, rate=10_000)
        prometheus = self.prometheus(*NATIVE)
        self.wait_fed()
        times = self.round_trips()
        self.wait_value(prometheus, 'histogram_count(latmon_rtt_seconds{target="target-0"})',
                        len(times))
        self.check_counts(prometheus)
        [(_, total)] = prometheus.query('histogram_sum(latmon_rtt_seconds{target="target-0"})')
        self.assertAlmostEqual(total, sum(times), places=6)
        for ratio in (0.5, 0.9, 0.95, 0.99, 0.999):
            [(_, found)] = prometheus.query(
                f'histogram_quantile({ratio}, latmon_rtt_seconds{{target="target-0"}})')
            exact = times[math.ceil(ratio * len(times)) - 1]
            self.assertAlmostEqual(found / exact, 1, delta=BUCKET_ERROR, msg=f"{ratio}")
        # Negative delays are there, as such.
        [(_, lowest)] = prometheus.query(
            'histogram_quantile(0.0001, latmon_owd_seconds{target="target-0",direction="fwd"})')
        self.assertLess(lowest, 0)
        self.assertEqual(prometheus.query("latmon_rtt_seconds_bucket"), [])
        self.check_exemplars(prometheus, "latmon_rtt_seconds")
        self.assertNotIn("ingesting", (prometheus.folder / "log").read_text())
        self.end()
        self.driver.result()

    def test_classic_histograms_and_exemplars_come_by_openmetrics(self):
        self.feed(12_000, rate=10_000)
        prometheus = self.prometheus("exemplar-storage")
        self.wait_fed()
        times = self.round_trips()
        self.wait_value(prometheus, 'latmon_rtt_seconds_count{target="target-0"}', len(times))
        self.check_counts(prometheus)
        for bound in ("0.0002", "0.0005", "0.001", "1.0"):
            [(_, found)] = prometheus.query(
                f'latmon_rtt_seconds_bucket{{target="target-0",le="{bound}"}}')
            limit = float(bound)
            self.assertLessEqual(found, sum(value <= limit for value in times))
            self.assertGreaterEqual(found, sum(value <= limit / 1.0055 for value in times))
        self.check_exemplars(prometheus, "latmon_rtt_seconds_bucket")
        self.end()
        self.driver.result()

    def test_a_target_that_is_removed_goes_stale_at_once(self):
        self.feed(3_000, remove=0)
        prometheus = self.prometheus(*NATIVE)
        self.wait_fed()
        total = len(range(0, self.rows, self.SERIES))
        self.wait_value(prometheus, 'latmon_probes_sent_total{target="target-0"}', total)
        self.end()
        # Far sooner than the five minutes after which anything is forgotten.
        runner.wait_until("it to be stale", lambda: not prometheus.query(
            'count({target="target-0",__name__=~"latmon_.*"})'))
        self.assertTrue(prometheus.query('latmon_probes_sent_total{target="target-1"}'))
        self.unlock.unlink()
        self.driver.result()


class Scraped(unittest.TestCase):
    """A real latmon, its windows and its admin listener."""

    def start(self, exporters=None, **keys):
        self.ports = node.free_ports()
        self.address = f"127.0.0.1:{node.free_ports().tcp}"
        self.url = f"http://{self.address}/metrics"
        self.samples = runner.scratch(self) / "samples.ndjson"
        keys = {"targets": [self.target("b"), self.target("c")], "interval": 10,
                "node_interval": 1, "admin": {"listen": self.address}} | keys
        exporters = exporters or [{"plugin": "prometheus"}, node.cli(self.samples)]
        return node.Node(self, node.config("a", self.ports, exporters=exporters, **keys))

    def target(self, label, **keys):
        return node.target("127.0.0.1", self.ports, label=label) | keys

    def wait_scraped(self, pattern):
        """The page, once it has a line like that."""
        def page():
            status, text = http(self.url)
            return text if status == 200 and re.search(pattern, text, re.M) else None
        return runner.wait_until(f"{pattern!r} at {self.url}", page)

    @staticmethod
    def value(text, name, **labels):
        """As it stands there, of the series with these labels."""
        for line in text.splitlines():
            if line.startswith(f"{name}{{") and all(f'{key}="{value}"' in line
                                                    for key, value in labels.items()):
                return line.rsplit(" ", 1)[1]
        raise AssertionError(f"no {name} {labels} in:\n{text[:4000]}")

    def test_what_is_scraped_is_what_samples_say_to_the_nanosecond(self):
        daemon = self.start().wait_started()
        text = self.wait_scraped(r'^latmon_rtt_seconds_count\{.*target="b".*\} [1-9]\d\d')
        scraped = {label: (int(self.value(text, "latmon_probes_sent_total", **labels)),
                           int(self.value(text, "latmon_probes_received_total", **labels)),
                           round(decimal.Decimal(self.value(text, "latmon_rtt_seconds_sum",
                                                            **labels)) * 10**9))
                   for label in "bc" for labels in [{"target": label, "proto": "udp"}]}
        node.run_for(1.5, daemon)  # What was counted is in the file by then.
        daemon.stop()
        for label, expected in scraped.items():
            sent = received = total_ns = 0
            seen = []  # What all until then add up to, after each sample.
            mine = [sample for sample in samples.read(self.samples)
                    if sample.get("target") == label and sample["kind"] == "exchange"
                    and sample["protocol"] == "udp"]
            for sample in sorted(mine, key=lambda sample: sample["time_ns"]):
                sent += sample["status"] in samples.ANSWERED or sample["status"] in samples.LOST
                received += sample["status"] in samples.ANSWERED
                total_ns += sample.get("rtt_ns", 0)
                seen.append((sent, received, total_ns))
            self.assertIn(expected, seen, label)

    def test_the_page_is_valid_and_holds_what_the_manual_names(self):
        parse = open_metrics_parser()
        daemon = self.start().wait_started()
        text = self.wait_scraped(r"^latmon_target_up\{.*\} 1$")
        text = self.wait_scraped(r"^latmon_exporter_dropped_windows_total\{")
        check_metrics(self, text)
        families = {family.name for family in parse(fetch(self.url, OPEN_METRICS)[1].decode())}
        for name in ("latmon_cpu_seconds", "latmon_loop_stalls", "latmon_clock_synchronized",
                     "latmon_clock_error_seconds", "latmon_stats_dropped_samples",
                     "latmon_exporter_dropped_samples", "latmon_exporter_rejected_samples",
                     "latmon_exporter_dropped_windows", "latmon_exporter_rejected_windows",
                     "latmon_probes_sent",
                     "latmon_rtt_seconds", "latmon_tcp_connect_seconds", "latmon_owd_seconds",
                     "latmon_ipdv_seconds", "latmon_jitter_seconds", "latmon_build_info",
                     "latmon_schedule_slip_seconds", "process_resident_memory_bytes"):
            self.assertIn(name, families)
        headers, body = fetch(self.url, method="HEAD")
        self.assertEqual(body, b"")
        self.assertTrue(headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        daemon.stop()

    def test_prometheus_scrapes_a_node_and_its_quantiles_are_the_samples(self):
        daemon = self.start().wait_started()
        prometheus = Prometheus(self, [self.address], features=NATIVE).start()

        series = 'latmon_rtt_seconds{target="b",proto="udp"}'
        runner.wait_until("300 round trips",
                          lambda: prometheus.query(f"histogram_count({series}) > 300"))
        then = f"{series} @ {time.time():.3f}"  # All of one scrape.
        [(_, count)] = prometheus.query(f"histogram_count({then})")
        found = {ratio: prometheus.query(f"histogram_quantile({ratio}, {then})")[0][1]
                 for ratio in (0.5, 0.9, 0.99)}
        node.run_for(1.5, daemon)
        daemon.stop()
        answered = [sample for sample in samples.read(self.samples)
                    if sample.get("target") == "b" and sample["kind"] == "exchange"
                    and sample["protocol"] == "udp" and "rtt_ns" in sample]
        answered.sort(key=lambda sample: sample["time_ns"])
        times = sorted(sample["rtt_ns"] * 1e-9 for sample in answered[:round(count)])
        for ratio, value in found.items():
            exact = times[math.ceil(ratio * len(times)) - 1]
            self.assertAlmostEqual(value / exact, 1, delta=BUCKET_ERROR, msg=f"{ratio}")

    def test_mistakes_are_refused_with_their_cure(self):
        prometheus = {"plugin": "prometheus"}
        for change, words in (
                ({"exporters": [prometheus, prometheus]}, "has an exporter already; write another"),
                ({"exporters": [prometheus | {"page": "/-/ready"}]}, "latmon's own; write another"),
                ({"exporters": [prometheus], "admin": {"listen": ""}}, "set `listen` in [admin]"),
                ({"exporters": [prometheus | {"classic_buckets_seconds": ["2", "1"]}]},
                 "ascending order"),
                ({"exporters": [prometheus | {"native_schema": 8}]}, "out of range")):
            with self.subTest(words):
                daemon = self.start(**change)
                self.assertEqual(daemon.wait_end(), 78, daemon.log())
                self.assertIn(words, daemon.log())

    def test_tags_that_are_one_label_are_mended_at_the_start_as_at_a_reload(self):
        tags = ["isp-name:x", "isp_name:y"]
        self.ports = node.free_ports()
        late = self.target("late", type="udp", tags=tags)
        daemon = self.start(targets=[self.target("b", type="udp", tags=tags)]).wait_started()
        daemon.wait_line(r"\[WARNING\] exporter prometheus: target b \(udp\): the tags "
                         r'"isp-name:x" and "isp_name:y" are one label')
        keys = node.config(
            "a", self.ports, interval=10, node_interval=1, admin={"listen": self.address},
            targets=[late], exporters=[{"plugin": "prometheus", "scrapes_max": 3}])
        daemon.config.write_text(node.to_toml(keys))
        for change in (late, late | {"label": "later"}):
            keys["targets"] = [change]
            daemon.config.write_text(node.to_toml(keys))
            daemon.process.send_signal(signal.SIGHUP)
            name = change["label"]
            daemon.wait_line(rf"\[WARNING\] exporter prometheus: target {name} \(udp\): the tags ")
            self.wait_scraped(rf'target="{name}",isp_name="x",isp_name_2="y"')
        daemon.stop()

    def test_the_tags_of_a_peer_do_not_keep_an_exporter_from_a_reload(self):
        daemon = self.start(targets=[]).wait_started()
        there = node.Node(self, node.config(
            "them", node.free_ports(), interval=10, exporters=[node.cli("/dev/null")],
            targets=[self.target("a", type="udp", tags=["a-b:1", "a_b:2"])])).wait_started()
        self.wait_scraped('source="them"')
        keys = node.config("a", self.ports, interval=10, node_interval=1,
                           admin={"listen": self.address},
                           exporters=[{"plugin": "prometheus", "scrapes_max": 3}])
        daemon.config.write_text(node.to_toml(keys))
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_line("reload: done")
        self.wait_scraped('source="them".*a_b="1",a_b_2="2"')
        there.stop()
        daemon.stop()

    def test_each_counter_of_latmons_own_says_what_it_is(self):
        nowhere = {"url": f"http://127.0.0.1:{node.free_ports().tcp}"}
        others = [{"plugin": "json", "file": str(runner.scratch(self) / "lines")},
                  {"plugin": "statsd"}, {"plugin": "clickhouse"} | nowhere,
                  {"plugin": "datadog", "api_key": "0" * 32} | nowhere,
                  {"plugin": "pushgateway"} | nowhere,
                  {"plugin": "zeromq", "bind": [f"tcp://127.0.0.1:{node.free_ports().tcp}"]}]
        daemon = self.start([{"plugin": "prometheus"}, *others]).wait_started()
        text = self.wait_scraped(r"^latmon_clock_offset_seconds\{")
        text = self.wait_scraped(r"^latmon_exporter_push_rows_waiting\{")
        self.assertEqual(re.findall(r"^# HELP .*own; see its manual.*", text, re.M), [])
        self.assertGreater(len(re.findall(r"^# HELP latmon_", text, re.M)), 180)
        daemon.stop()

    def test_the_example_of_the_manual_works(self):
        ports = node.free_ports()
        address = f"127.0.0.1:{node.free_ports().tcp}"
        self.url = f"http://{address}/metrics"
        keys = node.config("a", ports, interval=10, targets=[node.target("127.0.0.1", ports)],
                           admin={"listen": address})
        daemon = node.Node(self, node.to_toml(keys) + manual.examples(
            "exporters/prometheus.md")[0]).wait_started()
        self.wait_scraped(r"^latmon_probes_sent_total\{")
        daemon.stop()


if __name__ == "__main__":
    runner.main()
