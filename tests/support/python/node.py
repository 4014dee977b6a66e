# SPDX-License-Identifier: Apache-2.0
#
# One running latmon: writes its configuration, starts it, waits until it works, reads what it
# prints, stops it, and reads its accounts. Whatever a test does, no process outlives it: each is
# killed at the test's end, and by the kernel if the test itself is.
import ctypes
import json
import os
import random
import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import runner
from accounts import Accounts

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


class Ports(NamedTuple):
    udp: int
    tcp: int
    stamp: int


def is_free(port):
    """Nobody has the port, in either protocol and family."""
    wildcards = [(socket.AF_INET, "0.0.0.0")]
    if runner.HAS_IPV6:
        wildcards.append((socket.AF_INET6, "::"))
    for family, address in wildcards:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(family, kind) as probe:
                try:
                    if family == socket.AF_INET6:
                        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    probe.bind((address, port))
                except OSError:
                    return False
    return True


def free_ports():
    """Three ports outside of the range from which the kernel gives ports to others."""
    found = []
    while len(found) < 3:
        port = random.randrange(10_000, 32_000)
        if port not in found and is_free(port):
            found.append(port)
    return Ports(*found)


def to_toml(keys, under=""):
    """Scalars first, then [tables] and [[arrays of tables]], which may hold further ones."""
    def is_table(value):
        return isinstance(value, dict) or (
            isinstance(value, list) and value and isinstance(value[0], dict))

    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items() if not is_table(value)]
    for key, value in keys.items():
        if not is_table(value):
            continue
        for table in value if isinstance(value, list) else [value]:
            lines.append(f"[[{under}{key}]]" if isinstance(value, list) else f"[{under}{key}]")
            lines.append(to_toml(table, f"{under}{key}."))
    return "\n".join(lines) + "\n"


def config(name, ports, **keys):
    """A configuration on loopback that says little by itself; `keys` add to it or replace."""
    loopback = ["127.0.0.1", "::1"] if runner.HAS_IPV6 else ["127.0.0.1"]
    base = {"name": name, "address": loopback, "udp_port": ports.udp,
            "tcp_port": ports.tcp, "stamp_port": 0, "node_interval": 0,
            "admin": {"listen": ""}}
    return base | keys


def cli(path, *kinds, **keys):
    """An [[exporters]] table that writes every sample to `path`."""
    table = {"plugin": "cli", "format": "json", "file": str(path), "queue_samples": 1 << 16}
    return table | ({"samples": list(kinds)} if kinds else {}) | keys


def target(host, ports, **keys):
    return {"host": host, "udp_port": ports.udp, "tcp_port": ports.tcp} | keys


def key_file(case, key):
    """A file that only its owner may read, with this key in it."""
    path = runner.scratch(case) / "key"
    path.touch(mode=0o600)
    path.write_text(f"hex:{key.hex()}\n")
    return str(path)


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Node:
    """`keys`: a dict for to_toml, a text, or None for no file. `net`: the pid of a process in
    whose network namespace it runs. `before_exec`: runs in the child."""

    def __init__(self, case, keys, *flags, net=None, environment=None, before_exec=None,
                 command=(), cwd=None):
        self.case = case
        self.folder = runner.scratch(case)
        arguments = [*command, str(runner.LATMON)]
        if net is not None:
            arguments = ["nsenter", f"--net=/proc/{net}/ns/net", "--", *arguments]
        if keys is not None:
            self.config = self.folder / "latmon.toml"
            self.config.write_text(keys if isinstance(keys, str) else to_toml(keys))
            arguments += ["-c", str(self.config)]
        self.stdout_path = self.folder / "stdout"
        self.stderr_path = self.folder / "stderr"

        def prepare():
            die_with_parent()
            if before_exec is not None:
                before_exec()

        with open(self.stdout_path, "wb") as out, open(self.stderr_path, "wb") as err:
            self.process = subprocess.Popen(
                [*arguments, *flags], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                cwd=cwd or self.folder, preexec_fn=prepare, env=os.environ | (environment or {}))
        case.addCleanup(self.kill)

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.stderr_path.read_text(errors="replace")

    def stdout(self):
        return self.stdout_path.read_text()

    def is_running(self):
        return self.process.poll() is None

    def has_started(self):
        """It says so when its reflectors answer, just before the first probe."""
        if not self.is_running():
            raise AssertionError(f"ended with {self.process.returncode}:\n{self.log()}")
        return "] [INFO] started: " in self.log()

    def wait_started(self):
        runner.wait_until(f"latmon to start:\n{self.log()}", self.has_started)
        return self

    def wait_line(self, pattern):
        """The first match of `pattern` in the log."""
        def match():
            found = re.search(pattern, self.log())
            if found is None and not self.is_running():
                raise AssertionError(f"ended without {pattern!r}:\n{self.log()}")
            return found
        return runner.wait_until(f"{pattern!r} in the log", match)

    def kill(self):
        if self.is_running():
            self.process.kill()
        self.process.wait()

    def wait_end(self, within_s=runner.DEADLINE_S):
        """The exit code."""
        try:
            return self.process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still runs after {within_s} s:\n{self.log()}") from None

    def stop(self, number=signal.SIGTERM, within_s=runner.DEADLINE_S):
        """Ends it the way an operator does, and returns its accounts, which balance."""
        self.process.send_signal(number)
        code = self.wait_end(within_s)
        self.case.assertEqual(code, 0, self.log())
        accounts = Accounts(self.log())
        accounts.check(self.case)
        return accounts


def run_for(duration_s, *nodes):
    """Lets them run; fails as soon as one has ended."""
    end = time.monotonic() + duration_s
    while time.monotonic() < end:
        for node in nodes:
            if not node.is_running():
                raise AssertionError(f"ended with {node.process.returncode}:\n{node.log()}")
        time.sleep(0.05)


def run(*flags, within_s=runner.DEADLINE_S, **options):
    """Runs latmon to its end."""
    return subprocess.run([str(runner.LATMON), *flags], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=within_s, preexec_fn=die_with_parent,
                          check=False, **options)
