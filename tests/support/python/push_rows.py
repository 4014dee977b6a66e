# SPDX-License-Identifier: Apache-2.0
#
# Exporters that push, as the tests of what they have in common see them: one entry says how to
# configure an exporter, and how to find its rows in what a server stored. And the accounts that
# every one of them logs when latmon stops.
import re
from typing import NamedTuple

import runner

ACCOUNTS = re.compile(r"\[(?:INFO|DEBUG)\] exporter (\S+): .*: accounts of rows: (.*)$", re.M)


class Exporter(NamedTuple):
    name: str
    table: object        # (server, **keys) -> an [[exporters]] table.
    rows: object         # (request) -> its rows in order, as tuples (series, sequence, ...).
    block: object        # (request) -> the id of its block, or None if it has none.


def push_lines(server, **keys):
    base = {"path": str(runner.TEST_PLUGINS / "push_lines.so"), "name": "push_lines",
            "url": f"{server.url}/lines", "samples": ["exchange"], "queue_samples": 1 << 16,
            "flush_interval": 0.05, "retry_min": 0.05, "retry_max": 0.2, "timeout": 30.0}
    return base | keys


def rows_of_lines(request):
    return [tuple(line.split()[:4]) for line in request.body.decode().splitlines()]


PUSH_LINES = Exporter("push_lines", push_lines, rows_of_lines,
                      lambda request: request.headers["x-block"])

# Every exporter that can do what push_lines does may stand here.
EXPORTERS = [PUSH_LINES]


def accounts(case, log, name):
    """The counts of the exporter's last line, which balance."""
    found = [fields for exporter, fields in ACCOUNTS.findall(log) if exporter == name]
    case.assertEqual(len(found), 1, log)
    counts = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", found[0])}
    gone = sum(counts[key] for key in ("sent", "rejected", "dropped", "superseded", "waiting",
                                       "abandoned"))
    case.assertEqual(counts["appended"] + counts["recovered"], gone, counts)
    return counts


def blocks(case, exporter, requests):
    """Rows of each block once, in the order in which they came first. A block that came again must
    be the same: duplicates are whole blocks with the same id."""
    seen, order = {}, []
    for request in requests:
        if request.method != "POST":
            continue
        rows, block = exporter.rows(request), exporter.block(request)
        if block is not None and block in seen:
            case.assertEqual(rows, seen[block], f"block {block} came again with other rows")
            continue
        seen[block] = rows
        order.append(rows)
    return order


def rows(case, exporter, requests):
    """All rows that the server has, each once, in order; no row stands in two blocks."""
    found = [row for block in blocks(case, exporter, requests) for row in block]
    case.assertEqual(len(found), len(set(found)), "a row in two blocks")
    return found


def check_order(case, found):
    """Within each series, the sequence grows."""
    last = {}
    for series, sequence, *_ in found:
        case.assertGreater(int(sequence), last.get(series, -1), f"series {series} out of order")
        last[series] = int(sequence)
