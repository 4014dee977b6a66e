# SPDX-License-Identifier: Apache-2.0
#
# latency-monitor, the Python tool that latmon takes the place of: where to get it, and how to run
# it. It is installed once, by pip, from the Python package of that name, into a virtual environment
# in the build directory. Its prints go to standard output, its log to standard error.
import fcntl
import os
import re
import signal
import subprocess
import unittest

import node
import runner

VERSION = "0.1.2"
INSTALL_S = 240
# The build directories of the presets lie side by side and share it.
FOLDER = (runner.BUILD.parent if runner.BUILD.parent == runner.ROOT / "build"
          else runner.BUILD) / f"latency-monitor-{VERSION}"
PROGRAM = FOLDER / "bin" / "latency-monitor"


def need():
    """Installs it if it is not there."""
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with open(FOLDER.with_suffix(".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if PROGRAM.exists():
            return
        for command in (["/usr/bin/python3", "-m", "venv", str(FOLDER)],
                        [str(FOLDER / "bin" / "pip"), "install", "--quiet",
                         f"latency-monitor=={VERSION}"]):
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S,
                                  check=False)
            if done.returncode != 0:
                raise unittest.SkipTest(f"needs latency-monitor {VERSION}, and {command[:3]} "
                                        f"failed:\n{done.stderr[-2000:]}")


class OldNode:
    """One running tool. `keys`: its configuration, a dict for node.to_toml."""

    def __init__(self, case, keys):
        self.folder = runner.scratch(case)
        (self.folder / "latency.toml").write_text(node.to_toml(keys))
        self.stdout_path = self.folder / "stdout"
        self.stderr_path = self.folder / "stderr"
        with open(self.stdout_path, "wb") as out, open(self.stderr_path, "wb") as err:
            self.process = subprocess.Popen(
                [str(PROGRAM)], stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=self.folder,
                preexec_fn=node.die_with_parent, start_new_session=True,
                env=os.environ | {"PYTHONUNBUFFERED": "1"})
        case.addCleanup(self.kill)

    def kill(self):
        """With all of its processes."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def complaints(self):
        """What its log says that it did not understand, or that came out of turn."""
        text = self.stderr_path.read_text(errors="replace")
        return [line for line in text.splitlines()
                if re.search(r"\[(WARNING|ERROR|CRITICAL)\]|^Traceback|^\w+Error", line)]

    def has_started(self):
        """Its servers and its clients, whose processes come one after the other, are there."""
        if self.process.poll() is not None:
            raise AssertionError(f"ended:\n{self.stderr_path.read_text(errors='replace')}")
        return '"metric"' in self.stdout_path.read_text()

    def wait_started(self):
        runner.wait_until("latency-monitor to print a metric", self.has_started)
        return self
