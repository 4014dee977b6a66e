#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Runs clang-tidy 14 over core/ and plugins/, as compiled in one build directory, on all CPUs. A
# file whose digest (itself, every header of ours below it, its flags, .clang-tidy) was clean before
# is not looked at again: the digests stand in BUILD/clang-tidy. Exit code 0: clean; 1: findings;
# 77: there is no clang-tidy-14.
#
# Nearly all of its time goes into the headers of the standard library, so that several sources are
# looked at as one. Where it says anything about them together, each is looked at by itself, and
# only what it says then counts.
#
#   tests/tidy/clang_tidy.py BUILD [PATTERN]     PATTERN: only sources whose path has it
#
# LATMON_ANALYZE=1 adds the static analyzer, which takes three times as long as all the rest and
# finds little that the sanitizers do not: by hand, now and then.
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from lots import batches

ROOT = Path(__file__).resolve().parents[2]
TOGETHER = 10  # Sources; more save little and take memory.
INCLUDE = re.compile(rb'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)
ROOTS = [ROOT / "core", ROOT / "plugins", ROOT / "include"]

# Clang 14 needs a std::expected of its own, and does not know all warnings of GCC, which is the
# compiler that decides about warnings.
SUPPORT = ROOT / "tests/support/clang"
EXTRA = [f"--extra-arg-before=-I{SUPPORT}", "--extra-arg=-Wno-unknown-warning-option"]
if os.environ.get("LATMON_ANALYZE") != "1":
    EXTRA.append("--checks=-clang-analyzer-*")


def read_closure(path, seen):
    """`path` and every file of ours that it includes, at any depth."""
    if path in seen:
        return
    seen[path] = path.read_bytes()
    for name in INCLUDE.findall(seen[path]):
        for folder in [path.parent, *ROOTS]:
            target = folder / name.decode()
            if target.is_file():
                read_closure(target.resolve(), seen)
                break


def digest(entry, rules):
    seen = {}
    read_closure(Path(entry["file"]).resolve(), seen)
    parts = [rules, entry.get("command", "").encode()]
    parts += [text for _, text in sorted(seen.items())]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def run(program, cache, *arguments):
    return subprocess.run([program, "--quiet", "-p", str(cache), *EXTRA, *arguments],
                          text=True, capture_output=True)


def look(program, entry, cache):
    """What clang-tidy says about one source, as a list; empty if nothing."""
    done = run(program, cache, entry["file"])
    if done.returncode == 0 and not done.stdout.strip():
        return []
    said = (done.stdout.strip() or done.stderr.strip()).replace(f"{ROOT}/", "")
    if done.returncode < 0:
        said = f"{entry['file']}:1:1: error: clang-tidy died: " + " ".join(said.split("\n")[2:12])
    return re.split(r"\n(?=\S+:\d+:\d+: (?:warning|error): )", said)


def batches_of(entries):
    """Entries of equal flags, in lots that can be one source."""
    sources = [(Path(entry["file"]), entry["command"].split(" -o ")[0]) for entry in entries]
    return [[entries[position] for position in lot] for lot in batches(sources, TOGETHER)]


def look_together(program, entries, cache):
    """Whether clang-tidy has nothing to say about these sources, which are looked at as one."""
    if len(entries) == 1:
        return False
    first = entries[0]
    whole = cache / (hashlib.sha256(first["file"].encode()).hexdigest() + ".cpp")
    whole.write_text("".join(f'#include "{entry["file"]}"  // NOLINT\n' for entry in entries))
    command = first["command"].replace(first["file"], str(whole))
    folder = whole.with_suffix("")
    folder.mkdir(exist_ok=True)
    (folder / "compile_commands.json").write_text(
        json.dumps([{**first, "file": str(whole), "command": command}]))
    # A local name of one may be a global one of another; g++ looks after shadows.
    done = run(program, folder, r"--header-filter=/core/.*\.[ch]pp$|/plugins/.*\.cpp$",
               "--extra-arg=-Wno-shadow", str(whole))
    return done.returncode == 0 and not done.stdout.strip()


def look_at_lot(program, entries, stamps, cache):
    """All findings in these sources. What is clean gets its stamp."""
    if look_together(program, entries, cache):
        said = {entry["file"]: [] for entry in entries}
    else:
        said = {entry["file"]: look(program, entry, cache) for entry in entries}
    for entry in entries:
        if not said[entry["file"]]:
            stamps[entry["file"]].write_text(entry["file"] + "\n")
    return [finding for findings in said.values() for finding in findings]


def alone(entry):
    """The compile commands of each source by itself: tools/cmake/Lots.cmake may have made several
    of them one."""
    if "/Unity/" not in entry["file"]:
        return [entry]
    sources = re.findall(r'^#include "(.*)"', Path(entry["file"]).read_text(), re.M)
    return [{**entry, "file": source, "command": entry["command"].replace(entry["file"], source)}
            for source in sources]


def clang_commands(build, cache):
    """The compile commands, in a copy that clang 14 understands: c++23 is c++2b to it."""
    text = (build / "compile_commands.json").read_text().replace("-std=c++23", "-std=c++2b")
    folders = (f"{ROOT}/core/", f"{ROOT}/plugins/")
    entries = [source for entry in json.loads(text) for source in alone(entry)
               if source["file"].startswith(folders) and source["file"].endswith(".cpp")]
    (cache / "compile_commands.json").write_text(json.dumps(entries))
    return entries


def main():
    build = Path(sys.argv[1]).resolve()
    pattern = sys.argv[2] if len(sys.argv) > 2 else ""
    program = shutil.which("clang-tidy-14")
    if not program:
        print("clang-tidy-14 is missing; run tools/setup test")
        return 1 if os.environ.get("LATMON_NO_SKIP") == "1" else 77
    cache = build / "clang-tidy"
    cache.mkdir(exist_ok=True)
    entries = [entry for entry in clang_commands(build, cache) if pattern in entry["file"]]
    rules = (ROOT / ".clang-tidy").read_bytes() + (SUPPORT / "expected").read_bytes()
    rules += " ".join([program, *EXTRA]).encode()
    stamps = {entry["file"]: cache / digest(entry, rules) for entry in entries}
    lots = batches_of([entry for entry in entries if not stamps[entry["file"]].exists()])
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        said = list(pool.map(lambda lot: look_at_lot(program, lot, stamps, cache), lots))
    # A finding in a header is found by everyone who includes it; once is enough.
    findings = list(dict.fromkeys(finding for findings in said for finding in findings))
    print("\n".join(findings))
    print(f"clang-tidy: {len(findings)} findings in {len(entries)} sources")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
