# SPDX-License-Identifier: Apache-2.0
#
# What latmon refuses, and what it says: 2 for a wrong command line, 77 for what the kernel does not
# let it have, 78 for a configuration that makes no sense; each with the cure in one line.
import ctypes
import os
import resource
import socket
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner

# linux/prctl.h, linux/seccomp.h, linux/filter.h, linux/bpf_common.h
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LOAD_WORD, JUMP_GE, JUMP_GT, RETURN = 0x20, 0x35, 0x25, 0x06
ALLOW, ERRNO_EPERM = 0x7FFF0000, 0x00050001
IO_URING_FIRST, IO_URING_LAST = 425, 427  # Setup, enter, register: the same on every architecture.

SYSCTL = Path("/proc/sys/kernel/io_uring_disabled")


class Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("if_true", ctypes.c_uint8),
                ("if_false", ctypes.c_uint8), ("value", ctypes.c_uint32)]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(Instruction))]


FILTER = (Instruction * 5)(
    Instruction(LOAD_WORD, 0, 0, 0),  # The number of the system call.
    Instruction(JUMP_GE, 0, 2, IO_URING_FIRST),
    Instruction(JUMP_GT, 1, 0, IO_URING_LAST),
    Instruction(RETURN, 0, 0, ERRNO_EPERM),
    Instruction(RETURN, 0, 0, ALLOW))
PROGRAM = Program(len(FILTER), FILTER)


def refuse_io_uring():
    """As a container's profile does; in the child, before latmon."""
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
                                                    ctypes.byref(PROGRAM))):
        if node.libc.prctl(*arguments, 0, 0) != 0:
            os._exit(126)


class ExitCodes(unittest.TestCase):
    def refused(self, keys, *flags, **options):
        """The exit code of a latmon that does not start, and its words."""
        daemon = node.Node(self, keys, "--log-level=ERROR", *flags, **options)
        return daemon.wait_end(), daemon.log()

    def assert_one_line(self, log, *words):
        self.assertEqual(log.count("\n"), 1, log)
        for word in words:
            self.assertIn(word, log)

    # -- 77: the kernel ---------------------------------------------------------------------------

    def test_a_port_in_use_is_named(self):
        for kind, protocol in ((socket.SOCK_DGRAM, "udp"), (socket.SOCK_STREAM, "tcp")):
            ports = node.free_ports()
            port = getattr(ports, protocol)
            with self.subTest(protocol), socket.socket(socket.AF_INET, kind) as holder:
                holder.bind(("127.0.0.1", port))
                if protocol == "tcp":
                    holder.listen()
                code, log = self.refused(node.config("node", ports))
                self.assertEqual(code, 77, log)
                self.assert_one_line(log, f"127.0.0.1:{port} ({protocol.upper()})",
                                     "another process has the port")

    def test_two_daemons_do_not_share_a_port(self):
        runner.need_two_cpus()
        keys = node.config("node", node.free_ports(), cores=runner.CPUS[:2])
        first = node.Node(self, keys).wait_started()
        code, log = self.refused(keys)
        self.assertEqual(code, 77, log)
        self.assert_one_line(log, f":{keys['udp_port']} (UDP)")
        first.stop()

    def test_too_few_files_are_named_with_need_and_limit(self):
        runner.need_tool("setpriv")
        # Root may raise the limit by CAP_SYS_RESOURCE: without it root is like anybody.
        drop = ["setpriv", "--bounding-set=-sys_resource"] if runner.IS_ROOT else []

        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        code, log = self.refused(node.config("node", node.free_ports()), command=drop,
                                 before_exec=limit)
        self.assertEqual(code, 77, log)
        self.assert_one_line(log, "the limit is 256", "LimitNOFILE=")
        self.assertRegex(log, r"needs up to \d{4} open files")

    def test_a_seccomp_filter_is_named(self):
        code, log = self.refused(node.config("node", node.free_ports()),
                                 before_exec=refuse_io_uring)
        self.assertEqual(code, 77, log)
        self.assert_one_line(log, "io_uring is refused", "seccomp", "Operation not permitted")

    # It touches the whole host: only where somebody has said that nobody else is on it.
    if os.environ.get("LATMON_TEST_SYSCTL") == "1":
        def test_io_uring_switched_off_is_named(self):
            before = SYSCTL.read_text()
            self.addCleanup(SYSCTL.write_text, before)
            SYSCTL.write_text("2")
            code, log = self.refused(node.config("node", node.free_ports()))
            self.assertEqual(code, 77, log)
            self.assert_one_line(log, "kernel.io_uring_disabled = 2", "sysctl")

    # -- 78: the configuration --------------------------------------------------------------------

    MISTAKES = """\
udp_port = 70000
colour = "blue"
interval = "fast"

[[targets]]
label = "nobody"

[[targets]]
host = "10.0.0.300"
tags = ["no colon"]

[metrics]
backend = "clickhose"
"""
    MISTAKEN_LINES = (1, 2, 3, 5, 9, 10, 13)

    def test_all_mistakes_of_a_file_are_told_at_once(self):
        daemon = node.Node(self, self.MISTAKES)
        self.assertEqual(daemon.wait_end(), 78, daemon.log())
        lines = daemon.log().splitlines()
        self.assertEqual(len(lines), len(self.MISTAKEN_LINES), daemon.log())
        for number, line in zip(self.MISTAKEN_LINES, lines):
            self.assertRegex(line, rf"^latmon: .*/latmon\.toml:{number}:\d+: .")
        self.assertIn('did you mean "clickhouse"', lines[-1])
        checked = node.run("check", str(daemon.config))
        self.assertEqual((checked.returncode, checked.stderr), (78, daemon.log()))

    # Nothing of it can be found out without a plugin's .so, and each is a reason not to start.
    PLUGINS = """\
[[exporters]]
plugin = "cli"
interval = 0.5

[[exporters]]
plugin = "prometeus"

[[exporters]]
plugin = "null"
windows = ["1s"]

[[exporters]]
path = "/etc/hostname"

[[targets]]
host = "127.0.0.1"
interval = 0.1
timeout = 60
"""
    PLUGIN_FAULTS = ((15, "timeout 60 s"), (5, "there is no prometeus.so in "),
                     (8, "the plugin null takes samples alone"), (12, "/etc/hostname"))

    def test_check_finds_all_plugins_that_cannot_be_had_at_once(self):
        path = runner.scratch(self) / "latmon.toml"
        path.write_text(self.PLUGINS)
        done = node.run("check", str(path))
        self.assertEqual((done.returncode, done.stdout), (78, ""), done.stderr)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), len(self.PLUGIN_FAULTS), done.stderr)
        for (number, words), line in zip(self.PLUGIN_FAULTS, lines):
            self.assertRegex(line, rf"^latmon: .*/latmon\.toml:{number}:\d+: .*{words}")

    def test_check_says_which_plugins_have_not_read_their_keys(self):
        keys = node.config("node", node.free_ports(), exporters=[
            {"plugin": "json", "fiel": "x"}, {"plugin": "null"}])
        path = runner.scratch(self) / "latmon.toml"
        path.write_text(node.to_toml(keys))
        done = node.run("check", str(path))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^not checked: plugins read .*: json$")

    def test_a_file_that_is_not_there_is_named(self):
        done = node.run("-c", "/nonexistent/latmon.toml")
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assert_one_line(done.stderr, "/nonexistent/latmon.toml")

    def test_a_file_that_is_no_toml_is_named(self):
        daemon = node.Node(self, "name = \n")
        self.assertEqual(daemon.wait_end(), 78)
        self.assertRegex(daemon.log(), r"^latmon: .*/latmon\.toml:1:\d+: .*\n$")

    # -- 2 and 0: the command line ----------------------------------------------------------------

    def test_wrong_usage_is_told_in_one_line(self):
        for flags in (["--no-such-flag"], ["--udp-port=0"], ["-l", "LOUD"], ["-i"],
                      ["-i", "1", "-i", "2"], ["check", "a", "b"], ["--debug-clock-step=soon"]):
            with self.subTest(flags):
                done = node.run(*flags)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(done.stdout, "")
                self.assert_one_line(done.stderr, "latmon: ", "--help")

    def test_help_and_version_are_printed(self):
        for flag, words in (("--version", r"^latmon \d+\.\d+\.\d+( \(\S+\))?\n$"),
                            ("--help", r"(?s)^latmon .*--config-file.*Exit codes: 0 ok.*\n$"),
                            ("-h", r"(?s)^latmon .*--config-file.*Exit codes: 0 ok.*\n$")):
            with self.subTest(flag):
                done = node.run(flag)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertRegex(done.stdout, words)

    def test_check_prints_the_plan_and_touches_no_port(self):
        ports = node.free_ports()
        keys = node.config("node", ports, targets=[node.target("127.0.0.1", ports, label="me")])
        running = node.Node(self, keys).wait_started()
        done = node.run("check", str(running.config))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("me", "127.0.0.1", str(ports.udp), str(ports.tcp)):
            self.assertIn(word, done.stdout)
        self.assertIn("\nadmin: ", done.stdout)
        running.stop()


if __name__ == "__main__":
    runner.main()
