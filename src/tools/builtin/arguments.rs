//! Parses the arguments of a call of a built-in tool.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Parses the arguments. The error is a message for the model.
pub(super) fn parse<T: DeserializeOwned>(arguments: &[u8]) -> Result<T, String> {
    // serde would accept an array of the right values in the right order as an object.
    if arguments.trim_ascii_start().starts_with(b"[") {
        return Err("the arguments do not match: they are an array. Send one JSON object that matches the tool's schema.".to_owned());
    }
    serde_json::from_slice(arguments).map_err(|error| {
        let what = if error.is_data() {
            "do not match"
        } else {
            "are not JSON"
        };
        format!(
            "the arguments {what}: {error}. Send one JSON object that matches the tool's schema."
        )
    })
}

/// Resolves a path argument. It may begin with `$TMPDIR`, as earlier results do when they name the file with the full
/// output.
pub(super) fn place(path: &Path) -> PathBuf {
    match path.strip_prefix("$TMPDIR") {
        Ok(inner) if !path.exists() => std::env::temp_dir().join(inner),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_temporary_directory_is_named_by_its_variable() {
        let check = |path: &str, expected: PathBuf| assert_eq!(place(Path::new(path)), expected);
        check(
            "$TMPDIR/output-1.txt",
            std::env::temp_dir().join("output-1.txt"),
        );
        check("$TMPDIRS/x", "$TMPDIRS/x".into());
        check("a/$TMPDIR/x", "a/$TMPDIR/x".into());
    }
}
