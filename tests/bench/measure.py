"""How the rows of `make bench` measure: the builds and other programs in turns, as `measure.c` weighs them, and the median
of the paired ratios."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

import bench

HERE = pathlib.Path(__file__).resolve().parent
BUILDS = ("musl", "gnu")
MODEL = "gpt-5.5"
LONGEST = 300  # seconds for one call of measure.c

# A line of the table. `values` has the samples of each build; `unit` is what they are in.
Line = namedtuple("Line", "work against target values unit", defaults=("×",))
# What measure.c prints, with times in seconds: per run, if the command ran more than once.
Result = namedtuple("Result", "wall cpu switches memory request latencies")


class Machine:
    """What the rows work with: the builds, the stand-in, the small C programs, and a folder for files. `pairs` multiplies
    the number of turns."""

    def __init__(self, builds, standin, folder, peers, pairs):
        self.builds, self.standin, self.folder, self.peers, self.pairs = builds, standin, folder, peers, pairs
        self.home, self.work = folder / "home", folder / "work"
        for made in (self.home, self.work):
            made.mkdir()
        self.measure = self.compile("measure", "cc")

    def minimal(self, name):
        """A C program of this directory as each compiler makes it: by what it is called in the table."""
        compilers = {"C program": "cc", "C program of musl-gcc": "musl-gcc"}
        return {what: self.compile(name, compiler) for what, compiler in compilers.items() if shutil.which(compiler)}

    def compile(self, name, compiler):
        """A C program of this directory, static if the compiler can."""
        program = self.folder / f"{compiler}-{name}"
        command = [compiler, "-O2", "-o", program, HERE / f"{name}.c"]
        if subprocess.run([*command, "-static"], capture_output=True).returncode:
            print(f"bench: {compiler} cannot link {name}.c statically")
            subprocess.run(command, check=True)
        return program

    def environment(self, env):
        """Nothing of the caller's settings but the path to programs."""
        return {"PATH": os.environ["PATH"], "HOME": self.home, "OPENAI_API_KEY": "sk-standin",
                "OPENAI_BASE_URL": f"{self.standin.url}/v1", **dict(env)}

    def run(self, command, env=(), times=1, stdin="/dev/null", stdout="/dev/null", serving=()):
        """What a command takes, per run. `serving` are the arguments of measure.c with which it is the service."""
        descriptors = [int(serving[1])] if serving else []
        with tempfile.TemporaryFile() as errors:
            measured = subprocess.run([self.measure, "-n", str(times), "-i", stdin, "-o", stdout, *serving, *command],
                                      env=self.environment(env), cwd=self.work, stdout=subprocess.PIPE, stderr=errors,
                                      pass_fds=descriptors, timeout=LONGEST)
            if measured.returncode:
                errors.seek(0)
                shown = " ".join(str(word)[:60] for word in command[:8])
                sys.exit(f"bench: {shown}: {errors.read().decode(errors='replace')[-1000:]}")
        found = json.loads(measured.stdout)
        wall, user, system = (found[key] / 1e9 / times for key in ("wall", "user", "system"))
        return Result(wall, user + system, found["switches"] / times, found["memory"], found["request"] / 1e9,
                      [taken / 1e9 for taken in found["latencies"]])

    def expect(self, wanted, command, env=(), **more):
        """Ends the program unless the output of a command, in a run that is not measured, has this text."""
        printed = self.folder / "printed"
        self.run(command, env, stdout=printed, **more)
        if wanted.encode() not in printed.read_bytes():
            sys.exit(f"bench: {command[0].name}: {wanted[:40]!r} is not printed")

    def codex(self, build, *arguments, env=(), **more):
        """What `codex run` takes with these arguments, against the stand-in."""
        return self.run(self.command(*arguments, build=build), env, **more)

    def command(self, *arguments, build=None):
        """The command of a build, or of any."""
        return [self.builds[build or next(iter(self.builds))], "run", "--no-stdin", "-m", MODEL, *arguments]

    def ask(self, build, prompt, *flags, **more):
        """The same without tools."""
        return self.codex(build, "--no-tools", *flags, prompt, **more)

    def served(self, stream, pause, command):
        """What a run takes whose only request measure.c answers itself. `command` makes the command and its environment
        from the URL of that service. The pause between events is in microseconds."""
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            made, env = command(url)
            serving = ["-l", str(listener.fileno()), "-s", stream, "-p", str(pause)]
            return self.run(made, env, serving=serving)

    def sampled(self, build, url, line, counts, *arguments):
        """The processor time of a run at another service, in seconds, once its session file has this many lines with this
        text: by count."""
        home = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        command = self.command(*arguments, build=build)
        env = self.environment({"HOME": home, "OPENAI_BASE_URL": f"{url}/v1"})
        seen, count, file = {}, 0, None
        with subprocess.Popen(command, env=env, cwd=self.work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            while len(seen) < len(counts) and run.poll() is None:
                if not file:
                    file = next((path.open("rb") for path in home.rglob("*.jsonl")), None)
                count += file.read().count(line.encode()) if file else 0
                for wanted in counts:
                    if count >= wanted and wanted not in seen:
                        # User and system time, of itself and of the children that it has waited for: proc_pid_stat(5).
                        fields = pathlib.Path(f"/proc/{run.pid}/stat").read_text().rpartition(")")[2].split()
                        seen[wanted] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
                time.sleep(0.01)
        if run.returncode or len(seen) < len(counts):
            sys.exit(f"bench: a long run ended after {count} calls with {run.returncode}")
        return seen

    def body(self, prompt):
        """The body of the request that `codex run --no-tools` sends with this prompt, as a file."""
        path = self.folder / f"{prompt}.json"
        if not path.exists():
            client = bench.Client("ours", self.command("--no-tools", prompt), {"OPENAI_API_KEY": "sk-standin"})
            path.write_text(bench.body(client))
        return path

    def curl(self, prompt, *flags, url=None):
        """The command of curl with the same request."""
        program = pathlib.Path(shutil.which("curl") or sys.exit("bench: curl is not installed"))
        return [program, "--silent", "--fail", *flags, "--header", "authorization: Bearer sk-standin", "--header",
                "content-type: application/json", "--header", "accept: text/event-stream", "--data-binary",
                f"@{self.body(prompt)}", f"{url or self.standin.url}/v1/responses"]

    def stream(self, prompt):
        """The events of the stand-in's answer, as a file."""
        path = self.folder / f"{prompt}.sse"
        if not path.exists():
            self.run(self.curl(prompt), stdout=path)
        return path

    def turns(self, candidates, rounds):
        """Runs every candidate once per turn, in a rotating order. Returns the results by name."""
        names, results = list(candidates), {name: [] for name in candidates}
        for turn in range(max(1, round(rounds * self.pairs))):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                results[name].append(candidates[name]())
        return results

    def each(self, candidate):
        """A candidate of each build, by its name."""
        return {build: (lambda build=build: candidate(build)) for build in self.builds}


def cpu(result):
    return result.cpu


def wall(result):
    return result.wall


def ratios(ours, others, measure):
    """The ratios of the pairs."""
    return [measure(mine) / measure(other) for mine, other in zip(ours, others)]


def against(results, other, measure, builds):
    """For each build, its ratios to another candidate, whose name may depend on the build."""
    name = other if callable(other) else lambda _: other
    return {build: ratios(results[build], results[name(build)], measure) for build in builds}


def shown(seconds):
    """A time for people."""
    for unit, factor in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def median_of(results, measure):
    return shown(statistics.median(map(measure, results)))
