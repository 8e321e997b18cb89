//! The file that gets the last message, if the run ends well. Until then it is left alone. Where it lies is settled
//! before anything is asked: the directory is held open, so that whatever tools put in its place is not written to.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, Stat, fcntl_setfl, open};

use crate::file::{self, Directory, FileSlot, Replacement};
use crate::tools::sandbox::writable_reach::WritableReach;

/// How the name begins that the file has while it is made.
const NEW: &str = ".codex-";

/// Where the last message goes.
#[derive(Debug)]
pub(super) struct LastMessage {
    /// As it was named.
    named: PathBuf,
    target: Target,
}

#[derive(Debug)]
enum Target {
    /// A file, which is replaced in one step.
    File(Box<ReplacedFile>),
    /// A device or a pipe, which is open.
    Open(File),
}

/// A file that is replaced.
#[derive(Debug)]
struct ReplacedFile {
    slot: FileSlot,
    /// What was there as the run began.
    before: Option<Stat>,
}

/// Why the last message cannot be found where it was wanted.
#[derive(Debug)]
pub enum Error {
    /// The file of this name cannot be written.
    Unwritable(PathBuf, io::Error),
    /// The file of this name lies in the directory in which codex-run keeps what it believes in later runs.
    OwnHome(PathBuf),
    /// The first path leads to the second one through a place that tools can change, and they cannot change that one.
    LeadsOut(PathBuf, PathBuf),
    /// The message was written to the file that the first path led to as the run began, and that is now the second
    /// path; the first one leads elsewhere.
    Misplaced(PathBuf, PathBuf),
}

impl LastMessage {
    /// Finds out whether it can be written, before anything is asked. It must not lie in `home`: a link that tools of an
    /// earlier run have left would otherwise make a message of the model our configuration. Nor may any other such link
    /// lead to where tools cannot write: what is in `reach` counts as theirs.
    pub(super) fn prepare(
        path: &Path,
        home: Option<&Path>,
        reach: &WritableReach,
    ) -> Result<Self, Error> {
        let unwritable = |error| Error::Unwritable(path.to_owned(), error);
        let target = Target::find(path).map_err(unwritable)?;
        // What is held is looked at, since the way there may be another one by now.
        let found = target.whereabouts(path);
        if reach.root_of(path).is_some() && !reach.holds(&found) {
            return Err(Error::LeadsOut(path.to_owned(), found));
        }
        let home = home.and_then(|home| home.canonicalize().ok());
        if let (Target::File(file), Some(home)) = (&target, home)
            && file.slot.directory().whereabouts().starts_with(home)
        {
            return Err(Error::OwnHome(path.to_owned()));
        }
        Ok(Self {
            named: path.to_owned(),
            target,
        })
    }

    /// Puts the message there, and makes sure that it is found by the name that was given.
    pub(super) fn write(self, message: &str) -> Result<(), Error> {
        let end = if message.ends_with('\n') { "" } else { "\n" };
        let text = format!("{message}{end}");
        let named = self.named;
        let unwritable = |error| Error::Unwritable(named.clone(), error);
        match self.target {
            // Who reads it has held its other end all the time.
            Target::Open(mut file) => file.write_all(text.as_bytes()).map_err(unwritable),
            Target::File(file) => {
                let written = file.replace(text.as_bytes()).map_err(unwritable)?;
                if file::leads_to(&named, written) {
                    Ok(())
                } else {
                    Err(Error::Misplaced(named, file.slot.whereabouts()))
                }
            }
        }
    }
}

impl Target {
    fn find(path: &Path) -> io::Result<Self> {
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
            // This names a directory that is not there.
            Err(_) if path.as_os_str().as_bytes().ends_with(b"/") => {
                return Err(io::ErrorKind::NotFound.into());
            }
            Err(_) => led_to(path),
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
    /// Where it is, as far as the system tells.
    fn whereabouts(&self, named: &Path) -> PathBuf {
        match self {
            Self::File(file) => file.slot.whereabouts(),
            Self::Open(file) => file::whereabouts(file).unwrap_or_else(|| named.to_owned()),
        }
    }
}

impl ReplacedFile {
    /// Replaces the file in one step. It keeps the owner and the permissions that it had as the run began.
    fn replace(&self, bytes: &[u8]) -> io::Result<file::FileIdentity> {
        let mode = Mode::from_raw_mode(0o666);
        let new = Replacement::begin(&self.slot, &file::unused(NEW)?, mode)?;
        if let Some(before) = &self.before {
            let _ = new.like(before);
        }
        new.write(bytes)?;
        new.commit()
    }
}

/// Where a link leads that leads to nothing yet.
fn led_to(path: &Path) -> PathBuf {
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
