//! The file for the last message, written if the run succeeds. Its directory is opened before the first request and held open,
//! so tools cannot redirect the write by replacing the path.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, Stat, fcntl_setfl, open};

use crate::file::{self, Directory, FileSlot, Replacement};
use crate::tools::sandbox::writable_reach::WritableReach;
use crate::wire::raw_text::{RawText, TextPiece};

/// Prefix of the temporary file.
const TEMPORARY_PREFIX: &str = ".codex-";

/// The destination of the last message.
#[derive(Debug)]
pub(super) struct LastMessage {
    /// The path as the user gave it.
    named: PathBuf,
    target: Target,
}

#[derive(Debug)]
enum Target {
    /// A file, replaced atomically.
    File(Box<ReplacedFile>),
    /// A device or a pipe, already open.
    Open(File),
}

/// A file that is replaced.
#[derive(Debug)]
struct ReplacedFile {
    slot: FileSlot,
    /// The file at this path when the run began.
    before: Option<Stat>,
}

/// Why the last message could not be stored at its path.
#[derive(Debug)]
pub enum Error {
    /// The file cannot be written.
    Unwritable(PathBuf, io::Error),
    /// The file is in the directory of codex-run, whose files later runs trust.
    OwnHome(PathBuf),
    /// The first path resolves to the second one through a directory that tools can write, while the second one is outside
    /// their reach.
    LeadsOut(PathBuf, PathBuf),
    /// The message was written to the file that the first path resolved to when the run began. That file is now at the second
    /// path, and the first path resolves elsewhere.
    Misplaced(PathBuf, PathBuf),
}

impl LastMessage {
    /// Checks, before the first request, that the file can be written. It must not be in `home`: a link left by the tools of an
    /// earlier run would otherwise turn a model message into configuration. Nor may any other such link lead out of
    /// `reach`, the directories that tools can write.
    pub(super) fn prepare(
        path: &Path,
        home: Option<&Path>,
        reach: &WritableReach,
    ) -> Result<Self, Error> {
        let unwritable = |error| Error::Unwritable(path.to_owned(), error);
        let target = Target::find(path).map_err(unwritable)?;
        // Check what is open, since the path may resolve differently by now.
        let found = target.current_path(path);
        if reach.root_of(path).is_some() && !reach.holds(&found) {
            return Err(Error::LeadsOut(path.to_owned(), found));
        }
        let home = home.and_then(|home| home.canonicalize().ok());
        if let (Target::File(file), Some(home)) = (&target, home)
            && file.slot.directory().current_path().starts_with(home)
        {
            return Err(Error::OwnHome(path.to_owned()));
        }
        Ok(Self {
            named: path.to_owned(),
            target,
        })
    }

    /// Writes the message, and checks that the path still resolves to the written file.
    pub(super) fn write(self, message: &RawText<'_>) -> Result<(), Error> {
        let named = self.named;
        let unwritable = |error| Error::Unwritable(named.clone(), error);
        match self.target {
            // Its reader has had the other end open since the run began.
            Target::Open(file) => write_lines(message, &file).map_err(unwritable),
            Target::File(file) => {
                let written = file.replace(message).map_err(unwritable)?;
                if file::resolves_to(&named, written) {
                    Ok(())
                } else {
                    Err(Error::Misplaced(named, file.slot.current_path()))
                }
            }
        }
    }
}

impl Target {
    fn find(path: &Path) -> io::Result<Self> {
        let real = match fs::metadata(path) {
            Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            // A device or a pipe is written in place. Opening a pipe without a reader fails instead of blocking.
            Ok(found) if !found.is_file() => {
                let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let opened = open(path, flags, Mode::empty())?;
                fcntl_setfl(&opened, OFlags::empty())?;
                return Ok(Self::Open(File::from(opened)));
            }
            // A symbolic link stays one; its target is replaced.
            Ok(_) => fs::canonicalize(path)?,
            // A path with a trailing slash names a directory that does not exist.
            Err(_) if path.as_os_str().as_bytes().ends_with(b"/") => {
                return Err(io::ErrorKind::NotFound.into());
            }
            Err(_) => link_target(path),
        };
        let name = real.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let folder = real.parent().filter(|folder| *folder != Path::new(""));
        let directory = Directory::open(folder.unwrap_or(Path::new(".")))?;
        directory.check_writable()?;
        let slot = FileSlot::new(directory, name);
        let before = slot.stat()?;
        Ok(Self::File(Box::new(ReplacedFile { slot, before })))
    }
}

impl Target {
    /// The current path of the file, if the system knows it.
    fn current_path(&self, named: &Path) -> PathBuf {
        match self {
            Self::File(file) => file.slot.current_path(),
            Self::Open(file) => file::current_path(file).unwrap_or_else(|| named.to_owned()),
        }
    }
}

impl ReplacedFile {
    /// Replaces the file atomically. It keeps the owner and the mode that it had when the run began.
    fn replace(&self, message: &RawText<'_>) -> io::Result<file::FileIdentity> {
        let mode = Mode::from_raw_mode(0o666);
        let new = Replacement::begin(&self.slot, &file::unused(TEMPORARY_PREFIX)?, mode)?;
        if let Some(before) = &self.before {
            let _ = new.copy_permissions(before);
        }
        write_lines(message, new.file())?;
        new.file().sync_all()?;
        new.commit()
    }
}

/// Writes the message piece by piece, because it may be as long as an answer can be, and a line end if it has none.
fn write_lines(message: &RawText<'_>, file: &File) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    let mut ends_line = false;
    message.each(|piece| {
        let mut room = [0; 4];
        let text = match piece {
            TextPiece::Plain(text) => text,
            TextPiece::Escaped(character) => character.encode_utf8(&mut room),
        };
        ends_line = text.ends_with('\n');
        out.write_all(text.as_bytes())
    })?;
    if !ends_line {
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// The target of a dangling symbolic link, or the path itself.
fn link_target(path: &Path) -> PathBuf {
    const MAX_LINKS: usize = 20;
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&path) else {
            break;
        };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
}
