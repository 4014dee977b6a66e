# SPDX-License-Identifier: Apache-2.0
#
# The configuration is loaded anew while everything runs, whole or not at all: targets that stay
# miss no slot and keep their numbers, exporters that stay keep theirs, what was refused changes
# nothing, and nothing piles up. LATMON_SYSTEM_RELOADS: how many times, every other one with a
# mistake in it.
import json
import os
import re
import signal
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner
import samples

RELOADS = int(os.environ.get("LATMON_SYSTEM_RELOADS", 30))
STAYING, CHANGING = 18, 2
INTERVAL_MS = 20
REFUSED = r"reload: refused"
DONE = r"reload: done"


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


class Reloader:
    """One latmon, and its configuration as a dictionary."""

    def __init__(self, case, keys, *flags):
        self.keys = keys
        self.node = node.Node(case, keys, *flags).wait_started()
        self.count = self.failed = 0
        self.changes = []  # (before_ns, after_ns, total, failed) of each.

    def load(self, text, pattern):
        """Writes the file and waits for the answer in the log."""
        path = self.node.config
        fresh = path.with_suffix(".new")
        fresh.write_text(text if isinstance(text, str) else node.to_toml(text))
        fresh.rename(path)
        seen = len(re.findall(f"{REFUSED}|{DONE}", self.node.log()))
        before = time.time_ns()
        self.node.process.send_signal(signal.SIGHUP)

        def answers():
            found = re.findall(f"{REFUSED}|{DONE}", self.node.log())
            return found if len(found) > seen else None
        found = runner.wait_until(f"the reload:\n{self.node.log()[-2000:]}", answers)
        self.count += 1
        self.failed += found[-1] == REFUSED
        self.changes.append((before, time.time_ns(), self.count, self.failed))
        if found[-1] != pattern:
            raise AssertionError(f"not {pattern}:\n{self.node.log()[-3000:]}")

    def refuse(self, text, *reasons):
        begin = len(self.node.log())
        self.load(text, REFUSED)
        log = self.node.log()[begin:]
        for reason in reasons:
            self.node.case.assertRegex(log, reason)

    def accept(self, **keys):
        self.keys = self.keys | keys
        self.load(self.keys, DONE)


class Reload(unittest.TestCase):
    def start_far_end(self):
        """Its ports: all targets are there, each at an address of its own."""
        ports = node.free_ports()
        node.Node(self, node.config("far", ports, address="0.0.0.0")).wait_started()
        return ports

    def config(self, path, targets, **keys):
        return node.config("node", node.free_ports(), interval=INTERVAL_MS, timeout=0.2,
                           node_interval=1, targets=targets,
                           exporters=[node.cli(path, "exchange", "connect", "node")], **keys)

    def targets(self, ports, round_number):
        def target(index, label, **keys):
            return node.target(f"127.0.0.{index}", ports, label=label, tags=[f"t:{index}"],
                               type="tcp" if index % 6 == 0 else "udp",
                               descriptor=False, **keys)  # Which would take a number.
        staying = [target(10 + index, f"stay{index}") for index in range(STAYING)]
        # They go and come back, now and then with another interval under the same name.
        changing = [target(50 + index, f"change{index + CHANGING * (round_number % 2)}",
                           interval=INTERVAL_MS + round_number % 3) for index in range(CHANGING)]
        # Where a target stands makes no difference.
        return staying[round_number % STAYING:] + changing + staying[:round_number % STAYING]

    def mistake(self, reloader, number):
        """A file that has to be refused, and why."""
        good = node.to_toml(reloader.keys)
        return [
            ("interval = \n", r":1:\d+: not TOML"),
            (good + "\nnonsense = 1\n", "nonsense"),
            (good.replace('name = "node"', 'name = "other"'),
             r':\d+:\d+: "name" .* needs a restart'),
            (good + '\n[[exporters]]\nplugin = "none"\n', "there is no none.so"),
            (good + '\n[[targets]]\nhost = "127.0.0.99"\nkey_file = "/nowhere"\n', "/nowhere"),
            (good + '\n[[exporters]]\nplugin = "cli"\nname = "b"\nfrobnicate = 1\n', "frobnicate"),
        ][number % 6]

    def check_staying(self, path):
        """The numbers of each go on without a gap, and its slots lie on one grid."""
        numbers, slots = {}, {}
        for sample in samples.read_checked(self, path):
            is_staying = sample.get("target", "").startswith("stay")
            if sample["kind"] != "exchange" or not is_staying or "sequence" not in sample:
                continue
            key = samples.series_of(sample)
            numbers.setdefault(key, set()).add(sample["sequence"])
            off = (sample["scheduled_ns"] - slots.setdefault(key, sample["scheduled_ns"]))
            off %= INTERVAL_MS * 1_000_000
            self.assertLess(min(off, INTERVAL_MS * 1_000_000 - off), 2_000_000, key)
        self.assertEqual(len(numbers), STAYING)
        for key, seen in numbers.items():
            self.assertEqual(seen, set(range(max(seen) + 1)), key)

    def check_figures(self, path, changes):
        """What the node told of reloads at any time is what had happened by then."""
        told = 0
        for sample in samples.read(path):
            name = sample.get("name", "")
            if sample["kind"] != "node" or not name.startswith("config_"):
                continue
            at = sample["time_ns"]
            earlier = [change for change in changes if change[1] < at - 50_000_000]
            later = [change for change in changes if change[0] < at + 50_000_000]
            low, high = earlier[-1][2:] if earlier else (0, 0), later[-1][2:] if later else (0, 0)
            if name == "config_reloads_total":
                self.assertTrue(low[0] <= sample["value"] <= high[0], (low, sample, high))
                told += 1
            elif name == "config_reloads_failed_total":
                self.assertTrue(low[1] <= sample["value"] <= high[1], (low, sample, high))
            elif name == "config_last_reload_successful" and low == high and earlier:
                was_refused = len(earlier) > 1 and earlier[-1][3] > earlier[-2][3]
                was_refused |= len(earlier) == 1 and earlier[-1][3] == 1
                self.assertEqual(sample["value"], 0 if was_refused else 1, (earlier[-2:], sample))
        self.assertGreater(told, 0)

    def test_many_reloads_disturb_nobody(self):
        ports, path = self.start_far_end(), runner.scratch(self) / "samples.ndjson"
        reloader = Reloader(self, self.config(path, self.targets(ports, 0)))
        warm_up, files, kib = min(RELOADS // 3, 100), 0, 0
        for number in range(RELOADS):
            if number % 2:
                reloader.refuse(*self.mistake(reloader, number // 2))
            else:
                reloader.accept(targets=self.targets(ports, number // 2 + 1))
            if number == warm_up:
                time.sleep(0.5)  # What was on its way out has gone.
                files, kib = open_files(reloader.node.pid), resident_kib(reloader.node.pid)
        time.sleep(1.2)  # A last report of the node.
        # Fewer, if something was still on its way out back then.
        self.assertLessEqual(open_files(reloader.node.pid), files)
        grown = resident_kib(reloader.node.pid) - kib
        if not runner.IS_SANITIZED:
            self.assertLess(grown, 1_024, "KiB")
        accounts = reloader.node.stop()
        for index in range(STAYING):
            kind = "tcp" if (10 + index) % 6 == 0 else "udp"
            probe = accounts.probe(f"stay{index}", kind)
            self.assertEqual(probe["missed"], 0, probe)
            self.assertEqual(probe["reopened"], 0, probe)
        accounts.check_delivered(self, "cli")
        self.check_staying(path)
        self.check_figures(path, reloader.changes)

    def test_exporters_come_go_and_change(self):
        ports, folder = self.start_far_end(), runner.scratch(self)
        path = folder / "samples.ndjson"
        reloader = Reloader(self, self.config(path, self.targets(ports, 0)))
        first = reloader.keys["exporters"]
        second = node.cli(folder / "second.ndjson", "exchange", name="second")
        reloader.accept(exporters=first + [second])
        runner.wait_until("samples", lambda: any(samples.read(folder / "second.ndjson")))
        changed = node.cli(folder / "third.ndjson", "exchange", name="second")
        reloader.accept(exporters=[changed] + first)
        runner.wait_until("samples", lambda: any(samples.read(folder / "third.ndjson")))
        reloader.accept(exporters=first)
        runner.wait_until("its accounts", lambda: len(re.findall(
            r"accounts: exporter=second", reloader.node.log())) == 2)
        self.assertEqual(len(re.findall("exporter cli: plugin", reloader.node.log())), 1)
        accounts = reloader.node.stop()
        accounts.check_delivered(self, "cli")
        accounts.check_delivered(self, "second")
        # Between the two no sample was lost, and none came twice.
        seen = {}
        for file in ("second.ndjson", "third.ndjson"):
            for sample in samples.read(folder / file):
                if sample["status"] in samples.ANSWERED:
                    seen.setdefault(samples.series_of(sample), []).append(sample["sequence"])
        for series, numbers in seen.items():
            self.assertEqual(sorted(numbers),
                             list(range(min(numbers), min(numbers) + len(numbers))), series)

    def test_targets_of_files_come_and_go_with_them(self):
        ports, folder = self.start_far_end(), runner.scratch(self)
        path = folder / "samples.ndjson"
        keys = self.config(path, self.targets(ports, 0)[:2])
        keys["target_files"] = [{"path": f"{folder}/*.json", "type": "udp", "tags": ["from:file"]}]
        reloader = Reloader(self, keys)

        def write(name, text):
            (folder / "draft").write_text(text)
            (folder / "draft").rename(folder / name)

        def seen(target):
            return [sample for sample in samples.read(path) if sample.get("target") == target]

        groups = [{"targets": [f"127.0.0.70:{ports.udp}", f"127.0.0.71:{ports.udp}"],
                   "labels": {"site": "a", "__meta": "x"}}]
        write("a.json", json.dumps(groups))
        runner.wait_until("a target of a file", lambda: seen("127.0.0.71"))
        self.assertEqual(seen("127.0.0.71")[0]["tags"], ["from:file", "site:a"])
        write("b.json", '[{"targets": ["127.0.0.72:x"]}]')
        reloader.node.wait_line(r"b.json: target \"127.0.0.72:x\" is none")
        self.assertFalse(seen("127.0.0.72"))
        write("b.json", json.dumps([{"targets": [f"127.0.0.72:{ports.udp}"]}]))
        runner.wait_until("the mended file", lambda: seen("127.0.0.72"))
        (folder / "a.json").unlink()
        reloader.node.wait_line(r"3 targets go on, 2 go, 0 come")
        accounts = reloader.node.stop()
        self.assertEqual(sorted(probe["target"] for probe in accounts.probes),
                         ["127.0.0.72", "stay0", "stay1"])

    def test_without_a_file_there_is_nothing_to_load(self):
        ports = node.free_ports()
        daemon = node.Node(self, None, f"--udp-port={ports.udp}",
                           f"--tcp-port={ports.tcp}").wait_started()
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_line(REFUSED)
        self.assertTrue(daemon.is_running())
        daemon.stop()


if __name__ == "__main__":
    runner.main()
