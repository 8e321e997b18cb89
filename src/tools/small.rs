//! Small files that others may have made: read only where they are regular ones, and never more than so much. A pipe
//! with such a name would be waited for for ever.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// The bytes of a regular file that is no larger than this.
pub(super) fn read(path: &Path, most: u64) -> Option<Vec<u8>> {
    // Opening a device can have effects of its own.
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let flags = i32::try_from((OFlags::NONBLOCK | OFlags::NOCTTY).bits()).ok()?;
    let file: File = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .ok()?;
    let found = file.metadata().ok()?;
    if !found.is_file() || found.len() > most {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The same as text.
pub(super) fn text(path: &Path, most: u64) -> Option<String> {
    String::from_utf8(read(path, most)?).ok()
}
