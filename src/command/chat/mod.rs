//! `codex chat`: a conversation on a full screen. One thread runs the loop of the screen (`screen_loop`), another one owns the
//! conversation (`engine`); events go from the second to the first over a bounded channel (`channel`).

mod channel;
mod device_sign_in;
mod engine;
mod error;
mod input_history;
mod said;
mod screen_loop;
mod settings;
mod stored_list;
mod tool_call;
mod turn_sink;
mod user_program;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use super::run::{Host, RunSettings, SessionChoice, check_access};
use super::say_line;
use super::stop_watch::{StopWatch, WatchedScreen};
use crate::agent::{Control, StopRequest};
use crate::auth::critical_section::Critical;
use crate::chat::event::{Event, NoticeLevel, OpenedConversation, Setup};
use crate::chat::key::{Input, Key, KeyPress};
use crate::chat::state::State;
use crate::chat::terminal::Terminal;
use crate::exhausted::at_start;
use crate::failure::{Failure, Used};
use crate::outcome::Outcome;
use channel::{Reporter, channel};
use device_sign_in::SignInParts;
use engine::{Continued, Engine, EngineCommand};
pub use error::Error;
use input_history::InputHistory;
use screen_loop::ScreenLoop;
pub(crate) use settings::Reread;
pub use settings::{ChatSettings, UserPrograms};
use turn_sink::TurnSink;

/// Runs a chat until the user leaves it.
///
/// # Errors
/// If there is no terminal, the conversation cannot begin, or the chat is stopped.
pub fn run(settings: ChatSettings, host: Host) -> Result<(), Failure> {
    let ChatSettings {
        run,
        used,
        reread,
        first,
        models,
        sandbox,
        network,
        directory,
        login,
        has_screen,
        colors,
        programs,
    } = settings;
    let failed = |error: Error| error.failure(used.as_ref());
    if !has_screen {
        return Err(failed(Error::Dumb));
    }
    let terminal = Terminal::open().map_err(|error| failed(Error::NoTerminal(error)))?;
    let critical = Critical::default();
    let (authority, sign_in) = match check_access(&run, &host, &critical) {
        Ok(authority) => (authority, None),
        Err(error) => {
            let failure = Error::Run(error).failure(used.as_ref());
            if failure.outcome() != Outcome::SignIn {
                return Err(failure);
            }
            (None, Some(failure))
        }
    };
    let control = Control::new();
    let (reporter, reports) = channel().map_err(|error| failed(Error::Thread(error)))?;
    let lent = Arc::new(AtomicBool::new(false));
    let watch = StopWatch {
        deadline: run.deadline,
        control: control.clone(),
        critical: critical.clone(),
        shown: Arc::default(),
        exit_now: host.exit_now,
        paint: run.paint,
    };
    let screen = WatchedScreen {
        lent: Arc::clone(&lent),
        restore: Box::new(terminal.restorer()),
    };
    let woken = watch.start_on_screen(screen);
    let woken = woken.map_err(|error| failed(Error::Thread(error)))?;
    let is_stored = run.session != SessionChoice::Ephemeral;
    let home = run.home.clone();
    let history = home
        .as_deref()
        .filter(|_| is_stored)
        .map(|home| InputHistory::of(home, &run.tools.directory));
    let mut notices = notices(&run, sign_in.as_ref());
    let entries = history.as_ref().map(InputHistory::read).unwrap_or(Ok(Vec::new()));
    let entries = entries.unwrap_or_else(|why| {
        notices.push((NoticeLevel::Note, why));
        Vec::new()
    });
    let setup = Setup {
        models,
        model: run.choice.model.id.clone(),
        effort: run.clamped.effort.clone(),
        sandbox: sandbox.to_owned(),
        network,
        directory,
        history: entries,
        signed_out: sign_in.is_some(),
        colors,
    };
    let mut engine = Engine {
        sink: TurnSink::new(reporter.clone(), run.tools.directory.clone()),
        used,
        reread,
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
    let opened = open_stored(&mut engine)?;
    let failed = |error: Error| error.failure(None);
    let mut engine = RunningEngine::start(engine, reporter.clone(), control.clone());
    let engine = engine.as_mut().map_err(|error| failed(Error::Thread(std::io::Error::other(error.to_string()))))?;
    let mut events: Vec<Event> = opened.into_iter().map(Event::Opened).collect();
    events.extend(notices.into_iter().map(|(level, text)| Event::Notice(level, text)));
    if let Some(first) = first {
        // Pasted text is never a command.
        events.push(Event::Input(Input::Paste(first)));
        events.push(Event::Input(Input::Key(KeyPress::plain(Key::Enter))));
    }
    let ended = ScreenLoop::new(todo!()).run();
    todo!()
}
