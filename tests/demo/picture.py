#!/usr/bin/env python3
"""The picture of the README: types commands into a shell on a pseudo-terminal, with the real program and the stand-in
service, and draws what the terminal shows as an SVG. `make picture` draws it. With --check, nothing is written, and the
exit code is 1 if the terminal shows something else than the picture, durations aside.
"""

import argparse
import collections
import fcntl
import html
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS, ROWS = 80, 24
DEADLINE = 60  # seconds for one command
PROMPT = "\x1b[1;34m$\x1b[0m "
COMMANDS = [
    'codex run -s workspace-write "The test fails: find out why, and fix it"',
    "git diff --stat",
    'git diff | codex run --no-tools "Write a commit message:" -',
]
CART = "def total(prices):\n    return sum(prices[:-1])\n"
TEST = """import unittest
from cart import total


class Cart(unittest.TestCase):
    def test_total(self):
        self.assertEqual(total([2, 3, 5]), 10)
"""
DURATION = re.compile(r"\b\d+(\.\d+)? (ms|s|min)\b")
LETTER, LINE, MARGIN, SIZE = 8.43, 20, 16, 14  # pixels
Run = collections.namedtuple("Run", "text style")


class Screen:
    """The lines of a terminal: enough of one for a shell and for `codex run`. Any other sequence is an error."""

    TOKEN = re.compile(r"\x1b\[(?P<numbers>[\d;]*)(?P<kind>[mK])|(?P<letter>[^\x1b])", re.DOTALL)

    def __init__(self):
        self.lines, self.column, self.style = [[]], 0, ()

    def feed(self, text):
        at = 0
        while at < len(text):
            token = self.TOKEN.match(text, at) or sys.exit(f"picture: an unknown sequence: {text[at:at + 12]!r}")
            at = token.end()
            if token["letter"]:
                self.put(token["letter"])
            elif token["kind"] == "K":
                del self.lines[-1][self.column:]
            else:
                numbers = tuple(number for number in token["numbers"].split(";") if number not in ("", "0"))
                self.style = (*self.style, *numbers) if numbers else ()

    def put(self, letter):
        if letter == "\n":
            self.lines.append([])
        elif letter == "\r":
            self.column = 0
        elif letter >= " ":
            if self.column == COLUMNS:
                self.lines.append([])
                self.column = 0
            self.lines[-1][self.column:self.column + 1] = [(letter, self.style)]
            self.column += 1
        elif letter != "\a":
            sys.exit(f"picture: an unknown character: {letter!r}")

    def rows(self):
        """Each line as runs of one style."""
        rows = []
        for line in self.lines:
            row = []
            for letter, style in line:
                if row and row[-1].style == style:
                    row[-1] = Run(row[-1].text + letter, style)
                else:
                    row.append(Run(letter, style))
            rows.append(row)
        return rows


def text(rows):
    return ["".join(run.text for run in row).rstrip() for row in rows]


class Shell:
    """A shell on a pseudo-terminal, for as long as the `with` block lasts."""

    def __init__(self, env, folder):
        self.env, self.folder, self.screen = env, folder, Screen()

    def __enter__(self):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and that is inherited
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            os.chdir(self.folder)
            os.execve("/bin/sh", ["sh", "-i"], self.env)
        self.until_prompt()
        return self

    def __exit__(self, *_):
        os.close(self.fd)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def until_prompt(self):
        seen, end = b"", time.monotonic() + DEADLINE
        while not seen.endswith(PROMPT.encode()):
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                sys.exit(f"picture: the shell does not come back: {seen.decode(errors='replace')}")
            try:
                seen += os.read(self.fd, 1 << 16)
            except OSError:
                sys.exit(f"picture: the shell has ended: {seen.decode(errors='replace')}")
        self.screen.feed(seen.decode())

    def types(self, command):
        os.write(self.fd, command.encode() + b"\n")
        self.until_prompt()


def record(codex, standin):
    """What the terminal shows after the commands, as rows."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        home, work, programs = folder / "home", folder / "work", folder / "bin"
        for made in (home, work, programs):
            made.mkdir()
        (programs / "codex").symlink_to(codex)
        (programs / "python3").symlink_to(os.path.realpath(sys.executable))
        (home / ".inputrc").write_text("set enable-bracketed-paste off\n")
        (work / "cart.py").write_text(CART)
        (work / "test_cart.py").write_text(TEST)
        command = [standin, "--port", "0", "--script", HERE / "picture.json", "--until-eof"]
        served = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            url = served.stdout.readline().removeprefix("listening on ").strip()
            env = {"PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "PS1": PROMPT, "LC_ALL": "C.UTF-8",
                   "TERM": "xterm-256color", "GIT_PAGER": "cat", "PYTHONDONTWRITEBYTECODE": "1",
                   "CODEX_RUN_HOME": str(folder / "codex"), "OPENAI_BASE_URL": f"{url}/v1", "CODEX_API_KEY": "sk-invented"}
            git = ["git", "-c", "user.name=picture", "-c", "user.email=picture@localhost"]
            for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "A cart"]):
                subprocess.run([*git, *words], cwd=work, env=env, check=True)
            with Shell(env, work) as shell:
                for typed in COMMANDS:
                    shell.types(typed)
                return shell.screen.rows()[:-1]  # without the last prompt
        finally:
            served.communicate()  # closes its standard input, which ends it


STYLES = {"1": "b", "2": "d", "31": "r", "32": "g", "34": "l", "36": "c"}
# The colours of light pages and of dark ones. The light ones are attributes, which every viewer knows.
LIGHT = {"box": "#f6f8fa", "text": "#1f2328", "d": "#656d76", "r": "#cf222e", "g": "#116329", "l": "#0550ae", "c": "#1b7c83"}
DARK = {"box": "#161b22", "text": "#e6edf3", "d": "#9198a1", "r": "#ff7b72", "g": "#56d364", "l": "#79c0ff", "c": "#56d4dd"}
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, Liberation Mono, monospace"


def style():
    dark = "".join(f".{name}{{fill:{colour}}}" for name, colour in DARK.items())
    return f"<style>text{{white-space:pre}}@media (prefers-color-scheme:dark){{{dark}}}</style>"


def span(run):
    """A run of one style; an SGR parameter that has no colour here is an error."""
    names = [STYLES.get(code) or sys.exit(f"picture: no colour for SGR {code}") for code in run.style]
    shown = html.escape(run.text, quote=False)
    if not names:
        return shown
    weight = ' font-weight="bold"' if "b" in names else ""
    fill = "".join(f' class="{name}" fill="{LIGHT[name]}"' for name in names if name != "b")
    return f"<tspan{fill}{weight}>{shown}</tspan>"


def draw(rows):
    """An SVG with one text element a line, so that it can be selected and copied."""
    width = round(2 * MARGIN + COLUMNS * LETTER)
    height = 2 * MARGIN + LINE * len(rows) - (LINE - SIZE)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">',
        "<title>codex run repairs a failing test in a sandbox, and writes the commit message</title>",
        style(),
        f'<rect class="box" fill="{LIGHT["box"]}" stroke="#8b949e" rx="8" '
        f'x=".5" y=".5" width="{width - 1}" height="{height - 1}"/>',
        f'<g class="text" fill="{LIGHT["text"]}" font-family="{FONT}" font-size="{SIZE}">',
    ]
    for number, row in enumerate(rows):
        y = MARGIN + SIZE - 2 + LINE * number
        if row:
            parts.append(f'<text x="{MARGIN}" y="{y}" xml:space="preserve">{"".join(map(span, row))}</text>')
    return "\n".join([*parts, "</g>", "</svg>\n"])


def drawn_text(picture):
    """The lines of a picture, without the empty ones."""
    lines = re.findall(r"<text [^>]*>(.*)</text>", picture)
    return [html.unescape(re.sub("<[^>]*>", "", line)).rstrip() for line in lines]


def main():
    parser = argparse.ArgumentParser(description="Draws the picture of the README from a session on a terminal.")
    parser.add_argument("--codex", required=True, type=pathlib.Path)
    parser.add_argument("--standin", required=True, type=pathlib.Path)
    parser.add_argument("--check", action="store_true", help="only compare the text with the picture that is there")
    args = parser.parse_args()
    rows = record(args.codex.resolve(), args.standin.resolve())
    file = HERE / "run.svg"
    if not args.check:
        file.write_text(draw(rows))
        print("\n".join(text(rows)))
        return 0
    shown = [DURATION.sub("TIME", line) for line in text(rows) if line]
    drawn = [DURATION.sub("TIME", line) for line in drawn_text(file.read_text())]
    if shown == drawn:
        return 0
    print("picture: the terminal shows something else; `make picture` draws it again", *shown, sep="\n", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
