//! Small files that others may have made: read only where they are regular ones, and never more than so much. A pipe
//! with such a name would be waited for for ever.

use std::path::Path;

use crate::file::read_regular;

/// The bytes of a regular file that is no larger than this.
pub(super) fn read(path: &Path, most: u64) -> Option<Vec<u8>> {
    read_regular(path, most).ok()
}

/// The same as text.
pub(super) fn text(path: &Path, most: u64) -> Option<String> {
    String::from_utf8(read(path, most)?).ok()
}
