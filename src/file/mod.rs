//! Files that are written while tools run. A directory is opened once and later writes go below its descriptor, so a
//! directory or link swapped in meanwhile is neither followed nor changed. A file is replaced atomically: a temporary
//! file next to it is synced and renamed over it, and the directory is synced.

mod directory;
mod identity;
mod owner;
mod regular;
mod replacement;
mod slot;

use std::ffi::OsString;
use std::io;

use rustix::io::Errno;

pub use directory::Directory;
pub use identity::{FileIdentity, current_path, of_file, resolves_to};
pub use owner::{inherit_owner, inherit_owner_at};
pub use regular::{NotRegular, open_regular, read_regular, regular};
pub use replacement::Replacement;
pub use slot::FileSlot;

/// Returns whether an error means that the file system does not support locks, as on some network file systems.
#[must_use]
pub fn has_no_locks(error: &io::Error) -> bool {
    let none = [Errno::NOSYS, Errno::NOLCK, Errno::OPNOTSUPP];
    Errno::from_io_error(error).is_some_and(|error| none.contains(&error))
}

/// Returns a random, unused name with this prefix.
///
/// # Errors
/// If the system provides no random bytes.
pub fn unused(prefix: &str) -> io::Result<OsString> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(format!("{prefix}{:016x}", u64::from_ne_bytes(random)).into())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use rustix::fs::Mode;

    use super::*;

    fn place(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("codex-file-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).expect("a directory");
        path
    }

    fn put(slot: &FileSlot, bytes: &[u8]) -> io::Result<FileIdentity> {
        let new = Replacement::begin(slot, &unused(".new-")?, Mode::RUSR | Mode::WUSR)?;
        new.write(bytes)?;
        new.commit()
    }

    #[test]
    fn writes_go_to_the_held_directory_even_if_its_path_is_swapped() {
        let place = place("swapped");
        let (path, victim) = (place.join("out"), place.join("victim"));
        fs::create_dir(&path).expect("a directory");
        fs::create_dir(&victim).expect("a directory");
        let slot = FileSlot::new(Directory::open(&path).expect("it is there"), "f".as_ref());
        assert!(slot.directory().is_in_place());
        fs::rename(&path, place.join("moved")).expect("it moves");
        symlink(&victim, &path).expect("a link");
        let written = put(&slot, b"x").expect("it is written");
        assert!(!resolves_to(&path.join("f"), written) && !slot.directory().is_in_place());
        assert!(resolves_to(&place.join("moved/f"), written));
        assert_eq!(fs::read_dir(&victim).expect("a directory").count(), 0);
        assert_eq!(slot.read(9).expect("it is there"), b"x");
        #[cfg(target_os = "linux")]
        {
            let place = place.canonicalize().expect("it is there");
            assert_eq!(slot.current_path(), place.join("moved/f"));
        }
        fs::remove_dir_all(place).expect("it goes away");
    }

    #[test]
    fn a_link_at_the_target_is_replaced_and_not_followed() {
        let place = place("link");
        fs::write(place.join("victim"), "kept").expect("a file");
        symlink("victim", place.join("f")).expect("a link");
        let slot = FileSlot::new(Directory::open(&place).expect("it is there"), "f".as_ref());
        assert!(slot.read(9).is_err() && slot.overwrite(b"x").is_err());
        let written = put(&slot, b"x").expect("it is written");
        assert!(resolves_to(&place.join("f"), written));
        assert_eq!(fs::read(place.join("victim")).expect("a file"), b"kept");
        slot.remove().expect("it goes away");
        slot.remove().expect("it is gone");
        assert!(slot.stat().expect("no error").is_none());
        fs::remove_dir_all(place).expect("it goes away");
    }

    #[test]
    fn missing_directories_are_created_without_following_links() {
        let place = place("missing");
        let slot = |name: &str| {
            let held = Directory::hold(&place.join(name).join("b")).expect("the parent is there");
            FileSlot::new(held, "f".as_ref())
        };
        let (made, linked) = (slot("a"), slot("l"));
        assert!(made.directory().is_in_place() && made.stat().expect("no error").is_none());
        let absent = put(&made, b"x").expect_err("it does not exist yet");
        assert_eq!(absent.kind(), io::ErrorKind::NotFound);
        made.directory().make().expect("it is made");
        let written = put(&made, b"x").expect("it is written");
        assert!(resolves_to(&place.join("a/b/f"), written));
        symlink("a", place.join("l")).expect("a link");
        assert!(linked.directory().make().is_err());
        fs::remove_dir_all(place).expect("it goes away");
    }

    #[test]
    fn an_uncommitted_replacement_is_removed() {
        let place = place("dropped");
        fs::write(place.join("f"), "old").expect("a file");
        let slot = FileSlot::new(Directory::open(&place).expect("it is there"), "f".as_ref());
        let begun = Replacement::begin(&slot, "new".as_ref(), Mode::RWXU).expect("it begins");
        assert!(Replacement::begin(&slot, "new".as_ref(), Mode::RWXU).is_err());
        begun.write(b"new").expect("it is written");
        let old = slot.stat().expect("no error").expect("it is there");
        begun.copy_permissions(&old).expect("it is ours");
        drop(begun);
        let names = slot.directory().names();
        assert!(!names.contains(&"new".into()) && names.contains(&"f".into()));
        fs::remove_dir_all(place).expect("it goes away");
    }
}
