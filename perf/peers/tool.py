# SPDX-License-Identifier: Apache-2.0
#
# What trial.py wants to know of a tool, and what all tools are asked for. A file tool_NAME.py each
# says how one of them is started, and reads what it reports. Times are nanoseconds.
import time
from typing import NamedTuple

import departures
import measure

TAIL_S = 1.0  # How long a tool that ends by itself runs on after it has been watched.


class Load(NamedTuple):
    """The same for every tool."""

    targets: int
    rate: float       # Probes a second and target.
    size_bytes: int   # UDP payload, or data of an ICMP echo.
    seconds: float    # How long it is watched,
    settle_s: float   # after it has run so long.

    @property
    def name(self):
        return f"{self.targets} x {self.rate:g}/s"

    @property
    def interval_ms(self):
        return 1000 / self.rate

    @property
    def total_s(self):
        return self.settle_s + self.seconds + TAIL_S


class Window(NamedTuple):
    """While a tool was watched: CLOCK_REALTIME."""

    start_ns: int
    end_ns: int

    def has(self, time_ns):
        return self.start_ns <= time_ns < self.end_ns


def percentile(ordered, share):
    """The least value that so many of them do not exceed; None of nothing."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def p50_p99(name, values):
    ordered = sorted(values)
    return {f"{name} p50": percentile(ordered, 0.5), f"{name} p99": percentile(ordered, 0.99)}


class Tool:
    """One run of a tool, with its answering end if it has one."""

    name = ""
    programs = ()               # What must be installed.
    protocol = departures.UDP   # What it probes with.
    most_targets = 1_000_000    # With more it would be another tool.
    lead_s = 0.0                # From its start to its first probe, if that is long.
    client_cpus = frozenset({measure.OURS})

    def __init__(self, options, load, cable, folder, port):
        self.options, self.load, self.cable = options, load, cable
        self.folder, self.port = folder, port

    @classmethod
    def need(cls):
        """Installs what can be installed here; unittest.SkipTest if that fails."""

    def start(self, stack, command, name, cpus, **running):
        return stack.enter_context(measure.Running(command, self.folder, cpus=cpus, name=name,
                                                   **running))

    def start_at_server(self, stack, *command):
        """Until it has its port."""
        server = self.start(stack, [*self.cable.at_server, *command], "server", {measure.THEIRS})
        give_up = time.monotonic() + measure.DEADLINE_S
        while self.port not in self.cable.ports_in_use():
            server.check()
            if time.monotonic() > give_up:
                server.fail(f"waited {measure.DEADLINE_S} s for port {self.port}")
            time.sleep(0.01)
        return server

    def start_client(self, stack, *command, name="client"):
        return self.start(stack, command, name, self.client_cpus)

    def start_server(self, stack):
        """None if the kernel answers."""

    def start_clients(self, stack):
        """All the processes that probe."""
        raise NotImplementedError

    def window_opens(self):
        """Called before anything is measured."""

    def window_closes(self):
        """Called when everything is, while the tool still runs."""

    def report(self, window):
        """Ends it. {figure: ns} with at least "rtt p50" and "rtt p99", as the tool itself says."""
        raise NotImplementedError
