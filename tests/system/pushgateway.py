# SPDX-License-Identifier: Apache-2.0
#
# The exporter pushgateway against a real Pushgateway, and what a real Prometheus then knows: both
# shapes, two nodes at one gateway, odd names, a gateway that goes away, and the end.
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import manual
import node
import runner
from prometheus_servers import Prometheus, Pushgateway, check_metrics, http

LINE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:\\.|[^"\\])*)"')


def parse(text):
    """[(name, labels, value)] of an exposition."""
    rows = []
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = LINE.match(line).groups()
            rows.append((name, dict(LABEL.findall(labels or "")), float(value)))
    return rows


def ours(text):
    """The families of an exposition that latmon pushed, heads and all."""
    return "".join(f"{line}\n" for line in text.splitlines()
                   if re.match(r"(# (HELP|TYPE) )?(latmon|latency_monitor|(udp|tcp)_wan)_", line))


def without_identity(text):
    """As latmon pushed it: the gateway adds these."""
    return re.sub(r'(?<=[{,])(job|instance)="[^"]*",?', "", text).replace(",}", "}")


class PushgatewayExporter(unittest.TestCase):
    def setUp(self):
        self.gateway = Pushgateway(self).start()

    def keys(self, name="a", **keys):
        ports = node.free_ports()
        target = node.target("127.0.0.1", ports, label="b",
                             tags=["isp-name:x/y", 'note:a "b"', "v6:2001:db8::1"])
        return node.config(name, ports, interval=10, targets=[target], **keys)

    def exporter(self, **keys):
        return {"plugin": "pushgateway", "url": self.gateway.url, "interval": 0.5} | keys

    def values(self, metric, **labels):
        """Values of the series of that name with these labels, as the gateway shows them."""
        return [value for name, found, value in parse(self.gateway.metrics())
                if name == metric and labels.items() <= found.items()]

    def wait_values(self, metric, least=1, **labels):
        def enough():
            values = self.values(metric, **labels)
            return values if values and min(values) >= least else None
        return runner.wait_until(f"{metric} {labels} of at least {least}", enough)

    @staticmethod
    def settled(probe):
        """How many probes there are samples of."""
        return probe["sent"] - probe["in_flight"]

    # -- Counters and histograms ------------------------------------------------------------------

    def test_what_is_pushed_can_be_queried(self):
        prometheus = Prometheus(self, [f"127.0.0.1:{self.gateway.port}"]).start()
        daemon = node.Node(self, self.keys(exporters=[self.exporter()],
                                           node_interval=1)).wait_started()
        self.wait_values("latmon_rtt_seconds_count", least=20, proto="udp")

        def found():
            rows = prometheus.query('latmon_rtt_seconds_count{proto="udp"} >= 20')
            return rows[0] if rows else None
        labels, _ = runner.wait_until("Prometheus to have it", found)
        self.assertEqual(labels | {"job": "latmon", "instance": "a", "source": "a", "target": "b",
                                   "isp_name": "x/y", "note": 'a "b"', "v6": "2001:db8::1"}, labels)
        [(_, median_s)] = prometheus.query(
            'histogram_quantile(0.5, latmon_rtt_seconds_bucket{proto="udp"})')
        self.assertTrue(1e-6 < median_s < 1, median_s)
        self.assertTrue(prometheus.query('latmon_loop_turns_total{core="0"} > 0'))
        daemon.stop()
        check_metrics(self, without_identity(ours(self.gateway.metrics())))

    def test_the_last_push_has_every_probe(self):
        daemon = node.Node(self, self.keys(exporters=[self.exporter()])).wait_started()
        self.wait_values("latmon_probes_sent_total", least=20)
        accounts = daemon.stop()
        for proto, kind in (("udp", "udp"), ("tcp", "tcp"), ("tcp_connect", "connect")):
            probe = accounts.probe("b", kind)
            with self.subTest(proto):
                self.assertEqual(self.values("latmon_probes_sent_total", proto=proto),
                                 [self.settled(probe)])
                self.assertEqual(self.values("latmon_probes_received_total", proto=proto),
                                 [probe["answered"]])
                self.assertEqual(sum(self.values("latmon_probes_lost_total", proto=proto)),
                                 self.settled(probe) - probe["answered"])
        self.assertEqual(self.values("latmon_tcp_connect_seconds_count"),
                         [accounts.probe("b", "connect")["answered"]])

    def test_series_are_there_before_anything_was_sent(self):
        keys = self.keys(exporters=[self.exporter()], node_interval=1)
        keys["targets"][0]["interval"] = 3_600_000
        daemon = node.Node(self, keys).wait_started()
        self.wait_values("latmon_probes_sent_total", least=0, proto="udp")
        self.assertEqual(set(self.values("latmon_probes_lost_total", proto="udp")), {0})
        daemon.stop()

    def test_two_nodes_do_not_overwrite_each_other(self):
        daemons = [node.Node(self, self.keys(name, exporters=[self.exporter()])).wait_started()
                   for name in ("a", "b")]
        for name in ("a", "b"):
            self.wait_values("latmon_rtt_seconds_count", instance=name, source=name, proto="udp")
        for daemon in daemons:
            daemon.stop()
        self.assertEqual({group["instance"] for group in self.gateway.groups()}, {"a", "b"})

    def test_names_with_a_slash_and_empty_labels_are_groups_of_their_own(self):
        exporters = [self.exporter(instance="dc1/a b", grouping=["site:x/y", "rack:"]),
                     self.exporter(instance="", job="j/k")]
        daemon = node.Node(self, self.keys(exporters=exporters)).wait_started()
        runner.wait_until("both groups", lambda: len(self.gateway.groups()) == 2)
        daemon.stop()
        groups = sorted(self.gateway.groups(), key=len)
        self.assertEqual([{key: value for key, value in group.items() if value}
                          for group in groups],
                         [{"job": "j/k"},
                          {"job": "latmon", "instance": "dc1/a b", "site": "x/y"}])

    def test_the_group_is_deleted_at_the_end_where_that_is_wanted(self):
        exporters = [self.exporter(delete_on_shutdown=True),
                     self.exporter(instance="stays")]
        daemon = node.Node(self, self.keys(exporters=exporters)).wait_started()
        runner.wait_until("both groups", lambda: len(self.gateway.groups()) == 2)
        daemon.stop()
        self.assertEqual([group["instance"] for group in self.gateway.groups()], ["stays"])

    def test_a_gateway_that_was_away_misses_nothing(self):
        exporter = self.exporter(retry_min=0.1, retry_max=0.2)
        daemon = node.Node(self, self.keys(exporters=[exporter])).wait_started()
        self.wait_values("latmon_probes_sent_total", least=5)
        self.gateway.kill()
        daemon.wait_line(r"\[WARNING\] exporter pushgateway: .*127\.0\.0\.1")
        self.gateway.start()  # Empty: it keeps nothing on disk.
        self.wait_values("latmon_probes_sent_total")
        accounts = daemon.stop()
        self.assertEqual(self.values("latmon_probes_sent_total", proto="udp"),
                         [self.settled(accounts.probe("b", "udp"))])

    def test_a_push_that_the_gateway_refuses_is_told_with_its_reason(self):
        status, text = http(f"{self.gateway.url}/metrics/job/other", "PUT",
                            b"# TYPE latmon_rtt_seconds gauge\nlatmon_rtt_seconds 1\n")
        self.assertEqual(status, 200, text)
        daemon = node.Node(self, self.keys(exporters=[self.exporter()])).wait_started()
        daemon.wait_line(r"\[ERROR\] exporter pushgateway: .*400.*latmon_rtt_seconds")
        daemon.stop()

    # -- As latency-monitor -----------------------------------------------------------------------

    def legacy(self, **keys):
        return self.keys(metrics={"backend": "pushgateway", "send_interval": 0.5,
                                  "gateway": f"127.0.0.1:{self.gateway.port}"} | keys)

    def test_the_ancestors_series_are_there(self):
        daemon = node.Node(self, self.legacy()).wait_started()
        names = ("udp_wan_rtt", "tcp_wan_rtt", "udp_wan_owd", "tcp_wan_owd", "tcp_wan_latency")
        runner.wait_until("all names", lambda: all(self.values(name) for name in names))
        rows = [row for row in parse(self.gateway.metrics()) if row[0] in names]
        [(_, info, one)] = [row for row in parse(self.gateway.metrics())
                            if row[0] == "latency_monitor_info"]
        daemon.stop()
        self.assertEqual((info, one), ({"instance": "a", "job": "latency-monitor"}, 1))
        for name, labels, value in rows:
            self.assertEqual((labels["job"], labels["instance"]), ("latency-monitor", "a"))
            self.assertRegex(labels["timestamp"], r"^\d{19}$")
            self.assertTrue(0 <= value < 1e9, (name, value))
            if not name.endswith("_owd"):
                self.assertEqual((labels["source"], labels["target"]), ("a", "b"))
                self.assertEqual((labels["isp_name"], labels["v6"]), ("x/y", "2001:db8::1"))
        self.assertEqual(self.gateway.groups(), [{"job": "latency-monitor", "instance": "a"}])

    def test_a_push_of_the_ancestors_shape_is_bounded(self):
        daemon = node.Node(self, self.legacy(max_series_per_push=20)).wait_started()
        daemon.wait_line(r"\[WARNING\] more than max_series_per_push = 20 .*\[\[exporters\]\]")
        runner.wait_until("a push", self.gateway.groups)
        pushed = [row for row in parse(self.gateway.metrics()) if "_wan_" in row[0]]
        self.assertLessEqual(len(pushed), 20)
        daemon.stop()
        self.assertEqual(daemon.log().count("max_series_per_push"), 1)

    def test_after_an_outage_the_ancestors_pushes_do_not_wipe_each_other(self):
        interval = 2
        daemon = node.Node(self, self.legacy(send_interval=interval)).wait_started()
        runner.wait_until("a push", self.gateway.groups)
        self.gateway.kill()
        daemon.wait_line(r"\[WARNING\] .*127\.0\.0\.1.*: does not work: ")
        node.run_for(2 * interval, daemon)  # Two more pushes would be due.
        self.gateway.start()  # Empty: it keeps nothing on disk.
        pushed = 'push_time_seconds{instance="a",job="latency-monitor"}'
        times = []

        def two_pushes():
            text = self.gateway.metrics()
            for line in text.splitlines():
                if line.startswith(pushed) and line.split()[1] not in times:
                    times.append(line.split()[1])
            return len(times) >= 2
        runner.wait_until("two pushes", two_pushes)
        # The gateway stamps a push a little before its answer, from which we count.
        self.assertGreaterEqual(float(times[1]) - float(times[0]), interval)
        daemon.stop()

    # -- The manual, and mistakes -----------------------------------------------------------------

    def test_the_examples_of_the_manual_work(self):
        for example, job in zip(manual.examples("exporters/pushgateway.md"),
                                ("latmon", "latency-monitor"), strict=True):
            with self.subTest(job):
                text = node.to_toml(self.keys()) + manual.replaced(
                    example, ("127.0.0.1:9091", f"127.0.0.1:{self.gateway.port}"))
                daemon = node.Node(self, text).wait_started()
                node.run_for(0.5, daemon)
                daemon.stop()  # What has not been pushed yet is pushed now.
                self.assertIn(job, [group["job"] for group in self.gateway.groups()])
        self.assertTrue(self.values("udp_wan_rtt"))
        self.assertTrue(self.values("latmon_rtt_seconds_count", site="fra"))

    def test_mistakes_are_refused_with_their_cure(self):
        for keys, words in (
                ({"url": "http://user:secret@host:1"}, "username"),
                ({"url": "ftp://host"}, "neither http nor https"),
                ({"job": ""}, "job is empty"),
                ({"grouping": ["job:x"]}, "none that a series has already"),
                ({"password": "secret"}, "password is given without username"),
                ({"grouping": ["a-b:x"]}, "letters, digits"),
                ({"gateway": "x"}, '"gateway"')):
            with self.subTest(keys):
                daemon = node.Node(self, self.keys(exporters=[self.exporter(**keys)]))
                self.assertEqual(daemon.wait_end(), 78, daemon.log())
                self.assertIn(words, daemon.log())
                self.assertNotIn("secret", daemon.log())


if __name__ == "__main__":
    runner.main()
