#!/usr/bin/env python3
"""The flags in the official client's own help, which `codex exec` takes or refuses by name.

The help of `codex exec`, `codex exec resume` and `codex exec fork` is read from the newest official client in npm, which
is installed below --modules if missing. Each flag is given to ours, without a credential: it is taken if the run ends
for want of one, and refused by name if the message says that it is not supported. A flag that ours does not know is a
failure, which names it. Needs npm and the network.

    python3 tests/peers/help.py --codex target/debug/codex --modules DIR

Every flag is a line, `ok: ...` or `FAILED: ...`. Exit code 1: one of them failed.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import packages
import peer

COMMANDS = ("", "resume", "fork")
FLAG = re.compile(r"^ {2,6}(?:(-\w), )?(--[\w-]+)(?: <([^>]+)>)?(?:\.\.\.)?\s*$")
ENDING = {"--help", "-h", "--version", "-V"}  # flags that print something and exit with 0

# Values that ours can use; any other flag with a value gets `x`.
VALUES = {"--sandbox": "read-only", "--color": "never", "--cd": ".", "--add-dir": ".", "--config": "model=m",
          "--image": "a.gif", "--output-schema": "schema.json", "--output-last-message": "out.txt"}
PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90400000000002c00000000010001000002024401003b")
SCHEMA = '{"type": "object", "properties": {}, "required": [], "additionalProperties": false}'


def flags(program, command, home):
    """The flags in the help of a command, as (short, long, whether it takes a value)."""
    asked = [program, "exec", *([command] if command else []), "--help"]
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "COLUMNS": "400"}
    shown = subprocess.run(asked, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=peer.PATIENCE)
    found = [FLAG.match(line) for line in peer.text(shown.stdout).splitlines()]
    return [(one[1], one[2], bool(one[3])) for one in found if one]


def outcome(codex, command, spelled, value, work):
    """Whether ours takes a flag, refuses it by name, or does not know it; and what it says."""
    words = [command] if command else []
    conversation = ["0" * 36] if command else []
    given = [spelled, value] if value else [spelled]
    call = [codex, "exec", *words, *conversation, *given, "hello"]
    env = {"PATH": os.environ["PATH"], "HOME": str(work.parent)}
    done = subprocess.run(call, env=env, cwd=work, stdin=subprocess.DEVNULL, capture_output=True, timeout=peer.PATIENCE)
    said = peer.text(done.stderr)
    if done.returncode == 2 and f"{spelled} is not supported: " in said:
        return "refused by name", said
    # Without a credential, a run ends with 4; a conversation that does not exist ends with 2.
    wanted = 0 if spelled in ENDING else 4
    unknown = re.search(r"unknown|invalid value|needs a value|takes no value", said)
    return ("taken" if done.returncode == wanted and not unknown else "neither"), said


def main():
    parser = argparse.ArgumentParser(description="Walks the official client's help.")
    parser.add_argument("--codex", type=pathlib.Path, required=True, help="the command to test")
    parser.add_argument("--modules", type=pathlib.Path, required=True, help="where the official client will be")
    options = parser.parse_args()
    os.environ["PEERS_NEWEST"] = "1"
    modules = options.modules.resolve()
    if not packages.install(modules, packages.OFFICIAL):
        return
    checks = peer.Checks()
    # Not below /tmp, where the official client does not work.
    with tempfile.TemporaryDirectory(prefix="codex-help-", dir="/var/tmp") as name:
        work = pathlib.Path(name) / "work"
        work.mkdir()
        (work / "a.gif").write_bytes(PIXEL)
        (work / "schema.json").write_text(SCHEMA)
        for command in COMMANDS:
            listed = flags(packages.official(modules), command, work)
            called = f"exec {command}".strip()
            checks.that(f"the help of {called} lists flags", len(listed) > 10, listed)
            for short, long, takes in listed:
                value = VALUES.get(long, "x") if takes else None
                for spelled in filter(None, (short, long)):
                    what, said = outcome(options.codex.resolve(), command, spelled, value, work)
                    checks.that(f"{called} {spelled}: {what}", what != "neither", said)
    checks.leave()


if __name__ == "__main__":
    main()
