# SPDX-License-Identifier: Apache-2.0
#
# fping (Debian: fping), in its loop mode: ICMP echoes, which the kernel of the far end answers, so
# that there is no second process. It prints every RTT, from before its send call until it has the
# answer, to three digits. Between two probes it waits at least a time that is set here to what
# spreads the probes of all targets evenly.
import re
import signal

import departures
import tool

LINE = re.compile(r"^\[(\d+\.\d+)\] \S+ : \[\d+\], \d+ bytes, ([\d.e+-]+) ms")


class Fping(tool.Tool):
    name = "fping"
    programs = ("fping",)
    protocol = departures.ICMP

    def start_clients(self, stack):
        path = self.folder / "targets"
        path.write_text("\n".join(self.cable.addresses(self.load.targets)) + "\n")
        gap_ms = self.load.interval_ms / self.load.targets
        self.client = self.start_client(
            stack, "fping", "-l", "-D", "-p", f"{self.load.interval_ms:g}", "-i", f"{gap_ms:g}",
            "-b", self.load.size_bytes, "-f", path)
        return [self.client]

    def report(self, window):
        self.client.stop(signal.SIGINT)
        found = (LINE.match(line) for line in self.client.stdout().splitlines())
        return tool.p50_p99("rtt", [round(float(match[2]) * 1e6) for match in found
                                    if match and window.has(round(float(match[1]) * 1e9))])
