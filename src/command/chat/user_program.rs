//! The pager and the editor of the user. They get the terminal and a file of their own in the home, and no secret.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, kill_process};

use super::super::undo::{UndoGuard, UndoStage, on_panic};
use super::settings::UserPrograms;
use crate::exhausted::at_start;
use crate::file::{Directory, inherit_owner_at, read_regular, unused};

/// The largest text that is read back, in bytes.
const MAX_EDITED_BYTES: u64 = 16 << 20;

/// A file that only the user can read, and that is removed with this value.
#[derive(Debug)]
pub(super) struct PrivateFile {
    path: PathBuf,
    _undo: UndoGuard,
}

impl PrivateFile {
    /// Creates it in this home.
    pub(super) fn create(home: &Path, prefix: &str, text: &str) -> io::Result<Self> {
        Directory::hold(home)?.make()?;
        let mut name = unused(prefix)?;
        name.push(".md");
        let path = home.join(name);
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        let made = path.clone();
        let undo = on_panic(UndoStage::AfterReport, move || drop(fs::remove_file(made)));
        let created = Self { path, _undo: undo };
        inherit_owner_at(&file, &created.path);
        file.write_all(text.as_bytes())?;
        Ok(created)
    }

    /// Its text now.
    pub(super) fn read(&self) -> io::Result<String> {
        // Editors replace a file.
        let bytes = read_regular(&self.path, MAX_EDITED_BYTES)?;
        String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// A program that has the terminal.
pub(super) struct UserProgram {
    /// Becomes readable when it has ended.
    pub(super) ended: UnixStream,
    id: Option<Pid>,
    waiting: JoinHandle<io::Result<ExitStatus>>,
}

impl UserProgram {
    /// Starts a program as a shell would, with the file as its last argument.
    pub(super) fn start(
        program: &OsStr,
        programs: &UserPrograms,
        file: &PrivateFile,
        terminal: &File,
    ) -> io::Result<Self> {
        let mut line = program.to_owned();
        line.push(" \"$@\"");
        let stream = || terminal.try_clone().map(Stdio::from);
        let mut command = Command::new("sh");
        command.arg("-c").arg(line).arg(program).arg(&file.path);
        for secret in &programs.secrets {
            command.env_remove(secret);
        }
        command.stdin(stream()?).stdout(stream()?).stderr(stream()?);
        let mut child: Child = command.spawn()?;
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let (ended, end) = UnixStream::pair()?;
        let waiting = thread::Builder::new().spawn(move || {
            let status = child.wait();
            // Closing it makes the other end readable.
            drop(end);
            status
        });
        Ok(Self {
            ended,
            id,
            waiting: waiting.map_err(at_start)?,
        })
    }

    /// Asks it to end.
    pub(super) fn end(&self) {
        if let Some(id) = self.id {
            let _ = kill_process(id, Signal::TERM);
        }
    }

    /// Waits for its end.
    pub(super) fn wait(mut self) -> io::Result<ExitStatus> {
        let _ = self.ended.read(&mut [0]);
        let ended = self.waiting.join();
        ended.unwrap_or_else(|_| Err(io::Error::other("the thread that waits for it panicked")))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_program_gets_the_file_and_no_secret_and_the_file_is_removed() {
        let home = std::env::temp_dir().join(format!("codex-program-{}", std::process::id()));
        let file = PrivateFile::create(&home, "question-", "text").expect("a file");
        let mode = fs::metadata(&file.path)
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let programs = UserPrograms {
            pager: "".into(),
            editor: "".into(),
            secrets: vec!["HOME".into()],
        };
        let terminal = File::options()
            .read(true)
            .write(true)
            .open("/dev/null")
            .expect("a device");
        let program = OsStr::new("f() { printf '%s' \"${HOME-none} $1\" > \"$2\"; }; f more");
        let started = UserProgram::start(program, &programs, &file, &terminal).expect("it starts");
        assert!(started.wait().expect("it ends").success());
        assert_eq!(file.read().expect("a text"), "none more");
        let path = file.path.clone();
        drop(file);
        assert!(!path.exists());
        fs::remove_dir_all(home).expect("it is ours");
    }
}
