# SPDX-License-Identifier: Apache-2.0
#
# stamp-suite, a STAMP implementation in Rust that is not ours: where to get it, and how to run it
# in either role. It is built once, by cargo, from the Rust package of that name, into the build
# directory; that takes half a minute on two CPUs.
#
# Its command line, as of this version:
#   sender      stamp-suite --remote-addr A --remote-port P -c COUNT -d INTERVAL_MS -L TIMEOUT_S
#   reflector   stamp-suite -i --local-addr A --local-port P [--stateful-reflector]; SIGTERM ends
#               it with 0, and what it counted comes on stdout
#   both        -A A | O         authenticated or open
#               --hmac-key-file  the key in hex digits, blanks around it allowed, or else as raw
#                                octets; 16 at least; a file open to others than its owner is
#                                refused
#               -K NTP | PTP     format of the time stamps it sends; PTP as UTC, not TAI
#               --output-format json   one object at the end on stdout; logs go to stderr
#   sender      --ssid N, and for TLVs --extra-padding OCTETS (1), --location (2),
#               --timestamp-info (3), --cos --dscp N (4), --direct-measurement (5),
#               --access-report 1 (6; repeated until it comes back with U = 0),
#               --follow-up-telemetry (7); the HMAC TLV (8) goes along where there are a key and
#               TLVs
#   reflector   --verify-tlv-hmac; access reports with another id than 1 or 2 are not answered
# The sender's "measurements"."tlv_validation" counts the TLVs that came back by type and flag.
import fcntl
import json
import os
import shutil
import signal
import subprocess
import unittest

import node
import runner

VERSION = "1.0.0"
BUILD_S = 560
# The build directories of the presets lie side by side and share it.
FOLDER = (runner.BUILD.parent if runner.BUILD.parent == runner.ROOT / "build"
          else runner.BUILD) / f"stamp-suite-{VERSION}"
PROGRAM = FOLDER / "bin" / "stamp-suite"

ALL_TLVS = ("--extra-padding", "20", "--location", "--timestamp-info", "--cos", "--dscp", "0",
            "--direct-measurement", "--access-report", "1", "--follow-up-telemetry")
ALL_TLV_TYPES = {1, 2, 3, 4, 5, 6, 7}


def need():
    """Builds it if it is not there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if PROGRAM.exists():
            return
        runner.need_tool("cargo")
        command = ["cargo", "install", "stamp-suite", "--version", VERSION, "--locked", "--debug",
                   "--root", str(FOLDER), "--target-dir", str(FOLDER / "target")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_S,
                              preexec_fn=node.die_with_parent, check=False)
        shutil.rmtree(FOLDER / "target", ignore_errors=True)
        if done.returncode != 0:
            raise unittest.SkipTest(f"needs stamp-suite {VERSION}, and cargo install failed:\n"
                                    f"{done.stderr[-2000:]}")


def key_file(case, key):
    path = runner.scratch(case) / "key"
    path.touch(mode=0o600)
    path.write_text(key.hex() + "\n")
    return str(path)


class StampSuite:
    """One run of it, in the test's namespace."""

    def __init__(self, case, *arguments, key=None):
        self.case, folder = case, runner.scratch(case)
        self.stdout_path, self.stderr_path = folder / "stdout", folder / "stderr"
        if key is not None:
            arguments = (*arguments, "-A", "A", "--hmac-key-file", key_file(case, key))
        with open(self.stdout_path, "wb") as out, open(self.stderr_path, "wb") as err:
            self.process = subprocess.Popen(
                [str(PROGRAM), "--output-format", "json", *arguments], stdin=subprocess.DEVNULL,
                stdout=out, stderr=err, env=os.environ | {"NO_COLOR": "1"},
                preexec_fn=node.die_with_parent)
        case.addCleanup(self.kill)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def log(self):
        return self.stderr_path.read_text(errors="replace")

    def wait_listening(self):
        def is_up():
            self.case.assertIsNone(self.process.poll(), self.log())
            return "listening on" in self.log()
        runner.wait_until("stamp-suite to listen", is_up)
        return self

    def wait_summary(self):
        """What it counted, when it has ended."""
        code = self.process.wait(timeout=runner.DEADLINE_S)
        self.case.assertEqual(code, 0, self.log())
        return json.loads(self.stdout_path.read_text())

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.wait_summary()


def start_reflector(case, address, port, *flags, key=None):
    return StampSuite(case, "-i", "--local-addr", address, "--local-port", str(port), *flags,
                      key=key).wait_listening()


def run_sender(case, address, port, count, *flags, key=None):
    """Sends so many probes, 5 ms apart."""
    local = "::1" if ":" in address else "127.0.0.1"
    return StampSuite(case, "--remote-addr", address, "--remote-port", str(port), "--local-addr",
                      local, "-c", str(count), "-d", "5", "-L", "2", *flags,
                      key=key).wait_summary()
