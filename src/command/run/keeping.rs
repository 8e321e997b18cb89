//! The stored conversation of a run: begun, taken up again, or copied.

use std::borrow::Cow;
use std::path::Path;

use super::error::Error;
use super::settings::{Keep, Settings};
use crate::clock::{millis, seconds};
use crate::id::ThreadId;
use crate::output::{Notice, Sink};
use crate::session::stored::is_change;
use crate::session::{Beginning, Journal, Sessions, Stored, Writer};
use crate::wire::replay::{Recipient, with_words, without_reasoning};

/// The conversation of a run.
pub(super) struct Kept {
    pub(super) thread: ThreadId,
    /// What was said before.
    pub(super) items: Vec<Vec<u8>>,
    pub(super) writer: Option<Writer>,
    pub(super) effort: Effort,
}

/// How much the model is to think, and where a request says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Effort {
    /// In the field of the request; the same throughout a conversation with a model that takes changes.
    pub(super) head: Option<String>,
    /// In an item before what the user says, which leaves what the service has cached as it is.
    pub(super) change: Option<String>,
}

/// Begins, or takes up again. A dry run stores and holds nothing.
pub(super) fn keep(settings: &Settings, sink: &mut dyn Sink) -> Result<Kept, Error> {
    let beginning = Beginning {
        now: seconds(),
        cwd: &settings.tools.directory,
        model: &settings.choice.model.id,
        provider: settings.choice.provider.as_deref(),
        effort: settings.fitted.effort.as_deref(),
        version: env!("CARGO_PKG_VERSION"),
    };
    let sessions = settings.home.as_deref().map(Sessions::new);
    match (&settings.keep, &sessions) {
        (Keep::Resume(_) | Keep::Last | Keep::Fork(_), None) => Err(Error::NoHome),
        (Keep::Resume(id), Some(sessions)) => resume(sessions, id, &beginning, settings),
        (Keep::Last, Some(sessions)) => {
            let id = newest(sessions, beginning.cwd)?;
            resume(sessions, &id, &beginning, settings)
        }
        (Keep::Fork(id), Some(sessions)) => {
            let mut stored = sessions.read(id).map_err(Error::Session)?;
            let _ = stored.settle();
            let (items, effort) = gone_on(&stored, settings);
            let beginning = Beginning {
                effort: effort.head.as_deref(),
                ..beginning
            };
            let mut kept = begin(settings, Some(sessions), &beginning, sink)?;
            if let Some(writer) = &mut kept.writer {
                for item in &items {
                    writer.item(item);
                }
            }
            Ok(Kept {
                items,
                effort,
                ..kept
            })
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
        effort: Effort {
            head: beginning.effort.map(str::to_owned),
            change: None,
        },
    })
}

fn resume(
    sessions: &Sessions,
    id: &str,
    beginning: &Beginning<'_>,
    settings: &Settings,
) -> Result<Kept, Error> {
    let (mut stored, writer) = if settings.dry_run {
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
    let (items, effort) = gone_on(&stored, settings);
    let writer = writer.map(|mut writer| {
        for item in &added {
            writer.item(item);
        }
        writer.turn(&Beginning {
            effort: effort.head.as_deref(),
            ..*beginning
        });
        writer
    });
    Ok(Kept {
        thread,
        items,
        writer,
        effort,
    })
}

/// A new conversation.
fn new_thread() -> Result<ThreadId, Error> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(Error::Random)?;
    Ok(ThreadId::new(millis(), random))
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

/// The items of a stored conversation as this run sends them, and how much the model is to think from here on.
fn gone_on(stored: &Stored, settings: &Settings) -> (Vec<Vec<u8>>, Effort) {
    let choice = &settings.choice;
    let model = choice.spelled();
    let takes_changes = choice.model.effort_updates && choice.backend.is_of_openai();
    let is_same = stored.model == model && takes_changes;
    let wanted = settings.fitted.effort.as_deref();
    let effort = match (&stored.effort.head, wanted) {
        (Some(head), Some(wanted)) if is_same => Effort {
            head: Some(head.clone()),
            change: (stored.effort.current() != Some(wanted)).then(|| wanted.to_owned()),
        },
        (_, wanted) => Effort {
            head: wanted.map(str::to_owned),
            change: None,
        },
    };
    let changes_since = if is_same && stored.effort.head.is_some() {
        stored.effort.since
    } else {
        stored.items.len()
    };
    (of_model(stored, &model, changes_since), effort)
}

/// The items as this model can be sent them: it cannot read what another one has thought, and what came of that is not to
/// name it. Changes of the effort before this place were not for it.
fn of_model(stored: &Stored, model: &str, changes_since: usize) -> Vec<Vec<u8>> {
    let items = stored.items.iter().zip(&stored.models).enumerate();
    items
        .filter(|(n, (item, _))| *n >= changes_since || !is_change(item))
        .filter_map(|(_, (item, of))| {
            let item = if of == model || of.is_empty() {
                Cow::Borrowed(&**item)
            } else {
                without_reasoning(item, Recipient::Other)?
            };
            Some(with_words(&item).into_owned())
        })
        .collect()
}
