"""The programs under test from npm, and what the tests import from PyPI: in the versions of versions.json, or in the
newest ones if PEERS_NEWEST is 1.
"""

import json
import os
import pathlib
import platform
import subprocess
import sys

import peer

VERSIONS = json.loads((pathlib.Path(__file__).resolve().parent / "versions.json").read_text())
INSTALLING = 600  # seconds
OFFICIAL, SDK, PI, NODE = "@openai/codex", "@openai/codex-sdk", "@earendil-works/pi-coding-agent", "node"
PYTE, WIDTHS = "pyte", "wcwidth"  # of PyPI


def target():
    """The name of this machine's platform in npm."""
    machine = {"x86_64": "x64", "AMD64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"{platform.system().lower()}-{machine}"


def version(name):
    """The wanted version."""
    if os.environ.get("PEERS_NEWEST") != "1" or name == NODE:
        return VERSIONS[name]  # Node only runs the others
    asked = subprocess.run(["npm", "view", name, "version"], capture_output=True, text=True, timeout=INSTALLING)
    return asked.stdout.strip() or VERSIONS[name]


def wanted(name):
    """The packages to request: the official program without its launcher, and Node as a package."""
    if name == OFFICIAL:
        return f"@openai/codex-{target()}@npm:@openai/codex@{version(name)}-{target()}"
    if name == NODE:
        return f"node-{target()}@{version(name)}"
    return f"{name}@{version(name)}"


def install(modules, *names):
    """Installs what is missing in the wanted version; returns whether everything is there."""
    modules.mkdir(parents=True, exist_ok=True)
    noted = modules / "installed.json"
    there = json.loads(noted.read_text()) if noted.exists() else {}
    if not peer.installed("npm"):
        return False
    asked = {name: wanted(name) for name in names}
    missing = {name: spec for name, spec in asked.items() if there.get(name) != spec}
    if not missing:
        return True
    command = ["npm", "install", "--prefix", modules, "--no-audit", "--no-fund", "--omit=optional", "--save-exact",
               "--ignore-scripts", *missing.values()]
    why = failure(command)
    if why:
        peer.skip("npm-packages", f"{', '.join(missing)} cannot be installed ({why})")
        return False
    noted.write_text(json.dumps({**there, **missing}))
    return True


def failure(command):
    """Runs the command of a package manager. Returns the last line of why it failed, or nothing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALLING)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error).splitlines()[-1]
    if done.returncode == 0:
        return ""
    return (done.stderr.strip() or f"it ends with {done.returncode}").splitlines()[-1]


def install_python(folder, *names):
    """Installs these packages of PyPI into a folder of their own, from which they can then be imported; returns whether
    they are there."""
    wanted = {name: name if os.environ.get("PEERS_NEWEST") == "1" else f"{name}=={VERSIONS[name]}" for name in names}
    noted = folder / "installed.json"
    if not noted.exists() or json.loads(noted.read_text()) != wanted:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target", folder]
        why = failure([*command, *wanted.values()])
        if why:
            peer.skip("pypi-packages", f"{', '.join(wanted.values())} cannot be installed ({why})")
            return False
        noted.write_text(json.dumps(wanted))
    sys.path.append(str(folder))
    return True


def install_programs(venv, *names):
    """Installs these programs of PyPI, with what they need, into an environment of their own; returns whether they are
    there."""
    wanted = {name: name if os.environ.get("PEERS_NEWEST") == "1" else f"{name}=={VERSIONS[name]}" for name in names}
    noted = venv / "installed.json"
    if noted.exists() and json.loads(noted.read_text()) == wanted:
        return True
    install = [venv / "bin" / "python", "-m", "pip", "install", "--quiet", "--upgrade", *wanted.values()]
    why = failure([sys.executable, "-m", "venv", venv]) or failure(install)
    if why:
        peer.skip("pypi-packages", f"{', '.join(wanted.values())} cannot be installed ({why})")
        return False
    noted.write_text(json.dumps(wanted))
    return True


def official(modules):
    """The official program, if it is there."""
    return next(modules.glob(f"node_modules/@openai/codex-{target()}/vendor/*/bin/codex"), None)


def node(modules):
    """Node, if it is there."""
    return next(modules.glob(f"node_modules/node-{target()}/bin/node"), None)


def pi(modules):
    """The script of pi that Node runs, if it is there."""
    return next(modules.glob(f"node_modules/{PI}/dist/bundle/cli.js"), None)
