//! What the screen asks the loop for.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, kill_current_process_group};
use signal_hook::consts::{SIGINT, SIGQUIT};

use super::TERMINAL;
use super::device_sign_in::{DeviceSignIn, SignInParts};
use super::engine_command::EngineCommand;
use super::error::Error;
use super::screen_loop::{ScreenLoop, drain};
use super::stored_list::report_sessions;
use super::user_program::{PrivateFile, UserProgram};
use crate::chat::event::{ChatEvent, Effect, NoticeLevel, SignInEvent};

/// The longest text that is put on the clipboard, in bytes: what terminals take in one sequence.
const MAX_COPIED_BYTES: usize = 74_000;

/// A pager that ends sooner than this has only printed: what it printed stays until a key is pressed.
const MIN_PAGER_TIME: Duration = Duration::from_secs(1);

/// Says so, on the screen of the pager.
const KEY_PROMPT: &[u8] = b"(press a key to return to the chat) ";

/// How long to wait for the stop after Ctrl+Z. There is none if no shell would continue the process.
const SUSPEND_TIMEOUT: Duration = Duration::from_millis(300);

impl ScreenLoop {
    /// Carries out one effect.
    pub(super) fn carry_out(&mut self, effect: Effect) -> Result<(), Error> {
        match effect {
            Effect::Ask(text) => {
                // What did not steer the turn before is asked after it, which is up to the state.
                drop(self.parts.control.take_steering());
                // From here on the turn can be stopped.
                self.parts.control.announce_turn();
                self.begin_turn();
                self.command(EngineCommand::Ask(text));
            }
            Effect::Compact => {
                // From here on it can be stopped.
                self.parts.control.announce_turn();
                self.begin_turn();
                self.command(EngineCommand::Compact);
            }
            Effect::Steer(text) => self.parts.control.steer(text),
            Effect::Interrupt => drop(self.parts.control.stop_turn()),
            Effect::SetModel { model, effort } => {
                self.command(EngineCommand::SetModel { model, effort });
            }
            Effect::ListSessions => {
                report_sessions(self.parts.home.clone(), self.parts.reporter.clone());
            }
            Effect::Resume(id) => self.command(EngineCommand::Resume(id)),
            Effect::Fork(id) => self.command(EngineCommand::Fork(id)),
            Effect::New => self.command(EngineCommand::New),
            Effect::SignIn => return self.begin_sign_in(),
            Effect::CancelSignIn => {
                if let Some(sign_in) = &mut self.sign_in {
                    sign_in.cancel();
                }
            }
            Effect::Copy(text) => return self.copy(&text),
            Effect::Page(text) => return self.page(&text),
            Effect::EditQuestion(text) => return self.edit(&text),
            Effect::Remember(text) => return self.remember(&text),
            Effect::Suspend => return self.suspend(),
            Effect::Quit => self.leaves = true,
        }
        Ok(())
    }

    fn command(&self, command: EngineCommand) {
        // An engine that has ended has reported why.
        let _ = self.parts.engine.send(command);
    }

    fn begin_sign_in(&mut self) -> Result<(), Error> {
        let parts = &self.parts;
        let failed = match &parts.login {
            _ if self.sign_in.as_ref().is_some_and(DeviceSignIn::is_running) => {
                "the sign-in before this one has not ended yet: try again in a few seconds"
                    .to_owned()
            }
            Err(failure) => failure.what().to_owned(),
            Ok(settings) => {
                let started = DeviceSignIn::start(SignInParts {
                    settings: settings.clone(),
                    critical: parts.critical.clone(),
                    reporter: parts.reporter.clone(),
                    engine: parts.engine.clone(),
                });
                match started {
                    Ok(sign_in) => {
                        self.sign_in = Some(sign_in);
                        return Ok(());
                    }
                    Err(error) => format!("cannot start a thread: {error}"),
                }
            }
        };
        self.step(ChatEvent::SignIn(SignInEvent::Failed(failed)))
    }

    /// Puts a text on the clipboard of the terminal.
    fn copy(&mut self, text: &str) -> Result<(), Error> {
        if text.len() > MAX_COPIED_BYTES {
            let text = format!(
                "not copied: the answer has {} bytes, and terminals take {MAX_COPIED_BYTES}; Ctrl+O shows it in a pager",
                text.len()
            );
            return self.notice(NoticeLevel::Warning, text);
        }
        let sequence = format!("\x1b]52;c;{}\x07", BASE64_STANDARD.encode(text));
        let written = self.parts.terminal.write(sequence.as_bytes());
        written.map_err(Error::Terminal)
    }

    fn remember(&mut self, text: &str) -> Result<(), Error> {
        let added = self.parts.history.as_ref().map(|history| history.add(text));
        match added {
            Some(Err(error)) => {
                // Once is enough.
                self.parts.history = None;
                let text = format!("what you type is not kept for later chats: {error}");
                self.notice(NoticeLevel::Note, text)
            }
            Some(Ok(())) | None => Ok(()),
        }
    }

    /// Shows a text in the pager.
    fn page(&mut self, text: &str) -> Result<(), Error> {
        let pager = self.parts.programs.pager.clone();
        let shown = self.with_file("transcript-", text, |chat, file| {
            chat.lend(&pager, file, MIN_PAGER_TIME)
        });
        self.report_program("the pager, $PAGER,", shown).map(drop)
    }

    /// Edits the question in the editor.
    fn edit(&mut self, text: &str) -> Result<(), Error> {
        let editor = self.parts.programs.editor.clone();
        let edited = self.with_file("question-", text, |chat, file| {
            chat.lend(&editor, file, Duration::ZERO)?;
            Ok(file.read())
        });
        let edited = self.report_program("the editor, $EDITOR,", edited)?;
        match edited {
            Some(Ok(text)) => self.step(ChatEvent::Edited(text)),
            Some(Err(error)) => {
                let text = format!("the question is unchanged: its file cannot be read: {error}");
                self.notice(NoticeLevel::Error, text)
            }
            None => Ok(()),
        }
    }

    fn with_file<T>(
        &mut self,
        prefix: &str,
        text: &str,
        work: impl FnOnce(&mut Self, &PrivateFile) -> Result<T, LendError>,
    ) -> Result<T, LendError> {
        let missing = || LendError::File(io::Error::other("there is no home directory"));
        let home = self.parts.home.as_deref().ok_or_else(missing)?;
        let file = PrivateFile::create(home, prefix, text).map_err(LendError::File)?;
        work(self, &file)
    }

    /// Reports why a program failed.
    fn report_program<T>(
        &mut self,
        program: &str,
        ended: Result<T, LendError>,
    ) -> Result<Option<T>, Error> {
        match ended {
            Ok(value) => Ok(Some(value)),
            Err(LendError::Chat(error)) => Err(error),
            Err(LendError::Interrupted) => Ok(None),
            Err(LendError::Program(error)) => {
                let text = format!("{program} cannot be used: {error}");
                self.notice(NoticeLevel::Error, text)?;
                Ok(None)
            }
            Err(LendError::File(error)) => {
                let home = self.parts.home.as_deref().unwrap_or(Path::new(""));
                let text = format!(
                    "the file for {program} cannot be written in {}: {error}",
                    home.display()
                );
                self.notice(NoticeLevel::Error, text)?;
                Ok(None)
            }
        }
    }

    /// Lends the terminal to a program until it ends. The conversation goes on meanwhile. What a program that ends sooner than
    /// `least` has printed stays until a key is pressed.
    fn lend(
        &mut self,
        program: &std::ffi::OsStr,
        file: &PrivateFile,
        least: Duration,
    ) -> Result<(), LendError> {
        let chat = |error| LendError::Chat(Error::Terminal(error));
        let device = File::options().read(true).write(true).open(TERMINAL);
        let device = device.map_err(LendError::Program)?;
        self.parts.lent.lend();
        self.parts.terminal.leave().map_err(chat)?;
        let begun = Instant::now();
        let started = UserProgram::start(program, &self.parts.programs, file, &device);
        let mut ended = started.map_err(LendError::Program).and_then(|program| {
            if self.follow(&program.ended)? == Followed::Stopped {
                program.end();
            }
            program.wait().map_err(LendError::Program)
        });
        if ended.as_ref().is_ok_and(ExitStatus::success) && begun.elapsed() < least {
            ended = self.await_key(&device).and(ended);
        }
        self.parts.lent.take_back(Instant::now());
        drain(&self.resumed);
        self.parts.terminal.enter().map_err(chat)?;
        self.redraw().map_err(LendError::Chat)?;
        match ended? {
            status if status.success() => Ok(()),
            status if is_interrupted(status) => Err(LendError::Interrupted),
            status => Err(LendError::Program(io::Error::other(status.to_string()))),
        }
    }

    /// Waits for a key on the screen that a program has left.
    fn await_key(&mut self, mut device: &File) -> Result<(), LendError> {
        let chat = |error| LendError::Chat(Error::Terminal(error));
        device.write_all(KEY_PROMPT).map_err(chat)?;
        self.parts.terminal.await_key().map_err(chat)?;
        let keys = device.try_clone().map_err(chat)?;
        if self.follow(&keys)? == Followed::Ready {
            // What else it sends is no question.
            let _ = self.parts.terminal.read(&mut [0; 64]);
        }
        device.write_all(b"\r\n").map_err(chat)
    }

    /// Takes reports until this is readable: a program has ended, or a key was pressed.
    fn follow(&mut self, awaited: &impl AsFd) -> Result<Followed, LendError> {
        loop {
            let parts = &self.parts;
            let mut fds = [
                PollFd::new(&parts.stopped, PollFlags::IN),
                PollFd::new(awaited, PollFlags::IN),
                PollFd::new(&parts.reports.woken, PollFlags::IN),
            ];
            let _ = poll(&mut fds, None);
            let is_ready = |n: usize| !fds[n].revents().is_empty();
            let (stopped, ready, reported) = (is_ready(0), is_ready(1), is_ready(2));
            if stopped {
                return Ok(Followed::Stopped);
            }
            if reported {
                self.take_reports().map_err(LendError::Chat)?;
            }
            if ready {
                return Ok(Followed::Ready);
            }
        }
    }

    /// Stops this process as Ctrl+Z does elsewhere, until the shell continues it.
    fn suspend(&mut self) -> Result<(), Error> {
        self.parts.terminal.leave().map_err(Error::Terminal)?;
        drain(&self.resumed);
        let _ = kill_current_process_group(Signal::TSTP);
        // Another thread may take the signal, a moment later.
        let timeout = Timespec::try_from(SUSPEND_TIMEOUT).unwrap_or_default();
        let _ = poll(
            &mut [PollFd::new(&self.resumed, PollFlags::IN)],
            Some(&timeout),
        );
        drain(&self.resumed);
        self.parts.terminal.resume().map_err(Error::Terminal)?;
        self.redraw()
    }
}

/// Why the screen no longer waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Followed {
    /// What it waited for has happened.
    Ready,
    /// The chat is to stop.
    Stopped,
}

/// Whether Ctrl+C or Ctrl+\ ended the program, or the shell that ran it.
fn is_interrupted(status: ExitStatus) -> bool {
    let of_shell = status.code().map(|code| code - 128);
    matches!(status.signal().or(of_shell), Some(SIGINT | SIGQUIT))
}

/// Why the terminal could not be lent, or what happened meanwhile.
enum LendError {
    /// The file for the program could not be written.
    File(io::Error),
    /// The user interrupted the program.
    Interrupted,
    /// The program could not do its work.
    Program(io::Error),
    /// The chat cannot go on.
    Chat(Error),
}
