# SPDX-License-Identifier: Apache-2.0
#
# latmon, at both ends, in three settings. Its own thread for exporters writes every sample as a
# line of JSON. "rtt" is what it publishes: with stamps of the kernel the network's share alone,
# with its own stamps from before the send call to after the receive call, either way less what the
# reflector took between its stamps. "trip" is beside it in every sample: as an application sees it,
# with all that the reflector takes.
import measure
import node
import samples
import tool


class Latmon(tool.Tool):
    precision, stamps = "balanced", "auto"

    def start_server(self, stack):
        config = self.folder / "server.toml"
        config.write_text(node.to_toml({
            "name": "server", "udp_port": self.port, "tcp": False, "stamp_port": 0,
            "node_interval": 0, "cores": str(measure.THEIRS), "precision": self.precision,
            "stamps": self.stamps, "reflector": {"rate_per_source": 1_000_000},
            "exporters": [{"plugin": "null"}]}))
        return self.start_at_server(stack, measure.program(self.options, "latmon"), "-c", config)

    def start_clients(self, stack):
        self.samples_path = self.folder / "samples.json"
        config = measure.target_config(
            self.options, self.load.targets, self.load.interval_ms, base=self.cable.base,
            port=self.port, size=self.load.size_bytes, precision=self.precision,
            stamps=self.stamps, exporters=[{
                "plugin": "cli", "file": str(self.samples_path), "samples": ["exchange"]}])
        self.client = stack.enter_context(measure.start_latmon(
            self.options, self.folder, config, name="client", cpus=self.client_cpus))
        return [self.client]

    def report(self, window):
        self.client.stop()
        (queue,) = measure.accounts(self.client).exporters.values()
        rtts_ns, trips_ns, lateness_ns = [], [], []
        for sample in samples.read(self.samples_path):
            if not window.has(sample.get("scheduled_ns", 0)):
                continue
            lateness_ns.append(sample["lateness_ns"])
            if sample["status"] in samples.ANSWERED:
                rtts_ns.append(sample["rtt_ns"])
                trips_ns.append(sample["rtt_user_ns"])
        return {**tool.p50_p99("rtt", rtts_ns), **tool.p50_p99("trip", trips_ns),
                **tool.p50_p99("lateness", lateness_ns),
                "dropped": 100 * queue["dropped"] / queue["made"]}


class Balanced(Latmon):
    name = "latmon"


class Spin(Latmon):
    """Its core never sleeps: its other threads need another CPU, which is the reflector's."""

    name = "latmon, spin"
    precision = "spin"
    client_cpus = frozenset({measure.OURS, measure.THEIRS})


class User(Latmon):
    """For a like-for-like RTT."""

    name = "latmon, user stamps"
    stamps = "user"
