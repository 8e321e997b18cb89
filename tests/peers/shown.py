"""What a terminal shows, as a value: with styles to compare two terminals, and as text for a file."""

import re
import unicodedata
from collections import namedtuple

# What differs from run to run: times, and the use of tokens, because results have times and ids.
TIME = re.compile(r"\b\d+(\.\d)? (ms|s|min)\b")
USED = re.compile(r"\b\d+k? of |\$\d+\.\d\d")

# The rows as runs of (text, style) without trailing blanks, where the cursor is (none if hidden), and whether it is
# the alternate screen.
Screen = namedtuple("Screen", "rows cursor alternate")


def text(screen):
    """The rows without styles."""
    return ["".join(run for run, _ in row).rstrip() for row in screen.rows]


def page(screen):
    """A screen as the text of a file."""
    cursor = f"row {screen.cursor[0]}, column {screen.cursor[1]}" if screen.cursor else "hidden"
    return "\n".join([*text(screen), f"-- cursor: {cursor}", ""])


def masked(screen):
    """The same screen without what differs from run to run, with one length of the rule after a time, and with composed
    characters, as pyte keeps no others."""
    rows = []
    for row in screen.rows:
        row = [(USED.sub(used, unicodedata.normalize("NFC", run)), style) for run, style in row]
        if TIME.search("".join(run for run, _ in row)):
            row = [(re.sub("─{3,}$", "───", TIME.sub("TIME", run)), style) for run, style in row]
        rows.append(row)
    return screen._replace(rows=rows)


def used(found):
    return "USED of " if found[0].endswith("of ") else "COST"
