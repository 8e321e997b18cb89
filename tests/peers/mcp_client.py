#!/usr/bin/env python3
"""`codex` as the client of one conformance test of MCP: asks the server at URL for its tools, and has a stand-in model
call them. The test's name is in MCP_CONFORMANCE_SCENARIO.

    python3 tests/peers/mcp_client.py CODEX STANDIN URL
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import peer
from signin import Server, leave_on_signals

# What is called in each scenario.
CALLS = {
    "initialize": [],
    "tools_call": [("add_numbers", {"a": 5, "b": 3})],
    "sse-retry": [("test_reconnection", {})],
}


def main():
    codex, standin, url = sys.argv[1:]
    leave_on_signals()
    calls = CALLS[os.environ["MCP_CONFORMANCE_SCENARIO"]]
    rounds = [{"items": [{"call": {"name": f"mcp__it__{tool}", "arguments": json.dumps(arguments)}}]}
              for tool, arguments in calls]
    prompt = f"standin: {json.dumps({'rounds': [*rounds, {'items': [{'text': 'done'}]}]})}"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "mcp.json").write_text(json.dumps({"mcpServers": {"it": {"url": url, "network": True}}}))
        with Server([standin, "--until-eof"], folder / "standin") as service:
            env = {"PATH": os.environ["PATH"], "HOME": name, "CODEX_RUN_HOME": str(folder / "home"),
                   "OPENAI_BASE_URL": f"{service.url}/v1", "OPENAI_API_KEY": peer.KEY}
            command = [codex, "run", "--json", "--no-stdin", "-s", "read-only", "--network", "--mcp", folder / "mcp.json"]
            return subprocess.run([*command, prompt], env=env, stdin=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main())
