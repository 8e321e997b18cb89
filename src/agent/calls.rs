//! The tool calls of an answer: starts them, reports their results, and ends them with the turn.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde_json::Value;

use super::driver::Driver;
use super::history;
use super::input::TurnInput;
use super::latest_output::LatestOutput;
use super::round::{self, Action, Round};
use super::thread::spawn;
use crate::failure::{RunWarning, Stop};
use crate::output::{self, Notice, Subject};
use crate::tools::toolbox::Called;
use crate::tools::topic::About;
use crate::wire::input::{self, assistant_message};
use crate::wire::item::Call;

impl Driver<'_> {
    /// Runs the calls of an answer and adds their outputs to the conversation. `body_ended` means that the response body is
    /// complete or lost. If the turn stops, the outputs so far are kept in `self.outputs`.
    pub(super) fn run_calls(&mut self, calls: &[Call], body_ended: bool) -> Result<(), Stop> {
        let barriers: Vec<bool> = calls
            .iter()
            .map(|call| self.tools.changes_files(call))
            .collect();
        self.tools.watch_git();
        let (mut round, actions) = Round::new(&barriers);
        let ran = self.run_round(&mut round, actions, calls, body_ended);
        if ran.is_err() {
            self.outputs = round.outputs();
        }
        ran
    }

    fn run_round(
        &mut self,
        round: &mut Round,
        actions: Vec<Action>,
        calls: &[Call],
        body_ended: bool,
    ) -> Result<(), Stop> {
        for action in actions {
            if let Action::Run(at) = action {
                self.start(at, calls)?;
            }
        }
        if body_ended {
            round.step(round::RoundEvent::BodyEnded);
        }
        let mut awaits_body = false;
        loop {
            let event = if awaits_body {
                match self.await_body_end()? {
                    true => round::RoundEvent::BodyEnded,
                    false => round::RoundEvent::TimedOut,
                }
            } else {
                match self.next(None)? {
                    TurnInput::ToolEnded(at, called) => self.tool_ended(at, called, calls)?,
                    TurnInput::ToolPrinted(latest) => {
                        self.report_printed(&latest)?;
                        continue;
                    }
                    _ => continue,
                }
            };
            for action in round.step(event) {
                match action {
                    Action::AwaitBody => awaits_body = true,
                    Action::Send { outputs } => {
                        self.report_git_changes()?;
                        history::add_outputs(
                            Arc::make_mut(self.body),
                            self.journal.as_deref_mut(),
                            calls,
                            &outputs,
                        );
                        self.open.clear();
                        self.report_storage_failure()?;
                        return Ok(());
                    }
                    Action::Run(at) => self.start(at, calls)?,
                }
            }
        }
    }

    /// Reports a call that has ended.
    fn tool_ended(
        &mut self,
        at: usize,
        called: Called,
        calls: &[Call],
    ) -> Result<round::RoundEvent, Stop> {
        self.running -= 1;
        if let Some(error) = called.exhausted {
            return Err(Stop::Thread(error));
        }
        self.tally.failed += usize::from(!called.result.status.is_ok());
        let place = self.topics.iter().position(|(of, _)| *of == at);
        let about = place.map(|place| self.topics.swap_remove(place).1);
        let about = about.unwrap_or(About::Other(Value::Null));
        self.report_ended(&calls[at], &about, &called)?;
        let text = called.result.for_model();
        let images = called.result.images;
        let output = input::CallOutput { text, images };
        Ok(round::RoundEvent::ToolEnded(at, output))
    }

    /// Starts a call on its own thread, which always sends an input when it ends, even after a panic.
    fn start(&mut self, at: usize, calls: &[Call]) -> Result<(), Stop> {
        let about = self.tools.about(&calls[at]);
        with_call_notice(&calls[at], &about, |call| {
            // Flush now: the next event may be a long time away.
            let taken = self.sink.take(Notice::ToolStarted(call));
            taken.and_then(|()| self.sink.flush())
        })
        .map_err(Stop::Output)?;
        self.topics.push((at, about));
        // `spent` already includes the calls of this answer.
        let number = self.spent.calls - calls.len() + at + 1;
        let (tools, call, sender) = (
            Arc::clone(&self.tools),
            calls[at].clone(),
            self.sender.clone(),
        );
        let follower = self.sink.follows_tools().then(|| {
            let sender = sender.clone();
            LatestOutput::follower(&call.call_id, move |latest| {
                let _ = sender.send(TurnInput::ToolPrinted(latest));
            })
        });
        spawn(move || {
            let work = || tools.call(&call, number, follower.as_ref());
            let ended = catch_unwind(AssertUnwindSafe(work));
            let _ = sender.send(ended.map_or(TurnInput::ToolPanicked, |called| {
                TurnInput::ToolEnded(at, called)
            }));
        })?;
        self.running += 1;
        Ok(())
    }

    fn report_printed(&mut self, latest: &LatestOutput) -> Result<(), Stop> {
        match latest.take() {
            Some(tail) => self.notify(Notice::ToolPrinted {
                id: &latest.call_id,
                tail: &tail,
            }),
            None => Ok(()),
        }
    }

    /// Reports what a call had printed that was stopped with the turn.
    fn report_stopped(&mut self, at: usize, called: &Called) {
        if let Some(id) = self.open.get(at).cloned() {
            let _ = self.notify(Notice::ToolStopped {
                id: &id,
                took: called.took,
                result: &called.result,
            });
        }
    }

    fn report_ended(&mut self, call: &Call, about: &About, called: &Called) -> Result<(), Stop> {
        let brief = self.tools.brief(call);
        with_call_notice(call, about, |call| {
            let notice = Notice::ToolEnded {
                call,
                brief: &brief,
                took: called.took,
                result: &called.result,
            };
            self.sink.take(notice).and_then(|()| self.sink.flush())
        })
        .map_err(Stop::Output)
    }

    /// Warns if what git executes on its own (hooks, configuration) has changed.
    fn report_git_changes(&mut self) -> Result<(), Stop> {
        let changed = self.tools.changed_git();
        if changed.is_empty() {
            return Ok(());
        }
        self.notify(Notice::Warning(&RunWarning::GitChanged(changed)))
    }

    /// Ends what is still running: connections immediately, tools after their grace period. A second stop request ends
    /// the grace period.
    pub(super) fn wind_up(&mut self) {
        self.client.shutdown();
        if self.running == 0 {
            return;
        }
        self.tools.end();
        while self.running > 0 {
            match self.inputs.recv() {
                Ok(TurnInput::ToolEnded(at, called)) => {
                    self.running -= 1;
                    self.report_stopped(at, &called);
                }
                Ok(TurnInput::ToolPanicked) => self.running -= 1,
                Ok(TurnInput::ToolPrinted(latest)) => drop(self.report_printed(&latest)),
                Ok(TurnInput::StopRun(_) | TurnInput::StopTurn) => self.tools.end(),
                Ok(_) => {}
                Err(_) => return,
            }
        }
        let _ = self.report_git_changes();
    }

    /// Makes the conversation ready to continue after a stop: calls without a result get one, what an interrupted answer said is
    /// kept, and messages that failed before any part of an answer are removed.
    pub(super) fn settle(&mut self, stop: &Stop) {
        let calls = std::mem::take(&mut self.open);
        if !calls.is_empty() {
            let body = Arc::make_mut(self.body);
            let outputs = std::mem::take(&mut self.outputs);
            history::add_aborted(body, self.journal.as_deref_mut(), &calls, outputs);
        }
        let is_stopped = matches!(
            stop,
            Stop::Interrupted | Stop::TurnTimeout(_) | Stop::Ordered(_)
        );
        let texts = if is_stopped {
            self.partial_texts()
        } else {
            Vec::new()
        };
        if !texts.is_empty() {
            self.keep_model();
        }
        self.restore_model();
        for text in texts {
            let item = assistant_message(&text);
            Arc::make_mut(self.body).push(&item);
            if let Some(journal) = self.journal.as_deref_mut() {
                journal.item(&item);
            }
        }
        // Without the messages that no answer followed, the conversation is as it was, and can be resumed.
        let refused = self.unanswered;
        if !is_stopped && refused > 0 {
            let body = Arc::make_mut(self.body);
            body.truncate(body.len().saturating_sub(refused));
            // A message that the service refuses would be refused again in a resumed conversation.
            let is_refused = stop.exit_code() == 1;
            match self.journal.as_deref_mut() {
                Some(journal) if is_refused => journal.withdraw(refused),
                _ => *self.to_withdraw = refused,
            }
        }
    }

    /// The messages of an interrupted answer, up to where they were reported.
    fn partial_texts(&mut self) -> Vec<String> {
        match self.interrupted.take() {
            Some(_) if self.policy.buffer => Vec::new(),
            Some(answer) => {
                let texts = answer.shown().into_iter().map(|shown| shown.text);
                texts.filter(|text| !text.trim().is_empty()).collect()
            }
            None => self.printed.partial_texts(),
        }
    }
}

/// Calls `report` with the notice of a tool call.
fn with_call_notice(
    call: &Call,
    about: &About,
    report: impl FnOnce(output::CallNotice<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let changes: Vec<(&str, bool)> = match about {
        About::Changes(changes) => changes
            .iter()
            .map(|change| (&*change.path, change.there))
            .collect(),
        _ => Vec::new(),
    };
    report(output::CallNotice {
        id: &call.call_id,
        name: &call.name,
        arguments: &call.arguments,
        subject: match about {
            About::Command(command) => Subject::Command(command),
            About::Changes(_) => Subject::Changes(&changes),
            About::ServerCall {
                server,
                tool,
                arguments,
            } => Subject::ServerCall {
                server,
                tool,
                arguments,
            },
            About::Other(arguments) => Subject::Other(arguments),
        },
    })
}
