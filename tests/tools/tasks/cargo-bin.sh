# task: cargo builds and runs a program
# needs: cargo cc
# proof: the sum is 42
# places: work tmp
# part: test
set -euo pipefail

prepare() {
    mkdir src
    printf '[package]\nname = "sum"\nversion = "0.1.0"\nedition = "2021"\n[workspace]\n' > Cargo.toml
    printf 'fn main() { println!("the sum is {}", 20 + 22); }\n' > src/main.rs
}

work() {
    unset CARGO_TARGET_DIR # its default is a directory of the project
    cargo run --quiet --offline
    test -x target/debug/sum
}

"$@"
