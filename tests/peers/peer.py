"""Shared parts of the tests with other programs: checks that all run, whatever the first results are, and
`codex` in a separate home and a clean environment, or curl in its place to try the test itself.
"""

import argparse
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
from collections import namedtuple

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "browser")]
from needs import skip
from signin import PATIENCE

KEY = "sk-peer-0123456789abcdef"
QUESTION = "hello"
ANSWER = "You said: hello\n"  # what the stand-in says to that
LINES = 12  # of what was seen, where a check fails

# The result of a run: its exit code, its output, its messages, and whether it was curl.
Result = namedtuple("Result", "code out err curl")


class Checks:
    """Prints a line for each check, and counts those that failed."""

    def __init__(self):
        self.made = self.failed = 0

    def that(self, what, fits, *seen):
        """A check; the actual value is shown if it fails."""
        self.made += 1
        self.failed += not fits
        print(f"{'ok' if fits else 'FAILED'}: {what}", flush=True)
        if not fits:
            lines = [line for part in seen for line in str(part).splitlines()]
            print("".join(f"  | {line}\n" for line in lines[:LINES]), end="", flush=True)

    def ended(self, what, result, code, *words, never=()):
        """A run ended with this code, its messages match all these patterns (curl has its own wording),
        and none of its output contains the key or other forbidden text. A successful run also has the answer."""
        said = result.out + result.err
        missing = [] if result.curl else [f"no {word!r}" for word in words if not re.search(word, result.err, re.I)]
        told = [f"it tells {secret}" for secret in (KEY, *never) if secret in said]
        if code == 0 and QUESTION not in result.out:
            missing.append("no answer")
        fits = result.code == code and not missing and not told
        words = f" and says {', '.join(words)}" if words and not result.curl else ""
        self.that(f"{what}: exit {code}{words}", fits, f"exit {result.code}", *missing, *told, said)

    def leave(self):
        """Ends the program."""
        print(f"{self.made - self.failed} of {self.made} checks hold")
        sys.exit(1 if self.failed else 0)


class Codex:
    """The command. `folder` contains its home."""

    curl = False

    def __init__(self, program, folder):
        self.program = program.resolve()
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder), "CODEX_RUN_HOME": str(folder / "home")}

    def ask(self, base, *flags, question=QUESTION, key=KEY, within=(), **env):
        """Sends a request to an address. `within` is a command that runs this one, `env` has additional variables."""
        command = [self.program, "run", "--no-stdin", "--retries", "0", *flags, question]
        return run([*within, *command], {**self.env, "OPENAI_BASE_URL": base, "OPENAI_API_KEY": key, **env})


class Curl:
    """curl with the same environment. A host that it cannot reach is a 7; an unusable file is a 2."""

    curl = True
    BODY = '{"model": "gpt-5.5", "stream": true, "store": false, "instructions": "-", "input": "%s"}'

    def __init__(self, folder):
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder)}

    def ask(self, base, *flags, question=QUESTION, key=KEY, within=(), **env):
        command = ["curl", "-sSN", "--fail-with-body", "--max-time", "5", f"{base}/responses"]
        command += ["-H", f"authorization: Bearer {key}", "-H", "content-type: application/json"]
        command += ["-d", self.BODY % question]
        if roots := env.pop("CODEX_CA_CERTIFICATE", None):
            command += ["--cacert", roots]
        seen = run([*within, *command], {**self.env, **env}, curl=True)
        return seen._replace(code={0: 0, 77: 2}.get(seen.code, 7))


def run(command, env, curl=False):
    """Runs a command to its end, within a time limit."""
    try:
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired as late:
        return Result("none: it still runs", "", text(late.stderr), curl)
    return Result(done.returncode, text(done.stdout), text(done.stderr), curl)


def text(output):
    return (output or b"").decode(errors="replace")


def free_port():
    """A port without a listener."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def installed(program):
    """The path of a program, including those for administrators; nothing, and a line that says so, if it is missing."""
    found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if not found:
        skip("peer-programs", f"{program} is not installed")
    return found


def options(purpose, curl=False, **more):
    """The command line: the two programs, additional options, and whether curl replaces codex."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--codex", type=pathlib.Path, required=True, help="the command to test")
    parser.add_argument("--standin", type=pathlib.Path, required=True, help="the stand-in service")
    for name, what in more.items():
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True, help=what)
    if curl:
        parser.add_argument("--curl", action="store_true", help="ask with curl instead, to try the test itself")
    return parser.parse_args()
