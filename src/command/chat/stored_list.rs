//! The list of stored conversations for `/resume`.

use std::path::PathBuf;
use std::thread;
use std::time::UNIX_EPOCH;

use super::channel::Reporter;
use crate::chat::event::{ChatEvent, NoticeLevel, SessionEntry};
use crate::clock::{local_short, seconds};
use crate::session::Sessions;

/// How many conversations are listed.
const MAX_LISTED: usize = 100;

/// Reads the list on a thread of its own, and reports it.
pub(super) fn report_sessions(home: Option<PathBuf>, reporter: Reporter) {
    let failing = reporter.clone();
    let reading = thread::Builder::new().spawn(move || {
        let list = home.map(|home| entries(&Sessions::new(&home)));
        let _ = reporter.event(ChatEvent::Sessions(list.unwrap_or_default()));
    });
    if let Err(error) = reading {
        let text = format!("cannot list the conversations: {error}");
        let _ = failing.event(ChatEvent::Notice(NoticeLevel::Error, text));
    }
}

/// The conversations that were used last.
fn entries(sessions: &Sessions) -> Vec<SessionEntry> {
    let now = seconds();
    let found = sessions.last_used(MAX_LISTED).into_iter();
    found
        .filter(|(_, stored)| !stored.first.is_empty())
        .map(|(used, stored)| {
            let used = used.duration_since(UNIX_EPOCH).unwrap_or_default();
            SessionEntry {
                id: stored.id.as_str().to_owned(),
                used: local_short(used.as_secs(), now),
                model: stored.model,
                first: stored.first,
            }
        })
        .collect()
}
