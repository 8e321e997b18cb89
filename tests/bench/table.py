#!/usr/bin/env python3
"""`make bench`: how fast `codex` is, as ratios to other programs that do the same. Prints a table in Markdown; with
--write, writes it and its picture into this directory. `rows.py` has the rows.

The two builds and what they are measured against take turns within one run; a value is the median of the paired ratios,
with the quartiles, in bold if it is over its target. CPU is user and system time of a process and the children it waited for; memory is its peak. Times of
this machine by themselves say little, so they are only in parentheses. Exit code 1 means that a program did not do its
task. Linux only.
"""

import argparse
import os
import pathlib
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import bench
import chart
import rows
from measure import BUILDS, HERE, Machine

EXPLANATION = """Each value is the median of ratios of pairs, with the quartiles in parentheses; bold is over the target. What
is in parentheses behind the other program is its own median, to give an idea. `tests/README.md` says how to repeat this."""
HEAD = ("work", "measured against", "target", "reached, musl", "reached, gnu")


def number(value):
    """A value with three digits, never in exponents."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def cell(values, line):
    """A median with the quartiles; bold if it is over the target."""
    if not values:
        return "–"
    low, middle, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
    text = f"{number(middle)} {line.unit}"
    if line.target is not None and middle > line.target:
        text = f"**{text}**"
    return f"{text} ({number(low)}–{number(high)})"


def markdown(lines):
    """The table."""
    yield f"| {' | '.join(HEAD)} |"
    yield "|---|---|---|---|---|"
    for line in lines:
        target = "" if line.target is None else f"≤ {line.target:g} {line.unit}"
        reached = [cell(line.values.get(build), line) for build in BUILDS]
        yield f"| {' | '.join([line.work, line.against, target, *reached])} |"


def load():
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def busy(before):
    """A warning if other programs were running."""
    if float(before.split()[0]) <= os.cpu_count() / 4:
        return ""
    return "**Preliminary: other programs kept the machine busy, so the values are less certain than they look.**\n\n"


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return ""
    return (done.stdout or done.stderr).partition("\n")[0]


def conditions(args):
    """What the table was measured with."""
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    programs = [first_line("curl", "--version")[:12], first_line("grep", "--version"), first_line("cc", "--version")]
    processor = f"{os.cpu_count()} cores{' of ' + model[1] if model else ''}"
    return (f"Measured on {time.strftime('%Y-%m-%d at %H:%M UTC', time.gmtime())} with `{first_line(args.codex, '--version')}`: "
            f"Linux {platform.release()}, {processor}, {', '.join(filter(None, programs))}.")


def main():
    parser = argparse.ArgumentParser(description="Measures codex beside other programs.")
    parser.add_argument("--codex", required=True, type=pathlib.Path, help="a release build of codex")
    parser.add_argument("--musl", type=pathlib.Path, help="the static build of codex")
    parser.add_argument("--standin", required=True, type=pathlib.Path, help="a release build of the stand-in service")
    parser.add_argument("--peers", type=pathlib.Path, help="a directory with node_modules that hold the official client and pi")
    parser.add_argument("--rows", default="", help=f"only these, separated by commas: {', '.join(rows.ROWS)}")
    parser.add_argument("--pairs", type=float, default=1, help="multiplies the number of turns")
    parser.add_argument("--write", action="store_true", help="write results.md and ratios.svg beside this program")
    args = parser.parse_args()
    chosen = args.rows.replace(",", " ").split() or list(rows.ROWS)
    if unknown := [name for name in chosen if name not in rows.ROWS]:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(rows.ROWS)}")
    builds = {"musl": args.musl, "gnu": args.codex}
    if not (args.musl and args.musl.exists()):
        print("skipped (musl): there is no static build")
        del builds["musl"]
    builds = {name: path.resolve() for name, path in builds.items()}
    standin, peers = args.standin.resolve(), args.peers and args.peers.resolve()
    known, before, begun = conditions(args), load(), time.monotonic()
    lines, failed = [], 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the files are removed
    # Below /var/tmp, because in the sandbox /tmp is another one.
    temporary = tempfile.TemporaryDirectory(prefix="codex-bench-", dir="/var/tmp", ignore_cleanup_errors=True)
    with temporary as name, bench.Standin(standin, pathlib.Path(name), rows.SCRIPT) as service:
        folder = pathlib.Path(name)
        os.chdir(folder)
        machine = Machine(builds, service, folder, bench.peers(peers, service.url), args.pairs)
        os.chdir(machine.work)
        for name in chosen:
            print(f"{name} (load {load()})", file=sys.stderr, flush=True)
            try:
                lines += rows.ROWS[name](machine)
            except (SystemExit, subprocess.SubprocessError) as failure:
                failed += 1
                print(failure, file=sys.stderr)
        os.chdir("/")
    took = time.monotonic() - begun
    text = busy(before) + "\n".join(markdown(lines)) + f"\n\n{known} Load before and after: {before}; {load()}. "
    text += f"It took {took / 60:.0f} minutes.\n"
    print(text, end="")
    if args.write and not failed:
        (HERE / "results.md").write_text(f"# Results of `make bench`\n\n{EXPLANATION}\n\n{text}")
        (HERE / "ratios.svg").write_text(chart.drawing(lines))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
