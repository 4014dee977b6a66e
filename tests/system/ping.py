# SPDX-License-Identifier: Apache-2.0
#
# `latmon ping` as a user types it: against a latmon, against a reflector that throws packets away,
# against nobody; what it prints, what it returns, and what Ctrl-C makes of it.
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner
import stamp

COUNT = 5
FATES = ("forward", "reverse", "local_tx", "local_rx", "unknown")
KEY = bytes(range(32))


class LossyReflector:
    """Counts what reaches it, as RFC 8762 section 4.3 has it, and throws away requests and replies
    with the numbers given."""

    def __init__(self, case, lost_forward=(), lost_reverse=()):
        self.lost_forward, self.lost_reverse = lost_forward, lost_reverse
        self.seen = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.1)
        self.host = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.is_over = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        case.addCleanup(self.close)

    def run(self):
        counted = 0
        while not self.is_over:
            try:
                data, sender = self.socket.recvfrom(2048)
            except TimeoutError:
                continue
            self.seen += 1
            number = stamp.unpack_request(data).sequence
            if number in self.lost_forward:
                continue
            if number not in self.lost_reverse:
                # Without TLVs: any STAMP reflector may leave them out.
                self.socket.sendto(stamp.reply_to(data[:44], counted), sender)
            counted += 1

    def close(self):
        self.is_over = True
        self.thread.join()
        self.socket.close()


class Ping(unittest.TestCase):
    def ping(self, *flags, code=0):
        result = node.run("ping", *flags)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result

    def ping_json(self, *flags, code=0):
        result = self.ping("--json", *flags, code=code)
        self.assertEqual(result.stderr, "")
        self.assertEqual(result.stdout.count("\n"), 1)
        report = json.loads(result.stdout)
        self.assertEqual(report["v"], 1)
        self.assertEqual(report["exit_code"], code)
        lost = report["lost"]
        self.assertEqual(lost["total"], sum(lost[fate] for fate in FATES))
        self.assertEqual(report["sent"], report["answered"] + lost["total"] +
                         report["unreachable"]["total"] + report["in_flight"])
        return report

    def reflector(self, **keys):
        self.ports = node.free_ports()
        return node.Node(self, node.config("there", self.ports, **keys)).wait_started()

    # -- 0: answered ------------------------------------------------------------------------------

    def check_answered(self, report):
        self.assertEqual(report["sent"], COUNT)
        self.assertEqual(report["answered"], COUNT)
        self.assertEqual(report["lost"]["total"], 0)
        self.assertEqual([exchange["sequence"] for exchange in report["exchanges"]],
                         list(range(COUNT)))
        for kind in ("rtt", "rtt_user"):
            times = report[kind]
            self.assertEqual(times["count"], COUNT)
            self.assertGreater(times["min_ns"], 0)
            ordered = [times[key] for key in ("min_ns", "p50_ns", "p90_ns", "p95_ns", "p99_ns",
                                              "p999_ns", "max_ns")]
            self.assertEqual(ordered, sorted(ordered))
        for exchange in report["exchanges"]:
            self.assertEqual(exchange["status"], "ok")
            self.assertGreater(exchange["rtt_ns"], 0)
            # The application sees at least the network and the far end's program.
            self.assertGreaterEqual(exchange["rtt_user_ns"], exchange["rtt_ns"])
            self.assertGreaterEqual(exchange["turnaround_ns"], 0)
        self.assertEqual(sum(report["owd_classes"].values()), COUNT)
        self.assertEqual(sum(report["stamps"].values()), COUNT)

    def test_a_latmon_answers_over_udp_and_tcp_in_both_families(self):
        self.reflector()
        for address in ("127.0.0.1", "[::1]") if runner.HAS_IPV6 else ("127.0.0.1",):
            for flags, port in (((), self.ports.udp), (("--tcp",), self.ports.tcp)):
                with self.subTest(address, flags=flags):
                    report = self.ping_json(f"{address}:{port}", "-c", str(COUNT), "-i", "20",
                                            *flags)
                    self.assertEqual(report["address"], address.strip("[]"))
                    self.assertEqual(report["port"], port)
                    self.assertEqual(report["protocol"], "tcp" if flags else "udp")
                    self.assertEqual(report["handshake_ns"] is not None, bool(flags))
                    self.check_answered(report)

    def test_a_name_is_resolved_in_the_family_that_is_wanted(self):
        self.reflector()
        flags = ("localhost", "-p", str(self.ports.udp), "-c", "1")
        self.assertEqual(self.ping_json("-4", *flags)["address"], "127.0.0.1")

    def test_it_speaks_twamp_light_and_ptp_and_stamps_in_user_space(self):
        self.reflector()
        for flags in (("--twamp-light",), ("--timestamp-format", "ptp"), ("--stamps", "user"),
                      ("-s", "1000"), ("--precision", "spin"), ("--source", "127.0.0.1"),
                      ("--dscp", "46")):
            with self.subTest(flags=flags):
                report = self.ping_json(f"127.0.0.1:{self.ports.udp}", "-c", str(COUNT), "-i",
                                        "20", *flags)
                self.check_answered(report)
                if "user" in flags:
                    for exchange in report["exchanges"]:
                        self.assertRegex(exchange["stamps"], "^user/.*/user$")
                if "1000" in flags:
                    self.assertEqual(report["packet_bytes"], 1000)
                if "46" in flags:
                    self.assertEqual({exchange["dscp_rev"] for exchange in report["exchanges"]},
                                     {46})

    def test_with_a_key_it_is_authenticated_and_without_it_nobody_answers(self):
        path = node.key_file(self, KEY)
        self.reflector(reflector={"keys": [{"prefixes": ["127.0.0.0/8"], "key_file": path}]})
        host = f"127.0.0.1:{self.ports.udp}"
        report = self.ping_json(host, "-c", str(COUNT), "-i", "20", "--key-file", path)
        self.assertTrue(report["is_authenticated"])
        self.check_answered(report)
        other = node.key_file(self, bytes(32))
        self.ping_json(host, "-c", "1", "-W", "0.2", "--key-file", other, code=1)

    def test_people_get_a_line_per_probe_and_a_summary(self):
        self.reflector()
        host = f"127.0.0.1:{self.ports.udp}"
        lines = self.ping(host, "-c", "3", "-i", "20").stdout.splitlines()
        self.assertRegex(lines[0], rf"^latmon ping 127\.0\.0\.1 \(127\.0\.0\.1:{self.ports.udp}\): "
                                   r"STAMP over UDP, \d+ octets, every 20 ms$")
        for number in range(3):
            self.assertRegex(lines[1 + number], rf"^seq={number} ok rtt=[\d.]+us app=[\d.]+us "
                                                r"fwd=.* owd=\w+ turnaround=.* ttl=\d+/\d+ "
                                                r"stamps=\w+/\w+/\w+/\w+")
        self.assertEqual(lines[4], "--- 127.0.0.1 ---")
        self.assertEqual(lines[5], "3 sent, 3 answered, 0 lost")
        self.assertRegex(lines[6], r"^ +min +p50 +p90 +p95 +p99 +p99\.9 +max +jitter +\|ipdv\|$")
        self.assertRegex(lines[7], r"^rtt( +[\d.]+us){9}$")
        quiet = self.ping(host, "-c", "3", "-i", "20", "-q").stdout
        self.assertNotIn("seq=", quiet)
        self.assertIn("3 sent, 3 answered", quiet)
        self.assertNotIn("exchanges", self.ping_json(host, "-c", "1", "-q"))

    # -- Losses -----------------------------------------------------------------------------------

    def test_every_loss_has_its_address(self):
        reflector = LossyReflector(self, lost_forward=(2, 3), lost_reverse=(6,))
        report = self.ping_json(reflector.host, "-c", "10", "-i", "50", "-W", "0.2")
        self.assertEqual(report["answered"], 7)
        self.assertEqual(report["lost"], {"total": 3, "forward": 2, "reverse": 1, "local_tx": 0,
                                          "local_rx": 0, "unknown": 0})
        fates = {exchange["sequence"]: exchange["status"] for exchange in report["exchanges"]}
        self.assertEqual(fates[2], "lost_forward")
        self.assertEqual(fates[3], "lost_forward")
        self.assertEqual(fates[6], "lost_reverse")
        # 30 % did not come back: the median is a value, what lies beyond 70 % is lost.
        self.assertIsNotNone(report["rtt"]["p50_ns"])
        self.assertIsNone(report["rtt"]["p90_ns"])
        self.assertIsNotNone(report["rtt"]["max_ns"])

    # -- 1: no reply ------------------------------------------------------------------------------

    def test_silence_is_loss_and_not_zero(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            host = f"127.0.0.1:{silent.getsockname()[1]}"
            report = self.ping_json(host, "-c", "3", "-i", "50", "-W", "0.2", code=1)
        self.assertEqual((report["sent"], report["answered"], report["lost"]["total"]), (3, 0, 3))
        self.assertIsNone(report["rtt"]["min_ns"])
        self.assertEqual(report["rtt"]["count"], 0)

    def test_a_port_without_a_reflector_is_unreachable_with_the_reason(self):
        port = node.free_ports().udp
        report = self.ping_json(f"127.0.0.1:{port}", "-c", "2", "-i", "20", code=1)
        self.assertEqual(report["unreachable"], {"total": 2, "reasons": {"ECONNREFUSED": 2}})
        report = self.ping_json(f"127.0.0.1:{port}", "-c", "2", "-i", "20", "--tcp", code=1)
        self.assertEqual(report["unreachable"], {"total": 2, "reasons": {"ECONNREFUSED": 2}})
        self.assertEqual((report["sent"], report["local_error"]["total"]), (2, 0))
        text = self.ping(f"127.0.0.1:{port}", "-c", "1", code=1).stdout
        self.assertIn("seq=0 unreachable (Connection refused)", text)

    # -- 2: it could not be done ------------------------------------------------------------------

    def test_what_cannot_be_done_is_said_in_one_line(self):
        for flags, words in (((), "HOST is required"),
                             (("a", "b"), "one host"),
                             (("-c", "0", "a"), "probes from 1"),
                             (("nowhere.invalid",), "does not resolve"),
                             (("-6", "127.0.0.1"), "does not resolve"),
                             (("--source", "::1", "127.0.0.1"), "not of one family"),
                             (("--stamps", "hardware", "127.0.0.1"), "takes no time stamps in"),
                             (("--key-file", "/nowhere", "127.0.0.1"), "/nowhere")):
            with self.subTest(flags=flags):
                result = self.ping(*flags, code=2)
                self.assertEqual(result.stdout, "")
                self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
                self.assertIn(words, result.stderr)

    # -- Ctrl-C -----------------------------------------------------------------------------------

    def interrupted(self, host, *flags, signals=1, ready=lambda: True):
        """Its output and exit code, if it is interrupted once a probe was answered and `ready`."""
        process = subprocess.Popen(
            [str(runner.LATMON), "ping", host, "-c", "100000", *flags], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, preexec_fn=node.die_with_parent)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        lines = [process.stdout.readline() for _ in range(2)]
        runner.wait_until("the time to interrupt", ready)
        for number in range(signals):
            time.sleep(0.2 * number)
            process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=runner.DEADLINE_S)[0]
        return "".join(lines) + output, process.returncode

    def test_after_an_interrupt_the_summary_is_printed_all_the_same(self):
        self.reflector()
        output, code = self.interrupted(f"127.0.0.1:{self.ports.udp}", "-i", "50")
        self.assertEqual(code, 0, output)
        self.assertRegex(output, r"(\d+) sent, \1 answered, 0 lost\n")
        self.assertIn("p99.9", output)

    def test_a_second_interrupt_does_not_wait_for_what_is_in_flight(self):
        reflector = LossyReflector(self, lost_forward=range(1, 100_000))
        began = time.monotonic()
        output, code = self.interrupted(reflector.host, "-i", "50", "-W", "60", signals=2,
                                        ready=lambda: reflector.seen >= 4)
        self.assertLess(time.monotonic() - began, 30)
        self.assertEqual(code, 0, output)
        self.assertRegex(output, r"\n\d+ still in flight at the end\n")


if __name__ == "__main__":
    runner.main()
