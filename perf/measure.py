# SPDX-License-Identifier: Apache-2.0
#
# What every question of perf/ asks the same way: which machine this is, processes that are pinned,
# watched and stopped by their pid, a configuration of so many targets, and figures that come out as
# median and spread over runs, beside what they ought to be. Nothing here knows what is asked.
#
#   options = measure.arguments("How late do we send?")
#   figures = measure.Figures("lateness", options)
#   for run in range(options.runs):          # Cases take turns: a slow minute then hits them all.
#       for case in cases:
#           figures.add("p50, balanced", value, "ns")
#   figures.goal("p50, balanced", most=1000)
#   sys.exit(figures.finish())
import argparse
import contextlib
import json
import math
import os
import platform
import resource
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support" / "python"))
import node  # noqa: E402  (needs the path above)
from accounts import Accounts  # noqa: E402

# Whose the CPUs are: latmon has the last, all else that takes part has the first. As long as
# nothing is pinned, this is what the caller may use.
CPUS = sorted(os.sched_getaffinity(0))
OURS, THEIRS = CPUS[-1], CPUS[0]
DEADLINE_S = 60
SETTLE_S = 2.0  # Stamps are proved, wake-ups are learned, and the first sockets are warm.
NS = 1_000_000_000


# -- What a run was asked for ----------------------------------------------------------------------

def arguments(description, seconds=5.0, add=None):
    """The arguments that all questions have; `add(parser)` adds further ones. From here on the
    script itself stays where it is in nobody's way."""
    os.sched_setaffinity(0, {THEIRS})
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--runs", type=int, default=3, help="how often, in turns (default: 3)")
    parser.add_argument("--seconds", type=float, default=seconds,
                        help=f"of each measurement (default: {seconds:g})")
    parser.add_argument("--json", type=Path, help="write all figures of all runs to this file")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release",
                        help="build directory (default: build/release)")
    parser.add_argument("--smoke", action="store_true",
                        help="one run of a moment, small: does every figure come? No goals")
    if add is not None:
        add(parser)
    options = parser.parse_args()
    options.build = options.build.resolve()
    if options.smoke:
        options.runs, options.seconds = 1, 0.3
    return options


def program(options, name):
    """A program of the build; its path."""
    places = {"latmon": options.build / "latmon", "loadgen": options.build / "loadgen"}
    path = places.get(name, options.build / "perf" / name)
    if not path.exists():
        sys.exit(f"there is no {path}; build it: cmake --build {options.build}")
    return str(path)


def allowed_targets(count, files_each=1):
    """`count`, or as many as the limit on open files allows: over UDP a target takes a socket."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        return count
    return min(count, max(1, (hard - 1_500) // files_each))


def output_of(command):
    """What a program prints that ends by itself, with 0."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{shlex.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def floor(options, mode, *flags):
    """What the least code that does the same comes to; it counts in whole seconds."""
    return json.loads(output_of([program(options, "floor"), mode, "--seconds",
                                 str(max(1, round(options.seconds))), "--near-cpu", str(OURS),
                                 "--far-cpu", str(THEIRS), *flags]))


def targets(count):
    """As a figure's name says it."""
    return f"{count:,} target{'s' if count != 1 else ''}"


def settle_s(options):
    return 0.3 if options.smoke else SETTLE_S


# -- Which machine ---------------------------------------------------------------------------------

def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False,
                              cwd=ROOT)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout.strip().splitlines() or [""])[0] if done.returncode == 0 else ""


def read(path, otherwise=""):
    try:
        return Path(path).read_text().strip()
    except OSError:
        return otherwise


def commit_of_build(options):
    """As the build wrote it into the programs; "" if it knew none."""
    return output_of([program(options, "latmon"), "--version"]).partition("(")[2].rstrip(")\n")


def doubt_of(machine):
    """Why nobody could build again what was measured, or not from where these scripts are."""
    commit, head = machine["commit"], machine["scripts"]
    if not commit:
        return "The build knows no commit: nobody can tell what was measured."
    if commit.endswith("+changes"):
        return f"Measured was {commit}: sources that are in no commit."
    if commit != head:
        return f"Measured was {commit}; these scripts are of {head or 'no commit that is known'}."
    return ""


def machine(options):
    """What a figure means nothing without."""
    cpu = [line.split(":", 1)[1].strip() for line in read("/proc/cpuinfo").splitlines()
           if line.startswith("model name")]
    is_dirty = bool(first_line("git", "status", "--porcelain", "--", "perf", "tests/support"))
    head = first_line("git", "rev-parse", "--short=12", "HEAD")
    frequency = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
    return {
        "commit": commit_of_build(options),
        "scripts": head + ("+changes" if head and is_dirty else ""),
        "kernel": platform.release(),
        "cpu": cpu[0] if cpu else platform.machine(),
        "cpus": len(CPUS),
        "virtualisation": " in ".join(
            dict.fromkeys(first_line("systemd-detect-virt", kind) for kind in
                          ("--container", "--vm"))) or "not known",
        "governor": read(frequency, "none (the host decides)"),
        "clock": read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        "load_before": os.getloadavg()[0],
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


# -- Processes -------------------------------------------------------------------------------------

class Running:
    """A process from its start to its end, which no way out of the `with` can avoid. `cpus`: those
    it may use; None: all. Output goes to files in `folder`."""

    def __init__(self, command, folder, cpus=None, environment=None, name=None):
        self.command = [str(part) for part in command]
        self.name = name or Path(self.command[0]).name
        self.stdout_path, self.stderr_path = (
            Path(folder, f"{self.name}.{stream}") for stream in ("out", "err"))

        def prepare():
            node.die_with_parent()
            os.sched_setaffinity(0, CPUS if cpus is None else cpus)

        with open(self.stdout_path, "wb") as out, open(self.stderr_path, "wb") as err:
            self.started_ns = time.clock_gettime_ns(time.CLOCK_REALTIME)
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, preexec_fn=prepare,
                env=os.environ | (environment or {}))
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stdout(self):
        return self.stdout_path.read_text(errors="replace")

    def log(self):
        return self.stderr_path.read_text(errors="replace")

    def json(self):
        """What it printed, which is one JSON document."""
        return json.loads(self.stdout())

    def fail(self, what):
        raise RuntimeError(f"{shlex.join(self.command)}: {what}\n{self.log()[-3000:]}")

    def check(self):
        if self.process.poll() is not None:
            self.fail(f"ended with {self.process.returncode}")

    def wait_log(self, text):
        """Until it has logged `text`."""
        give_up = time.monotonic() + DEADLINE_S
        while text not in self.log():
            self.check()
            if time.monotonic() > give_up:
                self.fail(f"waited {DEADLINE_S} s for {text!r}")
            time.sleep(0.005)
        return self

    def wait(self, within_s=10 * DEADLINE_S):
        """Until it has ended, with 0."""
        try:
            if self.process.wait(timeout=within_s) != 0:
                self.fail(f"ended with {self.process.returncode}")
        except subprocess.TimeoutExpired:
            self.fail(f"still runs after {within_s} s")
        return self

    def stop(self, number=signal.SIGTERM):
        """As an operator does, by its pid."""
        self.check()
        self.process.send_signal(number)
        return self.wait(DEADLINE_S)


def hog(folder, cpus):
    """A program that wants these CPUs all the time."""
    return Running([sys.executable, "-c", "while True: pass"], folder, cpus=cpus, name="hog")


@contextlib.contextmanager
def scratch():
    with tempfile.TemporaryDirectory(prefix="latmon-perf-") as folder:
        yield Path(folder)


def descendants(pid):
    """The process and all that it started, and so on."""
    children = read(f"/proc/{pid}/task/{pid}/children").split()
    return [pid, *(each for child in children for each in descendants(int(child)))]


def threads_ns(pid):
    """CPU time of each thread that lives, by name; those of one name are added up. Nanoseconds:
    the first figure of schedstat."""
    spent = {}
    for task in Path(f"/proc/{pid}/task").glob("*"):
        name, used = read(task / "comm"), read(task / "schedstat").split()
        if used:
            spent[name] = spent.get(name, 0) + int(used[0])
    # Where the kernel keeps no such account every figure would be a very good one.
    if not any(spent.values()):
        raise RuntimeError(f"no CPU time of process {pid}: is it there, and does the kernel have "
                           "/proc/PID/task/*/schedstat (CONFIG_SCHED_INFO)?")
    return spent


def cpu_ns(pid):
    """CPU time of a process and of those that it started, as far as they and their threads live."""
    return sum(sum(threads_ns(each).values()) for each in descendants(pid))


def spent_ns(before, after):
    """What threads took between two calls of threads_ns()."""
    return {name: value - before.get(name, 0) for name, value in after.items()}


def memory_bytes(pid):
    """Resident, proportional and private memory of a process: proc(5), smaps_rollup."""
    fields = dict(line.split(":", 1) for line in read(f"/proc/{pid}/smaps_rollup").splitlines()[1:])
    size = {name: int(value.split()[0]) * 1024 for name, value in fields.items()}
    return {"rss": size["Rss"], "pss": size["Pss"], "anonymous": size["Anonymous"],
            "private": size["Private_Clean"] + size["Private_Dirty"]}


def thread_ids(pid, name):
    """The threads whose names begin so."""
    return [int(task.name) for task in Path(f"/proc/{pid}/task").glob("*")
            if read(task / "comm").startswith(name)]


def count_events(events, threads, seconds):
    """What `perf stat` counts in so many seconds: {event: count}; None where the kernel, or the
    hypervisor, does not have the event. Empty without perf, or without the right to use it."""
    if shutil.which("perf") is None or not threads:
        time.sleep(seconds)
        return {}
    done = subprocess.run(
        ["perf", "stat", "-x", ";", "-e", ",".join(events), "-t", ",".join(map(str, threads)),
         "--", "sleep", str(seconds)], capture_output=True, text=True, check=False)
    counts = {}
    for line in done.stderr.splitlines():
        fields = line.split(";")
        if len(fields) > 2 and fields[2] in events:
            counts[fields[2]] = int(fields[0]) if fields[0].isdigit() else None
    return counts


# -- latmon and what answers it --------------------------------------------------------------------

def target_config(options, count, interval_ms, **keys):
    """A configuration of `count` targets, as loadgen writes it for its `reflect`, with other
    top-level keys (None: the key is left out), and [[exporters]] tables from `exporters`. `base`,
    `port`, `tcp_port`: where they are."""
    base, port = keys.pop("base", "127.1.0.0"), keys.pop("port")
    tcp_port = keys.pop("tcp_port", 0)
    tcp = ["--tcp-port", str(tcp_port)] if tcp_port else []
    exporters = keys.pop("exporters", [{"plugin": "null"}])
    ports = node.free_ports()
    head, _, tables = output_of(
        [program(options, "loadgen"), "targets", "--count", str(count), "--port", str(port), *tcp,
         "--interval", repr(interval_ms), "--base", base, "--latmon-udp-port", str(ports.udp),
         "--latmon-tcp-port", str(ports.tcp)]).partition("[[targets]]")
    written = [line.split(" = ", 1) for line in head.split("[[exporters]]")[0].splitlines()
               if " = " in line and not line.startswith("#")]
    top = {key: json.loads(value) for key, value in written}
    top |= {"tcp": False, "cores": str(OURS), "node_interval": 0} | keys
    top = {key: value for key, value in top.items() if value is not None}
    return (node.to_toml(top) + node.to_toml({"exporters": exporters})
            + (f"[[targets]]{tables}" if tables else ""))


def start_latmon(options, folder, config, name="latmon", **running):
    """Starts it on `config`, and waits until it probes. Its threads place themselves: `cores`."""
    path = Path(folder, f"{name}.toml")
    path.write_text(config)
    started = Running([program(options, "latmon"), "-c", path], folder, name=name, **running)
    try:
        return started.wait_log("] [INFO] started: ")
    except BaseException:
        started.__exit__()
        raise


def start_reflect(options, folder, count, port, *flags):
    """`loadgen reflect` on the CPU that latmon leaves free; end it with stop(), then json()."""
    return Running([program(options, "loadgen"), "reflect", "--count", count, "--port", port,
                    "--seconds", DEADLINE_S * 10, "--json", "--quiet", *flags], folder,
                   cpus={THEIRS}, name="reflect")


def reflect_spins(options):
    """The flags with which `loadgen reflect` never sleeps, if this one can."""
    help_text = output_of([program(options, "loadgen"), "reflect", "--help"])
    return ("--spin",) if "--spin" in help_text else ()


def accounts(running):
    """The accounts that a latmon logged at its end."""
    return Accounts(running.log())


# -- Figures ---------------------------------------------------------------------------------------

def spread(values):
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def show(value, unit):
    """Short, and no digit that is only noise."""
    if unit == "ns" and abs(value) >= 1e3:
        value, unit = ((value / 1e3, "us") if abs(value) < 1e6 else
                       (value / 1e6, "ms") if abs(value) < 1e9 else (value / 1e9, "s"))
    if unit == "bytes":
        value, unit = (value / 2**20, "MiB") if abs(value) >= 2**20 else (value / 2**10, "KiB")
    digits = 0 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}" + (f" {unit}" if unit and unit != "x" else "")


class Figures:
    """The figures of one question, in the order in which they came."""

    def __init__(self, question, options):
        self.question, self.options = question, options
        self.machine, self.rows, self.notes = machine(options), {}, []
        self.note(doubt_of(self.machine))

    def add(self, name, value, unit, may_lack=False):
        """One run's value, or None where there is none; in a run that only sees whether all comes
        there must be one, unless it `may_lack`."""
        row = self.rows.setdefault(name, {"name": name, "unit": unit, "runs": []})
        if value is not None:
            row["runs"].append(value)
        elif self.options.smoke and not may_lack:
            raise RuntimeError(f"there is no {name}")

    def goal(self, name, most=None, least=None, may_lack=False):
        """What the median ought to be. A figure that could not be had is a goal that was missed;
        one that was never asked for is a mistake, unless it `may_lack`."""
        if name in self.rows:
            self.rows[name] |= {"most": most, "least": least}
        elif not may_lack and not self.options.smoke:
            raise RuntimeError(f"no figure of this name to judge: {name}")

    def note(self, text):
        """What a reader of the figures has to know; said once. Nothing, if it is empty."""
        if text and text not in self.notes:
            self.notes.append(text)

    def command(self):
        """What shows these figures again."""
        parts = sys.argv[1:]
        for flag in ("--json", "--build"):  # They say where, not what.
            if flag in parts:
                at = parts.index(flag)
                parts = parts[:at] + parts[at + 2:]
        return shlex.join([f"perf/{Path(sys.argv[0]).name}", *parts])

    def is_met(self, row):
        """True, False, or None where nothing is asked or known."""
        limits = [(row.get("most"), 1), (row.get("least"), -1)]
        if self.options.smoke or all(limit is None for limit, _ in limits):
            return None
        if len(row["runs"]) < self.options.runs:
            return False
        median = statistics.median(row["runs"])
        return all(limit is None or sign * median <= sign * limit for limit, sign in limits)

    def line(self, row):
        if not row["runs"]:
            missed = "**missed**" if self.is_met(row) is False else ""
            return f"| {row['name']} | - | - | {missed} | `{self.command()}` |"
        unit, of = row["unit"], spread(row["runs"])
        count = len(row["runs"])
        lacking = f" ({count} runs have it)" if count < self.options.runs else ""
        goal = " ".join([f"<= {show(row['most'], unit)}" if row.get("most") is not None else "",
                         f">= {show(row['least'], unit)}" if row.get("least") is not None else ""])
        verdict = {True: "met", False: "**missed**", None: ""}[self.is_met(row)]
        return (f"| {row['name']} | {show(of['median'], unit)} | {show(of['low'], unit)} .. "
                f"{show(of['high'], unit)}{lacking} | {f'{goal.strip()} {verdict}'.strip()} | "
                f"`{self.command()}` |")

    def print(self):
        print(f"### {self.question}\n\n| figure | median | low .. high of "
              f"{self.options.runs} | goal | command |\n|---|---|---|---|---|")
        print("\n".join(self.line(row) for row in self.rows.values()))
        for text in self.notes:
            print(f"\n{text}")
        print(flush=True)

    def finish(self):
        """Prints the table, writes --json, and returns the exit code: 1 if a goal was missed."""
        self.print()
        rows = [row | (spread(row["runs"]) if row["runs"] else {}) | {"is_met": self.is_met(row)}
                for row in self.rows.values()]
        if self.options.json is not None:
            document = {"question": self.question, "command": self.command(),
                        "machine": self.machine, "runs": self.options.runs,
                        "seconds": self.options.seconds, "notes": self.notes, "figures": rows}
            self.options.json.write_text(json.dumps(document, indent=1) + "\n")
        return 1 if any(row["is_met"] is False for row in rows) else 0
