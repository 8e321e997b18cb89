#!/usr/bin/env python3
"""`codex` with MCP servers of others, inside its sandbox: everything, filesystem and memory of npm, git and time of PyPI;
and the public conformance tests for MCP clients, against servers by URL.

The servers are installed into --modules and --venv if missing, in the versions of versions.json, or in the newest ones
with PEERS_NEWEST=1; that needs npm, pip and the network. Every tool that needs no outside service is called once, by a
stand-in model. Nothing leaves the machine.

    python3 tests/peers/mcp.py --codex target/debug/codex --standin target/debug/examples/standin --modules DIR --venv DIR

Every check is a line, `ok: ...` or `FAILED: ...`. Exit code 1: one of them failed.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from collections import namedtuple

sys.dont_write_bytecode = True
import packages
import peer
from peer import KEY
from signin import Server, leave_on_signals

WHOLE_RUN = 240  # seconds
SCOPE = "@modelcontextprotocol/"
EVERYTHING, FILES, MEMORY = (f"{SCOPE}server-{name}" for name in ("everything", "filesystem", "memory"))
CONFORMANCE = f"{SCOPE}conformance"
GIT, TIME = "mcp-server-git", "mcp-server-time"

# A call, and what its result must have: a pattern in it, and whether it succeeds.
Call = namedtuple("Call", "server tool arguments shows works", defaults=("", True))

# The scenarios of the conformance tests, and why those do not apply that are not tried.
SCENARIOS = ("initialize", "tools_call", "sse-retry")
NOT_APPLICABLE = {
    "auth/": "signing in to a server with OAuth is not supported",
    "elicitation-": "nobody can be asked during a run: requests of a server are answered with \"not supported\"",
}


def calls(work):
    """The calls of all tools, in an order in which they work. Those that change files are last for each server."""
    file, entity = f"{work}/a.txt", {"name": "codex", "entityType": "program", "observations": ["small"]}
    relation = {"from": "codex", "to": "codex", "relationType": "knows"}
    repo = {"repo_path": f"{work}/repo"}
    return [
        Call("everything", "echo", {"message": "hello"}, "Echo: hello"),
        Call("everything", "get-annotated-message", {"messageType": "success", "includeImage": True}, "success"),
        Call("everything", "get-env", {}, "PATH"),
        Call("everything", "get-resource-links", {"count": 2}, "resource_link"),
        Call("everything", "get-resource-reference", {"resourceType": "Text", "resourceId": 1}, "resource"),
        Call("everything", "get-structured-content", {"location": "Chicago"}, "temperature"),
        Call("everything", "get-sum", {"a": 2, "b": 3}, r"\b5\b"),
        Call("everything", "get-tiny-image", {}, "image/png"),
        Call("everything", "gzip-file-as-resource", {"name": "a.gz", "data": "data:text/plain,hello"}, "a.gz"),
        Call("everything", "toggle-simulated-logging", {}, "logging"),
        Call("everything", "toggle-subscriber-updates", {}, "update"),
        Call("everything", "trigger-long-running-operation", {"duration": 0.2, "steps": 2}, "completed"),
        # Since it must be called as a task, which is an extension.
        Call("everything", "simulate-research-query", {"topic": "a"}, "task", False),
        Call("files", "list_allowed_directories", {}, str(work)),
        Call("files", "write_file", {"path": file, "content": "one\ntwo\n"}, "wrote"),
        Call("files", "read_file", {"path": file}, "two"),
        Call("files", "read_text_file", {"path": file, "head": 1}, "one"),
        Call("files", "read_media_file", {"path": f"{work}/picture.png"}, "image/png"),
        Call("files", "read_multiple_files", {"paths": [file]}, "two"),
        Call("files", "edit_file", {"path": file, "edits": [{"oldText": "two", "newText": "three"}]}, "three"),
        Call("files", "create_directory", {"path": f"{work}/d"}, "created"),
        Call("files", "list_directory", {"path": str(work)}, "a.txt"),
        Call("files", "list_directory_with_sizes", {"path": str(work)}, "a.txt"),
        Call("files", "directory_tree", {"path": str(work), "excludePatterns": [".git"]}, "a.txt"),
        Call("files", "move_file", {"source": file, "destination": f"{work}/d/b.txt"}, "moved"),
        Call("files", "search_files", {"path": str(work), "pattern": "**/*.txt"}, "b.txt"),
        Call("files", "get_file_info", {"path": f"{work}/d/b.txt"}, "size"),
        Call("files", "read_file", {"path": "/etc/hostname"}, "denied", False),
        Call("memory", "create_entities", {"entities": [entity]}, "codex"),
        Call("memory", "create_relations", {"relations": [relation]}, "knows"),
        Call("memory", "add_observations", {"observations": [{"entityName": "codex", "contents": ["quick"]}]}, "quick"),
        Call("memory", "read_graph", {}, "quick"),
        Call("memory", "search_nodes", {"query": "quick"}, "codex"),
        Call("memory", "open_nodes", {"names": ["codex"]}, "small"),
        Call("memory", "delete_observations", {"deletions": [{"entityName": "codex", "observations": ["small"]}]}, "deleted"),
        Call("memory", "delete_relations", {"relations": [relation]}, "deleted"),
        Call("memory", "delete_entities", {"entityNames": ["codex"]}, "deleted"),
        Call("git", "git_status", repo, "b.txt"),
        Call("git", "git_add", {**repo, "files": ["b.txt"]}, "staged"),
        Call("git", "git_diff_staged", repo, "new"),
        Call("git", "git_reset", repo, "reset"),
        Call("git", "git_add", {**repo, "files": ["b.txt"]}, "staged"),
        Call("git", "git_commit", {**repo, "message": "second"}, "committed"),
        Call("git", "git_log", {**repo, "max_count": 1}, "second"),
        Call("git", "git_show", {**repo, "revision": "HEAD"}, "second"),
        Call("git", "git_diff", {**repo, "target": "HEAD~1"}, "new"),
        Call("git", "git_create_branch", {**repo, "branch_name": "other"}, "other"),
        Call("git", "git_checkout", {**repo, "branch_name": "other"}, "other"),
        Call("git", "git_branch", {**repo, "branch_type": "local"}, "other"),
        Call("git", "git_diff_unstaged", repo),
        Call("time", "get_current_time", {"timezone": "UTC"}, "timezone"),
        Call("time", "convert_time", {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}, "21:00"),
    ]


def writes(work):
    """Calls that change files, and the file that each creates."""
    file, repo = f"{work}/new.txt", {"repo_path": f"{work}/repo"}
    return [
        (Call("files", "write_file", {"path": file, "content": "new"}), file),
        (Call("memory", "create_entities", {"entities": [{"name": "a", "entityType": "b", "observations": []}]}),
         f"{work}/memory.jsonl"),
        (Call("git", "git_create_branch", {**repo, "branch_name": "new"}), f"{work}/repo/.git/refs/heads/new"),
    ]


def directory(folder, name):
    """A working directory with a repository and a picture."""
    work = folder / name
    (work / "repo").mkdir(parents=True)
    (work / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "a",
           "GIT_COMMITTER_EMAIL": "a@example.com"}
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), **who}
    (work / "repo" / "a.txt").write_text("old\n")
    for command in (["init", "-q", "-b", "main"], ["add", "a.txt"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], cwd=work / "repo", env=env, check=True, stdin=subprocess.DEVNULL)
    (work / "repo" / "b.txt").write_text("new\n")
    return work, who


class Run:
    """Runs of `codex` with all servers, in a home of their own."""

    def __init__(self, options, folder, url):
        self.program, self.folder, self.url = options.codex.resolve(), folder, url
        node, modules = packages.node(options.modules.resolve()), options.modules.resolve() / "node_modules"
        venv = options.venv.resolve() / "bin"
        entry = lambda name: str(modules / name / "dist" / "index.js")
        self.servers = lambda work: {
            "everything": {"command": str(node), "args": [entry(EVERYTHING)]},
            "files": {"command": str(node), "args": [entry(FILES), str(work)], "write": True},
            "memory": {"command": str(node), "args": [entry(MEMORY)], "write": True,
                       "env": {"MEMORY_FILE_PATH": f"{work}/memory.jsonl"}},
            "git": {"command": str(venv / GIT), "write": True},
            "time": {"command": str(venv / TIME)},
        }

    def run(self, name, mode, wanted, work, who):
        """Calls these tools one after another. Returns the items of the calls, and all output."""
        file = self.folder / f"{name}.json"
        file.write_text(json.dumps({"mcpServers": self.servers(work)}))
        one = lambda call: {"items": [{"call": {
            "name": f"mcp__{call.server}__{call.tool}", "arguments": json.dumps(call.arguments)}}]}
        script = {"rounds": [*map(one, wanted), {"items": [{"text": "done"}]}]}
        command = [self.program, "run", "--json", "--no-stdin", "-s", mode, "-C", work, "--mcp", file,
                   f"standin: {json.dumps(script)}"]
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "CODEX_RUN_HOME": str(self.folder / "home"),
               "OPENAI_BASE_URL": f"{self.url}/v1", "OPENAI_API_KEY": KEY, **who}
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WHOLE_RUN)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        items = [event["item"] for event in events if event["type"] == "item.completed"]
        return [item for item in items if item["type"] == "mcp_tool_call"], done


def every_tool(checks, runs, folder):
    """Calls every tool once, where servers may write."""
    work, who = directory(folder, "all")
    wanted = calls(work)
    items, done = runs.run("all", "workspace-write", wanted, work, who)
    checks.that(f"a run with {len(wanted)} calls ends well", done.returncode == 0, done.stderr, done.stdout[-2000:])
    checks.that("no server gets the key", KEY not in done.stdout, "it is in the output")
    for call, item in zip(wanted, items + [{}] * (len(wanted) - len(items))):
        seen = json.dumps([item.get("result"), item.get("error")])
        works = item.get("status") == "completed"
        shows = re.search(call.shows, seen, re.I)
        what = "works" if call.works else "fails"
        checks.that(f"{call.server} {call.tool} {what}", works == call.works and shows, item)


def writing(checks, runs, folder):
    """Servers write where the sandbox lets them, and nowhere else."""
    for mode, can in (("read-only", False), ("workspace-write", True)):
        work, who = directory(folder, mode)
        wanted = writes(work)
        items, done = runs.run(mode, mode, [call for call, _ in wanted], work, who)
        checks.that(f"{mode}: {len(wanted)} calls end", len(items) == len(wanted), done.stderr, done.stdout)
        for (call, file), item in zip(wanted, items):
            does = "writes" if can else "cannot write"
            there = os.path.exists(file)
            fits = there == can and (item.get("status") == "completed") == can
            checks.that(f"{mode}: {call.server} {call.tool} {does}", fits, item, f"{file}: {there}")


def conformance(checks, options, folder):
    """The public tests for clients."""
    modules, node = options.modules.resolve(), packages.node(options.modules.resolve())
    runner = modules / "node_modules" / CONFORMANCE / "dist" / "index.js"
    listed = subprocess.run([node, runner, "list"], capture_output=True, text=True, timeout=WHOLE_RUN).stdout
    listed = listed.partition("Client scenarios")[2]
    scenarios = re.findall(r"^ +- (\S+)", listed, re.M)
    checks.that("the scenarios are listed", set(SCENARIOS) <= set(scenarios), listed)
    client = pathlib.Path(__file__).with_name("mcp_client.py")
    # The runner splits the command at blanks, and runs it in a shell.
    command = f"{sys.executable} {client} {options.codex.resolve()} {options.standin.resolve()}"
    for scenario in scenarios:
        why = next((why for name, why in NOT_APPLICABLE.items() if scenario.startswith(name)), None)
        if why:
            continue
        ended = subprocess.run(
            [node, runner, "client", "--command", command, "--scenario", scenario, "--verbose"],
            capture_output=True, text=True, timeout=WHOLE_RUN, cwd=folder, stdin=subprocess.DEVNULL)
        checks.that(f"conformance: {scenario}", ended.returncode == 0, ended.stdout[-3000:], ended.stderr[-3000:])
    for name, why in NOT_APPLICABLE.items():
        count = sum(scenario.startswith(name) for scenario in scenarios)
        print(f"note: {count} scenarios of conformance do not apply, {name}*: {why}")


def main():
    options = peer.options("Tries codex with MCP servers.", modules="where npm installs, or will", venv="of Python")
    leave_on_signals()
    wanted = (EVERYTHING, FILES, MEMORY, CONFORMANCE, packages.NODE)
    if not packages.install(options.modules, *wanted) or not packages.install_programs(options.venv, GIT, TIME):
        return
    if not peer.installed("git"):
        return
    checks = peer.Checks()
    # Not below /tmp, where tools can write.
    with tempfile.TemporaryDirectory(prefix="mcp-", dir=options.modules.resolve().parent) as name:
        folder = pathlib.Path(name)
        with Server([options.standin.resolve(), "--until-eof"], folder / "standin") as service:
            runs = Run(options, folder, service.url)
            every_tool(checks, runs, folder)
            writing(checks, runs, folder)
        conformance(checks, options, folder)
    checks.leave()


if __name__ == "__main__":
    main()
