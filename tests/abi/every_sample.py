# SPDX-License-Identifier: Apache-2.0
#
# Every kind and status that a sample may have, and windows of every kind and length, as the json
# exporter writes them, against the schema that is installed with it; and that the schema says no to
# what is none.
#
#   every_sample.py ABI_EVERY_SAMPLE ABI_EVERY_WINDOW
import json
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import json_schema
import runner

WINDOWS_PROGRAM = sys.argv.pop()
PROGRAM = sys.argv.pop()


class Schema(unittest.TestCase):
    def setUp(self):
        self.judge = json_schema.validator()

    def written(self, program, plugin, timestamps):
        path = runner.scratch(self) / "out"
        made = subprocess.run([program, plugin, f"file={path}", f"timestamps={timestamps}"],
                              capture_output=True, text=True, timeout=60, check=True).stdout
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        self.assertEqual(len(lines), int(made))
        return lines

    def windows(self, timestamps):
        return self.written(WINDOWS_PROGRAM, str(runner.PLUGINS / "json.so"), timestamps)

    def lines(self, timestamps):
        return self.written(PROGRAM, "json", timestamps) + self.windows(timestamps)

    def test_every_line_fits(self):
        for timestamps in ("ns", "rfc3339"):
            for sample in self.lines(timestamps):
                json_schema.check(self, self.judge, sample)

    def test_every_field_and_word_of_the_schema_is_written(self):
        lines = self.lines("ns") + self.lines("rfc3339")
        properties = self.judge.schema["properties"]
        seen = {key for sample in lines for key in sample}
        self.assertEqual(set(properties) - seen, set())
        for key in ("kind", "status"):
            words = {sample[key] for sample in lines if key in sample} | {"unknown"}
            self.assertEqual(words, set(properties[key]["enum"]))

    def test_what_is_no_window_does_not_fit(self):
        good = next(line for line in self.windows("ns")
                    if line.get("of") == "exchange" and "rtt" in line)
        for change in ({"kind": "exchange"}, {"of": "window"}, {"length_ns": 2_000_000_000},
                       {"core": 0}, {"time_ns": 1}, {"status": "ok"}, {"loss_ratio": 1.5},
                       {"lost": -1}, {"rtt": 5}, {"rtt": {"count": 1}}, {"statuses": {"ok": -1}},
                       {"objective_kept": 1}, {"begin": "now"}):
            with self.subTest(change):
                self.assertFalse(self.judge.is_valid(good | change))
        bad_bucket = json.loads(json.dumps(good))
        bad_bucket["rtt"]["histogram"]["positive"] = [[1, 0]]
        self.assertFalse(self.judge.is_valid(bad_bucket))
        for missing in ("v", "series_id", "begin_ns", "samples", "statuses", "lost"):
            with self.subTest(missing):
                self.assertFalse(self.judge.is_valid(
                    {key: value for key, value in good.items() if key != missing}))

    def test_what_is_no_sample_does_not_fit(self):
        good = next(sample for sample in self.lines("ns")
                    if sample["kind"] == "exchange" and sample["status"] == "lost")
        for change in ({"v": 2}, {"status": "gone"}, {"rtt_ns": 1}, {"time": "now"},
                       {"colour": "blue"}, {"blame": ["me"]}, {"t1_stamp": "none"},
                       {"time_ns": 1.5}, {"kind": "node"}, {"name": "x"}, {"kind": "window"},
                       {"kind": "counter"}, {"length_ns": 1_000_000_000}):
            with self.subTest(change):
                self.assertFalse(self.judge.is_valid(good | change))
        for missing in ("v", "kind", "status", "time_ns", "blame"):
            with self.subTest(missing):
                self.assertFalse(self.judge.is_valid(
                    {key: value for key, value in good.items() if key != missing}))


if __name__ == "__main__":
    runner.main()
