# task: cargo builds a workspace with a build script and a procedural macro
# needs: cargo cc
# proof: made by the build script, made by the macro
# variants: default TMPDIR
# part: test
set -euo pipefail

prepare() {
    mkdir -p app/src derive/src
    printf '[workspace]\nmembers = ["app", "derive"]\nresolver = "2"\n' > Cargo.toml
    cat > derive/Cargo.toml <<'END'
[package]
name = "derive"
version = "0.1.0"
edition = "2021"
[lib]
proc-macro = true
END
    cat > derive/src/lib.rs <<'END'
use proc_macro::TokenStream;
#[proc_macro]
pub fn words(_: TokenStream) -> TokenStream { "\"made by the macro\"".parse().unwrap() }
END
    cat > app/Cargo.toml <<'END'
[package]
name = "app"
version = "0.1.0"
edition = "2021"
build = "build.rs"
[dependencies]
derive = { path = "../derive" }
END
    cat > app/build.rs <<'END'
fn main() {
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    std::fs::write(out.join("words.rs"), "\"made by the build script\"").unwrap();
}
END
    cat > app/src/main.rs <<'END'
fn main() { println!("{}, {}", include!(concat!(env!("OUT_DIR"), "/words.rs")), derive::words!()); }
END
}

work() {
    unset CARGO_TARGET_DIR
    if test "$1" = TMPDIR; then
        CARGO_TARGET_DIR=$(mktemp -d)
        export CARGO_TARGET_DIR
    fi
    cargo build --quiet --offline
    "${CARGO_TARGET_DIR:-target}/debug/app"
}

"$@"
