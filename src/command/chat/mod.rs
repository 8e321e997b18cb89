//! `codex chat`: a conversation on a full screen. One thread runs the loop of the screen (`screen_loop`), another one owns the
//! conversation (`engine`); events go from the second to the first over a bounded channel (`channel`).

mod channel;
mod chat_sink;
mod device_sign_in;
mod effects;
mod engine;
mod error;
mod input_history;
mod said;
mod screen_loop;
mod settings;
mod stored_list;
mod tool_call;
mod user_program;

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use super::run::{Host, RunSettings, SessionChoice, check_access};
use super::say_line;
use super::stop_watch::{StopWatch, WatchedScreen};
use crate::agent::Control;
use crate::auth::critical_section::Critical;
use crate::chat::event::{ChatEvent, NoticeLevel, Setup};
use crate::chat::key::{Input, Key, KeyPress};
use crate::chat::state::ChatState;
use crate::chat::terminal::Terminal;
use crate::exhausted::at_start;
use crate::failure::{Failure, Used};
use crate::outcome::Outcome;
use channel::{Reporter, channel};
use chat_sink::ChatSink;
use engine::{Continued, Engine, EngineCommand};
pub use error::Error;
use input_history::InputHistory;
use screen_loop::{LoopParts, ScreenLoop};
pub use settings::{ChatSettings, UserPrograms};

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
    let failed = |error: Error, used: Option<&Used>| error.failure(used);
    if !has_screen {
        return Err(failed(Error::Dumb, None));
    }
    // It is entered once the conversation can begin.
    File::options()
        .read(true)
        .write(true)
        .open(TERMINAL)
        .map_err(|error| failed(Error::NoTerminal(error), None))?;
    let critical = Critical::default();
    let (authority, signed_out) = match check_access(&run, &host, &critical) {
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
    let (reporter, reports) = channel().map_err(|error| failed(Error::Thread(error), None))?;
    let home = run.home.clone();
    let history = home
        .as_deref()
        .filter(|_| run.session != SessionChoice::Ephemeral)
        .map(|home| InputHistory::of(home, &run.tools.directory));
    let mut notices = notices(&run, signed_out.as_ref());
    let entries = history.as_ref().map_or(Ok(Vec::new()), InputHistory::read);
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
        signed_out: signed_out.is_some(),
        colors,
    };
    let watch = StopWatch {
        deadline: run.deadline,
        control: control.clone(),
        critical: critical.clone(),
        shown: Arc::default(),
        exit_now: host.exit_now,
        paint: run.paint,
    };
    let mut engine = Engine {
        sink: ChatSink::new(reporter.clone(), run.tools.directory.clone()),
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
    let mut events: Vec<ChatEvent> = Vec::new();
    if engine.authority.is_some() && engine.waits_for_opening() {
        events.push(ChatEvent::Opened(engine.open_conversation()?));
    }
    let notice = |(level, text)| ChatEvent::Notice(level, text);
    events.extend(notices.into_iter().map(notice));
    if let Some(first) = first {
        // Pasted text is never a command.
        events.push(ChatEvent::Input(Input::Paste(first)));
        events.push(ChatEvent::Input(Input::Key(KeyPress::plain(Key::Enter))));
    }

    // What is made first is dropped last: a panic restores the terminal before it ends the engine.
    let mut engine = RunningEngine::start(engine, reporter.clone())
        .map_err(|error| failed(Error::Thread(error), None))?;
    let terminal = Terminal::open().map_err(|error| failed(error.into(), None))?;
    let lent = Arc::new(AtomicBool::new(false));
    let handle = terminal.handle();
    let screen = WatchedScreen {
        lent: Arc::clone(&lent),
        restore: Box::new(move || handle.restore()),
    };
    let stopped = watch.start_on_screen(screen);
    let stopped = stopped.map_err(|error| failed(Error::Thread(error), None))?;
    let parts = LoopParts {
        terminal,
        reports,
        reporter,
        stopped,
        lent,
        engine: engine.commands.clone(),
        control,
        critical,
        home,
        history,
        login,
        programs,
    };
    let ended = ScreenLoop::new(parts, ChatState::new(setup), colors)
        .and_then(|screen_loop| screen_loop.run(events));
    let continued = engine.end();
    if let Some(Continued(id)) = continued {
        say_line(&format!("codex chat --resume {}", id.as_str()));
    }
    ended.map_err(|error| failed(error, None))
}

/// The terminal of this process.
const TERMINAL: &str = "/dev/tty";

/// What the user should know at the start.
fn notices(run: &RunSettings, signed_out: Option<&Failure>) -> Vec<(NoticeLevel, String)> {
    let notes = run.notes.iter().map(|note| (NoticeLevel::Note, note));
    let warnings = run.warnings.iter();
    let warnings = warnings.map(|warning| (NoticeLevel::Warning, warning));
    let mut notices: Vec<(NoticeLevel, String)> = notes
        .chain(warnings)
        .map(|(level, text)| (level, text.clone()))
        .collect();
    if let Some(failure) = signed_out.filter(|_| !run.found.is_empty()) {
        // There is a credential, and something is wrong with it.
        notices.push((NoticeLevel::Error, failure.what().to_owned()));
    }
    notices
}

/// The engine on its thread. It is ended with this value.
struct RunningEngine {
    commands: Sender<EngineCommand>,
    control: Control,
    thread: Option<JoinHandle<Option<Continued>>>,
}

impl RunningEngine {
    fn start(engine: Engine, reporter: Reporter) -> io::Result<Self> {
        let (commands, received) = mpsc::channel();
        let control = engine.control.clone();
        let thread = thread::Builder::new().spawn(move || {
            let work = AssertUnwindSafe(|| engine.run(&received));
            catch_unwind(work).unwrap_or_else(|_| {
                reporter.panicked();
                None
            })
        });
        Ok(Self {
            commands,
            control,
            thread: Some(thread.map_err(at_start)?),
        })
    }

    /// Stops the running turn and closes the conversation. Nobody takes reports any more.
    fn end(&mut self) -> Option<Continued> {
        self.control.stop_turn();
        let _ = self.commands.send(EngineCommand::Close);
        self.thread.take()?.join().ok()?
    }
}

impl Drop for RunningEngine {
    fn drop(&mut self) {
        self.end();
    }
}
