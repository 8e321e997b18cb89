//! The homes of the user: the one in `HOME`, and the one in `/etc/passwd`, which programs use if `HOME` is not set. Either
//! may hold this user's credentials.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::cli::environment::Environment;
use crate::failure::Failure;

/// The homes of the user.
pub(super) struct Homes {
    /// All homes; a relative path is relative to the current directory.
    pub(super) all: Vec<PathBuf>,
    /// At least one is an absolute path.
    is_known: bool,
}

impl Homes {
    /// The homes of the user that this process acts for.
    pub(super) fn find(environment: &Environment) -> Self {
        let passwd = fs::read("/etc/passwd").unwrap_or_default();
        Self::of(
            environment.get("HOME"),
            &passwd,
            rustix::process::geteuid().as_raw(),
        )
    }

    fn of(variable: Option<&OsStr>, passwd: &[u8], user: u32) -> Self {
        let mut all: Vec<PathBuf> = variable.into_iter().map(PathBuf::from).collect();
        all.extend(of_passwd(passwd, user));
        all.dedup();
        Self {
            is_known: all.iter().any(|home| home.is_absolute()),
            all,
        }
    }

    /// Fails if no home is known, because it is then unknown what to hide.
    pub(super) fn known(&self) -> Result<(), Failure> {
        if self.is_known {
            return Ok(());
        }
        let user = rustix::process::geteuid().as_raw();
        let variable = match self.all.first() {
            Some(home) => format!("HOME is {}", home.display()),
            None => "HOME is not set".to_owned(),
        };
        Err(Failure::usage(format!(
            "cannot hide credentials from tools: {variable}, and /etc/passwd has no home directory for user {user}"
        ))
        .hint("set HOME to an absolute path; a new, empty directory will do"))
    }
}

/// The homes of this user in the text of a passwd(5) file. Several names may have the same user id.
fn of_passwd(passwd: &[u8], user: u32) -> Vec<PathBuf> {
    let home = |line: &[u8]| {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
        let number = std::str::from_utf8(fields.get(2)?).ok()?;
        let home = Path::new(OsStr::from_bytes(fields.get(5)?));
        let is_own = number.parse() == Ok(user) && home.is_absolute();
        is_own.then(|| home.to_owned())
    };
    passwd
        .split(|byte| *byte == b'\n')
        .filter_map(home)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_come_from_the_variable_and_from_passwd() {
        let passwd = b"root:x:0:0:root:/root:/bin/sh\n\
            # a comment\n\
            +::::::\n\
            toor:x:0:0::/root2:/bin/sh\n\
            me:x:1000:1000:My Name,,,:/home/m\xe9:/bin/sh\n\
            odd:x:1001:1001:::/bin/sh\n\
            short:x:1002:1002\n\
            relative:x:1003:1003::home:/bin/sh\n\
            last:x:1004:1004::/l";
        let check = |variable: Option<&str>, user: u32, expected: &[&[u8]], is_known: bool| {
            let homes = Homes::of(variable.map(OsStr::new), passwd, user);
            let expected: Vec<&Path> = expected
                .iter()
                .map(|path| Path::new(OsStr::from_bytes(path)))
                .collect();
            assert_eq!(homes.all, expected, "{variable:?} {user}");
            assert_eq!(homes.is_known, is_known, "{variable:?} {user}");
        };
        check(None, 0, &[b"/root", b"/root2"], true);
        check(Some("/root"), 0, &[b"/root", b"/root2"], true);
        check(Some("/h"), 1000, &[b"/h", b"/home/m\xe9"], true);
        check(Some("."), 1000, &[b".", b"/home/m\xe9"], true);
        check(None, 1004, &[b"/l"], true);
        for user in [1001, 1002, 1003, 7] {
            check(None, user, &[], false);
            check(Some("x/y"), user, &[b"x/y"], false);
            check(Some("/x"), user, &[b"/x"], true);
        }
    }
}
