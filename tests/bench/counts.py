#!/usr/bin/env python3
"""Instruction counts of three small scenarios, compared with those that were committed in `counts.txt`.

`make counts` runs it with the static program, as it is shipped. valgrind counts the same on a busy machine as on an idle one: five
runs of a scenario differ by less than 3 %. What a compiler makes of the source differs more, so a count is kept for each compiler
and target; for another one, the counts are printed, as rows for the file, and nothing is compared. Exit code 1 means that a count
is off by more than 5 %, in either direction: then the row is replaced in the commit that explains it.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import bench

COUNTS = pathlib.Path(__file__).with_name("counts.txt")
TOLERANCE = 0.05

# What the program is called with.
SCENARIOS = {
    "version": ["--version"],
    "short-answer": ["run", "--no-stdin", "--no-tools", bench.SHORT],
    "20000-deltas": ["run", "--no-stdin", "--no-tools", bench.directive([{"deltas": 20_000}])],
}


def traced(tool, program, arguments, url):
    """Runs the program under a tool of valgrind, in a home of its own, and returns what the tool prints."""
    valgrind = shutil.which("valgrind") or sys.exit(f"{pathlib.Path(sys.argv[0]).stem}: valgrind is not installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        # Nothing of the caller's environment, whose size would count.
        env = {"PATH": "/usr/bin:/bin", "HOME": home, "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "sk-standin"}
        command = [valgrind, *tool, program, *arguments]
        ended = subprocess.run(command, cwd=home, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(arguments)[:60]} failed under valgrind: {ended.stderr[-1000:]}")
    return ended.stderr


def count(program, arguments, url):
    """The instructions of one run."""
    tool = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    found = re.search(r"I +refs: +([\d,]+)", traced(tool, program, arguments, url))
    return int(found[1].replace(",", ""))


def compiler():
    """The version of the compiler that built the program."""
    return subprocess.check_output(["rustc", "--version"], text=True).split()[1]


def main():
    parser = argparse.ArgumentParser(description="Compares instruction counts with the committed ones.")
    parser.add_argument("--codex", required=True, type=pathlib.Path, help="the static program")
    parser.add_argument("--target", required=True, help="what it was built for")
    parser.add_argument("--standin", required=True, type=pathlib.Path, help="the stand-in service")
    args = parser.parse_args()
    rows = (line.split() for line in COUNTS.read_text().splitlines())
    kept = {tuple(row[:3]): int(row[3]) for row in rows if len(row) == 4 and row[3].isdigit()}
    wrong = False
    with tempfile.TemporaryDirectory() as folder, bench.Standin(args.standin.resolve(), pathlib.Path(folder)) as standin:
        for name, arguments in SCENARIOS.items():
            made = count(args.codex.resolve(), arguments, standin.url)
            key = (compiler(), args.target, name)
            verdict = "not compared"
            if key in kept:
                ratio = made / kept[key]
                is_close = abs(ratio - 1) <= TOLERANCE
                verdict = f"{ratio:.3f} of {kept[key]}" + ("" if is_close else ", more than 5 % off")
                wrong = wrong or not is_close
            print(*key, made, "", verdict, flush=True)
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
