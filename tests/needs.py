"""What the tests in Python need of the machine: the one way to skip. tests/README.md lists the names."""

import os
import sys


def skip(name, what):
    """Says what is not checked, and the name of the missing requirement. Fails if CODEX_TESTS_STRICT demands it."""
    if name in os.environ.get("CODEX_TESTS_STRICT", "").replace(" ", "").split(","):
        sys.exit(f"FAILED: {name} is wanted and not here: {what}")
    print(f"skipped ({name}): {what}", flush=True)
