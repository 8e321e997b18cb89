#!/usr/bin/env python3
"""`codex` with an existing Responses server: the proxy of LiteLLM, with its own key.

Behind it are two services on this machine, and nothing leaves it. For the model `through`, LiteLLM forwards the
request to the stand-in service and its events back, with its own error messages. For `bridge`, it translates: the
service behind it supports only chat completions (see chat.py), and every event of the answer is LiteLLM's. LiteLLM
is installed into --venv if missing, which takes a minute or two, the network and 800 MB.

    python3 tests/peers/litellm.py --codex target/debug/codex --standin target/debug/examples/standin --venv DIR

Every check is a line, `ok: ...` or `FAILED: ...`. Exit code 1: one of them failed.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.dont_write_bytecode = True
import peer
from chat import Chat
from peer import KEY, Codex
from signin import Server, leave_on_signals, soon

PACKAGE = "litellm[proxy]==1.108.7"
INSTALLING = 600  # seconds
STARTING = 90  # seconds

CONFIG = """
model_list:
  - model_name: through
    litellm_params: {{model: openai/gpt-5.5, api_base: "{standin}/v1", api_key: sk-upstream}}
  - model_name: missing
    litellm_params: {{model: openai/gpt-missing, api_base: "{standin}/v1", api_key: sk-upstream}}
  - model_name: locked
    litellm_params: {{model: openai/gpt-5.5, api_base: "{standin}/v1", api_key: "{refused}"}}
  - model_name: gone
    litellm_params: {{model: openai/gpt-5.5, api_base: "http://127.0.0.1:{nobody}/v1", api_key: sk-upstream}}
  - model_name: bridge
    litellm_params: {{model: openai/chatty, api_base: "{chat}/v1", api_key: sk-any, use_chat_completions_api: true}}
litellm_settings: {{num_retries: 0}}
router_settings: {{num_retries: 0, disable_cooldowns: true}}
general_settings: {{master_key: sk-master-0123456789abcdef, custom_auth: gate.check}}
"""

# Without a database LiteLLM has no keys but the master key, and answers any other with 400: so it asks this.
GATE = f"""
from fastapi import HTTPException
from litellm.proxy._types import UserAPIKeyAuth


async def check(request, api_key):
    if api_key != {KEY!r}:
        raise HTTPException(401, "this key opens nothing here")
    return UserAPIKeyAuth(api_key=api_key)
"""


def installed(venv):
    """The program, which is installed if missing; nothing if that fails."""
    program = venv / "bin" / "litellm"
    if program.exists():
        return program
    begun = time.monotonic()
    for command in ([sys.executable, "-m", "venv", venv], [venv / "bin" / "pip", "install", "--quiet", PACKAGE]):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALLING)
            why = done.stderr.strip() if done.returncode else ""
        except (OSError, subprocess.TimeoutExpired) as error:
            why = str(error)
        if why:
            peer.skip("litellm", why.splitlines()[-1])
            return None
    print(f"note: it took {time.monotonic() - begun:.0f} s to install {PACKAGE}")
    return program


class LiteLLM:
    """Its proxy, for as long as the `with` block lasts."""

    def __init__(self, program, folder, **addresses):
        folder.mkdir()
        (folder / "config.yaml").write_text(CONFIG.format(**addresses))
        (folder / "gate.py").write_text(GATE)
        self.program, self.folder, self.log = program.absolute(), folder, folder / "log"
        self.port = peer.free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        # It would fetch a list of prices, and report its start to its vendor.
        quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False", "DO_NOT_TRACK": "1"}
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **quiet}
        command = [self.program, "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(self.port)]
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, cwd=self.folder
            )
        begun = time.monotonic()
        try:
            soon(lambda: self.process.poll() is not None or self.lives(), STARTING)
            if not self.lives():
                raise RuntimeError(f"LiteLLM does not start: {self.log.read_text()[-2000:]}")
        except BaseException:  # a signal, too
            self.__exit__()
            raise
        print(f"note: LiteLLM took {time.monotonic() - begun:.0f} s to start")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def lives(self):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with contextlib.suppress(OSError):
            return opener.open(f"{self.url}/health/liveliness", timeout=5).status == 200


class Test:
    """`heard` is the stand-in's log of its requests, `chat` the other service behind LiteLLM."""

    def __init__(self, codex, checks, base, heard, chat):
        self.codex, self.checks, self.base, self.heard, self.chat = codex, checks, base, heard, chat

    def ends(self, what, code, *words, model, flags=("--no-tools",), **more):
        seen = self.codex.ask(self.base, "-m", model, *flags, **more)
        self.checks.ended(f"{model}, {what}", seen, code, *words)
        return seen

    def scripted(self, what, code, *words, round, **more):
        """The same with this round as the stand-in's answer."""
        question = f"standin: {json.dumps({'rounds': round if isinstance(round, list) else [round]})}"
        return self.ends(what, code, *words, model="through", question=question, **more)

    def asked(self):
        """The bodies that have reached the stand-in."""
        lines = (json.loads(line) for line in self.heard.read_text().splitlines())
        return [line["request"]["body"] for line in lines if "request" in line]

    def answers(self):
        for model in ("through", "bridge"):
            seen = self.ends("a question", 0, model=model)
            alone = seen.out == peer.ANSWER and not seen.err
            self.checks.that(f"{model}: the answer and nothing else", alone, seen.out, seen.err)
            self.ends("-e low", 0, model=model, flags=("--no-tools", "-e", "low"))
        effort = self.asked()[-1].get("reasoning", {}).get("effort")
        self.checks.that("through: the effort arrives", effort == "low", effort)
        effort = self.chat.asked[-1].get("reasoning_effort")
        self.checks.that("bridge: the effort arrives", effort == "low", effort)

    def tools(self):
        """A round of two calls. The outputs of the tools reach the service, and the answer follows."""
        offered = ("-s", "danger-full-access")
        commands = [{"command": f"echo from tool $(({n} + 40))"} for n in range(2)]
        calls = [{"call": {"name": "bash", "arguments": arguments}} for arguments in commands]
        first = [{"reasoning": "Look first."}, {"text": "I look.", "phase": "commentary"}, *calls]
        self.scripted("a round of calls", 0, "bash: echo", flags=offered,
                      round=[{"items": first}, {"items": [{"text": "hello, done"}]}])
        outputs = [item["output"] for item in self.asked()[-1]["input"] if item["type"] == "function_call_output"]
        self.said("through", outputs)
        self.ends("a round of calls", 0, "bash: echo", model="bridge", flags=offered)
        messages = self.chat.asked[-1]["messages"]
        self.said("bridge", [message["content"] for message in messages if message["role"] == "tool"])

    def said(self, model, outputs):
        fits = [f"from tool {n + 40}" in str(output) for n, output in enumerate(outputs)] == [True, True]
        self.checks.that(f"{model}: what both tools said arrives", fits, *outputs)

    def refusals(self):
        """Requests that LiteLLM refuses, and its report of a service that refuses."""
        wrong = self.ends("a wrong key", 4, "opens nothing here", model="through", key="sk-wrong-0123456789")
        self.checks.that("a wrong key is not told", "sk-wrong" not in wrong.err, wrong.err)
        self.ends("a key that the service behind refuses", 4, "incorrect api key", model="locked")
        self.ends("a model that the service behind does not have", 5, "gpt-missing", model="missing")
        unknown = self.codex.ask(self.base, "--no-tools", "-m", "unheard-of")
        self.checks.that("a model that LiteLLM does not know: exit 5, or 1 for its 400, and its name",
                         unknown.code in (1, 5) and "unheard-of" in unknown.err, *unknown)
        print(f"note: a model that LiteLLM does not know ends with {unknown.code}")
        self.ends("no service behind", 7, "HTTP 500", model="gone")
        for status, code in {400: 1, 403: 5, 429: 7, 503: 7}.items():
            error = {"message": f"words of {status}", "type": "any", "param": None, "code": "any"}
            refusal = {"status": status, "body": {"error": error}}
            self.scripted(f"{status} behind", code, f"words of {status}", round=refusal)

    def ends_early(self):
        """Incomplete answers are never a success, and the reason is reported."""
        def half(**more):
            return {"items": [{"text": "half of it"}], **more}

        self.scripted("the limit of the output", 8, "output limit", round=half(ends="incomplete:max_output_tokens"))
        self.scripted("a filter", 8, "filter", round=half(ends="incomplete:content_filter"))
        self.scripted("a failure", 7, "it broke", round=half(ends="failed:server_error:it broke"))
        self.scripted("a quota", 6, "quota", round=half(ends="failed:insufficient_quota:no more"))
        cut = self.scripted("no end of the stream", 7, "before any terminal event", round=half(ends="none"))
        self.checks.that("through, no end of the stream: what came is a part", "part of the answer" in cut.err, cut.err)
        self.scripted("a connection that breaks", 7, round=half(cut_at=900))
        # LiteLLM lists the message once more, as an incomplete one.
        self.ends("the limit of the output", 8, "output limit", model="bridge", question="too much")


def main():
    options = peer.options("Asks the proxy of LiteLLM.", venv="where LiteLLM is, or is to be installed")
    leave_on_signals()
    if not (program := installed(options.venv)):
        return
    checks = peer.Checks()
    with tempfile.TemporaryDirectory(prefix="codex-litellm-") as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        standin, heard = options.standin.resolve(), folder / "requests"
        token = subprocess.run([standin, "--print-token"], capture_output=True, text=True, check=True).stdout.strip()
        command = [standin, "--port", "0", "--log", heard, "--until-eof"]
        backend = stack.enter_context(Server(command, folder / "standin.log"))
        chat = stack.enter_context(Chat())
        # The stand-in's API refuses what looks like a token of the subscription.
        behind = {"standin": backend.url, "chat": chat.url, "refused": token, "nobody": peer.free_port()}
        service = stack.enter_context(LiteLLM(program, folder / "litellm", **behind))
        test = Test(Codex(options.codex, folder), checks, f"{service.url}/v1", heard, chat)
        test.answers()
        test.tools()
        test.refusals()
        test.ends_early()
    checks.leave()


if __name__ == "__main__":
    main()
