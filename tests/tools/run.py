#!/usr/bin/env python3
"""Real work in the sandbox: every task of tests/tools/tasks without a sandbox, in that of `codex`, and side by side in
that of the official client, each with and without the network.

    python3 tests/tools/run.py --codex target/debug/codex --programs target/tools [--only PART] [--jobs N]

A task is a bash script: `prepare` runs outside, `work` in the sandbox, and prints a line that proves that the work was
done. The fields of its header:

    # task: what is done, for the table
    # needs: programs, or files by their absolute path; if one is missing the task is skipped
    # proof: the line; {} is the variant
    # in: the directory below the task's own in which `work` runs, and that is writable
    # places: `work` (below --programs; the default) and `tmp` (below /tmp)
    # variants: words; `work` is run once with each
    # env: NAME=VALUE for the sandbox; $HERE is the task's directory
    # network: yes, if it is not expected to work without the network
    # linux: the first version in whose sandbox it works here
    # part: test, if it belongs to `make test` too (tests/it/tasks.rs)
    # differs: why it may fail here although it works in the official sandbox

Programs from npm and PyPI are installed into --programs. The output is a Markdown table, then what does not work here
although it works without a sandbox and in the official one: then the exit code is 1. Complete outputs are kept in
--programs/logs.
"""

import argparse
import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
from needs import skip

TASKS = pathlib.Path(__file__).resolve().parent / "tasks"
NPM = ["@openai/codex", "esbuild", "pnpm", "tsx", "vite", "vitest"]
PYPI = ["pytest", "pytest-xdist", "uv"]
INSTALLING = 900  # seconds
LIMIT = 110  # seconds for a task; a tool's limit is 120 where nothing else is said
NETWORK = ["-c", "sandbox_workspace_write.network_access=true"]
WIDTH = 110  # characters of a reason
# Variables of a person's shell that programs need; nothing of the shell, make or cargo that runs this.
KEPT = "PATH HOME USER LOGNAME LANG TERM CARGO_HOME RUSTUP_HOME RUSTUP_TOOLCHAIN PYENV_ROOT JAVA_HOME GOROOT".split()


class Task:
    """One row of the table: a script with one of its variants, in one place."""

    def __init__(self, script, head, variant, place):
        self.script, self.variant, self.place = script, variant, place
        self.about = head["task"][0]
        self.needs = " ".join(head.get("needs", [])).split()
        self.proof = head["proof"][0].replace("{}", variant)
        self.inside = head.get("in", ["."])[0]
        self.env = head.get("env", [])
        self.differs = head.get("differs", [None])[0]
        self.linux = head.get("linux", ["0"])[0]
        self.prepares = re.search(r"^prepare\(\)", script.read_text(), re.M)
        self.name = " ".join(filter(None, [script.stem, variant, place == "tmp" and "in /tmp"]))

    def missing(self, path):
        """The first missing requirement."""
        version = lambda release: [int(number) for number in re.findall(r"\d+", release)[:2]]
        if version(os.uname().release) < version(self.linux):
            return f"Linux {self.linux}"
        there = lambda need: os.path.exists(need) if need.startswith("/") else shutil.which(need, path=path)
        return next((need for need in self.needs if not there(need)), None)


def tasks(only):
    """All rows whose name contains these words."""
    for script in sorted(TASKS.glob("*.sh")):
        head = {}
        for name, value in re.findall(r"^# (\w+): (.*)", script.read_text(), re.M):
            head.setdefault(name, []).append(value)
        variants = head.get("variants", [""])[0].split() or [""]
        places = head.get("places", ["work"])[0].split()
        for variant, place in itertools.product(variants, places):
            task = Task(script, head, variant, place)
            if only in task.name:
                yield task


class Machine:
    """The programs, and the ways to run a command with them."""

    def __init__(self, codex, programs):
        self.codex, self.programs = codex.resolve(), programs.resolve()
        self.logs, self.work = self.programs / "logs", self.programs / "work"
        for directory in (self.logs, self.work):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(parents=True)
        self.env = {name: os.environ[name] for name in KEPT if name in os.environ}
        names = self.programs / "names"
        self.env["PATH"] = f"{names}:{self.env['PATH']}"
        self.env["CODEX_RUN_HOME"] = str(self.programs / "home")
        self.env["CODEX_HOME"] = str(self.programs / "official-home")
        pathlib.Path(self.env["CODEX_HOME"]).mkdir(exist_ok=True)
        self.official = self.programs / "node_modules/.bin/codex"
        self.ways = {"bare": self.bare, "ours": self.ours, "ours --network": self.ours_network}
        if self.official.exists():
            self.ways |= {"official": self.in_official, "official + network": self.in_official_network}

    def bare(self, command):
        return ["bash", "-c", command], None

    def ours(self, command, *flags):
        arguments = json.dumps({"command": command, "timeout": LIMIT})
        return [self.codex, "tool", "-s", "workspace-write", *flags, "bash"], arguments

    def ours_network(self, command):
        return self.ours(command, "--network")

    def in_official(self, command, *flags):
        return [self.official, "sandbox", "-c", 'sandbox_mode="workspace-write"', *flags, "bash", "-c", command], None

    def in_official_network(self, command):
        return self.in_official(command, *NETWORK)

    def run(self, task, way):
        """The result of a task in one of the ways: `ok`, or why it failed."""
        parent = self.work if task.place == "work" else None
        here = pathlib.Path(tempfile.mkdtemp(prefix=f"{task.script.stem}-", dir=parent or "/tmp"))
        try:
            env = self.env | {
                name: value.replace("$HERE", str(here)) for name, _, value in (pair.partition("=") for pair in task.env)
            }
            if task.prepares:
                code, output = ended(["bash", task.script, "prepare"], None, here, self.env)
                if code:
                    return self.failed(task, way, code, f"prepare: {output}")
            command, given = self.ways[way](f"bash {task.script} work {task.variant}".strip())
            code, output = ended(command, given, here / task.inside, env)
            if code == 0 and task.proof in output.splitlines():
                return "ok"
            return self.failed(task, way, code, output)
        finally:
            shutil.rmtree(here, ignore_errors=True)

    def failed(self, task, way, code, output):
        name = re.sub(r"\W+", "-", f"{task.name} {way}")
        (self.logs / f"{name}.log").write_text(f"{task.about}\nexit code {code}\n{output}")
        return f"fails: {reason(code, output)}"


def ended(command, given, directory, env):
    """The exit code and the output of a command, all of whose processes are ended at its time limit."""
    with subprocess.Popen(
        command,
        cwd=directory,
        env=env,
        stdin=subprocess.PIPE if given else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(given, timeout=LIMIT + 20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output = process.communicate()[0] + "\nthe time was over"
        return process.returncode, output


def reason(code, output):
    """The line that most likely gives the reason."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = "not permitted|denied|read-only|cross-device|invalid|no such|cannot|could not|unable|error|EPERM|EACCES|EROFS"
    dull = ("[", "at ", "pyenv: cannot rehash")
    lines = [line for line in lines if not line.startswith(dull)]
    telling = [line for line in lines if re.search(said, line, re.I)]
    line = (telling or lines or ["no output"])[0]
    line = re.sub(r"(?:/\S*)?/(?:work|tmp)/[a-z0-9-]+-\w{8}", "…", line).replace("|", "\\|")
    return f"{line[:WIDTH]} ({code})"


def install(programs):
    """Installs what is missing; prints a line if that fails."""
    programs.mkdir(parents=True, exist_ok=True)
    names = programs / "names"
    names.mkdir(exist_ok=True)
    modules = programs / "node_modules/.bin"
    wanted = [name for name in NPM if not (modules / name.split("/")[-1]).exists()]
    if wanted:
        attempt("npm", "install", "--prefix", programs, "--no-audit", "--no-fund", *wanted)
    venv = programs / "venv"
    if not (venv / "bin/uv").exists():
        attempt(sys.executable, "-m", "venv", venv)
        attempt(venv / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PYPI)
    # Only these, not everything that the packages contain: `codex` and `python3` are different programs.
    for program in [modules / name for name in NPM if "/" not in name] + [venv / "bin/pytest", venv / "bin/uv"]:
        link = names / program.name
        link.unlink(missing_ok=True)
        if program.exists():
            link.symlink_to(program.resolve() if program.parent == modules else program.absolute())
    xdist = names / "pytest-xdist"
    xdist.unlink(missing_ok=True)
    if next(venv.glob("lib/*/site-packages/xdist"), None):
        xdist.symlink_to((venv / "bin/pytest").absolute())


def attempt(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALLING)
        why = done.stderr.strip().splitlines()[-1:] if done.returncode else None
    except (OSError, subprocess.TimeoutExpired) as error:
        why = [str(error)]
    if why is not None:
        print(f"not installed: {' '.join(map(str, command))}: {' '.join(why)}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description="Real work in the sandbox.")
    parser.add_argument("--codex", type=pathlib.Path, required=True, help="the command to test")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="where programs are installed")
    parser.add_argument("--only", default="", help="tasks whose name has this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at the same time")
    options = parser.parse_args()
    install(options.programs.absolute())
    machine = Machine(options.codex, options.programs)
    skipped, rows = [], []
    for task in tasks(options.only):
        if missing := task.missing(machine.env["PATH"]):
            skipped.append(f"{task.name}: {missing} is not there")
        else:
            rows.append(task)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        row = lambda task: {way: machine.run(task, way) for way in machine.ways}
        results = pool.map(row, rows)
        print(f"| task | {' | '.join(machine.ways)} |\n|---|{'---|' * len(machine.ways)}")
        wrong, differ = [], set()
        for task, result in zip(rows, results):
            print(f"| {task.name} | {' | '.join(result.values())} |", flush=True)
            found = list(worse(task, result))
            wrong += found
            differ |= {task.script for line in found if line.startswith("differs")}
    print(f"\n{len(rows)} tasks run, {len(skipped)} skipped")
    for line in skipped:
        skip("task-programs", line)
    if "official" not in machine.ways:
        skip("official-sandbox", "what fails here counts if it works without a sandbox")
    else:
        # Otherwise the README would go on excusing it.
        excused = {task.script for task in rows if task.differs}
        wrong += [f"FAILED: {script.stem} is said to differ from the official sandbox, and does not" for script in sorted(excused - differ)]
    for line in wrong:
        print(line)
    sys.exit(any(line.startswith("FAILED") for line in wrong))


def worse(task, result):
    """What fails here and works both without a sandbox and in the official one."""
    for ours, official in [("ours", "official"), ("ours --network", "official + network")]:
        works = result["bare"] == "ok" and result.get(official, "ok") == "ok"
        if works and result[ours] != "ok":
            if task.differs:
                yield f"differs: {task.name}, {ours}: {task.differs}"
            else:
                yield f"FAILED: {task.name}, {ours}: {result[ours]}"
    if result["bare"] != "ok":
        yield f"FAILED: {task.name} without a sandbox: {result['bare']}"


if __name__ == "__main__":
    main()
