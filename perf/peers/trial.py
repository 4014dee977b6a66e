# SPDX-License-Identifier: Apache-2.0
#
# One tool under one load, once: starts it, lets it settle, watches it from outside for a while, and
# asks it what it has measured. While it is watched, nothing of ours runs. What is figured from
# outside is figured the same way for all.
import tempfile
import time
from pathlib import Path

import departures
import measure
import node
import tool as tools
from cable import Stack

CPU_CLOCK_OF_PROCESS = 2  # CPUCLOCK_SCHED, linux/posix-timers_types.h: of all threads, in ns.


def process_ns(pid):
    """CPU time of all threads that the process has or had: clock_getcpuclockid(3). Some tools have
    a new thread for every packet, of which /proc shows nothing afterwards."""
    return time.clock_gettime_ns((~pid << 3) | CPU_CLOCK_OF_PROCESS)


def spent_ns(runnings):
    """Also of the processes that they have started and that still live."""
    return sum(process_ns(pid) for running in runnings for pid in measure.descendants(running.pid))


def memory_bytes(runnings):
    sizes = [measure.memory_bytes(pid) for running in runnings
             for pid in measure.descendants(running.pid)]
    return {name: sum(size[name] for size in sizes) for name in ("rss", "pss")}


class Watch:
    """What the ends take between the start and end(). `threads`: of the clients, by name."""

    def __init__(self, tool, server, clients):
        load = tool.load
        self.tool, self.clients = tool, clients
        self.servers = [server] if server is not None else []
        most = int(load.targets * load.rate * load.seconds * 2) + 10_000
        self.capture = departures.Capture(tool.cable.device, tool.protocol, tool.port, most)
        self.start_ns = time.time_ns()
        self.client_ns, self.server_ns = spent_ns(clients), spent_ns(self.servers)
        self.threads_ns = [measure.threads_ns(each.pid) for each in clients]

    def end(self):
        self.threads_ns = [measure.spent_ns(before, measure.threads_ns(each.pid))
                           for before, each in zip(self.threads_ns, self.clients)]
        self.client_ns = spent_ns(self.clients) - self.client_ns
        self.server_ns = spent_ns(self.servers) - self.server_ns
        self.window = tools.Window(self.start_ns, time.time_ns())
        for each in (*self.clients, *self.servers):
            each.check()
        self.memory = memory_bytes(self.clients)
        self.flows = {flow: [at for at in times if self.window.has(at)]
                      for flow, times in self.capture.read().items()}

    def figures(self):
        """{name: value or None}; the names are those of tables.COLUMNS."""
        load = self.tool.load
        sent = sum(len(times) for times in self.flows.values())
        seconds = (self.window.end_ns - self.window.start_ns) / measure.NS
        if sent == 0:
            raise RuntimeError(f"{self.tool.name} has sent nothing under {load.name}")
        errors = departures.spacing_errors_ns(self.flows, load.interval_ms * 1e6)
        measuring = sum(spent for threads in self.threads_ns for name, spent in threads.items()
                        if name.startswith("lm-core"))
        return {
            "rate": 100 * sent / (seconds * load.targets * load.rate),
            "flows": 100 * len(self.flows) / load.targets,
            **tools.p50_p99("spacing", errors),
            "client CPU": self.client_ns / sent,
            "core CPU": measuring / sent if measuring else None,
            "server CPU": self.server_ns / sent if self.servers else None,
            "RSS": self.memory["rss"], "Pss": self.memory["pss"],
        }


def run(kind, options, load, cable):
    """All figures of one trial of a kind of tool."""
    with tempfile.TemporaryDirectory(prefix="latmon-peers-") as folder, Stack() as stack:
        tool = kind(options, load, cable, Path(folder), node.free_ports().udp)
        server = tool.start_server(stack)
        clients = tool.start_clients(stack)
        time.sleep(tool.lead_s + load.settle_s)
        tool.window_opens()
        watch = Watch(tool, server, clients)
        time.sleep(load.seconds)
        watch.end()
        tool.window_closes()
        return watch.figures() | tool.report(watch.window)
