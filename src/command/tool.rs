//! `codex tool NAME`: one built-in tool in a process of its own. `codex run` starts it, and a person can.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::tools::{builtin, reaper};

use super::stdout::Stdout;

/// Runs the tool; whether it did what it was asked to.
///
/// # Errors
/// When standard input cannot be read or standard output cannot be written.
pub fn run(program: &Path, name: &str, timeout: Duration) -> io::Result<bool> {
    if reaper::lead_session().is_err() {
        // A shell with job control has made us the leader of a group, and such a process cannot found a session.
        return again(program, name, timeout);
    }
    let mut arguments = Vec::new();
    io::stdin().lock().read_to_end(&mut arguments)?;
    let Some(result) = builtin::run(name, &arguments, timeout) else {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("there is no tool {name}"),
        ));
    };
    let mut text = result.text;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    Stdout::open()?.write_all(text.as_bytes())?;
    Ok(result.ok)
}

/// Runs the tool in a child. We hold its standard output, so it ends when we do.
fn again(program: &Path, name: &str, timeout: Duration) -> io::Result<bool> {
    let mut child = Command::new(program)
        .args(["tool", name, "--tool-timeout"])
        .arg(format!("{}ms", timeout.as_millis()))
        .stdout(Stdio::piped())
        .spawn()?;
    if let Some(mut result) = child.stdout.take() {
        io::copy(&mut result, &mut Stdout::open()?)?;
    }
    Ok(child.wait()?.success())
}
