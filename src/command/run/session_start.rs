//! The stored conversation of a run: new, resumed or forked.

use std::path::PathBuf;

use super::error::Error;
use super::settings::{RunSettings, SessionChoice};
use crate::agent::EarlierItems;
use crate::agent::resume::{ResumedCompaction, ResumedConversation};
use crate::clock::{millis, seconds};
use crate::failure::RunWarning;
use crate::id::ThreadId;
use crate::output::{Notice, Sink};
use crate::session::{Journal, SessionFile, Sessions, StoredConversation, TurnHeader, Writer};

/// The conversation of a run.
pub(in crate::command) struct StartedSession {
    pub(in crate::command) thread: ThreadId,
    /// Items of earlier turns.
    pub(in crate::command) items: EarlierItems,
    /// Their compactions.
    pub(super) compactions: Vec<ResumedCompaction>,
    /// The length that was reported with the last answer, in tokens, and the number of items that it counts.
    pub(super) length: Option<(u64, usize)>,
    pub(super) writer: Option<Writer>,
    /// The reasoning effort in the request head.
    pub(super) effort: Option<String>,
}

/// Starts, resumes or forks the conversation. A dry run stores nothing and takes no lock.
pub(in crate::command) fn start_session(
    settings: &RunSettings,
    sink: &mut dyn Sink,
) -> Result<StartedSession, Error> {
    let header = TurnHeader {
        now: seconds(),
        cwd: &settings.tools.directory,
        model: &settings.choice.model.id,
        provider: settings.choice.provider.as_deref(),
        effort: settings.clamped.effort.as_deref(),
        version: env!("CARGO_PKG_VERSION"),
    };
    let sessions = settings.home.as_deref().map(Sessions::new);
    match (&settings.session, &sessions) {
        (
            SessionChoice::Resume(_)
            | SessionChoice::Last
            | SessionChoice::Fork(_)
            | SessionChoice::EphemeralFork(_),
            None,
        ) => Err(Error::NoHome),
        (SessionChoice::Resume(id), Some(sessions)) => resume(sessions, id, &header, settings),
        (SessionChoice::Last, Some(sessions)) => {
            let id = sessions.newest(header.cwd).map_err(Error::Session)?;
            resume(sessions, id.as_str(), &header, settings)
        }
        (SessionChoice::Fork(id) | SessionChoice::EphemeralFork(id), Some(sessions)) => {
            fork(sessions, id, &header, settings, sink)
        }
        (SessionChoice::New, sessions) => begin(settings, sessions.as_ref(), &header, sink),
        (SessionChoice::Ephemeral, _) => begin(settings, None, &header, sink),
    }
}

fn begin(
    settings: &RunSettings,
    sessions: Option<&Sessions>,
    header: &TurnHeader<'_>,
    sink: &mut dyn Sink,
) -> Result<StartedSession, Error> {
    let thread = if settings.dry_run {
        ThreadId::new(0, [0; 10])
    } else {
        new_thread()?
    };
    let created = sessions
        .filter(|_| !settings.dry_run)
        .map(|sessions| sessions.create(&thread, header));
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
        items: EarlierItems::default(),
        compactions: Vec::new(),
        length: None,
        writer,
        effort: header.effort.map(str::to_owned),
    })
}

fn fork(
    sessions: &Sessions,
    id: &str,
    header: &TurnHeader<'_>,
    settings: &RunSettings,
    sink: &mut dyn Sink,
) -> Result<StartedSession, Error> {
    let (stored, file) = sessions.read(id).map_err(Error::Session)?;
    // A copy begins with the items, and is compacted for itself.
    let resumed = resumed(stored, file, settings)?;
    let ResumedConversation {
        items,
        effort,
        length,
        compactions,
        ..
    } = resumed;
    // The length of a compacted conversation is not that of its copy.
    let length = length.filter(|_| compactions.is_empty());
    let header = TurnHeader {
        effort: effort.as_deref(),
        ..*header
    };
    let is_stored = matches!(settings.session, SessionChoice::Fork(_));
    let sessions = is_stored.then_some(sessions);
    let mut started = begin(settings, sessions, &header, sink)?;
    if let Some(writer) = &mut started.writer {
        let copied = items.each(|item| writer.item(item));
        copied.map_err(Error::Session)?;
    }
    Ok(StartedSession {
        items,
        length,
        effort,
        ..started
    })
}

fn resume(
    sessions: &Sessions,
    id: &str,
    header: &TurnHeader<'_>,
    settings: &RunSettings,
) -> Result<StartedSession, Error> {
    let (stored, file, mut writer) = if settings.dry_run {
        let (stored, file) = sessions.read(id).map_err(Error::Session)?;
        (stored, file, None)
    } else {
        let (stored, file, writer) = sessions.open(id).map_err(Error::Session)?;
        (stored, file, Some(writer))
    };
    let thread = stored.id.clone();
    let resumed = resumed(stored, file, settings)?;
    if let Some(writer) = &mut writer {
        resumed.record(writer, header);
    }
    Ok(StartedSession {
        thread,
        items: resumed.items,
        compactions: resumed.compactions,
        length: resumed.length,
        writer,
        effort: resumed.effort,
    })
}

/// The id of a new conversation.
fn new_thread() -> Result<ThreadId, Error> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(Error::Random)?;
    Ok(ThreadId::new(millis(), random))
}

/// Warns if the file of the conversation is no longer at its path.
pub(super) fn warn_if_misplaced(misplaced: Option<PathBuf>, sink: &mut dyn Sink) {
    if let Some(path) = misplaced {
        let _ = sink.take(Notice::Warning(&RunWarning::Misplaced(path)));
    }
}

/// The stored conversation, resumed with the settings of this run.
fn resumed(
    stored: StoredConversation,
    file: SessionFile,
    settings: &RunSettings,
) -> Result<ResumedConversation, Error> {
    let choice = &settings.choice;
    let takes_changes = choice.model.effort_updates && choice.backend.is_openai();
    let wanted = settings.clamped.effort.as_deref();
    ResumedConversation::new(
        stored,
        file,
        &choice.qualified_name(),
        takes_changes,
        wanted,
    )
    .map_err(Error::Session)
}
