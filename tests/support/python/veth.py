# SPDX-License-Identifier: Apache-2.0
#
# Hosts and the cables between them: this namespace, others, and veth pairs on which nothing travels
# but what the test sends. Neighbours are given and IPv6 is not brought up, so that what a rule or a
# queue on the way counts are the test's own packets. Also the rules that drop, and the queues that
# wait; each counts what it did.
import json

import netns

HERE, THERE = "10.99.0.1", "10.99.0.2"
NOBODY = "10.99.0.3"  # Its packets arrive at the other end, which throws them away in silence.
FAR_THERE, FAR_NOBODY = "10.99.1.2", "10.99.1.3"  # Behind the router.
NEAR_ROUTER, FAR_ROUTER = "10.99.0.254", "10.99.1.254"
EVERY = 100  # One packet in so many is dropped, and never one of the first.

TABLE = """
table {family} latmon {{
    counter dropped {{ }}
    chain drops {{
        type filter hook {hook} priority 0
        udp {end} {port} numgen inc mod {every} {nth} counter name "dropped" drop
    }}
}}
"""


def lay_cable(*ends):
    """Each end: (device, namespace, address, what else its peer answers for)."""
    (device, net, _, _), (peer, peer_net, _, _) = ends
    into = ("netns", str(peer_net)) if peer_net is not None else ()
    netns.run("ip", "link", "add", device, "type", "veth", "peer", "name", peer, *into, net=net)
    for index, (device, net, mine, _) in enumerate(ends):
        netns.run("ip", "link", "set", device, "addrgenmode", "none", "address", mac(index),
                  net=net)
        netns.run("ip", "address", "add", f"{mine}/24", "dev", device, net=net)
        netns.run("ip", "link", "set", device, "up", net=net)
    for index, (device, net, _, others) in enumerate(ends):
        for other in (ends[1 - index][2], *others):
            netns.run("ip", "neighbour", "replace", other, "lladdr", mac(1 - index), "dev", device,
                      "nud", "permanent", net=net)


def mac(index):
    return f"02:00:00:00:00:{index + 1:02x}"


class Veth:
    """HERE and THERE, with a cable between them."""

    def __init__(self, case):
        self.there = netns.neighbour(case)
        lay_cable(("here", None, HERE, (NOBODY,)), ("there", self.there, THERE, ()))
        case.addCleanup(netns.run, "ip", "link", "del", "here")


class Route:
    """HERE and FAR_THERE, with a router between them: `near` and `far` are its devices."""

    def __init__(self, case):
        self.router, self.there = netns.neighbour(case), netns.neighbour(case)
        lay_cable(("here", None, HERE, ()), ("near", self.router, NEAR_ROUTER, (NOBODY,)))
        case.addCleanup(netns.run, "ip", "link", "del", "here")
        lay_cable(("far", self.router, FAR_ROUTER, (FAR_NOBODY,)),
                  ("there", self.there, FAR_THERE, ()))
        netns.run("sysctl", "-qw", "net.ipv4.ip_forward=1", net=self.router)
        netns.run("ip", "route", "add", "default", "via", NEAR_ROUTER)
        netns.run("ip", "route", "add", "default", "via", FAR_ROUTER, net=self.there)


class Drops:
    """A rule of nftables. `hook` and `family` say where, `end` is "sport" or "dport"."""

    def __init__(self, case, hook, end, port, net=None):
        family = "inet" if hook == "output" else "netdev"
        self.family, self.net = family, net
        netns.run("nft", "-f", "-", net=net, text=TABLE.format(
            family=family, hook=hook, end=end, port=port, every=EVERY, nth=EVERY // 2))
        case.addCleanup(netns.run, "nft", "delete", "table", family, "latmon", net=net)

    def end(self):
        """Drops nothing any more, and keeps the count."""
        netns.run("nft", "flush", "chain", self.family, "latmon", "drops", net=self.net)

    def count(self):
        listing = json.loads(netns.run("nft", "-j", "list", "counters", net=self.net))
        counts = [item["counter"]["packets"] for item in listing["nftables"] if "counter" in item]
        (count,) = counts
        return count


class Bucket:
    """A token bucket (tc-tbf(8)) that all that leaves by `device` waits in."""

    def __init__(self, case, device, rate_bits_per_s, limit_bytes, net=None):
        self.device, self.net, self.rate_bits_per_s = device, net, rate_bits_per_s
        self.set("add", rate_bits_per_s, limit_bytes)
        case.addCleanup(netns.run, "tc", "qdisc", "del", "dev", device, "root", net=net)

    def set(self, verb, rate_bits_per_s, limit_bytes):
        netns.run("tc", "qdisc", verb, "dev", self.device, "root", "tbf", "rate",
                  f"{rate_bits_per_s}bit", "burst", str(max(2_000, rate_bits_per_s // 2_000)),
                  "limit", str(limit_bytes), net=self.net)

    def end(self):
        """Drops nothing any more, and keeps the count."""
        self.set("change", 1_000_000_000, 10_000_000)

    def statistics(self):
        listing = json.loads(netns.run("tc", "-s", "-j", "qdisc", "show", "dev", self.device,
                                       net=self.net))
        found = [entry for entry in listing if entry["kind"] == "tbf"]
        return found[0]

    def count(self):
        return self.statistics()["drops"]

    def queued_ns(self):
        """How long what is queued now will take to leave."""
        return self.statistics()["backlog"] * 8 * 10**9 // self.rate_bits_per_s
