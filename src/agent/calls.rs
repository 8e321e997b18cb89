//! What a run does about the calls of an answer: runs them, tells how they went, and ends them with the run.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::driver::Driver;
use super::history;
use super::input::TurnInput;
use super::reader::BODY_END_TIMEOUT;
use super::round::{self, Action, Round};
use super::thread::spawn;
use crate::failure::{RunWarning, Stop};
use crate::output::{self, Notice, Subject};
use crate::tools::toolbox::Called;
use crate::tools::topic::About;
use crate::wire::input;
use crate::wire::item::Call;

impl Driver<'_> {
    /// Runs the calls of an answer and adds their outputs to the history. `body_ended` says that nothing more comes of the
    /// answer. Where the turn stops meanwhile, the outputs that there are stay in hand.
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
        let mut patience = None;
        loop {
            let event = match self.next(patience)? {
                TurnInput::ToolEnded(at, called) => {
                    self.running -= 1;
                    if let Some(error) = called.exhausted {
                        return Err(Stop::Thread(error));
                    }
                    self.tally.failed += usize::from(!called.result.status.is_ok());
                    let place = self.abouts.iter().position(|(of, _)| *of == at);
                    let about = place.map(|place| self.abouts.swap_remove(place).1);
                    let about = about.unwrap_or(About::Other(Value::Null));
                    self.tell(&calls[at], &about, &called)?;
                    let text = called.result.for_model();
                    let image = called.result.image;
                    round::RoundEvent::ToolEnded(at, input::CallOutput { text, image })
                }
                TurnInput::BodyEnded(request) if request == self.tally.requests => {
                    round::RoundEvent::BodyEnded
                }
                _ if patience.is_some_and(|until| Instant::now() >= until) => {
                    round::RoundEvent::PatienceEnded
                }
                _ => continue,
            };
            for action in round.step(event) {
                match action {
                    Action::AwaitBody => patience = Some(Instant::now() + BODY_END_TIMEOUT),
                    Action::Send { outputs, reconnect } => {
                        self.tell_git()?;
                        history::add_outputs(
                            Arc::make_mut(self.body),
                            self.journal.as_deref_mut(),
                            calls,
                            &outputs,
                        );
                        self.open.clear();
                        self.tell_unstored()?;
                        if reconnect {
                            let client = self.client.renewed();
                            std::mem::replace(self.client, client).shutdown();
                        }
                        return Ok(());
                    }
                    Action::Run(at) => self.start(at, calls)?,
                }
            }
        }
    }

    /// Runs a call on a thread of its own, which ends with an input whatever happens in it.
    fn start(&mut self, at: usize, calls: &[Call]) -> Result<(), Stop> {
        let about = self.tools.about(&calls[at]);
        told(&calls[at], &about, |call| {
            // What waits for it may take long.
            let taken = self.sink.take(Notice::ToolStarted(call));
            taken.and_then(|()| self.sink.flush())
        })
        .map_err(Stop::Output)?;
        self.abouts.push((at, about));
        // The calls of this answer are counted already.
        let number = self.spent.calls - calls.len() + at + 1;
        let (tools, call, sender) = (
            Arc::clone(&self.tools),
            calls[at].clone(),
            self.sender.clone(),
        );
        spawn(move || {
            let ended = catch_unwind(AssertUnwindSafe(|| tools.call(&call, number)));
            let _ = sender.send(ended.map_or(TurnInput::ToolPanicked, |called| {
                TurnInput::ToolEnded(at, called)
            }));
        })?;
        self.running += 1;
        Ok(())
    }

    fn tell(&mut self, call: &Call, about: &About, called: &Called) -> Result<(), Stop> {
        let brief = self.tools.brief(call);
        told(call, about, |call| {
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

    /// Tells that what git runs by itself is not what it was.
    fn tell_git(&mut self) -> Result<(), Stop> {
        let changed = self.tools.changed_git();
        if changed.is_empty() {
            return Ok(());
        }
        self.notify(Notice::Warning(&RunWarning::GitChanged(changed)))
    }

    /// Ends what is still going on: connections at once, tools with the moment that they are given. A
    /// second order cuts that moment short.
    pub(super) fn wind_up(&mut self) {
        self.client.shutdown();
        if self.running == 0 {
            return;
        }
        self.tools.end();
        while self.running > 0 {
            match self.inputs.recv() {
                Ok(TurnInput::ToolEnded(..) | TurnInput::ToolPanicked) => self.running -= 1,
                Ok(TurnInput::Order(_) | TurnInput::StopTurn) => self.tools.end(),
                Ok(_) => {}
                Err(_) => return,
            }
        }
        let _ = self.tell_git();
    }
}

/// Has a sink told of a call.
fn told(
    call: &Call,
    about: &About,
    tell: impl FnOnce(output::CallNotice<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let changes: Vec<(&str, bool)> = match about {
        About::Changes(changes) => changes
            .iter()
            .map(|change| (&*change.path, change.there))
            .collect(),
        _ => Vec::new(),
    };
    tell(output::CallNotice {
        id: &call.call_id,
        name: &call.name,
        subject: match about {
            About::Command(command) => Subject::Command(command),
            About::Changes(_) => Subject::Changes(&changes),
            About::Other(arguments) => Subject::Other(arguments),
        },
    })
}
