# SPDX-License-Identifier: Apache-2.0
#
# Rows in a real ClickHouse server (Debian's 18.16) against the samples that were made: as many, the
# same sums, and each one what it must be, by formulas that stand in plugin_driver.cpp and, written
# a second time, here. Then the same with a server that is down, that is killed, that has another
# table, or none.
import random
import signal
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import clickhouse_server
import fault_server
import manual
import node
import runner
import samples
from clickhouse_server import PASSWORD, USER
from fault_server import FaultServer
from plugin_driver import Driver, drive

PAGE = "exporters/clickhouse.md"
SCHEMA = runner.ROOT / "contrib" / "clickhouse" / "schema-18.16.sql"
START_NS = 1_768_219_134_587_069_267
ROWS = runner.rows()
# Those that flow while the server is killed, in blocks of so many, and how often it is.
KILL_ROWS, BLOCK, KILLS = max(ROWS, 200_000), 10_000, 6
FAST = {"retry_min": 0.05, "retry_max": 0.2}

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

# As WRONG_ROW, of a point.
NUMBER = f"intDiv(toInt64(Timestamp) - {START_NS}, 1000)"
WRONG_POINT = f"""
    MetricValue != if({NUMBER} % 10 = 9, 0, 105000 + 7919 * {NUMBER} % 1000003)
    OR Tags.Key != ['source', 'target', 'isp']
    OR Tags.Value != ['driver', concat('target-', toString({NUMBER} % 4)), 'a:b']"""


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

    def check_points(self, server, rows=ROWS):
        """As check_samples(), of the ancestor's table."""
        values = sum(rtt_of(n) + 5_000 for n in range(rows) if is_answered(n))
        lost = sum(not is_answered(n) for n in range(rows))
        self.assertEqual(
            server.row("SELECT count(), uniqExact(Timestamp), sum(MetricValue), "
                       f"sum(toInt64(Timestamp - {START_NS})), countIf(MetricValue = 0), "
                       "countIf(MetricName != 'udp.wan.rtt'), any(RetentionDays) FROM metrics"),
            [rows, rows, values, 1_000 * rows * (rows - 1) // 2, lost, 0, 30])
        self.assertEqual(server.row(f"SELECT countIf({WRONG_POINT}) FROM metrics"), [0])

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

    def test_in_the_minutes_every_probe_is_answered_or_lost_here_or_elsewhere(self):
        server = self.start()
        answered = ["ok", "reordered"]
        lost = ["lost", "lost_forward", "lost_reverse", "unreachable"]
        here = ["lost_local_tx", "lost_local_rx"]
        besides = ["late", "duplicate", "invalid", "local_error"]
        rows = ", ".join(f"(now(), 'exchange', '{status}')"
                         for status in answered + lost + here + besides)
        server.query(f"INSERT INTO latmon_samples (time, kind, status) VALUES {rows}")
        self.assertEqual(
            server.row("SELECT sumMerge(probes), sumMerge(answered), sumMerge(lost), "
                       "sumMerge(lost_local) FROM latmon_minutes"),
            [len(answered + lost + here), len(answered), len(lost), len(here)])

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
        self.check_points(server)
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

    def kill_again_and_again(self, server, driver, table, rows):
        """`KILLS` times as soon as an INSERT is under way, at even distances over all rows."""
        under_way = "SELECT count() FROM system.processes WHERE query LIKE 'INSERT%'"
        for number in range(KILLS):
            there = (number + 1) * rows // (KILLS + 2)
            runner.wait_until(f"{there} rows", lambda: (
                server.row(f"SELECT count() FROM {table}")[0] >= there
                and server.row(under_way)[0] > 0), 10 * runner.DEADLINE_S)
            time.sleep(random.uniform(0, 0.02))
            server.kill()
            server.start()
        result = driver.result(within_s=10 * runner.DEADLINE_S)
        self.check_sent(result, rows)
        counters = result["counters"]
        blocks, there = (counters[f"clickhouse_{name}_total"]
                         for name in ("blocks_checked", "rows_already_there"))
        print(f"{table}: {rows} rows, {KILLS} kills: {blocks} blocks of unknown fate, "
              f"{there} rows were there", file=sys.stderr)
        self.assertGreater(blocks, 0)
        self.assertLessEqual(there, blocks * BLOCK)

    def test_a_server_killed_in_the_middle_of_inserts_has_every_sample_once(self):
        server = self.start()
        driver = Driver(self, "clickhouse", self.options(server, batch_rows=BLOCK), rows=KILL_ROWS,
                        tag=["isp:a:b", "bare"], max_waiting=100_000)
        self.kill_again_and_again(server, driver, "latmon_samples", KILL_ROWS)
        self.check_samples(server, KILL_ROWS)

    def test_a_server_killed_in_the_middle_of_inserts_has_every_point_once(self):
        server = self.start()
        driver = Driver(self, "clickhouse", self.ancestors(server, batch_rows=BLOCK, **FAST),
                        rows=KILL_ROWS, tag=["isp:a:b"], max_waiting=100_000)
        self.kill_again_and_again(server, driver, "metrics", KILL_ROWS)
        self.check_points(server, KILL_ROWS)

    def test_a_server_that_stands_still_beyond_the_timeout_has_every_sample_once(self):
        server = self.start()
        rows = 100_000
        driver = Driver(self, "clickhouse",
                        self.options(server, batch_rows=BLOCK, timeout=2), rows=rows,
                        tag=["isp:a:b", "bare"], max_waiting=20_000)
        for number in range(3):
            there = number * rows // 4
            runner.wait_until(f"{there} rows", lambda: (
                server.row("SELECT count() FROM latmon_samples")[0] >= there))
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(3)
            server.process.send_signal(signal.SIGCONT)
        self.check_sent(driver.result(), rows)
        self.check_samples(server, rows)

    # -- Answers that are lost on their way -------------------------------------------------------

    def proxied(self, server, *behaviours):
        """A proxy that passes everything on, but does `behaviours` with the first INSERTs. Before
        the first there are two questions, about the version and the table."""
        proxy = FaultServer(self)
        proxy.usual = fault_server.forward(server.http)
        proxy.then(proxy.usual, proxy.usual, *behaviours)
        return proxy

    def check_counted(self, result, blocks, there):
        counters = result["counters"]
        self.assertEqual(counters["clickhouse_blocks_checked_total"], blocks)
        self.assertEqual(counters["clickhouse_rows_already_there_total"], there)

    def inserts(self, proxy):
        return [request for request in proxy.requests if "query=INSERT" in request.path]

    def test_a_block_that_the_server_has_is_not_sent_again(self):
        server = self.start()
        for options, check in ((self.options(server), self.check_samples),
                               (self.ancestors(server, **FAST), self.check_points)):
            proxy = self.proxied(server, fault_server.forward_and(server.http, fault_server.drop))
            where = {"port": proxy.port} if "port" in options else {"url": proxy.url}
            result = drive(self, "clickhouse", options | where | {"batch_rows": 2_048}, rows=8_192,
                           tag=["isp:a:b"] + ["bare"] * ("url" in options))
            self.check_sent(result, 8_192)
            self.check_counted(result, 1, 2_048)
            self.assertEqual(len(self.inserts(proxy)), 4)
            check(server, 8_192)

    def test_a_block_that_the_server_does_not_have_is_sent_again(self):
        server = self.start()
        proxy = self.proxied(server, fault_server.CLOSE)
        result = drive(self, "clickhouse", self.options(server, url=proxy.url, batch_rows=2_048),
                       rows=8_192, tag=["isp:a:b", "bare"])
        self.check_sent(result, 8_192)
        self.check_counted(result, 1, 0)
        self.assertEqual(len(self.inserts(proxy)), 5)
        self.check_samples(server, 8_192)

    def test_of_a_block_that_is_there_in_part_the_rest_is_sent(self):
        for partition, gone in (("intDiv(time_ns, 2000000)", [f"{START_NS // 2_000_000 + 1}"]),
                                ("target", ["'target-1'", "'target-3'"])):
            server = self.start(with_schema=False)
            schema = SCHEMA.read_text().replace("PARTITION BY toDate(time)",
                                                f"PARTITION BY {partition}", 1)
            server.run_text(schema)

            def lose_some(handler, server=server, gone=gone):
                for part in gone:
                    server.query(f"ALTER TABLE latmon_samples DROP PARTITION {part}")
                fault_server.drop(handler)

            proxy = self.proxied(server, fault_server.forward_and(server.http, lose_some))
            rows = 20_480
            result = drive(self, "clickhouse",
                           self.options(server, url=proxy.url, batch_rows=rows,
                                        flush_interval=5), rows=rows, tag=["isp:a:b", "bare"])
            self.check_sent(result, rows)
            self.assertGreater(result["counters"]["clickhouse_rows_already_there_total"], 0)
            self.check_samples(server, rows)

    def test_a_block_that_the_server_is_still_writing_is_waited_for(self):
        server = self.start()
        proxy = self.proxied(server, fault_server.forward_and(server.http, fault_server.drop,
                                                              seconds=8))
        # The server counts a query as running once it has 1 MiB of it.
        driver = Driver(self, "clickhouse",
                        self.options(server, url=proxy.url, batch_rows=16_384, timeout=4,
                                     flush_interval=5, compression="none"),
                        rows=20_000, tag=["isp:a:b", "bare"])
        result = driver.result()
        self.assertIn("the server is still at the earlier INSERT", driver.log())
        self.check_sent(result, 20_000)
        self.assertEqual(result["counters"]["clickhouse_rows_already_there_total"], 16_384)
        self.check_samples(server, 20_000)

    def test_a_latmon_killed_while_it_waits_for_an_answer_sends_no_row_twice(self):
        server = self.start()
        spool = runner.scratch(self) / "spool"
        proxy = self.proxied(server, fault_server.forward_and(server.http,
                                                              lambda handler: handler.stall()))
        options = self.options(server, url=proxy.url, spool=str(spool), batch_rows=5_120,
                               flush_interval=1)
        first = Driver(self, "clickhouse", options, rows=5_120, tag=["isp:a:b", "bare"], linger=60)
        count = "SELECT count() FROM latmon_samples"
        runner.wait_until("rows", lambda: server.row(count) == [5_120])
        first.kill()
        result = drive(self, "clickhouse", options, rows=1_000, first=5_120,
                       tag=["isp:a:b", "bare"])
        self.assertEqual(result["counters"]["push_rows_recovered_total"], 5_120)
        self.assertEqual(result["counters"]["push_rows_sent_total"], 6_120)
        self.check_counted(result, 1, 5_120)
        self.check_samples(server, 6_120)

    def test_a_table_in_which_rows_are_alike_is_not_asked(self):
        server = self.start(with_schema=False)
        server.query("CREATE TABLE latmon_samples (time DateTime, target String) ENGINE = Log")
        proxy = self.proxied(server, fault_server.CLOSE)
        driver = Driver(self, "clickhouse", self.options(server, url=proxy.url), rows=1_000)
        result = driver.result()
        self.check_sent(result, 1_000)
        self.check_counted(result, 0, 0)
        self.assertIn("does not keep the time to the nanosecond", driver.log())
        self.assertEqual(server.row("SELECT count() FROM latmon_samples"), [1_000])


if __name__ == "__main__":
    runner.main()
