//! Many turns over standard input: a thread reads JSON lines while turns run one after the other, on one connection.

mod cutter;
mod line;
mod queue;
mod reader;

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::Error;
use super::host::Host;
use super::last_message::LastMessage;
use super::open::{OpenConversation, switch_model};
use super::run_output::RunOutput;
use super::run_tools::StartingTools;
use super::session_start::start_session;
use super::settings::RunSettings;
use super::validation::validate;
use crate::agent::{Control, Reply, Stop, UserMessage};
use crate::auth::Authority;
use crate::auth::critical_section::Critical;
use crate::failure::{RunWarning, Used, of_stop};
use crate::models::choice::Choice;
use crate::outcome::Outcome;
use crate::output::{Notice, Sink};
use queue::{LineError, NextStep, SettingsRequest};
use reader::SharedQueue;

/// A run of many turns.
struct Turns<'a> {
    settings: &'a RunSettings,
    host: &'a Host,
    control: &'a Control,
}

/// What stops the turns, and what a stop waits for.
pub(super) struct TurnHandles<'a> {
    pub(super) control: &'a Control,
    pub(super) critical: &'a Critical,
    /// Becomes readable when the run is stopped.
    pub(super) stop: UnixStream,
}

/// Runs the turns that the lines of standard input request, until its end or until the run is stopped. Returns the outcome
/// of the first turn that failed; it has been reported.
pub(super) fn run(
    settings: &RunSettings,
    host: &Host,
    authority: Authority,
    sink: &mut RunOutput,
    last_message: Option<LastMessage>,
    handles: TurnHandles<'_>,
) -> Result<Outcome, Error> {
    let TurnHandles {
        control,
        critical,
        stop,
    } = handles;
    let tools = StartingTools::open(settings).map_err(Error::between_turns)?;
    let session = start_session(settings, sink).map_err(Error::between_turns)?;
    sink.begin_run(settings, &session)?;
    let tools = tools.ready(control, sink).map_err(Error::between_turns)?;
    let control_of_run = control.clone();
    let open = OpenConversation::open(
        settings,
        host,
        authority,
        (session, tools),
        control_of_run,
        critical,
    );
    let mut open = open.map_err(Error::between_turns)?;
    let turns = Turns {
        settings,
        host,
        control,
    };
    let ended = turns.run(&mut open, sink, stop, last_message);
    let used = open
        .service_asked_last(settings)
        .and_then(|other| other.used.as_ref());
    let ended = ended.map_err(|error| error.about_service(used));
    open.close(settings, sink);
    ended
}

/// The result of the turns so far.
#[derive(Default)]
struct RunProgress {
    turns: usize,
    /// The outcome of the first turn that failed and was not interrupted.
    failed: Option<Outcome>,
    /// The answer of the last turn that was not interrupted.
    last: Option<Reply>,
}

/// The current model and effort.
struct CurrentModel {
    choice: Choice,
    /// The effort that was requested for it.
    requested: Option<String>,
    /// The substitute that has replaced the first model, as its index in the settings.
    substitute: Option<usize>,
}

impl Turns<'_> {
    fn run(
        &self,
        open: &mut OpenConversation,
        sink: &mut RunOutput,
        stop: UnixStream,
        last_message: Option<LastMessage>,
    ) -> Result<Outcome, Error> {
        let queue = Arc::new(SharedQueue::default());
        reader::start(Arc::clone(&queue), self.control.clone(), stop).map_err(Error::Thread)?;
        let mut sink = TurnSink {
            sink,
            queue: &queue,
        };
        let mut current = CurrentModel {
            choice: self.settings.choice.clone(),
            requested: self.settings.clamped.effort.clone(),
            substitute: None,
        };
        let mut progress = RunProgress::default();
        let ended = self.turns(open, &mut sink, &mut current, &mut progress);
        let state = queue.lock();
        let waiting = state.queue.waiting_turns();
        let unusable = state.queue.unusable();
        drop(state);
        ended.inspect_err(|_| {
            if waiting > 0 {
                let _ = sink.take(Notice::Warning(&RunWarning::NotAsked(waiting)));
            }
        })?;
        let between = Error::between_turns;
        match progress {
            RunProgress {
                failed: Some(outcome),
                ..
            } => Ok(outcome),
            _ if unusable > 0 => Err(between(Error::UnusableLines(unusable))),
            RunProgress { turns: 0, .. } => Err(between(Error::NoTurn)),
            RunProgress { last, .. } => {
                if let (Some(file), Some(reply)) = (last_message, last) {
                    let written = file.write(&reply.raw_message());
                    written.map_err(|error| between(Error::LastMessage(error)))?;
                }
                Ok(Outcome::Answered)
            }
        }
    }

    fn turns(
        &self,
        open: &mut OpenConversation,
        sink: &mut TurnSink<'_>,
        current: &mut CurrentModel,
        progress: &mut RunProgress,
    ) -> Result<(), Error> {
        loop {
            match self.next(sink.queue)? {
                NextStep::Turn(message) => {
                    progress.turns += 1;
                    let ended = self.turn(open, sink, current, message);
                    self.end_turn(sink.queue);
                    let substitute = open.find_substitute();
                    if let Some(substitute) =
                        substitute.filter(|_| current.substitute != substitute)
                    {
                        let model = &self.settings.substitutes[substitute];
                        *current = CurrentModel {
                            choice: model.choice.clone(),
                            requested: current.requested.take(),
                            substitute: Some(substitute),
                        };
                    }
                    let used = self.used(open);
                    match ended {
                        Ok(reply) => progress.last = Some(reply),
                        Err(error) if ends_run(&error, used) => return Err(error),
                        Err(error) => {
                            let is_interrupted = matches!(error, Error::Stop(Stop::Interrupted));
                            let failure = error.failure(used);
                            if !is_interrupted {
                                progress.failed.get_or_insert(failure.outcome());
                            }
                            let reported = sink.sink.turn_failed(&failure, self.settings.paint);
                            reported.map_err(Error::Output)?;
                        }
                    }
                }
                NextStep::Settings(request) => self.change(open, sink, current, request)?,
                NextStep::Errors(errors) => sink.report(&errors).map_err(Error::Output)?,
                NextStep::Wait => {}
                NextStep::End => return Ok(()),
            }
        }
    }

    /// The credential that signs the requests.
    fn used<'a>(&'a self, open: &mut OpenConversation) -> Option<&'a Used> {
        match open.service_asked_last(self.settings) {
            Some(other) => other.used.as_ref(),
            None => self.host.used.as_ref(),
        }
    }

    /// Waits for what comes next.
    fn next(&self, queue: &SharedQueue) -> Result<NextStep, Error> {
        let between = |error| Err(Error::between_turns(error));
        let mut state = queue.lock();
        loop {
            if let Some(request) = self.control.stopped() {
                return between(Error::Stop(Stop::Ordered(request)));
            }
            if state.stopped {
                return between(Error::Stop(Stop::Panicked));
            }
            match (state.queue.next(), state.failure.take()) {
                (NextStep::Wait, Some(error)) => return between(Error::Input(error)),
                (NextStep::Wait, None) => state = queue.wait(state),
                (next, failure) => {
                    state.failure = failure;
                    return Ok(next);
                }
            }
        }
    }

    /// Runs a turn. A failure that does not end the run is returned and not yet reported.
    fn turn(
        &self,
        open: &mut OpenConversation,
        sink: &mut TurnSink<'_>,
        current: &CurrentModel,
        mut message: UserMessage,
    ) -> Result<Reply, Error> {
        let model = &current.choice.model;
        sink.sink.begin_turn().map_err(Error::Output)?;
        if model.text_only && !message.images.is_empty() {
            message.images.clear();
            let warning = RunWarning::Note(format!(
                "{} does not accept images: they are not sent",
                model.id
            ));
            sink.take(Notice::Warning(&warning))
                .map_err(Error::Output)?;
        }
        let reply = open.conversation.ask(message, sink).map_err(Error::Stop)?;
        let finished = sink.sink.finish();
        if self.settings.fail_on_tool_error && reply.failed_calls > 0 {
            return Err(Error::ToolsFailed(reply.failed_calls));
        }
        finished.map_err(Error::Output)?;
        if let Some(schema) = &self.settings.schema
            && let Some(unmatched) = validate(schema, &reply.message(), self.control)?
        {
            return Err(Error::Schema(unmatched));
        }
        let is_json = self.settings.schema.is_some();
        let completed = sink.sink.completed(&reply, is_json);
        completed.map_err(Error::Output)?;
        Ok(reply)
    }

    /// Records that the turn has ended, and announces the next one.
    fn end_turn(&self, queue: &SharedQueue) {
        let mut state = queue.lock();
        if state.queue.turn_ended(self.control.take_steering()) {
            self.control.announce_turn();
        }
    }

    /// Changes the model or effort. A request that cannot be met is reported as an unusable line.
    fn change(
        &self,
        open: &mut OpenConversation,
        sink: &mut TurnSink<'_>,
        current: &mut CurrentModel,
        request: SettingsRequest,
    ) -> Result<(), Error> {
        let name = request
            .model
            .unwrap_or_else(|| current.choice.qualified_name());
        let effort = request.effort.or_else(|| current.requested.clone());
        match switch_model(self.settings, Some(open), &name, effort.as_deref()) {
            Ok(None) => return Ok(()),
            Err(failure) => {
                let message = match failure.advice() {
                    Some(hint) => format!("{}; {hint}", failure.what()),
                    None => failure.what().to_owned(),
                };
                sink.queue.lock().queue.fail(request.line, &message);
            }
            Ok(Some(switched)) => {
                current.choice = switched.choice;
                current.requested = effort;
                for note in switched.notes {
                    let warning = RunWarning::Note(note);
                    sink.take(Notice::Warning(&warning))
                        .map_err(Error::Output)?;
                }
            }
        }
        sink.flush().map_err(Error::Output)
    }
}

/// Whether a turn that failed so ends the run: the next one would fail as well, or was not wanted.
fn ends_run(error: &Error, used: Option<&Used>) -> bool {
    match error {
        Error::Stop(Stop::Interrupted | Stop::TurnTimeout(_)) => false,
        Error::Stop(Stop::Ordered(_)) | Error::Output(_) => true,
        Error::Stop(stop) => matches!(
            of_stop(stop, used).outcome(),
            Outcome::SignIn | Outcome::UsageLimit | Outcome::Budget | Outcome::Bug | Outcome::Io
        ),
        _ => false,
    }
}

/// Reports the events of a turn, and in between the lines that could not be used meanwhile.
struct TurnSink<'a> {
    sink: &'a mut RunOutput,
    queue: &'a SharedQueue,
}

impl TurnSink<'_> {
    fn report(&mut self, errors: &[LineError]) -> io::Result<()> {
        for error in errors {
            self.sink.take(Notice::InputError {
                line: error.line,
                lines: error.lines,
                message: &error.message,
            })?;
        }
        self.sink.flush()
    }
}

impl Sink for TurnSink<'_> {
    fn take(&mut self, notice: Notice<'_>) -> io::Result<()> {
        self.sink.take(notice)
    }

    fn flush(&mut self) -> io::Result<()> {
        let errors = self.queue.lock().queue.take_errors();
        self.report(&errors)
    }

    fn follows_tools(&self) -> bool {
        self.sink.follows_tools()
    }

    fn pulse(&self) -> Option<Duration> {
        self.sink.pulse()
    }

    fn beat(&mut self, now: Instant) {
        self.sink.beat(now);
    }

    fn clear(&mut self) {
        self.sink.clear();
    }
}
