"""The three clients of rig.py: how each is signed in and run, in a separate home and a clean environment."""

import json
import os
import pathlib
import pty
import re
import select
import subprocess
import time
from collections import namedtuple

from events import stream
from peer import KEY, Result, text
from signin import PATIENCE

MODEL, OTHER_MODEL = "gpt-6.2-sol", "gpt-6.1-sol"
SLOW = 90  # seconds for a run
ADDRESS = re.compile(r"https://auth\.openai\.com/oauth/authorize\?[^\s\x1b\x07\\]+(?=\s)")
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
# An image of one pixel.
PICTURE = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
THOUGHT = {"reasoning": "Thinking."}
# The arguments of the official client's only tool, which runs JavaScript.
SCRIPT = "const r = await tools.exec_command({cmd: 'echo hi'}); text(r.output ?? JSON.stringify(r));"

Scenario = namedtuple("Scenario", "name tool image schema resume model key",
                      defaults=(False, False, False, False, MODEL, False))


def streams(folder):
    """Writes an answer that the stand-in does not make: a call of the official client's `exec`."""
    call = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_exec", "name": "exec", "status": "completed"}
    begun = {**call, "status": "in_progress", "input": ""}
    (folder / "exec.sse").write_text(stream([(begun, [], {**call, "input": SCRIPT})]))


class Client:
    """One of the clients. `folder` has the files that it is given; its home is below."""

    has_schemas = True

    def __init__(self, command, folder, root):
        self.command, self.shared = command, folder
        self.home, self.work = folder / self.name / "home", folder / self.name / "work"
        self.home.mkdir(parents=True, mode=0o700)
        self.work.mkdir()
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder / self.name), "TERM": "xterm",
                    "NODE_EXTRA_CA_CERTS": str(root), "CODEX_CA_CERTIFICATE": str(root)}

    def lacks(self, scenario):
        """Whether it does not support this."""
        return scenario.schema and not self.has_schemas

    def question(self, scenario):
        """The prompt, with the stand-in's reply in it."""
        said = {"text": '{"n":1}'} if scenario.schema else {"text": "Hello."}
        rounds = [{"items": [THOUGHT, said]}]
        if scenario.tool:
            rounds.insert(0, self.call)
        return f"Say hello.\nstandin: {json.dumps({'rounds': rounds})}\n"

    def ask(self, scenario):
        """Runs it to its end."""
        env = {**self.env, **({"OPENAI_API_KEY": KEY, "CODEX_API_KEY": KEY} if scenario.key else {})}
        command = [*self.command, *self.words(scenario)]
        try:
            done = subprocess.run(command, env=env, cwd=self.work, stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=SLOW)
        except subprocess.TimeoutExpired as late:
            return Result("none: it still runs", text(late.stdout), text(late.stderr), False)
        return Result(done.returncode, text(done.stdout), text(done.stderr), False)

    def login(self, follow):
        """Signs in, in a terminal; returns the query of the address to open in a browser."""
        process, terminal = pty.fork()
        if not process:
            os.chdir(self.work)
            os.execve(self.command[0], [*map(str, self.command), *self.signing_in], self.env)
        said, query, end = "", None, time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if not select.select([terminal], [], [], 0.1)[0]:
                continue
            try:
                said += os.read(terminal, 1 << 16).decode(errors="replace")
            except OSError:
                break  # it has ended
            found = ADDRESS.search(said)
            if found and query is None:
                query = follow(found[0])
        os.close(terminal)
        _, status = os.waitpid(process, 0)
        if query is None or status:
            print(f"FAILED: {self.name} is not signed in ({status}): {said[-800:]}", flush=True)
            return None
        return query


class Official(Client):
    name = "official"
    call = {"sse": "exec.sse"}
    signing_in = ["login"]

    def __init__(self, program, folder, root):
        super().__init__([program], folder, root)
        self.env["CODEX_HOME"] = str(self.home)

    def words(self, scenario):
        words = ["exec", "--skip-git-repo-check", "-s", "danger-full-access"]
        words += ["-m", scenario.model] if scenario.model != MODEL else []
        words += ["--output-schema", str(self.shared / "schema.json")] if scenario.schema else []
        words += [f"--image={self.shared / 'image.png'}"] if scenario.image else []
        words += ["resume", "--last"] if scenario.resume else []
        return [*words, self.question(scenario)]


class Ours(Client):
    name = "ours"
    call = {"items": [THOUGHT, {"call": {"name": "bash", "arguments": {"command": "echo hi"}}}]}
    signing_in = ["login", "--no-browser"]

    def __init__(self, program, folder, root):
        super().__init__([program], folder, root)
        self.env["CODEX_RUN_HOME"] = str(self.home)

    def words(self, scenario):
        words = ["run", "--no-stdin", "-s", "danger-full-access"]
        words += ["-m", scenario.model] if scenario.model != MODEL else []
        words += ["--output-schema", str(self.shared / "schema.json")] if scenario.schema else []
        words += ["-i", str(self.shared / "image.png")] if scenario.image else []
        words += ["--last"] if scenario.resume else []
        return [*words, self.question(scenario)]


class Pi(Client):
    name = "pi"
    call = Ours.call
    has_schemas = False
    signing_in = ["auth", "login", "openai-codex"]

    def __init__(self, node, program, folder, root):
        super().__init__([node, program], folder, root)
        # With --no-browser it uses a device code, so it gets a browser that does nothing.
        programs = self.work / "bin"
        programs.mkdir()
        (programs / "xdg-open").symlink_to("/bin/true")
        self.env |= {"PI_CODING_AGENT_DIR": str(self.home), "DISPLAY": ":9",
                     "PATH": f"{programs}:{self.env['PATH']}"}

    def words(self, scenario):
        provider = "openai" if scenario.key else "openai-codex"
        words = ["-p", "--provider", provider, "--model", scenario.model]
        words += ["--continue"] if scenario.resume else []
        words += [f"@{self.shared / 'image.png'}"] if scenario.image else []
        return [*words, "--", self.question(scenario)]
