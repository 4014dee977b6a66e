#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# The test of the style test: a small tree that every check of tools/tidy accepts, and for each
# check at least one violation planted in it, which that check and no other must find. What a check
# must leave alone is planted too.
import importlib.util
import shutil
import sys
import tempfile
import unittest
from importlib.machinery import SourceFileLoader
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True
TIDY = Path(__file__).resolve().with_name("tidy")
loader = SourceFileLoader("tidy", str(TIDY))
tidy = importlib.util.module_from_spec(importlib.util.spec_from_loader("tidy", loader))
loader.exec_module(tidy)

SLASHES = "// SPDX-License-Identifier: Apache-2.0\n//\n// Why it exists,\n// and on which thread.\n"
HASHES = SLASHES.replace("//", "#")
BLOCK = "/* SPDX-License-Identifier: Apache-2.0\n *\n * Why it exists,\n * and for whom. */\n"

CLEAN = {
    "README.md": "# latmon\n\nSee [the core](core/CMakeLists.txt).\n\n```sh\n# not a title\n```\n",
    "core/CMakeLists.txt": HASHES + "latmon_layer(base PRIVATE spdlog)\nlatmon_layer(sample USES "
                                    "base\n    abi PRIVATE fmt)\nlatmon_layer(probe USES sample)\n",
    "core/base/time.hpp": SLASHES + "#pragma once\n",
    "core/base/time.cpp": SLASHES + '#include "base/time.hpp"\n\nint now() {\n    return 1;\n}\n',
    "core/sample/sample.hpp": SLASHES + '#pragma once\n#include <latmon/sample.h>\n'
                                        '#include "base/time.hpp"\n',
    "core/probe/probe.hpp": SLASHES + '#pragma once\n#include "sample/sample.hpp"\n',
    "include/latmon/sample.h": BLOCK + "\n/* Does it. [main-thread] */\nvoid (*create)(int x);\n",
    "plugins/null/null.c": BLOCK + "#include <latmon/sample.h>\n",
    "tests/unit/base/time_test.cpp": SLASHES,
    "tools/run": "#!/usr/bin/env bash\n" + HASHES + "run() {\n    true\n}\n",
    "configs/default.toml": "# Every key.\n",
}


class Case(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="tidy_test."))
        self.addCleanup(shutil.rmtree, self.root)
        for path, text in CLEAN.items():
            self.write(path, text)

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())

    def append(self, path, text):
        self.write(path, (self.root / path).read_text() + text)

    def findings(self, **options):
        return tidy.run(tidy.Tree(self.root, **options))

    def found(self, **options):
        return sorted({(check, path) for check, path, _, _ in self.findings(**options)})

    def assert_finds(self, check, path, line=None, **options):
        self.assertEqual(self.found(**options), [(check, path)])
        if line is not None:
            self.assertIn(line, [finding[2] for finding in self.findings(**options)])

    def assert_clean(self):
        self.assertEqual(self.findings(), [])


class Tree(Case):
    def test_the_clean_tree_is_clean(self):
        self.assert_clean()

    def test_build_directories_binaries_seeds_and_frozen_headers_are_not_read(self):
        self.write("out/CMakeCache.txt", "")
        self.write("out/x.cpp", "int x; \n")
        self.write("tests/fuzz/corpus/config/seed", "no newline, blank ")
        self.write("tests/abi/frozen-1/include/latmon/host.h", "as it was \n")
        self.write("dump", "\0\0 ")
        self.assert_clean()

    def test_every_check_has_a_reason_and_a_test(self):
        text = Path(__file__).read_text()
        for name, check in tidy.CHECKS.items():
            self.assertTrue(check.__doc__, name)
            self.assertIn(f'assert_finds("{name}"', text)


class Text(Case):
    def test_header_without_spdx(self):
        self.write("core/base/time.hpp", "#pragma once\n")
        self.assert_finds("header", "core/base/time.hpp", 1)

    def test_header_without_paragraph(self):
        self.write("tests/unit/base/time_test.cpp", SLASHES.split("\n")[0] + "\n\n// Later.\n")
        self.assert_finds("header", "tests/unit/base/time_test.cpp", 2)

    def test_header_of_one_sentence_is_too_little_for_a_long_source_of_its_own(self):
        text = "\n".join(SLASHES.split("\n")[:3]) + "\n"
        self.write("plugins/null/null.cpp", text)
        self.assert_clean()
        self.append("plugins/null/null.cpp", "int x;\n" * 60)
        self.assert_finds("header", "plugins/null/null.cpp")

    def test_header_of_one_sentence_is_enough_beside_a_header_file_only(self):
        short = "\n".join(SLASHES.split("\n")[:3]) + "\n"
        self.write("core/base/time.cpp", short)
        self.assert_clean()
        self.write("core/base/time.hpp", short + "#pragma once\n")
        self.assert_finds("header", "core/base/time.hpp")

    def test_header_of_a_script_without_suffix(self):
        self.write("tools/run", "#!/usr/bin/env bash\ntrue\n")
        self.assert_finds("header", "tools/run", 2)

    def test_columns(self):
        self.append("core/base/time.hpp", "// " + "x" * 97 + "\n")
        self.assert_clean()
        self.append("core/base/time.hpp", "// " + "x" * 98 + "\n")
        self.assert_finds("columns", "core/base/time.hpp", 7)

    def test_columns_in_markdown_bind_prose_alone(self):
        wide = "x" * 120
        self.append("README.md", f"| {wide} |\n[{wide}](README.md)\n```\n{wide}\n```\n")
        self.assert_clean()
        self.append("README.md", wide + "\n")
        self.assert_finds("columns", "README.md")

    def test_file_length(self):
        self.append("core/base/time.cpp", "//\n" * 501)
        self.assert_finds("file_length", "core/base/time.cpp", 501)

    def test_file_length_of_the_abi_but_not_of_the_sample(self):
        self.append("include/latmon/sample.h", "/* x */\n" * 201)
        self.assert_clean()
        self.write("include/latmon/host.h", BLOCK + "/* x */\n" * 201)
        self.assert_finds("file_length", "include/latmon/host.h")

    def test_whitespace(self):
        for text in ("// x \n", "// a\tb\n", "// x", "// x\n\n"):
            self.write("core/base/time.hpp", CLEAN["core/base/time.hpp"] + text)
            self.assert_finds("whitespace", "core/base/time.hpp")

    def test_words(self):
        for word in ("FIX" + "ME", "TO" + "DO", "see /wor" + "k/main", "in /tmp/bui" + "ld-x",
                     "from py" + "pi.org", "see resear" + "ch/peers.md"):
            self.write("core/base/time.hpp", CLEAN["core/base/time.hpp"] + f"// {word}\n")
            self.assert_finds("words", "core/base/time.hpp", 6)

    def test_words_of_our_own_are_left_alone(self):
        self.append("tools/run", "mktemp -d /tmp/demo.XXXX" + "XX  # the network/workers\n")
        self.assert_clean()

    def test_markdown_titles_and_links(self):
        self.append("README.md", "\n# Another\n")
        self.assert_finds("markdown", "README.md", 1)
        self.write("README.md", "# One\n\n[gone](gone.md) [there](core) [out](https://a.example)\n")
        self.assert_finds("markdown", "README.md", 3)


class Functions(Case):
    body = "    call();\n" * 69

    def spans(self, text):
        return list(tidy.c_functions(tidy.File("x.cpp", text).code))

    def test_function_length(self):
        self.append("core/base/time.cpp", "void f() {\n" + self.body[12:] + "}\n")
        self.assert_clean()
        self.append("core/base/time.cpp", "void g() {\n" + self.body + "}\n")
        self.assert_finds("function_length", "core/base/time.cpp")

    def test_function_length_in_python_and_bash(self):
        self.write("tools/a.py", HASHES + "def f():\n" + "    pass\n" * 70)
        self.assert_finds("function_length", "tools/a.py", 5)
        (self.root / "tools/a.py").unlink()
        self.append("tools/run", "f() {\n" + "    true\n" * 70 + "}\n")
        self.assert_finds("function_length", "tools/run")

    def test_spans_begin_at_the_signature_and_know_what_is_no_function(self):
        self.assertEqual(self.spans("int f(int a,\n      int b) {\n    return {a};\n}\n"), [(1, 4)])
        self.assertEqual(self.spans("namespace {\nstruct alignas(8) X {\n};\n}\n"), [])
        self.assertEqual(self.spans("const A a = {g(1)};\nconst B b{g(2)};\nC c(d, {1});\n"), [])
        self.assertEqual(self.spans("#define BEGIN extern {\nvoid f() {\n}\n"), [(2, 3)])

    def test_spans_of_members_lambdas_and_initializer_lists(self):
        text = ("class X {\npublic:\n    X() : a_{1}, b_(2) {\n        g([] {\n        });\n    }\n"
                "private:\n    struct alignas(64) Line {\n        int x;\n    };\n"
                "    bool h(A a = {}) const {\n        if (x) {\n        }\n    }\n};\n")
        self.assertEqual(self.spans(text), [(3, 6), (11, 14)])

    def test_spans_ignore_braces_in_strings_characters_and_comments(self):
        text = "void f() {\n    g(\"{\", '{', 1'000);  // {\n    h(R\"x({)x\");\n}\nvoid i() {\n}\n"
        self.assertEqual(self.spans(text), [(1, 4), (5, 6)])


class Architecture(Case):
    def test_layers_are_named_not_inherited(self):
        self.append("core/probe/probe.hpp", '#include "base/time.hpp"\n')
        self.assert_finds("layers", "core/probe/probe.hpp", 7)

    def test_layers_see_the_abi_only_if_they_say_so(self):
        self.append("core/probe/probe.hpp", "#include <latmon/sample.h>\n")
        self.assert_finds("layers", "core/probe/probe.hpp", 7)

    def test_layers_stand_in_order(self):
        self.append("core/CMakeLists.txt", "latmon_layer(stats USES later)\nlatmon_layer(later)\n")
        self.assert_finds("layers", "core/CMakeLists.txt")

    def test_layers_have_a_line_each(self):
        self.write("core/attic/old.hpp", SLASHES + "#pragma once\n")
        self.assert_finds("layers", "core/attic/old.hpp")

    def test_layers_are_closed_to_plugins(self):
        self.append("plugins/null/null.c", '#include "base/time.hpp"\n')
        self.assert_finds("layers", "plugins/null/null.c", 5 + 1)

    def test_homes(self):
        for header in ("liburing.h", "toml++/toml.h", "dlfcn.h", "spdlog/spdlog.h",
                       "CLI/CLI.hpp", "zmq.hpp", "curl/curl.h", "zlib.h"):
            self.write("core/base/time.cpp", SLASHES + f"#include <{header}>\n")
            self.assert_finds("homes", "core/base/time.cpp", 5)

    def test_homes_are_single(self):
        self.append("core/CMakeLists.txt", "latmon_layer(config)\n")
        for name in ("parse", "second"):
            self.write(f"core/config/{name}.cpp", SLASHES + "#include <toml++/toml.h>\n")
            self.write(f"tests/unit/config/{name}_test.cpp", SLASHES)
        self.assert_finds("homes", "core/config/second.cpp")

    def test_homes_do_not_bind_tests(self):
        self.write("tests/unit/base/time_test.cpp", SLASHES + "#include <liburing.h>\n")
        self.assert_clean()

    def test_forbidden(self):
        for call in ("usleep(1);", "sleep(1);", "std::this_thread::sleep_for(x);",
                     "std::cout << 1;", 'std::printf("");', "std::chrono::seconds s;",
                     "assert(x);", "rand();", "gettimeofday(&t, 0);", "time(nullptr);",
                     "strcpy(a, b);", "sprintf(a, b);", "atoi(a);"):
            self.write("core/base/time.cpp", SLASHES + f"int x = 0;\n{call}\n")
            self.assert_finds("forbidden", "core/base/time.cpp", 6)

    def test_forbidden_sleeps_are_those_of_core_threads(self):
        self.append("core/CMakeLists.txt", "latmon_layer(daemon)\n")
        self.write("core/daemon/x.hpp", SLASHES + "#pragma once\nstd::this_thread::sleep_for(x);\n")
        self.assert_clean()
        self.append("core/daemon/x.hpp", "usleep(1);\n")
        self.assert_finds("forbidden", "core/daemon/x.hpp", 7)

    def test_forbidden_reaches_plugins_where_it_says_so(self):
        self.append("plugins/null/null.c", 'printf("x");\nassert(x);\n')
        self.assert_clean()
        self.append("plugins/null/null.c", "atoi(x);\n")
        self.assert_finds("forbidden", "plugins/null/null.c")

    def test_forbidden_leaves_comments_strings_and_kin_alone(self):
        self.append("core/base/time.cpp", 'static_assert(true);  // usleep(1)\nstd::snprintf(a);\n'
                    'say("rand()");\nLATMON_ASSERT(x);\nrun_time(0);\n/* assert(x) */\n')
        self.append("core/base/time.cpp", "wait_for(std::chrono::nanoseconds(pause.ns));\n")
        self.assert_clean()

    def test_headers_by_suffix(self):
        self.write("core/base/time.hpp", SLASHES)
        self.assert_finds("headers_by_suffix", "core/base/time.hpp")
        self.write("core/base/time.hpp", CLEAN["core/base/time.hpp"])
        self.write("tests/abi/old/host.h", BLOCK)
        self.assert_clean()
        self.write("core/base/old.h", BLOCK)
        self.assert_finds("headers_by_suffix", "core/base/old.h")

    def test_mirror(self):
        (self.root / "tests/unit/base/time_test.cpp").unlink()
        self.assert_finds("mirror", "core/base/time.cpp")

    def test_mirror_exceptions_are_used_and_true(self):
        excuse = {"core/base/time.cpp": "tests/scenario/gone.cpp drives it"}
        self.enterContext(mock.patch.dict(tidy.NO_UNIT_TEST, excuse, clear=True))
        self.assertEqual(self.found(), [("mirror", "core/base/time.cpp"), ("mirror", "tools/tidy")])
        (self.root / "tests/unit/base/time_test.cpp").unlink()
        self.write("tests/scenario/gone.cpp", SLASHES)
        self.assert_clean()

    def test_thread_tags(self):
        self.append("include/latmon/sample.h", "\n/* Says nothing. */\nvoid (*flush)(void *x);\n")
        self.assert_finds("thread_tags", "include/latmon/sample.h", 10)

    def test_thread_tags_serve_the_lines_below_up_to_a_blank_one(self):
        self.append("include/latmon/sample.h", "bool (*a)(int);\n/* Its list. */\nint (*b)(int);\n")
        self.assert_clean()


class Programs(Case):
    def test_configs(self):
        self.write("latmon", '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n#\n# A stand-in.\n'
                             'test "$1 $2" = "check -c" && ! grep bad "$3"\n')
        (self.root / "latmon").chmod(0o755)
        self.assertEqual(self.findings(latmon=self.root / "latmon"), [])
        self.append("configs/default.toml", "bad = 1\n")
        self.assert_finds("configs", "configs/default.toml", latmon=self.root / "latmon")

    @unittest.skipUnless(shutil.which("clang-format-14"), "needs clang-format-14")
    def test_format(self):
        self.write(".clang-format", "BasedOnStyle: Google\nIndentWidth: 4\n"
                   "AllowShortFunctionsOnASingleLine: Inline\nSortIncludes: Never\n")
        self.assert_clean()
        self.append("core/base/time.cpp", "int  x;\n")
        self.assert_finds("format", "core/base/time.cpp", 10)

    def test_format_is_no_option_in_ci(self):
        self.write(".clang-format", "BasedOnStyle: Google\n")
        self.enterContext(mock.patch("shutil.which", return_value=None))
        self.assert_clean()
        self.assert_finds("format", ".clang-format", is_ci=True)


if __name__ == "__main__":
    unittest.main()
