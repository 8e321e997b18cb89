//! The time zone of this machine: the variable `TZ`, or the file `/etc/localtime`.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;

use rustix::fs::OFlags;

use super::environment::Environment;
use super::parse::Invocation;
use crate::clock::{self, TimeZone};
use crate::file::open_regular;

/// The file of the machine's time zone.
const LOCAL_FILE: &str = "/etc/localtime";

/// The directory with a file for each time zone; the variable `TZDIR` names another one.
const DIRECTORY: &str = "/usr/share/zoneinfo";

/// The size of the largest file that is read, in bytes: many times that of any time zone.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// Uses local time in what this invocation prints for people. JSON is in UTC throughout, messages in it too.
pub(super) fn use_for(invocation: &Invocation, environment: &Environment) {
    let args = match invocation {
        Invocation::Run(args)
        | Invocation::Chat(args)
        | Invocation::Login(args)
        | Invocation::Logout(args)
        | Invocation::Status(args)
        | Invocation::Token(args)
        | Invocation::Models(args)
        | Invocation::Sessions(args)
        | Invocation::ListServers(args) => Some(args),
        Invocation::ShowSession(_) => None,
        _ => return,
    };
    if args.is_some_and(|args| args.json) {
        return;
    }
    if let Some(zone) = local(environment) {
        clock::use_zone(zone);
    }
}

/// The time zone; `None` for UTC.
fn local(environment: &Environment) -> Option<TimeZone> {
    let Some(name) = environment.get("TZ") else {
        return of_file(Path::new(LOCAL_FILE));
    };
    let name = name.to_str()?;
    let name = name.strip_prefix(':').unwrap_or(name);
    let directory = environment.get("TZDIR").unwrap_or(OsStr::new(DIRECTORY));
    // A path from the root stands for itself.
    of_file(&Path::new(directory).join(name)).or_else(|| TimeZone::from_rule(name))
}

fn of_file(path: &Path) -> Option<TimeZone> {
    let mut bytes = Vec::new();
    let file = open_regular(path, OFlags::RDONLY).ok()?;
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).ok()?;
    TimeZone::from_file(&bytes)
}
