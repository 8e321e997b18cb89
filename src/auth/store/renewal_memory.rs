//! State shared between processes, stored in the lock file of the home: who holds the lock, which refresh tokens were
//! sent or permanently refused, when a failed one may be retried, and the identities of personal access tokens. One
//! JSON object per line, appended; the last match counts. A token is identified by part of its hash. Losing a line
//! costs one request to the issuer, so errors are ignored.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::lock_wait::Holder;
use crate::auth::identity::TokenIdentity;
use crate::auth::refusal::Refusal;
use crate::clock::millis;
use crate::file::{Directory, inherit_owner_at, open_regular};
use crate::secret::Secret;

/// Size at which the file is truncated, in bytes.
const MAX_MEMORY_BYTES: u64 = 8 << 10;

/// The outcome of earlier attempts with a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Past {
    /// Nothing is known.
    Nothing,
    /// It was permanently refused.
    Refused(Refusal),
    /// This process has sent it and recorded no outcome: it is waiting for the response, or was killed.
    Sent(u32),
    /// The number of consecutive failures, and when it may be retried, in Unix milliseconds.
    Failed(u32, u64),
}

/// The file and the issuer: tokens that one issuer refuses, another may accept.
#[derive(Clone, Debug)]
pub struct Memory {
    home: Option<PathBuf>,
    issuer: String,
}

#[derive(Default, Deserialize, Serialize)]
struct MemoryLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<u32>,
    /// When the holder took the lock, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<u64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<StoredRefusal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed: Option<(u32, u64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whose: Option<Value>,
}

#[derive(Deserialize, Serialize)]
struct StoredRefusal {
    status: u16,
    code: String,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    interrupted: Option<u32>,
}

impl Memory {
    /// Creates the memory of this home for this issuer.
    #[must_use]
    pub fn new(home: Option<&Path>, issuer: &str) -> Self {
        Self {
            home: home.map(Path::to_owned),
            issuer: issuer.to_owned(),
        }
    }

    fn file(&self) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join("auth.json.lock"))
    }

    /// Returns a token's name for this issuer.
    #[must_use]
    pub fn name(&self, token: &Secret) -> String {
        name(&Secret::new(format!("{} {}", self.issuer, token.expose())))
    }

    /// Returns the cached identity of a personal access token.
    #[must_use]
    pub fn identity(&self, access: &Secret) -> Option<TokenIdentity> {
        let name = self.name(access);
        let lines = self.lines().into_iter().rev();
        let mut matching = lines.filter(|line| line.token == name);
        TokenIdentity::read(&matching.find_map(|line| line.whose)?)
    }

    /// Caches the identity of a personal access token.
    pub fn remember(&self, access: &Secret, identity: &TokenIdentity) {
        self.add(&MemoryLine {
            token: self.name(access),
            whose: Some(identity.json()),
            ..MemoryLine::default()
        });
    }

    /// Returns the last outcome for this refresh token.
    #[must_use]
    pub fn of(&self, refresh: &Secret) -> Past {
        let name = self.name(refresh);
        let line = self.lines().into_iter().rfind(|line| line.token == name);
        match line {
            Some(MemoryLine {
                refused: Some(stored),
                ..
            }) => Past::Refused(Refusal {
                status: stored.status,
                code: stored.code,
                message: stored.message,
                page: false,
                retry_after: None,
                proxy: None,
                interrupted: stored.interrupted,
            }),
            Some(MemoryLine {
                failed: Some((count, until)),
                ..
            }) => Past::Failed(count, until),
            Some(MemoryLine {
                sent: Some(process),
                ..
            }) => Past::Sent(process),
            _ => Past::Nothing,
        }
    }

    /// Returns the process that took the lock last.
    #[must_use]
    pub(super) fn holder(&self) -> Option<Holder> {
        let mut lines = self.lines().into_iter().rev();
        lines.find_map(|line| {
            Some(Holder {
                process: line.holder?,
                since: line.since.unwrap_or(0),
            })
        })
    }

    /// Records that this process holds the lock.
    pub fn hold(&self) {
        self.add(&MemoryLine {
            holder: Some(std::process::id()),
            since: Some(millis()),
            ..MemoryLine::default()
        });
    }

    /// Records the outcome of an attempt with this refresh token.
    pub fn note(&self, refresh: &Secret, past: &Past) {
        let mut line = MemoryLine {
            token: self.name(refresh),
            ..MemoryLine::default()
        };
        match past {
            Past::Nothing => {}
            Past::Refused(refusal) => {
                line.refused = Some(StoredRefusal {
                    status: refusal.status,
                    code: refusal.code.clone(),
                    message: refusal.message.clone(),
                    interrupted: refusal.interrupted,
                });
            }
            Past::Failed(count, until) => line.failed = Some((*count, *until)),
            Past::Sent(process) => line.sent = Some(*process),
        }
        self.add(&line);
    }

    fn lines(&self) -> Vec<MemoryLine> {
        let mut text = String::new();
        // Reading something other than a file, such as a pipe, could block.
        let Some(file) = self.file() else {
            return Vec::new();
        };
        let read = open_regular(&file, OFlags::RDONLY)
            .and_then(|file| file.take(2 * MAX_MEMORY_BYTES).read_to_string(&mut text));
        if read.is_err() {
            return Vec::new();
        }
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    fn add(&self, line: &MemoryLine) {
        let Ok(mut text) = serde_json::to_string(line) else {
            return;
        };
        text.push('\n');
        let Some(path) = self.file() else {
            return;
        };
        // A user of another program's file may have no home directory of codex-run yet.
        if let Some(home) = &self.home
            && (line.refused.is_some() || line.failed.is_some() || line.whose.is_some())
        {
            let _ = Directory::hold(home).and_then(|held| held.make());
        }
        let mut options = OpenOptions::new();
        options.append(true).mode(0o600);
        options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
        let file = match options.clone().create_new(true).open(&path) {
            Ok(file) => {
                inherit_owner_at(&file, &path);
                Ok(file)
            }
            Err(_) => options.open(&path),
        };
        if let Ok(mut file) = file {
            if file
                .metadata()
                .is_ok_and(|file| file.len() > MAX_MEMORY_BYTES)
            {
                let _ = file.set_len(0);
            }
            let _ = file.write_all(text.as_bytes());
        }
    }
}

/// Returns a token's name: enough of its hash to identify it, and useless without the token.
pub(super) fn name(token: &Secret) -> String {
    let hash = Sha256::digest(token.expose());
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_match_counts_and_no_token_is_stored() {
        let home = std::env::temp_dir().join(format!("codex-memory-{}", std::process::id()));
        let path = home.join("auth.json.lock");
        let _ = std::fs::remove_dir_all(&home);
        let memory = Memory::new(Some(&home), "https://one.example");
        let (one, two) = (
            Secret::new("rt_one".to_owned()),
            Secret::new("rt_two".to_owned()),
        );
        assert_eq!((memory.of(&one), memory.holder()), (Past::Nothing, None));
        let refused = Past::Refused(Refusal::of(
            401,
            r#"{"error":{"code":"x","message":"No."}}"#,
        ));
        memory.hold();
        assert!(!home.exists(), "no directory is created just for that");
        memory.note(&one, &Past::Failed(1, 5000));
        memory.hold();
        memory.note(&two, &Past::Failed(2, 9000));
        memory.note(&one, &refused);
        assert_eq!(memory.of(&one), refused);
        let other = Memory::new(Some(&home), "https://two.example");
        assert_eq!(other.of(&one), Past::Nothing);
        assert_eq!(memory.of(&two), Past::Failed(2, 9000));
        let holder = memory.holder().map(|holder| holder.process);
        assert_eq!(holder, Some(std::process::id()));
        memory.note(&one, &Past::Nothing);
        assert_eq!(memory.of(&one), Past::Nothing);
        memory.note(&one, &Past::Sent(7));
        assert_eq!(memory.of(&one), Past::Sent(7));
        let text = std::fs::read_to_string(&path).expect("it is there");
        assert!(!text.contains("rt_"), "{text}");
        for _ in 0..1000 {
            memory.hold();
        }
        assert!(std::fs::metadata(&path).expect("it is there").len() <= MAX_MEMORY_BYTES + 100);
        std::fs::write(&path, "torn\n{\"token\":").expect("written");
        assert_eq!(memory.of(&two), Past::Nothing);
        std::fs::remove_dir_all(home).expect("it goes away");
    }
}
