//! A key that a command prints, such as one of a password manager. What it printed is never shown.

use std::fmt;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::secret::Secret;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most that a command may print, in bytes: no key is longer.
const MOST: u64 = 64 << 10;

/// Why a command gave no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// There is no shell to run it.
    Start,
    /// It did not end in time.
    Late,
    /// It ended with a status that is not 0.
    Failed,
    /// It printed nothing, or more than a key.
    Nothing,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("cannot be started"),
            Self::Late => write!(f, "did not end within {} s", PATIENCE.as_secs()),
            Self::Failed => f.write_str("failed"),
            Self::Nothing => f.write_str("printed no key"),
        }
    }
}

impl std::error::Error for Error {}

/// What the shell prints for this command, without the white space around it. Its standard error is the user's to see.
/// The variables in `hidden` are not handed on.
///
/// # Errors
/// When it gives no key.
pub fn key(command: &str, hidden: &[&str]) -> Result<Secret, Error> {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    for name in hidden {
        shell.env_remove(name);
    }
    let mut child = shell.spawn().map_err(|_| Error::Start)?;
    let output = child.stdout.take().ok_or(Error::Start)?;
    let (sender, read) = mpsc::channel();
    // It ends with the pipe; if something else holds that open, with the process.
    let reader = thread::Builder::new().spawn(move || {
        let mut bytes = Vec::new();
        let whole = output.take(MOST + 1).read_to_end(&mut bytes);
        let _ = sender.send(whole.map(|_| bytes));
    });
    let bytes = reader.ok().and_then(|_| read.recv_timeout(PATIENCE).ok());
    let Some(Ok(bytes)) = bytes else {
        end(&mut child);
        return Err(Error::Late);
    };
    if bytes.len() as u64 > MOST {
        end(&mut child);
        return Err(Error::Nothing);
    }
    match child.wait() {
        Ok(status) if status.success() => {}
        _ => return Err(Error::Failed),
    }
    match String::from_utf8(bytes).map(|key| key.trim().to_owned()) {
        Ok(key) if !key.is_empty() => Ok(Secret::new(key)),
        _ => Err(Error::Nothing),
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_prints_the_key_and_nothing_else() {
        let printed = |command: &str| key(command, &[]).map(|key| key.expose().to_owned());
        assert_eq!(printed("echo ' sk-1 '"), Ok("sk-1".to_owned()));
        assert_eq!(printed("echo sk-1; exit 3"), Err(Error::Failed));
        assert_eq!(printed("true"), Err(Error::Nothing));
        assert_eq!(printed("yes"), Err(Error::Nothing));
        assert_eq!(printed("echo ${HOME-gone}"), printed("echo $HOME"));
        let hidden = key("echo ${HOME-gone}", &["HOME"]).map(|key| key.expose().to_owned());
        assert_eq!(hidden, Ok("gone".to_owned()));
    }
}
