#!/usr/bin/env python3
"""Long conversations: 1,000 rounds of calls with a window of 50,000 tokens, by the service, by summary, and through LiteLLM; and
the requests of the official client and of ours around a compaction, side by side.

    python3 tests/peers/compaction.py --codex target/debug/codex --standin target/debug/examples/standin \
        [--official DIR/node_modules/.bin/codex] [--venv DIR] [--rounds N]

Every check is a line, `ok: ...` or `FAILED: ...`. Exit code 1: one of them failed.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import peer
from litellm import LiteLLM, installed
from signin import Server, leave_on_signals

WINDOW = 50_000  # tokens
MODEL = "gpt-5.5"
SLOW = 3000  # seconds for a run
COMMAND = "head -c 4000 /dev/zero | tr '\\0' x"


def rounds(count, name, arguments):
    """A script: this many calls, and an answer."""
    calls = [{"items": [{"reasoning": "hm"}, {"call": {"name": name, "arguments": arguments}}]}] * count
    return {"otherwise": {"rounds": [*calls, {"items": [{"text": "All done."}]}]}}


def kind(item):
    return item["type"] + (f"/{item['role']}" if item.get("role") else "")


class Service:
    """The stand-in with a script, and the bodies that it has got."""

    def __init__(self, program, folder, script, *flags):
        folder.mkdir()
        (folder / "script.json").write_text(json.dumps(script))
        self.log = folder / "requests"
        command = [program.resolve(), "--port", "0", "--script", folder / "script.json", "--log", self.log, "--until-eof",
                   "--counted", "--window", str(WINDOW), *flags]
        self.server = Server(command, folder / "log")

    def __enter__(self):
        self.url = self.server.__enter__().url
        return self

    def __exit__(self, *why):
        return self.server.__exit__(*why)

    def bodies(self):
        lines = (json.loads(line) for line in self.log.read_text().splitlines())
        asked = (line["request"] for line in lines if "request" in line)
        return [request["body"] for request in asked if request["path"].split("?")[0].endswith("/responses")
                and request["method"] == "POST"]


def ours(codex, folder, token, url, *flags):
    """The command of ours, signed in with a token."""
    home = folder / "home"
    home.mkdir(parents=True)
    (home / "models.json").write_text(json.dumps({"providers": {"openai-codex": {"modelOverrides": {
        MODEL: {"contextWindow": WINDOW}}}}}))
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "CODEX_RUN_HOME": str(home), "CODEX_ACCESS_TOKEN": token,
           "CODEX_RUN_BASE_URL": f"{url}/backend-api/codex", "CODEX_RUN_ISSUER": url}
    command = [codex.resolve(), "run", "--no-stdin", "-m", MODEL, "-s", "danger-full-access", "--max-turns", "2000",
               *flags]
    return command, env


def ran(command, env, folder):
    begun = time.monotonic()
    done = subprocess.run(command, env=env, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SLOW)
    return done, time.monotonic() - begun


def long_run(options, checks, folder, token, how, *flags):
    """1,000 rounds of calls end with 0."""
    script = rounds(options.rounds, "bash", {"command": COMMAND})
    with Service(options.standin, folder / how, script, *flags) as service:
        command, env = ours(options.codex, folder / how / "ours", token, service.url, "--json", "do it")
        result = ran(command, env, folder)
        judge(options, checks, how, how, result, service.bodies())


def through_litellm(options, checks, folder, program):
    """The same with a key through LiteLLM, which is asked for summaries."""
    script = rounds(options.rounds, "bash", {"command": COMMAND})
    with Service(options.standin, folder / "behind", script) as service:
        behind = {"standin": service.url, "chat": service.url, "refused": "sk-no", "nobody": peer.free_port()}
        with LiteLLM(program, folder / "litellm", **behind) as proxy:
            limit = str(WINDOW * 9 // 10)
            flags = ("--json", "-m", "through", "--compact", limit, "do it")
            command, env = ours(options.codex, folder / "behind" / "ours", "", "http://127.0.0.1:9", *flags)
            del env["CODEX_ACCESS_TOKEN"]
            env |= {"CODEX_API_KEY": peer.KEY, "OPENAI_BASE_URL": f"{proxy.url}/v1"}
            result = ran(command, env, folder)
        judge(options, checks, "LiteLLM", "summary", result, service.bodies())


def judge(options, checks, name, how, result, bodies):
    """Every call ran once, and the run ended with 0."""
    done, took = result
    events = [json.loads(line) for line in done.stdout.splitlines()]
    compacted = [event for event in events if event["type"] == "compacted"]
    calls = sum(event["type"] == "item.completed" and event["item"]["type"] == "command_execution" for event in events)
    checks.that(f"{name}: {options.rounds} rounds end with 0", done.returncode == 0, done.returncode, done.stderr[-800:])
    checks.that(f"{name}: every call ran once", calls == options.rounds, calls)
    checks.that(f"{name}: every compaction was by {how}", compacted and {event["how"] for event in compacted} == {how},
                compacted[:3])
    largest = max(len(json.dumps(body["input"])) // 4 for body in bodies)
    before = [event["tokens_before"] for event in compacted] or [0]
    print(f"note: {name}: {len(bodies)} requests, {len(compacted)} compactions at {min(before)} to {max(before)} tokens, "
          f"the largest input about {largest} tokens, {took:.0f} s")


def official(options, folder, url, *flags):
    """The command of the official client."""
    home = folder / "home"
    home.mkdir(parents=True)
    # With a sign-in it accepts only an https address. With a key it asks the service in the same way.
    (home / "auth.json").write_text(json.dumps({"auth_mode": "apikey", "OPENAI_API_KEY": peer.KEY}))
    (home / "config.toml").write_text(f'model = "{MODEL}"\nopenai_base_url = "{url}/v1"\n'
                                      f'model_context_window = {WINDOW}\n'
                                      f'model_auto_compact_token_limit = {WINDOW * 9 // 10}\n')
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "CODEX_HOME": str(home)}
    return [options.official.resolve(), "exec", "--json", "--skip-git-repo-check", "-s", "danger-full-access", *flags], env


def side_by_side(options, checks, folder, token):
    """Both clients with the same service: the same trigger, and the same kinds of items after it."""
    seen = {}
    for name, call in (("official", ("exec_command", {"cmd": COMMAND.replace("4000", "16000")})),
                       ("ours", ("bash", {"command": COMMAND.replace("4000", "16000")}))):
        with Service(options.standin, folder / f"{name}-pair", rounds(24, *call)) as service:
            place = folder / f"{name}-pair" / "client"
            if name == "official":
                command, env = official(options, place, service.url, "do it")
            else:
                command, env = ours(options.codex, place, token, service.url, "do it")
            done, _ = ran(command, env, folder)
            seen[name] = service.bodies()
        checks.that(f"{name}: the run ends with 0", done.returncode == 0, done.stderr[-1500:], done.stdout[-1500:])
        for number, body in enumerate(seen[name]):
            kinds = [kind(item) for item in body["input"]]
            if kinds[-1] == "compaction_trigger" or "compaction" in kinds:
                shown = ", ".join(kinds if len(kinds) < 12 else [*kinds[:6], f"... {len(kinds) - 10} more ...", *kinds[-4:]])
                print(f"note: {name}: request {number + 1}: {shown}")
                if kinds[-1] == "compaction_trigger":
                    print(f"note: {name}: trigger {json.dumps(body['input'][-1])}, tools {len(body.get('tools') or [])}, "
                          f"same head: {head(body) == head(seen[name][number - 1])}")
    triggers = {name: [body["input"][-1] for body in bodies if kind(body["input"][-1]) == "compaction_trigger"]
                for name, bodies in seen.items()}
    checks.that("the triggers are the same", triggers["official"][:1] == triggers["ours"][:1] != [], triggers)


def head(body):
    return {name: value for name, value in body.items() if name not in ("input", "client_metadata", "metadata")}


def main():
    parser = argparse.ArgumentParser(description="Runs conversations that are longer than the window.")
    parser.add_argument("--codex", type=pathlib.Path, required=True, help="the command to test")
    parser.add_argument("--standin", type=pathlib.Path, required=True, help="the stand-in service")
    parser.add_argument("--official", type=pathlib.Path, help="the official program")
    parser.add_argument("--venv", type=pathlib.Path, help="where LiteLLM is, or is to be installed")
    parser.add_argument("--rounds", type=int, default=1000, help="rounds of calls")
    options = parser.parse_args()
    leave_on_signals()
    checks = peer.Checks()
    command = [options.standin.resolve(), "--print-token"]
    token = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    with tempfile.TemporaryDirectory(prefix="codex-compaction-") as name:
        folder = pathlib.Path(name)
        if options.official and options.official.exists():
            side_by_side(options, checks, folder, token)
        if options.rounds:
            long_run(options, checks, folder, token, "service")
            long_run(options, checks, folder, token, "summary", "--no-trigger")
        if options.rounds and options.venv and (program := installed(options.venv)):
            through_litellm(options, checks, folder, program)
    checks.leave()


if __name__ == "__main__":
    main()
