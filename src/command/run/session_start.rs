//! The stored conversation of a run: begun, taken up again, or copied.

use std::path::PathBuf;

use super::error::Error;
use super::settings::{Keep, RunSettings};
use crate::agent::resume::ResumedConversation;
use crate::clock::{millis, seconds};
use crate::failure::RunWarning;
use crate::id::ThreadId;
use crate::output::{Notice, Sink};
use crate::session::{Journal, Sessions, StoredConversation, TurnHeader, Writer};

/// The conversation of a run.
pub(super) struct StartedSession {
    pub(super) thread: ThreadId,
    /// What was said before.
    pub(super) items: Vec<Vec<u8>>,
    pub(super) writer: Option<Writer>,
    /// How much the model is to think, as the requests name it.
    pub(super) effort: Option<String>,
}

/// Begins, or takes up again. A dry run stores and holds nothing.
pub(super) fn keep(settings: &RunSettings, sink: &mut dyn Sink) -> Result<StartedSession, Error> {
    let beginning = TurnHeader {
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
            let id = sessions.newest(beginning.cwd).map_err(Error::Session)?;
            resume(sessions, id.as_str(), &beginning, settings)
        }
        (Keep::Fork(id), Some(sessions)) => {
            let stored = sessions.read(id).map_err(Error::Session)?;
            let ResumedConversation { items, effort, .. } = resumed(stored, settings);
            let beginning = TurnHeader {
                effort: effort.as_deref(),
                ..beginning
            };
            let mut kept = begin(settings, Some(sessions), &beginning, sink)?;
            if let Some(writer) = &mut kept.writer {
                for item in &items {
                    writer.item(item);
                }
            }
            Ok(StartedSession {
                items,
                effort,
                ..kept
            })
        }
        (Keep::New, sessions) => begin(settings, sessions.as_ref(), &beginning, sink),
        (Keep::Nothing, _) => begin(settings, None, &beginning, sink),
    }
}

fn begin(
    settings: &RunSettings,
    sessions: Option<&Sessions>,
    beginning: &TurnHeader<'_>,
    sink: &mut dyn Sink,
) -> Result<StartedSession, Error> {
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
            let _ = sink.take(Notice::Warning(&RunWarning::NotStored(error)));
            None
        }
        Some(Ok(writer)) => Some(writer),
        None => None,
    };
    Ok(StartedSession {
        thread,
        items: Vec::new(),
        writer,
        effort: beginning.effort.map(str::to_owned),
    })
}

fn resume(
    sessions: &Sessions,
    id: &str,
    beginning: &TurnHeader<'_>,
    settings: &RunSettings,
) -> Result<StartedSession, Error> {
    let (stored, mut writer) = if settings.dry_run {
        (sessions.read(id).map_err(Error::Session)?, None)
    } else {
        let (stored, writer) = sessions.open(id).map_err(Error::Session)?;
        (stored, Some(writer))
    };
    let thread = stored.id.clone();
    let resumed = resumed(stored, settings);
    if let Some(writer) = &mut writer {
        resumed.record(writer, beginning);
    }
    Ok(StartedSession {
        thread,
        items: resumed.items,
        writer,
        effort: resumed.effort,
    })
}

/// A new conversation.
fn new_thread() -> Result<ThreadId, Error> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(Error::Random)?;
    Ok(ThreadId::new(millis(), random))
}

/// Warns at the end of a run if the conversation cannot be found where it was to be stored.
pub(super) fn check(misplaced: Option<PathBuf>, sink: &mut dyn Sink) {
    if let Some(path) = misplaced {
        let _ = sink.take(Notice::Warning(&RunWarning::Misplaced(path)));
    }
}

/// A stored conversation as this run goes on with it.
fn resumed(stored: StoredConversation, settings: &RunSettings) -> ResumedConversation {
    let choice = &settings.choice;
    let takes_changes = choice.model.effort_updates && choice.backend.is_of_openai();
    let wanted = settings.fitted.effort.as_deref();
    ResumedConversation::new(stored, &choice.spelled(), takes_changes, wanted)
}
