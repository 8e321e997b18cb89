#!/usr/bin/env python3
"""The JSON lines of `codex`, side by side with those of the official `codex exec --json`.

The stand-in service leads both programs through the same conversations; each is asked to call its own tools. Their
output is read by a consumer that knows only the official events: it is strict about what it knows, and skips what
it does not. Anything that would break it, or lead it to a different result, is a failure.

    python3 tests/peers/events.py --codex target/debug/codex --standin target/debug/examples/standin --spelling run
        --official DIR/node_modules/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex

Without --official ours is only read, not compared; without --codex the official one. `--spelling official` compares
--codex, a different official program, which tests the test itself. The output is a Markdown table of all events, then
a line for each problem. Exit code 1: there is one.
"""

import argparse
import asyncio
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

sys.dont_write_bytecode = True
from peer import KEY, text
from relay import Plain, copy
from signin import Server, leave_on_signals, soon

MODEL = "gpt-5.5"
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
CUT_AFTER = 1200  # bytes of an answer: its head and its first events
SLOW = 60  # seconds for a run, in which the official one may try again five times

# The result of a run: its events, and lines that are not events.
Seen = namedtuple("Seen", "events broken code err out", defaults=("",))

# A conversation. `rounds` makes its rounds for a dialect; `flags` are in the official syntax; `signal` is sent once
# the events have `word`; `cut` ends the first answer early; `resume` continues the previous conversation.
Scenario = namedtuple("Scenario", "name rounds flags signal word cut resume", defaults=((), None, None, False, False))


class Official:
    """The names and arguments of the official client's tools."""

    name = "official"

    @staticmethod
    def shell(command):
        return {"call": {"name": "exec_command", "arguments": {"cmd": command}}}

    @staticmethod
    def change(what):
        # A call of a custom tool, which the stand-in makes only from a recorded stream.
        return {"sse": f"{what}.sse"}

    def __init__(self, program, folder):
        self.program, self.folder = program.resolve(), folder
        self.home = folder / "home"
        self.home.mkdir(parents=True)

    def start(self, base, cwd, flags, resume, **more):
        # Written again for each run, since the service may be at another port.
        (self.home / "config.toml").write_text(
            f'model = "{MODEL}"\nmodel_provider = "standin"\nmodel_reasoning_summary = "auto"\n'
            f'[model_providers.standin]\nname = "standin"\nbase_url = "{base}"\nwire_api = "responses"\n'
            'env_key = "STANDIN_KEY"\n'
        )
        command = [self.program, "exec", "--json", "--skip-git-repo-check", "-s", "danger-full-access", *flags]
        env = {"CODEX_HOME": str(self.home), "STANDIN_KEY": KEY}
        return self.spawn([*command, *(["resume", "--last"] if resume else [])], env, cwd, **more)

    def spawn(self, command, env, cwd, **more):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **env}
        return subprocess.Popen(command, env=env, cwd=cwd, start_new_session=True, **more)


class Ours(Official):
    """Ours, in either syntax."""

    name = "ours"

    @staticmethod
    def shell(command):
        return {"call": {"name": "bash", "arguments": {"command": command}}}

    @staticmethod
    def change(what):
        old = "old" if what == "update" else "missing"
        edits = [{"old_text": f"{old}\n", "new_text": "hello\n"}]
        calls = {
            "add": {"name": "write", "arguments": {"path": "new.txt", "content": "hello\n"}},
            "update": {"name": "edit", "arguments": {"path": "there.txt", "edits": edits}},
            "misfit": {"name": "edit", "arguments": {"path": "there.txt", "edits": edits}},
        }
        return {"items": [{"call": calls[what]}]}

    def __init__(self, program, folder, spelling):
        super().__init__(program, folder)
        self.spelling = spelling

    def start(self, base, cwd, flags, resume, **more):
        env = {"CODEX_RUN_HOME": str(self.home), "CODEX_API_KEY": KEY, "OPENAI_BASE_URL": base}
        command = [self.program, self.spelling, "--json", "-s", "danger-full-access", "--model", MODEL, *flags]
        if self.spelling == "exec":
            command += ["--skip-git-repo-check", "-c", 'model_reasoning_summary="auto"']
            command += ["resume", "--last"] if resume else []
        else:
            command += ["--summary", "auto", *(["--last"] if resume else [])]
        return self.spawn(command, env, cwd, **more)


class Cutting(Plain):
    """Forwards everything, but only the beginning of the first answer."""

    async def answer(self, reader, writer):
        self.taken += 1
        if self.taken > 1:
            return await self.join(reader, writer, "127.0.0.1", self.to)
        back, forth = await asyncio.open_connection("127.0.0.1", self.to)
        asked = asyncio.ensure_future(copy(reader, forth))
        with contextlib.suppress(asyncio.IncompleteReadError):
            writer.write(await back.readexactly(CUT_AFTER))
            await writer.drain()
        asked.cancel()
        forth.close()


PATCHES = {
    "add": "*** Add File: new.txt\n+hello\n",
    "update": "*** Update File: there.txt\n@@\n-old\n+hello\n",
    "misfit": "*** Update File: there.txt\n@@\n-missing\n+hello\n",
}


def streams(folder):
    """Answers that the stand-in does not make: a call of the official `apply_patch` for each change, and a search."""
    for number, (what, body) in enumerate(PATCHES.items(), 1):
        text = f"*** Begin Patch\n{body}*** End Patch\n"
        name = {"type": "custom_tool_call", "id": f"ctc_{number}", "call_id": f"call_{what}", "name": "apply_patch"}
        at = {"item_id": f"ctc_{number}", "output_index": 0}
        between = [("response.custom_tool_call_input.delta", {**at, "delta": text}),
                   ("response.custom_tool_call_input.done", {**at, "input": text})]
        call = {**name, "status": "completed", "input": text}
        (folder / f"{what}.sse").write_text(stream([({**name, "status": "in_progress", "input": ""}, between, call)]))
    search = {"type": "web_search_call", "id": "ws_1"}
    at = {"item_id": "ws_1", "output_index": 0}
    between = [(f"response.web_search_call.{state}", at) for state in ("in_progress", "searching", "completed")]
    action = {"type": "search", "query": "weather", "queries": ["weather"]}
    said = {"type": "message", "id": "msg_1", "role": "assistant"}
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": "It rains."}
    (folder / "search.sse").write_text(stream([
        ({**search, "status": "in_progress"}, between, {**search, "status": "completed", "action": action}),
        ({**said, "status": "in_progress", "content": []}, [], {**said, "status": "completed", "content": [part]}),
    ]))


def stream(items):
    """A complete answer of these items: the start of each, its events, and its end."""
    usage = {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 20,
             "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 120}
    response = {"id": "resp_1", "object": "response", "model": MODEL, "output": []}
    events = [("response.created", {"response": {**response, "status": "in_progress"}})]
    for at, (begun, between, done) in enumerate(items):
        events += [("response.output_item.added", {"output_index": at, "item": begun}), *between,
                   ("response.output_item.done", {"output_index": at, "item": done})]
    whole = {**response, "status": "completed", "output": [done for _, _, done in items], "usage": usage}
    events.append(("response.completed", {"response": whole}))
    return "".join(f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n" for kind, more in events)


def scenarios(folder):
    """All conversations. `d` is their dialect."""
    schema = folder / "schema.json"
    schema.write_text(json.dumps(SCHEMA))

    def says(*items, **more):
        return {"items": list(items), **more}

    def done(text):
        return says({"text": text})

    def no(status, code, kind="invalid_request_error", **more):
        return {"status": status, "body": {"error": {"message": f"the words of {status}", "type": kind, "code": code,
                                                     **more}}}

    commentary = {"text": "First I look.", "phase": "commentary"}
    return [
        Scenario("plain", lambda d: [done("Hello there.")]),
        Scenario("resume-last", lambda d: [done("Hello again.")], resume=True),
        Scenario("reasoning", lambda d: [says({"reasoning": "**Looking** around"}, commentary, {"text": "Hello."})]),
        Scenario("command", lambda d: [says(commentary, d.shell("echo hi")), done("It said hi.")]),
        Scenario("command-fails", lambda d: [says(d.shell("echo bad >&2; exit 3")), done("It failed.")]),
        Scenario("file-added", lambda d: [d.change("add"), done("Written.")]),
        Scenario("file-updated", lambda d: [d.change("update"), done("Changed.")]),
        Scenario("file-misfit", lambda d: [d.change("misfit"), done("It does not fit.")]),
        Scenario("web-search", lambda d: [{"sse": "search.sse"}]),
        Scenario("parallel", lambda d: [says(d.shell("sleep 0.3; echo one"), d.shell("echo two")), done("Both ran.")]),
        Scenario("unknown-tool", lambda d: [says({"call": {"name": "no_such_tool", "arguments": {}}}), done("None.")]),
        Scenario("schema", lambda d: [done('{"n": 7}')], ("--output-schema", str(schema))),
        Scenario("refused-401", lambda d: [no(401, "invalid_api_key")]),
        Scenario("usage-limit", lambda d: [no(429, "usage_limit_reached", "usage_limit_reached", plan_type="plus",
                                              resets_in_seconds=3600)]),
        Scenario("failed", lambda d: [says({"text": "Half of"}, ends="failed:invalid_prompt:the words of failed")]),
        Scenario("incomplete", lambda d: [says({"text": "Half of"}, ends="incomplete:max_output_tokens")]),
        Scenario("cut-then-well", lambda d: [done("Hello after all, in some more words than one.")], cut=True),
        Scenario("cut-for-good", lambda d: [says({"text": "Half of"}, ends="none")]),
        Scenario("interrupt-text", lambda d: [says({"text": "Half of it"}, stall_at=1500, hold_open=True)],
                 signal=signal.SIGINT, word="turn.started"),
        Scenario("interrupt-command", lambda d: [says(d.shell("echo begun; sleep 30"))],
                 signal=signal.SIGINT, word="in_progress"),
        Scenario("terminate-command", lambda d: [says(d.shell("echo begun; sleep 30"))],
                 signal=signal.SIGTERM, word="in_progress"),
    ]


class Player:
    """Runs scenarios with a program."""

    def __init__(self, client, service, folder):
        self.client, self.port = client, int(service.rsplit(":", 1)[1])
        self.folder = folder

    def play(self, scenario):
        if not scenario.cut:
            return self.ask(scenario, self.port)
        with Cutting(self.port) as relay:
            return self.ask(scenario, relay.port)

    def ask(self, scenario, port):
        cwd = self.folder / ("plain" if scenario.resume else scenario.name)
        cwd.mkdir(parents=True, exist_ok=True)
        (cwd / "there.txt").write_text("old\n")
        question = f"Question: {scenario.name}\nstandin: {json.dumps({'rounds': scenario.rounds(self.client)})}\n"
        base = f"http://127.0.0.1:{port}/v1"
        with (cwd / f"{scenario.name}.out").open("w+b") as out, (cwd / f"{scenario.name}.err").open("w+b") as err:
            process = self.client.start(base, cwd, scenario.flags, scenario.resume, stdin=subprocess.PIPE, stdout=out,
                                        stderr=err)
            try:
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write(question.encode())
                    process.stdin.close()
                if scenario.signal:
                    self.signal(process, scenario, cwd / f"{scenario.name}.out")
                code = process.wait(SLOW)
            except subprocess.TimeoutExpired:
                code = "none: it still runs"
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            out.seek(0)
            err.seek(0)
            return read(text(out.read()), code, text(err.read()))

    def signal(self, process, scenario, out):
        """Sends it once the program is running."""
        soon(lambda: scenario.word in out.read_text() or process.poll() is not None)
        time.sleep(1)
        if process.poll() is None:
            process.send_signal(scenario.signal)


def read(out, code, err):
    events, broken = [], []
    for line in out.splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            broken.append(line)
    return Seen(events, broken, code, err, out)


# What the official events have in common in all cases: names, and optional fields.
NUMBER, WORDS, LIST = int, str, list
USAGE = {name: NUMBER for name in ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")}
EVENTS = {
    "thread.started": {"thread_id": WORDS},
    "turn.started": {},
    "turn.completed": {"usage": USAGE},
    "turn.failed": {"error": {"message": WORDS}},
    "item.started": {"item": {"id": WORDS, "type": WORDS}},
    "item.updated": {"item": {"id": WORDS, "type": WORDS}},
    "item.completed": {"item": {"id": WORDS, "type": WORDS}},
    "error": {"message": WORDS},
}
RAN = ("in_progress", "completed", "failed", "declined")
ITEMS = {
    "agent_message": {"text": WORDS},
    "reasoning": {"text": WORDS},
    "command_execution": {"command": WORDS, "aggregated_output": WORDS, "exit_code": (NUMBER, None), "status": RAN},
    "file_change": {"changes": [{"path": WORDS, "kind": ("add", "delete", "update")}], "status": RAN},
    "mcp_tool_call": {"server": WORDS, "tool": WORDS, "status": RAN},
    "web_search": {"query": WORDS},
    "todo_list": {"items": LIST},
    "error": {"message": WORDS},
}


def misfits(value, wanted, where):
    """Why a value does not have the expected form. Additional fields are allowed."""
    if isinstance(wanted, dict):
        if not isinstance(value, dict):
            return [f"{where} is no object"]
        inner = ((name, value.get(name, LookupError), kind) for name, kind in wanted.items())
        return [why for name, found, kind in inner for why in misfits(found, kind, f"{where}.{name}")]
    if value is LookupError:
        return [f"{where} is missing"]
    if isinstance(wanted, list):
        if not isinstance(value, list):
            return [f"{where} is no list"]
        return [why for at, found in enumerate(value) for why in misfits(found, wanted[0], f"{where}[{at}]")]
    if isinstance(wanted, tuple) and isinstance(wanted[0], str):
        return [] if value in wanted else [f"{where} is {value!r}"]
    kinds = wanted if isinstance(wanted, tuple) else (wanted,)
    fits = any(value is None if kind is None else type(value) is kind for kind in kinds)
    return [] if fits else [f"{where} is {value!r}"]


class Consumer:
    """Reads a stream as a program that was written for the official one. `found` is what it understands of it,
    `wrong` what it stumbles over. `may_stop`: it may end without a last event, as the official one does on a signal."""

    def __init__(self, seen, may_stop):
        self.may_stop = may_stop
        self.wrong = [f"a line is not JSON: {line[:100]!r}" for line in seen.broken]
        self.open, self.closed = {}, set()
        self.messages, self.commands, self.changes = [], [], []
        self.ends = []
        known = [event for event in seen.events if isinstance(event, dict) and event.get("type") in EVENTS]
        for event in known:
            self.wrong += misfits(event, EVENTS[event["type"]], event["type"])
        if not self.wrong:
            for event in known:
                self.take(event)
            self.frame([event["type"] for event in known], seen)

    def take(self, event):
        kind = event["type"]
        if kind in ("turn.completed", "turn.failed"):
            self.ends.append(kind)
            if kind == "turn.completed" and self.open:
                self.wrong.append(f"items have begun and never ended: {self.open}")
        if not kind.startswith("item."):
            return
        item = event["item"]
        name, what = item["id"], item["type"]
        self.order(kind, name, what)
        if what not in ITEMS:
            return
        self.wrong += misfits(item, ITEMS[what], f"{kind} {what}")
        if kind != "item.completed" or self.wrong:
            return
        if item.get("status") == "in_progress":
            self.wrong.append(f"{name} is completed and in progress")
        if what == "agent_message":
            self.messages.append(item["text"])
        if what == "command_execution":
            self.commands.append((item["exit_code"], item["status"], item["aggregated_output"]))
        if what == "file_change":
            self.changes += [(pathlib.Path(change["path"]).name, change["kind"], item["status"])
                             for change in item["changes"]]
            self.wrong += [f"a path is not absolute: {change['path']}" for change in item["changes"]
                           if not change["path"].startswith("/")]

    def order(self, kind, name, what):
        """An item starts at most once, is completed once, and keeps its type."""
        if name in self.closed:
            self.wrong.append(f"{kind} of {name}, which has ended")
        if self.open.get(name, what) != what:
            self.wrong.append(f"{name} was {self.open[name]} and is {what}")
        if kind == "item.started" and name in self.open:
            self.wrong.append(f"{name} begins twice")
        if kind == "item.updated" and name not in self.open:
            self.wrong.append(f"{name} is updated and has not begun")
        if kind == "item.completed":
            self.open.pop(name, None)
            self.closed.add(name)
        else:
            self.open[name] = what

    def frame(self, kinds, seen):
        if kinds[:2] != ["thread.started", "turn.started"]:
            self.wrong.append(f"it begins with {kinds[:2]}")
        if kinds.count("thread.started") > 1 or kinds.count("turn.started") > 1:
            self.wrong.append("it begins twice")
        if len(self.ends) > 1:
            self.wrong.append(f"it ends twice: {self.ends}")
        if not self.may_stop and (not kinds or kinds[-1] not in ("turn.completed", "turn.failed", "error")):
            self.wrong.append(f"it ends with {kinds[-1:]}")
        # The official one ends with 0 if SIGTERM arrives during a command, and writes no last event.
        if (seen.code == 0) != (self.ends == ["turn.completed"]) and not (self.may_stop and not self.ends):
            self.wrong.append(f"exit {seen.code} after {self.ends}")

    def found(self):
        """What it understands of the whole stream."""
        return {
            "the end": self.ends == ["turn.completed"],
            "the final message": self.messages[-1:],
            "the commands": sorted(self.commands, key=str),
            "the changes": [change for change in self.changes if change[-1] == "completed"],
        }


def short(events):
    """The sequence, with repeated updates as one."""
    steps = []
    for event in events:
        item = event.get("item") or {}
        about = [item["type"]] if item else []
        about += [str(item["status"])] if item.get("status") not in (None, "completed") else []
        about += [f"exit {item['exit_code']}"] if item.get("exit_code") is not None else []
        if event["type"] == "error":
            about = ["retry"] if re.match("Reconnecting", str(event.get("message"))) else ["last"]
        step = f"{event['type']}{' ' if about else ''}{' '.join(about)}"
        if steps and steps[-1][0] == step and event["type"] in ("item.updated", "item.delta", "error", "retry"):
            steps[-1] = (step, steps[-1][1] + 1)
        else:
            steps.append((step, 1))
    return [f"{step} x{times}" if times > 1 else step for step, times in steps]


def table(rows, heads):
    """Markdown: a row for each scenario, a cell for each program."""
    print(f"| scenario | {' | '.join(heads)} |")
    print(f"|---|{'---|' * len(heads)}")
    for scenario, cells in rows:
        written = (f"{'<br>'.join(short(seen.events)) or '(nothing)'}<br>**{seen.code}**" for seen in cells)
        print(f"| {scenario.name} | {' | '.join(written)} |", flush=True)


def keep(folder, name, number, seen):
    """Writes the events to files."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{number:02}-{name}"
    (folder / f"{stem}.jsonl").write_text(seen.out)
    (folder / f"{stem}.exit").write_text(f"{seen.code}\n")
    (folder / f"{stem}.err").write_text(seen.err[-4000:])


def options():
    parser = argparse.ArgumentParser(description="Compares the JSON lines with the official ones.")
    parser.add_argument("--codex", type=pathlib.Path, help="the command to test")
    parser.add_argument("--spelling", choices=("exec", "run", "official"), default="exec", help="how it is asked")
    parser.add_argument("--official", type=pathlib.Path, help="the official program")
    parser.add_argument("--standin", type=pathlib.Path, required=True, help="the stand-in service")
    parser.add_argument("--only", help="only the scenarios whose names match this expression")
    parser.add_argument("--keep", type=pathlib.Path, help="leave all output below this directory")
    chosen = parser.parse_args()
    if not chosen.codex and not chosen.official:
        parser.error("there is nothing to run: neither --codex nor --official")
    return chosen


def main():
    chosen = options()
    leave_on_signals()
    with tempfile.TemporaryDirectory(prefix="events-") as name:
        folder = pathlib.Path(name)
        streams(folder)
        command = [chosen.standin.resolve(), "--data", folder, "--until-eof", "--log", folder / "asked"]
        with Server(command, folder / "standin.log") as service:
            clients = []
            if chosen.codex and chosen.spelling == "official":
                clients.append(Official(chosen.codex, folder / "ours"))
            elif chosen.codex:
                clients.append(Ours(chosen.codex, folder / "ours", chosen.spelling))
            if chosen.official:
                clients.append(Official(chosen.official, folder / "official"))
            players = [Player(client, service.url, client.folder / "work") for client in clients]
            rows = []
            for scenario in scenarios(folder):
                if chosen.only and not re.search(chosen.only, scenario.name):
                    continue
                rows.append((scenario, [player.play(scenario) for player in players]))
        if chosen.keep:
            for number, (scenario, cells) in enumerate(rows, 1):
                for client, seen in zip(clients, cells):
                    keep(chosen.keep / client.folder.name, scenario.name, number, seen)
    table(rows, [client.folder.name for client in clients])
    print()
    sys.exit(1 if judge(rows, clients) else 0)


def judge(rows, clients):
    """Prints the problems, and returns their number."""
    failed = 0

    def wrong(sentence):
        nonlocal failed
        failed += 1
        print(f"FAILED: {sentence}", flush=True)

    for scenario, cells in rows:
        name = scenario.name
        read = [Consumer(seen, scenario.signal and client.name == "official") for client, seen in zip(clients, cells)]
        for client, seen, consumer in zip(clients, cells, read):
            for why in consumer.wrong[:5]:
                wrong(f"{name}, {client.folder.name}: {why}")
            if consumer.wrong and not seen.events:
                print("".join(f"  | {line}\n" for line in seen.err.splitlines()[-5:]), end="")
        if len(read) < 2 or any(consumer.wrong for consumer in read):
            continue
        ours, theirs = (consumer.found() for consumer in read)
        for what, found in theirs.items():
            # Of runs that fail only the failure counts: how much of it came before differs.
            if ours[what] != found and (theirs["the end"] or what == "the end"):
                wrong(f"{name}: {what}: ours {ours[what]!r}, the official one's {found!r}")
    print(f"{len(rows)} scenarios, {failed} things that are wrong")
    return failed


if __name__ == "__main__":
    main()
