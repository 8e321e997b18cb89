"""The rows of `make bench`: what is measured, what it is measured against, and the target.

A row is a function of a `Machine` with a name; it returns lines of the table. The text of a conversation is
chosen by the prompt, from SCRIPT. Other programs get the same request, and write to /dev/null as ours does.
"""

import concurrent.futures
import json
import random
import shutil
import sys

import bench
import packages
from measure import Line, against, cpu, median_of, ratios, shown, wall

CALLS = 21  # in one answer; beside 1
ENTRIES = 20_000  # in a home
DELTAS = 200_000  # about 58 MB of events
PEER_DELTAS = 50_000
ROUNDS = 50
ROUNDS_OF_OURS, ROUNDS_OF_OFFICIAL, ROUNDS_OF_PI = ("rounds of ours", "rounds of the official client", "rounds of pi")
LARGE_DELTA = '"\n\t\\' * 112_500  # 0.9 MB as JSON
MESSAGE = 15_000_000  # bytes
PACES = {100: 100, 1000: 1000}  # deltas a second: how many
FILES, FILE = 2000, 31_500  # about 63 MB
BIG_FILE = 500_000_000
SESSIONS, SESSION = 300, 1_150_000
CONVERSATION = 55 << 20
MANY_ROUNDS, SAMPLE = 1000, 100
RUNS = 300  # at once
SEED = 20
ANSWER = f"You said: {bench.SHORT}"
COMPLETED = "response.completed"

ROWS = {}


def rounds_of(tool, arguments, count=ROUNDS):
    """Rounds with a call each, and an answer."""
    return [{"items": [{"call": {"name": tool, "arguments": arguments}}]}] * count + [{"items": [{"text": "done"}]}]


def calls(count):
    """An answer with this many calls, and an answer of text."""
    call = {"call": {"name": "bash", "arguments": {"command": "true"}}}
    return [{"items": [call] * count}, {"items": [{"text": "done"}]}]


SCRIPT = {"scenarios": [{"when": when, "rounds": rounds} for when, rounds in {
    "until close": [{"deltas": DELTAS, "framing": "close"}],
    "in chunks": [{"deltas": DELTAS, "by_event": True}],
    "fifty thousand": [{"deltas": PEER_DELTAS}],
    "small escapes": [{"deltas": DELTAS, "delta": 'a "b"\n', "framing": "close"}],
    "large escapes": [{"deltas": 12, "delta": LARGE_DELTA, "framing": "close"}],
    "large message": [{"deltas": MESSAGE // 250, "delta": "word " * 50}],
    "one word": [{"deltas": 1}],
    **{f"at {rate} a second": [{"deltas": count}] for rate, count in PACES.items()},
    "one call": calls(1), "many calls": calls(CALLS),
    ROUNDS_OF_OURS: rounds_of("bash", {"command": "true"}),
    ROUNDS_OF_OFFICIAL: rounds_of("exec_command", {"cmd": "true"}),
    ROUNDS_OF_PI: rounds_of("bash", {"command": "true"}),
    "a thousand times": rounds_of("bash", {"command": "true"}, MANY_ROUNDS + 20),
    "an answer for all": [{"items": [{"text": "done"}], "before_headers_ms": 4000}],
}.items()]}


def row(function):
    ROWS[function.__name__] = function
    return function


@row
def version(machine):
    """Starts, of 20 in a row."""
    candidates = machine.each(lambda build: machine.run([machine.builds[build], "--version"], times=20))
    others = {f"an empty static {what}": program for what, program in machine.minimal("empty").items()}
    for name, program in others.items():
        candidates[name] = lambda program=program: machine.run([program], times=20)
    results = machine.turns(candidates, 15)
    for name in others:
        yield Line("`--version`, CPU", f"{name} ({median_of(results[name], cpu)})", 1.0,
                   against(results, name, cpu, machine.builds))


@row
def short(machine):
    """A short answer without tools; the peers in turns of their own, which are fewer."""
    port = machine.standin.url.rsplit(":", 1)[1]
    candidates = machine.each(lambda build: machine.ask(build, bench.SHORT, times=5))
    others = {}
    for what, program in machine.minimal("post").items():
        others[f"a static {what} that posts"] = 2, [program, port, "/v1/responses", machine.body(bench.SHORT)]
    others["curl"] = 0.25, machine.curl(bench.SHORT)
    for name, (_, command) in others.items():
        machine.expect(COMPLETED, command)
        candidates[name] = lambda command=command: machine.run(command, times=5)
    results = machine.turns(candidates, 21)
    for name, (target, _) in others.items():
        yield Line("short answer, no tools, CPU", f"{name} ({median_of(results[name], cpu)})", target,
                   against(results, name, cpu, machine.builds))
    yield from beside_peers(machine, "short answer", lambda build: machine.ask(build, bench.SHORT), lambda _: bench.SHORT,
                            ANSWER, 5)


def beside_peers(machine, work, ask, prompts, answer, rounds, targets=None):
    """Lines beside the peers that are installed. `ask` is a candidate of ours, `prompts` the prompt for each package."""
    candidates = machine.each(ask)
    for peer in machine.peers:
        command = [*peer.command[:-1], prompts(package(peer))]
        candidates[peer.name] = lambda command=command, peer=peer: machine.run(command, peer.env)
        machine.expect(answer, command, peer.env)
    results = machine.turns(candidates, rounds) if machine.peers else {}
    for peer in machine.peers:
        for what, measure in (("CPU", cpu), ("wall time", wall)):
            target = targets[package(peer)] if targets and measure is cpu else None
            yield Line(f"{work}, {what}", f"{peer.name} ({median_of(results[peer.name], measure)})", target,
                       against(results, peer.name, measure, machine.builds))


def package(peer):
    return peer.name.split()[0]


def crowded(machine):
    """A home with many entries."""
    home = machine.folder / "crowded"
    if not home.exists():
        home.mkdir()
        for number in range(ENTRIES):
            (home / f"entry-{number:05}").touch()
    return home


@row
def start(machine):
    """From the start to the first bytes of the request, with the default tools and without."""
    stream = machine.stream("one word")

    def until_request(build, home, *flags):
        def command(url):
            return machine.command(*flags, bench.SHORT, build=build), {"OPENAI_BASE_URL": f"{url}/v1", "HOME": home}
        return machine.served(stream, 0, command)

    homes = {"": machine.home, f", {ENTRIES:,} entries in the home": crowded(machine)}
    candidates = {}
    for build in machine.builds:
        for name, home in homes.items():
            candidates[build + name] = lambda build=build, home=home: until_request(build, home)
            candidates[f"{build}{name}, no tools"] = lambda build=build, home=home: until_request(build, home, "--no-tools")
    results = machine.turns(candidates, 21)
    for name in homes:
        values = {build: ratios(results[build + name], results[f"{build}{name}, no tools"], lambda result: result.request)
                  for build in machine.builds}
        without = median_of(results[f"{next(iter(machine.builds))}{name}, no tools"], lambda result: result.request)
        yield Line(f"start with default tools{name}", f"`--no-tools` ({without} until the request)", 1.3, values)


def per_call(pair):
    many, one = pair
    return (many.cpu - one.cpu) / (CALLS - 1)


def with_calls(machine, home):
    """A candidate: a run with many calls, and one with a single call."""
    def candidate(build):
        return tuple(machine.codex(build, prompt, env={"HOME": home}) for prompt in ("many calls", "one call"))
    return candidate


@row
def home(machine):
    """Calls in a home with many entries, and the work that is done once per run."""
    candidates = {}
    for build in machine.builds:
        candidates[build] = lambda build=build: with_calls(machine, crowded(machine))(build)
        candidates[f"{build}, empty"] = lambda build=build: with_calls(machine, machine.home)(build)
    results = machine.turns(candidates, 7)
    empty = {build: results[f"{build}, empty"] for build in machine.builds}
    calls_beside = median_of(next(iter(empty.values())), per_call)
    yield Line(f"each call, {ENTRIES:,} entries in the home, CPU", f"an empty home ({calls_beside})", 1.2,
               {build: ratios(results[build], empty[build], per_call) for build in machine.builds})
    once = {build: [(full[1].cpu - bare[1].cpu) / ENTRIES * 1e6 for full, bare in zip(results[build], empty[build])]
            for build in machine.builds}
    yield Line(f"once per run, {ENTRIES:,} entries in the home, CPU an entry", "an empty home", 11, once, "µs")


@row
def call(machine):
    """A sandboxed call without the request around it."""
    candidates = machine.each(with_calls(machine, machine.home))
    bash = shutil.which("bash") or sys.exit("bench: bash is not installed")
    candidates["bash"] = lambda: machine.run([bash, "-c", "true"], times=CALLS - 1)
    results = machine.turns(candidates, 15)
    values = {build: [per_call(pair) / other.cpu for pair, other in zip(results[build], results["bash"])]
              for build in machine.builds}
    yield Line("tool call, sandboxed, CPU", f"`bash -c true` ({median_of(results['bash'], cpu)})", 2, values)


@row
def rounds(machine):
    """Rounds of a tool beside the peers, each with its default sandbox."""
    before = machine.standin.next_connection()
    machine.codex(next(iter(machine.builds)), ROUNDS_OF_OURS)
    if machine.standin.next_connection() - before - 1 != 1:
        sys.exit("bench: the rounds of a run take more than one connection")
    targets = {packages.OFFICIAL: 0.06, packages.PI: 0.12}
    yield from beside_peers(machine, f"{ROUNDS} rounds of a tool", lambda build: machine.codex(build, ROUNDS_OF_OURS),
                            {packages.OFFICIAL: ROUNDS_OF_OFFICIAL, packages.PI: ROUNDS_OF_PI}.get, "done", 5, targets)


@row
def stream(machine):
    """A long stream to text, in two framings, and beside the peers."""
    for framing, prompt, target in (("body until close", "until close", 2), ("a chunk per event", "in chunks", 0.7)):
        candidates = machine.each(lambda build: machine.ask(build, prompt))
        candidates["curl"] = lambda: machine.run(machine.curl(prompt))
        machine.expect("word " * DELTAS, machine.command("--no-tools", prompt))
        machine.expect(COMPLETED, machine.curl(prompt))
        results = machine.turns(candidates, 15)
        yield Line(f"58 MB, {DELTAS:,} deltas to text, {framing}, CPU", f"curl ({median_of(results['curl'], cpu)})", target,
                   against(results, "curl", cpu, machine.builds))
    yield from beside_peers(machine, f"{PEER_DELTAS:,} deltas", lambda build: machine.ask(build, "fifty thousand"),
                            lambda _: "fifty thousand", "word " * 1000, 3)


@row
def escapes(machine):
    """Deltas with escapes: beside the same stream without, and very large ones beside curl."""
    candidates = machine.each(lambda build: machine.ask(build, "small escapes"))
    for build in machine.builds:
        candidates[f"{build}, plain"] = lambda build=build: machine.ask(build, "until close")
    results = machine.turns(candidates, 11)
    plain = median_of(results[f"{next(iter(machine.builds))}, plain"], cpu)
    yield Line("58 MB, escapes in every delta, CPU", f"without escapes ({plain})", 1.3,
               against(results, lambda build: f"{build}, plain", cpu, machine.builds))
    machine.expect(LARGE_DELTA * 12, machine.command("--no-tools", "large escapes"))
    candidates = machine.each(lambda build: machine.ask(build, "large escapes"))
    candidates["curl"] = lambda: machine.run(machine.curl("large escapes"))
    results = machine.turns(candidates, 11)
    yield Line("0.9 MB deltas full of escapes, CPU", f"curl ({median_of(results['curl'], cpu)})", 4,
               against(results, "curl", cpu, machine.builds))


@row
def paced(machine):
    """Deltas at a steady rate, each in a packet of its own. Processor time and context switches are those of the stream:
    less those of an answer of one word."""
    def ours(build, url, prompt):
        return machine.command("--no-tools", prompt, build=build), {"OPENAI_BASE_URL": f"{url}/v1"}

    for rate, count in PACES.items():
        prompt = f"at {rate} a second"
        pair = [(machine.stream(name), name) for name in (prompt, "one word")]

        def served(command, pair=pair, rate=rate):
            return tuple(machine.served(file, 1_000_000 // rate, lambda url, name=name: command(url, name))
                         for file, name in pair)

        candidates = machine.each(lambda build: served(lambda url, name: ours(build, url, name)))
        candidates["curl"] = lambda: served(lambda url, name: (machine.curl(name, "--no-buffer", url=url), {}))
        results = machine.turns(candidates, 5)
        measures = {
            "CPU": lambda pair: pair[0].cpu - pair[1].cpu,
            "context switches": lambda pair: pair[0].switches - pair[1].switches,
            "p50 latency": lambda pair: sorted(pair[0].latencies)[len(pair[0].latencies) // 2],
        }
        for what, measure in measures.items():
            if what == "context switches":
                beside = f"{sorted(map(measure, results['curl']))[len(results['curl']) // 2] / count:.3g} a delta"
            else:
                beside = median_of(results["curl"], measure)
            yield Line(f"paced stream, {rate:,} a second, {what}", f"curl ({beside})", 1.2,
                       against(results, "curl", measure, machine.builds))


@row
def memory(machine):
    """Peak memory: of JSON lines for a large message, beside the message; of the long stream."""
    results = machine.turns(machine.each(lambda build: machine.ask(build, "large message", "--json")), 3)
    size = MESSAGE // 250 * 250
    yield Line("`--json`, a message of 15 MB, peak memory", "the message", 3,
               {build: [result.memory / size for result in results[build]] for build in machine.builds})
    for what, flags in (("text", ()), ("`--json`", ("--json",))):
        results = machine.turns(machine.each(lambda build: machine.ask(build, "until close", *flags)), 3)
        yield Line(f"58 MB, {DELTAS:,} deltas, {what}, peak memory", "–", 24,
                   {build: [result.memory / 2**20 for result in results[build]] for build in machine.builds}, "MiB")


def text_of(length, seed):
    """Lines of words."""
    chosen = random.Random(seed)
    words = ["".join(chosen.choices("etaoinshrdlucmfw", k=chosen.randint(2, 9))) for _ in range(500)]
    lines, size = [], 0
    while size < length:
        line = " ".join(chosen.choices(words, k=chosen.randint(3, 15)))
        lines.append(line)
        size += len(line) + 1
    return ("\n".join(lines) + "\n").encode()


NEEDLE, PATTERN = b"found needle_4711 here\n", "needle_[0-9]+"


def tree(machine):
    """A directory of files with lines of words, one in a hundred of which has the needle."""
    folder = machine.folder / "tree"
    if not folder.exists():
        text = text_of(FILE, SEED)
        for number in range(FILES):
            place = folder / f"part-{number // 50:02}"
            place.mkdir(parents=True, exist_ok=True)
            (place / f"file-{number:04}.txt").write_bytes(text + (NEEDLE if number % 100 == 0 else b""))
    return folder


def big_file(machine):
    """A file of 500 MB with the needle at its end."""
    path = machine.folder / "big.txt"
    if not path.exists():
        block = text_of(1 << 20, SEED)
        with path.open("wb") as file:
            for _ in range(BIG_FILE // len(block)):
                file.write(block)
            file.write(NEEDLE)
    return path


def tool(machine, name, arguments):
    """A candidate: `codex tool`, with no program on PATH."""
    given = machine.folder / f"{name}.json"
    given.write_text(json.dumps(arguments, default=str))
    bare = machine.folder / "bare"
    bare.mkdir(exist_ok=True)
    return machine.each(lambda build: machine.run([machine.builds[build], "tool", name], {"PATH": bare}, stdin=given,
                                                  stdout=machine.folder / "out"))


def gnu(machine, *command):
    """A candidate: another program, with its output in a file. GNU grep stops early if that is /dev/null."""
    program = shutil.which(command[0]) or sys.exit(f"bench: {command[0]} is not installed")
    return lambda: machine.run([program, *command[1:]], stdout=machine.folder / "out")


@row
def grep(machine):
    """The tool without ripgrep, beside GNU grep."""
    for what, path, flags in (("63 MB in 2,000 files", tree(machine), "-rnE"), ("a file of 500 MB", big_file(machine), "-nE")):
        candidates = tool(machine, "grep", {"pattern": PATTERN, "path": path})
        machine.expect("needle_4711", [*machine.builds.values()][:1] + ["tool", "grep"], stdin=machine.folder / "grep.json")
        candidates["grep"] = gnu(machine, "grep", flags, PATTERN, path)
        results = machine.turns(candidates, 5)
        yield Line(f"`grep` without rg, {what}, CPU", f"GNU grep ({median_of(results['grep'], cpu)})", 3,
                   against(results, "grep", cpu, machine.builds))


@row
def read(machine):
    """The first lines of a large file, whose lines are counted."""
    path = big_file(machine)
    candidates = tool(machine, "read", {"path": path, "limit": 2000})
    candidates["wc"] = gnu(machine, "wc", "-l", path)
    results = machine.turns(candidates, 7)
    yield Line("`read` of 2,000 lines of a file of 500 MB, CPU", f"`wc -l` ({median_of(results['wc'], cpu)})", 1.5,
               against(results, "wc", cpu, machine.builds))


def stored(machine, home):
    """The file of a conversation of one word, in this home: its lines."""
    machine.ask(next(iter(machine.builds)), "one word", env={"HOME": home})
    path = next((home / ".codex-run/sessions").rglob("*.jsonl"))
    return path, path.read_bytes().splitlines(keepends=True)


def longer(lines, length, each):
    """The lines with further questions and answers, up to about this length. An answer has `each` bytes."""
    question, answer = lines[-2:]
    answer = answer.replace(b'word ', b"word " * max(1, each // 5), 1)
    more = max(0, length - sum(map(len, lines))) // (len(question) + len(answer))
    return b"".join(lines + [question, answer] * more)


@row
def sessions(machine):
    """The list of conversations, with long and with short ones."""
    homes = {}
    for name, length in (("long", SESSION), ("short", 0)):
        home = homes[name] = machine.folder / f"sessions-{name}"
        home.mkdir()
        path, lines = stored(machine, home)
        content = longer(lines, length, 10_000)
        for number in range(SESSIONS):
            name = f"{path.stem[:-6]}{number:06x}"
            path.with_name(f"{name}.jsonl").write_bytes(content.replace(path.stem.encode(), name.encode(), 1))
    candidates = machine.each(lambda build: machine.run([machine.builds[build], "sessions"], {"HOME": homes["long"]}))
    for build in machine.builds:
        candidates[f"{build}, short"] = lambda build=build: machine.run([machine.builds[build], "sessions"],
                                                                       {"HOME": homes["short"]})
    results = machine.turns(candidates, 9)
    beside = median_of(results[f"{next(iter(machine.builds))}, short"], cpu)
    yield Line(f"`sessions`, {SESSIONS} files of 1.15 MB, CPU", f"{SESSIONS} files of 1 KB ({beside})", 1.3,
               against(results, lambda build: f"{build}, short", cpu, machine.builds))


@row
def resume(machine):
    """Peak memory of a run that continues a long conversation."""
    home = machine.folder / "resumed"
    home.mkdir()
    path, lines = stored(machine, home)
    path.write_bytes(longer(lines, CONVERSATION, 50_000))
    size, answer = path.stat().st_size, machine.stream("one word")

    def candidate(build):
        def command(url):
            # A model without a limit on its context.
            provider = {"baseUrl": f"{url}/v1", "apiKey": "sk-standin", "models": [{"id": "large"}]}
            (home / ".codex-run/models.json").write_text(json.dumps({"providers": {"box": provider}}))
            arguments = ["--no-tools", "-m", "box/large", "--resume", path.stem, "and now"]
            return [machine.builds[build], "run", "--no-stdin", *arguments], {"HOME": home}
        return machine.served(answer, 0, command)

    results = machine.turns(machine.each(candidate), 3)
    yield Line("resume of a conversation of 55 MiB, peak memory", "the file", 1.3,
               {build: [result.memory / size for result in results[build]] for build in machine.builds})


@row
def flat(machine):
    """Processor time of the last rounds of a long run beside the first ones, seen from outside while it runs."""
    values, folder = {}, machine.folder / "flat"
    folder.mkdir()
    # Without a log, which would have every request: half a gigabyte.
    with bench.Standin(machine.standin.program, folder, SCRIPT, is_logged=False) as service:
        for build in machine.builds:
            seen = machine.sampled(build, service.url, '"type":"function_call_output"',
                                   (SAMPLE, MANY_ROUNDS - SAMPLE, MANY_ROUNDS),
                                   "--max-turns", str(2 * MANY_ROUNDS), "a thousand times")
            values[build] = [(seen[MANY_ROUNDS] - seen[MANY_ROUNDS - SAMPLE]) / seen[SAMPLE]]
    yield Line(f"CPU of the last {SAMPLE} of {MANY_ROUNDS:,} rounds", f"the first {SAMPLE}", 1.1, values)


@row
def crowd(machine):
    """Many runs at once, none of which fails."""
    values = {}
    for build in machine.builds:
        with concurrent.futures.ThreadPoolExecutor(RUNS) as pool:
            started = [pool.submit(machine.ask, build, "an answer for all") for _ in range(RUNS)]
            values[build] = [max(run.result().memory for run in started) / 2**20]
    yield Line(f"{RUNS} runs at once, peak memory of the largest", "–", 6, values, "MiB")
