#!/usr/bin/env python3
"""The figures of the README's comparison: this client, curl, the official client, pi and llm at the same task against the
stand-in service, in turns. Prints ratios to this client, sizes, and the exit code of each client for each failure.

`--peers` is a directory with node_modules (@openai/codex, @earendil-works/pi-coding-agent) and a virtual environment `llm`;
what is missing is left out. Times are processor times, which other programs on the machine disturb less than wall times.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import bench

DELTAS = 50_000
FAILURES = {
    "cut off": [{"items": [{"text": "This answer is cut in the"}], "ends": "none"}],
    "capped": [{"items": [{"text": "This answer is capped"}], "ends": "incomplete:max_output_tokens"}],
    "usage limit": [{"status": 429, "body": {"error": {
        "type": "insufficient_quota", "code": "insufficient_quota", "message": "You exceeded your current quota"}}}],
    "overloaded": [{"status": 503, "body": {"error": {"message": "overloaded", "type": "server_error"}}}],
}
DEADLINE = 120  # seconds for a client that retries


def llm(folder, url):
    """llm of PyPI, with a model of the Responses API."""
    program = folder / "llm/bin/llm"
    if not program.exists():
        return []
    home = pathlib.Path.cwd() / "llm"
    home.mkdir()
    model = {"model_id": "standin", "model_name": "gpt-5.5", "api_base": f"{url}/v1", "api_key_name": "standin", "responses": True}
    (home / "extra-openai-models.yaml").write_text(json.dumps([model]))  # JSON is YAML
    (home / "keys.json").write_text(json.dumps({"standin": "sk-standin"}))
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.split()[-1]
    return [bench.Client(f"llm {version}", [program, "-m", "standin", bench.SHORT], {"LLM_USER_PATH": home})]


def clients(program, folder, url):
    """Each client as a function of the prompt."""
    mine = bench.ours(program, url, bench.SHORT)
    others = [*bench.peers(folder, url), *(llm(folder, url) if folder else [])]
    made = {client.name: lambda prompt, client=client: client._replace(command=[*client.command[:-1], prompt])
            for client in [mine, *others]}
    made["curl"] = lambda prompt: bench.curl(made["ours"](prompt))._replace(name="curl")
    return made


def failure(client):
    """The exit code."""
    try:
        done = subprocess.run(client.command, env=bench.environment(client), stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        return f"none in {DEADLINE} s"
    return str(done.returncode)


def table(what, results, form):
    """A row for each client, with the ratio to ours."""
    print(what)
    values = bench.medians(results)
    for name, value in values.items():
        print(f"  {name:42} {form.format(value):>12}  {value / values['ours']:.3g}")


def figures(made, rounds):
    """Prints times and memory for a short answer and for a long one."""
    short = [client(bench.SHORT) for client in made.values()]
    for client in short:
        if b"You said" not in bench.output(client):
            sys.exit(f"compare: {client.name} did not print the answer")
    table("short answer, wall time", bench.alternate(bench.timed, short, rounds), "{:.1f} ms")
    weighed = bench.alternate(bench.weighed, short, rounds)
    table("short answer, processor time", {n: [v[0] for v in runs] for n, runs in weighed.items()}, "{:.1f} ms")
    table("short answer, peak memory", {n: [v[1] for v in runs] for n, runs in weighed.items()}, "{:.1f} MiB")
    prompt = bench.directive([{"deltas": DELTAS}])
    long = bench.alternate(bench.weighed, [client(prompt) for client in made.values()], rounds)
    table(f"{DELTAS:,} deltas, processor time", {n: [v[0] for v in runs] for n, runs in long.items()}, "{:.0f} ms")
    table(f"{DELTAS:,} deltas, peak memory", {n: [v[1] for v in runs] for n, runs in long.items()}, "{:.1f} MiB")


def main():
    parser = argparse.ArgumentParser(description="Compares codex with other clients.")
    parser.add_argument("--codex", required=True, type=pathlib.Path, help="a release build of codex")
    parser.add_argument("--standin", required=True, type=pathlib.Path, help="a release build of the stand-in service")
    parser.add_argument("--peers", type=pathlib.Path, help="a directory with the other clients")
    parser.add_argument("--rounds", type=int, default=7, help="how often each client runs; 0 only looks at the exit codes")
    args = parser.parse_args()
    program, folder = args.codex.resolve(), args.peers and args.peers.resolve()
    standin_program = args.standin.resolve()
    print(time.strftime("%Y-%m-%d %H:%M"), "load", *os.getloadavg())
    temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with temporary as home, bench.Standin(standin_program, pathlib.Path(home)) as standin:
        os.chdir(home)
        made = clients(program, folder, standin.url)
        if args.rounds:
            figures(made, args.rounds)
        print("exit codes")
        for name, client in made.items():
            ends = [f"{what}: {failure(client(bench.directive(rounds * 20)))}" for what, rounds in FAILURES.items()]
            print(f"  {name:42} {'; '.join(ends)}", flush=True)
        os.chdir("/")


if __name__ == "__main__":
    main()
