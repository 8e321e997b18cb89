# task: cargo nextest runs tests, each in a separate process
# needs: cargo cc cargo-nextest
# proof: 2 passed
set -euo pipefail

prepare() {
    mkdir src
    printf '[package]\nname = "two"\nversion = "0.1.0"\nedition = "2021"\n[workspace]\n' > Cargo.toml
    printf '#[test]\nfn one() {}\n#[test]\nfn two() {}\n' > src/lib.rs
}

work() {
    unset CARGO_TARGET_DIR
    cargo nextest run --offline 2>&1 | tee log
    grep -o '2 passed' log
}

"$@"
