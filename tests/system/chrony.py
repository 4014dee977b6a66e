# SPDX-License-Identifier: Apache-2.0
#
# A real chronyd is asked for the state of the clock, by its port and by its socket, when it follows
# a source and when it follows none. Two of them run here, by an ordinary user, off the network: one
# serves the clock of this host on loopback, the other follows it, and neither touches the clock.
# What asks is a claim of unit_clock, which does nothing unless it is told where.
import os
import pwd
import random
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner

CLAIM = "chrony: a real chronyd is understood"
UNIT_CLOCK = runner.BUILD / "tests" / "unit_clock"
# Debian has it where an ordinary user's PATH does not look.
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])


def free_port():
    while True:
        port = random.randrange(10_000, 32_000)
        if node.is_free(port):
            return port


class Chronyd:
    """-x: never touches the clock. -U, -u: any user may start it, and is kept. -d: stays and says
    why."""

    def __init__(self, case, *lines):
        folder = runner.scratch(case)
        folder.chmod(0o750)
        self.port = free_port()
        self.path = folder / "chronyd.sock"
        config = folder / "chrony.conf"
        config.write_text("\n".join([
            f"cmdport {self.port}", f"bindcmdaddress {self.path}", "bindcmdaddress 127.0.0.1",
            f"pidfile {folder}/chronyd.pid", *lines, ""]))
        user = pwd.getpwuid(os.geteuid()).pw_name
        self.said = ""
        self.log = folder / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["chronyd", "-x", "-U", "-d", "-u", user, "-f", str(config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=os.environ | {"PATH": PATH}, preexec_fn=node.die_with_parent)
        case.addCleanup(self.stop)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def ask(self, case, where, verdict):
        """Whether the claim holds of what it answers; `said` is why not."""
        case.assertIsNone(self.process.poll(), self.log.read_text())
        result = subprocess.run(
            [UNIT_CLOCK, f"--test-case={CLAIM}"], capture_output=True, text=True, check=False,
            env=os.environ | {"LATMON_CHRONY": where, "LATMON_CHRONY_IS": verdict})
        self.said = result.stdout + result.stderr
        return result.returncode == 0

    def check(self, case, verdict):
        for where in (f"127.0.0.1:{self.port}", str(self.path)):
            try:
                runner.wait_until(
                    verdict, lambda where=where: self.ask(case, where, verdict), deadline_s=60)
            except AssertionError as failure:
                raise AssertionError(f"{failure}\n{self.said}\n{self.log.read_text()}") from None
            for line in self.said.splitlines():
                if "MESSAGE" in line:
                    print(line, file=sys.stderr)


class Chrony(unittest.TestCase):
    def setUp(self):
        if not any(os.access(Path(folder) / "chronyd", os.X_OK) for folder in
                   PATH.split(os.pathsep)):
            raise unittest.SkipTest("needs chronyd")

    def test_a_chronyd_that_follows_a_source_gives_a_bound(self):
        port = free_port()
        Chronyd(self, f"port {port}", "bindaddress 127.0.0.1", "allow 127.0.0.1",
                "local stratum 3")
        follower = Chronyd(self, "port 0",
                           f"server 127.0.0.1 port {port} iburst minpoll -2 maxpoll -2")
        follower.check(self, "synchronized")

    def test_a_chronyd_that_declares_our_own_clock_right_gives_none(self):
        Chronyd(self, "port 0", "local stratum 10").check(self, "stratum 10")

    def test_a_chronyd_without_a_source_gives_none(self):
        Chronyd(self, "port 0").check(self, "unsynchronized")


if __name__ == "__main__":
    runner.main()
