"""Shared parts of the sign-in tests: checks that print themselves, servers that are ended, and `codex`
in a separate home and a clean environment.
"""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.parse
from subprocess import DEVNULL, PIPE

PATIENCE = 30  # seconds for anything that should happen by itself
ADDRESS = re.compile(r"http://\S+/oauth/authorize\?\S+")


def check(what, expected, seen, fits=None, more=""):
    """Prints a line for each check. The first failure ends the test."""
    if expected == seen if fits is None else fits:
        print(f"ok      {what}", flush=True)
        return
    print(f"FAILED  {what}\n  expected: {expected}\n  seen:     {seen}", flush=True)
    if more.strip():
        print("\n".join(f"  | {line}" for line in more.strip().splitlines()[-20:]), flush=True)
    sys.exit(1)


def soon(question, patience=PATIENCE):
    """Calls until the result is not empty, and returns the last result."""
    end = time.monotonic() + patience
    while not (answer := question()) and time.monotonic() < end:
        time.sleep(0.05)
    return answer


def parts(address):
    """The origin of an address, and its query."""
    split = urllib.parse.urlsplit(address)
    return f"{split.scheme}://{split.netloc}", dict(urllib.parse.parse_qsl(split.query))


def leave_on_signals():
    """Lets a signal unwind, so that everything that was started is ended."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))


class Server:
    """A server that prints `listening on ADDRESS`, for as long as the `with` block lasts."""

    def __init__(self, command, log, env=None):
        self.log = log
        with log.open("w") as out:
            self.process = subprocess.Popen(command, stdin=PIPE, stdout=out, stderr=out, env=env)

    def __enter__(self):
        found = soon(lambda: re.search(r"^listening on (\S+)\n", self.said(), re.M) or self.process.poll())
        if not isinstance(found, re.Match):
            self.__exit__()
            check(f"{self.process.args[0]} starts", "listening on ...", found, False, self.said())
        self.url = found[1]
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()

    def said(self):
        return self.log.read_text()


class Codex:
    """The command, in a fresh home, with a stand-in for the issuer and for the service."""

    def __init__(self, program, name, folder, issuer, backend):
        self.program, self.name, self.folder = program, name, folder / name
        self.home = self.folder / "home"
        self.home.mkdir(parents=True)
        self.stored = self.home / "auth.json"
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "CODEX_RUN_HOME": str(self.home),
            "CODEX_RUN_ISSUER": issuer,
            "CODEX_RUN_BASE_URL": f"{backend}/backend-api/codex",
        }
        self.count = 0

    def start(self, *args):
        return Run(self, args)

    def ends(self, code, *args):
        """Runs it, and checks how it ends."""
        with self.start(*args) as run:
            return run.ends(code)


class Run:
    """A run of the command. Its output is in files, so that it need not be read continuously."""

    def __init__(self, codex, args):
        codex.count += 1
        self.what = f"{codex.name}: codex {' '.join(args)}"
        self.out, self.err = (codex.folder / f"{codex.count}.{end}" for end in ("out", "err"))
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = subprocess.Popen(
                [codex.program, *args], stdin=DEVNULL, stdout=out, stderr=err, env=codex.env
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def address(self, issuer):
        """The sign-in address, as soon as it is printed."""
        found = soon(lambda: ADDRESS.search(self.err.read_text()) or self.process.poll() is not None)
        address = found[0] if isinstance(found, re.Match) else None
        fits = address is not None and parts(address)[0] == issuer
        check(f"{self.what} prints an address of the issuer", f"{issuer}/oauth/authorize?...", address, fits,
              self.err.read_text())
        return address

    def waits(self):
        time.sleep(0.5)
        check(f"{self.what} is still waiting", None, self.process.poll(), more=self.err.read_text())

    def ends(self, code):
        try:
            seen = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            seen = f"still running after {PATIENCE} s"
        check(f"{self.what} ends with {code}", code, seen, more=self.err.read_text())
        return self.out.read_text()
