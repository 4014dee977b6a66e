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
UNSENT = (8,)          # LATMON_STATUS_LOCAL_ERROR.
OUR_FAULT = (8, 11, 12)  # And LATMON_STATUS_LOST_LOCAL_TX, _LOST_LOCAL_RX.
SENT = "probes_sent_total"
NODE_S = 1               # How often latmon tells its own counters, and how long after its start.
WITHOUT_ADMIN = {"admin": {"listen": ""}}  # What is measured here are probes and exporters.
FILES_BY_DEFAULT = 5   # Which a target may have open at once that has TCP and handshakes too.
SESSIONS_MAX = 16_000  # What one core of a latmon that answers keeps, a little less.


class Case(NamedTuple):
    count: int = 1                 # Targets.
    rate_per_s: float = 1000.0     # Probes of all targets together; where has_tcp, of each kind.
    keys: dict = {}                # Further keys of latmon's configuration.
    exporters: tuple = ()          # Further exporters; the recorder is always there, unless
    is_recorded: bool = True       # there is none.
    is_counted: bool = False       # latmon's own counters too, or alone: its core hardly notices.
    has_tcp: bool = False          # Besides a kept connection, and a handshake each time.
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
    memory: dict        # Bytes, at its end.
    events: dict
    accounts: object    # Of its whole life.
    starting_ns: int    # From its start until it said that it probes.
    started_ns: int     # CLOCK_REALTIME of its start.
    reflect: dict       # What loadgen says; empty if latmon answered.
    seconds: float      # The stretch, and the recorder's.
    reckoned_per_s: float  # Probes by the schedule, less the share missed in its whole life.

    @property
    def probes(self):
        """How many left while CPU time was looked at: as many a second as were counted in the
        recorder's stretch, or reckoned where distrust() says that latmon could not count them."""
        per_s = (self.rate_per_s() * (1 - self.share(UNSENT)) if self.record["counted"] else
                 self.node_per_s(SENT))
        if per_s is None:
            per_s = self.reckoned_per_s
        return per_s * self.elapsed_ns / measure.NS

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
        if self.record and not self.record["counted"] and self.node_per_s(SENT) is None:
            said += (" latmon was too far behind to tell its counters twice: its probes are "
                     "reckoned by the schedule and by what it missed in its whole life.")
        return said.strip()

    def share_unanswered(self):
        """Of all probes of its life."""
        sent = max(1, self.accounts.total("sent"))
        return 1 - (self.accounts.total("answered") + self.accounts.total("in_flight")) / sent

    def node_per_s(self, *names):
        """How fast counters of latmon's own grew in the stretch; None if it was too short."""
        found = [row for row in self.record["node"]
                 if row["name"] in names and row["last_ns"] > row["first_ns"]]
        if not found:
            return None
        return sum((row["last"] - row["first"]) * measure.NS / (row["last_ns"] - row["first_ns"])
                   for row in found)


def by_default(count):
    """What targets get of which nothing is said, and what most exporters bring: three probes a
    second (UDP with TLVs, TCP, a handshake), statistics, and a page that nobody asks for."""
    return Case(count=count, rate_per_s=count, has_tcp=True, is_recorded=False, is_counted=True,
                exporters=({"plugin": "prometheus"},),
                keys={"size": None, "timeout": None, "protocol": None, "tcp": None,
                      "admin": {"listen": f"127.0.0.1:{node.free_ports().tcp}"}})


def recorder(options, folder, case):
    """The [[exporters]] tables of a recorder. In a run that only sees whether all comes, it counts
    from the first sample to the last."""
    if not case.is_recorded and not case.is_counted:
        return []
    skip_s, count_s = (0, 0) if options.smoke else (measure.settle_s(options), options.seconds)
    kinds, queue_samples = ["exchange", "node"], 1 << 17
    if not case.is_recorded:
        kinds, queue_samples = ["node"], 1 << 10
        # It knows of no start but the first that it is told, and what it is told when the stretch
        # begins is to be before that.
        skip_s = max(0, skip_s - 0.75 * NODE_S)
    return [{"path": measure.program(options, "recorder.so"), "queue_samples": queue_samples,
             "samples": kinds, "file": str(folder / "record.json"), "watched": "t00001",
             "skip_ms": int(skip_s * 1000), "count_ms": int(count_s * 1000)}]


class Far(NamedTuple):
    """What answers."""
    ports: list             # UDP, each for SESSIONS_MAX targets.
    tcp_port: int = 0       # 0: none.
    process: object = None  # If it has something to say.


def config_of(options, folder, case, far):
    exporters = [*case.exporters, *recorder(options, folder, case)]
    interval_ms = 1000.0 * case.count / case.rate_per_s
    # Counters of the core, and not each target's clock besides.
    counters = {"node_interval": NODE_S, "clock": {"series": False}} if case.is_counted else {}
    keys = counters | WITHOUT_ADMIN | case.keys
    text = measure.target_config(options, case.count, interval_ms, port=far.ports[0],
                                 tcp_port=far.tcp_port, exporters=exporters, **keys)
    head, *targets = text.split("[[targets]]\n")
    if case.watched_per_s:
        targets[0] = f"interval = {1000.0 / case.watched_per_s!r}\n" + targets[0]
    for index in range(SESSIONS_MAX if len(far.ports) > 1 else case.count, case.count):
        port = far.ports[index // SESSIONS_MAX]
        targets[index] = targets[index].replace(f"udp_port = {far.ports[0]}", f"udp_port = {port}")
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
    """Something answers: a Far."""
    if case.reflector == "loadgen":
        ports = node.free_ports()
        tcp = ("--tcp-port", ports.tcp) if case.has_tcp else ()
        with measure.start_reflect(options, folder, case.count, ports.udp, *tcp,
                                   *case.reflect_flags) as reflect:
            time.sleep(0.2)
            reflect.check()
            yield Far([ports.udp], ports.tcp if case.has_tcp else 0, reflect)
        return
    with contextlib.ExitStack() as stack:
        udp_ports = []
        for index in range((case.count + SESSIONS_MAX - 1) // SESSIONS_MAX):
            ports = node.free_ports()
            stack.enter_context(measure.start_latmon(
                options, folder, reflector_config(case, ports), name=f"reflector-{index}"))
            udp_ports.append(ports.udp)
        yield Far(udp_ports)


@contextlib.contextmanager
def crowded(folder, case):
    """Another program on latmon's CPU, if the case wants one."""
    if not case.has_hog:
        yield
        return
    with measure.hog(folder, {measure.OURS}):
        yield


def stretch_s(options, case):
    """How long to look. Two of latmon's own counters are seen in a moment as well."""
    least_s = 2.5 * NODE_S - measure.settle_s(options) if case.is_counted else 0
    return max(options.seconds, least_s) if options.smoke else options.seconds


def watch(options, case, latmon):
    """(CPU time by thread, elapsed, events, memory) of the stretch that is measured."""
    time.sleep(measure.settle_s(options))
    latmon.check()
    before, began_ns = measure.threads_ns(latmon.pid), time.monotonic_ns()
    if case.events:
        threads = measure.thread_ids(latmon.pid, "lm-core-")
        events = measure.count_events(case.events, threads, stretch_s(options, case))
    else:
        events = {}
        time.sleep(stretch_s(options, case))
    after, ended_ns = measure.threads_ns(latmon.pid), time.monotonic_ns()
    latmon.check()
    memory = measure.memory_bytes(latmon.pid)
    # The exact T3 of a target's last probe in the stretch comes with the answer to its next.
    time.sleep(case.count / case.rate_per_s + 0.1)
    return measure.spent_ns(before, after), ended_ns - began_ns, events, memory


def reckoned_per_s(case, accounts):
    watched_per_s = case.watched_per_s or case.rate_per_s / case.count
    asked_per_s = case.rate_per_s * (case.count - 1) / case.count + watched_per_s
    sent, missed = accounts.total("sent"), accounts.total("missed")
    return asked_per_s * (3 if case.has_tcp else 1) * sent / max(1, sent + missed)


def run(options, case):
    """Measures one case once."""
    with measure.scratch() as folder, answering(options, folder, case) as far, \
            crowded(folder, case):
        latmon = measure.start_latmon(options, folder, config_of(options, folder, case, far))
        with latmon:
            starting_ns = time.clock_gettime_ns(time.CLOCK_REALTIME) - latmon.started_ns
            with case.beside(latmon):
                spent, elapsed_ns, events, memory = watch(options, case, latmon)
            latmon.stop()
            accounts = measure.accounts(latmon)
        said = far.process.stop().json() if far.process is not None else {}
        record_path = folder / "record.json"
        record = json.loads(record_path.read_text()) if record_path.exists() else {}
        return Result(record, spent, elapsed_ns, memory, events, accounts, starting_ns,
                      latmon.started_ns, said, stretch_s(options, case),
                      reckoned_per_s(case, accounts))
