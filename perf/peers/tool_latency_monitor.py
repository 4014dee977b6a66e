# SPDX-License-Identifier: Apache-2.0
#
# latency-monitor, the Python tool that latmon takes the place of: UDP alone, its cli backend. Its
# RTT is taken by the wall clock from before it makes the packet until it has read the answer, and
# contains what the server takes. It waits for an answer before it sleeps until the next probe. Both
# ends are several processes, in a process namespace that they cannot outlive.
import json

import latency_monitor  # How the test suite gets it.
import node
import tool

TOGETHER = ("unshare", "--fork", "--pid", "--kill-child")


class LatencyMonitor(tool.Tool):
    name = "latency-monitor"
    programs = ("unshare",)

    @classmethod
    def need(cls):
        latency_monitor.need()

    def config(self, name, port, targets):
        path = self.folder / f"{name}.toml"
        path.write_text(node.to_toml({
            "name": name, "udp_port": port, "tcp": False, "tcp_latency": False,
            "max_size": self.load.size_bytes, "interval": self.load.interval_ms,
            "metrics": {"backend": "cli"}, "targets": targets}))
        return path

    def start_server(self, stack):
        config = self.config("server", self.port, [])
        return self.start_at_server(stack, *TOGETHER, latency_monitor.PROGRAM, "-c", config)

    def start_clients(self, stack):
        targets = [{"host": self.cable.server, "label": f"t{index:05}", "type": "udp",
                    "udp_port": self.port} for index in range(self.load.targets)]
        config = self.config("client", node.free_ports().udp, targets)
        self.client = self.start_client(stack, *TOGETHER, latency_monitor.PROGRAM, "-c", config)
        return [self.client]

    def report(self, window):
        """A lost probe is printed as 0."""
        rtts_ns = []
        for line in self.client.stdout().splitlines():
            if not line.endswith("}"):  # The last may be on its way.
                continue
            metric = json.loads(line)
            time_ns, value_ns = metric["points"][0]
            if metric["metric"] == "udp.wan.rtt" and value_ns != 0 and window.has(time_ns):
                rtts_ns.append(value_ns)
        return tool.p50_p99("rtt", rtts_ns)
