#!/usr/bin/env python3
"""The functions that take the most instructions: of a start, a short answer and a long stream.

`make profile` runs it with the static program, built with symbols. Each scenario has two lists: what a function takes by itself,
and what it takes with everything that it calls. callgrind counts; a function that was inlined counts for its caller.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import bench
import counts

# What the program is called with.
SCENARIOS = {
    "start with the default tools": ["run", "--no-stdin", "--dry-run", bench.SHORT],
    "short answer without tools": counts.SCENARIOS["short-answer"],
    "50,000 deltas": ["run", "--no-stdin", "--no-tools", bench.directive([{"deltas": 50_000}])],
}
ROW = re.compile(r"\s*([\d,]+) \(\s*([\d.]+)%\)\s+(?:\S*?:)?(.+?)(?: \[.*\])?$")


def functions(recorded, inclusive):
    """The total, and the functions with their counts, the highest first."""
    annotate = shutil.which("callgrind_annotate") or sys.exit("profile: callgrind_annotate is not installed")
    command = [annotate, f"--inclusive={inclusive}", "--auto=no", "--threshold=100", recorded]
    rows = map(ROW.match, subprocess.check_output(command, text=True).splitlines())
    found = [(int(row[1].replace(",", "")), row[3]) for row in rows if row]
    return found[0][0], found[1:]


def main():
    parser = argparse.ArgumentParser(description="Prints the functions that take the most instructions.")
    parser.add_argument("--codex", required=True, type=pathlib.Path, help="the static program, with symbols")
    parser.add_argument("--standin", required=True, type=pathlib.Path, help="the stand-in service")
    parser.add_argument("--top", type=int, default=20, help="how many functions of each list (default: %(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, bench.Standin(args.standin.resolve(), pathlib.Path(folder)) as standin:
        recorded = pathlib.Path(folder) / "recorded"
        tool = ["--tool=callgrind", f"--callgrind-out-file={recorded}"]
        for name, arguments in SCENARIOS.items():
            counts.traced(tool, args.codex.resolve(), arguments, standin.url)
            for inclusive, what in [("no", "by itself"), ("yes", "with what it calls")]:
                total, rows = functions(recorded, inclusive)
                print(f"\n{name}: {total:,} instructions, by function, {what}")
                for spent, function in rows[: args.top]:
                    print(f"{spent:15,} {spent / total:6.1%}  {function[:110]}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
