# SPDX-License-Identifier: Apache-2.0
#
# Runs tests/plugin_driver of the build on a plugin: synthetic samples through the ABI, without a
# latmon around it. Its flags, and what each sample holds, stand at the top of plugin_driver.cpp.
import json
import subprocess

import node
import runner

PROGRAM = runner.BUILD / "tests" / "plugin_driver"


def text_of(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(value) + "]"
    return str(value)


class Driver:
    """A run under way. `flags` without their dashes: rows=, rate=, kinds=, tag=[...], ..."""

    def __init__(self, case, plugin, options, **flags):
        arguments = [str(PROGRAM), str(runner.PLUGINS / f"{plugin}.so")]
        for name, value in flags.items():
            for each in value if isinstance(value, list) else [value]:
                arguments += [f"--{name.replace('_', '-')}", str(each)]
        arguments += [f"{key}={text_of(value)}" for key, value in options.items()]
        self.folder = runner.scratch(case)
        with open(self.folder / "out", "wb") as out, open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=log, preexec_fn=node.die_with_parent)
        case.addCleanup(self.kill)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def is_running(self):
        return self.process.poll() is None

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def wait_line(self, text):
        def is_there():
            if text not in self.log() and not self.is_running():
                raise AssertionError(f"ended without {text!r}:\n{self.log()}")
            return text in self.log()
        runner.wait_until(f"{text!r} in the log", is_there)

    def result(self, within_s=runner.DEADLINE_S):
        """What it printed, as a dict, once it has ended well."""
        code = self.process.wait(timeout=within_s)
        if code != 0:
            raise AssertionError(f"plugin_driver ended with {code}:\n{self.log()}")
        return json.loads((self.folder / "out").read_text())


def drive(case, plugin, options, **flags):
    return Driver(case, plugin, options, **flags).result(within_s=10 * runner.DEADLINE_S)
