//! man/ and completions/ match the output of the binary.

use std::fs;
use std::path::Path;

use crate::home::Home;

#[test]
fn the_committed_files_match_the_flag_table() {
    for (what, file) in [
        ("man", "man/codex.1"),
        ("bash", "completions/codex.bash"),
        ("zsh", "completions/_codex"),
        ("fish", "completions/codex.fish"),
    ] {
        let printed = Home::new().offline().args(["--generate", what]).run();
        let committed = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file))
            .unwrap_or_default();
        assert!(
            printed.exits(0).text() == committed,
            "{file} is out of date: run `make generate`"
        );
        if what != "man" {
            let completion = Home::new().offline().args(["completion", what]).run();
            completion.exits(0).stdout(&committed);
        }
    }
}
