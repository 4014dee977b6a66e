#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# What does a scrape of 5,000 series cost, and does a probe notice? Time, octets and CPU of the page
# in each format, packed and plain; memory per series; and the lateness of the same probes without
# the exporter, with it, and with a scrape each second, in turns.
import contextlib
import http.client
import sys
import threading
import time
from typing import NamedTuple

import measure
import node
from case import Case, run

COUNT, PER_TARGET_PER_S = 5_000, 1
FORMATS = {
    "protobuf": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
                "encoding=delimited",
    "OpenMetrics": "application/openmetrics-text;version=1.0.0",
    "text": "text/plain;version=0.0.4"}
# What a Prometheus asks for that was not told of native histograms. No other takes as long.
USUAL = ("OpenMetrics", "gzip")
SCRAPE_S = 1.0
PIECE_BYTES = 1 << 20
PERCENTILES = ("p50", "p99", "p999", "max")


class Page(NamedTuple):
    octets: int
    time_ns: int
    cpu_ns: int  # Of the admin listener's threads.


def admin_ns(latmon):
    return sum(ns for name, ns in measure.threads_ns(latmon.pid).items()
               if name.startswith("lm-admin"))


def take(response, keep=None):
    """Reads it to its end; how many octets."""
    piece, total = bytearray(PIECE_BYTES), 0
    while size := response.readinto(piece):
        total += size
        if keep is not None:
            keep.append(bytes(piece[:size]))
    return total


def scrape(latmon, port, form, coding, keep=None):
    cpu_ns, began_ns = admin_ns(latmon), time.monotonic_ns()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=measure.DEADLINE_S)
    with contextlib.closing(connection):
        connection.request("GET", "/metrics", headers={
            "Accept": FORMATS[form], "Accept-Encoding": coding, "Connection": "close"})
        response = connection.getresponse()
        is_asked = (response.headers["Content-Type"].split(";")[0] == FORMATS[form].split(";")[0]
                    and (response.headers["Content-Encoding"] or "identity") == coding)
        if response.status != 200 or not is_asked:
            raise RuntimeError(f"not {form} in {coding}: {response.status} {response.headers}")
        octets = take(response, keep)
    return Page(octets, time.monotonic_ns() - began_ns, admin_ns(latmon) - cpu_ns)


class Every:
    """Scrapes each second as a Prometheus does, while another thread waits."""

    def __init__(self, port):
        self.port, self.pages, self.errors = port, [], []
        self.must_end = threading.Event()
        self.peak_bytes = 0

    def go_on(self, latmon):
        due_s = time.monotonic()
        while not self.must_end.wait(max(0.0, due_s - time.monotonic())):
            try:
                self.pages.append(scrape(latmon, self.port, *USUAL))
            except (OSError, RuntimeError, http.client.HTTPException) as error:
                self.errors.append(error)
                return
            due_s += SCRAPE_S

    @contextlib.contextmanager
    def beside(self, latmon):
        thread = threading.Thread(target=self.go_on, args=(latmon,))
        thread.start()
        try:
            yield
        finally:
            self.must_end.set()
            thread.join()
        if self.errors:
            raise self.errors[0]
        status = measure.read(f"/proc/{latmon.pid}/status").splitlines()
        [peak] = [line.split()[1] for line in status if line.startswith("VmHWM:")]
        self.peak_bytes = int(peak) * 1024


class Once:
    """Each form of the page, when the stretch is over."""

    def __init__(self, port):
        self.port, self.pages, self.line_count = port, {}, 0

    @contextlib.contextmanager
    def beside(self, latmon):
        yield
        for form in FORMATS:
            for coding in ("identity", "gzip"):
                self.pages[form, coding] = scrape(latmon, self.port, form, coding)
        text = []
        scrape(latmon, self.port, "text", "identity", text)
        self.line_count = sum(1 for line in b"".join(text).split(b"\n")
                              if line and not line.startswith(b"#"))


def case_of(count, port=None, beside=contextlib.nullcontext):
    """With the exporter and its page, if there is a port for it."""
    listen = f"127.0.0.1:{port}" if port else ""
    return Case(count=count, rate_per_s=count * PER_TARGET_PER_S,
                keys={"admin": {"listen": listen}}, beside=beside,
                exporters=({"plugin": "prometheus"},) if port else ())


def add_lateness(figures, results):
    """`results`: of each case, in the order of what it is compared with."""
    for percentile in PERCENTILES:
        values = {of: result.value("lateness", percentile) for of, result in results.items()}
        for of, value in values.items():
            figures.add(f"lateness {percentile}, {of}", value, "ns")
        plain, idle, scraped = values.values()
        for name, value, than in (("scraped / not scraped", scraped, idle),
                                  ("not scraped / without the exporter", idle, plain)):
            if value and than:
                figures.add(f"lateness {percentile}, {name}", value / than, "x")
    for of, result in results.items():
        figures.add(f"slots missed of all, {of}", 100 * result.accounts.total("missed") / max(
            1, result.accounts.total("missed") + result.accounts.total("sent")), "%")


def add_pages(figures, once):
    figures.add("time series on the page", once.line_count, "")
    for (form, coding), page in once.pages.items():
        of = f"{form}, {'packed' if coding == 'gzip' else 'plain'}"
        figures.add(f"octets, {of}", page.octets, "bytes")
        figures.add(f"until the last octet, {of}", page.time_ns, "ns")
        figures.add(f"CPU of the listener, {of}", page.cpu_ns, "ns")


def add_costs(figures, results, every, count):
    plain, idle, scraped = results.values()
    figures.add("scrapes that were answered, each second", len(every.pages), "")
    for name, result in (("not scraped", idle), ("scraped", scraped)):
        more = result.memory["rss"] - plain.memory["rss"]
        figures.add(f"resident memory per series, {name}", more / count, "bytes")
        spent_ns = result.spent_ns.get("lm-stats", 0) + result.exporter_ns("prometheus")
        figures.add(f"CPU of statistics and exporter per series and second, {name}",
                    spent_ns * measure.NS / result.elapsed_ns / count, "ns")
    figures.add("the most resident memory per series, scraped",
                (every.peak_bytes - plain.memory["rss"]) / count, "bytes")


def main():
    options = measure.arguments("What does a scrape cost, and does a probe notice?", 10)
    count = 50 if options.smoke else COUNT
    figures = measure.Figures(f"Scrapes of {measure.targets(count)}", options)
    for _ in range(options.runs):
        port = node.free_ports().tcp
        once, every = Once(port), Every(port)
        results = {"without the exporter": run(options, case_of(count)),
                   "not scraped": run(options, case_of(count, port, once.beside)),
                   "scraped each second": run(options, case_of(count, port, every.beside))}
        for result in results.values():
            figures.note(result.distrust())
        add_lateness(figures, results)
        add_pages(figures, once)
        add_costs(figures, results, every, count)
    figures.goal("lateness p50, scraped / not scraped", most=1.2)
    figures.goal("lateness p99, scraped / not scraped", most=2)
    return figures.finish()


if __name__ == "__main__":
    sys.exit(main())
