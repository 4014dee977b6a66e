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
import socket
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner
import samples
import subscriber

RELOADS = int(os.environ.get("LATMON_SYSTEM_RELOADS", 30))
# So often the node is waited for, to tell of the last reload; odd: of a good and of a refused one.
TELL_EVERY = 15
STAYING, CHANGING = 18, 2
INTERVAL_MS = 20
REFUSED = r"reload: refused"
DONE = r"reload: done"


def open_files(pid):
    """Those that stay: a handshake that is measured has one for a moment."""
    counts = []
    for _ in range(20):
        counts.append(len(os.listdir(f"/proc/{pid}/fd")))
        time.sleep(0.01)
    return min(counts)


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

    def check_told(self, reloader, tail):
        """What the node tells next of reloads is about the last one."""
        before, after, count, failed = reloader.changes[-1]
        was_refused = failed > (reloader.changes[-2][3] if count > 1 else 0)
        expected = {"config_reloads_total": count, "config_reloads_failed_total": failed,
                    "config_last_reload_successful": 0 if was_refused else 1}
        name, found = "config_last_reload_success_timestamp_seconds", {}

        def is_told():
            found.update({sample["name"]: sample["value"] for sample in tail.new()
                          if sample["kind"] == "node" and sample["time_ns"] > after})
            return found.keys() >= {name, *expected}
        runner.wait_until("the node to tell of it", is_told)
        self.assertEqual({each: found[each] for each in expected}, expected)
        if was_refused:
            self.assertLess(found[name], before / 1e9 + 1)
        else:
            self.assertTrue(before // 10**9 <= found[name] <= after // 10**9 + 1, found)

    def staying(self, accounts):
        """{series: its account}"""
        kinds = ["tcp" if (10 + index) % 6 == 0 else "udp" for index in range(STAYING)]
        return {(f"stay{index}", kind): accounts.probe(f"stay{index}", kind)
                for index, kind in enumerate(kinds)}

    def check_staying(self, path, accounts):
        """The numbers of each go on without a gap, and its slots without one that the accounts do
        not have."""
        numbers, slots = {}, {}
        for sample in samples.read_checked(self, path):
            is_staying = sample.get("target", "").startswith("stay")
            if sample["kind"] != "exchange" or not is_staying or "sequence" not in sample:
                continue
            key = samples.series_of(sample)
            numbers.setdefault(key, set()).add(sample["sequence"])
            slots.setdefault(key, {})[sample["sequence"]] = sample["scheduled_ns"]
        self.assertEqual(len(numbers), STAYING)
        for key, seen in numbers.items():
            self.assertEqual(seen, set(range(max(seen) + 1)), key)
            missed, slot_ns = 0, INTERVAL_MS * 1_000_000
            for number in range(max(seen)):
                step_ns = slots[key][number + 1] - slots[key][number]
                steps = round(step_ns / slot_ns)
                self.assertLess(abs(step_ns - steps * slot_ns), 2_000_000, (key, number))
                missed += steps - 1
            self.assertEqual(missed, self.staying(accounts)[key]["missed"], key)

    def check_changing(self, path):
        """They did come: each begins at 0 every time."""
        begun = [sample["target"] for sample in samples.read(path)
                 if sample["kind"] == "exchange" and sample.get("sequence") == 0
                 and sample["target"].startswith("change")]
        self.assertEqual(set(begun), {f"change{index}" for index in range(2 * CHANGING)})

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
        # The same without reloads: pages are touched for the first time for a minute.
        control = node.Node(self, self.config(path.with_name("control"),
                                              self.targets(ports, 0))).wait_started()
        tail, seen = samples.Tail(path), set()

        def ahead_kib():
            return resident_kib(reloader.node.pid) - resident_kib(control.pid)

        def have_all_answered():
            seen.update(sample["target"] for sample in tail.new() if "rtt_ns" in sample)
            return len(seen) == STAYING + CHANGING
        runner.wait_until("every target", have_all_answered)
        warm_up, files, kib = min(RELOADS // 3, 100), open_files(reloader.node.pid), 0
        for number in range(RELOADS):
            if number % 2:
                reloader.refuse(*self.mistake(reloader, number // 2))
            else:
                reloader.accept(targets=self.targets(ports, number // 2 + 1))
            if number % TELL_EVERY < 2:
                self.check_told(reloader, tail)
            if number == warm_up:
                time.sleep(0.5)  # What was on its way out has gone.
                kib = ahead_kib()
        self.check_told(reloader, tail)
        runner.wait_until("as many open files as at the start",
                          lambda: open_files(reloader.node.pid) == files)
        grown_kib = ahead_kib() - kib
        print(f"{RELOADS} reloads, {reloader.failed} refused; {files} open files; RSS beyond that "
              f"of a node that loads nothing: {kib} KiB after {warm_up} reloads, and {grown_kib} "
              "KiB more at the end", file=sys.stderr)
        if not runner.IS_SANITIZED:
            self.assertLess(grown_kib, 512)
        accounts = reloader.node.stop()
        # None; or if the machine stood still for the other one too, no more than that. Twice it may
        # have stood still for this one alone.
        missed, without = (sum(probe["missed"] for probe in self.staying(each).values())
                           for each in (accounts, control.stop()))
        print(f"missed slots of unchanged targets: {missed}; without reloads: {without}",
              file=sys.stderr)
        self.assertLessEqual(missed, 2 * without + 2)
        for probe in self.staying(accounts).values():
            self.assertEqual(probe["reopened"], 0, probe)
        accounts.check_delivered(self, "cli")
        self.check_staying(path, accounts)
        self.check_changing(path)
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
        reloader.node.wait_line(r"b.json: group 1, target 1: target \"127.0.0.72:x\" is none")
        self.assertFalse(seen("127.0.0.72"))
        write("b.json", json.dumps([{"targets": [f"127.0.0.72:{ports.udp}"]}]))
        runner.wait_until("the mended file", lambda: seen("127.0.0.72"))
        (folder / "a.json").unlink()
        reloader.node.wait_line(r"3 targets go on, 2 go, 0 come")
        accounts = reloader.node.stop()
        self.assertEqual(sorted(probe["target"] for probe in accounts.probes),
                         ["127.0.0.72", "stay0", "stay1"])

    def test_a_key_file_with_another_key_makes_its_target_another_one(self):
        right, wrong = bytes(range(32)), bytes(range(1, 33))
        ports, path = node.free_ports(), runner.scratch(self) / "samples.ndjson"
        node.Node(self, node.config("far", ports, reflector={"keys": [
            {"prefixes": ["127.0.0.0/8"], "key_file": node.key_file(self, right)}]})).wait_started()
        kept, changing = node.key_file(self, right), Path(node.key_file(self, right))
        reloader = Reloader(self, self.config(path, [
            node.target("127.0.0.1", ports, label=label, type="udp", key_file=str(key),
                        descriptor=False)
            for label, key in (("kept", kept), ("changing", changing))]))

        def wait_for(target, *statuses):
            begin_ns = time.time_ns()
            runner.wait_until(f"{target} {statuses}", lambda: any(
                sample.get("target") == target and sample.get("status") in statuses
                and sample.get("scheduled_ns", 0) > begin_ns for sample in samples.read(path)))

        def load(text, pattern, line):
            begin = len(reloader.node.log())
            changing.write_text(text)
            reloader.load(reloader.keys, pattern)
            self.assertRegex(reloader.node.log()[begin:], line)

        wait_for("changing", *samples.ANSWERED)
        load(f"hex:{wrong.hex()}\n", DONE, r"reload: 1 targets go on, 1 go, 1 come")
        wait_for("changing", "lost", "lost_forward")
        load("hex:00\n", REFUSED, f"reload: .*{changing}")
        wait_for("changing", "lost", "lost_forward")
        load(f"hex:{right.hex()}\n", DONE, r"reload: 1 targets go on, 1 go, 1 come")
        wait_for("changing", *samples.ANSWERED)
        load(f"hex:{right.hex()}\n", DONE, r"reload: 2 targets go on, 0 go, 0 come")
        probe = reloader.node.stop().probe("kept", "udp")
        self.assertEqual((probe["lost"], probe["reopened"]), (0, 0), probe)
        numbers = {sample["sequence"] for sample in samples.read(path)
                   if sample.get("target") == "kept" and "sequence" in sample}
        self.assertEqual(numbers, set(range(max(numbers) + 1)))

    def test_an_exporter_that_holds_what_its_heir_needs_ends_first(self):
        subscriber.need()
        ports, path = self.start_far_end(), runner.scratch(self) / "samples.ndjson"
        port, other = node.free_ports()[:2]
        reader = subscriber.Subscriber(self, f"tcp://127.0.0.1:{port}",
                                       keep=lambda _, sample: subscriber.key_of(sample))

        def publishing(*endpoints):
            return {"plugin": "zeromq", "queue_samples": 1 << 16, "samples": ["exchange"],
                    "bind": list(endpoints)}
        keys = self.config(path, self.targets(ports, 0))
        [text] = keys["exporters"]
        first, wide = publishing(f"tcp://127.0.0.1:{port}"), publishing(f"tcp://*:{port}")
        reloader = Reloader(self, keys | {"exporters": [text, first]})
        reader.wait(20)
        # The same port at another address: one of them has it, never both.
        ends_first = "exporter zeromq: cannot be made beside the one that runs, which ends first"
        reloader.accept(exporters=[text, wide])
        self.assertEqual(reloader.node.log().count(ends_first), 1, reloader.node.log())
        runner.wait_until("its accounts", lambda: "accounts: exporter=zeromq" in
                          reloader.node.log())
        reader.wait(reader.count + 20)
        # Where somebody else is nobody can be: it goes on as it was.
        with socket.create_server(("127.0.0.1", other)):
            reloader.refuse(node.to_toml(keys | {"exporters": [
                text, publishing(f"tcp://*:{port}", f"tcp://127.0.0.1:{other}")]}),
                "another process has it", "was made again as it was")
        reader.wait(reader.count + 20)
        # Another port needs nothing of what the old one holds.
        reloader.accept(exporters=[text, publishing(f"tcp://127.0.0.1:{other}")])
        self.assertEqual(reloader.node.log().count(ends_first), 2, reloader.node.log())
        heir = subscriber.Subscriber(self, f"tcp://127.0.0.1:{other}")
        heir.wait(20)
        accounts = reloader.node.stop()
        accounts.check_delivered(self, "cli")
        self.assertEqual(accounts.exporters["zeromq"]["rejected"], 0)
        heir.finish()
        kept = reader.finish()
        self.assertEqual(len(set(kept)), len(kept), "some came twice")

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
