# SPDX-License-Identifier: Apache-2.0
#
# plugins/json/schema.json as a judge of lines. Stricter than the file: a field that it does not
# name is a mistake here, while a reader of ours has to put up with it.
import json
import sys
import unittest

import runner

PATH = runner.ROOT / "plugins" / "json" / "schema.json"


def validator(path=PATH):
    """One for whole lines; skips where there is no python3-jsonschema."""
    sys.path.append("/usr/lib/python3/dist-packages")  # Debian's, whichever Python this is.
    try:
        import jsonschema
    except ImportError:
        raise unittest.SkipTest("needs python3-jsonschema, for the Python that runs this") from None
    schema = json.loads(path.read_text()) | {"additionalProperties": False}
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


def check(case, judge, sample):
    errors = [f"{list(error.absolute_path)}: {error.message}"
              for error in judge.iter_errors(sample)]
    case.assertEqual(errors, [], sample)
