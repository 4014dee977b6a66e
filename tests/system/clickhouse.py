# SPDX-License-Identifier: Apache-2.0
#
# Rows in a real ClickHouse server (Debian's 18.16) against the samples that were made: as many, the
# same sums, and each one what it must be, by formulas that stand in plugin_driver.cpp and, written
# a second time, here. Then the same with a server that is down, that is killed, that has another
# table, or none.
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import clickhouse_server
import manual
import node
import runner
import samples
from clickhouse_server import PASSWORD, USER
from plugin_driver import Driver, drive

PAGE = "exporters/clickhouse.md"
SCHEMA = runner.ROOT / "contrib" / "clickhouse" / "schema-18.16.sql"
START_NS = 1_768_219_134_587_069_267
ROWS = runner.rows()

# What each row of kind exchange must be, given its sequence number; 0 if it is. -1: no value.
RTT = "(100000 + 7919 * toInt64(sequence) % 1000003)"
WRONG_ROW = f"""
    time_ns != {START_NS} + 1000 * sequence
    OR toUInt32(time) != intDiv(time_ns, 1000000000)
    OR status != if(sequence % 10 = 9, 'lost', 'ok')
    OR ifNull(rtt_ns, -1) != if(sequence % 10 = 9, -1, {RTT})
    OR ifNull(rtt_user_ns, -1) != if(sequence % 10 = 9, -1, {RTT} + 5000)
    OR isNull(owd_fwd_ns) != (sequence % 10 = 9)
    OR ifNull(owd_fwd_ns, 0) != if(sequence % 10 = 9, 0, intDiv({RTT}, 2) - 60000)
    OR ifNull(t2_ns, 0) != if(sequence % 10 = 9, 0, time_ns - {RTT} + intDiv({RTT}, 2) - 60000)
    OR owd_class != if(sequence % 10 = 9, 'none', 'estimated')
    OR lateness_ns != sequence % 1000 OR packet_bytes != 44 OR protocol != 'udp'
    OR source != 'driver' OR target != concat('target-', toString(sequence % 4))
    OR tags.key[1] != 'isp' OR tags.value[1] != 'a:b' OR length(tags.key) != 2
    OR peer_address != concat('192.0.2.', toString(1 + sequence % 4)) OR length(blame) != 0
    OR isNotNull(error) OR isNotNull(value)"""


def rtt_of(number):
    return 100_000 + 7_919 * number % 1_000_003


def is_answered(number):
    return number % 10 != 9


def setUpModule():
    runner.need_tool(clickhouse_server.PROGRAM)


class ClickHouse(unittest.TestCase):
    def start(self, with_schema=True, **options):
        server = clickhouse_server.ClickHouseServer(self, **options).start()
        if with_schema:
            server.run_file(SCHEMA)
        return server

    def options(self, server, **more):
        return {"url": server.url, "username": USER, "password": PASSWORD, "flush_interval": 0.2,
                "retry_min": 0.05, "retry_max": 0.2, "shutdown_timeout": 40} | more

    def drive(self, server, rows=ROWS, **more):
        return drive(self, "clickhouse", self.options(server, **more), rows=rows,
                     tag=["isp:a:b", "bare"], max_waiting=100_000)

    def check_sent(self, result, rows=ROWS):
        counters = result["counters"]
        self.assertEqual(result["errors"], 0)
        self.assertEqual(counters["push_rows_appended_total"], rows)
        self.assertEqual(counters["push_rows_sent_total"], rows)
        self.assertEqual(counters["clickhouse_rows_unreadable_total"], 0)

    def check_samples(self, server, rows=ROWS):
        """Every row is there once, and is what it must be."""
        answered = [number for number in range(rows) if is_answered(number)]
        self.assertEqual(
            server.row("SELECT count(), uniqExact(sequence), sum(sequence), sum(rtt_ns), "
                       "countIf(status = 'lost') FROM latmon_samples"),
            [rows, rows, rows * (rows - 1) // 2, sum(map(rtt_of, answered)),
             rows - len(answered)])
        self.assertEqual(server.row(f"SELECT countIf({WRONG_ROW}) FROM latmon_samples"), [0])

    # -- Rows written are samples made ------------------------------------------------------------

    def test_the_new_table_has_every_sample(self):
        server = self.start()
        result = self.drive(server)
        print(f"{ROWS} rows: {result['cpu_us_per_row']} us of CPU each", file=sys.stderr)
        self.check_sent(result)
        self.check_samples(server)
        probes, answered, lost, total = server.row(
            "SELECT sumMerge(probes), sumMerge(answered), sumMerge(lost), sumMerge(rtt_sum_ns) "
            "FROM latmon_minutes")
        self.assertEqual((probes, answered, lost), (ROWS, ROWS - ROWS // 10, ROWS // 10))
        self.assertEqual(total, sum(rtt_of(n) for n in range(ROWS) if is_answered(n)))

    def test_in_the_minutes_every_probe_is_answered_or_lost(self):
        server = self.start()
        answered = ["ok", "reordered"]
        lost = ["lost", "lost_forward", "lost_reverse", "lost_local_tx", "lost_local_rx",
                "unreachable"]
        besides = ["late", "duplicate", "invalid", "local_error"]
        rows = ", ".join(f"(now(), 'exchange', '{status}')" for status in answered + lost + besides)
        server.query(f"INSERT INTO latmon_samples (time, kind, status) VALUES {rows}")
        self.assertEqual(
            server.row("SELECT sumMerge(probes), sumMerge(answered), sumMerge(lost) "
                       "FROM latmon_minutes"),
            [len(answered + lost), len(answered), len(lost)])

    def test_each_kind_has_its_columns(self):
        server = self.start()
        rows = 8_000
        result = drive(self, "clickhouse", self.options(server, compression="none"), rows=rows,
                       kinds="exchange,connect,reflection,node")
        self.check_sent(result, rows)
        for kind, wrong in (
                ("exchange", "isNull(sequence) OR protocol != 'udp' OR packet_bytes != 44"),
                ("connect", "protocol != 'tcp' OR packet_bytes != 0"),
                ("reflection", "isNull(t1_ns) OR isNotNull(rtt_ns) OR isNotNull(t4_ns)"),
                ("node", "name != 'counter_3' OR isNull(value) OR status != '' OR value % 4 != 3")):
            self.assertEqual(
                server.row(f"SELECT count(), countIf({wrong}) FROM latmon_samples "
                           f"WHERE kind = '{kind}'"), [rows // 4, 0], kind)

    def test_the_ancestors_table_has_every_point(self):
        server = self.start()
        began = int(time.time())
        result = drive(self, "clickhouse", self.ancestors(server), rows=ROWS,
                       tag=["isp:a:b"], max_waiting=100_000)
        self.check_sent(result)
        values = sum(rtt_of(n) + 5_000 for n in range(ROWS) if is_answered(n))
        times = ROWS * START_NS + 1_000 * ROWS * (ROWS - 1) // 2
        self.assertEqual(
            server.row("SELECT count(), uniqExact(Timestamp), sum(MetricValue), "
                       "sum(toInt64(Timestamp - 1768219134587069267)), countIf(MetricValue = 0), "
                       "countIf(MetricName != 'udp.wan.rtt'), any(RetentionDays) FROM metrics"),
            [ROWS, ROWS, values, times - ROWS * START_NS, ROWS // 10, 0, 30])
        self.assertEqual(
            server.query("SELECT DISTINCT Tags.Key, Tags.Value FROM metrics ORDER BY Tags.Value"),
            "".join(f"['source','target','isp']\t['driver','target-{n}','a:b']\n"
                    for n in range(4)))
        first, last = server.row("SELECT toUInt32(min(InsertedAt)), toUInt32(max(InsertedAt)) "
                                 "FROM metrics")
        self.assertTrue(began <= first <= last <= time.time(), (began, first, last))

    def ancestors(self, server, **more):
        return {"compatible": True, "host": "127.0.0.1", "port": server.http, "username": USER,
                "password": PASSWORD, "send_interval": 0.2, "shutdown_timeout": 40} | more

    def test_tables_of_other_types_are_written_too(self):
        server = self.start(with_schema=False)
        server.query("CREATE TABLE old (What String, At DateTime, Value Float64, Tags Array(String)"
                     ", Taken Int64) ENGINE = Log")
        rows = 2_000
        options = self.ancestors(server, table="default.old",
                                 columns=["What", "At", "Value", "Tags", "Taken"])
        self.check_sent(drive(self, "clickhouse", options, rows=rows), rows)
        self.assertEqual(
            server.row("SELECT count(), toUInt64(sum(Value)), min(toUInt32(At)), "
                       "uniqExact(Taken) > 1, any(Tags[1]) FROM old"),
            [rows, sum(rtt_of(n) + 5_000 for n in range(rows) if is_answered(n)),
             START_NS // 10**9, 1, "source:driver"])

    def test_the_manuals_example_runs_as_it_stands(self):
        server = self.start()
        json_path = runner.scratch(self) / "samples"
        beside = f'\n[[exporters]]\nplugin = "cli"\nfile = "{json_path}"\n'
        text = manual.replaced(manual.examples(PAGE)[0], ("http://127.0.0.1:8123", server.url))
        ports = node.free_ports()
        keys = node.config("node", ports, targets=[node.target("127.0.0.1", ports, label="self",
                                                               tags=["isp:local"], interval=5)])
        daemon = node.Node(self, node.to_toml(keys) + text + beside).wait_started()
        node.run_for(runner.seconds(3), daemon)
        daemon.stop().check_delivered(self, "clickhouse")
        made = list(samples.read_checked(self, json_path))
        self.assertGreater(len(made), 300)
        self.assertEqual(
            server.row("SELECT count(), sum(time_ns % 1000000007), sum(rtt_ns), sum(rtt_user_ns), "
                       "sum(t2_ns % 1000000007), countIf(kind = 'connect') FROM latmon_samples"),
            [len(made), sum(each["time_ns"] % 1_000_000_007 for each in made),
             sum(each.get("rtt_ns", 0) for each in made),
             sum(each.get("rtt_user_ns", 0) for each in made),
             sum(each.get("t2_ns", 0) % 1_000_000_007 for each in made),
             sum(each["kind"] == "connect" for each in made)])

    # -- What is not as it should be --------------------------------------------------------------

    def test_a_missing_table_is_waited_for(self):
        server = self.start(with_schema=False)
        driver = Driver(self, "clickhouse", self.options(server), rows=5_000,
                        tag=["isp:a:b", "bare"])
        driver.wait_line("create it with contrib/clickhouse/schema-18.16.sql")
        server.run_file(SCHEMA)
        self.check_sent(driver.result(), 5_000)
        self.check_samples(server, 5_000)

    def test_create_table_makes_the_table_of_the_servers_age(self):
        server = self.start(with_schema=False)
        self.check_sent(self.drive(server, 5_000, create_table=True), 5_000)
        self.check_samples(server, 5_000)
        options = self.ancestors(server, create_table=True, table="points")
        self.check_sent(drive(self, "clickhouse", options, rows=10), 10)
        self.assertEqual(server.row("SELECT count() FROM points"), [10])

    def test_a_wrong_password_is_said_and_costs_nothing_but_time(self):
        server = self.start()
        driver = Driver(self, "clickhouse",
                        self.options(server, password="no", shutdown_timeout=1), rows=1_000)
        counters = driver.result()["counters"]
        self.assertIn(f"user {USER}: check username, password", driver.log())
        self.assertNotIn("password=no", driver.log())
        self.assertEqual(counters["push_rows_sent_total"], 0)
        self.assertEqual(counters["push_rows_abandoned_total"], 1_000)
        self.assertEqual(server.row("SELECT count() FROM latmon_samples"), [0])

    def test_a_column_that_goes_while_we_write_costs_no_row(self):
        server = self.start()
        server.query("DROP TABLE latmon_minutes")
        driver = Driver(self, "clickhouse", self.options(server), rows=10_000, rate=5_000)
        runner.wait_until("rows", lambda: server.row("SELECT count() FROM latmon_samples")[0])
        server.query("ALTER TABLE latmon_samples DROP COLUMN ttl_fwd")
        self.check_sent(driver.result(), 10_000)
        self.assertIn("has no column for ttl_fwd", driver.log())
        self.assertEqual(server.row("SELECT count(), uniqExact(sequence) FROM latmon_samples"),
                         [10_000, 10_000])

    def test_a_type_that_holds_no_nanoseconds_is_refused_until_it_is_mended(self):
        server = self.start(with_schema=False)
        server.query("CREATE TABLE latmon_samples (time DateTime, rtt_ns Nullable(Int32)) "
                     "ENGINE = Log")
        driver = Driver(self, "clickhouse", self.options(server), rows=100)
        driver.wait_line("column rtt_ns is Nullable(Int32), which cannot hold rtt_ns: make it "
                         "Int64 or Float64")
        server.query("DROP TABLE latmon_samples")
        server.run_file(SCHEMA)
        self.check_sent(driver.result(), 100)

    def test_tls_needs_a_certificate_that_is_known(self):
        server = self.start(with_tls=True)
        secure = {"url": f"https://localhost:{server.https}"}
        counters = drive(self, "clickhouse",
                         self.options(server, shutdown_timeout=1, **secure),
                         rows=100)["counters"]
        self.assertEqual(counters["push_rows_abandoned_total"], 100)
        self.check_sent(self.drive(server, 5_000, ca_file=server.certificate, **secure), 5_000)
        self.check_samples(server, 5_000)

    # -- A server that goes -----------------------------------------------------------------------

    def test_a_server_killed_between_two_blocks_has_every_row_once(self):
        server = self.start()
        rows, part = 40_000, 10_000
        for first in range(0, rows, part):
            driver = Driver(self, "clickhouse", self.options(server, batch_rows=2_000), rows=part,
                            first=first, rate=10_000, tag=["isp:a:b", "bare"])
            if first > 0:
                driver.wait_line("does not work: ")
                server.start()
            self.check_sent(driver.result(), part)
            server.kill()
        server.start()
        self.check_samples(server, rows)

    def test_a_server_killed_at_any_time_has_every_row_and_some_blocks_twice(self):
        server = self.start()
        rows, kills, block = 60_000, 5, 2_000
        driver = Driver(self, "clickhouse", self.options(server, batch_rows=block), rows=rows,
                        rate=10_000)
        for _ in range(kills):
            time.sleep(0.7)
            server.kill()
            server.start()
        self.check_sent(driver.result(), rows)
        count, distinct = server.row("SELECT count(), uniqExact(sequence) FROM latmon_samples")
        self.assertEqual(distinct, rows)
        self.assertLessEqual(count - rows, kills * block)
        ranges = server.query("SELECT sequence FROM latmon_samples GROUP BY sequence "
                              "HAVING count() > 1 ORDER BY sequence").split()
        twice = [int(text) for text in ranges]
        breaks = sum(b != a + 1 for a, b in zip(twice, twice[1:]))
        self.assertLessEqual(breaks + bool(twice), kills)
        print(f"{kills} kills: {count - rows} of {rows} rows came twice", file=sys.stderr)


if __name__ == "__main__":
    runner.main()
