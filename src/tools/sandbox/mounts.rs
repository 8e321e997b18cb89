//! Finds other paths at which a file is visible because its file system is mounted more than once. Hidden files are
//! hidden there too.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// A line of `/proc/self/mountinfo` (proc(5)), the fields we need.
struct Mount {
    /// Its id, and the id of its parent mount.
    id: u64,
    parent: u64,
    /// The file system.
    device: String,
    /// The mounted part of the file system.
    root: PathBuf,
    /// The mount point.
    point: PathBuf,
    /// The type of the file system.
    kind: String,
}

/// Reads the mount table of this process.
///
/// # Errors
/// If it cannot be read; then duplicate mounts are unknown.
pub fn table() -> io::Result<Vec<u8>> {
    // The kernel does not report its length, and generates it anew for each read.
    let mut table = Vec::with_capacity(16 << 10);
    File::open("/proc/self/mountinfo")?.read_to_end(&mut table)?;
    Ok(table)
}

/// Mount points of device file systems, `/dev` or elsewhere.
pub(super) fn devices(mountinfo: &[u8]) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("/dev")];
    let mounts = mountinfo.split(|byte| *byte == b'\n').filter_map(mount);
    let of_devices = mounts.filter(|mount| mount.kind == "devtmpfs" || mount.kind == "devpts");
    found.extend(of_devices.map(|mount| mount.point));
    found.extend(aliases(mountinfo, &found[..1]));
    found
}

/// Other paths that resolve to these places or into them.
#[must_use]
pub fn aliases(mountinfo: &[u8], places: &[PathBuf]) -> Vec<PathBuf> {
    let mounts: Vec<Mount> = mountinfo
        .split(|byte| *byte == b'\n')
        .filter_map(mount)
        .collect();
    let mut found = Vec::new();
    for place in places {
        let Some(mounted) = holding(&mounts, place) else {
            continue;
        };
        let Ok(rest) = place.strip_prefix(&mounted.point) else {
            continue;
        };
        let inner = joined(&mounted.root, rest);
        for other in mounts.iter().filter(|other| other.device == mounted.device) {
            let alias = if other.root.starts_with(&inner) {
                other.point.clone()
            } else if let Ok(rest) = inner.strip_prefix(&other.root) {
                joined(&other.point, rest)
            } else {
                continue;
            };
            if alias != *place {
                found.push(alias);
            }
        }
    }
    found
}

/// The mount that a path is visible in. A mount can be covered by a later one further up, so the path is walked as
/// the kernel does it.
fn holding<'a>(mounts: &'a [Mount], place: &Path) -> Option<&'a Mount> {
    let is_known = |id| mounts.iter().any(|mount| mount.id == id);
    let is_top = |mount: &&Mount| {
        mount.point == Path::new("/") && (mount.parent == mount.id || !is_known(mount.parent))
    };
    let mut at = mounts.iter().rev().find(is_top)?;
    let mut prefixes: Vec<&Path> = place.ancestors().collect();
    prefixes.reverse();
    for prefix in prefixes {
        let mounted_here = |mount: &&Mount, at: &Mount| {
            mount.parent == at.id && mount.id != at.id && mount.point == prefix
        };
        while let Some(next) = mounts.iter().rev().find(|mount| mounted_here(mount, at)) {
            at = next;
        }
    }
    Some(at)
}

/// Joins paths, without a trailing slash.
fn joined(path: &Path, rest: &Path) -> PathBuf {
    if rest.as_os_str().is_empty() {
        path.to_owned()
    } else {
        path.join(rest)
    }
}

fn mount(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse().ok();
    Some(Mount {
        id: number()?,
        parent: number()?,
        device: String::from_utf8(fields.next()?.to_vec()).ok()?,
        root: path(fields.next()?),
        point: path(fields.next()?),
        // After a separator, since the number of fields before it varies.
        kind: {
            fields.find(|field| *field == b"-")?;
            String::from_utf8(fields.next()?.to_vec()).ok()?
        },
    })
}

/// Decodes spaces, tabs, line ends and backslashes, which are written in octal.
fn path(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| *first == b'\\');
        let value =
            digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(value.unwrap_or(*first));
        rest = if value.is_some() { &after[3..] } else { after };
    }
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_mounted_twice_has_two_names() {
        let mounts = b"21 1 254:0 / / rw - ext4 /dev/vda rw\n\
            22 21 0:20 / /proc rw - proc proc rw\n\
            23 21 254:0 /h/home /alias rw - ext4 /dev/vda rw\n\
            24 21 254:0 /h /mnt/a\\040b rw - ext4 /dev/vda rw\n\
            25 21 254:0 /h/home/sessions /s rw - ext4 /dev/vda rw\n\
            26 21 254:1 / /data rw - ext4 /dev/vdb rw\n\
            garbage";
        let of = |place: &str| {
            let found = aliases(mounts, &[place.into()]);
            found
                .iter()
                .map(|path| path.display().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(of("/h/home"), ["/alias", "/mnt/a b/home", "/s"]);
        assert_eq!(of("/mnt/a b/home"), ["/h/home", "/alias", "/s"]);
        assert_eq!(
            of("/h/home/auth.json"),
            ["/alias/auth.json", "/mnt/a b/home/auth.json"]
        );
        assert_eq!(of("/data/x"), Vec::<String>::new());
        assert_eq!(of("/elsewhere"), Vec::<String>::new());
        let covered = b"1 0 254:0 / / rw - ext4 /dev/vda rw\n\
            2 1 0:5 / /m/a/b rw - tmpfs t1 rw\n\
            3 1 0:6 / /m/a rw - tmpfs t2 rw\n\
            4 1 0:6 /b/home /alias rw - tmpfs t2 rw\n\
            5 4 0:7 / /alias rw - tmpfs t3 rw\n\
            6 1 0:7 /x /other rw - tmpfs t3 rw";
        assert_eq!(
            aliases(covered, &["/m/a/b/home".into()]),
            [Path::new("/alias")]
        );
        assert_eq!(
            aliases(covered, &["/alias/x/y".into()]),
            [Path::new("/other/y")]
        );
        let mounts = b"21 1 254:0 / / rw - ext4 /dev/vda rw\n\
            30 21 0:5 / /chroot/dev rw,nosuid shared:2 - devtmpfs udev rw\n\
            31 21 0:6 / /dev rw - tmpfs tmpfs rw\n\
            32 21 0:6 / /dev2 rw - tmpfs tmpfs rw";
        let found: Vec<String> = devices(mounts)
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        assert_eq!(found, ["/dev", "/chroot/dev", "/dev2"]);
    }
}
