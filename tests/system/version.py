# SPDX-License-Identifier: Apache-2.0
#
# `latmon --version` names the commit that was built. What a build does to know it is tried in a
# clone of its own, which a test may commit to and spoil: the program itself is not built there.
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import node
import runner

SCRIPT = runner.ROOT / "tools" / "cmake" / "write_version.cmake"


# What this user, or the machine, allows or asks of git is not asked where a test has its own clone.
PLAIN = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
         "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@localhost",
         "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@localhost"}


def git(tree, *words, environment=None):
    """What it prints, or nothing where it refuses."""
    done = subprocess.run(["git", "-C", tree, *words], capture_output=True, text=True, check=False,
                          env=os.environ | (environment or {}))
    return done.stdout.strip() if done.returncode == 0 else ""


class OfThisBuild(unittest.TestCase):
    def setUp(self):
        done = node.run("--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = re.fullmatch(r"latmon \d+\.\d+\.\d+(?: \(([0-9a-f]{12})(?:\+changes)?\))?\n",
                             done.stdout)
        self.assertIsNotNone(found, done.stdout)
        self.commit = found.group(1)

    def test_the_commit_is_that_of_the_tree(self):
        """Or an earlier one: whoever works in the tree may commit while the suite runs."""
        runner.need_tool("git")
        is_clone = (runner.ROOT / ".git").exists()
        head = git(runner.ROOT, "rev-parse", "HEAD") if is_clone else ""
        if not head:
            self.assertIsNone(self.commit)
            return
        self.assertIsNotNone(self.commit, f"HEAD is {head}")
        base = git(runner.ROOT, "merge-base", self.commit, "HEAD")
        self.assertTrue(base.startswith(self.commit), f"{self.commit} is not in {head}")


class OfAnyBuild(unittest.TestCase):
    def setUp(self):
        runner.need_tool("git")
        runner.need_tool("cmake")
        self.folder = runner.scratch(self)
        self.tree, self.out = self.folder / "tree", self.folder / "version.cpp"
        (self.tree / "core").mkdir(parents=True)
        self.write("one")

    def write(self, text):
        (self.tree / "core" / "x.cpp").write_text(text)

    def git(self, tree, *words):
        return git(tree, *words, environment=PLAIN)

    def commit(self):
        self.git(self.tree, "init", "--quiet")
        self.git(self.tree, "add", "--all")
        self.git(self.tree, "commit", "--quiet", "--message", "x")
        head = self.git(self.tree, "rev-parse", "--short=12", "HEAD")
        self.assertNotEqual(head, "")
        return head

    def version(self, tree=None):
        """As a build does it, and what the source then says."""
        subprocess.run(["cmake", "-D", f"TREE={tree or self.tree}", "-D", "VERSION=1.2.3",
                        "-D", f"OUT={self.out}", "-P", SCRIPT], check=True,
                       env=os.environ | PLAIN)
        return re.search(r'return "(.*)";', self.out.read_text()).group(1)

    def test_each_build_knows_its_commit(self):
        first = self.commit()
        self.assertEqual(self.version(), f"1.2.3 ({first})")
        self.write("two")
        self.assertEqual(self.version(), f"1.2.3 ({first}+changes)")
        second = self.commit()
        self.assertNotEqual(first, second)
        self.assertEqual(self.version(), f"1.2.3 ({second})")

    def test_a_source_that_git_does_not_know_is_a_change(self):
        head = self.commit()
        (self.tree / "core" / "y.cpp").write_text("")
        self.assertEqual(self.version(), f"1.2.3 ({head}+changes)")

    def test_the_source_is_not_touched_where_nothing_changed(self):
        self.commit()
        self.version()
        written_ns = self.out.stat().st_mtime_ns
        self.version()
        self.assertEqual(self.out.stat().st_mtime_ns, written_ns)

    def test_a_tarball_has_no_commit_even_inside_of_a_clone(self):
        self.assertEqual(self.version(), "1.2.3")
        self.commit()
        (self.tree / "inner" / "core").mkdir(parents=True)
        self.assertEqual(self.version(self.tree / "inner"), "1.2.3")

    def test_a_shallow_and_a_detached_clone_have_one(self):
        self.commit()
        self.write("two")
        head = self.commit()
        clone = self.folder / "clone"
        self.git(self.folder, "clone", "--quiet", "--depth", "1", f"file://{self.tree}", str(clone))
        self.git(clone, "checkout", "--quiet", "--detach")
        self.assertEqual(self.version(clone), f"1.2.3 ({head})")

    def test_a_clone_of_another_user_has_none(self):
        runner.need_root()
        self.commit()
        for path in (self.tree, self.tree / ".git"):
            subprocess.run(["chown", "65534", path], check=True)
        self.assertEqual(self.version(), "1.2.3")


if __name__ == "__main__":
    runner.main()
