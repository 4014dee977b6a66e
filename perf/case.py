# SPDX-License-Identifier: Apache-2.0
#
# One measurement of a running latmon: so many targets at such a rate, something that answers them,
# and what came of it in a stretch of time after all has settled. Which cases there are, and what a
# figure means, is the question's own business.
import contextlib
import json
import time
from typing import NamedTuple

import measure
import node

ANSWERED = (1, 7)      # LATMON_STATUS_OK, LATMON_STATUS_REORDERED.
LOST = (2, 3, 4, 11, 12)
OUR_FAULT = (8, 11, 12)  # LATMON_STATUS_LOCAL_ERROR, _LOST_LOCAL_TX, _LOST_LOCAL_RX.
WITHOUT_ADMIN = {"admin": {"listen": ""}}  # What is measured here are probes and exporters.
SESSIONS_MAX = 16_000  # What one core of a latmon that answers keeps, a little less.


class Case(NamedTuple):
    count: int = 1                 # Targets.
    rate_per_s: float = 1000.0     # Probes of all targets together.
    keys: dict = {}                # Further keys of latmon's configuration.
    exporters: tuple = ()          # Further exporters; the recorder is always there, unless
    is_recorded: bool = True       # there is none.
    reflector: str = "loadgen"     # Or "latmon": kernel's T2 and T3, and as precise as ours.
    reflect_flags: tuple = ()
    watched_per_s: float = 0.0     # The first target's own rate, and histograms; 0: as the others.
    has_hog: bool = False          # Another program wants latmon's CPU all the time.
    events: tuple = ()             # For measure.count_events(), of the core-threads.
    # What else happens: beside(latmon) is a context, entered when latmon probes, and left when the
    # stretch is over and latmon still runs.
    beside: object = contextlib.nullcontext


class Result(NamedTuple):
    record: dict        # recorder.so's document; empty without it.
    spent_ns: dict      # CPU time of each thread, by name, in
    elapsed_ns: int     # so long.
    probes: float       # Sent in that time.
    memory: dict        # Bytes, at its end.
    events: dict
    accounts: object    # Of its whole life.
    starting_ns: int    # From its start until it said that it probes.
    started_ns: int     # CLOCK_REALTIME of its start.
    reflect: dict       # What loadgen says; empty if latmon answered.
    seconds: float      # The recorder's stretch.
    count: int          # Targets.

    def value(self, metric, name, of="all"):
        """A percentile of the recorder's, or None if there was none."""
        return self.record.get(of, {}).get(metric, {}).get(name)

    def cores_ns(self):
        return sum(ns for name, ns in self.spent_ns.items() if name.startswith("lm-core-"))

    def exporter_ns(self, name):
        return self.spent_ns.get(f"lm-exp-{name}"[:15], 0)

    def total_ns(self, without_recorder=True):
        """All threads; what the recorder takes is ours who measure."""
        recorder = self.exporter_ns("recorder") if without_recorder else 0
        return sum(self.spent_ns.values()) - recorder

    def rate_per_s(self, statuses=None):
        """Samples a second in the recorder's stretch, of all or of some statuses."""
        count = (self.record["counted"] if statuses is None else
                 sum(self.record["status"][status] for status in statuses))
        return count / self.seconds

    def share(self, statuses):
        """Of those samples."""
        counted = max(1, self.record["counted"])
        return sum(self.record["status"][status] for status in statuses) / counted

    def distrust(self):
        """Why this run would not be believed, if so: one line."""
        reasons = self.reflect.get("distrust_reasons", [])
        said = f"loadgen says of itself: {'; '.join(reasons)}." if reasons else ""
        kept = self.accounts.exporters.get("recorder")
        if kept is not None and kept["made"] != kept["exported"]:
            said += f" The recorder did not get {kept['made'] - kept['exported']:,} samples."
        return said.strip()

    def share_unanswered(self):
        """Of all probes of its life."""
        sent = max(1, self.accounts.total("sent"))
        return 1 - (self.accounts.total("answered") + self.accounts.total("in_flight")) / sent

    def node_per_s(self, *names):
        """How fast counters of the loops and rings grew."""
        found = [row for row in self.record["node"]
                 if row["name"] in names and row["last_ns"] > row["first_ns"]]
        if not found:
            return None
        return sum((row["last"] - row["first"]) * measure.NS / (row["last_ns"] - row["first_ns"])
                   for row in found)


def recorder(options, folder, **keys):
    """The [[exporters]] table of a recorder. In a run that only sees whether all comes, it counts
    from the first sample to the last."""
    skip_s, count_s = (0, 0) if options.smoke else (measure.settle_s(options), options.seconds)
    return {"path": measure.program(options, "recorder.so"), "queue_samples": 1 << 17,
            "samples": ["exchange", "node"], "file": str(folder / "record.json"),
            "skip_ms": int(skip_s * 1000), "count_ms": int(count_s * 1000)} | keys


def config_of(options, folder, case, ports):
    exporters = list(case.exporters)
    if case.is_recorded:
        exporters.append(recorder(options, folder, watched="t00001"))
    interval_ms = 1000.0 * case.count / case.rate_per_s
    text = measure.target_config(options, case.count, interval_ms, port=ports[0],
                                 exporters=exporters, **(WITHOUT_ADMIN | case.keys))
    head, *targets = text.split("[[targets]]\n")
    if case.watched_per_s:
        targets[0] = f"interval = {1000.0 / case.watched_per_s!r}\n" + targets[0]
    for index in range(SESSIONS_MAX if len(ports) > 1 else case.count, case.count):
        port = ports[index // SESSIONS_MAX]
        targets[index] = targets[index].replace(f"udp_port = {ports[0]}", f"udp_port = {port}")
    return "[[targets]]\n".join([head, *targets])


def reflector_config(case, ports):
    is_spinning = case.keys.get("precision") == "spin"
    return node.to_toml({
        "name": "reflector", "udp_port": ports.udp, "tcp_port": ports.tcp, "stamp_port": 0,
        "tcp": False, "cores": str(measure.THEIRS), "node_interval": 0,
        "precision": "spin" if is_spinning else "balanced",
        "reflector": {"sessions_per_source": 16_384, "rate_total": 100_000_000},
        "exporters": [{"plugin": "null"}]} | WITHOUT_ADMIN)


@contextlib.contextmanager
def answering(options, folder, case):
    """Something answers; gives its ports, and its process if it has something to say."""
    if case.reflector == "loadgen":
        ports = node.free_ports()
        with measure.start_reflect(options, folder, case.count, ports.udp,
                                   *case.reflect_flags) as reflect:
            time.sleep(0.2)
            reflect.check()
            yield [ports.udp], reflect
        return
    with contextlib.ExitStack() as stack:
        udp_ports = []
        for index in range((case.count + SESSIONS_MAX - 1) // SESSIONS_MAX):
            ports = node.free_ports()
            stack.enter_context(measure.start_latmon(
                options, folder, reflector_config(case, ports), name=f"reflector-{index}"))
            udp_ports.append(ports.udp)
        yield udp_ports, None


@contextlib.contextmanager
def crowded(folder, case):
    """Another program on latmon's CPU, if the case wants one."""
    if not case.has_hog:
        yield
        return
    with measure.hog(folder, {measure.OURS}):
        yield


def watch(options, case, latmon):
    """(CPU time by thread, elapsed, events, memory) of the stretch that is measured."""
    time.sleep(measure.settle_s(options))
    latmon.check()
    before, began_ns = measure.threads_ns(latmon.pid), time.monotonic_ns()
    if case.events:
        threads = measure.thread_ids(latmon.pid, "lm-core-")
        events = measure.count_events(case.events, threads, options.seconds)
    else:
        events = {}
        time.sleep(options.seconds)
    after, ended_ns = measure.threads_ns(latmon.pid), time.monotonic_ns()
    latmon.check()
    memory = measure.memory_bytes(latmon.pid)
    # The exact T3 of a target's last probe in the stretch comes with the answer to its next.
    time.sleep(case.count / case.rate_per_s + 0.1)
    return measure.spent_ns(before, after), ended_ns - began_ns, events, memory


def run(options, case):
    """Measures one case once."""
    with measure.scratch() as folder, answering(options, folder, case) as (ports, reflect), \
            crowded(folder, case):
        latmon = measure.start_latmon(options, folder, config_of(options, folder, case, ports))
        with latmon:
            starting_ns = time.clock_gettime_ns(time.CLOCK_REALTIME) - latmon.started_ns
            with case.beside(latmon):
                spent, elapsed_ns, events, memory = watch(options, case, latmon)
            latmon.stop()
            accounts = measure.accounts(latmon)
        said = {}
        if reflect is not None:
            said = reflect.stop().json()
        record = {}
        if case.is_recorded:
            record = json.loads((folder / "record.json").read_text())
        sent, missed = accounts.total("sent"), accounts.total("missed")
        rate = case.rate_per_s * (case.count - 1) / case.count if case.watched_per_s else \
            case.rate_per_s
        rate = (rate + case.watched_per_s) * sent / max(1, sent + missed)
        return Result(record, spent, elapsed_ns, rate * elapsed_ns / measure.NS, memory, events,
                      accounts, starting_ns, latmon.started_ns, said, options.seconds,
                      case.count)
