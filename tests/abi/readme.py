#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Does what plugins/README.md tells a stranger to do, in an empty directory and with nothing but the
# installed ABI package: writes its `FILE`: blocks to files, runs its sh blocks in order, and loads
# each losses.so that came of it through the exporter layer. The README is the test's only input.
import argparse
import os
import re
import subprocess
import tempfile
from pathlib import Path

BLOCK = re.compile(r"(?:`([\w./]+)`:\n\n)?```(\w+)\n(.*?)```", re.S)


def run(command, **options):
    done = subprocess.run(command, text=True, capture_output=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{command} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def check_plugin(plugin, arguments, folder):
    symbols = run([arguments.nm, "-D", "--defined-only", "--format=posix", str(plugin)])
    names = [line.split()[0] for line in symbols.splitlines()]
    if names != ["latmon_plugin_entry"]:
        raise SystemExit(f"{plugin} exports {names}")
    written = folder / "losses.txt"
    written.unlink(missing_ok=True)
    run([arguments.load, str(plugin)], cwd=folder)
    if written.read_text() != "1 series 0\n":
        raise SystemExit(f"{plugin} wrote {written.read_text()!r}")


def check(arguments, prefix, folder):
    run([arguments.cmake, "--install", arguments.build, "--component", "abi", "--prefix",
         str(prefix)])
    configs = [str(path.parent) for path in prefix.rglob("latmon.pc")]
    assert len(configs) == 1, configs
    environment = dict(os.environ, PKG_CONFIG_PATH=configs[0], CMAKE_PREFIX_PATH=str(prefix))
    plugin_dir = run(["pkg-config", "--variable=plugindir", "latmon"], env=environment).strip()
    assert os.path.normpath(plugin_dir).startswith(str(prefix)), plugin_dir

    blocks = BLOCK.findall(Path(arguments.readme).read_text())
    languages = [language for _, language, _ in blocks]
    assert languages == ["c", "sh", "cmake", "sh", "toml"], languages
    assert len(blocks[0][2].splitlines()) <= 60, "the plugin is to fit into 60 lines"
    for name, language, text in blocks:
        if name:
            (folder / name).write_text(text)
        if language == "sh":
            run(["sh", "-eu", "-c", text], cwd=folder, env=environment)
    check_plugin(folder / "losses.so", arguments, folder)
    check_plugin(folder / "build" / "losses.so", arguments, folder)


def main():
    parser = argparse.ArgumentParser()
    for name in ("cmake", "nm", "build", "load"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("readme")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="latmon-") as scratch:
        prefix, folder = Path(scratch, "prefix"), Path(scratch, "empty")
        folder.mkdir()
        check(arguments, prefix, folder)


main()
