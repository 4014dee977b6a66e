# SPDX-License-Identifier: Apache-2.0
#
# The path between the probing and the answering end: loopback, or two namespaces and a veth pair
# between them. Either way it is a network namespace of its own, so that nobody else's packets are
# on it; it goes when the process does. Needs root.
import contextlib
import ipaddress
import os
from pathlib import Path

import netns
import runner
import veth

MANY = "10.98.0.0"


class Stack(contextlib.ExitStack):
    """As a test case is to the helpers of the test suite: something that cleans up."""

    addCleanup = contextlib.ExitStack.callback


class Loopback:
    """All of 127.0.0.0/8 is this host's."""

    name, device = "loopback", "lo"
    server, base = "127.0.0.1", "127.1.0.0"

    def __init__(self, stack):
        del stack
        netns.enter()

    @property
    def at_server(self):
        """What goes in front of a command that is to run at the answering end."""
        return []

    def addresses(self, count):
        """One for each target, as `loadgen targets --base` numbers them."""
        first = ipaddress.ip_address(self.base)
        return [str(first + 1 + index) for index in range(count)]

    def ports_in_use(self):
        """UDP ports that are bound at the answering end."""
        lines = Path(f"/proc/{self.server_pid()}/net/udp").read_text().splitlines()[1:]
        return {int(line.split()[1].split(":")[1], 16) for line in lines}

    def server_pid(self):
        return os.getpid()


class VethPair(Loopback):
    """The far end has an address of its own and all of MANY/16."""

    name, device = "veth pair", "here"
    server, base = veth.THERE, MANY

    def __init__(self, stack):
        super().__init__(stack)
        runner.need_tool("nsenter")
        self.there = veth.Veth(stack).there
        netns.run("ip", "route", "add", f"{MANY}/16", "via", veth.THERE)
        netns.run("ip", "route", "add", "local", f"{MANY}/16", "dev", "lo", net=self.there)

    @property
    def at_server(self):
        return ["nsenter", f"--net=/proc/{self.there}/ns/net", "--"]

    def server_pid(self):
        return self.there
