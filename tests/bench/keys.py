#!/usr/bin/env python3
"""The benchmark of `codex chat`: how long a key takes to its echo while text streams, beside `cat` on a
pseudo-terminal of the same kind; start-up and memory beside pi and the official client, if they are there. Linux only.

    python3 tests/bench/keys.py --codex target/release/codex --standin target/release/examples/standin --peers DIR

DIR is where `make test-peers` installs them. All clients talk to the stand-in service on this machine. Keys go to a
client and to `cat` in turn, at irregular times, so that a noisy moment affects both. The terminal answers what a
terminal answers, at once. Start-up ends with the first drawn prompt. Memory is that of a client and its children after
the first answer; PSS counts shared pages in part, and takes permission to trace the process. The official client runs
without its background server, which would outlive it.
"""

import argparse
import contextlib
import json
import os
import pathlib
import pty
import random
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections import namedtuple
from fcntl import ioctl
from subprocess import PIPE

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "peers"))
import bench
import packages

COLUMNS, ROWS = 120, 40
KEYS = "§¶µß"  # no program draws these by itself
BACKSPACE = b"\x7f"
LONGEST = 10  # seconds for an echo; a client that needs more counts with that
SAMPLING = 60  # seconds at most for all keys
PAUSE = (0.005, 0.045)  # seconds between two keys
SAMPLES = 300
STARTS = 7
PATIENCE = 30  # seconds for anything
SETTLING = 1  # second
ANSWERING, TRIES = 5, 3  # seconds for an answer, and how often it is asked for
STREAM = {"deltas": 150_000, "delta": "0123 ", "pieces": 600, "pause_ms": 1}  # some events in each piece
SCRIPT = {"scenarios": [{"when": "Stream", "rounds": [STREAM]},
                        {"when": "Answer", "rounds": [{"items": [{"text": "Zebra"}]}]}]}
MODEL, OFFICIAL_MODEL = "gpt-5.5", "gpt-6.2-sol"  # of others, the official client first asks whether to change them

# What terminals answer to questions.
ANSWERS = {
    rb"\x1b\[c": b"\x1b[?62c", rb"\x1b\[6n": b"\x1b[1;1R", rb"\x1b\[\?u": b"\x1b[?0u",
    rb"\x1b\[\?2004\$p": b"\x1b[?2004;1$y", rb"\x1b\]10;\?": b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
    rb"\x1b\]11;\?": b"\x1b]11;rgb:0000/0000/0000\x1b\\",
}
SEQUENCE = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[ -/]*[0-~])")


# A client, and the words that it draws with its first prompt.
Client = namedtuple("Client", "name command env prompt")


class Program:
    """A program on a terminal of its own. `drawn` is what it has written, without escape sequences."""

    def __init__(self, command, env, folder):
        self.begun = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if not self.pid:
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and that is inherited
            ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            os.chdir(folder)
            os.execve(command[0], list(map(str, command)), {key: str(value) for key, value in env.items()})
        self.drawn = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def read(self):
        """Takes what it has written, and answers its questions."""
        try:
            seen = os.read(self.fd, 1 << 16)
        except OSError:
            sys.exit(f"bench: a program has ended: {self.drawn[-500:].decode(errors='replace')}")
        for question, answer in ANSWERS.items():
            for _ in re.findall(question, seen):
                os.write(self.fd, answer)
        self.drawn = (self.drawn + SEQUENCE.sub(b"", seen))[-1 << 16:]
        return seen

    def shows(self, words):
        """Waits until it has drawn this; seconds since its start."""
        pump([self], lambda: words in self.drawn, f"{words!r} is not drawn: {self.drawn[-500:]!r}")
        return time.perf_counter() - self.begun

    def says(self, text, answer):
        """Types a line and sends it once it is drawn, until there is this answer: the first Enter that the official
        client gets only ends its opening picture."""
        os.write(self.fd, text)
        self.shows(text)
        for _ in range(TRIES):
            wait([self], SETTLING)  # what arrives at once with a line end may count as a paste
            os.write(self.fd, b"\r")
            pump([self], lambda: answer in self.drawn, None, ANSWERING)
            if answer in self.drawn:
                return
        sys.exit(f"bench: {answer!r} is not drawn: {self.drawn[-500:].decode(errors='replace')}")


def pump(programs, done, otherwise, seconds=PATIENCE):
    """Reads from all of them until this holds. Fails after a while, if there is something to fail with."""
    end = time.monotonic() + seconds
    while not done():
        left = end - time.monotonic()
        if left <= 0:
            if otherwise:
                sys.exit(f"bench: {otherwise}")
            return
        by_fd = {program.fd: program for program in programs}
        for fd in select.select(list(by_fd), [], [], left)[0]:
            by_fd[fd].read()


def wait(programs, seconds):
    pump(programs, lambda: False, None, seconds)


def echo(program, programs, key):
    """Seconds until a key is drawn, at most LONGEST. It is deleted again."""
    program.drawn = b""
    begun = time.perf_counter()
    os.write(program.fd, key)
    pump(programs, lambda: key in program.drawn, None, LONGEST)
    took = time.perf_counter() - begun
    os.write(program.fd, BACKSPACE)
    return took


def echoes(client, folder, stream):
    """Times from key to echo in milliseconds: those of a client, while text streams or not, and those of `cat`."""
    cat = ["/bin/sh", "-c", "stty raw -echo; echo ready; exec cat"]
    random.seed(1)
    with Program(client.command, client.env, folder) as program, Program(cat, client.env, folder) as other:
        program.shows(client.prompt)
        other.shows(b"ready")
        wait([program, other], SETTLING)
        if stream:
            program.says(b"Stream", b"0123")
        times = ([], [])
        end = time.monotonic() + SAMPLING
        for number in range(SAMPLES):
            if time.monotonic() > end:
                break
            key = KEYS[number % len(KEYS)].encode()
            for tried, found in zip((program, other), times):
                found.append(1e3 * echo(tried, [program, other], key))
                wait([program, other], random.uniform(*PAUSE))
    return times


def started(client, folder):
    """Milliseconds to the first prompt; PSS and RSS in MiB after the first answer."""
    with Program(client.command, client.env, folder) as program:
        took = program.shows(client.prompt)
        wait([program], SETTLING)
        program.says(b"Answer", b"Zebra")
        wait([program], SETTLING)
        pids = tree(program.pid)
        return 1e3 * took, memory(pids, "Pss"), memory(pids, "Rss"), len(pids)


def tree(pid):
    """A process and those below it."""
    parents = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            child, parent = re.match(r"(\d+) \(.*\) \S (\d+)", stat.read_text(), re.S).groups()
            parents.setdefault(int(parent), []).append(int(child))
    pids = [pid]
    for each in pids:
        pids += parents.get(each, [])
    return pids


def memory(pids, kind):
    """Their memory in MiB, or not a number if that may not be seen."""
    total = 0
    for pid in pids:
        try:
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            return float("nan")
        total += int(re.search(rf"^{kind}:\s+(\d+) kB", text, re.M)[1]) / 1024
    return total


def clients(program, modules, folder, url):
    """The clients that are there."""
    shared = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    found = []

    def add(name, prompt, client, command):
        found.append(Client(name, command, {**shared, **client.env}, prompt))

    home = folder / "ours"
    home.mkdir(mode=0o700)
    mine = bench.ours(program, url)
    mine = mine._replace(env={**mine.env, "HOME": home, "CODEX_RUN_HOME": home})
    add("ours", b"ask something", mine, [program, "chat", "-m", MODEL])
    official, node, pi = (modules and find(modules) for find in (packages.official, packages.node, packages.pi))
    if node and pi:
        home = folder / "pi"
        home.mkdir()
        client = bench.pi("pi", home, home, url)
        add("pi", b"(auto)", client, [node, pi, "--provider", "standin", "--model", MODEL])
    if official:
        home = folder / "official"
        home.mkdir()
        client = bench.official("official", home, home, url)
        config = home / "config.toml"
        text = config.read_text().replace(MODEL, OFFICIAL_MODEL)
        config.write_text(f'{text}\n[projects."{folder / "work"}"]\ntrust_level = "trusted"\n')
        add("official", b"Ask Codex to do anything", client, [official, "--no-daemon"])
    return found


def rate(url):
    """Deltas a second that the stand-in sends, to a client that only reads."""
    body = {"model": MODEL, "stream": True, "input": "Stream", "store": False, "instructions": "-"}
    command = ["curl", "-sN", "--max-time", "3", f"{url}/v1/responses", "-H", "authorization: Bearer sk-standin", "-H",
               "content-type: application/json", "-d", json.dumps(body)]
    return subprocess.run(command, stdout=PIPE, check=False).stdout.count(b"data: {") / 3


def p99(times):
    return statistics.quantiles(times, n=100)[98]


def main():
    parser = argparse.ArgumentParser(description="Measures codex chat beside cat, pi and the official client.")
    parser.add_argument("--codex", required=True, type=pathlib.Path, help="a release build of codex")
    parser.add_argument("--standin", required=True, type=pathlib.Path, help="a release build of the stand-in service")
    parser.add_argument("--peers", type=pathlib.Path, help="a directory with node_modules that hold the peers")
    options = parser.parse_args()
    rows = []
    # The official client does not like a home below /tmp.
    temporary = tempfile.TemporaryDirectory(prefix="codex-keys-", dir="/var/tmp", ignore_cleanup_errors=True)
    with temporary as name, bench.Standin(options.standin.resolve(), pathlib.Path(name), SCRIPT) as standin:
        folder = pathlib.Path(name)
        work = folder / "work"
        work.mkdir()
        found = clients(options.codex.resolve(), options.peers and options.peers.resolve(), folder, standin.url)
        deltas = rate(standin.url)
        for client in found:
            for stream in (True, False):
                when = f"while {deltas:.0f} deltas/s stream" if stream else "while nothing streams"
                mine, other = echoes(client, work, stream)
                for what, of in (("median", statistics.median), ("p99", p99)):
                    rows.append(bench.ratio(f"{client.name}: key to echo {when}, {what}", of(mine), of(other), "cat"))
        starts = bench.alternate(lambda client: started(client, work), found, STARTS)
    for name, values in starts.items():
        took, pss, rss, count = (statistics.median(column) for column in zip(*values))
        print(f"{name}: {took:.0f} ms to the first prompt; after the first answer PSS {pss:.1f} MiB, RSS {rss:.1f} MiB "
              f"in {count:.0f} processes")
    print(bench.table(rows))


if __name__ == "__main__":
    sys.exit(main())
