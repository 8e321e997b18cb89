//! What a tool's own process is told on its command line: which tool it is, how long it may take, and the walls.
//! `run` writes it, `codex tool --held` reads it; nobody else needs to.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use super::sandbox::paths::Root;
use super::sandbox::policy::{ClosedDirectory, SandboxPolicy};

/// What stands in the place of walls where there are none.
const OPEN: &str = "danger-full-access";

/// An order to a tool's own process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolOrder {
    /// The tool's name.
    pub name: String,
    /// Which call of the run it is, counted from 1.
    pub number: usize,
    /// How long a command may take.
    pub timeout: Duration,
    /// What is around it; nothing with `danger-full-access`.
    pub policy: Option<SandboxPolicy>,
    /// The program that it is, with its arguments; a built-in tool without.
    pub program: Option<Vec<OsString>>,
}

impl ToolOrder {
    /// The order as words, every path to the byte.
    #[must_use]
    pub fn words(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![(&self.name).into()];
        let mut add = |key: &str, value: &OsStr| words.extend([key.into(), value.to_owned()]);
        add("number", self.number.to_string().as_ref());
        add("timeout", self.timeout.as_millis().to_string().as_ref());
        let name = self.policy.as_ref().map_or(OPEN, SandboxPolicy::name);
        add("policy", name.as_ref());
        if let Some(policy) = &self.policy {
            if policy.network {
                add("network", "yes".as_ref());
            }
            for root in &policy.writable {
                add("write", &written(root));
            }
            if let Some(root) = &policy.sockets {
                add("sockets", &written(root));
            }
            if let Some(path) = &policy.temporary {
                add("temporary", path.as_os_str());
            }
            for (key, paths) in [("hide", &policy.hidden), ("read", &policy.readable)] {
                for path in paths {
                    add(key, path.as_os_str());
                }
            }
            for ClosedDirectory { place, because } in &policy.closed {
                add("closed", place.as_os_str());
                add("because", because.as_ref());
            }
        }
        if let Some(program) = &self.program {
            words.push("run".into());
            words.extend_from_slice(program);
        }
        words
    }

    /// Reads the words; `None` where they are no order.
    #[must_use]
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut words = words.into_iter();
        let mut order = Self {
            name: words.next()?.into_string().ok()?,
            number: 0,
            timeout: Duration::ZERO,
            policy: None,
            program: None,
        };
        let (mut timed, mut walled) = (false, false);
        while let Some(key) = words.next() {
            if key == "run" {
                order.program = Some(words.collect());
                break;
            }
            let value = words.next()?;
            if key == "number" {
                order.number = value.to_str()?.parse().ok()?;
                continue;
            }
            if key == "timeout" {
                order.timeout = Duration::from_millis(value.to_str()?.parse().ok()?);
                timed = true;
                continue;
            }
            if key == "policy" {
                walled = true;
                order.policy = match value.to_str()? {
                    OPEN => None,
                    "read-only" => Some(SandboxPolicy::default()),
                    "workspace-write" => Some(SandboxPolicy {
                        write: true,
                        ..SandboxPolicy::default()
                    }),
                    _ => return None,
                };
                continue;
            }
            // Walls are named before what is in them: an order that cannot be understood is not followed.
            let policy = order.policy.as_mut()?;
            match key.to_str()? {
                "network" if value == "yes" => policy.network = true,
                "write" => policy.writable.push(root(&value)?),
                "hide" => policy.hidden.push(PathBuf::from(value)),
                "read" => policy.readable.push(PathBuf::from(value)),
                "temporary" => policy.temporary = Some(PathBuf::from(value)),
                "sockets" => policy.sockets = Some(root(&value)?),
                "closed" => policy.closed.push(ClosedDirectory {
                    place: value.into(),
                    because: String::new(),
                }),
                "because" => policy.closed.last_mut()?.because = value.into_string().ok()?,
                _ => return None,
            }
        }
        // An order that leaves something open is not followed.
        (timed && walled && order.number > 0).then_some(order)
    }
}

/// How a variable is called until the walls are up: what the loader of a program believes, such as `LD_LIBRARY_PATH`,
/// must mean nothing to the process that puts them up.
const UNTIL_THEN: &str = "CODEX_TOOL_";

/// A variable for a tool, on its way through the process that puts up the walls.
#[must_use]
pub fn put_off(name: &OsStr) -> OsString {
    let mut called = OsString::from(UNTIL_THEN);
    called.push(name);
    called
}

/// The variables that came this way, under their own names.
#[must_use]
pub fn arrived(all: &[(OsString, OsString)]) -> Vec<(OsString, OsString)> {
    let own = |(name, value): &(OsString, OsString)| {
        let name = name.as_bytes().strip_prefix(UNTIL_THEN.as_bytes())?;
        Some((OsStr::from_bytes(name).to_owned(), value.clone()))
    };
    all.iter().filter_map(own).collect()
}

/// A directory with what identifies it, as one word.
fn written(root: &Root) -> OsString {
    let mut word = OsString::from(format!("{}:{}:", root.identity.0, root.identity.1));
    word.push(&root.path);
    word
}

/// A directory that may be changed: its device, its inode and its path.
fn root(value: &OsStr) -> Option<Root> {
    let mut parts = value.as_bytes().splitn(3, |byte| *byte == b':');
    let mut number = || std::str::from_utf8(parts.next()?).ok()?.parse().ok();
    let identity = (number()?, number()?);
    Some(Root {
        path: PathBuf::from(OsStr::from_bytes(parts.next()?)),
        identity,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn an_order_is_read_as_it_was_written() {
        let odd = PathBuf::from(OsString::from_vec(b"/a b/\xff\n".to_vec()));
        let policy = SandboxPolicy {
            write: true,
            network: true,
            writable: [odd.clone(), "run:1".into()]
                .into_iter()
                .map(|path| Root {
                    path,
                    identity: (7, u64::MAX),
                })
                .collect(),
            temporary: Some(odd.clone()),
            hidden: vec!["policy".into()],
            readable: vec![odd.clone()],
            sockets: Some(Root {
                path: "/run/a: b/s1".into(),
                identity: (u64::MAX, 1),
            }),
            closed: vec![ClosedDirectory {
                place: odd,
                because: "of that".to_owned(),
            }],
        };
        for policy in [None, Some(SandboxPolicy::default()), Some(policy)] {
            for program in [
                None,
                Some(vec!["./x".into(), "run".into(), "--held".into()]),
            ] {
                let order = ToolOrder {
                    name: "lookup".into(),
                    number: 7,
                    timeout: Duration::from_millis(1500),
                    policy: policy.clone(),
                    program,
                };
                assert_eq!(ToolOrder::parse(order.words()), Some(order));
            }
        }
        for words in [
            &["bash", "write", "/x"][..],
            &["bash", "policy"],
            &["bash", "timeout", "1"],
            &["bash", "policy", "read-only"],
            &["bash", "number", "1", "policy", "read-only"],
            &["bash", "timeout", "1", "policy", "read-only"],
            &["bash", "number", "1", "timeout", "1", "policy", "nonsense"],
            &[
                "bash",
                "number",
                "1",
                "timeout",
                "1",
                "policy",
                "read-only",
                "network",
                "no",
            ],
            &["x", "policy", "y", "z", ""],
            &[],
        ] {
            let words = words.iter().map(OsString::from);
            assert_eq!(ToolOrder::parse(words), None);
        }
    }
}
