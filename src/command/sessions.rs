//! `codex sessions`: lists stored conversations, shows one, and removes some by id.

mod show;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::stdout::Stdout;
use super::warn;
use crate::clock::{date, local};
use crate::failure::{self, Failure};
use crate::output::columns::{TableColumn, table};
use crate::output::visible::line;
use crate::session::{self, Sessions, StoredConversation};
use crate::text::one_line;
pub use show::show;

/// How many conversations are listed on a terminal, unless the user says so.
const TERMINAL_LIMIT: usize = 20;

/// The shortest end of an id that is shown.
const MIN_END_CHARACTERS: usize = 6;

/// What to list.
#[derive(Clone, Debug, Default)]
pub struct ListSettings {
    /// The home of codex-run, if there is one.
    pub home: Option<PathBuf>,
    /// The user's home, which paths on a terminal are shortened by.
    pub user: Option<PathBuf>,
    /// Only conversations of this directory.
    pub directory: Option<PathBuf>,
    /// At most this many.
    pub limit: Option<usize>,
    /// Print JSON.
    pub json: bool,
}

/// Why a command fails.
#[derive(Debug)]
pub enum Error {
    /// A conversation cannot be used.
    Session(session::Error),
    /// Standard output cannot be written.
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Session(error) => failure::of_session(&error),
            Error::Output(error) => failure::of_output(&error),
        }
    }
}

/// A conversation in the list.
struct Listed {
    /// When it was used last, in Unix seconds.
    used_at: u64,
    stored: StoredConversation,
}

/// Lists the conversations, the one that was used last first.
///
/// # Errors
/// If standard output cannot be written.
pub fn list(settings: &ListSettings, mut stdout: Stdout) -> Result<(), Error> {
    let columns = stdout.columns().filter(|_| !settings.json);
    let limit = settings.limit.or(columns.map(|_| TERMINAL_LIMIT));
    let sessions = settings.home.as_deref().map(Sessions::new);
    let directory = settings.directory.as_deref();
    // One more shows whether any is left out.
    let most = limit.map_or(usize::MAX, |limit| limit.saturating_add(1));
    let found = sessions
        .as_ref()
        .map(|all| all.last_used_in(directory, most));
    let found = found.unwrap_or_default().into_iter();
    let mut listed: Vec<Listed> = found
        .map(|(used, stored)| Listed {
            used_at: unix(used),
            stored,
        })
        .collect();
    let more = limit.is_some_and(|limit| listed.len() > limit);
    listed.truncate(limit.unwrap_or(usize::MAX));
    let text = match columns {
        _ if settings.json => as_json(&listed),
        None => listed.iter().map(row).collect(),
        Some(_) if listed.is_empty() => String::new(),
        Some(columns) => {
            let ids = sessions.map(|sessions| sessions.ids()).unwrap_or_default();
            rows_for_terminal(&listed, &ids, settings, columns)
        }
    };
    stdout.print(&text).map_err(Error::Output)?;
    if columns.is_some() && listed.is_empty() {
        warn(match directory {
            Some(_) => "no conversation of this directory is stored",
            None => "no conversation is stored",
        });
    }
    if columns.is_some() && more && settings.limit.is_none() {
        warn("older conversations are not shown; --limit N shows more");
    }
    Ok(())
}

fn as_json(listed: &[Listed]) -> String {
    let one = |listed: &Listed| {
        let stored = &listed.stored;
        json!({"id": stored.id.as_str(), "created_at": stored.created_at, "used_at": listed.used_at,
            "cwd": stored.cwd, "model": stored.model, "turns": stored.turns, "prompt": stored.first})
    };
    let all: Vec<serde_json::Value> = listed.iter().map(one).collect();
    format!("{:#}\n", serde_json::Value::Array(all))
}

/// A line of text in full: id, time of the last use, directory, and the beginning of the first message.
fn row(listed: &Listed) -> String {
    let Listed { used_at, stored } = listed;
    let (time, words) = (date(*used_at), one_line(&stored.first));
    let columns = format!("{}  {time}  {}  {words}", stored.id, stored.cwd);
    format!("{}\n", line(&columns))
}

/// A table in the width of a terminal, with the ends of ids that are needed to tell them apart.
fn rows_for_terminal(
    listed: &[Listed],
    ids: &[String],
    settings: &ListSettings,
    columns: usize,
) -> String {
    let heads = [
        TableColumn::fixed("id"),
        TableColumn::fixed("last used"),
        TableColumn {
            least: Some(8),
            keeps_end: true,
            rank: 1,
            ..TableColumn::fixed("directory")
        },
        TableColumn {
            least: Some(8),
            ..TableColumn::fixed("first message")
        },
    ];
    let end = unambiguous_end(ids);
    let row = |Listed { used_at, stored }: &Listed| {
        let id = stored.id.as_str();
        let mut cells = vec![format!("…{}", &id[id.len() - end..]), local(*used_at)];
        if settings.directory.is_none() {
            cells.push(line(&short_path(&stored.cwd, settings.user.as_deref())).into_owned());
        }
        cells.push(line(&one_line(&stored.first)).into_owned());
        cells
    };
    let rows: Vec<Vec<String>> = listed.iter().map(row).collect();
    let mut heads = heads.to_vec();
    if settings.directory.is_some() {
        heads.remove(2);
    }
    table(&heads, &rows, Some(columns))
}

/// The number of characters at the end that tell all ids apart.
fn unambiguous_end(ids: &[String]) -> usize {
    let differ = |count: &usize| {
        let ends: HashSet<&str> = ids.iter().map(|id| &id[id.len() - count..]).collect();
        ends.len() == ids.len()
    };
    let shortest = ids.iter().map(String::len).min().unwrap_or_default();
    (MIN_END_CHARACTERS..shortest)
        .find(differ)
        .unwrap_or(shortest)
}

/// A path with `~` for the user's home.
fn short_path(path: &str, user: Option<&Path>) -> String {
    let below = user.and_then(|user| Path::new(path).strip_prefix(user).ok());
    match below {
        Some(below) if below.as_os_str().is_empty() => "~".to_owned(),
        Some(below) => format!("~/{}", below.display()),
        None => path.to_owned(),
    }
}

fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// Removes the conversations with these ids, once every id has been found.
///
/// # Errors
/// If one does not exist, is ambiguous, in use, or cannot be removed. In the last two cases, the ones before it have been
/// removed.
pub fn remove(home: Option<&Path>, ids: &[String]) -> Result<(), Error> {
    let found: Result<Vec<_>, _> = ids.iter().map(|id| find(home, id)).collect();
    let mut removed = HashSet::new();
    for (sessions, id) in found? {
        // Two parts of an id may name the same conversation.
        if removed.insert(id.clone()) {
            sessions.remove(&id).map_err(Error::Session)?;
            super::warn(&format!("removed {id}"));
        }
    }
    Ok(())
}

/// The conversation that this id, or a part of it, names.
fn find(home: Option<&Path>, id: &str) -> Result<(Sessions, String), Error> {
    let sessions = home.map(Sessions::new);
    let missing = || Error::Session(session::Error::Missing(id.to_owned()));
    let sessions = sessions.ok_or_else(missing)?;
    let id = sessions.find(id).map_err(Error::Session)?;
    Ok((sessions, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_ids_are_as_long_as_needed() {
        let check = |ids: &[&str], expected: usize| {
            let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
            assert_eq!(unambiguous_end(&ids), expected);
        };
        check(&[], 0);
        check(&["0123456789"], 6);
        check(&["0123456789", "0123456788"], 6);
        check(&["0123456789", "012a456789"], 7);
        check(&["a123456789", "b123456789"], 10);
    }

    #[test]
    fn paths_below_the_home_begin_with_a_tilde() {
        let check = |path: &str, expected: &str| {
            assert_eq!(short_path(path, Some(Path::new("/home/ada"))), expected);
        };
        check("/home/ada", "~");
        check("/home/ada/src", "~/src");
        check("/home/adam", "/home/adam");
        assert_eq!(short_path("/x", None), "/x");
    }
}
