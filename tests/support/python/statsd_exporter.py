# SPDX-License-Identifier: Apache-2.0
#
# statsd_exporter of the Prometheus project: a server that reads DogStatsD, and is not ours. Built
# once, by go, from the module of that name, into the build directory; that takes a minute or two on
# two CPUs. Older ones read no lines with several values, and Debian 12 has a go that is too old for
# this one. Each runs for one test, takes packets from a Unix socket, and shows at /metrics what it
# has added up since its start.
import fcntl
import os
import shutil
import subprocess
import unittest

import node
import runner
from prometheus_servers import http

MODULE, VERSION = "github.com/prometheus/statsd_exporter", "v0.28.0"
BUILD_S = 280
# The build directories of the presets lie side by side and share it.
FOLDER = (runner.BUILD.parent if runner.BUILD.parent == runner.ROOT / "build"
          else runner.BUILD) / f"statsd_exporter-{VERSION}"
PROGRAM = FOLDER / "bin" / "statsd_exporter"


def need():
    """Builds it if it is not there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if PROGRAM.exists():
            return
        runner.need_tool("go")
        work = FOLDER / "work"
        done = subprocess.run(
            ["go", "install", "-modcacherw", f"{MODULE}@{VERSION}"], capture_output=True, text=True,
            timeout=BUILD_S, preexec_fn=node.die_with_parent, check=False, env=os.environ | {
                "GOBIN": str(PROGRAM.parent), "GOPATH": str(work), "GOCACHE": str(work / "cache")})
        shutil.rmtree(work, ignore_errors=True)
        if done.returncode != 0:
            raise unittest.SkipTest(f"needs {MODULE} {VERSION}, and go install failed:\n"
                                    f"{done.stderr[-2000:]}")


class StatsdExporter:
    def __init__(self, case, path):
        need()
        self.case = case
        self.url = f"http://127.0.0.1:{node.free_ports().tcp}"
        self.log_path = runner.scratch(case) / "log"
        address = self.url.removeprefix("http://")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [str(PROGRAM), f"--web.listen-address={address}", "--statsd.listen-udp=",
                 "--statsd.listen-tcp=", f"--statsd.listen-unixgram={path}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=node.die_with_parent)
        case.addCleanup(self.kill)
        runner.wait_until("statsd_exporter to be up", self.is_up)

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError(self.log_path.read_text())
        return http(f"{self.url}/metrics")[0] == 200

    def kill(self):
        self.process.kill()
        self.process.wait()

    def page(self):
        status, text = http(f"{self.url}/metrics")
        self.case.assertEqual(status, 200, text)
        return text
