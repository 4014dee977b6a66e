# SPDX-License-Identifier: Apache-2.0
#
# One daemon, all exporters at once, each with its server: a Prometheus that scrapes, a statsd, a
# reader of DogStatsD that takes nothing but its published grammar, and a file of JSON. Of every
# path each of them has what the daemon says it made: every status, every count, and every sum to
# the nanosecond. By default a moment at a moderate rate; the whole of it, with a second reader of
# DogStatsD, a server of others, which is built by go in a minute or two:
#
#   LATMON_SYSTEM_RATE=10000 LATMON_SYSTEM_SECONDS=60 LATMON_SYSTEM_STATSD_EXPORTER=1 \
#       python3 tests/system/all_exporters.py
import os
import re
import socket
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import received
import runner
import samples
import statsd_exporter
import statsd_server
from prometheus_servers import Prometheus
from simulated import Reflect

TARGETS = 10
TIMEOUT_S = 0.2
# A network with everything in it that can become of a probe. What is held up comes after the
# timeout of the one target that is in a hurry.
HELD_UP_US = 20_000
NETWORK = ("--loss-forward", 1, "--loss-reverse", 1, "--duplicate", 1, "--reorder", 1,
           "--reorder-by-us", HELD_UP_US)
HURRIED_TIMEOUT_S = HELD_UP_US / 2e6
# Nobody answers this one: until its last probe is given up, the daemon has stopped sending and is
# still there to be scraped.
HOLDER = "holder"
HOLD_S, HOLDER_INTERVAL_S = 3, 0.1
SCRAPE_S = 0.25
# The last fates are known, and the last window of a second has been closed and handed out.
SETTLED_S = TIMEOUT_S + 1 + 0.3
STATUSES = {"ok", "lost", "lost_forward", "lost_reverse", "unreachable", "duplicate", "late",
            "reordered"}


class AllExporters(unittest.TestCase):
    def silent_port(self):
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        silent.bind(("127.0.0.1", 0))
        return silent.getsockname()[1]

    def targets(self):
        """Ten that share the rate, one over TCP, one that is not there, and the holder."""
        far, closed = node.free_ports(), node.free_ports()
        Reflect(self, "--port", far.udp, "--tcp-port", far.tcp, *NETWORK, count=TARGETS)
        interval_ms = TARGETS * 1000 / runner.rate(2_000)
        made = [node.target(f"127.1.0.{index + 1}", far, label=f"t{index}", type="udp",
                            interval=interval_ms) for index in range(TARGETS)]
        made[0]["timeout"] = HURRIED_TIMEOUT_S
        made.append(node.target("127.1.0.1", far, label="stream", type="tcp", interval=20))
        made.append(node.target("127.0.0.1", closed, label="closed", type="udp", interval=20))
        made.append({"host": "127.0.0.1", "udp_port": self.silent_port(), "label": HOLDER,
                     "type": "udp", "timeout": HOLD_S, "interval": 1000 * HOLDER_INTERVAL_S})
        return made

    def start(self):
        self.json_path = runner.scratch(self) / "samples.ndjson"
        agent_path, server_path = (runner.scratch(self) / "dsd.socket" for _ in range(2))
        # Where a server that stands still slows the sender down, nothing may be lost.
        self.statsd = statsd_server.Statsd(self, "tcp")
        self.agent = statsd_server.Agent(self, "unix_datagram", agent_path)
        self.server = self.start_server(server_path)
        dogs = {"dogstatsd": agent_path} | ({"server": server_path} if self.server else {})
        listen = f"127.0.0.1:{node.free_ports().tcp}"
        keys = {"queue_samples": 1 << 17}
        daemon = node.Node(self, node.config(
            "node", node.free_ports(), targets=self.targets(), timeout=TIMEOUT_S,
            max_lost=1_000_000, admin={"listen": listen}, exporters=[
                {"plugin": "prometheus"} | keys,
                {"plugin": "json", "file": str(self.json_path)} | keys,
                {"plugin": "statsd", "port": self.statsd.port, "protocol": "tcp"} | keys,
                *({"plugin": "dogstatsd", "name": name, "unix": str(path)} | keys
                  for name, path in dogs.items())])).wait_started()
        self.prometheus = Prometheus(self, [listen], features=("native-histograms",),
                                     interval_s=SCRAPE_S).start()
        return daemon

    def start_server(self, path):
        """The other reader of DogStatsD, if it is asked for."""
        if os.environ.get("LATMON_SYSTEM_STATSD_EXPORTER") != "1":
            return None
        return statsd_exporter.StatsdExporter(self, path)

    def stop(self, daemon):
        """Its accounts. The last scrape is of a page that nothing is added to any more, but what
        becomes of the holder's last probes."""
        asked_s = time.time()
        daemon.process.terminate()

        def is_scraped():
            rows = self.prometheus.query("max(timestamp(latmon_build_info))")
            is_late = bool(rows) and rows[0][1] > asked_s + SETTLED_S
            self.assertTrue(is_late or daemon.is_running(), "it ended before its last scrape")
            return is_late
        runner.wait_until("the last scrape", is_scraped)
        self.assertEqual(daemon.wait_end(), 0, daemon.log())
        accounts = node.Accounts(daemon.log())
        accounts.check(self)
        return accounts

    def check_delivered(self, accounts):
        """Every exporter took all, and says that it passed all on."""
        for name in accounts.exporters:
            accounts.check_delivered(self, name)
        windows = accounts.windows["prometheus"]
        self.assertEqual(windows["made"], windows["exported"], windows)
        self.assertEqual(accounts.exporters["json"]["exporter_lines_lost_total"], 0)
        for name in accounts.exporters.keys() - {"json", "prometheus"}:
            mine = accounts.exporters[name]
            for lost in ("packets_lost", "lines_lost", "lines_too_long", "samples_unnamed"):
                self.assertEqual(mine[f"exporter_{lost}_total"], 0, mine)

    def wait_received(self, accounts):
        """What the two servers of lines have, once all has arrived: each line was understood."""
        lines = accounts.exporters["statsd"]["exporter_lines_sent_total"]
        totals = self.statsd.wait_lines(lines)
        self.assertEqual(totals["counters"]["statsd.bad_lines_seen"], 0)
        self.assertEqual(totals["counters"]["statsd.metrics_received"], lines)
        lines = accounts.exporters["dogstatsd"]["exporter_lines_sent_total"]
        runner.wait_until("every line", lambda: self.agent.lines() >= lines)
        self.assertEqual(self.agent.lines(), lines)
        return received.from_statsd(totals), received.from_agent(self.agent)

    def wait_server(self, accounts):
        """As wait_received(), of the server of others."""
        lines = accounts.exporters["server"]["exporter_lines_sent_total"]

        def count(page, name):
            found = re.findall(rf"^statsd_exporter_{name}_total(?:\{{.*\}})? (\S+)$", page, re.M)
            return sum(int(float(value)) for value in found)

        def whole_page():  # An event is a value that was added up.
            page = self.server.page()
            is_whole = count(page, "lines") >= lines and \
                count(page, "events") == count(page, "samples")
            return page if is_whole else None
        page = runner.wait_until("every line", whole_page)
        self.assertEqual(count(page, "lines"), lines)
        for name in ("sample_errors", "tag_errors", "events_error", "events_conflict"):
            self.assertEqual(count(page, name), 0, name)
        return received.from_statsd_exporter(page)

    def check_same(self, name, found, made, times):
        self.assertEqual(set(found), set(made), name)
        for path, statuses in made.items():
            self.assertEqual(found[path].statuses, statuses, (name, path))
            self.assertEqual(found[path].times, times[path].times, (name, path))

    def test_what_is_made_is_what_every_server_has(self):
        daemon = self.start()
        began_s, seconds = time.monotonic(), runner.seconds(3)
        node.run_for(seconds, daemon)
        ran_s = time.monotonic() - began_s
        accounts = self.stop(daemon)
        self.check_delivered(accounts)
        made = received.made(accounts)
        in_json = received.from_json(self.json_path)
        in_statsd, in_agent = self.wait_received(accounts)
        in_prometheus = received.from_prometheus(self.prometheus)
        total = sum(1 for _ in samples.read(self.json_path))
        self.assertEqual(total, accounts.exporters["json"]["made"])
        print(f"{total:,} samples in {ran_s:.1f} s, slots missed: {accounts.total('missed'):,}",
              file=sys.stderr)
        self.assertEqual({status for statuses in made.values() for status in statuses} & STATUSES,
                         STATUSES)

        self.check_same("json", in_json, made, in_json)
        self.check_same("dogstatsd", in_agent, made, in_json)
        if self.server:
            self.check_same("statsd_exporter", self.wait_server(accounts), made, in_json)
        # Statsd knows no time below zero; how many there were is counted.
        positive = received.from_json(self.json_path, lowest_ns=0)
        self.check_same("statsd", in_statsd, made, positive)
        negative = (sum(times.count for path in in_json.values() for times in path.times.values())
                    - sum(times.count for path in positive.values()
                          for times in path.times.values()))
        self.assertEqual(accounts.exporters["statsd"]["exporter_values_negative_total"], negative)
        in_prometheus.pop((HOLDER, "udp"))
        made.pop((HOLDER, "udp"))
        self.check_same("prometheus", in_prometheus, made, in_json)


if __name__ == "__main__":
    runner.main()
