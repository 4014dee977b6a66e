# SPDX-License-Identifier: Apache-2.0
#
# Two latmons on the loopback of a namespace of their own, and every packet between them: one sends,
# with all TLVs, in every format and address family, the other answers. For tools that say what they
# make of it.
from typing import NamedTuple

import capture
import node
import runner
import samples

TLVS = ["exchange", "follow_up", "timestamp_info", "class_of_service", "direct_measurement",
        "location", "access_report"]
HOSTS = {"v4": "127.0.0.1", "v6": "::1"}
# A kernel that nobody told what TAI is allows no time stamps in PTP's format. This one pretends.
# There are none in builds with sanitizers, which must be the first to be loaded.
PRETEND_TAI = runner.TEST_PLUGINS / "pretend_tai.so"
FORMATS = ("ntp",) if runner.IS_SANITIZED else ("ntp", "ptp")


class Exchange(NamedTuple):
    """What was sent to a reflector that answers in `form`, and what it said."""
    form: str
    port: int
    requests: list
    replies: list


def environment(form):
    return {"LD_PRELOAD": str(PRETEND_TAI)} if form == "ptp" else {}


def measure(case, form, count):
    """One sender, in either family; both ends use this format. At least `count` each way."""
    seen, ports = capture.Capture(case), node.free_ports()
    path = runner.scratch(case) / "samples.ndjson"
    reflector = node.Node(case, node.config(
        "reflector", ports, reflector={"timestamp_format": form, "fill_location": True}),
        environment=environment(form)).wait_started()
    targets = [node.target(host, ports, label=family, type="udp", tlvs=TLVS, tags=["site:here"],
                           timestamp_format=form) for family, host in HOSTS.items()]
    sender = node.Node(case, node.config(
        "sender", node.free_ports(), interval=5, timeout=1, targets=targets,
        exporters=[node.cli(path, "exchange")]), environment=environment(form)).wait_started()
    tail, answered = samples.Tail(path), []

    def is_enough():
        answered.extend(sample for sample in tail.new()
                        if sample["status"] in samples.ANSWERED)
        return len(answered) >= count
    runner.wait_until(f"{count} answers", is_enough)
    accounts = sender.stop()
    case.assertEqual(accounts.total("invalid"), 0)
    reflector.stop()
    packets = [packet for packet in seen.udp() if ports.udp in
               (packet.source[1], packet.destination[1])]
    requests = [packet for packet in packets if packet.destination[1] == ports.udp]
    replies = [packet for packet in packets if packet.source[1] == ports.udp]
    case.assertGreaterEqual(len(replies), count)
    case.assertEqual(len(requests), len(replies))
    return Exchange(form, ports.udp, requests, replies)
