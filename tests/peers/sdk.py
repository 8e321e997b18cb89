#!/usr/bin/env python3
"""`codex` under the official TypeScript SDK, which runs it because of `codexPathOverride`; and the official program
under the same checks, which shows that they are right.

The checks are in sdk.mjs. Both programs use the stand-in service on this machine, and nothing leaves it. The SDK and
the official program are installed into --modules if missing, in the versions of versions.json: that
needs npm, the network and 400 MB.

    python3 tests/peers/sdk.py --codex target/debug/codex --standin target/debug/examples/standin --modules DIR

Without --codex only the official program is tried. Every check is a line, `ok: ...` or `FAILED: ...`. Exit code 1: one
of them failed.
"""

import argparse
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import packages
import peer
from signin import Server, leave_on_signals

HERE = pathlib.Path(__file__).resolve().parent
ALL_CHECKS = 400  # seconds, for one program


def installed(modules):
    """Whether both packages are there; missing ones are installed."""
    return packages.install(modules, packages.SDK, packages.OFFICIAL)


def try_with(name, program, options, folder):
    """Runs all checks with one program; returns whether they passed."""
    work, heard = folder / name, folder / f"{name}.heard"
    work.mkdir()
    print(f"the SDK with {name}:", flush=True)
    with Server([options.standin.resolve(), "--until-eof", "--log", heard], folder / f"{name}.standin") as service:
        command = ["node", HERE / "sdk.mjs", "--modules", options.modules.resolve(), "--codex", program.resolve(),
                   "--dialect", name, "--base", f"{service.url}/v1", "--log", heard, "--work", work]
        command += ["--only", options.only] if options.only else []
        env = {"PATH": os.environ["PATH"], "HOME": str(work)}
        with subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, start_new_session=True) as checks:
            try:
                return checks.wait(ALL_CHECKS) == 0
            except subprocess.TimeoutExpired:
                print(f"FAILED: the checks take longer than {ALL_CHECKS} s", flush=True)
                return False
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(checks.pid, signal.SIGKILL)


def main():
    parser = argparse.ArgumentParser(description="Tries codex under the official SDK.")
    parser.add_argument("--codex", type=pathlib.Path, help="the command to test")
    parser.add_argument("--standin", type=pathlib.Path, required=True, help="the stand-in service")
    parser.add_argument("--modules", type=pathlib.Path, required=True, help="where the SDK is installed, or will be")
    parser.add_argument("--only", help="only the tests whose names match this expression")
    options = parser.parse_args()
    leave_on_signals()
    if not peer.installed("node") or not installed(options.modules.resolve()):
        return
    programs = {"ours": options.codex, "official": packages.official(options.modules.resolve())}
    # Not below /tmp, where tools can always write.
    with tempfile.TemporaryDirectory(prefix="codex-sdk-", dir="/var/tmp") as name:
        held = [try_with(name_, program, options, pathlib.Path(name)) for name_, program in programs.items() if program]
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
