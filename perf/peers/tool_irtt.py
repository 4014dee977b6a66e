# SPDX-License-Identifier: Apache-2.0
#
# irtt (Debian: irtt). One process is one target: several targets are as many clients of one server.
# Its RTT is taken in user space from before the send call to after the receive call, less what the
# server says that it took between its own two stamps. Its timer error is the mean distance between
# when a probe should have left and when it did.
import json
import signal

import tool

NS_PER_S = 10**9
START_S = 0.2  # That a process takes to be started, at most.


class Irtt(tool.Tool):
    name = "irtt"
    programs = ("irtt",)
    most_targets = 200  # Each takes a process.

    def start_server(self, stack):
        self.far = f"{self.cable.server}:{self.port}"
        return self.start_at_server(stack, "irtt", "server", "-b", self.far, "-i", "0")

    def start_clients(self, stack):
        interval_ns, total_ns = (round(value) for value in (
            self.load.interval_ms * 1e6,
            (self.load.total_s + START_S * self.load.targets) * NS_PER_S))
        self.clients = [
            self.start_client(stack, "irtt", "client", "-Q", "-i", f"{interval_ns}ns", "-d",
                              f"{total_ns}ns", "-l", self.load.size_bytes, "-o",
                              self.folder / f"{index}.json", self.far, name=f"client{index}")
            for index in range(self.load.targets)]
        return self.clients

    def report(self, window):
        rtts_ns, error_ns, errors = [], 0, 0
        for client in self.clients:  # It is a file that it writes even if it is interrupted.
            client.process.send_signal(signal.SIGINT)
        for index, client in enumerate(self.clients):
            client.wait()
            document = json.loads((self.folder / f"{index}.json").read_text())
            error = document["stats"]["timer_error"]
            error_ns, errors = error_ns + error["total"], errors + error["n"]
            for trip in document["round_trips"]:
                if trip["lost"] != "false":
                    continue
                if window.has(trip["timestamps"]["client"]["send"]["wall"]):
                    rtts_ns.append(trip["delay"]["rtt"])
        return tool.p50_p99("rtt", rtts_ns) | {"timer mean": error_ns / errors if errors else None}
