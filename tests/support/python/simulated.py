# SPDX-License-Identifier: Apache-2.0
#
# Targets that tools/loadgen simulates for one test: addresses of 127.1.0.0/16 that answer over UDP
# and TCP, behind a network that loses, delays and doubles as asked. They end with the test.
import json
import subprocess

import node
import runner

LOADGEN = runner.BUILD / "loadgen"
TARGETS = 20


class Reflect:
    """Running targets, until they are stopped. `flags`: further ones of `loadgen reflect`."""

    def __init__(self, case, *flags, count=TARGETS, command=()):
        self.process = subprocess.Popen(
            [*command, str(LOADGEN), "reflect", "--json", "--quiet", "--seconds", "3600",
             "--count", str(count), *map(str, flags)], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, preexec_fn=node.die_with_parent)
        case.addCleanup(self.end)
        line = self.process.stderr.readline()  # They answer from here on.
        if "targets answer" not in line:
            raise AssertionError(line + self.process.stderr.read())

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def stop(self):
        """Its report."""
        self.process.terminate()
        out, err = self.process.communicate(timeout=runner.DEADLINE_S)
        if self.process.returncode != 0:
            raise AssertionError(f"ended with {self.process.returncode}:\n{out}{err}")
        return json.loads(out)
