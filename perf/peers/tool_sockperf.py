# SPDX-License-Identifier: Apache-2.0
#
# sockperf (Debian: sockperf), ping-pong at a fixed rate: one thread sends, waits for the answer,
# and spins until the next probe is due. An answer that is late delays the probes after it. Its full
# log has the time of sending and of receipt of each message, by the CPU's counter, from before the
# send call to after the receive call: its RTT contains what the server takes.
import itertools
import math

import tool

WARM_UP_S = 0.4  # Of its sending, that it does not log.
COLUMNS = "packet, txTime(sec), rxTime(sec), rtt(usec)"


class Sockperf(tool.Tool):
    name = "sockperf"
    programs = ("sockperf",)
    lead_s = 2.1

    def ends(self):
        """One address: it blocks in the receive call; several: in epoll."""
        addresses = self.cable.addresses(self.load.targets)
        if len(addresses) == 1:
            return ["-i", addresses[0], "-p", str(self.port)]
        path = self.folder / "targets"
        path.write_text("".join(f"U:{address}:{self.port}\n" for address in addresses))
        return ["-f", str(path), "-F", "e"]

    def start_server(self, stack):
        return self.start_at_server(stack, "sockperf", "server", *self.ends())

    def start_clients(self, stack):
        self.log = self.folder / "full.csv"
        rate = round(self.load.targets * self.load.rate)
        self.client = self.start_client(
            stack, "sockperf", "ping-pong", *self.ends(), "--msg-size", self.load.size_bytes,
            "--mps", rate, "--time", math.ceil(self.load.total_s), "--full-rtt", "--full-log",
            self.log)
        return [self.client]

    def report(self, window):
        """Its clock is its own; what it logs begins a known time after its first probe."""
        self.client.wait()
        with open(self.log, encoding="utf-8") as file:
            rows = itertools.dropwhile(lambda line: not line.startswith(COLUMNS), file)
            fields = [line.split(", ") for line in itertools.islice(rows, 1, None)
                      if line[:1].isdigit()]
        start_s = float(fields[0][1]) - WARM_UP_S + self.load.settle_s if fields else 0
        return tool.p50_p99("rtt", [
            round(float(row[3]) * 1000) for row in fields
            if start_s <= float(row[1]) < start_s + self.load.seconds])
