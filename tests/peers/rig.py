#!/usr/bin/env python3
"""The requests of three clients to the service: the official one, pi and ours, side by side, field by field.

Each is run unmodified with its real host names. In a separate network and mount namespace these are 127.0.0.1,
where capture.mjs ends TLS with a temporary authority, records every request, and forwards it to the stand-in
service. Nothing leaves the machine. The clients are installed into --modules first, in the versions of versions.json,
or in the newest ones with PEERS_NEWEST=1; that needs npm and the network. Needs Linux, `unshare`, `mount` and openssl.

    python3 tests/peers/rig.py --codex target/debug/codex --standin target/debug/examples/standin --modules DIR

The output is a Markdown table of all differences. Each difference is intended and has a sentence in differences.py,
or it is new: then it is marked, and the exit code is 1. So it is if a known difference is no longer seen. --keep DIR
leaves the captured requests there; --draft prints new differences in the format of differences.py.
"""

import argparse
import base64
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
import authority
import clients
import differences
import fields
import packages
import peer
from signin import Server, leave_on_signals

NAMES = ("chatgpt.com", "auth.openai.com", "api.openai.com")
# Hosts that some clients contact for other purposes: they must fail to connect at once.
OTHERS = ("ab.chatgpt.com", "api.github.com", "github.com", "registry.npmjs.org", "pi.dev", "models.dev")
INSIDE = "--inside"
MODELS = re.compile(rb'\{\s*"models": \[')

# A conversation: the prompt, and how it is given. `after` is the scenario whose conversation is resumed.
SCENARIOS = [
    clients.Scenario("plain"),
    clients.Scenario("tool round", tool=True),
    clients.Scenario("resume", resume=True),
    clients.Scenario("other model", resume=True, model=clients.OTHER_MODEL),
    clients.Scenario("image", image=True),
    clients.Scenario("schema", schema=True),
    clients.Scenario("key", key=True),
    clients.Scenario("key, tool round", key=True, tool=True),
]


def enter():
    """Runs this program again in separate namespaces."""
    command = ["unshare", "--net", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    if subprocess.run([*command, "true"], capture_output=True).returncode:
        peer.skip("namespaces", "no namespace of its own can be made here")
        return 0
    return subprocess.run([*command, sys.executable, __file__, INSIDE, *sys.argv[1:]]).returncode


def isolate(folder):
    """Limits the network to this machine, with the services in it."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {' '.join(NAMES + OTHERS)}\n")
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)


def catalogue(program, folder):
    """The list of models inside the official program, which is the service's."""
    data = program.read_bytes()
    for found in MODELS.finditer(data):
        with contextlib.suppress(ValueError):
            text = data[found.start():found.start() + (4 << 20)].decode(errors="replace")
            models, _ = json.JSONDecoder().raw_decode(text)
            (folder / "models.json").write_text(json.dumps(models))
            return folder / "models.json"
    raise RuntimeError(f"there is no list of models in {program}")


class Log:
    """The captured requests."""

    def __init__(self, path):
        self.path, self.read = path, 0
        path.touch()

    def new(self):
        """The requests since the last call."""
        lines = self.path.read_text().splitlines()
        new, self.read = lines[self.read:], len(lines)
        return [json.loads(line) for line in new]


def approve(standin):
    """Follows an address like a browser whose user presses Allow; returns the query of the address."""
    def follow(address):
        split = urllib.parse.urlsplit(address)
        with urllib.request.urlopen(f"{standin}{split.path}?{split.query}", timeout=peer.PATIENCE) as page:
            page.read()
        return split.query
    return follow


def capture(tried, log, follow):
    """The requests of this client, by scenario: as fields, and as captured; and whether something failed."""
    asked = {"login": tried.login(follow)}
    seen = {"login": log.new()}
    failed = asked["login"] is None
    for scenario in SCENARIOS:
        if tried.lacks(scenario):
            continue
        result = tried.ask(scenario)
        seen[scenario.name] = log.new()
        if result.code:
            failed = True
            print(f"FAILED: {tried.name}, {scenario.name}: exit {result.code}", flush=True)
            print("".join(f"  | {line}\n" for line in (result.err + result.out).splitlines()[-8:]), flush=True)
    return {name: fields.of(requests, asked.get(name)) for name, requests in seen.items()}, seen, failed


def main():
    options = parse()
    leave_on_signals()
    modules = options.modules.resolve()
    if not options.inside:
        if not all([peer.installed(program) for program in ("unshare", "ip", "mount", "openssl")]):
            return 0
        if not packages.install(modules, packages.OFFICIAL, packages.PI, packages.NODE):
            return 0
        return enter()
    with tempfile.TemporaryDirectory(prefix="codex-rig-", dir="/var/tmp") as name:
        return inside(options, modules, pathlib.Path(name))


def inside(options, modules, folder):
    isolate(folder)
    made = authority.Authority(folder)
    root = made.root("root")
    made.issue("services", "root", *NAMES, *OTHERS)
    official, node = packages.official(modules), packages.node(modules)
    (folder / "image.png").write_bytes(base64.b64decode(clients.PICTURE))
    (folder / "schema.json").write_text(json.dumps(clients.SCHEMA))
    clients.streams(folder)
    standin = [options.standin.resolve(), "--until-eof", "--data", folder, "--log", folder / "standin.jsonl"]
    seen, raw, failed = {}, {}, False
    with Server(standin, folder / "standin") as service:
        log = Log(folder / "captured.jsonl")
        command = [node, pathlib.Path(__file__).with_name("capture.mjs"), "--chain", made.chain("services", "root"),
                   "--standin", service.url, "--log", log.path, "--models", catalogue(official, folder)]
        with Server(command, folder / "capture"):
            tried = [clients.Official(official, folder, root), clients.Pi(node, packages.pi(modules), folder, root),
                     clients.Ours(options.codex.resolve(), folder, root)]
            for client in tried:
                if not options.only or client.name in options.only.split(","):
                    seen[client.name], raw[client.name], broke = capture(client, log, approve(service.url))
                    failed |= broke
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        (options.keep / "captured.json").write_text(json.dumps(raw, indent=1))
        (options.keep / "fields.json").write_text(json.dumps(seen, indent=1))
    return max(judge(seen, options), int(failed))


def judge(seen, options):
    """Prints the table; returns 1 if a difference is unknown, or a known one was not seen."""
    rows = differences.found(seen)
    print("| in | field | official | pi | ours | why |\n|---|---|---|---|---|---|")
    for row in rows:
        cells = [differences.shown(row.values.get(name)) for name in differences.CLIENTS]
        cells = [", ".join(row.scenarios), f"`{row.field}`", *cells, row.why or "**new**"]
        print(f"| {' | '.join(cells)} |", flush=True)
    new = [row for row in rows if not row.why]
    gone = differences.gone(rows) if set(seen) == set(differences.CLIENTS) else []
    print(f"\n{len(rows)} differences, {len(new)} of them new; {len(gone)} known ones are not seen any more")
    for known in gone:
        print(f"FAILED: not seen any more: {known}")
    if options.draft:
        differences.draft(new)
    return 1 if new or gone else 0


def parse():
    parser = argparse.ArgumentParser(description="Compares what the clients send.")
    parser.add_argument("--codex", type=pathlib.Path, required=True, help="the command to test")
    parser.add_argument("--standin", type=pathlib.Path, required=True, help="the stand-in service")
    parser.add_argument("--modules", type=pathlib.Path, required=True, help="where they are installed, or will be")
    parser.add_argument("--only", help="only these clients: official,pi,ours")
    parser.add_argument("--keep", type=pathlib.Path, help="leave what was captured below this directory")
    parser.add_argument("--draft", action="store_true", help="print what is new as differences.py would have it")
    parser.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
