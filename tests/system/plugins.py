# SPDX-License-Identifier: Apache-2.0
#
# Where the daemon finds a plugin, and which files it refuses to load: each with one line that names
# the file and the cure, and before any port is touched.
import os
import shutil
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner

# Plugins built to be wrong, and what latmon says of each.
FAULTY = {
    "no_entry": "has no symbol latmon_plugin_entry",
    "no_table": "gave no table",
    "wrong_version": "is built for plugin ABI 999",
    "wrong_size": "struct_size is",
    "wrong_name": 'calls itself "someone_else"',
    "no_create": "create, export_batch or destroy is NULL",
    "no_batch": "create, export_batch or destroy is NULL",
    "no_destroy": "create, export_batch or destroy is NULL",
    "undefined_symbol": "nobody_defines_this",
}


class Plugins(unittest.TestCase):
    def setUp(self):
        self.folder = runner.scratch(self)
        self.good = self.copy("null")

    def copy(self, name, folder=None):
        """A plugin at a place and with rights of our own."""
        path = (folder or self.folder) / f"{name}.so"
        path.parent.mkdir(exist_ok=True)
        shutil.copy(runner.PLUGINS / f"{name}.so", path)
        path.chmod(0o755)
        return path

    def with_exporter(self, exporter, **keys):
        return node.config("node", node.free_ports(), exporters=[exporter], **keys)

    # -- Found ------------------------------------------------------------------------------------

    def assert_loads(self, keys, path, **environment):
        daemon = node.Node(self, keys, environment=environment).wait_started()
        self.assertIn(f"plugin null 1 from {path}\n", daemon.log())
        daemon.stop()

    def test_plugins_are_found_in_the_order_of_the_manual(self):
        first = self.copy("null", self.folder / "first")
        second = self.copy("null", self.folder / "second")
        named, none = {"plugin": "null"}, str(self.folder / "none")
        for what, keys, path, environment in (
                ("beside latmon", {}, runner.PLUGINS / "null.so", {}),
                ("in plugin_path", {"plugin_path": [none, str(first.parent)]}, first, {}),
                ("plugin_path as text", {"plugin_path": str(first.parent)}, first, {}),
                ("in the environment", {}, second,
                 {"LATMON_PLUGIN_PATH": f"{none}:{second.parent}"}),
                ("in both", {"plugin_path": [str(first.parent)]}, first,
                 {"LATMON_PLUGIN_PATH": str(second.parent)})):
            with self.subTest(what):
                self.assert_loads(self.with_exporter(named, **keys), path, **environment)

    def test_a_path_names_the_file_itself(self):
        self.assert_loads(self.with_exporter({"path": str(self.good)}), self.good)

    # -- Refused ----------------------------------------------------------------------------------

    def assert_refused(self, exporter, *words, **keys):
        daemon = node.Node(self, self.with_exporter(exporter, **keys), "--log-level=ERROR")
        self.assertEqual(daemon.wait_end(), 78, daemon.log())
        # A plugin that refuses its options has logged why; all else is latmon's one line.
        lines = [line for line in daemon.log().splitlines() if "[ERROR] exporter" not in line]
        self.assertEqual(len(lines), 1, daemon.log())
        self.assertRegex(lines[0], r"^latmon: .*/latmon\.toml:\d+:\d+: ")
        for word in words:
            self.assertIn(word, lines[0])

    def test_a_name_that_is_nowhere_is_refused_with_all_places(self):
        self.assert_refused({"plugin": "nosuch"}, "there is no nosuch.so in ",
                            str(self.folder), str(runner.PLUGINS), "LATMON_PLUGIN_PATH",
                            plugin_path=[str(self.folder)])

    def test_a_path_that_is_not_there_is_refused(self):
        missing = self.folder / "missing.so"
        self.assert_refused({"path": str(missing)}, str(missing), "No such file")

    def test_what_is_no_shared_object_is_refused(self):
        text = self.folder / "text.so"
        text.write_text("not ELF at all\n")
        self.assert_refused({"path": str(text)}, f"{text} is not a shared object")
        self.assert_refused({"path": str(self.folder)}, "is not a regular file")
        cut = self.folder / "cut.so"
        cut.write_bytes(self.good.read_bytes()[:64])
        self.assert_refused({"path": str(cut)}, f"{cut} cannot be loaded")

    def test_what_others_may_write_is_refused(self):
        for mode in (0o757, 0o775, 0o777):
            self.good.chmod(mode)
            self.assert_refused({"path": str(self.good)}, f"chmod go-w {self.good}")

    def test_what_belongs_to_somebody_else_is_refused(self):
        if not runner.IS_ROOT:
            self.skipTest("needs root, to give a file away")
        os.chown(self.good, 65_534, 65_534)
        self.assert_refused({"path": str(self.good)}, "belongs to user 65534",
                            f"chown root {self.good}")

    def test_a_plugin_that_breaks_the_abi_is_refused(self):
        for name, words in FAULTY.items():
            with self.subTest(name):
                path = runner.TEST_PLUGINS / f"{name}.so"
                self.assert_refused({"path": str(path)}, str(path), words)

    def test_an_option_that_a_plugin_does_not_know_is_refused(self):
        self.assert_refused({"path": str(self.good), "colour": "blue"}, '"colour"')
        self.assert_refused({"plugin": "cli", "format": "yaml"}, "yaml", "json, legacy or human")


if __name__ == "__main__":
    runner.main()
