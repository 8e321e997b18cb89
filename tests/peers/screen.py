#!/usr/bin/env python3
"""`codex chat` on two terminals that are not ours: pyte on a pseudo-terminal, and tmux. What it draws is compared with
the files in screens/, and the two terminals with each other, colours included. However it ends, the terminal is what it
was, and nothing is on standard output.

pyte is installed into --modules if missing, in the version of versions.json. Needs tmux, and for panics a C compiler.

    python3 tests/peers/screen.py --codex target/debug/codex --standin target/debug/examples/standin --modules DIR

With --write, the files in screens/ are written as the pseudo-terminal shows them; look at the difference before you
commit it. Every check is a line, `ok: ...` or `FAILED: ...`. Exit code 1: one of them failed.
"""

import argparse
import contextlib
import difflib
import itertools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import packages
import peer
from peer import KEY
from shown import Screen, masked, page, text
from signin import Server, leave_on_signals, soon

HERE = pathlib.Path(__file__).resolve().parent
FILES = HERE / "screens"
STEADY = 0.4  # seconds without a change, before a screen is written
WIDE, USUAL, NARROW = (200, 60), (80, 24), (30, 8)
ESCAPE, TAB, ENTER = "\x1b", "\t", "\r"
CTRL_D, CTRL_P, ALT_P = "\x04", "\x10", "\x1bp"
FIRST = "pyte"  # the terminal whose screens are written
PANIC = 70  # its exit code
LEFT = r"codex chat --resume [0-9a-f-]{36}\n"

MARKDOWN = """Here is **bold text**, `some code` and a combining e\u0301:

- one
- two: 日本語 and \N{WAVING HAND SIGN}

---

```rust
fn main() {}
```
"""
CHANGE = {"path": "greet.sh", "edits": [{"old_text": "echo hey", "new_text": "echo Good morning"}]}
SCRIPT = {"scenarios": [
    {"when": "Show", "rounds": [{"items": [{"text": MARKDOWN}]}]},
    {"when": "Change", "rounds": [
        {"items": [{"call": {"name": "edit", "arguments": CHANGE}}]},
        {"items": [{"call": {"name": "bash", "arguments": {"command": "seq 101 120"}}}]},
        {"items": [{"text": "It is polite now."}]}]},
    # Every event is a whole row, so all frames of a full screen are the same.
    {"when": "Stream", "rounds": [{"deltas": 3000, "delta": "- a row\n", "event_pause_ms": 20}]},
    {"when": "line 200", "rounds": [{"items": [{"text": "You pasted 200 lines."}]}]},
]}

# Runs the command between two calls of stty, and keeps the terminal open until a line is typed.
AROUND = """
exec 2>"$T/shell"
echo before
stty -a >"$T/before"
sh -c 'echo $$ >"$T/pid"; exec "$@"' sh "$@" >"$T/out" 2>"$T/err"
echo $? >"$T/ended"
stty -a >"$T/after"
mv "$T/ended" "$T/code"
read -r _
"""


class Test:
    """The checks on one terminal. `seen` has its screens by name."""

    def __init__(self, checks, options, folder, url, kind):
        self.checks, self.options, self.folder, self.url, self.kind = checks, options, folder, url, kind
        self.seen = {}

    @contextlib.contextmanager
    def chat(self, size, **env):
        """A chat in a home of its own; its terminal and its folder."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder = pathlib.Path(name)
            (folder / "home").mkdir(mode=0o700)
            (folder / "work").mkdir()
            (folder / "work/greet.sh").write_text("#!/bin/sh\nname=$1\necho hey\n")
            env = {"PATH": os.environ["PATH"], "HOME": name, "CODEX_RUN_HOME": f"{name}/home", "T": name,
                   "LANG": "C.UTF-8", "TERM": self.kind.term, "OPENAI_BASE_URL": f"{self.url}/v1",
                   "OPENAI_API_KEY": KEY, **env}
            models = ["-m", "gpt-5.5", "--models", "gpt-5.5,gpt-5.4:high"]
            command = ["/bin/sh", "-c", AROUND, "sh", str(self.options.codex.resolve()), "chat", "-s",
                       "danger-full-access", "-C", f"{name}/work", *models]
            with self.kind(folder, command, env, *size) as terminal:
                yield terminal, folder

    def that(self, what, fits, *seen):
        self.checks.that(f"{self.kind.name}: {what}", fits, *seen)

    def screen(self, terminal, name, ready=lambda lines: True):
        """Waits until the terminal shows the screen of this name. To write it, waits for this instead, and then until
        nothing changes any more."""
        file = FILES / f"{name}.txt"
        if self.options.write and self.kind.name == FIRST and name not in self.seen:
            shown, since = None, time.monotonic()
            while time.monotonic() < since + STEADY or not ready(text(shown)):
                now = terminal.screen()
                now = now and masked(now)
                if now is not None and now != shown:
                    shown, since = now, time.monotonic()
                time.sleep(0.01)
            FILES.mkdir(exist_ok=True)
            file.write_text(page(shown))
        wanted = file.read_text() if file.exists() else ""
        shown = None

        def fits():
            nonlocal shown
            now = terminal.screen()
            shown = masked(now) if now else shown
            return shown and page(shown) == wanted

        found = soon(fits)
        if shown:
            self.seen.setdefault(name, shown)
        seen = page(shown) if shown else ""
        difference = difflib.unified_diff(wanted.splitlines(), seen.splitlines(), file.name, "seen", lineterm="", n=1)
        self.that(f"the screen is {name}", found, *([] if found else difference))

    def ended(self, terminal, folder, what, code, said):
        """The chat has ended with this code and these messages, and the terminal is what it was."""
        soon((folder / "code").exists)
        last = None

        def is_back():
            nonlocal last
            last = terminal.screen() or last
            return last and not last.alternate and last.cursor == (1, 0) and "".join(text(last)) == "before"

        back = soon(is_back)
        self.that(f"{what}: the screen is what it was", back, page(last) if last else "")
        read = {name: (folder / name).read_text() if (folder / name).exists() else f"no {name}"
                for name in ("before", "after", "out", "err", "code")}
        self.that(f"{what}: stty says the same as before", read["before"] == read["after"],
                  *difflib.unified_diff(read["before"].splitlines(), read["after"].splitlines()))
        self.that(f"{what}: standard output has no byte", read["out"] == "", read["out"])
        self.that(f"{what}: exit {code}, and it says so", read["code"] == f"{code}\n" and
                  re.fullmatch(said, re.sub(r"\x1b\[[\d;]*m", "", read["err"])), read["code"], read["err"])

    def ask(self, terminal, question):
        """Types a question, and sends it once it is shown: with what comes at once, Enter would be part of a paste."""
        shown = soon(lambda: any(line.rstrip() == "› ask something, or type /help" for line in rows_of(terminal)))
        terminal.types(question)
        shown = shown and soon(lambda: any(line == f"› {question}" for line in rows_of(terminal)))
        if not shown:
            self.that(f"the question {question!r} is shown", False, *rows_of(terminal))
        terminal.types(ENTER)

    def conversation(self):
        """Questions, tools, models and a paste."""
        with self.chat(USUAL) as (terminal, folder):
            self.screen(terminal, "start", lambda lines: any("type /help" in line for line in lines))
            self.ask(terminal, "Show me")
            self.screen(terminal, "markdown", lambda lines: says(lines, "fn main") and idle(lines))
            self.ask(terminal, "Change it")
            self.screen(terminal, "folded", lambda lines: says(lines, "polite") and idle(lines))
            terminal.types(TAB)
            self.screen(terminal, "unfolded", lambda lines: says(lines, "105"))
            terminal.types(TAB)
            self.screen(terminal, "folded")
            terminal.types(CTRL_P)
            self.screen(terminal, "next-model", lambda lines: says(lines, "gpt-5.4"))
            terminal.types(ALT_P)
            self.screen(terminal, "model-back", lambda lines: says(lines, "gpt-5.5"))
            self.ask(terminal, "Stream rows")
            self.screen(terminal, "streaming", lambda lines: full(lines, 20))
            terminal.types(ESCAPE)
            self.screen(terminal, "interrupted", lambda lines: says(lines, "interrupted") and idle(lines))
            terminal.pastes("\n".join(f"line {n}" for n in range(1, 201)))
            self.screen(terminal, "pasted", lambda lines: says(lines, "line 200"))
            terminal.types(ENTER)
            self.screen(terminal, "answered", lambda lines: says(lines, "You pasted") and idle(lines))
            terminal.types(CTRL_D)
            self.ended(terminal, folder, "Ctrl+D", 0, LEFT)

    def resizing(self):
        """From wide to narrow and back, while text streams."""
        with self.chat(WIDE) as (terminal, folder):
            self.ask(terminal, "Stream rows")
            self.screen(terminal, "wide", lambda lines: full(lines, 56))
            terminal.resize(*NARROW)
            self.screen(terminal, "narrow", lambda lines: full(lines, 5))
            terminal.resize(*WIDE)
            self.screen(terminal, "wide")
            terminal.types(ESCAPE)
            self.screen(terminal, "wide-interrupted", lambda lines: says(lines, "interrupted") and idle(lines))
            terminal.types(CTRL_D)
            self.ended(terminal, folder, "after resizing", 0, LEFT)

    def signals(self):
        """Signals in the midst of a stream."""
        for number, word in ((signal.SIGTERM, "terminated"), (signal.SIGHUP, "hung up")):
            with self.chat(USUAL) as (terminal, folder):
                self.ask(terminal, "Stream rows")
                soon(lambda: full(rows_of(terminal), 15))
                os.kill(int((folder / "pid").read_text()), number)
                self.ended(terminal, folder, number.name, 128 + number, rf"{LEFT}codex: {word}.*\n(\w+\n)?")

    def panics(self, library):
        """A time that cannot be makes a thread panic: the one that draws, or another one."""
        for what, more in (("the main thread", {}), ("another thread", {"WRONG_CLOCK_ELSEWHERE": "1"})):
            wrong = self.folder / f"wrong-{self.kind.name}-{len(more)}"
            with self.chat(USUAL, LD_PRELOAD=str(library), WRONG_CLOCK=str(wrong), **more) as (terminal, folder):
                self.ask(terminal, "Stream rows")
                soon(lambda: full(rows_of(terminal), 15))
                wrong.touch()
                said = rf"({LEFT})?codex: internal error .*\ncodex: hint: .*\n"
                self.ended(terminal, folder, f"a panic in {what}", PANIC, said)


def rows_of(terminal):
    """What it shows, without styles."""
    shown = terminal.screen()
    return text(shown) if shown else []


def says(lines, words):
    return any(words in line for line in lines)


def idle(lines):
    return not says(lines, "working") and not says(lines, "stopping")


def full(lines, rows):
    return sum("a row" in line for line in lines) >= rows


def main():
    parser = argparse.ArgumentParser(description="Tries codex chat on two terminals.")
    parser.add_argument("--codex", type=pathlib.Path, required=True, help="the command to test")
    parser.add_argument("--standin", type=pathlib.Path, required=True, help="the stand-in service")
    parser.add_argument("--modules", type=pathlib.Path, required=True, help="where pyte is installed, or will be")
    parser.add_argument("--write", action="store_true", help="write the screens")
    options = parser.parse_args()
    leave_on_signals()
    if not packages.install_python(options.modules.resolve() / "python", packages.PYTE, packages.WIDTHS):
        return
    import terminals  # which imports pyte

    checks = peer.Checks()
    kinds = [terminals.Pty, *([terminals.Tmux] if peer.installed("tmux") else [])]
    with tempfile.TemporaryDirectory(prefix="codex-screen-", dir="/var/tmp") as name:
        folder = pathlib.Path(name)
        (folder / "script.json").write_text(json.dumps(SCRIPT))
        command = [options.standin.resolve(), "--until-eof", "--script", folder / "script.json"]
        with Server(command, folder / "standin") as service:
            tests = [Test(checks, options, folder, service.url, kind) for kind in kinds]
            library = compiled(folder)
            for test in tests:
                test.conversation()
                test.resizing()
                test.signals()
                if library:
                    test.panics(library)
    agree(checks, tests)
    checks.leave()


def compiled(folder):
    """The library that makes a clock wrong, if it can be made and loaded here."""
    library = folder / "wrong_clock.so"
    if not sys.platform.startswith("linux") or not peer.installed("cc"):
        return None
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, HERE / "wrong_clock.c"], check=True)
    return library


def agree(checks, tests):
    """The same screens have the same colours, and the cursor at the same place."""
    first, *others = tests
    for other in others:
        for name, shown in first.seen.items():
            also = other.seen.get(name) or Screen([], None, False)
            pairs = enumerate(itertools.zip_longest(shown.rows, also.rows))
            differences = [f"row {n}: {one} and {two}" for n, (one, two) in pairs if one != two]
            same = not differences and shown.cursor == also.cursor
            checks.that(f"{first.kind.name} and {other.kind.name} agree on {name}", same, *differences)


if __name__ == "__main__":
    main()
