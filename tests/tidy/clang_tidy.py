#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Runs clang-tidy 14 over core/ and plugins/, as compiled in one build directory, on all CPUs. A
# file whose digest (itself, every header of ours below it, its flags, .clang-tidy) was clean before
# is not looked at again: the digests stand in BUILD/clang-tidy. Exit code 0: clean; 1: findings;
# 77: there is no clang-tidy-14.
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

ROOT = Path(__file__).resolve().parents[2]
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


def look(program, entry, rules, cache):
    """What clang-tidy says about one source, as a list; empty if nothing, now or before."""
    stamp = cache / digest(entry, rules)
    if stamp.exists():
        return []
    done = subprocess.run([program, "--quiet", "-p", str(cache), *EXTRA, entry["file"]],
                          text=True, capture_output=True)
    if done.returncode == 0 and not done.stdout.strip():
        stamp.write_text(entry["file"] + "\n")
        return []
    said = (done.stdout.strip() or done.stderr.strip()).replace(f"{ROOT}/", "")
    if done.returncode < 0:
        said = f"{entry['file']}:1:1: error: clang-tidy died: " + " ".join(said.split("\n")[2:12])
    return re.split(r"\n(?=\S+:\d+:\d+: (?:warning|error): )", said)


def clang_commands(build, cache):
    """The compile commands, in a copy that clang 14 understands: c++23 is c++2b to it."""
    text = (build / "compile_commands.json").read_text().replace("-std=c++23", "-std=c++2b")
    folders = (f"{ROOT}/core/", f"{ROOT}/plugins/")
    entries = [entry for entry in json.loads(text) if entry["file"].startswith(folders)
               and entry["file"].endswith(".cpp")]
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
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        said = list(pool.map(lambda entry: look(program, entry, rules, cache), entries))
    # A finding in a header is found by everyone who includes it; once is enough.
    findings = list(dict.fromkeys(finding for findings in said for finding in findings))
    print("\n".join(findings))
    print(f"clang-tidy: {len(findings)} findings in {len(entries)} sources")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
