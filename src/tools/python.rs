//! Commands that start Python.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Whether the command has Python run a module or inline code (`-m`, `-c`): Python searches the working directory
/// first for that and for its imports. For a script it searches the script's directory.
pub(super) fn is_code_for_python(command: &[OsString]) -> bool {
    let Some((program, words)) = command.split_first() else {
        return false;
    };
    let name = Path::new(program).file_name().map(OsStr::as_bytes);
    let mut words = words.iter().map(|word| word.as_bytes());
    let mut is_code = false;
    while let Some(flag) = words.next().filter(|word| word.starts_with(b"-")) {
        // These are followed by a separate value.
        if flag == b"-W" || flag == b"-X" {
            words.next();
        }
        is_code |= !flag.starts_with(b"--") && flag.iter().any(|c| b"mc".contains(c));
    }
    is_code && name.is_some_and(|name| name.starts_with(b"python"))
}
