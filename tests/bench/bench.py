"""What the benchmarks share: the stand-in service, the clients, and how a run is measured. `rows.py` has what
`make bench` measures.

All clients talk to the stand-in service on this machine, so a comparison is about the work of the clients and not the
network. They take turns, run by run, so that a noisy minute affects all of them. Linux only.

Two things the numbers of `timed` and `weighed` depend on:
- A wall time includes starting the program and waiting for its end.
- `ru_maxrss` survives exec, so a program that is started from here never seems smaller than Python. The runs whose
  memory counts are therefore started by a shell, which exits, and end as adopted children of this process.
"""

import collections
import ctypes
import http.client
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import time
from subprocess import DEVNULL, PIPE

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "peers"))
import packages

SHORT = "say hello"
PR_SET_CHILD_SUBREAPER = 36  # prctl(2)

Row = collections.namedtuple("Row", "what ours beside value goal verdict")
Client = collections.namedtuple("Client", "name command env")


class Standin:
    """The stand-in service, for as long as the `with` block lasts."""

    def __init__(self, program, folder, script=None, is_logged=True):
        self.program, self.script, self.log = program, folder / "script.json", folder / "standin.jsonl"
        command = [program, "--port", "0", "--until-eof"]
        if is_logged:
            command += ["--log", self.log]
        if script:
            self.script.write_text(json.dumps(script))
            command += ["--script", self.script]
        self.process = subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            sys.exit("bench: the stand-in did not start")
        self.url = line.removeprefix("listening on ").strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()  # closes its standard input, which ends it

    def next_connection(self):
        """Makes a request and returns the number of its connection. The stand-in counts what it accepts,
        so the numbers in between are the connections of others, including those without a request."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"))
        connection.request("GET", "/v1/models", headers={"authorization": "Bearer sk-standin"})
        connection.getresponse().read()
        connection.close()
        requests = [json.loads(line) for line in self.log.open() if line.startswith('{"request"')]
        return requests[-1]["request"]["connection"]


def directive(rounds):
    """A prompt that contains the stand-in's answer."""
    return "Go.\nstandin: " + json.dumps({"rounds": rounds})


def ours(program, url, *arguments):
    """Our own client, with a key and without tools, unless the arguments ask for them."""
    env = {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "sk-standin"}
    return Client("ours", [program, "run", "--no-stdin", *arguments], env)


def body(client):
    """The body of the request that this client of ours would send."""
    command = [*client.command[:2], "--dry-run", *client.command[2:]]
    start = '  "body": '
    lines = output(client._replace(command=command)).decode().splitlines()
    return next(line.removeprefix(start) for line in lines if line.startswith(start))


def curl(beside):
    """curl with exactly the body that this client of ours would send."""
    command = [shutil.which("curl") or sys.exit("bench: curl is not installed"), "--silent", "--fail"]
    command += ["--header", "authorization: Bearer sk-standin"]
    command += ["--header", "content-type: application/json", "--header", "accept: text/event-stream"]
    command += ["--data-binary", body(beside), beside.env["OPENAI_BASE_URL"] + "/responses"]
    return Client("curl", command, {})


def peers(folder, url):
    """The other clients that are installed in this folder, as npm or `make test-peers` does; a line is printed for each
    missing one. Node is the one that is installed there, or the one on the path."""
    if folder is None:
        print("skipped: the official client and pi, without --peers")
        return []
    modules, found = folder / "node_modules", []
    node = packages.node(folder) or shutil.which("node")
    programs = {
        packages.OFFICIAL: (packages.official(folder), official, f"codex-{packages.target()}"),
        packages.PI: (node and packages.pi(folder), pi, "pi-coding-agent"),
    }
    for number, (package, (program, client, manifest)) in enumerate(programs.items()):
        if not program:
            print(f"skipped: {package} is not installed in {folder}, or no node to run it")
            continue
        # A separate home for each: the official client, for one, reads the auth.json that the other writes,
        # and then takes more than a second longer.
        home = pathlib.Path.cwd() / f"peer{number}"
        home.mkdir()
        version = json.loads((modules / package.split("/")[0] / manifest / "package.json").read_text())["version"]
        made = client(f"{package} {version.split('-')[0]}", program.parent, home, url)
        command = [node, program] if client is pi else [program]
        found.append(made._replace(command=[*command, *made.command[1:]]))
    return found


def official(name, programs, home, url):
    """The official client, configured for the stand-in and without update checks."""
    (home / "config.toml").write_text(
        'model = "gpt-5.5"\nmodel_provider = "standin"\ncheck_for_update_on_startup = false\n'
        "[analytics]\nenabled = false\n"
        f'[model_providers.standin]\nname = "standin"\nbase_url = "{url}/v1"\n'
        'wire_api = "responses"\nenv_key = "STANDIN_KEY"\n'
    )
    env = {"HOME": home, "CODEX_HOME": home, "STANDIN_KEY": "sk-standin"}
    return Client(name, [programs / "codex", "exec", "--skip-git-repo-check", SHORT], env)


def pi(name, programs, home, url):
    """pi, likewise."""
    free = dict.fromkeys(("input", "output", "cacheRead", "cacheWrite"), 0)
    model = {"id": "gpt-5.5", "name": "gpt-5.5", "reasoning": True, "input": ["text"], "cost": free}
    model |= {"contextWindow": 272_000, "maxTokens": 128_000}
    provider = {"baseUrl": f"{url}/v1", "apiKey": "sk-standin", "api": "openai-responses", "models": [model]}
    (home / "models.json").write_text(json.dumps({"providers": {"standin": provider}}))
    env = {"HOME": home, "PI_CODING_AGENT_DIR": home, "PI_OFFLINE": "1", "PI_TELEMETRY": "0"}
    return Client(name, [programs / "pi", "-p", "--provider", "standin", "--model", "gpt-5.5", SHORT], env)


def environment(client):
    """Nothing of the caller's settings: a separate home, the path to programs, what the client needs."""
    return {"PATH": os.environ["PATH"], "HOME": os.getcwd(), **client.env}


def output(client):
    """The output of a client in a run that is not measured: all of them have to do the task."""
    end = subprocess.run(client.command, env=environment(client), stdin=DEVNULL, capture_output=True)
    if end.returncode != 0:
        sys.exit(f"bench: {client.name} failed: {end.stderr.decode(errors='replace')[-1000:]}")
    return end.stdout


def same_text(mine, other):
    """Fails unless our client prints exactly the text that is in the stream curl gets."""
    events = (json.loads(line[6:]) for line in output(other).splitlines() if line.startswith(b"data: {"))
    text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    if not text or output(mine).decode().rstrip("\n") != text.rstrip("\n"):
        sys.exit("bench: our output is not the text of the stream")


def timed(client):
    """Runs a client to its end; its wall time in milliseconds."""
    devices = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
    devices += [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_WRONLY, 0) for fd in (1, 2)]
    start = time.perf_counter()
    options = {"file_actions": devices, "setsigdef": [signal.SIGPIPE]}  # Python ignores it, and that is inherited
    pid = os.posix_spawn(client.command[0], client.command, environment(client), **options)
    status = os.wait4(pid, 0)[1]
    end = time.perf_counter()
    if status != 0:
        sys.exit(f"bench: a run of {client.name} failed")
    return (end - start) * 1e3


def weighed(client):
    """Runs a client to its end; its processor time in milliseconds, and its peak memory in MiB.

    The shell in between is smaller than any client, and it is gone before the client ends.
    """
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    shell = ["/bin/sh", "-c", '"$@" >/dev/null 2>&1 & echo $!', "sh", *client.command]
    pid = int(subprocess.run(shell, env=environment(client), stdout=PIPE, check=True).stdout)
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f"bench: a run of {client.name} failed")
    return (usage.ru_utime + usage.ru_stime) * 1e3, usage.ru_maxrss / 1024


def alternate(measure, clients, rounds):
    """Measures every client once per round, in a rotating order; returns the results by name."""
    results = {client.name: [] for client in clients}
    for turn in range(rounds):
        first = turn % len(clients)
        for client in clients[first:] + clients[:first]:
            results[client.name].append(measure(client))
    return results


def medians(results):
    return {name: statistics.median(values) for name, values in results.items()}


def verdict(met):
    return "met" if met else "missed"


def ratio(what, ours, beside, name, goal=None):
    """A row of two times in milliseconds; the ratio must be at most the goal, if there is one."""
    value = ours / beside
    judged = (f"at most {goal}", verdict(value <= goal)) if goal else ("", "")
    return Row(what, f"{ours:.1f} ms", f"{name} {beside:.1f} ms", f"{value:.3g}", *judged)


def table(rows):
    """The rows as text, in aligned columns."""
    rows = [Row("what", "ours", "beside", "ratio or value", "goal", ""), *rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
