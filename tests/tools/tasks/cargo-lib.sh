# task: cargo tests a library, an integration test and a documentation test
# needs: cargo cc
# proof: 3 kinds of tests passed
# places: work tmp
# part: test
set -euo pipefail

prepare() {
    mkdir src tests
    printf '[package]\nname = "twice"\nversion = "0.1.0"\nedition = "2021"\n[workspace]\n' > Cargo.toml
    cat > src/lib.rs <<'END'
/// ```
/// assert_eq!(twice::twice(2), 4);
/// ```
pub fn twice(n: u32) -> u32 { 2 * n }
#[test]
fn doubles() { assert_eq!(twice(3), 6); }
END
    printf '#[test]\nfn from_outside() { assert_eq!(twice::twice(4), 8); }\n' > tests/outside.rs
}

work() {
    unset CARGO_TARGET_DIR
    cargo test --offline 2>&1 | tee log
    echo "$(grep -c '^test result: ok. 1 passed' log) kinds of tests passed"
}

"$@"
