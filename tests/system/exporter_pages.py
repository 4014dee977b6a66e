# SPDX-License-Identifier: Apache-2.0
#
# The examples in the manual: all of them pass `latmon check`. Those of exporters that need no
# server, as they stand there: the configuration runs, and what the page says comes out. In a
# namespace of our own, where their ports are free; directories that only an installed latmon has
# are replaced.
import json
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import json_schema
import manual
import netns
import node
import runner
import subscriber

DEBIAN = "import sys; sys.path.append('/usr/lib/python3/dist-packages')\n"


def setUpModule():
    netns.enter()


def examples(page, language):
    return manual.examples(f"exporters/{page}.md", language)


class EveryPage(unittest.TestCase):
    def test_every_example_passes_check(self):
        pages = [runner.ROOT / "README.md", *sorted((runner.ROOT / "docs").rglob("*.md"))]
        path, count = runner.scratch(self) / "latmon.toml", 0
        for page in pages:
            for text in manual.blocks(page):
                count += 1
                with self.subTest(page=page.name, text=text):
                    path.write_text(text)
                    done = node.run("check", str(path))
                    self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(count, 15)

    def test_the_example_of_windows_writes_windows(self):
        folder = runner.scratch(self)
        windows, tainted, objective = manual.examples("statistics.md")
        text = manual.replaced(tainted + objective + windows, ("/var/log/latmon", str(folder)),
                               ("192.0.2.7", "127.0.0.1"))
        daemon = node.Node(self, text).wait_started()
        path = folder / "windows.json"
        runner.wait_until("windows", lambda: path.exists() and path.stat().st_size > 0)
        daemon.stop()
        for line in path.read_text().splitlines():
            self.assertEqual(json.loads(line)["kind"], "window")


class ExporterPages(unittest.TestCase):
    def start(self, page):
        (text,) = examples(page, "toml")
        self.folder = runner.scratch(self)
        return node.Node(self, text.replace("/var/log/latmon", str(self.folder))).wait_started()

    def test_cli(self):
        daemon = self.start("cli")
        runner.wait_until("a table", lambda: "ROUND TRIP" in daemon.stdout())
        daemon.stop()

    def test_log(self):
        daemon = self.start("log")
        line = daemon.wait_line(r'\[INFO\] exporter log: (\{"v":1,"kind":"exchange".*\})').group(1)
        json_schema.check(self, json_schema.validator(), json.loads(line))
        daemon.stop()

    def test_json(self):
        daemon = self.start("json")
        path = self.folder / "samples.ndjson"
        runner.wait_until("lines", lambda: path.exists() and path.stat().st_size > 0)
        daemon.stop()
        judge = json_schema.validator()
        for line in path.read_text().splitlines():
            json_schema.check(self, judge, json.loads(line))

    def test_the_lines_on_the_page_of_json_fit_the_schema(self):
        sample, window = (json.loads(line) for line in examples("json", "json"))
        for line in (sample, window):
            json_schema.check(self, json_schema.validator(), line)
        self.assertEqual(window["kind"], "window")

    def test_zeromq(self):
        subscriber.need()
        daemon = self.start("zeromq")
        (program,) = examples("zeromq", "python")
        done = subprocess.run([sys.executable, "-c", DEBIAN + program], capture_output=True,
                              text=True, timeout=runner.DEADLINE_S, check=True,
                              preexec_fn=node.die_with_parent)
        topic, payload = done.stdout.strip().split(" ", 1)
        self.assertRegex(topic, r"^exchange\|.*\|self\|$")
        json_schema.check(self, json_schema.validator(), json.loads(payload))
        daemon.stop()


if __name__ == "__main__":
    runner.main()
