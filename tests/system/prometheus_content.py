# SPDX-License-Identifier: Apache-2.0
#
# What comes with latmon for Prometheus and Grafana: rules, alerts and a dashboard. promtool judges
# the rules and every query; of the dashboard is asked what grafana/dashboard-linter asks; and all
# of them ask for series alone that the exporter's page says there are.
import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import runner

RULES = runner.ROOT / "contrib" / "prometheus"
GRAFANA = runner.ROOT / "contrib" / "grafana"
PAGE = (runner.ROOT / "docs" / "exporters" / "prometheus.md").read_text()
NAME = re.compile(r"(?<![:\w])((?:latmon|process)_[a-z0-9_]+)")

# Of Grafana's units those that this dashboard may have, by their ids.
UNITS = {"short", "percentunit", "pps", "cps", "s", "bytes", "bool_yes_no"}
WITH_UNIT = {"stat", "table", "timeseries", "gauge"}


def promtool(*arguments):
    runner.need_tool("promtool")
    return subprocess.run(["promtool", *map(str, arguments)], text=True, capture_output=True,
                          timeout=120, check=False)


def documented(name):
    """The page has it, or what it is a part of."""
    family = re.sub(r"_(bucket|sum|count|created)$", "", name)
    return any(f"`{each}`" in PAGE or f"`{each}{{" in PAGE for each in (name, family))


class Rules(unittest.TestCase):
    FILES = (RULES / "latmon.rules.yml", RULES / "latmon.alerts.yml")

    def test_promtool_has_nothing_to_say(self):
        done = promtool("check", "rules", *self.FILES)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_alert_fires_when_it_must(self):
        done = promtool("test", "rules", RULES / "latmon.test.yml")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def alerts(self):
        text = self.FILES[1].read_text()
        return {block.split()[0]: block for block in re.split(r"- alert: ", text)[1:]}

    def test_each_alert_is_tested_and_says_what_it_is_and_what_to_do(self):
        headings = re.findall(r"^## (\w+)$", (runner.ROOT / "docs" / "alerts.md").read_text(), re.M)
        tests = (RULES / "latmon.test.yml").read_text()
        self.assertEqual(sorted(self.alerts()), sorted(headings))
        for name, block in self.alerts().items():
            with self.subTest(name):
                for part in ("summary:", "description:", "labels: {severity: "):
                    self.assertIn(part, block)
                self.assertIn(f"runbook_url: docs/alerts.md#{name.lower()}\n", block)
                fires = rf"alertname: {name}\n\s+exp_alerts:\n\s+- exp_labels"
                self.assertRegex(tests, fires)

    def test_what_they_ask_for_is_documented(self):
        for path in self.FILES:
            code = re.sub(r"#.*", "", path.read_text())
            recorded = re.sub(r"path:[\w:]+", "", code)
            for name in set(NAME.findall(recorded)):
                self.assertTrue(documented(name), f"{path.name}: {name}")


class Dashboard(unittest.TestCase):
    def setUp(self):
        self.board = json.loads((GRAFANA / "latmon.json").read_text())
        self.variables = {each["name"]: each for each in self.board["templating"]["list"]}
        self.panels = [panel for panel in self.board["panels"] if panel["type"] != "row"]

    def queries(self):
        for panel in self.panels:
            for target in panel["targets"]:
                yield panel["title"], target["expr"]

    def test_it_is_what_its_script_writes(self):
        done = subprocess.run([sys.executable, GRAFANA / "generate", "--check"], text=True,
                              capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_variables_are_as_the_linter_wants_them(self):
        source = self.variables["datasource"]
        self.assertEqual((source["type"], source["query"], source["label"]),
                         ("datasource", "prometheus", "Data source"))
        for name, label in (("job", "Job"), ("instance", "Instance")):
            variable = self.variables[name]
            self.assertEqual(
                (variable["type"], variable["datasource"]["uid"], variable["label"],
                 variable["multi"], variable["allValue"], variable["includeAll"]),
                ("query", "$datasource", label, True, ".+", True))
        for variable in self.variables.values():
            if variable["type"] == "query":
                self.assertEqual(variable["refresh"], 2, "on change of the time range")

    def test_it_is_not_editable_and_has_an_identity_that_stays(self):
        self.assertFalse(self.board["editable"])
        self.assertEqual(self.board["uid"], "latmon-overview")

    def test_each_panel_says_what_it_shows_of_what_and_in_which_unit(self):
        titles = [panel["title"] for panel in self.panels]
        self.assertEqual(len(titles), len(set(titles)))
        for panel in self.panels:
            with self.subTest(panel["title"]):
                self.assertTrue(panel["title"] and panel["description"])
                self.assertTrue(panel["targets"])
                for part in (panel, *panel["targets"]):
                    self.assertEqual(part["datasource"]["uid"], "$datasource")
                if panel["type"] in WITH_UNIT:
                    self.assertIn(panel["fieldConfig"]["defaults"]["unit"], UNITS)
                    for override in panel["fieldConfig"]["overrides"]:
                        for each in override["properties"]:
                            self.assertTrue(each["id"] != "unit" or each["value"] in UNITS)

    def test_panels_do_not_cover_each_other(self):
        taken = set()
        for panel in self.board["panels"]:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(taken & cells, panel["title"])
            self.assertLessEqual(place["x"] + place["w"], 24)
            taken |= cells

    def test_each_query_has_the_matchers_and_the_interval(self):
        for title, query in self.queries():
            with self.subTest(title):
                selectors = re.findall(r"\{([^{}]*)\}", query)
                self.assertTrue(selectors)
                for selector in selectors:
                    self.assertIn('job=~"$job"', selector)
                    self.assertIn('instance=~"$instance"', selector)
                self.assertEqual(set(re.findall(r"\[(.*?)\]", query)) - {"$__rate_interval"},
                                 set())
                for counter in re.finditer(r"\w+_total\{", query):
                    self.assertRegex(query[:counter.start()], r"(rate|irate|increase)\($")

    def test_each_query_is_one_for_promtool(self):
        rules = ["groups:", "- name: queries", "  rules:"]
        for number, (_, query) in enumerate(self.queries()):
            for histogram in ("()", "_bucket"):
                text = query.replace("$__rate_interval", "5m").replace("$histogram", histogram)
                self.assertEqual(set(re.findall(r"\$(\w+)", text)) - set(self.variables), set())
                text = re.sub(r"\$\w+", ".+", text)
                rules += [f"  - record: query:{number}:{len(histogram)}",
                          f"    expr: {json.dumps(text)}"]
        path = runner.scratch(self) / "queries.yml"
        path.write_text("\n".join(rules) + "\n")
        done = promtool("check", "rules", "--lint=none", path)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_what_it_asks_for_is_documented(self):
        names = set()
        for _, query in self.queries():
            for regex in re.findall(r'__name__=~"([^"]*)\$histogram"', query):
                names |= {regex.replace("(rtt|tcp_connect)", each)
                          for each in ("rtt", "tcp_connect")}
            names |= set(NAME.findall(re.sub(r'__name__=~"[^"]*"', "", query)))
        for name in names:
            self.assertTrue(documented(name), name)


if __name__ == "__main__":
    runner.main()
