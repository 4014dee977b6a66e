# SPDX-License-Identifier: Apache-2.0
#
# tools/loadgen against the real daemon and against itself: a latmon measures the targets that it
# simulates and answers the senders, in every kind of packet; what it loses and doubles on purpose
# is what the other side finds; its report has the keys that docs/loadgen.md has; and what is its
# own fault it says itself.
import json
import os
import re
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import manual
import netns
import node
import runner
from proc_net import waiting_octets
from simulated import LOADGEN, TARGETS, Reflect

KEY = bytes(range(32))
WAITING = 150_000  # Octets: a packet takes 768 or some more in a socket.
# Nothing is missed, nor lost by a timeout, because the machine is busy.
PATIENT = ("--timeout", "10", "--late-limit-us", "1000000")


def run(*flags, code=0, command=()):
    done = subprocess.run([*command, str(LOADGEN), *map(str, flags)], text=True,
                          capture_output=True, timeout=runner.DEADLINE_S,
                          preexec_fn=node.die_with_parent, check=False)
    if done.returncode != code:
        raise AssertionError(f"{flags} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def probe(*flags):
    """The report of some senders, which ends by itself."""
    return json.loads(run("probe", "--json", *flags).stdout)


def documented(heading):
    """Keys in the table under that heading of the manual, braces expanded."""
    text = (runner.ROOT / "docs" / "loadgen.md").read_text()
    section = re.search(rf"^### {heading}\n(.*?)(?=^### |\Z)", text, re.M | re.S).group(1)
    keys = []
    for row in re.findall(r"^\| (`.*?`) \|", section, re.M):
        for key in re.findall(r"`([^`]+)`", row):
            head, _, rest = key.partition("{")
            middle, _, tail = rest.partition("}")
            keys += [head + each + tail for each in middle.split(",")]
    return keys


class Manual(unittest.TestCase):
    def test_the_report_has_the_documented_keys_and_no_others(self):
        ports = node.free_ports()
        reflect = Reflect(self, "--port", ports.udp)
        both = documented("Of both")
        of_probe = probe("--target", "127.1.0.1", "--port", ports.udp, "--seconds", "0.1")
        for mode, report in (("reflect", reflect.stop()), ("probe", of_probe)):
            with self.subTest(mode):
                keys = both + documented(f"Of `{mode}`")
                self.assertEqual(len(keys), len(set(keys)))
                self.assertEqual(set(report), set(keys))
                self.assertEqual(report["mode"], mode)
                self.assertTrue(report["is_balanced"])

    def test_the_commands_of_the_manual_are_understood(self):
        """But for `latmon -c`, which the other tests run; for a moment, and on free ports."""
        folder = runner.scratch(self)
        (folder / "my-exporter.toml").write_text('[[exporters]]\nplugin = "null"\n')
        ports = node.free_ports()
        for block in manual.examples("loadgen.md", "sh"):
            for line in block.replace("\\\n", "").splitlines():
                if not line.startswith("loadgen"):
                    continue
                flags = re.sub(r">.*", "", line).split()[1:]
                if "--seconds" in flags:
                    flags[flags.index("--seconds") + 1] = "0.1"
                flags[flags.index("--port") + 1] = str(ports.udp)
                done = subprocess.run([str(LOADGEN), *flags], cwd=folder, text=True,
                                      capture_output=True, timeout=runner.DEADLINE_S, check=False)
                # Nobody is there to be answered: 1.
                self.assertEqual(done.returncode, 0 if flags[0] == "targets" else 1, done.stderr)
                if flags[0] == "targets":
                    path = folder / "targets.toml"
                    path.write_text(done.stdout)
                    self.assertEqual(node.run("check", str(path)).returncode, 0)


class Targets(unittest.TestCase):
    def measured(self, *flags, reflect_flags=(), duration_s=1.5):
        """Accounts of a latmon that measured simulated targets, and their report."""
        ports, own = node.free_ports(), node.free_ports()
        where = ("--port", ports.udp, "--tcp-port", ports.tcp, *flags)
        text = run("targets", "--count", TARGETS, "--interval", 50, "--timeout", 5,
                   "--latmon-udp-port", own.udp, "--latmon-tcp-port", own.tcp, *where).stdout
        reflect = Reflect(self, *where, *reflect_flags)
        running = node.Node(self, text + "\n").wait_started()
        node.run_for(runner.seconds(duration_s), running)
        return running.stop(), reflect.stop()

    def check_all_answered(self, accounts, report):
        self.assertEqual(len(accounts.probes), 3 * TARGETS)  # UDP, TCP and handshakes.
        for each in accounts.probes:
            self.assertGreater(each["answered"], 0, each)
            self.assertEqual(each["lost"] + each["unreachable"] + each["invalid"], 0, each)
        self.assertEqual(report["bad_packets"] + report["tcp_bad_frames"], 0)

    def test_a_latmon_measures_them(self):
        accounts, report = self.measured()
        self.check_all_answered(accounts, report)
        self.assertEqual(report["targets"], TARGETS)

    def test_a_latmon_measures_them_with_a_key(self):
        accounts, report = self.measured("--key-file", node.key_file(self, KEY))
        self.check_all_answered(accounts, report)
        self.assertTrue(report["is_authenticated"])

    def test_a_latmon_takes_them_for_old_nodes(self):
        accounts, report = self.measured("--packets", "latency-monitor")
        self.check_all_answered(accounts, report)
        self.assertEqual(report["tcp_prefaces"], 0)

    def test_a_delay_is_over_tcp_too(self):
        accounts, report = self.measured(reflect_flags=(
            "--delay-us", 2000, "--jitter-us", 500, "--jitter-shape", "normal"))
        self.check_all_answered(accounts, report)
        self.assertGreater(report["tcp_answered_frames"], 0)
        # The lateness is of UDP and TCP together: there is one for each reply.
        self.assertIsNotNone(report["delayed_departure_lateness_p50_ns"])

    def test_loss_on_purpose_is_what_latmon_finds_by_direction(self):
        accounts, report = self.measured(
            reflect_flags=("--loss-forward", 10, "--loss-reverse", 5), duration_s=3)
        udp = [each for each in accounts.probes if each["protocol"] == "udp"]
        self.assertGreater(report["lost_forward_on_purpose_packets"], 0)
        self.assertGreater(report["lost_reverse_on_purpose_packets"], 0)
        # A loss that latmon had no time to find at the end is in flight.
        lost = sum(each["lost"] for each in udp)
        open_ends = sum(each["in_flight"] for each in udp)
        on_purpose = (report["lost_forward_on_purpose_packets"]
                      + report["lost_reverse_on_purpose_packets"])
        self.assertGreaterEqual(on_purpose, lost)
        self.assertLessEqual(on_purpose, lost + open_ends)
        for way in ("forward", "reverse"):
            told = sum(each[f"lost_{way}"] for each in udp)
            self.assertLessEqual(told, report[f"lost_{way}_on_purpose_packets"], way)


class Senders(unittest.TestCase):
    def reflector(self, **keys):
        ports = node.free_ports()
        return node.Node(self, node.config("reflector", ports, exporters=[{"plugin": "null"}],
                                           **keys)).wait_started(), ports

    def check_answered(self, report):
        self.assertGreater(report["answered_packets"], 0)
        self.assertEqual(report["sent_packets"], report["slots"], report)
        self.assertEqual(report["answered_packets"], report["sent_packets"], report)
        self.assertEqual(report["invalid_replies"] + report["duplicate_replies"], 0, report)

    def probed(self, port, *flags, target="127.0.0.1"):
        report = probe("--target", target, "--port", port, "--rate", 2000, "--seconds",
                       0.5, *PATIENT, *flags)
        self.check_answered(report)
        return report

    def test_a_latmon_answers_a_thousand_from_many_addresses_in_many_sizes(self):
        running, ports = self.reflector()
        report = self.probed(ports.udp, "--senders", 1000, "--source", "127.9.0.0", "--sources",
                             50, "--size", "44,100,1400", "--tlvs",
                             "exchange,direct_measurement,location")
        self.assertEqual(report["sent_packets"], 1000)  # One from each.
        accounts = running.stop()
        self.assertEqual(accounts.udp["reflected"], 1000)

    def test_as_many_addresses_are_seen_as_reported(self):
        for senders, asked in ((100, 100), (100, 64), (10, 100)):
            with self.subTest(senders=senders, asked=asked), \
                    socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
                silent.bind(("127.0.0.1", 0))
                silent.setblocking(False)
                report = json.loads(run(
                    "probe", "--json", "--target", "127.0.0.1", "--port", silent.getsockname()[1],
                    "--senders", senders, "--source", "127.9.0.0", "--sources", asked, "--rate",
                    1000, "--seconds", senders / 1000, "--timeout", 1, "--late-limit-us", 1000000,
                    code=1).stdout)  # Nobody answers.
                seen = {silent.recvfrom(100)[1][0] for _ in range(report["sent_packets"])}
                self.assertEqual(report["sent_packets"], senders)
                self.assertEqual(len(seen), min(senders, asked))
                self.assertEqual(report["sources"], len(seen))

    def test_a_latmon_answers_them_over_tcp(self):
        running, ports = self.reflector()
        report = self.probed(ports.tcp, "--protocol", "tcp", "--senders", 50, "--size", "44,1400")
        self.assertIsNotNone(report["own_read_lateness_p99_ns"])
        self.assertLessEqual(report["rtt_to_kernel_p50_ns"], report["rtt_p50_ns"])
        self.assertEqual(running.stop().tcp["reflected"], 1000)

    def test_a_latmon_answers_them_with_its_key_and_no_others(self):
        running, ports = self.reflector(
            reflector={"keys": [{"prefixes": ["127.0.0.0/8"],
                                 "key_file": node.key_file(self, KEY)}]})
        flags = ("--senders", 10, "--tlvs", "exchange", "--size", 200)
        self.probed(ports.udp, *flags, "--key-file", node.key_file(self, KEY))
        self.probed(ports.tcp, *flags, "--protocol", "tcp", "--key-file", node.key_file(self, KEY))
        run("probe", "--target", "127.0.0.1", "--port", ports.udp, "--seconds", 0.1, "--timeout",
            0.1, "--key-file", node.key_file(self, KEY[::-1]), code=1)
        running.stop()

    def test_a_latmon_answers_old_nodes(self):
        running, ports = self.reflector()
        flags = ("--packets", "latency-monitor", "--senders", 500, "--size", "44,1470")
        self.probed(ports.udp, *flags)
        self.probed(ports.tcp, *flags, "--protocol", "tcp")
        accounts = running.stop()
        self.assertEqual(accounts.udp["reflected_ancestor"], 1000, accounts.udp)
        self.assertEqual(accounts.tcp["reflected_ancestor"], 1000, accounts.tcp)

    def test_ipv6(self):
        runner.need_ipv6()
        running, ports = self.reflector()
        self.probed(ports.udp, "--senders", 10, "--source", "::", target="::1")
        running.stop()
        ports = node.free_ports()
        reflect = Reflect(self, "--base", "::", "--port", ports.udp, "--tcp-port", ports.tcp,
                          count=1)
        self.probed(ports.udp, "--senders", 10, target="::1")
        self.probed(ports.tcp, "--senders", 10, "--protocol", "tcp", target="::1")
        report = reflect.stop()
        self.assertEqual(report["answered_packets"], 1000)
        self.assertEqual(report["tcp_answered_frames"], 1000)
        self.assertEqual(report["unstamped_packets"] + report["tcp_unstamped_frames"], 0)
        self.assertIsNotNone(report["tcp_own_read_lateness_p99_ns"])


class Network(unittest.TestCase):
    def test_a_routed_ipv6_network_holds_targets_and_senders(self):
        runner.need_root()
        runner.need_tool("ip")
        runner.need_ipv6()
        net = netns.neighbour(self)
        netns.run("ip", "-6", "route", "add", "local", "fd00:1::/64", "dev", "lo", net=net)
        inside = ("nsenter", f"--net=/proc/{net}/ns/net", "--")
        reflect = Reflect(self, "--base", "fd00:1::", "--port", 9000, "--tcp-port", 9001,
                          command=inside)
        for port, protocol in ((9000, "udp"), (9001, "tcp")):
            report = json.loads(run(
                "probe", "--json", "--target", "fd00:1::14", "--port", port, "--protocol",
                protocol, "--rate", 500, "--seconds", 0.5, "--senders", 20, "--source",
                "fd00:1::100", "--sources", 20, *PATIENT,
                command=inside).stdout)
            self.assertEqual(report["answered_packets"], 250, report)
        ours = reflect.stop()
        self.assertEqual(ours["answered_packets"] + ours["tcp_answered_frames"], 500, ours)


class Link(unittest.TestCase):
    def exchanged(self, *flags, probe_flags=(), packets="stamp"):
        """The reports of senders and of the targets that they probed."""
        ports = node.free_ports()
        reflect = Reflect(self, "--port", ports.udp, "--packets", packets, *flags)
        theirs = probe("--target", "127.1.0.3", "--port", ports.udp, "--rate", 2000, "--seconds",
                       1, "--senders", 50, "--timeout", 2, "--late-limit-us", 1000000,
                       "--packets", packets, *probe_flags)
        ours = reflect.stop()
        self.assertEqual(ours["received_packets"], theirs["sent_packets"]
                         + theirs["doubled_on_purpose_packets"], (ours, theirs))
        self.assertEqual(ours["kernel_dropped_packets"], 0)
        return ours, theirs

    def test_what_is_lost_and_doubled_on_purpose_is_what_senders_find(self):
        for packets in ("stamp", "latency-monitor"):
            with self.subTest(packets):
                ours, theirs = self.exchanged("--loss", 5, "--loss-burst", 4, "--duplicate", 5,
                                              packets=packets)
                self.assertGreater(ours["lost_forward_on_purpose_packets"], 0)
                self.assertGreater(ours["lost_reverse_on_purpose_packets"], 0)
                self.assertEqual(theirs["lost_packets"], ours["lost_forward_on_purpose_packets"]
                                 + ours["lost_reverse_on_purpose_packets"])
                self.assertGreater(ours["doubled_on_purpose_packets"], 0)
                self.assertEqual(theirs["duplicate_replies"], ours["doubled_on_purpose_packets"])
                self.assertEqual(theirs["invalid_replies"], 0)

    def test_what_senders_lose_on_purpose_is_not_expected_back(self):
        for packets in ("stamp", "latency-monitor"):
            with self.subTest(packets):
                ours, theirs = self.exchanged(probe_flags=(
                    "--loss", 10, "--loss-burst", 3, "--duplicate", 5, "--reorder", 5,
                    "--reorder-by-us", 40000, "--jitter-us", 5000, "--jitter-shape",
                    "exponential"), packets=packets)
                self.assertEqual(theirs["slots"], 2000)
                self.assertGreater(theirs["lost_on_purpose_packets"], 0)
                self.assertEqual(theirs["sent_packets"] + theirs["lost_on_purpose_packets"], 2000)
                self.assertEqual(theirs["answered_packets"], theirs["sent_packets"], theirs)
                self.assertGreater(theirs["doubled_on_purpose_packets"], 0)
                self.assertEqual(theirs["duplicate_replies"],
                                 theirs["doubled_on_purpose_packets"])
                self.assertEqual(theirs["invalid_replies"], 0)
                self.assertEqual(ours["bad_packets"], 0)

    def test_senders_over_tcp_have_jitter_and_nothing_is_lost(self):
        ports = node.free_ports()
        reflect = Reflect(self, "--port", ports.udp, "--tcp-port", ports.tcp)
        theirs = probe("--target", "127.1.0.3", "--port", ports.tcp, "--protocol", "tcp",
                       "--rate", 2000, "--seconds", 0.5, "--senders", 20, "--jitter-us", 5000,
                       *PATIENT)
        reflect.stop()
        self.assertEqual(theirs["answered_packets"], 1000)
        self.assertEqual(theirs["jitter_ns"], 5_000_000)
        self.assertIsNone(theirs["doubled_on_purpose_packets"])

    def test_who_is_interrupted_tells_what_was_held_up(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            silent.settimeout(runner.DEADLINE_S)
            senders = subprocess.Popen(
                [str(LOADGEN), "probe", "--json", "--target", "127.0.0.1", "--port",
                 str(silent.getsockname()[1]), "--seconds", "3600", "--senders", "1000",
                 "--jitter-us", "3000000", "--late-limit-us", "1000000"], text=True,
                stdout=subprocess.PIPE, preexec_fn=node.die_with_parent)
            self.addCleanup(senders.communicate)
            self.addCleanup(senders.kill)
            for _ in range(10):
                silent.recv(100)
            senders.terminate()
            report = json.loads(senders.communicate(timeout=runner.DEADLINE_S)[0])
        self.assertTrue(report["is_interrupted"] and report["is_balanced"], report)
        self.assertGreater(report["left_waiting_packets"], 0)
        self.assertGreaterEqual(report["lost_packets"], 10)

    def test_the_same_seed_loses_as_many(self):
        counts = {self.exchanged("--loss", 20, "--seed", 7)[0]["lost_forward_on_purpose_packets"]
                  for _ in range(2)}
        self.assertEqual(len(counts), 1)

    def test_no_round_trip_is_shorter_than_the_delay(self):
        _, theirs = self.exchanged("--delay-forward-us", 1000, "--delay-reverse-us", 2000,
                                   "--jitter-us", 100, "--jitter-shape", "heavy-tail")
        self.assertGreaterEqual(theirs["rtt_min_ns"], 3_000_000)
        self.assertEqual(theirs["lost_packets"], 0)

    def test_a_target_that_is_away_does_not_answer(self):
        # Target 3 of 20 is away in the last three of every four tenths of a second, but earlier.
        ours, theirs = self.exchanged("--outage-s", 0.3, "--outage-period-s", 0.4)
        self.assertGreater(ours["away_on_purpose_packets"], 0)
        self.assertGreater(ours["answered_packets"], 0)
        self.assertEqual(theirs["lost_packets"], ours["away_on_purpose_packets"])

    def test_more_than_the_bit_rate_does_not_get_through(self):
        # 2000 a second of 72 octets each are 1152 kbit/s.
        ours, theirs = self.exchanged("--bit-rate-kbit", 576, "--queue-us", 50_000)
        self.assertGreater(ours["line_full_on_purpose_packets"], 0)
        self.assertEqual(theirs["lost_packets"], ours["line_full_on_purpose_packets"])

    def test_spinning_ends_too(self):
        ours, theirs = self.exchanged("--spin", "--batch", 1, probe_flags=("--spin",))
        self.assertTrue(ours["is_spinning"] and theirs["is_spinning"])
        self.assertEqual(theirs["answered_packets"], theirs["sent_packets"])

    def test_ours_is_a_cpu_that_the_process_may_use(self):
        ours, theirs = self.exchanged("--cpu", runner.CPUS[0],
                                      probe_flags=("--cpu", runner.CPUS[-1]))
        self.assertEqual((ours["cpus"], theirs["cpus"]), ([runner.CPUS[0]], [runner.CPUS[-1]]))


class Honesty(unittest.TestCase):
    def test_who_was_stopped_says_so(self):
        """A share of the packets waits until the targets run again, more than one in a hundred."""
        ports = node.free_ports()
        reflect = Reflect(self, "--port", ports.udp, "--trust-lateness-us", 20_000)
        senders = subprocess.Popen(
            [str(LOADGEN), "probe", "--json", "--target", "127.1.0.1", "--port", str(ports.udp),
             "--rate", "1000", "--seconds", "3", "--senders", "8"], text=True,
            stdout=subprocess.PIPE, preexec_fn=node.die_with_parent)
        self.addCleanup(senders.communicate)
        self.addCleanup(senders.kill)
        os.kill(reflect.process.pid, signal.SIGSTOP)
        runner.wait_until("packets to wait", lambda: waiting_octets(ports.udp) > WAITING)
        os.kill(reflect.process.pid, signal.SIGCONT)
        theirs = json.loads(senders.communicate(timeout=runner.DEADLINE_S)[0])
        ours = reflect.stop()
        self.assertFalse(ours["is_trustworthy"])
        self.assertRegex(" ".join(ours["distrust_reasons"]), "own_read_lateness_p99_ns is ")
        # It took the blame: what it was late by is in its turnaround.
        self.assertGreater(theirs["turnaround_max_ns"], ours["own_read_lateness_p99_ns"] / 2)

    def test_who_answered_nothing_shows_nothing(self):
        report = json.loads(run("reflect", "--json", "--quiet", "--count", 1, "--port",
                                node.free_ports().udp, "--seconds", 0.1, code=1).stdout)
        self.assertFalse(report["is_trustworthy"])
        self.assertEqual(report["distrust_reasons"], ["nothing was answered"])

    def test_who_cannot_keep_the_rate_says_so(self):
        ports = node.free_ports()
        reflect = Reflect(self, "--port", ports.udp)
        report = probe("--target", "127.1.0.1", "--port", ports.udp, "--rate", 9_000_000,
                       "--seconds", 0.1, "--timeout", 1, "--late-limit-us", 10_000)
        reflect.stop()
        self.assertGreater(report["missed_slots"], 0)
        self.assertFalse(report["is_trustworthy"])
        self.assertRegex(" ".join(report["distrust_reasons"]), "missed_slots is ")

    def test_what_cannot_be_done_is_said(self):
        for flags, word in (
                (("reflect", "--count", 1), "--tcp-port"),
                (("reflect", "--count", 1, "--port", 9, "--loss", 75, "--loss-burst", 2), "3.000"),
                (("reflect", "--count", 1, "--port", 9, "--base", "ff02::"), "ip -6 route"),
                (("probe", "--target", "127.0.0.1", "--port", 9, "--source", "foo"),
                 "--source foo is no address"),
                (("reflect", "--count", 1, "--port", 9, "--outage-s", 10), "--outage-period-s"),
                (("probe", "--target", "192.0.2.1", "--port", 9, "--packets", "latency-monitor",
                  "--rate", 101), "100 probes a second"),
                (("probe", "--target", "198.51.100.1", "--port", 9, "--key-file",
                  node.key_file(self, KEY), "--size", 44), "112"),
                (("probe", "--target", "127.0.0.1", "--port", 9, "--rate", 100_000_000),
                 "ten million"),
                (("probe", "--target", "8.8.8.8", "--port", 9), "public"),
                (("probe", "--target", "127.0.0.1", "--port", 9, "--source", "fd00::"), "famil"),
                (("targets", "--count", 1, "--interval", 1), "--port")):
            with self.subTest(flags):
                self.assertIn(word, run(*flags, code=2).stderr)

    def test_what_would_do_nothing_is_refused_with_the_cure(self):
        for port, flags, word in (
                ("--port", ("--loss-burst", 2), "add --loss"),
                ("--port", ("--loss", 0, "--loss-burst", 2), "add --loss"),
                ("--port", ("--jitter-shape", "normal"), "add --jitter-us"),
                ("--port", ("--jitter-shape", "normal", "--jitter-us", 0), "add --jitter-us"),
                ("--port", ("--reorder", 1, "--reorder-by-us", 0), "write 1 or more"),
                ("--port", ("--reorder-by-us", 100), "add --reorder"),
                ("--port", ("--queue-us", 100), "add --bit-rate-kbit"),
                ("--port", ("--outage-share", 10), "--outage-s "),
                ("--tcp-port", ("--loss", 5), "leave --loss out, or add --port"),
                ("--tcp-port", ("--loss-forward", 5), "leave --loss-forward out"),
                ("--tcp-port", ("--loss-reverse", 5), "leave --loss-reverse out"),
                ("--tcp-port", ("--reorder", 5), "leave --reorder out"),
                ("--tcp-port", ("--duplicate", 5), "leave --duplicate out"),
                ("--tcp-port", ("--bit-rate-kbit", 9, "--queue-us", 5), "leave --queue-us out")):
            with self.subTest(port=port, flags=flags):
                self.assertIn(word, run("reflect", "--count", 1, port, 9, *flags, code=2).stderr)
        for protocol, flags, word in (
                ("udp", ("--loss-burst", 2), "add --loss"),
                ("udp", ("--jitter-shape", "normal"), "add --jitter-us"),
                ("udp", ("--reorder", 1, "--reorder-by-us", 0), "write 1 or more"),
                ("udp", ("--loss", 75, "--loss-burst", 2), "3.000"),
                ("udp", ("--jitter-us", 60_000_000, "--jitter-shape", "heavy-tail"),
                 "60001.000 s together"),
                ("tcp", ("--loss", 5), "leave --loss out, or take --protocol udp"),
                ("tcp", ("--reorder", 5), "leave --reorder out"),
                ("tcp", ("--duplicate", 5), "leave --duplicate out")):
            with self.subTest(protocol=protocol, flags=flags):
                self.assertIn(word, run("probe", "--target", "127.0.0.1", "--port", 9,
                                        "--protocol", protocol, *flags, code=2).stderr)

    def test_help_and_refusals_are_plain_text(self):
        texts = [run(mode, "--help").stdout for mode in ("reflect", "targets", "probe")]
        texts += [run("reflect", "--count", 1, "--port", 9, "--jitter-shape", "foo", code=2).stderr,
                  run("probe", "--packets", "foo", code=2).stderr,
                  run("probe", "--tlvs", "foo", code=2).stderr]
        for text in texts:
            self.assertRegex(text, r"\A[\n -~]+\Z")
        for text in (texts[0], texts[3]):
            self.assertRegex(text, "exponential,heavy-tail,normal,uniform")

    def test_a_key_file_that_is_missing_ends_with_the_documented_code(self):
        for flags in (("reflect", "--count", 1, "--port", 9),
                      ("probe", "--target", "127.0.0.1", "--port", 9)):
            self.assertIn("/nonexistent/key",
                          run(*flags, "--key-file", "/nonexistent/key", code=78).stderr)
        self.assertIn(" 78 a key file", (runner.ROOT / "docs" / "loadgen.md").read_text())


if __name__ == "__main__":
    runner.main()
