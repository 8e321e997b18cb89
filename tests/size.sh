#!/bin/sh
# Builds the program as it is shipped and checks its size and the number of crates against the limits, and what a panic does, which
# depends on how it is built. `make size` calls it with the target directory; tests/size.txt has the sizes that were agreed on, and
# says how one is raised. With a second word, `build`, it only builds, and prints the target and the program.
set -eu
cd "$(dirname "$0")/.."
folder=$1
most=$((5 << 20)) # 5 MiB
slack=$((64 << 10)) # 64 KiB over the last agreed size
crates_most=110

fail() {
    echo "size: $1" >&2
    exit 1
}

crates=$(grep -c '^\[\[package\]\]' Cargo.lock)
[ "$crates" -le "$crates_most" ] || fail "Cargo.lock has $crates crates, and $crates_most are the limit"

target=$(uname -m)-unknown-linux-musl
if [ -d "$(rustc --print target-libdir --target "$target" 2>/dev/null)" ]; then
    # The C of `ring` needs no library, so the compiler of this machine does where there is none for musl.
    variable=CC_$(echo "$target" | tr - _)
    for compiler in "$(uname -m)-linux-musl-gcc" musl-gcc cc; do
        command -v "$compiler" >/dev/null 2>&1 && break
    done
    # Linked as `make dist` does.
    linker=CARGO_TARGET_$(echo "$target" | tr 'a-z-' 'A-Z_')_LINKER
    env "$variable=$compiler" "$linker=rust-lld" "RUSTFLAGS=$(tr '\n' ' ' <src/dist/link-flags)" \
        "${CARGO:-cargo}" build --quiet --locked --release --bin codex --target "$target"
    program=$folder/$target/release/codex
else
    case ",${CODEX_TESTS_STRICT:-}," in *,musl,*) fail "musl is wanted, and $target is not installed" ;; esac
    echo "skipped (musl): $target is not installed, so the program of this machine is measured" >&2
    target=$(rustc -vV | sed -n 's/^host: //p')
    "${CARGO:-cargo}" build --quiet --locked --release --bin codex
    program=$folder/release/codex
fi
if [ "${2:-}" = build ]; then
    echo "$target $program"
    exit
fi
size=$(wc -c <"$program" | tr -d ' ')

# Every row of this target but the first is a change, which the changelog names.
changes=$(cat CHANGELOG.md)
agreed=
for raise in $(sed -n "s/^$target //p" tests/size.txt); do
    case $changes in
    *"$((raise >> 10)) KiB"*) ;;
    *) [ -z "$agreed" ] || fail "tests/size.txt sets $target to $raise bytes, and no change speaks of $((raise >> 10)) KiB" ;;
    esac
    agreed=$raise
done

echo "$program: $size bytes, agreed on ${agreed:-nothing}; $crates crates"
[ "$size" -le "$most" ] || fail "that is above 5 MiB"
[ -z "$agreed" ] || [ "$size" -le $((agreed + slack)) ] ||
    fail "that is more than 64 KiB over tests/size.txt: make it smaller, or add a row and say why in the changes"

program=$(cd "$(dirname "$program")" && pwd)/codex
CODEX_TESTS_PROGRAM=$program "${CARGO:-cargo}" test --quiet --test it -- panics:: --test-threads 3
