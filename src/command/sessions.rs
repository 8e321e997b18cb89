//! `codex sessions`: lists stored conversations, and removes them by id.

use std::io;
use std::path::Path;

use serde_json::json;

use super::stdout::Stdout;
use crate::clock::date;
use crate::output::visible::line;
use crate::session::{Error, Sessions, StoredConversation};
use crate::text::first_characters;

/// Lists the conversations, newest first.
///
/// # Errors
/// If standard output cannot be written.
pub fn list(home: Option<&Path>, as_json: bool, mut stdout: Stdout) -> io::Result<()> {
    let stored = home.map_or_else(Vec::new, |home| Sessions::new(home).list());
    let text = if as_json {
        let all: Vec<serde_json::Value> = stored
            .iter()
            .map(|one| {
                json!({"id": one.id.as_str(), "created_at": one.created_at, "cwd": one.cwd, "model": one.model,
                    "turns": one.turns, "prompt": one.first})
            })
            .collect();
        format!("{:#}\n", serde_json::Value::Array(all))
    } else {
        stored.iter().map(row).collect()
    };
    stdout.print(&text)
}

/// A line of text: id, time, directory, and the beginning of the prompt.
fn row(stored: &StoredConversation) -> String {
    const MAX_WORDS_CHARACTERS: usize = 60;
    let first = stored
        .first
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let mut words = first_characters(&first, MAX_WORDS_CHARACTERS).to_owned();
    if words.len() < first.len() {
        words.push_str(" ...");
    }
    let time = date(stored.created_at);
    let columns = format!("{}  {time}  {}  {words}", stored.id, stored.cwd);
    format!("{}\n", line(&columns))
}

/// Removes the conversations with these ids.
///
/// # Errors
/// If one does not exist, is in use, or cannot be removed. The ones before it have been removed then.
pub fn remove(home: Option<&Path>, ids: &[String]) -> Result<(), Error> {
    for id in ids {
        match home {
            Some(home) => Sessions::new(home).remove(id)?,
            None => return Err(Error::Missing(id.clone())),
        }
    }
    Ok(())
}
