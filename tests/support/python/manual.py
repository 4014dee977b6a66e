# SPDX-License-Identifier: Apache-2.0
#
# The examples of a manual page, so that what stands there is what was tried.
import re

import runner


def blocks(path, language="toml"):
    """Every code block of that language in a file, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(), re.M | re.S)


def examples(page, language="toml"):
    """Every code block of that language in docs/`page`, in order."""
    return blocks(runner.ROOT / "docs" / page, language)


def replaced(text, *pairs):
    """`text` with each (old, new) replaced; all of the old must be there."""
    for old, new in pairs:
        if old not in text:
            raise AssertionError(f"{old!r} is not in the example:\n{text}")
        text = text.replace(old, new)
    return text
