//! Opens regular files. Anything else at the path, such as a pipe or a device, is not opened and cannot block.

use std::error::Error;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};

/// The path is not a regular file: the inner error of an [`io::Error`].
#[derive(Debug)]
pub struct NotRegular;

impl fmt::Display for NotRegular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a regular file")
    }
}

impl Error for NotRegular {}

impl NotRegular {
    /// Returns whether an error has this cause.
    #[must_use]
    pub fn is(error: &io::Error) -> bool {
        error
            .get_ref()
            .is_some_and(<dyn Error + Send + Sync>::is::<Self>)
    }
}

/// Opens an existing regular file. Links are followed unless the flags forbid it.
///
/// # Errors
/// If it cannot be opened or is not a regular file.
pub fn open_regular(path: &Path, flags: OFlags) -> io::Result<File> {
    let found = if flags.contains(OFlags::NOFOLLOW) {
        fs::symlink_metadata(path)
    } else {
        fs::metadata(path)
    }?;
    // Opening a device can have side effects.
    if !found.is_file() && !found.is_symlink() {
        return Err(io::Error::other(NotRegular));
    }
    // Another file may have replaced it since.
    let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    regular(File::from(open(path, flags, Mode::empty())?))
}

/// Checks that an open file is a regular one.
///
/// # Errors
/// If it is not.
pub fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other(NotRegular))
    }
}

/// Reads an open regular file.
///
/// # Errors
/// `FileTooLarge` if it has more than `most` bytes.
pub fn content(file: File, most: u64) -> io::Result<Vec<u8>> {
    if file.metadata()?.len() > most {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads the regular file at a path, following links.
///
/// # Errors
/// If it cannot be read, is not a regular file, or has more than `most` bytes.
pub fn read_regular(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    content(open_regular(path, OFlags::RDONLY)?, most)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, mknodat};

    use super::*;

    #[test]
    fn nothing_but_a_regular_file_within_the_limit_is_read() {
        let place = std::env::temp_dir().join(format!("codex-regular-{}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir(&place).expect("a directory");
        let at = |name: &str| place.join(name);
        fs::write(at("file"), "four").expect("a file");
        symlink("file", at("link")).expect("a link");
        mknodat(CWD, at("pipe"), FileType::Fifo, Mode::RWXU, 0).expect("a pipe");
        for name in ["file", "link"] {
            assert_eq!(read_regular(&at(name), 4).expect("it is there"), b"four");
        }
        let large = read_regular(&at("file"), 3).expect_err("it is too large");
        assert_eq!(large.kind(), io::ErrorKind::FileTooLarge);
        assert!(!NotRegular::is(&large));
        for other in [&at("pipe"), &place, Path::new("/dev/null")] {
            let error = read_regular(other, 4).expect_err("it is not a regular file");
            assert!(NotRegular::is(&error), "{}: {error}", other.display());
        }
        let linked = open_regular(&at("link"), OFlags::RDONLY | OFlags::NOFOLLOW);
        linked.expect_err("it is a link");
        let absent = read_regular(&at("absent"), 4).expect_err("it is not there");
        assert_eq!(absent.kind(), io::ErrorKind::NotFound);
        fs::remove_dir_all(place).expect("it goes away");
    }
}
