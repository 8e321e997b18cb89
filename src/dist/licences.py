"""The licences of everything that is linked into the program: the crates, the Rust standard library and musl.

The texts are those of the packages themselves; equal ones are printed once. A package without a text is named with the
licence in its manifest.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

NAMES = re.compile(r"^(licen[cs]e|copying|copyright|notice|unlicense)([-._].*)?$", re.IGNORECASE)
RULE = "=" * 100

STANDARD_LIBRARY = """The Rust standard library (MIT OR Apache-2.0) is linked into the program. It contains parts of LLVM's compiler-rt and libunwind
(Apache-2.0 WITH LLVM-exception OR NCSA OR MIT). Copyright (c) The Rust Project Contributors and the LLVM contributors.
https://www.rust-lang.org/policies/licenses lists what else it contains."""

MUSL = """The C library musl (MIT) is linked into the program.

Copyright © 2005-2020 Rich Felker, et al.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software
is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES
OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE
LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR
IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""


def packages(root, target):
    """The packages that the program depends on for this target, without those of tests, sorted by name."""
    cargo = os.environ.get("CARGO", "cargo")
    command = [cargo, "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    answer = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    metadata = json.loads(answer.stdout)
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    own = metadata["resolve"]["root"]
    found, left = {own}, [own]
    while left:
        for dependency in nodes[left.pop()]["deps"]:
            is_used = any(kind["kind"] != "dev" for kind in dependency["dep_kinds"])
            if is_used and dependency["pkg"] not in found:
                found.add(dependency["pkg"])
                left.append(dependency["pkg"])
    chosen = [package for package in metadata["packages"] if package["id"] in found - {own}]
    return sorted(chosen, key=lambda package: (package["name"], package["version"]))


def texts(package):
    """The texts of the licences in this package."""
    folder = pathlib.Path(package["manifest_path"]).parent
    paths = {path for path in folder.rglob("*") if path.is_file() and NAMES.match(path.name)}
    if package.get("license_file"):
        paths.add(folder / package["license_file"])
    for path in sorted(paths):
        # A source file that is called `license.rs` has none.
        if path.suffix not in {".rs", ".c", ".h", ".py", ".html"}:
            yield path.read_text(errors="replace").strip()


def text(root, target):
    """The whole document."""
    having, first, without = {}, {}, []
    chosen = packages(root, target)
    for package in chosen:
        name = f"{package['name']} {package['version']}"
        licence = package.get("license") or ""
        found = list(texts(package))
        if not found and not licence:
            sys.exit(f"dist: {name} names no licence")
        if not found:
            authors = ", ".join(package.get("authors") or []) or f"the authors of {package['name']}"
            without.append(f"{name}: {licence}; {authors}")
        for one in found:
            key = " ".join(one.split())
            first.setdefault(key, one)
            having.setdefault(key, []).append(name)
    parts = [
        "What is linked into codex, or took part in compiling it, with the licences. codex-run itself: LICENSE-MIT or\n"
        "LICENSE-APACHE, as you choose.\n\n"
        + "\n".join(f"{p['name']} {p['version']}: {p.get('license') or 'see its text'}" for p in chosen),
        STANDARD_LIBRARY,
        MUSL,
    ]
    for key, names in having.items():
        parts.append(f"{', '.join(dict.fromkeys(names))}\n\n{first[key]}")
    if without:
        parts.append("These packages contain no text; their manifests name the licence, whose text is above:\n\n" + "\n".join(without))
    return f"\n\n{RULE}\n".join(parts) + "\n"
