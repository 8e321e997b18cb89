#!/usr/bin/env python3
"""Builds what is handed out: for each target an archive and a .deb with the static program, and SHA256SUMS over all of them.

Two builds of one commit by the same compilers give the same bytes, whatever the directories are called: paths are mapped to
fixed names, and every time is that of the commit (or SOURCE_DATE_EPOCH). `make dist` calls this.
"""

import argparse
import gzip
import hashlib
import io
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.dont_write_bytecode = True  # everything below `src` is in the package of crates.io
import licences

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = "codex-run"
TARGETS = {"x86_64-unknown-linux-musl": "amd64", "aarch64-unknown-linux-musl": "arm64"}
DOCUMENTS = ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"]
THIRD_PARTY = "LICENSE-THIRD-PARTY"
# The archive has the layout of the checkout, so that install.sh finds the same names in both.
EXTRAS = {"install.sh": 0o755, "Containerfile": 0o644}
EARLIEST = 315532800  # 1980, for a source tree without a commit: before that some tools take a time for a mistake

COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: codex-run

Files: *
Copyright: {holder}
License: MIT or Apache-2.0
Comment: LICENSE-THIRD-PARTY in this directory has the licences of what is linked into the program.

License: MIT
{mit}

License: Apache-2.0
 On Debian systems, /usr/share/common-licenses/Apache-2.0 has the text.
"""


def say(words):
    print(f"dist: {words}", flush=True)


def output(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def version():
    lines = (ROOT / "Cargo.toml").read_text().splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("version = "))


def time_of_source():
    """Seconds since 1970: SOURCE_DATE_EPOCH, else the time of the commit."""
    if os.environ.get("SOURCE_DATE_EPOCH"):
        return int(os.environ["SOURCE_DATE_EPOCH"])
    if (ROOT / ".git").exists():
        return int(output("git", "-c", "safe.directory=*", "log", "-1", "--format=%ct"))
    return EARLIEST


def c_compiler(target, scratch):
    """A compiler for the C of `ring`, which needs no C library."""
    machine = target.split("-")[0]
    names = [f"{machine}-linux-musl-gcc"]
    names += ["musl-gcc", "cc"] if machine == os.uname().machine else []
    names += [f"{machine}-linux-gnu-gcc"]
    found = next((name for name in names if shutil.which(name)), None)
    if found:
        return found
    if subprocess.run([sys.executable, "-c", "import ziglang"], capture_output=True).returncode:
        sys.exit(f"dist: no C compiler for {target}: install one of {', '.join(names)}, or ziglang from PyPI")
    wrapper = pathlib.Path(scratch, f"{target}-cc")
    # zig has names of its own for targets, and refuses those that the caller adds.
    wrapper.write_text(
        "#!/bin/sh\nfor word; do shift\n    case $word in --target=*) ;; *) set -- \"$@\" \"$word\" ;; esac\ndone\n"
        f"exec {sys.executable} -m ziglang cc -target {machine}-linux-musl \"$@\"\n"
    )
    wrapper.chmod(0o755)
    return str(wrapper)


def build(target, folder, scratch):
    """The program for this target, without a path of this machine in it."""
    libraries = pathlib.Path(output("rustc", "--print", "target-libdir", "--target", target))
    if not libraries.is_dir():
        sys.exit(f"dist: {target} is not installed: rustup target add {target}")
    sysroot = output("rustc", "--print", "sysroot")
    cargo_home = os.environ.get("CARGO_HOME") or str(pathlib.Path.home() / ".cargo")
    compiler = output("rustc", "-vV").split("commit-hash: ")[1].split()[0]
    # The last one that matches counts. Without its source installed, the compiler itself names the library so.
    fixed = {str(ROOT): "/source", str(folder): "/target", cargo_home: "/cargo", sysroot: "/rust"}
    fixed[f"{sysroot}/lib/rustlib/src/rust"] = f"/rustc/{compiler}"
    flags = [f"--remap-path-prefix={path}={alias}" for path, alias in fixed.items()]
    # Relocations in their short form, for which the C library of older compilers lacks the code, equal functions once, and no
    # tables for unwinding.
    if tuple(int(part) for part in output("rustc", "--version").split()[1].split(".")[:2]) < (1, 93):
        sys.exit("dist: the archives need Rust 1.93 or newer; `make install` works with 1.88")
    flags += (ROOT / "src/dist/link-flags").read_text().split()
    name = target.replace("-", "_")
    environment = {
        **os.environ,
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags),
        # The linker that comes with the compiler: the same everywhere, and for both targets.
        f"CARGO_TARGET_{name.upper()}_LINKER": "rust-lld",
        f"CC_{name}": c_compiler(target, scratch),
        f"CFLAGS_{name}": shlex.join(f"-ffile-prefix-map={path}={alias}" for path, alias in fixed.items()),
        "CC_SHELL_ESCAPED_FLAGS": "1",
        "CARGO_INCREMENTAL": "0",
    }
    command = [os.environ.get("CARGO", "cargo"), "build", "--locked", "--release", "--bin", "codex", "--target", target]
    say(f"building for {target} (some minutes the first time)")
    if subprocess.run([*command, "--target-dir", str(folder)], cwd=ROOT, env=environment).returncode:
        sys.exit(f"dist: the build for {target} failed")
    return (folder / target / "release" / "codex").read_bytes()


def tar(files, epoch, root=""):
    """A compressed tar of these files, {name: (mode, bytes)}, and the directories above them, all below `root`."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        folders = {str(parent) for name in files for parent in pathlib.PurePosixPath(name).parents} - {"."}
        for name in sorted(folders | set(files)):
            entry = tarfile.TarInfo(root + name)
            entry.mtime = epoch
            entry.uname = entry.gname = "root"
            if name in folders:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
            else:
                entry.mode, content = files[name]
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return compressed(raw.getvalue())


def compressed(content):
    return gzip.compress(content, compresslevel=9, mtime=0)


def pages_and_completions():
    """The files of `man` and `completions`, by their names."""
    found = {}
    for folder in ["man", "completions"]:
        for path in sorted((ROOT / folder).iterdir()):
            found[f"{folder}/{path.name}"] = path.read_bytes()
    return found


def archive(name, program, third_party, epoch):
    files = {"codex": (0o755, program), THIRD_PARTY: (0o644, third_party)}
    files |= {document: (0o644, (ROOT / document).read_bytes()) for document in DOCUMENTS}
    files |= {path: (0o644, content) for path, content in pages_and_completions().items()}
    files |= {extra: (mode, (ROOT / "src/dist" / extra).read_bytes()) for extra, mode in EXTRAS.items()}
    return tar(files, epoch, f"{name}/")


def place_in_debian(path):
    """Where Debian has this file of `man` or `completions`, and whether it is compressed there."""
    folder, name = path.split("/")
    if folder == "man":
        return f"usr/share/man/man{name.rsplit('.', 1)[1]}/{name}.gz", True
    if name.endswith(".bash"):
        return f"usr/share/bash-completion/completions/{name.removesuffix('.bash')}", False
    if name.endswith(".fish"):
        return f"usr/share/fish/vendor_completions.d/{name}", False
    return f"usr/share/zsh/vendor-completions/{name}", False


def deb(architecture, program, third_party, epoch):
    documents = f"usr/share/doc/{PACKAGE}"
    mit = (ROOT / "LICENSE-MIT").read_text()
    holder = next(line for line in mit.splitlines() if line.startswith("Copyright"))
    words = "\n".join(f" {line}" if line else " ." for line in mit.splitlines())
    own = COPYRIGHT.format(holder=holder.removeprefix("Copyright (c) "), mit=words)
    files = {
        "usr/bin/codex": program,
        f"{documents}/copyright": own.encode(),
        f"{documents}/CHANGELOG.md.gz": compressed((ROOT / "CHANGELOG.md").read_bytes()),
        f"{documents}/README.md.gz": compressed((ROOT / "README.md").read_bytes()),
        f"{documents}/{THIRD_PARTY}.gz": compressed(third_party),
    }
    for path, content in pages_and_completions().items():
        place, is_compressed = place_in_debian(path)
        files[place] = compressed(content) if is_compressed else content
    size = sum(len(content) for content in files.values())
    control = (
        f"Package: {PACKAGE}\nVersion: {version()}\nArchitecture: {architecture}\nSection: utils\nPriority: optional\n"
        f"Maintainer: the codex-run authors <codex-run@example.invalid>\nInstalled-Size: {-(-size // 1024)}\n"
        "Suggests: git, ripgrep\n"
        "Description: ChatGPT subscription or API key in the shell and in CI\n"
        " codex-run is a small client of the OpenAI Responses API with the command codex.\n"
        " It sends a prompt, streams the answer to standard output, and runs the tools\n"
        " that the model calls in a sandbox. It is not OpenAI's Codex CLI.\n"
    )
    sums = "".join(f"{hashlib.md5(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    meta = {"control": (0o644, control.encode()), "md5sums": (0o644, sums.encode())}
    data = {name: (0o755 if name == "usr/bin/codex" else 0o644, content) for name, content in files.items()}
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": tar(meta, epoch, "./"),
        "data.tar.gz": tar(data, epoch, "./"),
    }
    whole = b"!<arch>\n"
    for name, content in members.items():
        whole += f"{name:<16}{epoch:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        whole += content + b"\n" * (len(content) % 2)
    return whole


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target-dir", type=pathlib.Path, required=True, help="where Cargo builds")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="the directory of the results")
    parser.add_argument("targets", nargs="*", default=list(TARGETS), help="default: %(default)s")
    args = parser.parse_args()
    unknown = [target for target in args.targets if target not in TARGETS]
    if unknown:
        parser.error(f"no such target: {unknown[0]}; there are {', '.join(TARGETS)}")
    args.output.mkdir(parents=True, exist_ok=True)
    epoch, made = time_of_source(), {}
    for target in args.targets:
        with tempfile.TemporaryDirectory() as scratch:
            program = build(target, args.target_dir.resolve(), scratch)
        third_party = licences.text(ROOT, target).encode()
        name = f"{PACKAGE}-{version()}-{target}"
        made[f"{name}.tar.gz"] = archive(name, program, third_party, epoch)
        made[f"{PACKAGE}_{version()}_{TARGETS[target]}.deb"] = deb(TARGETS[target], program, third_party, epoch)
    made["SHA256SUMS"] = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(made.items())
    ).encode()
    for name, content in made.items():
        (args.output / name).write_bytes(content)
        say(f"{args.output / name}: {len(content)} bytes")


main()
