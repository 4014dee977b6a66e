# SPDX-License-Identifier: Apache-2.0
#
# Receivers for the statsd exporters, each started for one test on a port of its own and stopped at
# its end: statsd itself, installed once by npm into the build directory, and a stand-in for
# Datadog's Agent, which no test can have: it takes DogStatsD's documented grammar and nothing else.
import fcntl
import json
import re
import socket
import struct
import subprocess
import threading
import time
import unittest
from typing import NamedTuple

import node
import runner

VERSION = "0.9.0"
INSTALL_S = 240
# The build directories of the presets lie side by side and share it.
FOLDER = (runner.BUILD.parent if runner.BUILD.parent == runner.ROOT / "build"
          else runner.BUILD) / f"statsd-{VERSION}"
PROGRAM = FOLDER / "node_modules" / "statsd" / "stats.js"

# A backend of statsd's that adds up what each flush holds.
BACKEND = """
const fs = require('fs');
exports.init = function (startup, config, events) {
  const totals = {counters: {}, timers: {}, gauges: {}};
  events.on('flush', function (time, metrics) {
    for (const key in metrics.counters)
      totals.counters[key] = (totals.counters[key] || 0) + metrics.counters[key];
    for (const key in metrics.timers) {
      const timer = totals.timers[key] || (totals.timers[key] = {count: 0, weight: 0, sum: 0});
      timer.count += metrics.timers[key].length;
      timer.weight += metrics.timer_counters[key];
      for (const value of metrics.timers[key]) timer.sum += value;
    }
    totals.gauges = Object.assign({}, metrics.gauges);
    fs.writeFileSync(config.totals + '.new', JSON.stringify(totals));
    fs.renameSync(config.totals + '.new', config.totals);
  });
  return true;
};
"""


def need():
    """Installs statsd if it is not there."""
    runner.need_tool("node")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if PROGRAM.exists():
            return
        runner.need_tool("npm")
        command = ["npm", "install", f"statsd@{VERSION}", "--ignore-scripts", "--no-audit",
                   "--no-fund", "--omit=optional", "--prefix", str(FOLDER)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S,
                              cwd=FOLDER, preexec_fn=node.die_with_parent, check=False)
        if done.returncode != 0 or not PROGRAM.exists():
            raise unittest.SkipTest(f"needs statsd {VERSION}, and npm install failed:\n"
                                    f"{done.stderr[-2000:]}")


class Statsd:
    """statsd over UDP, or TCP."""

    def __init__(self, case, protocol="udp"):
        need()
        folder = runner.scratch(case)
        self.port, management = node.free_ports()[:2]
        self.totals_path = folder / "totals.json"
        (folder / "totals.js").write_text(BACKEND)
        (folder / "config.js").write_text(json.dumps({
            "servers": [{"server": f"./servers/{protocol}", "address": "127.0.0.1",
                         "port": self.port}],
            "mgmt_address": "127.0.0.1", "mgmt_port": management, "flushInterval": 200,
            "backends": [str(folder / "totals.js")], "totals": str(self.totals_path)}))
        self.log_path = folder / "log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                ["node", str(PROGRAM), str(folder / "config.js")], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd=folder, preexec_fn=node.die_with_parent)
        case.addCleanup(self.kill)
        runner.wait_until("statsd to be up", self.is_up)

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError(self.log_path.read_text())
        return self.totals_path.exists()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def totals(self):
        return json.loads(self.totals_path.read_text())

    def counter(self, name):
        return self.totals()["counters"].get(name, 0)

    def wait_lines(self, count):
        """What there is once it has had so many lines, or after a while without any more."""
        last, since = -1, time.monotonic()
        while time.monotonic() - since < 5:
            received = self.counter("statsd.metrics_received")
            if received >= count:
                break
            if received != last:
                last, since = received, time.monotonic()
            time.sleep(runner.POLL_S)
        return self.totals()


# -- DogStatsD ------------------------------------------------------------------------------------

NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"
LINE = re.compile(
    rf"(?P<name>[A-Za-z][A-Za-z0-9_.]{{0,199}}):(?P<values>{NUMBER}(?::{NUMBER})*)"
    rf"\|(?P<type>c|g|ms|h|d)(?:\|@(?P<rate>0\.[0-9]+|1))?(?:\|#(?P<tags>[^|\n]+))?"
    r"(?:\|c:(?P<container>[^|\n]+))?(?:\|T(?P<time>[0-9]+))?")


class Metric(NamedTuple):
    name: str
    type: str
    values: list
    rate: float
    tags: tuple
    container: str
    time: int


def parse(line):
    """One line of the protocol up to version 1.3; fails on what is none."""
    found = LINE.fullmatch(line)
    if found is None:
        raise AssertionError(f"not DogStatsD: {line!r}")
    kind = found["type"]
    if found["time"] and kind not in "cg":
        raise AssertionError(f"a time stamp on a time: {line!r}")
    tags = tuple((found["tags"] or "").split(",")) if found["tags"] else ()
    if any(not tag or len(tag) > 200 for tag in tags):
        raise AssertionError(f"a tag that is none: {line!r}")
    return Metric(found["name"], kind, [float(each) for each in found["values"].split(":")],
                  float(found["rate"] or 1), tags, found["container"] or "",
                  int(found["time"] or 0))


class Agent:
    """Takes packets as Datadog's Agent does: udp, unix_datagram or unix_stream."""

    def __init__(self, case, transport="udp", path=None):
        self.transport, self.path = transport, path
        family = socket.AF_INET if transport == "udp" else socket.AF_UNIX
        kind = socket.SOCK_STREAM if transport == "unix_stream" else socket.SOCK_DGRAM
        self.socket = socket.socket(family, kind)
        self.socket.bind(("127.0.0.1", 0) if transport == "udp" else str(path))
        if kind == socket.SOCK_STREAM:
            self.socket.listen(1)
        self.socket.settimeout(0.1)
        self.port = self.socket.getsockname()[1] if transport == "udp" else None
        self.packets, self.metrics, self.error = [], [], None
        self.must_end = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        case.addCleanup(self.close)

    def run(self):
        try:
            while not self.must_end:
                try:
                    if self.transport == "unix_stream":
                        self.read_frames(self.socket.accept()[0])
                    else:
                        self.take(self.socket.recv(1 << 16))
                except TimeoutError:
                    continue
        except (AssertionError, ValueError) as error:
            self.error = error

    def read_frames(self, peer):
        with peer:
            peer.settimeout(0.1)
            data = b""
            while not self.must_end:
                try:
                    got = peer.recv(1 << 16)
                except TimeoutError:
                    continue
                if not got:
                    return
                data += got
                while len(data) >= 4 and len(data) >= 4 + struct.unpack("<I", data[:4])[0]:
                    size = struct.unpack("<I", data[:4])[0]
                    self.take(data[4:4 + size])
                    data = data[4 + size:]

    def take(self, packet):
        self.packets.append(packet)
        self.metrics += [parse(line) for line in packet.decode().split("\n")]

    def close(self):
        self.must_end = True
        self.thread.join(runner.DEADLINE_S)
        self.socket.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def check(self):
        if self.error is not None:
            raise self.error

    def lines(self):
        self.check()
        return len(self.metrics)

    def sum_of(self, name):
        """Of a count: all that came. Of times: how many."""
        self.check()
        return sum(sum(metric.values) if metric.type == "c" else len(metric.values)
                   for metric in self.metrics if metric.name == name)
