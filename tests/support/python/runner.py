# SPDX-License-Identifier: Apache-2.0
#
# What every system test needs before it starts anything: where the build is, how long to run, how
# to wait, and how to end. Nothing here knows what a latmon is.
#
# Environment, as tests/system/CMakeLists.txt sets it; LATMON_BUILD alone is enough by hand:
#   LATMON_BUILD             the build directory; without it build/dev
#   LATMON, LATMON_PLUGINS, LATMON_TEST_PLUGINS   what is in it, if it is elsewhere
#   LATMON_SANITIZED         not empty: everything is slow
#   LATMON_SYSTEM_SECONDS    how long the runs last that measure something
#   LATMON_SYSTEM_PROBES     how many probes the runs take that count them
#   LATMON_SYSTEM_FORGED     how many packets those forge that forge some
#   LATMON_SYSTEM_RATE       how many probes a second those send that send many
#   LATMON_SYSTEM_ROWS       how many rows those write that write to a database
#   LATMON_NO_SKIP           1: a skipped test is a failed one
import os
import shutil
import socket
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("LATMON_BUILD", ROOT / "build" / "dev")).resolve()
LATMON = Path(os.environ.get("LATMON", BUILD / "latmon"))
PLUGINS = Path(os.environ.get("LATMON_PLUGINS", BUILD / "plugins"))
TEST_PLUGINS = Path(os.environ.get("LATMON_TEST_PLUGINS", BUILD / "tests" / "plugins"))

IS_SANITIZED = os.environ.get("LATMON_SANITIZED", "") != ""
IS_ROOT = os.geteuid() == 0
CPUS = sorted(os.sched_getaffinity(0))

# An event that should come at once has not come: far beyond what a loaded machine needs.
DEADLINE_S = 120 if IS_SANITIZED else 40
# What the end of a process may take beyond what the manual promises.
SLACK_S = 20 if IS_SANITIZED else 2

POLL_S = 0.01


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


HAS_IPV6 = has_ipv6()


def seconds(usual):
    """How long to measure: `usual`, or what the environment asks for."""
    return float(os.environ.get("LATMON_SYSTEM_SECONDS", usual))


def probes(usual=2_000):
    """How many probes to count: `usual`, or what the environment asks for."""
    return int(os.environ.get("LATMON_SYSTEM_PROBES", usual))


def forged(usual=50_000):
    """How many packets to forge: `usual`, or what the environment asks for."""
    return int(os.environ.get("LATMON_SYSTEM_FORGED", usual))


def rows(usual=50_000):
    """How many rows to write into a database: `usual`, or what the environment asks for."""
    return int(os.environ.get("LATMON_SYSTEM_ROWS", usual))


def wait_until(what, condition, deadline_s=DEADLINE_S):
    """Returns what `condition` returns as soon as that is true; fails at the deadline."""
    give_up = time.monotonic() + deadline_s
    while not (value := condition()):
        if time.monotonic() > give_up:
            raise AssertionError(f"waited {deadline_s} s in vain for {what}")
        time.sleep(POLL_S)
    return value


def rate(usual):
    """Probes a second: `usual`, or what the environment asks for."""
    return float(os.environ.get("LATMON_SYSTEM_RATE", usual))


def scratch(case):
    """A directory that goes with the test."""
    folder = Path(tempfile.mkdtemp(prefix="latmon-system-"))
    case.addCleanup(shutil.rmtree, folder, ignore_errors=True)
    return folder


def need_root():
    if not IS_ROOT:
        raise unittest.SkipTest("needs root, for a network namespace of its own")


def need_tool(name):
    if shutil.which(name) is None:
        raise unittest.SkipTest(f"needs {name}")


def need_ipv6():
    if not HAS_IPV6:
        raise unittest.SkipTest("needs IPv6")


def need_two_cpus():
    if len(CPUS) < 2:
        raise unittest.SkipTest("needs two CPUs")


def main():
    """Runs the tests of the calling file; exits with 0, 1, or 77 if something was skipped."""
    result = unittest.main(module="__main__", exit=False, verbosity=2).result
    if result.testsRun == 0 and not result.skipped:
        sys.exit("no test was found")
    if not result.wasSuccessful():
        sys.exit(1)
    if result.skipped:
        sys.exit(1 if os.environ.get("LATMON_NO_SKIP") == "1" else 77)
