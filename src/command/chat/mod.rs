//! `codex chat`: a conversation on a full screen. One thread runs the loop of the screen (`screen_loop`), another one owns the
//! conversation (`engine`); events go from the second to the first over a bounded channel (`channel`).

mod channel;
mod chat_sink;
mod compaction;
mod device_sign_in;
mod effects;
mod engine;
mod engine_command;
mod engine_error;
mod error;
mod failed_turn;
mod input_history;
mod model_entry;
mod running_engine;
pub(super) mod said;
mod screen_loop;
mod settings;
mod stored_list;
mod tool_call;
mod user_program;

use std::fs::File;
use std::sync::{Arc, OnceLock};

use super::lent_terminal::LentTerminal;
use super::run::{Host, RunSettings, SessionChoice, check_access};
use super::say_line;
use super::stop_watch::{StopWatch, WatchedScreen};
use super::undo::{self, UndoStage};
use crate::agent::Control;
use crate::auth::Authority;
use crate::auth::critical_section::Critical;
use crate::chat::event::{ChatEvent, NoticeLevel, Setup};
use crate::chat::key::{Input, Key, KeyPress};
use crate::chat::state::ChatState;
use crate::chat::terminal::{Terminal, TerminalHandle};
use crate::failure::Failure;
use crate::outcome::Outcome;
use channel::channel;
use chat_sink::ChatSink;
use engine::{Continued, Engine};
pub use error::Error;
use input_history::InputHistory;
pub(crate) use model_entry::model_entry;
use running_engine::RunningEngine;
use screen_loop::{LoopParts, ScreenLoop};
pub use settings::{ChatSettings, UserPrograms};

/// Runs a chat until the user leaves it.
///
/// # Errors
/// If there is no terminal, the conversation cannot begin, or the chat is stopped.
pub fn run(mut settings: ChatSettings, host: Host) -> Result<(), Failure> {
    let failed = |error: Error| error.failure(None);
    check_terminal(settings.has_screen).map_err(failed)?;
    let critical = Critical::default();
    let (authority, signed_out) = access(&settings, &host, &critical)?;
    let control = Control::new();
    let (reporter, reports) = channel().map_err(|error| failed(Error::Thread(error)))?;
    let home = settings.run.home.clone();
    let history = home
        .as_deref()
        .filter(|_| settings.run.session != SessionChoice::Ephemeral)
        .map(|home| InputHistory::of(home, &settings.run.tools.directory));
    let mut events = notices(&settings.run, signed_out.as_ref());
    let setup = Setup {
        models: std::mem::take(&mut settings.models),
        model: model_entry(&settings.run.choice.model, None),
        effort: settings.run.clamped.effort.clone(),
        sandbox: settings.sandbox.to_owned(),
        network: settings.network,
        directory: std::mem::take(&mut settings.directory),
        history: typed_before(history.as_ref(), &mut events),
        signed_out: signed_out.is_some(),
        colors: settings.colors,
    };
    let watch = StopWatch {
        deadline: settings.run.deadline,
        control: control.clone(),
        critical: critical.clone(),
        shown: Arc::default(),
        exit_now: host.exit_now,
        paint: settings.run.paint,
    };
    let run = settings.run;
    let mut engine = Engine {
        sink: ChatSink::new(reporter.clone(), run.tools.directory.clone()),
        used: settings.used,
        reread: settings.reread,
        host,
        critical: critical.clone(),
        control: control.clone(),
        reporter: reporter.clone(),
        authority,
        open: None,
        has_turn: false,
        files: run.files.clone(),
        images: run.images.clone(),
        settings: run,
    };
    if engine.authority.is_some() && engine.waits_for_opening() {
        events.insert(0, ChatEvent::Opened(engine.open_conversation()?));
    }
    if let Some(first) = settings.first {
        // Pasted text is never a command.
        events.push(ChatEvent::Input(Input::Paste(first)));
        events.push(ChatEvent::Input(Input::Key(KeyPress::plain(Key::Enter))));
    }

    // What is made first is dropped last: the terminal is restored before the engine ends.
    let engine = RunningEngine::start(engine);
    let mut engine = engine.map_err(|error| failed(Error::Thread(error)))?;
    // Signals are caught before the terminal is entered, so none of them leaves it as it is then.
    let lent = Arc::new(LentTerminal::default());
    let entered: Arc<OnceLock<TerminalHandle>> = Arc::default();
    let handle = Arc::clone(&entered);
    let stopped = watch.start_on_screen(WatchedScreen {
        lent: Arc::clone(&lent),
        restore: Box::new(move || {
            handle.get().inspect(|terminal| terminal.restore());
        }),
    });
    let terminal = Terminal::open().map_err(|error| failed(error.into()))?;
    let _ = entered.set(terminal.handle());
    let handle = terminal.handle();
    let _undo = undo::on_panic(UndoStage::BeforeReport, move || handle.restore());
    let parts = LoopParts {
        terminal,
        reports,
        reporter,
        stopped: stopped.map_err(|error| failed(Error::Thread(error)))?,
        lent,
        engine: engine.commands.clone(),
        control,
        critical,
        home,
        history,
        login: settings.login,
        programs: settings.programs,
    };
    let ended = ScreenLoop::new(parts, ChatState::new(setup), settings.colors)
        .and_then(|screen_loop| screen_loop.run(events));
    if let Some(Continued(id)) = engine.end() {
        say_line(&format!("codex chat --resume {}", id.as_str()));
    }
    ended.map_err(failed)
}

/// The terminal of this process.
const TERMINAL: &str = "/dev/tty";

/// Checks that there is a terminal with a screen. It is entered once the conversation can begin.
fn check_terminal(has_screen: bool) -> Result<(), Error> {
    if !has_screen {
        return Err(Error::Dumb);
    }
    let opened = File::options().read(true).write(true).open(TERMINAL);
    opened.map(drop).map_err(Error::NoTerminal)
}

/// What signs the requests, or why a sign-in is needed first.
///
/// # Errors
/// If something else is wrong with the credential, or tools cannot be confined.
fn access(
    settings: &ChatSettings,
    host: &Host,
    critical: &Critical,
) -> Result<(Option<Authority>, Option<Failure>), Failure> {
    let failure = match check_access(&settings.run, host, critical) {
        Ok(authority) => return Ok((authority, None)),
        Err(error) => error.failure(settings.used.as_ref()),
    };
    match failure.outcome() {
        Outcome::SignIn => Ok((None, Some(failure))),
        _ => Err(failure),
    }
}

/// What was typed earlier. A history that cannot be used is a notice.
fn typed_before(history: Option<&InputHistory>, events: &mut Vec<ChatEvent>) -> Vec<String> {
    let entries = history.map_or(Ok(Vec::new()), InputHistory::read);
    entries.unwrap_or_else(|why| {
        events.push(ChatEvent::Notice(NoticeLevel::Note, why));
        Vec::new()
    })
}

/// What the user should know at the start.
fn notices(run: &RunSettings, signed_out: Option<&Failure>) -> Vec<ChatEvent> {
    let notes = run.notes.iter().map(|note| (NoticeLevel::Note, &**note));
    let warnings = run.warnings.iter();
    let warnings = warnings.map(|warning| (NoticeLevel::Warning, &**warning));
    // With a credential, something is wrong with it.
    let failure = signed_out.filter(|_| !run.found.is_empty());
    let failure = failure.map(|failure| (NoticeLevel::Error, failure.what()));
    notes
        .chain(warnings)
        .chain(failure)
        .map(|(level, text)| ChatEvent::Notice(level, text.to_owned()))
        .collect()
}
