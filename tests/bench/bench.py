#!/usr/bin/env python3
"""The benchmark: time, memory and size of `codex`, compared with curl and, if they are installed, two peers.

All clients talk to the stand-in service on this machine, so the comparison is about the work of the
clients and not the network. Candidates take turns, run by run, so that a noisy minute affects all of
them; the printed values are medians. Exit code 1 means that a goal was missed, or that a client did not
do its task. Linux only.

Two things the numbers depend on:
- A wall time includes starting the program and waiting for its end. What that costs for a program
  that does nothing is printed below the table.
- `ru_maxrss` survives exec, so a program that is started from here never seems smaller than
  Python. The runs whose memory counts are therefore started by a shell, which exits, and
  end as adopted children of this process (see `weighed`).
"""

import argparse
import collections
import ctypes
import html
import http.client
import json
import math
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from subprocess import DEVNULL, PIPE

SHORT = "say hello"
ANSWER = "You said: say hello"
DELTAS = 200_000
ROUNDS = 20
PR_SET_CHILD_SUBREAPER = 36  # prctl(2)

Row = collections.namedtuple("Row", "what ours beside value goal verdict")
Client = collections.namedtuple("Client", "name command env")


class Standin:
    """The stand-in service, for as long as the `with` block lasts."""

    def __init__(self, program, folder):
        self.log = folder / "standin.jsonl"
        command = [program, "--port", "0", "--until-eof", "--log", self.log]
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


def curl(beside):
    """curl with exactly the body that this client of ours would send."""
    command = [*beside.command[:2], "--dry-run", *beside.command[2:]]
    start = '  "body": '
    lines = output(beside._replace(command=command)).decode().splitlines()
    body = next(line.removeprefix(start) for line in lines if line.startswith(start))
    command = [shutil.which("curl") or sys.exit("bench: curl is not installed"), "--silent", "--fail"]
    command += ["--header", "authorization: Bearer sk-standin"]
    command += ["--header", "content-type: application/json", "--header", "accept: text/event-stream"]
    command += ["--data-binary", body, beside.env["OPENAI_BASE_URL"] + "/responses"]
    return Client("curl", command, {})


def peers(folder, url):
    """The other clients that are installed here; a line is printed for each missing one."""
    if folder is None or not shutil.which("node"):
        print("no --peers, or no node to run them: the peers are left out")
        return []
    known = {"@openai/codex": official, "@earendil-works/pi-coding-agent": pi}
    found = []
    for number, (package, client) in enumerate(known.items()):
        manifest = folder / "node_modules" / package / "package.json"
        if not manifest.exists():
            print(f"{package} is not installed: left out")
            continue
        # A separate home for each: the official client, for one, reads the auth.json that the other writes,
        # and then takes more than a second longer.
        home = pathlib.Path.cwd() / f"peer{number}"
        home.mkdir()
        name = f"{package} {json.loads(manifest.read_text())['version']}"
        found.append(client(name, folder / "node_modules/.bin", home, url))
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


def most(what, mib, beside, goal):
    """A row of a size in MiB, which must be at most the goal."""
    size = f"{mib:.1f} MiB"
    return Row(what, size, beside, size, f"at most {goal} MiB", verdict(mib <= goal))


def short_answer(program, standin, others):
    """A short answer compared with curl, and with each peer in separate rounds, which are fewer."""
    mine = ours(program, standin.url, "--no-tools", SHORT)
    other = curl(mine)
    nothing = Client("nothing", [shutil.which("true")], {})
    same_text(mine, other)
    times = medians(alternate(timed, [mine, other, nothing], 60))
    rows = [ratio("short answer, wall time", times["ours"], times["curl"], "curl", 0.6)]
    bars = [("ours", times["ours"]), ("curl", times["curl"])]
    for client in others:
        if ANSWER not in output(client).decode():
            sys.exit(f"bench: {client.name} did not print the answer")
    slow = medians(alternate(timed, [mine, *others], 5)) if others else {}
    for client in others:
        rows.append(ratio("short answer, wall time", slow["ours"], slow[client.name], client.name))
        bars.append((client.name, slow[client.name]))
    return rows, bars, times["nothing"]


def long_answer(program, standin):
    """A stream of many deltas: its processor time and memory, compared with curl."""
    mine = ours(program, standin.url, "--no-tools", directive([{"deltas": DELTAS}]))
    other = curl(mine)
    same_text(mine, other)
    results = alternate(weighed, [mine, other], 15)
    cpu = medians({name: [run[0] for run in runs] for name, runs in results.items()})
    memory = medians({name: [run[1] for run in runs] for name, runs in results.items()})
    what = f"{DELTAS:,} deltas"
    rows = [
        ratio(f"{what}, processor time", cpu["ours"], cpu["curl"], "curl", 4),
        most(f"{what}, peak memory", memory["ours"], f"curl {memory['curl']:.1f} MiB", 24),
    ]
    return rows, list(cpu.items()), list(memory.items())


def tool_loop(program, standin):
    """Rounds of one tool call each and then an answer: the wall time, and the number of connections."""
    call = {"call": {"name": "bash", "arguments": {"command": "true"}}}
    prompt = directive([{"items": [call]}] * ROUNDS + [{"items": [{"text": "done"}]}])
    mine = ours(program, standin.url, "-s", "danger-full-access", prompt)
    if output(mine) != b"done\n":
        sys.exit("bench: the tool loop did not end with its answer")
    times, connections = [], set()
    for _ in range(15):
        before = standin.next_connection()
        times.append(timed(mine))
        connections.add(standin.next_connection() - before - 1)
    wall = statistics.median(times)
    what = f"{ROUNDS} tool rounds"
    seen = " or ".join(map(str, sorted(connections)))
    return [
        Row(f"{what}, wall time", f"{wall:.1f} ms", "", f"{wall / ROUNDS:.1f} ms each", "", ""),
        Row(f"{what}, connections", seen, "", seen, "exactly 1", verdict(connections == {1})),
    ], wall


def table(rows):
    """The rows as text, in aligned columns."""
    rows = [Row("what", "ours", "beside", "ratio or value", "goal", ""), *rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def plot(panels):
    """An SVG of horizontal bars. A panel is a title, a unit and bars; panels of one unit share one
    logarithmic axis, so that lengths can be compared between them."""
    left, width, parts, y = 330, 420, [], 68
    parts.append('<text x="16" y="30" font-size="16">Medians on a logarithmic scale; shorter is better</text>')
    for title, unit, bars in panels:
        shared = [math.log10(value) for _, other, all_bars in panels if other == unit for _, value in all_bars]
        low = math.floor(min(shared))
        high = max(math.ceil(max(shared)), low + 1)
        scale = width / (high - low)
        parts.append(f'<text x="16" y="{y}" font-weight="bold">{html.escape(title)}</text>')
        top, bottom = y + 12, y + 16 + 28 * len(bars)
        for power in range(low, high + 1):
            x = left + (power - low) * scale
            parts.append(f'<path d="M{x:.1f} {top}V{bottom}" stroke="#ccc"/>')
            tick = f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle" fill="#555">'
            parts.append(f"{tick}{10.0**power:g} {unit}</text>")
        for number, (name, value) in enumerate(bars):
            row = y + 20 + 28 * number
            length = (math.log10(value) - low) * scale
            fill = "#2563a8" if name.startswith("ours") else "#a9b4c0"
            parts.append(f'<rect x="{left}" y="{row}" width="{length:.1f}" height="20" fill="{fill}"/>')
            parts.append(f'<text x="{left - 8}" y="{row + 15}" text-anchor="end">{html.escape(name)}</text>')
            halo = 'stroke="#fff" stroke-width="5" paint-order="stroke"'
            parts.append(f'<text x="{left + length + 6:.1f}" y="{row + 15}" {halo}>{value:.3g} {unit}</text>')
        y = bottom + 58
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 {y - 24}" '
    head += 'font-family="sans-serif" font-size="14">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="#fff"/>', *parts, "</svg>\n"])


def main():
    parser = argparse.ArgumentParser(description="Measures codex beside curl and, if they are there, two peers.")
    parser.add_argument("--codex", required=True, type=pathlib.Path, help="a release build of codex")
    parser.add_argument("--standin", required=True, type=pathlib.Path, help="a release build of the stand-in service")
    parser.add_argument("--peers", type=pathlib.Path, help="a directory with node_modules that hold the peers")
    parser.add_argument("--plot", type=pathlib.Path, help="write the medians as an SVG to this file")
    args = parser.parse_args()
    program, standin_program = args.codex.resolve(), args.standin.resolve()
    folder, chart = args.peers and args.peers.resolve(), args.plot and args.plot.resolve()
    temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with temporary as home, Standin(standin_program, pathlib.Path(home)) as standin:
        os.chdir(home)
        others = peers(folder, standin.url)
        short, short_bars, nothing = short_answer(program, standin, others)
        long, cpu_bars, memory_bars = long_answer(program, standin)
        loop, wall = tool_loop(program, standin)
        os.chdir("/")
    size = most("size of the binary", program.stat().st_size / 2**20, "", 5)
    rows = [short[0], *long, *loop, size, *short[1:]]
    print(table(rows))
    print(f"every wall time includes {nothing:.1f} ms: starting a program that does nothing, and waiting for its end")
    if chart:
        loop_bars = [(f"ours, {ROUNDS} tool rounds", wall)]
        panels = [("Short answer: wall time", "ms", short_bars), ("Tool loop: wall time", "ms", loop_bars)]
        panels += [(f"{DELTAS:,} deltas: processor time", "ms", cpu_bars)]
        panels += [(f"{DELTAS:,} deltas: peak memory", "MiB", memory_bars)]
        chart.write_text(plot(panels))
    return int(any(row.verdict == "missed" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
