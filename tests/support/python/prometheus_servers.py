# SPDX-License-Identifier: Apache-2.0
#
# Prometheus and its Pushgateway, as Debian has them, each started for one test on a port of its
# own and killed at its end. What a machine runs as a service is not touched.
import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import node
import runner


def http(url, method="GET", body=None, timeout_s=10):
    """(status, text); (0, why) if nobody answers."""
    request = urllib.request.Request(url, method=method, data=body)
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except (OSError, urllib.error.URLError) as error:
        return 0, str(error)


class Server:
    """A process that says at /-/ready when it works."""

    def __init__(self, case, name, port=None):
        runner.need_tool(name)
        self.case = case
        self.name = name
        self.folder = runner.scratch(case)
        self.port = port or node.free_ports().tcp
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        case.addCleanup(self.kill)

    def arguments(self):
        raise NotImplementedError

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.name, *self.arguments()], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, preexec_fn=node.die_with_parent)
        runner.wait_until(f"{self.name} to be ready", self.is_ready)
        return self

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError((self.folder / "log").read_text(errors="replace"))
        return http(f"{self.url}/-/ready")[0] == 200

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Pushgateway(Server):
    def __init__(self, case, port=None):
        super().__init__(case, "prometheus-pushgateway", port)

    def arguments(self):
        return [f"--web.listen-address=127.0.0.1:{self.port}", "--persistence.file="]

    def metrics(self):
        """Everything that it would tell a scraper, as text."""
        status, text = http(f"{self.url}/metrics")
        self.case.assertEqual(status, 200, text)
        return text

    def groups(self):
        """The labels of every group that was pushed and not deleted."""
        status, text = http(f"{self.url}/api/v1/metrics")
        self.case.assertEqual(status, 200, text)
        return [group["labels"] for group in json.loads(text)["data"]]


class Prometheus(Server):
    """Scrapes `targets` ("host:port") every `interval_s`."""

    def __init__(self, case, targets, port=None, features=(), interval_s=1):
        super().__init__(case, "prometheus", port)
        self.features = features
        self.config = self.folder / "prometheus.yml"
        listed = ", ".join(f'"{target}"' for target in targets)
        self.config.write_text(
            f"global: {{scrape_interval: {round(interval_s * 1000)}ms}}\n"
            "scrape_configs:\n"
            "  - job_name: scraped\n"
            "    honor_labels: true\n"
            f"    static_configs: [{{targets: [{listed}]}}]\n")

    def arguments(self):
        features = [f"--enable-feature={','.join(self.features)}"] if self.features else []
        return [f"--config.file={self.config}", f"--storage.tsdb.path={self.folder}/data",
                f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn", *features]

    def rows(self, expression):
        """What an instant query comes to, as the API has it."""
        query = urllib.parse.urlencode({"query": expression})
        status, text = http(f"{self.url}/api/v1/query?{query}")
        self.case.assertEqual(status, 200, text)
        return json.loads(text)["data"]["result"]

    def query(self, expression):
        """[(labels, value)] of an instant query."""
        return [(row["metric"], float(row["value"][1])) for row in self.rows(expression)]

    def scraped(self, metric):
        """[(labels, [(seconds since 1970, value)])]: all that was scraped of it within the hour,
        also of what is gone. A native histogram is its (count, sum)."""
        def values(row):
            yield from ((at_s, float(value)) for at_s, value in row.get("values", ()))
            for at_s, histogram in row.get("histograms", ()):
                yield at_s, (float(histogram["count"]), float(histogram["sum"]))
        return [(row["metric"], sorted(values(row))) for row in self.rows(f"{metric}[1h]")]


def check_metrics(case, text):
    """What promtool has to say against an exposition, which is nothing."""
    runner.need_tool("promtool")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                          capture_output=True, timeout=60, check=False)
    case.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""), text[:2_000])
