# SPDX-License-Identifier: Apache-2.0
#
# What the servers behind the exporters have of each path, read from each in its own words and said
# in one form, so that they can be held against each other and against the daemon's own accounts. A
# path is (target, protocol); counts are whole, sums are in whole nanoseconds.
import collections
import math
import re
from typing import NamedTuple

import samples

ADDRESSED = ("lost_forward", "lost_reverse", "lost_local_tx", "lost_local_rx")
# What counters of probes are called, and the status that they are of.
OF_ONE_STATUS = {"late": "late", "duplicated": "duplicate", "reordered": "reordered",
                 "invalid": "invalid", "unsent": "local_error", "unreachable": "unreachable"}
DELAYS = {"owd_fwd": "fwd", "owd_rev": "rev"}
SURE = ("bounded", "estimated")


class Times(NamedTuple):
    count: int
    sum_ns: int


NONE = Times(0, 0)


class Path(NamedTuple):
    statuses: dict  # By the words of a sample; none is 0.
    times: dict     # "rtt", "owd_fwd", "owd_rev": Times; none without a value.


def without_zeros(counts):
    return {word: count for word, count in counts.items() if count}


def statuses_of(counts):
    """From counters of probes: sent, received, lost and its parts, and OF_ONE_STATUS. What was
    lost in this host is no part of `lost`."""
    found = collections.Counter({status: counts.get(name, 0)
                                 for name, status in OF_ONE_STATUS.items()})
    found.update({status: counts.get(status, 0) for status in ADDRESSED})
    found["ok"] = counts["received"] - found["reordered"]
    found["lost"] = counts["lost"] - sum(found[status] for status in
                                         ("lost_forward", "lost_reverse", "unreachable"))
    local = found["lost_local_tx"] + found["lost_local_rx"]
    if counts["sent"] != counts["received"] + counts["lost"] + local:
        raise AssertionError(f"sent is not received and lost: {counts}")
    return without_zeros(found)


# -- The daemon -----------------------------------------------------------------------------------

def made(accounts):
    """Statuses of each path, from the accounts of a daemon that has ended."""
    found = {}
    for probe in accounts.probes:
        proto = "tcp_connect" if probe["kind"] == "connect" else probe["protocol"]
        counts = {status: probe[status] for status in
                  (*ADDRESSED, "unreachable", "late", "duplicate", "reordered", "invalid",
                   "local_error")}
        counts["ok"] = probe["answered"] - probe["reordered"]
        counts["lost"] = probe["lost"] - sum(probe[status] for status in ADDRESSED)
        found[probe["target"], proto] = without_zeros(counts)
    return found


# -- json -----------------------------------------------------------------------------------------

def times_in(sample):
    """(which, ns) of each time of a sample that exporters make something of."""
    if sample["status"] in samples.ANSWERED:
        yield "rtt", sample["rtt_ns"]
    for which in DELAYS:
        if f"{which}_ns" in sample and sample.get("owd_class") in SURE:
            yield which, sample[f"{which}_ns"]


def from_json(path, lowest_ns=None):
    """`lowest_ns`: times below are left out."""
    statuses = collections.defaultdict(collections.Counter)
    sums = collections.defaultdict(lambda: collections.defaultdict(lambda: NONE))
    for sample in samples.read(path):
        target, kind = samples.series_of(sample)
        key = target, "tcp_connect" if kind == "connect" else kind
        statuses[key][sample["status"]] += samples.count_of(sample)
        for which, ns in times_in(sample):
            if lowest_ns is None or ns >= lowest_ns:
                count, sum_ns = sums[key][which]
                sums[key][which] = Times(count + 1, sum_ns + ns)
    return {key: Path(dict(counts), dict(sums[key])) for key, counts in statuses.items()}


# -- Prometheus -----------------------------------------------------------------------------------

def last(prometheus, metric):
    """(path, labels, value) of each series of the metric, as it was last scraped."""
    for labels, values in prometheus.scraped(metric):
        yield (labels["target"], labels["proto"]), labels, values[-1][1]


def probes_in_prometheus(prometheus):
    counts = collections.defaultdict(collections.Counter)
    for name in ("sent", "received", *OF_ONE_STATUS):
        if name == "unreachable":  # One of `lost`, there.
            continue
        for key, _, value in last(prometheus, f"latmon_probes_{name}_total"):
            counts[key][name] = round(value)
    for key, labels, value in last(prometheus, "latmon_probes_lost_total"):
        status = labels["status"]
        if status != "lost":
            counts[key][status] = round(value)
        if not status.startswith("lost_local_"):
            counts[key]["lost"] += round(value)
    return counts


def times_in_prometheus(prometheus):
    times = collections.defaultdict(dict)
    for metric in ("latmon_rtt_seconds", "latmon_tcp_connect_seconds", "latmon_owd_seconds"):
        for key, labels, (count, sum_s) in last(prometheus, metric):
            which = f"owd_{labels['direction']}" if "direction" in labels else "rtt"
            if count:
                times[key][which] = Times(round(count), round(sum_s * 1e9))
    return times


def from_prometheus(prometheus):
    """Of its last scrape; needs native histograms."""
    counts, times = probes_in_prometheus(prometheus), times_in_prometheus(prometheus)
    return {key: Path(statuses_of(of), times.get(key, {})) for key, of in counts.items()}


# -- statsd and DogStatsD -------------------------------------------------------------------------

def from_statsd(totals):
    """Of names as "latmon.udp.owd.fwd.bounded.SOURCE.TARGET"; times are in milliseconds."""
    counts = collections.defaultdict(collections.Counter)
    times = collections.defaultdict(dict)
    for name, value in totals["counters"].items():
        head, *parts = name.split(".")
        if head == "latmon":
            proto, _, metric, _, target = parts
            counts[target, proto][metric] = round(value)
    for name, timer in totals["timers"].items():
        _, proto, *metric, _, target = name.split(".")
        which = f"owd_{metric[1]}" if metric[0] == "owd" else "rtt"
        count, sum_ns = times[target, proto].get(which, NONE)
        times[target, proto][which] = Times(count + timer["count"],
                                            sum_ns + round(timer["sum"] * 1e6))
    return {key: Path(statuses_of(of), times.get(key, {})) for key, of in counts.items()}


def from_agent(agent):
    """Of all lines that a stand-in for Datadog's Agent has taken; times are in seconds."""
    counts = collections.defaultdict(collections.Counter)
    seconds = collections.defaultdict(lambda: collections.defaultdict(list))
    for metric in agent.metrics:
        tags = dict(tag.split(":", 1) for tag in metric.tags)
        key = tags["target"], tags["proto"]
        name = metric.name.removeprefix("latmon.")
        if name.startswith("probes."):
            counts[key][name.removeprefix("probes.")] += round(sum(metric.values))
        else:
            which = f"owd_{tags['direction']}" if name == "owd" else "rtt"
            seconds[key][which] += metric.values
    return {key: Path(statuses_of(of), {which: Times(len(all_), round(math.fsum(all_) * 1e9))
                                        for which, all_ in seconds[key].items()})
            for key, of in counts.items()}


def from_statsd_exporter(page):
    """Of what statsd_exporter of the Prometheus project shows."""
    counts = collections.defaultdict(collections.Counter)
    sums = collections.defaultdict(collections.Counter)
    for name, labels, value in re.findall(r"^latmon_(\w+)\{(.*)\} (\S+)$", page, re.M):
        tags = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        key = tags["target"], tags["proto"]
        which = f"owd_{tags['direction']}" if "direction" in tags else "rtt"
        if name.startswith("probes_"):
            counts[key][name.removeprefix("probes_")] = round(float(value))
        elif name.endswith("_count"):
            sums[key][which, "count"] += round(float(value))
        elif name.endswith("_sum"):  # One for each class of one-way delays.
            sums[key][which, "ns"] += round(float(value) * 1e9)
    return {key: Path(statuses_of(of), {which: Times(sums[key][which, "count"],
                                                     sums[key][which, "ns"])
                                        for which, part in sums[key] if part == "count"})
            for key, of in counts.items()}
