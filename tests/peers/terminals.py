"""Two terminals to run a program on: a pseudo-terminal with pyte as its emulator, and tmux. Both show what a program
draws as the same kind of value, so that they can be compared.
"""

import collections
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios

import pyte
from shown import Screen

ALTERNATE_SCREEN, SYNCHRONIZED = 1049, 2026  # private modes
PLAIN = ("default", "default", False, False, False, False)  # a style
ASKS_FOR_PASTES, MARKS_PASTES = b"\x1b[?2004$p", b"\x1b[?2004;1$y"  # DECRQM and its answer


class Emulator(pyte.Screen):
    """pyte's screen, with an alternate one."""

    main = None

    def set_mode(self, *modes, **options):
        if ALTERNATE_SCREEN in modes and options.get("private") and self.main is None:
            self.main = self.buffer, self.cursor.x, self.cursor.y
            self.buffer = collections.defaultdict(self.buffer.default_factory)
        super().set_mode(*modes, **options)

    def reset_mode(self, *modes, **options):
        if ALTERNATE_SCREEN in modes and options.get("private") and self.main is not None:
            self.buffer, self.cursor.x, self.cursor.y = self.main
            self.main = None
            self.dirty.update(range(self.lines))
        super().reset_mode(*modes, **options)

    def shown(self):
        """What is on it now; nothing in the midst of a frame."""
        if SYNCHRONIZED << 5 in self.mode:
            return None
        rows = [runs(self.buffer[row], self.columns) for row in range(self.lines)]
        cursor = None if self.cursor.hidden else (self.cursor.y, self.cursor.x)
        return Screen(rows, cursor, self.main is not None)


def runs(cells, columns):
    """A row of cells as runs of one style, without blanks at its end. A blank has the style before it, as its colour
    cannot be seen."""
    found = []
    for column in range(columns):
        cell = cells[column]
        style = (cell.fg, cell.bg, cell.bold, cell.italics, cell.underscore, cell.reverse)
        if cell.data == " " and not (cell.underscore or cell.reverse):
            style = found[-1][1] if found and not any(found[-1][1][-2:]) else PLAIN
        if found and found[-1][1] == style:
            found[-1][0].append(cell.data)
        else:
            found.append(([cell.data], style))
    joined = [("".join(letters), style) for letters, style in found]
    if joined and not joined[-1][1][-1]:
        joined[-1] = (joined[-1][0].rstrip(), joined[-1][1])
    return [run for run in joined if run[0]]


class Pty:
    """A pseudo-terminal with pyte, for as long as the `with` block lasts. It answers that it marks pastes."""

    name = "pyte"
    term = "xterm-256color"

    def __init__(self, folder, command, env, columns, rows):
        self.emulator = Emulator(columns, rows)
        self.stream = pyte.ByteStream(self.emulator)
        self.command, self.env, self.columns, self.rows = command, env, columns, rows

    def __enter__(self):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and that is inherited
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))
            os.execve(self.command[0], self.command, self.env)
        return self

    def __exit__(self, *_):
        os.close(self.fd)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def screen(self):
        while select.select([self.fd], [], [], 0)[0]:
            try:
                seen = os.read(self.fd, 1 << 16)
            except OSError:
                break  # every program has closed it
            self.stream.feed(seen)
            if ASKS_FOR_PASTES in seen:
                os.write(self.fd, MARKS_PASTES)
        return self.emulator.shown()

    def types(self, keys):
        os.write(self.fd, keys.encode())

    def pastes(self, what):
        rest = b"\x1b[200~" + what.replace("\n", "\r").encode() + b"\x1b[201~"
        while rest:
            self.screen()  # what it draws meanwhile
            rest = rest[os.write(self.fd, rest[:1024]):]

    def resize(self, columns, rows):
        self.screen()
        self.emulator.resize(rows, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Tmux:
    """tmux with a server and settings of its own, for as long as the `with` block lasts."""

    name = "tmux"
    term = "screen"

    def __init__(self, folder, command, env, columns, rows):
        self.folder, self.socket = folder, folder / "tmux"
        self.env = {**env, "LC_ALL": "C.UTF-8"}
        self.size = (columns, rows)
        self.command = command

    def tmux(self, *words):
        """Its output. With a server that is gone, that is empty."""
        command = ["tmux", "-S", self.socket, "-f", "/dev/null", "-u", *words]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, check=False).stdout

    def __enter__(self):
        columns, rows = map(str, self.size)
        self.tmux("start-server", ";", "set-option", "-g", "status", "off", ";", "set-option", "-g",
                  "default-terminal", self.term, ";", "new-session", "-d", "-x", columns, "-y", rows, *self.command)
        return self

    def __exit__(self, *_):
        self.tmux("kill-server")

    def screen(self):
        asked = "#{cursor_y} #{cursor_x} #{cursor_flag} #{alternate_on}"
        head, _, drawn = self.tmux("display-message", "-p", asked, ";", "capture-pane", "-p", "-e").partition("\n")
        if not head:
            return None
        row, column, is_shown, alternate = map(int, head.split())
        columns, rows = self.size
        emulator = Emulator(columns, rows)
        emulator.set_mode(pyte.modes.LNM)
        pyte.Stream(emulator).feed(drawn.removesuffix("\n"))
        cursor = (row, column) if is_shown else None
        return emulator.shown()._replace(cursor=cursor, alternate=bool(alternate))

    def types(self, keys):
        # With -l, tmux would take an escape sequence apart.
        self.tmux("send-keys", "-H", *[f"{byte:02x}" for byte in keys.encode()])

    def pastes(self, what):
        file = self.folder / "pasted"
        file.write_text(what)
        self.tmux("load-buffer", file, ";", "paste-buffer", "-p")

    def resize(self, columns, rows):
        self.size = (columns, rows)
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))
