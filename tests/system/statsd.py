# SPDX-License-Identifier: Apache-2.0
#
# The exporters statsd and dogstatsd, of a running daemon and of the driver, against a real statsd
# and a strict reader of DogStatsD: what was made is what arrives, to the last line.
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import manual
import node
import plugin_driver
import proc_net
import runner
import statsd_server

RATE = 10_000  # Samples a second.
PROBES = 200   # Of a daemon, before it is stopped.
ATTEMPTS = 3


def rows():
    return int(RATE * runner.seconds(1))


def values_of(totals, part):
    return sum(timer["count"] for key, timer in totals["timers"].items() if part in key)


def counts_of(totals, part):
    return sum(value for key, value in totals["counters"].items() if part in key)


class Driven(unittest.TestCase):
    """As many samples as a large node makes."""

    def drive(self, plugin, options, **flags):
        return plugin_driver.drive(self, plugin, options, rows=rows(), rate=RATE, series=10,
                                   **flags)

    def feed(self, statsd, options):
        """What the driver says, and what statsd has."""
        result = self.drive("statsd", {"host": "127.0.0.1", "port": statsd.port} | options)
        totals = statsd.wait_lines(result["counters"]["lines_sent_total"])
        self.assertEqual(result["counters"]["lines_lost_total"], 0)
        self.assertEqual(totals["counters"]["statsd.bad_lines_seen"], 0)
        return result, totals

    def check_all_received(self, result, totals):
        counters = result["counters"]
        self.assertEqual(totals["counters"]["statsd.metrics_received"],
                         counters["lines_sent_total"])
        self.assertEqual(values_of(totals, ""), counters["values_sent_total"])
        self.assertEqual(values_of(totals, "rtt"), result["answered"])
        # One-way delays below 0 are not for statsd, and are counted.
        self.assertEqual(values_of(totals, "owd") + counters["values_negative_total"],
                         result["answered"])
        self.assertEqual(counts_of(totals, "probes.sent"), rows())
        self.assertEqual(counts_of(totals, "probes.received"), result["answered"])
        self.assertEqual(counts_of(totals, "probes.lost"), rows() - result["answered"])

    def test_all_that_is_made_is_received_over_udp(self):
        for _ in range(ATTEMPTS):
            statsd = statsd_server.Statsd(self)
            result, totals = self.feed(statsd, {})
            dropped = proc_net.dropped(statsd.port)
            statsd.kill()
            self.assertEqual(result["counters"]["packets_sent_total"],
                             totals["counters"]["statsd.packets_received"] + dropped)
            if dropped == 0:
                break
            print(f"statsd stood still: the kernel dropped {dropped} packets", file=sys.stderr)
        else:
            return  # A machine that is busy elsewhere; but all is accounted for.
        self.check_all_received(result, totals)
        self.assertIn("latmon.udp.rtt.driver.target-3", totals["timers"])
        # Every nanosecond of every value, in milliseconds.
        expected = sum((100_000 + 7_919 * number % 1_000_003) / 1e6
                       for number in range(3, rows(), 10) if number % 10 != 9)
        self.assertAlmostEqual(totals["timers"]["latmon.udp.rtt.driver.target-3"]["sum"], expected,
                               delta=1e-3)

    def test_all_that_is_made_is_received_over_tcp(self):
        result, totals = self.feed(statsd_server.Statsd(self, "tcp"), {"protocol": "tcp"})
        self.check_all_received(result, totals)

    def test_tags_in_either_form_are_read_by_statsd_as_the_same(self):
        names = []
        for tag_format in ("graphite", "datadog"):
            result, totals = self.feed(statsd_server.Statsd(self, "tcp"),
                                       {"protocol": "tcp", "tag_format": tag_format,
                                        "tags": ["site:a/b:c"]})
            self.check_all_received(result, totals)
            names.append(set(totals["timers"]))
        self.assertEqual(*names)
        self.assertIn("latmon.rtt;proto=udp;source=driver;target=target-3;site=a_b_c", names[0])

    def check_agent(self, agent, options):
        result = self.drive("dogstatsd", options)
        counters = result["counters"]
        runner.wait_until("every line", lambda: agent.lines() >= counters["lines_sent_total"], 10)
        self.assertEqual(agent.lines(), counters["lines_sent_total"])
        self.assertEqual(agent.sum_of("latmon.rtt"), result["answered"])
        self.assertEqual(agent.sum_of("latmon.owd"), result["answered"])
        self.assertEqual(agent.sum_of("latmon.probes.sent"), rows())
        largest = options.get("packet_bytes", 1_432 if agent.transport == "udp" else 8_192)
        self.assertLessEqual(max(map(len, agent.packets)), largest)
        return result

    def test_datadogs_agent_gets_all_over_every_socket(self):
        for transport in ("udp", "unix_datagram", "unix_stream"):
            with self.subTest(transport):
                path = None if transport == "udp" else runner.scratch(self) / "dsd.socket"
                agent = statsd_server.Agent(self, transport, path)
                options = ({"host": "127.0.0.1", "port": agent.port} if path is None else
                           {"unix": path, "unix_type": transport.removeprefix("unix_")})
                self.check_agent(agent, options)
                rtt = next(each for each in agent.metrics if each.name == "latmon.rtt")
                self.assertEqual(rtt.type, "d")
                self.assertIn("proto:udp", rtt.tags)
                self.assertGreater(len(rtt.values), 1)  # Packed.
                self.assertLess(max(rtt.values), 0.01)  # Seconds.

    def test_times_in_part_counts_in_full(self):
        agent = statsd_server.Agent(self)
        result = self.drive("dogstatsd", {"host": "127.0.0.1", "port": agent.port,
                                          "sample_rate": 0.1})
        counters = result["counters"]
        runner.wait_until("every line", lambda: agent.lines() >= counters["lines_sent_total"], 10)
        made = 2 * result["answered"]
        received = agent.sum_of("latmon.rtt") + agent.sum_of("latmon.owd")
        self.assertEqual(received + counters["values_sampled_out_total"], made)
        self.assertTrue(0.05 * made < received < 0.2 * made, (received, made))
        self.assertEqual({each.rate for each in agent.metrics if each.type == "d"}, {0.1})
        self.assertEqual(agent.sum_of("latmon.probes.sent"), rows())


class Daemon(unittest.TestCase):
    def setUp(self):
        self.ports = node.free_ports()

    def start(self, exporter, environment=None, **keys):
        targets = [node.target("127.0.0.1", self.ports, label="self", type="udp", tags=["isp:a"],
                               objective={"percent": 50.0, "rtt_us": 900_000})]
        text = node.to_toml(node.config("here", self.ports, interval=10, targets=targets,
                                        exporters=[{"queue_samples": 1 << 14} | exporter], **keys))
        # An objective is a value, not a table.
        text = text.replace("[targets.objective]\npercent = 50.0\nrtt_us = 900000\n", "")
        text = text.replace('label = "self"',
                            'label = "self"\nobjective = { percent = 50.0, rtt_us = 900000 }')
        return node.Node(self, text, environment=environment).wait_started()

    def stop(self, daemon, name):
        accounts = daemon.stop()
        accounts.check_delivered(self, name)
        mine = accounts.exporters[name]
        self.assertEqual(mine["exporter_lines_lost_total"], 0)
        return accounts.probe("self"), mine

    def test_statsd_has_what_the_accounts_say(self):
        statsd = statsd_server.Statsd(self)
        daemon = self.start({"plugin": "statsd", "port": statsd.port, "node_counters": True},
                            node_interval=1)
        runner.wait_until("round trips", lambda: values_of(statsd.totals(), ".rtt.") > PROBES)
        probe, mine = self.stop(daemon, "statsd")
        totals = statsd.wait_lines(mine["exporter_lines_sent_total"])
        self.assertEqual(totals["counters"]["statsd.bad_lines_seen"], 0)
        self.assertEqual(totals["timers"]["latmon.udp.rtt.here.self"]["count"], probe["answered"])
        self.assertEqual(totals["counters"]["latmon.udp.probes.received.here.self"],
                         probe["answered"])
        self.assertTrue(any(".node." in key for key in totals["gauges"]), totals["gauges"])

    def test_an_agent_that_its_variables_name(self):
        path = runner.scratch(self) / "dsd.socket"
        agent = statsd_server.Agent(self, "unix_datagram", path)
        daemon = self.start({"plugin": "dogstatsd", "container_id": "ci-7", "timestamps": True},
                            {"DD_DOGSTATSD_URL": f"unix://{path}", "DD_ENTITY_ID": "pod-7"})
        runner.wait_until("round trips", lambda: agent.sum_of("latmon.rtt") > PROBES)
        probe, mine = self.stop(daemon, "dogstatsd")
        runner.wait_until("every line",
                          lambda: agent.lines() >= mine["exporter_lines_sent_total"])
        self.assertEqual(agent.sum_of("latmon.rtt"), probe["answered"])
        self.assertEqual(agent.sum_of("latmon.probes.received"), probe["answered"])
        for metric in agent.metrics:
            self.assertEqual(metric.container, "ci-7")
            self.assertIn("dd.internal.entity_id:pod-7", metric.tags)
            self.assertIn("isp:a", metric.tags)
            self.assertEqual(metric.time > 0, metric.type in "cg")
        # Of two counts with one time stamp one would be lost.
        times = [each.time for each in agent.metrics if each.name == "latmon.probes.sent"]
        self.assertEqual(len(times), len(set(times)))

    def test_windows_in_place_of_samples(self):
        agent = statsd_server.Agent(self)
        daemon = self.start({"plugin": "dogstatsd", "host": "127.0.0.1", "port": agent.port,
                             "windows": ["1s"], "timestamps": True})
        runner.wait_until("windows", lambda: agent.sum_of("latmon.probes.sent") > PROBES)
        probe, mine = self.stop(daemon, "dogstatsd")
        runner.wait_until("every line",
                          lambda: agent.lines() >= mine["exporter_lines_sent_total"])
        self.assertEqual(agent.sum_of("latmon.probes.received"), probe["answered"])
        self.assertEqual(agent.sum_of("latmon.objective.good"), probe["answered"])
        self.assertEqual({each.type for each in agent.metrics}, {"c", "g"})
        figures = {each.name: each for each in agent.metrics}
        for name in ("rtt.p50", "rtt.p99", "rtt.max", "rtt.jitter", "loss_ratio"):
            self.assertGreaterEqual(figures[f"latmon.{name}"].values[0], 0)
        self.assertEqual(figures["latmon.objective.kept"].values, [1])
        self.assertLess(figures["latmon.rtt.p50"].values[0], 1)

    def test_nobody_there_and_then_somebody(self):
        (port, *_) = node.free_ports()
        daemon = self.start({"plugin": "dogstatsd", "host": "127.0.0.1", "port": port})
        daemon.wait_line(rf"\[WARNING\] exporter dogstatsd: 127\.0\.0\.1:{port}: "
                         "Connection refused; packets are lost until it takes them")
        accounts = daemon.stop()
        accounts.check_delivered(self, "dogstatsd")
        self.assertGreater(accounts.exporters["dogstatsd"]["exporter_refusals_total"], 0)

    def test_the_second_of_two_targets_under_one_name_is_left_out(self):
        twice = [node.target("127.0.0.1", self.ports, label="a.b", type="udp"),
                 node.target("127.0.0.1", self.ports, label="a_b", type="udp")]
        keys = node.config("here", self.ports, targets=twice, exporters=[{"plugin": "statsd"}])
        daemon = node.Node(self, keys).wait_started()
        self.assertIn("would have one name, latmon.udp.probes.sent.here.a_b:", daemon.log())
        daemon.stop()

    def test_the_examples_of_the_manual(self):
        for example in manual.examples("exporters/statsd.md"):
            with self.subTest(example):
                ports = node.free_ports()
                loopback = node.to_toml(node.config("here", ports, targets=[
                    node.target("127.0.0.1", ports, label="self")]))
                node.Node(self, loopback + example).wait_started().stop()


if __name__ == "__main__":
    runner.main()
