#!/usr/bin/env python3
"""Runs every command of the README's code blocks against the stand-in service, as a user would: in a home of its own, one
after the other, with files of the names that the README uses. `make test-readme` calls this.

A block of `sh` is a list of commands; each must exit with 0. A block of `console` also has what a command prints: lines
behind one that begins with `$ `. It is compared without the values of times and durations; a line `...` stands for any
lines. In a block of `yaml` the steps of a workflow are run. Other blocks, and commands that are not found, are failures.

What cannot be run here has a stand-in, in `STAND_INS` and `MAKE`; each use is printed with its reason.
"""

import argparse
import collections
import contextlib
import fcntl
import json
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TIMEOUT = 60  # seconds for a command
USER_HOME = "/home/ada"  # what the README shows for the home
MAX_WORDS = 1700  # of the README, without code: what is longer belongs in a manual page
NEEDED = ["bash", "curl", "git", "jq", "make", "tar"]
CALLBACK_PORTS = [1455, 1457]  # of a sign-in; the tests of tests/it take turns at them, by the same lock
VARYING = [
    (re.compile(r"\b\d+(\.\d+)? (ms|s)\b"), "DURATION"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?( ?UTC|Z)?"), "DATE"),
]
Block = collections.namedtuple("Block", "language line lines")
# A command, the line of the README that it is on, and the lines that it prints, None if the README does not show them.
Step = collections.namedtuple("Step", "command line shown")

# Programs that reach something which is not here. Each has its reason, and a script that checks how it is called.
STAND_INS = {
    "gh": ("needs an account at GitHub",
           'test "$1 $2" = "secret set" && test -n "$3" && test -n "$(cat)" || { echo "gh: unexpected: $*" >&2; exit 1; }'),
    "mcp-server-git": ("not installed", "exec $STANDIN --mcp honest"),
}
# Targets of the Makefile: how each is run here, and why not by itself.
MAKE = {
    "demo": ("without building", 'CODEX="$BUILT" STANDIN="$STANDIN" sh "$ROOT/tests/demo/demo.sh" > demo.log 2>&1'),
    "test": ("takes minutes; only the target is looked up", '"$MAKE" -C "$ROOT" -n test > /dev/null'),
    "install": ("without building", '"$MAKE" --no-print-directory -C "$ROOT" "$@" PROGRAM="$BUILT"'),
    "uninstall": ("of this checkout", '"$MAKE" --no-print-directory -C "$ROOT" "$@"'),
    "dist": ("takes minutes; only the target is looked up", '"$MAKE" -C "$ROOT" -n dist > /dev/null'),
}
REAL_MAKE = shutil.which("make")
# What a workflow's expressions are here, and the actions that need nothing here.
EXPRESSIONS = {"secrets.OPENAI_API_KEY": "sk-invented", "vars.CODEX_RUN_ARCHIVE": "file://ARCHIVE"}
ACTIONS = {"actions/checkout": "the files are there"}

FILES = {
    "build.log": "cc -o app main.o -lssl\n/usr/bin/ld: cannot find -lssl\n",
    "greet.sh": "echo hey\n",
    "letter.txt": "Dear Ada,\n",
    "Makefile": "test:\n\t@false\n",
    "src/main.rs": "fn main() {}\n",
    "src/lib.rs": "//! A library.\n",
    "CHANGELOG.md": "## 1.1\n\nTwo bugs are fixed.\n",
    "score.json": json.dumps({
        "type": "object", "properties": {"score": {"type": "integer"}, "reason": {"type": "string"}},
        "required": ["score", "reason"], "additionalProperties": False}),
}


def blocks(text):
    """The code blocks of a page."""
    found, current = [], None
    for number, line in enumerate(text.splitlines(), 1):
        if current is None and line.startswith("```"):
            current = Block(line[3:].strip(), number, [])
        elif current is not None and line.strip() == "```":
            found.append(current)
            current = None
        elif current is not None:
            current.lines.append(line)
    return found


def is_complete(command):
    """Whether a shell would run this, and not wait for another line."""
    checked = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True)
    return checked.returncode == 0 and not command.endswith("\\")


def commands(block):
    """The commands of a block of `sh`, each with its line."""
    step, first = "", 0
    for number, line in enumerate(block.lines, block.line + 1):
        if not step and (not line.strip() or line.lstrip().startswith("#")):
            continue
        first, step = (first, f"{step}\n{line}") if step else (number, line)
        if is_complete(step):
            yield Step(step, first, None)
            step = ""
    if step:
        sys.exit(f"README.md:{first}: the command has no end")


def session(block):
    """The commands of a block of `console`, with what is shown."""
    steps = []
    for number, line in enumerate(block.lines, block.line + 1):
        if line.startswith("$ "):
            steps.append(Step(line[2:], number, []))
        elif steps:
            steps[-1].shown.append(line)
        else:
            sys.exit(f"README.md:{number}: output without a command")
    return steps


def expression(match):
    name = match[1].strip()
    return EXPRESSIONS.get(name) or sys.exit(f"README.md: no value is known for the expression {name}")


def workflow(block):
    """The steps of a workflow: each `run`, in the variables of its `env`. Not a parser of YAML: it knows what it has seen."""
    steps, script, variables = [], None, []

    def finish():
        if script:
            # What GitHub does without `shell`: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
            body = " ".join([*variables, "bash", "-e", "-c", shlex.quote("\n".join(script[1]))])
            steps.append(Step(body, script[0], None))

    for number, line in enumerate(block.lines, block.line + 1):
        bare = line.strip()
        if used := re.fullmatch(r"- uses: ([\w/-]+)@\S+", bare):
            if used[1] not in ACTIONS:
                sys.exit(f"README.md:{number}: the action {used[1]} is not known")
            print(f"  not run  README.md:{number}: {used[1]}: {ACTIONS[used[1]]}")
        elif run := re.fullmatch(r"(?:- )?run: (.*)", bare):
            finish()
            script, variables = (number, [] if run[1] == "|" else [run[1]]), []
            indent = len(line) - len(line.lstrip())
        elif script and len(line) - len(line.lstrip()) > indent + 2:
            script[1].append(bare)
        elif given := re.fullmatch(r"env: \{ *(\w+): \"(.*)\" *\}.*", bare):
            value = re.sub(r"\$\{\{(.*?)\}\}", expression, given[2])
            variables.append(f"{given[1]}={shlex.quote(value)}")
        elif not re.fullmatch(r"(- )?[\w-]+:.*", bare):
            sys.exit(f"README.md:{number}: this line of a workflow is not known: {bare}")
    finish()
    return steps


LANGUAGES = {"sh": commands, "console": session, "yaml": workflow}


def masked(line):
    for pattern, word in VARYING:
        line = pattern.sub(word, line)
    return line.rstrip()


def matches(shown, printed):
    """Whether lines are what the README shows."""
    if not shown:
        return not printed
    if shown[0] == "...":
        return any(matches(shown[1:], printed[skipped:]) for skipped in range(len(printed) + 1))
    return bool(printed) and masked(shown[0]) == masked(printed[0]) and matches(shown[1:], printed[1:])


@contextlib.contextmanager
def callback_ports():
    """A turn at the ports."""
    def is_free(port):
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", port)) != 0

    with open(pathlib.Path(tempfile.gettempdir(), "codex-run-test-ports"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        end = time.monotonic() + TIMEOUT
        while not all(map(is_free, CALLBACK_PORTS)) and time.monotonic() < end:
            time.sleep(0.05)
        yield


class User:
    """A home, a directory with a repository, and a shell whose variables and directory go on from command to command."""

    def __init__(self, folder, codex, url, standin):
        self.home, self.work, self.state = folder / "home", folder / "work", folder / "state"
        self.uses = folder / "uses"
        stubs, last = folder / "stubs", folder / "bin"
        for made in (self.home, self.work, stubs, last):
            made.mkdir()
        for name, text in FILES.items():
            (self.work / name).parent.mkdir(exist_ok=True)
            (self.work / name).write_text(text)
        for name, (reason, script) in STAND_INS.items():
            self.stub(stubs / name, reason, script.replace("$STANDIN", shlex.quote(str(standin))))
        self.stub_make(stubs / "make")
        (last / "codex").symlink_to(codex)  # behind what `make install` installs
        archive = folder / "codex-run.tar.gz"
        pack(archive, codex)
        EXPRESSIONS["vars.CODEX_RUN_ARCHIVE"] = f"file://{archive}"
        path = [stubs, self.home / ".local/bin", "/usr/local/bin", "/usr/bin", "/bin", last]
        self.env = {
            "PATH": ":".join(map(str, path)), "HOME": str(self.home), "USER": "ada", "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "TERM": "dumb", "GIT_PAGER": "cat", "BROWSER": f"{standin} --browse", "CODEX_RUN_ISSUER": url,
            "CODEX_RUN_BASE_URL": f"{url}/backend-api/codex", "OPENAI_BASE_URL": f"{url}/v1",
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"), "GITHUB_PATH": str(folder / "path"),
        }
        # Only for the stand-in of make, so that it does not see them otherwise.
        (folder / "make.env").write_text("".join(
            f"{name}={shlex.quote(str(value))}\n"
            for name, value in {"ROOT": ROOT, "BUILT": codex, "STANDIN": standin, "MAKE": REAL_MAKE}.items()))
        box = {"baseUrl": f"{url}/v1", "apiKey": "sk-invented", "models": [{"id": "qwen3"}]}
        (self.home / ".codex-run").mkdir(mode=0o700)
        (self.home / ".cargo").mkdir()
        (self.home / ".codex-run/models.json").write_text(json.dumps({"providers": {"box": box}}))
        self.git("init", "-q", "-b", "main")
        self.git("add", ".")
        self.git("commit", "-qm", "Start")
        self.git("update-ref", "refs/remotes/origin/main", "HEAD")
        (self.work / "greet.sh").write_text("echo hey\necho salut\n")
        self.git("commit", "-qam", "Greet in French")
        (self.work / "greet.sh").write_text("echo hey\necho bonjour\n")
        self.state.write_text(f"cd {shlex.quote(str(self.work))}\n")

    def stub(self, file, reason, script):
        self.uses.touch()
        file.write_text(f"#!/bin/sh\necho {shlex.quote(f'{file.name}: {reason}')} >> {shlex.quote(str(self.uses))}\n{script}\n")
        file.chmod(0o755)

    def stub_make(self, file):
        uses, where = shlex.quote(str(self.uses)), shlex.quote(str(file.parents[1] / "make.env"))
        cases = "".join(
            f"{name})\n    echo {shlex.quote(f'make {name}: {reason}')} >> {uses}\n    {script} ;;\n"
            for name, (reason, script) in MAKE.items())
        # In the user's directory `make test` inside the sandbox is the real one.
        file.write_text(f'#!/bin/sh\n[ -f {where} ] && [ -w {uses} ] || exec {REAL_MAKE} "$@"\n. {where}\n'
                        f'case $1 in\n{cases}*) echo "make: no such command is known here: $*" >&2; exit 2 ;;\nesac\n')
        file.chmod(0o755)

    def git(self, *words):
        names = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        subprocess.run(["git", *names, *words], cwd=self.work, env=self.env, check=True)

    def runs(self, step):
        """The exit code of a command, and the lines that it prints to both streams."""
        state = shlex.quote(str(self.state))
        # The next command begins with the variables and the directory that this one leaves.
        leaves = f'{{ export -p; printf "cd %q\\n" "$PWD"; }} > {state}'
        script = f". {state}\n{step.command}\ncode=$?\n{leaves}\nexit $code\n"
        turn = callback_ports() if re.search(r"codex login|make demo", step.command) else contextlib.nullcontext()
        try:
            with turn:
                done = subprocess.run(["bash", "-c", script], env=self.env, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT)
        except subprocess.TimeoutExpired as late:
            return "no end", (late.stdout or b"").decode(errors="replace").splitlines()
        return done.returncode, done.stdout.decode(errors="replace").replace(str(self.home), USER_HOME).splitlines()

    def stand_ins(self):
        """What was used since the last call."""
        used = self.uses.read_text().splitlines()
        self.uses.write_text("")
        return used


def pack(archive, codex):
    """An archive as `make dist` builds it, without what an installation does not need."""
    with tarfile.open(archive, "w:gz") as file:
        top = "codex-run-0.1.0-x86_64-unknown-linux-musl"
        file.add(codex, f"{top}/codex")
        file.add(ROOT / "src/dist/install.sh", f"{top}/install.sh")
        for name in ("man", "completions"):
            file.add(ROOT / name, f"{top}/{name}")


def unknown_words(text, user):
    """Flags in the text that no command has, and commands, topics and targets that do not exist."""
    def help_of(*words):
        done = subprocess.run(["codex", *words], env=user.env, capture_output=True, text=True, timeout=TIMEOUT)
        return done.stdout if done.returncode == 0 else ""

    spans = re.findall(r"`([^`\n]+)`", re.sub(r"(?s)```.*?```", "", text))
    of_codex = [span for span in spans if re.match(r"(codex |-)", span)]
    names = sorted({word for span in of_codex for word in re.findall(r"^codex ([a-z]+)", span)})
    texts = {name: help_of(name, "--help") or help_of("help", name) for name in names}
    everything = "".join([*texts.values(), *(help_of(name, "--help") for name in ("run", "login", "status", "sessions"))])
    known = set(re.findall(r"--[a-z-]+[a-z]|(?<![\w-])-[a-zA-Z]\b", everything)) | {"--version", "-h"}
    flags = sorted({flag for span in of_codex for flag in re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", span)})
    topics = [topic for topic in re.findall(r"`codex help ([\w-]+)`", text) if not help_of("help", topic)]
    makefile = (ROOT / "Makefile").read_text()
    targets = [f"make {name}" for name in re.findall(r"`make ([\w-]+)", text) if f"\n{name}:" not in makefile]
    absent = [f"codex {name}" for name in names if not texts[name]]
    topics = [f"codex help {topic}" for topic in topics]
    return [*absent, *targets, *topics, *(flag for flag in flags if flag not in known)]


def words(text):
    """The number of words, without code and addresses."""
    prose = re.sub(r"\]\([^)]*\)", "]", re.sub(r"(?s)```.*?```", "", text))
    return sum(1 for word in prose.split() if re.search(r"\w", word))


def missing_links(text):
    """Links to files and headings that do not exist."""
    titles = [line.lstrip("# ").lower() for line in text.splitlines() if line.startswith("#")]
    headings = {re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in titles}
    links = re.findall(r"\]\(([^)]*)\)", text)
    local = [link for link in links if not link.startswith("https://")]
    return [link for link in local if (link[1:] not in headings if link[:1] == "#" else not (ROOT / link).exists())]


def main():
    parser = argparse.ArgumentParser(description="Runs the commands of the README.")
    parser.add_argument("--codex", required=True, type=pathlib.Path)
    parser.add_argument("--standin", required=True, type=pathlib.Path)
    parser.add_argument("--verbose", action="store_true", help="print what each command prints")
    args = parser.parse_args()
    codex, standin = args.codex.resolve(), args.standin.resolve()
    text = (ROOT / "README.md").read_text()
    if absent := [name for name in NEEDED if not shutil.which(name)]:
        sys.exit(f"test-readme: {', '.join(absent)} must be installed")
    command = [standin, "--port", "0", "--script", HERE / "answers.json", "--until-eof"]
    served = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ran = stood_in = failed = 0
    try:
        url = served.stdout.readline().removeprefix("listening on ").strip()
        with tempfile.TemporaryDirectory() as folder:
            user = User(pathlib.Path(folder), codex, url, standin)
            for block in blocks(text):
                if block.language not in LANGUAGES:
                    sys.exit(f"README.md:{block.line}: it is not known how to run a block of {block.language or 'no language'}")
                for step in LANGUAGES[block.language](block):
                    code, printed = user.runs(step)
                    used = user.stand_ins()
                    differs = step.shown is not None and not matches(step.shown, printed)
                    well = code == 0 and not differs
                    ran, stood_in, failed = ran + 1, stood_in + bool(used), failed + (not well)
                    first = step.command.splitlines()[0]
                    print(f"  {'ok' if well else 'FAILED':7}  README.md:{step.line}: {first}")
                    for use in used:
                        print(f"           stand-in for {use}")
                    if not well:
                        print(f"           exit code {code}; it prints:")
                    for line in printed if args.verbose or not well else []:
                        print(f"           | {line}")
            unknown = unknown_words(text, user)
    finally:
        served.communicate()  # closes its standard input, which ends it
    problems = [f"no command knows {word}" for word in unknown] + [f"no such link: {link}" for link in missing_links(text)]
    if (count := words(text)) > MAX_WORDS:
        problems.append(f"{count} words are too many; the limit is {MAX_WORDS}")
    for problem in problems:
        print(f"  FAILED   {problem}")
    print(f"README.md: {count} words, {ran} commands, {stood_in} of them with a stand-in, {failed} failed")
    return int(bool(failed or problems or not ran))


if __name__ == "__main__":
    sys.exit(main())
