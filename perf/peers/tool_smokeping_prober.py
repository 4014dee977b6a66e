# SPDX-License-Identifier: Apache-2.0
#
# smokeping_prober (Debian: prometheus-smokeping-prober): ICMP echoes from a raw socket, which the
# kernel of the far end answers. Its RTT goes from when it fills in the packet until it has read the
# answer, and is known as a histogram, which is asked for over HTTP just before and just after it is
# watched. Its buckets are ours, and 10 % apart; inside of one, values are taken as evenly spread.
import re
import socket
import time
import urllib.request

import departures
import measure
import tool

PROGRAM = "prometheus-smokeping-prober"
BUCKET = re.compile(r'^smokeping_response_duration_seconds_bucket\{.*le="([^"]+)"\} (\d+)', re.M)
LEAST_NS, MOST_NS, STEP = 2_000, 10_000_000_000, 1.1


def bounds_ns():
    bounds, bound = [], float(LEAST_NS)
    while bound < MOST_NS:
        bounds.append(round(bound))
        bound *= STEP
    return bounds


def quantile_ns(counts, share):
    """`counts`: {upper bound: how many are not above it}."""
    total = max(counts.values(), default=0)
    below_ns, below = 0, 0
    for bound_ns in sorted(counts):
        count = counts[bound_ns]
        if count > below and count >= share * total:
            if bound_ns == float("inf"):
                return below_ns
            return below_ns + (bound_ns - below_ns) * (share * total - below) / (count - below)
        below_ns, below = bound_ns, count
    return None


class SmokepingProber(tool.Tool):
    name = "smokeping_prober"
    programs = (PROGRAM,)
    protocol = departures.ICMP
    most_targets = 200  # Each has a raw socket, and each of these gets the answers to all of them.

    def start_clients(self, stack):
        with socket.socket() as asked:  # The kernel's choice; nobody else is in this namespace.
            asked.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{asked.getsockname()[1]}"
        interval_ns = round(self.load.interval_ms * 1e6)
        client = self.start_client(
            stack, PROGRAM, "--config.file=", f"--web.listen-address={self.address}",
            "--privileged", f"--ping.interval={interval_ns}ns",
            f"--ping.size={self.load.size_bytes}",
            "--buckets=" + ",".join(f"{bound / 1e9:g}" for bound in bounds_ns()),
            *self.cable.addresses(self.load.targets))
        give_up = time.monotonic() + measure.DEADLINE_S
        while client.log().count("Starting prober") < self.load.targets:  # One after the other.
            client.check()
            if time.monotonic() > give_up:
                client.fail(f"not all targets are probed after {measure.DEADLINE_S} s")
            time.sleep(0.05)
        return [client.wait_log("Listening on")]

    def scrape(self):
        """Of all targets together: {upper bound in ns: how many are not above it}."""
        with urllib.request.urlopen(f"http://{self.address}/metrics",
                                    timeout=measure.DEADLINE_S) as answer:
            text = answer.read().decode()
        counts = {}
        for bound, count in BUCKET.findall(text):
            bound_ns = float(bound) * 1e9
            counts[bound_ns] = counts.get(bound_ns, 0) + int(count)
        return counts

    def window_opens(self):
        self.before = self.scrape()

    def window_closes(self):
        self.after = self.scrape()

    def report(self, window):
        counts = {bound: count - self.before.get(bound, 0) for bound, count in self.after.items()}
        return {"rtt p50": quantile_ns(counts, 0.5), "rtt p99": quantile_ns(counts, 0.99)}
