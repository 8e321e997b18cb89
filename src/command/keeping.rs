//! The stored conversation of a run: begun, taken up again, or copied.

use std::path::Path;

use super::run::{Error, Settings, new_thread};
use crate::clock::seconds;
use crate::id::ThreadId;
use crate::output::{Notice, Sink};
use crate::session::{Beginning, Journal, Sessions, Stored, Writer};

/// What is done about storing the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing is stored.
    Nothing,
    /// A new one is begun.
    New,
    /// This one is gone on with.
    Resume(String),
    /// The newest of this directory is gone on with.
    Last,
    /// A copy of this one is gone on with.
    Fork(String),
}

/// The conversation of a run.
pub(super) struct Kept {
    pub(super) thread: ThreadId,
    /// What was said before.
    pub(super) items: Vec<Vec<u8>>,
    pub(super) writer: Option<Writer>,
}

/// Begins, or takes up again. A dry run stores and holds nothing.
pub(super) fn keep(settings: &Settings, sink: &mut dyn Sink) -> Result<Kept, Error> {
    let beginning = Beginning {
        now: seconds(),
        cwd: &settings.tools.directory,
        model: &settings.choice.model.id,
        version: env!("CARGO_PKG_VERSION"),
    };
    let sessions = settings.home.as_deref().map(Sessions::new);
    match (&settings.keep, &sessions) {
        (Keep::Resume(_) | Keep::Last | Keep::Fork(_), None) => Err(Error::NoHome),
        (Keep::Resume(id), Some(sessions)) => resume(sessions, id, &beginning, settings.dry_run),
        (Keep::Last, Some(sessions)) => {
            let id = newest(sessions, beginning.cwd)?;
            resume(sessions, &id, &beginning, settings.dry_run)
        }
        (Keep::Fork(id), Some(sessions)) => {
            let mut stored = sessions.read(id).map_err(Error::Session)?;
            let _ = stored.settle();
            let items = of_model(&stored, beginning.model);
            let mut kept = begin(settings, Some(sessions), &beginning, sink)?;
            if let Some(writer) = &mut kept.writer {
                for item in &items {
                    writer.item(item);
                }
            }
            Ok(Kept { items, ..kept })
        }
        (Keep::New, sessions) => begin(settings, sessions.as_ref(), &beginning, sink),
        (Keep::Nothing, _) => begin(settings, None, &beginning, sink),
    }
}

fn newest(sessions: &Sessions, cwd: &Path) -> Result<String, Error> {
    sessions.newest(cwd).map_err(Error::Session)
}

fn begin(
    settings: &Settings,
    sessions: Option<&Sessions>,
    beginning: &Beginning<'_>,
    sink: &mut dyn Sink,
) -> Result<Kept, Error> {
    let thread = if settings.dry_run {
        ThreadId::new(0, [0; 10])
    } else {
        new_thread()?
    };
    let created = sessions
        .filter(|_| !settings.dry_run)
        .map(|sessions| sessions.create(&thread, beginning));
    let writer = match created {
        Some(Err(error)) => {
            let words = format!("the conversation is not stored, so it cannot be resumed: {error}");
            let _ = sink.take(Notice::Warning(&words));
            None
        }
        Some(Ok(writer)) => Some(writer),
        None => None,
    };
    Ok(Kept {
        thread,
        items: Vec::new(),
        writer,
    })
}

fn resume(
    sessions: &Sessions,
    id: &str,
    beginning: &Beginning<'_>,
    dry_run: bool,
) -> Result<Kept, Error> {
    let (mut stored, writer) = if dry_run {
        (sessions.read(id).map_err(Error::Session)?, None)
    } else {
        let (stored, writer) = sessions.open(id).map_err(Error::Session)?;
        (stored, Some(writer))
    };
    let added = stored.settle();
    let thread = stored.id.parse().map_err(|_| {
        let damage = crate::session::Damage {
            line: 1,
            what: "its id is none",
        };
        Error::Session(crate::session::Error::Damaged(id.into(), damage))
    })?;
    let items = of_model(&stored, beginning.model);
    let writer = writer.map(|mut writer| {
        for item in &added {
            writer.item(item);
        }
        writer.turn(beginning);
        writer
    });
    Ok(Kept {
        thread,
        items,
        writer,
    })
}

/// Warns at the end of a run if nobody will find the conversation where it was to be stored.
pub(super) fn check(writer: Option<&Writer>, sink: &mut dyn Sink) {
    if let Some(path) = writer.and_then(Writer::misplaced) {
        let words = format!(
            "the conversation cannot be resumed: {} was removed or replaced during the run",
            path.display()
        );
        let _ = sink.take(Notice::Warning(&words));
    }
}

/// The items as this model can be sent them: it cannot read what another one has thought, and a call of another one is not
/// to name that.
fn of_model(stored: &Stored, model: &str) -> Vec<Vec<u8>> {
    let items = stored.items.iter().zip(&stored.models);
    items
        .filter_map(|(item, of)| {
            if of == model || of.is_empty() {
                return Some(item.clone());
            }
            // What cannot be read is kept: a call that is left out would leave its output alone.
            let Ok(mut read) = serde_json::from_slice::<serde_json::Value>(item) else {
                return Some(item.clone());
            };
            match read["type"].as_str() {
                Some("reasoning") => None,
                Some("function_call") => {
                    read.as_object_mut()?.remove("id");
                    Some(read.to_string().into_bytes())
                }
                _ => Some(item.clone()),
            }
        })
        .collect()
}
