# SPDX-License-Identifier: Apache-2.0
#
# `latmon selftest` on this very host, for as short as may be: every question gets its figures and
# its verdict, and the exit code is what the verdicts say. What the figures are is the host's
# affair. The same figures come from a running node, as samples of itself.
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner
import samples

SUBJECTS = {"stamps", "lateness", "added_error", "targets", "loss", "slots", "samples",
            "capacity", "cpu", "clock_source", "tx_stamps", "interface lo", "contention", "steal",
            "governor", "scheduler"}
QUICK = ("--seconds", "2", "--targets", "20")
INTERVAL_FIGURES = {"interval_lateness_ns_p50", "interval_lateness_ns_p99",
                    "interval_lateness_ns_max", "interval_dwell_ns_p50",
                    "interval_dwell_ns_p99", "interval_cpu_ppm", "interval_cpu_ns_per_packet",
                    "interval_ring_calls_per_1000_packets", "interval_stamped_tx_ppm",
                    "interval_stamped_rx_ppm"}


class Selftest(unittest.TestCase):
    def setUp(self):
        self.folder = runner.scratch(self)

    def run_selftest(self, *flags, codes=(0, 1)):
        result = node.run("selftest", *QUICK, *flags, cwd=self.folder)
        self.assertIn(result.returncode, codes, result.stdout + result.stderr)
        return result

    def report(self, *flags):
        result = self.run_selftest("--json", *flags)
        report = json.loads(result.stdout)
        self.assertEqual(report["exit_code"], result.returncode)
        verdicts = {finding["verdict"] for finding in report["findings"]}
        self.assertEqual("bad" in verdicts, result.returncode == 1)
        return report

    def check_phase(self, phase):
        self.assertGreater(phase["sent"], 0, phase)
        self.assertEqual(phase["sent"], phase["answered"] + phase["lost"] + phase["unreachable"],
                         phase)
        self.assertEqual(phase["samples_dropped"], 0, phase)
        for times in (phase["lateness"], phase["rtt"]):
            self.assertGreater(times["count"], 0, phase)
            self.assertLessEqual(times["min_ns"], times["p50_ns"])
            self.assertLessEqual(times["p50_ns"], times["p99_ns"])
            self.assertLessEqual(times["p99_ns"], times["max_ns"])
        self.assertEqual(sum(phase["stamps"].values()), phase["rtt"]["count"])
        self.assertGreater(phase["cpu_ppm"], 0)
        self.assertGreater(phase["cpu_ns_per_probe"], 0)

    def test_every_question_has_its_figures_and_its_verdict(self):
        report = self.report()
        self.assertEqual(report["v"], 1)
        self.assertEqual(report["path"], "loopback")
        self.assertLessEqual(SUBJECTS, {finding["subject"] for finding in report["findings"]})
        self.assertEqual([phase["precision"] for phase in report["lateness"]],
                         ["power", "balanced", "spin"])
        self.assertEqual([phase["targets"] for phase in report["added_error"]], [1, 20])
        for phase in report["lateness"] + report["added_error"]:
            self.check_phase(phase)
        for phase in report["added_error"]:
            self.assertLessEqual(0, phase["added_p50_ns"])
            self.assertLessEqual(phase["added_p50_ns"], phase["added_p99_ns"])
        capacity = report["capacity"]
        sustained = [step["probes_per_s"] for step in capacity["steps"] if step["limit"] == "none"]
        self.assertEqual(capacity["probes_per_s"], max(sustained, default=0))

    def test_loopback_is_stamped_by_the_kernel_at_both_ends_of_ours(self):
        report = self.report()
        self.assertEqual(report["stamps"]["interfaces"][0]["interface"], "lo")
        self.assertEqual(report["stamps"]["interfaces"][0]["tx"], "proved")
        for phase in report["added_error"]:
            by_kernel = sum(count for kinds, count in phase["stamps"].items()
                            if kinds.startswith("kernel/") and kinds.endswith("/kernel"))
            self.assertGreater(by_kernel * 2, phase["rtt"]["count"], phase)
            self.assertGreater(phase["dwell"]["count"], 0)

    def test_a_file_says_how_it_is_run(self):
        path = self.folder / "latmon.toml"
        path.write_text(f'precision = "power"\nstamps = "user"\ncores = [{runner.CPUS[0]}]\n')
        report = self.report(str(path))
        self.assertEqual(report["config_file"], str(path))
        self.assertEqual(report["precision"], "power")
        self.assertEqual(report["sender_cpu"], runner.CPUS[0])
        for phase in report["added_error"] + report["capacity"]["steps"]:
            self.assertEqual(phase["precision"], "power")
            self.assertFalse(any(kinds.startswith("kernel/") for kinds in phase["stamps"]), phase)
        stamps = next(f for f in report["findings"] if f["subject"] == "stamps")
        self.assertEqual(stamps["verdict"], "warn")
        self.assertRegex(report["verdict"], r"^(Spread of|Some figures) ")

    def test_on_one_cpu_it_says_what_that_means(self):
        report = self.report("--cpu", str(runner.CPUS[0]))
        self.assertEqual(report["sender_cpu"], report["reflector_cpu"])
        cpu = next(finding for finding in report["findings"] if finding["subject"] == "cpu")
        self.assertEqual(cpu["verdict"], "warn")
        self.assertIn("take turns", cpu["text"])

    def test_people_get_the_same_in_words(self):
        text = self.run_selftest().stdout
        for part in ("over loopback", "balanced, in use", "20 targets", "added: how far",
                     "stamps of T1", "capacity: "):
            self.assertIn(part, text)
        self.assertRegex(text.splitlines()[-1],
                         r"^((Good to|Spread of) .* per core|Some figures .*)\.$")

    def test_what_makes_no_sense_is_refused_before_anything_runs(self):
        self.assertIn("2 to 60", self.run_selftest("--seconds=90", codes=(2,)).stderr)
        self.assertIn("may not run on CPU 4000",
                      self.run_selftest("--cpu", "4000", codes=(2,)).stderr)
        self.run_selftest("nowhere.toml", codes=(78,))

    def test_a_running_node_tells_the_same_of_itself(self):
        ports = node.free_ports()
        out = self.folder / "samples"
        running = node.Node(self, node.config(
            "node", ports, node_interval=1, interval=5, tcp=False,
            targets=[node.target("127.0.0.1", ports, descriptor=False)],
            exporters=[node.cli(out, "node")])).wait_started()

        def values():
            return {sample["name"]: sample["value"] for sample in samples.read(out)}

        told = runner.wait_until("the node to tell of itself", lambda: (
            INTERVAL_FIGURES <= set(values()) and values()))
        running.stop()
        self.assertGreater(told["cpu_ns_total"], 0)
        self.assertLessEqual(told["interval_lateness_ns_p50"], told["interval_lateness_ns_p99"])
        self.assertLessEqual(told["interval_lateness_ns_p99"], told["interval_lateness_ns_max"])
        self.assertGreater(told["interval_cpu_ns_per_packet"], 0)
        self.assertGreater(told["interval_ring_calls_per_1000_packets"], 0)
        self.assertGreater(told["interval_stamped_tx_ppm"], 0)
        self.assertLessEqual(told["interval_stamped_rx_ppm"], 1_000_000)


if __name__ == "__main__":
    runner.main()
