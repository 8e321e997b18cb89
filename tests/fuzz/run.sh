#!/bin/sh
# Runs each target of libFuzzer for a while and fails if one finds something. It needs cargo, a C++ compiler and the
# registry: the instrumentation is the stable compiler's own, without a sanitizer, since the library has no `unsafe`.
#   FUZZ_SECONDS   how long each target runs (60)
#   FUZZ_TARGETS   which ones (all)
# The corpus is kept in target/fuzz/corpus, findings in target/fuzz/findings.
set -eu
cd "$(dirname "$0")"
seconds=${FUZZ_SECONDS:-60}
targets=${FUZZ_TARGETS:-sse events faults jwt credentials}
place=$(mkdir -p "${CARGO_TARGET_DIR:-../../target}/fuzz" && cd "${CARGO_TARGET_DIR:-../../target}/fuzz" && pwd)
host=$(rustc -vV | sed -n 's/^host: //p')

passes="-Cpasses=sancov-module"
for flag in level=4 inline-8bit-counters pc-table trace-compares; do
    passes="$passes -Cllvm-args=-sanitizer-coverage-$flag"
done
# With a target named, the flags are not for build scripts.
RUSTFLAGS="$passes --cfg fuzzing -Cdebug-assertions -Coverflow-checks" CARGO_TARGET_DIR=$place \
    "${CARGO:-cargo}" build --quiet --release --locked --target "$host"

# A seed for each JSON object on a line of these files.
objects() {
    into=$1
    shift
    grep -oh '{"[^#]*}' "$@" | sort -u | split -l 1 -a 3 - "$into/seed-"
}
# The words of the protocol: every string without an escape in the recorded streams and the tests of a refusal.
grep -oh '"[a-zA-Z_.]*"' ../it/data/*.sse ../../src/wire/fault/*.rs ../../src/auth/token.rs ../../src/auth/store/format.rs |
    sort -u | sed 's/"/\\"/g; s/.*/"&"/' >"$place/words"

failed=
for target in $targets; do
    corpus=$place/corpus/$target
    findings=$place/findings/$target
    mkdir -p "$corpus" "$findings"
    case $target in
    sse | events) cp ../it/data/*.sse "$corpus" ;;
    faults) objects "$corpus" ../it/faults.rs ../it/fault_table.rs ../../src/wire/fault/*.rs ../it/data/error.sse ../it/data/failed.sse ;;
    jwt) objects "$corpus" ../../src/auth/token.rs ../it/refresh.rs ;;
    credentials) objects "$corpus" ../../src/auth/store/format.rs ../../src/auth/store/document.rs ../it/foreign.rs ;;
    esac
    if "$place/$host/release/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=16384 \
        -dict="$place/words" -print_final_stats=1 -artifact_prefix="$findings/" "$corpus" >"$place/$target.log" 2>&1; then
        echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$place/$target.log") executions, no finding"
    else
        failed=1
        grep -a -A 3 "panicked\|SUMMARY" "$place/$target.log" | head -20
        echo "$target: a finding; the input is in $findings, the log is $place/$target.log"
    fi
done
[ -z "$failed" ]
