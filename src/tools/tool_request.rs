//! The request to a tool's process, passed on its command line: which tool, its time limit, and the sandbox policy. A
//! run writes it and `codex tool --held` reads it; it is not a public interface.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use super::sandbox::paths::Root;
use super::sandbox::policy::{ClosedDirectory, SandboxPolicy};

/// Replaces the policy when there is no sandbox.
const NO_SANDBOX: &str = "danger-full-access";

/// A request to a tool's process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolRequest {
    /// The tool's name.
    pub name: String,
    /// Number of the call in the run, counted from 1.
    pub number: usize,
    /// The time limit for commands.
    pub timeout: Duration,
    /// Report the program's output while it runs, as `live_output` says.
    pub live: bool,
    /// The program is a server: it gets the standard streams of its process, and writes no result.
    pub serves: bool,
    /// Standard input is the descriptor of the Landlock rules of the policy, made by the run.
    pub inherits_rules: bool,
    /// The sandbox policy; `None` for `danger-full-access`.
    pub policy: Option<SandboxPolicy>,
    /// The program and its arguments; `None` for a built-in tool.
    pub program: Option<Vec<OsString>>,
}

impl ToolRequest {
    /// Encodes the request as arguments. Paths are encoded byte for byte.
    #[must_use]
    pub fn words(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![(&self.name).into()];
        let mut add = |key: &str, value: &OsStr| words.extend([key.into(), value.to_owned()]);
        add("number", self.number.to_string().as_ref());
        add("timeout", self.timeout.as_millis().to_string().as_ref());
        for (key, set) in [("live", self.live), ("serves", self.serves)] {
            if set {
                add(key, "yes".as_ref());
            }
        }
        let name = self.policy.as_ref().map_or(NO_SANDBOX, SandboxPolicy::name);
        add("policy", name.as_ref());
        if self.inherits_rules {
            add("rules", "inherited".as_ref());
        }
        if let Some(policy) = &self.policy {
            if policy.network {
                add("network", "yes".as_ref());
            }
            for root in &policy.writable {
                add("write", &encode_root(root));
            }
            if let Some(root) = &policy.sockets {
                add("sockets", &encode_root(root));
            }
            if let Some(path) = &policy.temporary {
                add("temporary", path.as_os_str());
            }
            for (key, paths) in [("hide", &policy.hidden), ("read", &policy.readable)] {
                for path in paths {
                    add(key, path.as_os_str());
                }
            }
            for ClosedDirectory { place, reason } in &policy.closed {
                add("closed", place.as_os_str());
                add("reason", reason.as_ref());
            }
        }
        if let Some(program) = &self.program {
            words.push("run".into());
            words.extend_from_slice(program);
        }
        words
    }

    /// Parses the arguments; `None` if they are not a valid request.
    #[must_use]
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut words = words.into_iter();
        let mut request = Self {
            name: words.next()?.into_string().ok()?,
            number: 0,
            timeout: Duration::ZERO,
            live: false,
            serves: false,
            inherits_rules: false,
            policy: None,
            program: None,
        };
        let (mut has_timeout, mut has_policy) = (false, false);
        while let Some(key) = words.next() {
            if key == "run" {
                request.program = Some(words.collect());
                break;
            }
            let value = words.next()?;
            if key == "number" {
                request.number = value.to_str()?.parse().ok()?;
                continue;
            }
            if key == "timeout" {
                request.timeout = Duration::from_millis(value.to_str()?.parse().ok()?);
                has_timeout = true;
                continue;
            }
            if (key == "live" || key == "serves") && value == "yes" {
                if key == "live" {
                    request.live = true;
                } else {
                    request.serves = true;
                }
                continue;
            }
            if key == "policy" {
                has_policy = true;
                request.policy = match value.to_str()? {
                    NO_SANDBOX => None,
                    "read-only" => Some(SandboxPolicy::default()),
                    "workspace-write" => Some(SandboxPolicy {
                        write: true,
                        ..SandboxPolicy::default()
                    }),
                    _ => return None,
                };
                continue;
            }
            // The policy's mode must come before its details; a request that is not understood is rejected.
            let policy = request.policy.as_mut()?;
            match key.to_str()? {
                "rules" if value == "inherited" => request.inherits_rules = true,
                "network" if value == "yes" => policy.network = true,
                "write" => policy.writable.push(parse_root(&value)?),
                "hide" => policy.hidden.push(PathBuf::from(value)),
                "read" => policy.readable.push(PathBuf::from(value)),
                "temporary" => policy.temporary = Some(PathBuf::from(value)),
                "sockets" => policy.sockets = Some(parse_root(&value)?),
                "closed" => policy.closed.push(ClosedDirectory {
                    place: value.into(),
                    reason: String::new(),
                }),
                "reason" => policy.closed.last_mut()?.reason = value.into_string().ok()?,
                _ => return None,
            }
        }
        // An incomplete request is rejected.
        (has_timeout && has_policy && request.number > 0).then_some(request)
    }
}

/// Prefix of a tool's variables until the sandbox is applied: variables that affect the dynamic loader, such as
/// `LD_LIBRARY_PATH`, must have no effect on the process that applies it.
const HELD_PREFIX: &str = "CODEX_TOOL_";

/// Prefixes a variable for its way through the process that applies the sandbox.
#[must_use]
pub fn held_name(name: &OsStr) -> OsString {
    let mut held = OsString::from(HELD_PREFIX);
    held.push(name);
    held
}

/// The prefixed variables, under their own names.
#[must_use]
pub fn tool_variables(all: &[(OsString, OsString)]) -> Vec<(OsString, OsString)> {
    let own = |(name, value): &(OsString, OsString)| {
        let name = name.as_bytes().strip_prefix(HELD_PREFIX.as_bytes())?;
        Some((OsStr::from_bytes(name).to_owned(), value.clone()))
    };
    all.iter().filter_map(own).collect()
}

/// Encodes a directory and its identity as one argument.
fn encode_root(root: &Root) -> OsString {
    let mut word = OsString::from(format!("{}:{}:", root.identity.0, root.identity.1));
    word.push(&root.path);
    word
}

/// Parses a writable directory: device, inode and path.
fn parse_root(value: &OsStr) -> Option<Root> {
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
    fn a_request_round_trips() {
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
                reason: "of that".to_owned(),
            }],
        };
        for policy in [None, Some(SandboxPolicy::default()), Some(policy)] {
            for program in [
                None,
                Some(vec!["./x".into(), "run".into(), "--held".into()]),
            ] {
                let request = ToolRequest {
                    name: "lookup".into(),
                    number: 7,
                    timeout: Duration::from_millis(1500),
                    live: program.is_some(),
                    serves: program.is_some() && policy.is_some(),
                    inherits_rules: policy.is_some() && program.is_none(),
                    policy: policy.clone(),
                    program,
                };
                assert_eq!(ToolRequest::parse(request.words()), Some(request));
            }
        }
        for words in [
            &["bash", "write", "/x"][..],
            &["bash", "policy"],
            &["bash", "timeout", "1"],
            &["bash", "policy", "read-only"],
            &["bash", "number", "1", "policy", "read-only"],
            &["bash", "live", "no"],
            &["bash", "rules", "inherited"],
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
            assert_eq!(ToolRequest::parse(words), None);
        }
    }
}
