"""Checks what `make dist` has built: contents and sums, that the program starts in an empty root and streams (for aarch64
under qemu), that another directory gives the same bytes, that macOS compiles, and the package of crates.io. `make test-dist`
runs this; it builds the program several times, which takes a while. ONLY picks checks by their names.
"""

import argparse
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parent.parent
ROOT = TESTS.parent
sys.path[:0] = [str(TESTS), str(TESTS / "peers"), str(TESTS / "browser")]
from needs import skip
from peer import Checks
from signin import PATIENCE, Server

CARGO = os.environ.get("CARGO", "cargo")
PROMPT = "hello"
ANSWER = "You said: hello\n"


def run(*command, **options):
    """A command that ends by itself; a failure is for the caller to see."""
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)


def unpacked(archive, folder):
    """The directory that the archive contains."""
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="fully_trusted")
    return folder / archive.name.removesuffix(".tar.gz")


def target_of(path):
    return path.name.removesuffix(".tar.gz").split("-", 3)[3]


def runner(target):
    """What starts a program of this target here; nothing where it cannot be started."""
    machine = target.split("-")[0]
    if machine == os.uname().machine:
        return []
    for name in [f"qemu-{machine}-static", f"qemu-{machine}"]:
        if found := shutil.which(name):
            return [found]
    return None


def sums(checks, args, _):
    """SHA256SUMS names every file, with its sum."""
    lines = (args.dist / "SHA256SUMS").read_text().split("\n")[:-1]
    listed = dict(reversed(line.split("  ")) for line in lines)
    actual = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in args.packages}
    checks.that(f"SHA256SUMS has {len(listed)} files", listed == actual, listed, actual)


def archives(checks, args, folder):
    """An archive has what a user needs, and its program starts, streams and works in an empty root."""
    wanted = {"codex", "README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE", "LICENSE-THIRD-PARTY", "install.sh"}
    wanted |= {f"{part}/{path.name}" for part in ["man", "completions"] for path in (ROOT / part).iterdir()}
    for archive in args.archives:
        target, place = target_of(archive), unpacked(archive, folder)
        files = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}
        checks.that(f"{archive.name} has {len(files)} files", wanted <= files, wanted - files)
        starts(checks, args, target, place / "codex")
        if runner(target) == []:
            staged = folder / "staged"
            words = ["install", f"PREFIX={staged}"]
            done = run("sh", place / "install.sh", *words)
            checks.that("its install.sh installs", done.returncode == 0, done.stdout, done.stderr)
            done = run("sh", place / "install.sh", "uninstall", words[1])
            checks.that("and removes everything", not staged.exists(), done.stdout, done.stderr)


def starts(checks, args, target, program):
    """The program names its commit and target, and streams an answer."""
    before = runner(target)
    if before is None:
        skip("qemu-user", f"the program for {target} is not started")
        return
    done = run(*before, program, "--version", env={})
    commit = run("git", "-C", ROOT, "rev-parse", "HEAD").stdout[:10] or "unknown"
    fits = done.returncode == 0 and commit in done.stdout and done.stdout.endswith(f", {target}\n")
    checks.that(f"{target}: {' / '.join(done.stdout.splitlines())}", fits, commit, done.stdout, done.stderr)
    service = Server([args.standin, "--port", "0", "--until-eof"], program.parent / "standin.log")
    with tempfile.TemporaryDirectory() as home, service as server:
        env = {"CODEX_RUN_HOME": home, "OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "sk-dist-0123456789"}
        done = run(*before, program, "run", "--no-stdin", "--no-tools", PROMPT, env=env, timeout=PATIENCE)
        checks.that(f"{target}: an answer streams", done.stdout == ANSWER, done.stdout, done.stderr)
        done = run(*before, program, "run", "--no-stdin", "--no-tools", "--json", PROMPT, env=env, timeout=PATIENCE)
        checks.that(f"{target}: and its JSON lines end well", "turn.completed" in done.stdout, done.stdout, done.stderr)


def in_empty_root(checks, root, program):
    """The program starts where nothing else is."""
    if os.geteuid():
        skip("root", "nothing is started in an empty root")
        return
    inside = [shutil.which("chroot", path="/usr/sbin:/usr/bin:/sbin:/bin"), root]
    done = run(*inside, program, "--version", env={})
    checks.that(f"{program} starts in a root of its own", done.returncode == 0, done.stdout, done.stderr)
    done = run(*inside, program, "run", "--no-stdin", "--dry-run", "hi", env={"HOME": "/home", "OPENAI_API_KEY": "sk-dist-0123456789"})
    checks.that(f"{program} prepares a request there", done.returncode == 0 and '"hi"' in done.stdout, done.stdout, done.stderr)


def debs(checks, args, folder):
    """A .deb is read by dpkg-deb, and its program starts in a root that has nothing else."""
    if not shutil.which("dpkg-deb"):
        skip("dpkg-deb", "the .deb packages are not read")
        return
    for deb in args.debs:
        contents = run("dpkg-deb", "--contents", deb)
        own = all(" root/root " in line for line in contents.stdout.splitlines())
        checks.that(f"{deb.name}: {len(contents.stdout.splitlines())} entries", own and "./usr/bin/codex" in contents.stdout, contents.stdout, contents.stderr)
        field = run("dpkg-deb", "--field", deb, "Architecture").stdout.strip()
        checks.that(f"{deb.name}: its architecture is {field}", deb.name.endswith(f"_{field}.deb"))
        root = folder / deb.stem
        done = run("dpkg-deb", "--extract", deb, root)
        checks.that(f"{deb.name}: it unpacks", done.returncode == 0, done.stderr)
        if deb.name.endswith({"x86_64": "_amd64.deb", "aarch64": "_arm64.deb"}.get(os.uname().machine, "?")):
            in_empty_root(checks, root, "/usr/bin/codex")


def same(checks, args, folder):
    """Another clone, in another directory, gives the same bytes."""
    clone = folder / "another place" / "clone"
    done = run("git", "clone", "--quiet", "--local", "--no-hardlinks", ROOT, clone)
    if done.returncode:
        skip("git", "nothing is built in another directory")
        return
    targets = [target_of(path) for path in args.archives]
    where = ["--target-dir", folder / "build", "--output", folder / "again"]
    done = run(sys.executable, "-B", clone / "src/dist/dist.py", *where, *targets)
    again = {path.name: path.read_bytes() for path in (folder / "again").iterdir()} if done.returncode == 0 else {}
    for path in [*args.packages, args.dist / "SHA256SUMS"]:
        checks.that(f"{path.name} is the same from another directory", again.get(path.name) == path.read_bytes(), done.stderr[-800:])


def macos(checks, args, folder):
    """The crate compiles for macOS. A C compiler for it comes with zig."""
    target = "aarch64-apple-darwin"
    libraries = run("rustc", "--print", "target-libdir", "--target", target).stdout.strip()
    if not os.path.isdir(libraries) or run(sys.executable, "-m", "ziglang", "version").returncode:
        skip("macos", f"{target} (rustup) or ziglang (PyPI) is not installed")
        return
    compiler = folder / "cc"
    compiler.write_text(
        "#!/bin/sh\nskipped=\nfor word; do shift\n    case $word in\n"
        "    --target=* | -mmacosx* | -arch | arm64) ;;\n    *) set -- \"$@\" \"$word\" ;;\n    esac\ndone\n"
        f"exec {sys.executable} -m ziglang cc -target aarch64-macos \"$@\"\n"
    )
    compiler.chmod(0o755)
    env = {**os.environ, "CC_aarch64_apple_darwin": str(compiler), "RUSTFLAGS": "-D warnings"}
    done = run(CARGO, "check", "--quiet", "--locked", "--target", target, "--target-dir", args.scratch / "macos", cwd=ROOT, env=env)
    checks.that(f"{target} compiles without a warning", done.returncode == 0, done.stderr)


def crate(checks, args, folder):
    """`cargo package` warns of nothing, and `cargo install` works."""
    done = run(CARGO, "package", "--locked", "--target-dir", args.scratch / "package", cwd=ROOT)
    checks.that("cargo package is clean", done.returncode == 0 and "warning" not in done.stderr, done.stderr)
    listed = run(CARGO, "package", "--locked", "--list", cwd=ROOT).stdout.split()
    missing = {"src/build.rs", "src/dist/install.sh", "man/codex.1", "LICENSE-MIT", "Cargo.lock"} - set(listed)
    foreign = [name for name in listed if "__pycache__" in name or name.startswith("target")]
    checks.that(f"the package has {len(listed)} files", not missing and not foreign, missing, foreign)
    command = [CARGO, "install", "--quiet", "--locked", "--path", ROOT, "--root", folder / "root", "--target-dir", args.scratch / "package"]
    done = run(*command, cwd=folder)
    done = run(folder / "root/bin/codex", "--version") if done.returncode == 0 else done
    checks.that(f"cargo install: {done.stdout.splitlines()[-1:]}", "\ncommit " in done.stdout, done.stderr)


CHECKS = {"sums": sums, "archives": archives, "debs": debs, "macos": macos, "crate": crate, "same": same}


def main():
    parser = argparse.ArgumentParser(description="Checks what `make dist` has built.")
    parser.add_argument("--dist", type=pathlib.Path, required=True, help="what was built")
    parser.add_argument("--standin", type=pathlib.Path, required=True, help="the stand-in service")
    parser.add_argument("--scratch", type=pathlib.Path, required=True, help="where Cargo builds")
    parser.add_argument("only", nargs="*", help=f"of {', '.join(CHECKS)}")
    args = parser.parse_args()
    args.dist, args.standin, args.scratch = args.dist.resolve(), args.standin.resolve(), args.scratch.resolve()
    args.archives, args.debs = sorted(args.dist.glob("*.tar.gz")), sorted(args.dist.glob("*.deb"))
    args.packages = [*args.archives, *args.debs]
    if not args.packages:
        sys.exit(f"{args.dist} has no archive: run `make dist`")
    checks = Checks()
    for name in args.only or CHECKS:
        with tempfile.TemporaryDirectory() as folder:
            CHECKS[name](checks, args, pathlib.Path(folder).resolve())
    checks.leave()


main()
