//! The file that gets the last message, if the run ends well. Until then it is left alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, Mode, OFlags, access, fcntl_setfl, open};

/// Where the last message goes.
#[derive(Debug)]
pub(super) enum LastMessage {
    /// A file, which is replaced in one step.
    File(PathBuf),
    /// A device or a pipe, which is open.
    Open(File),
}

impl LastMessage {
    /// Finds out whether it can be written, before anything is asked.
    pub(super) fn prepare(path: &Path) -> io::Result<Self> {
        let real = match fs::metadata(path) {
            Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            // A device, or a pipe, is written as it is. One that nobody reads is not waited for.
            Ok(found) if !found.is_file() => {
                let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let opened = open(path, flags, Mode::empty())?;
                fcntl_setfl(&opened, OFlags::empty())?;
                return Ok(Self::Open(File::from(opened)));
            }
            // A link stays one.
            Ok(_) => fs::canonicalize(path)?,
            Err(_) => led_to(path),
        };
        real.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let folder = real.parent().filter(|folder| *folder != Path::new(""));
        let folder = folder.unwrap_or(Path::new("."));
        access(folder, Access::WRITE_OK | Access::EXEC_OK)?;
        Ok(Self::File(real))
    }

    /// Puts the message there.
    pub(super) fn write(self, message: &str) -> io::Result<()> {
        let end = if message.ends_with('\n') { "" } else { "\n" };
        let text = format!("{message}{end}");
        match self {
            Self::Open(mut file) => file.write_all(text.as_bytes()),
            Self::File(path) => replace(&path, text.as_bytes()),
        }
    }
}

/// Replaces a file in one step, by one of a name that nobody else has.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let random = u64::from_le_bytes(random);
    let beside = path.with_file_name(format!(".codex-{random:016x}"));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&beside)?;
    let written = file.write_all(bytes).and_then(|()| {
        if let Ok(there) = fs::metadata(path) {
            let _ = fs::set_permissions(&beside, there.permissions());
        }
        fs::rename(&beside, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Where a link leads that leads to nothing yet.
fn led_to(path: &Path) -> PathBuf {
    const LINKS: usize = 20;
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Ok(target) = fs::read_link(&path) else {
            break;
        };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
}
