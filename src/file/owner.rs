//! The owner of a new file: what root creates in a user's home, as with `sudo`, belongs to the user.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{CWD, Gid, Mode, OFlags, Uid, fchown, fstat, openat};

/// Makes the owner of its directory the owner of a file that this process has just created, if run as root. It must not
/// be used for an existing file, which may be a second link to another user's file.
pub fn inherit_owner(made: impl AsFd, directory: impl AsFd) {
    let (Ok(own), Ok(owner)) = (fstat(&made), fstat(directory)) else {
        return;
    };
    if own.st_uid != owner.st_uid {
        let (user, group) = (Uid::from_raw(owner.st_uid), Gid::from_raw(owner.st_gid));
        let _ = fchown(made, Some(user), Some(group));
    }
}

/// Does the same as [`inherit_owner`] for a file created at this path.
pub fn inherit_owner_at(made: &File, path: &Path) {
    let directory = path.parent().unwrap_or(Path::new("."));
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    if let Ok(directory) = openat(CWD, directory, flags, Mode::empty()) {
        inherit_owner(made, directory);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, chown};

    use super::*;
    use crate::file::Directory;

    #[test]
    fn what_root_makes_in_a_home_belongs_to_its_owner() {
        let home = std::env::temp_dir().join(format!("codex-owner-{}", std::process::id()));
        let _ = fs::remove_dir_all(&home);
        fs::create_dir(&home).expect("a directory");
        let is_root = rustix::process::geteuid().is_root();
        let owner = if is_root {
            65534
        } else {
            rustix::process::geteuid().as_raw()
        };
        if is_root {
            chown(&home, Some(owner), Some(owner)).expect("root may");
        }
        let below = home.join("a/b");
        Directory::hold(&below)
            .and_then(|held| held.make())
            .expect("it is made");
        let path = below.join("f");
        inherit_owner_at(&File::create(&path).expect("a file"), &path);
        for made in [home.join("a"), below, path] {
            let found = fs::metadata(&made).expect("it is there");
            assert_eq!(found.uid(), owner, "{}", made.display());
        }
        fs::remove_dir_all(home).expect("it goes away");
    }
}
