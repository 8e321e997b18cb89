//! Every error in words: what happened, why, and what to do, with the outcome that gives the exit code.
//! The modules report facts; the wording is here, in one folder, so that it can be reviewed in one place.

mod credential;
mod exhausted;
mod fault;
mod local;
mod service;
mod sign_in;

use std::io::Write;

use crate::agent::{End, Order};
use crate::command::run::Error;
use crate::outcome::{Outcome, TABLE};
use crate::output::lines::{Failed, failed};
use crate::output::paint::{Ink, Paint};
use crate::output::visible::line;
use crate::wire::answer::Trouble;
use crate::{api, prompt, stdin};
use credential::About;
pub(super) use credential::{Used, with_credential};
pub(super) use exhausted::of_exhausted;
pub(super) use local::{of_output, of_session, of_thread};
use service::{of_api, of_trouble};

/// A run that did not end well.
#[derive(Debug)]
pub struct Failure {
    outcome: Outcome,
    what: String,
    hint: Option<String>,
    /// When a usage limit ends, in Unix seconds.
    retry_at: Option<u64>,
    /// What the service calls the request.
    request_id: Option<String>,
    /// The process ends by this signal, so that shells see it and loops stop.
    signal: Option<i32>,
    /// Which credential was used matters to its words.
    about: Option<Box<About>>,
    paint: Paint,
}

impl Failure {
    pub(super) fn new(outcome: Outcome, what: impl Into<String>) -> Self {
        Self {
            outcome,
            what: what.into(),
            hint: None,
            retry_at: None,
            request_id: None,
            signal: None,
            about: None,
            paint: Paint::default(),
        }
    }

    /// To be told in these colours.
    pub(super) fn painted(self, paint: Paint) -> Self {
        Self { paint, ..self }
    }

    pub(super) fn usage(what: impl Into<String>) -> Self {
        Self::new(Outcome::Usage, what)
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says too that a part of an answer was printed, if it was.
    fn of_part(mut self, partial: bool) -> Self {
        if !partial {
            return self;
        }
        let hint = self.hint.take().unwrap_or_else(|| "try again".to_owned());
        self.hint(format!("{hint}; what was printed is a part of the answer"))
    }

    /// The last JSON line of the run.
    pub(super) fn line(&self) -> String {
        let word = TABLE.iter().find(|row| row.outcome == self.outcome);
        failed(&Failed {
            message: &self.what.replace('\n', " "),
            code: word.map_or("bug", |row| row.word),
            exit_code: self.outcome.exit_code(),
            retry_at: self.retry_at,
            request_id: self.request_id.as_deref(),
        })
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The signal that the process is to end by, if it was one that ended the run.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        self.signal
    }

    /// Tells what happened, and what to do about it. A reader that went away is a quiet end.
    pub fn report(&self, mut to: impl Write) {
        if self.outcome == Outcome::Closed {
            return;
        }
        // What the service said may be in it, and shall neither steer a terminal nor look like lines of ours.
        let shown = |text: &str| line(&text.replace('\n', " ")).into_owned();
        let what = shown(&self.what);
        let mut text = format!("{} {what}\n", self.paint.mark(Ink::Error, "codex:"));
        if let Some(hint) = &self.hint {
            let mark = self.paint.mark(Ink::Hint, "codex: hint:");
            text.push_str(&format!("{mark} {}\n", shown(hint)));
        }
        // In one write, so that the lines of parallel runs do not mix. If even this fails, only the exit code is left.
        let _ = to.write_all(text.as_bytes());
    }

    #[cfg(test)]
    pub(super) fn words(&self) -> String {
        format!(
            "{}\nhint: {}",
            self.what,
            self.hint.as_deref().unwrap_or_default()
        )
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Prompt(error) => of_prompt(&error),
            Error::Stdin(error) => of_stdin(&error),
            Error::Credential(error) => sign_in::of_credential(&error),
            Error::SignIn(error) => sign_in::of_sign_in(&error),
            Error::Late => {
                Self::usage("input began after 3 s and was not part of the question; use -")
                    .hint("with - among the arguments, the run waits for standard input")
            }
            Error::Output(error) => of_output(&error),
            Error::Temporary(place, error) => local::of_temporary(&place, &error),
            Error::Walls(error) => {
                Self::usage(format!("cannot confine tools: {error}"))
                    .hint(
                        "--no-tools runs without tools; -s danger-full-access lets them do whatever you may do",
                    )
                    .for_want_of(error.exhausted())
            }
            Error::Thread(error) => of_thread(&error),
            Error::Random(error) => Self::new(
                Outcome::Io,
                format!("the system gives no random numbers: {error}"),
            ),
            Error::LastMessage(error) => local::of_last_message(&error),
            Error::Session(error) => of_session(&error),
            Error::NoHome => Self::usage("there is no place where conversations are stored")
                .hint("set HOME, or CODEX_RUN_HOME"),
            Error::Schema(unmatched) => Self::new(
                Outcome::Schema,
                format!("the answer does not match the schema: {unmatched}"),
            )
            .hint("try again; a description in the schema may help the model"),
            Error::TooLong(end, parts) => {
                let parts: Vec<String> = parts
                    .iter()
                    .filter(|(_, tokens)| *tokens >= 1000)
                    .take(3)
                    .map(|(what, tokens)| format!("{what}: about {} tokens", grouped(*tokens)))
                    .collect();
                let failure = of_end(end);
                match (parts.len(), failure.hint.clone()) {
                    (1.., Some(hint)) => failure.hint(format!("{hint}; {}", parts.join(", "))),
                    _ => failure,
                }
            }
            Error::End(end) => of_end(end),
        }
    }
}

fn of_prompt(error: &prompt::Error) -> Failure {
    let failure = Failure::usage(format!("cannot use the prompt: {error}"));
    match error {
        prompt::Error::Empty => failure.hint("give it as arguments, or on standard input"),
        prompt::Error::NotUtf8(..) => {
            failure.hint("the service takes text only; convert it, for example with iconv")
        }
        prompt::Error::Twice => failure.hint("standard input can be put in one place only"),
    }
}

pub(super) fn of_stdin(error: &stdin::Error) -> Failure {
    match error {
        stdin::Error::Unreadable(_) => {
            Failure::usage(format!("cannot read standard input: {error}"))
                .hint("give it a file or a pipe, or use --no-stdin")
        }
        stdin::Error::Silent(_) => Failure::usage(format!("cannot use standard input: {error}"))
            .hint("something holds it open; close it"),
        stdin::Error::TooLarge(_) => Failure::usage(format!("cannot use standard input: {error}"))
            .hint("no model reads that much; cut it down"),
    }
}

fn of_end(end: End) -> Failure {
    match end {
        // Nothing failed; whoever asks anyway learns of a defect.
        End::Answered | End::Panicked => bug("a part of it stopped"),
        End::Output(error) => of_output(&error),
        End::Thread(error) => of_thread(&error),
        End::Ordered(order) => of_order(order),
        End::Turns(turns) => Failure::new(
            Outcome::Budget,
            format!("stopped by --max-turns {turns}: the model wanted to go on"),
        )
        .hint("raise --max-turns"),
        End::Tokens(used, most) => Failure::new(
            Outcome::Budget,
            format!("stopped by --max-tokens {most}: {used} tokens are used, and the model wanted to go on"),
        )
        .hint("raise --max-tokens"),
        End::Calls(wanted, most) => Failure::new(
            Outcome::Budget,
            format!("stopped by --max-tool-calls {most}: the model wanted {wanted} tool calls in all"),
        )
        .hint("raise --max-tool-calls; the calls of its last answer were not run"),
        End::TooLong(tokens, window) => too_long(tokens, window),
        End::NoSearch(error) => Failure::new(
            Outcome::Failed,
            format!(
                "cannot search the web: the service refused every shape of the request that has room for its search: {}",
                of_api(&error).what
            ),
        )
        .hint("leave the search out, or use another model (-m)"),
        End::ToolsFailed(calls) => {
            let calls = match calls {
                1 => "a tool call".to_owned(),
                calls => format!("{calls} tool calls"),
            };
            Failure::new(
                Outcome::Failed,
                format!("{calls} failed, which --fail-on tool-error does not let pass"),
            )
            .hint("the answer is complete; without -q, standard error says how each call went")
        }
        End::Refused(error, partial) => {
            let mut failure = of_api(&error).of_part(partial);
            if partial && failure.outcome == Outcome::Unreachable {
                // The answer was cut before, and now that is for good.
                failure.outcome = Outcome::Incomplete;
            }
            failure
        }
        End::Trouble(trouble, error, partial) => {
            // The others say so themselves.
            let partial = partial && matches!(*trouble, Trouble::Failed(_));
            of_trouble(&trouble, error.as_deref()).of_part(partial)
        }
    }
}

/// What is not sent because it would be too long.
fn too_long(tokens: u64, window: u64) -> Failure {
    let (tokens, window) = (grouped(tokens), grouped(window));
    Failure::new(
        Outcome::Failed,
        format!("the request is too long: about {tokens} tokens, and the model takes in {window}"),
    )
    .hint("send less, or use a model that takes in more (-m)")
}

/// A number with its thousands told apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Why an answer cannot be used, without what to do about it.
pub(super) fn of_answer(trouble: &Trouble, error: Option<&api::Error>) -> String {
    of_trouble(trouble, error).what
}

/// Why there is no list of models, without what to do about it.
pub(super) fn of_list(error: &api::Error) -> String {
    of_api(error).what
}

/// An end that was ordered from outside.
pub(super) fn of_order(order: Order) -> Failure {
    match order {
        Order::Timeout => timeout(),
        Order::Closed => Failure::new(Outcome::Closed, ""),
        Order::Signal(signal) => {
            let (outcome, what) = match signal {
                signal_hook::consts::SIGINT => (Outcome::Interrupted, "interrupted"),
                signal_hook::consts::SIGHUP => (Outcome::Hangup, "ended: the terminal hung up"),
                _ => (Outcome::Terminated, "terminated"),
            };
            Failure {
                signal: Some(signal),
                ..Failure::new(outcome, what)
            }
        }
    }
}

fn timeout() -> Failure {
    Failure::new(Outcome::Timeout, "stopped: the time of --timeout is over").hint("raise --timeout")
}

/// A defect of this program; `place` is where it showed.
pub(super) fn bug(place: &str) -> Failure {
    Failure::new(
        Outcome::Bug,
        format!(
            "a defect in codex-run {}: {place}",
            env!("CARGO_PKG_VERSION")
        ),
    )
    .hint("please report this line and the command that led to it")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_reader_that_went_away_is_a_quiet_end() {
        let mut told = Vec::new();
        of_output(&io::ErrorKind::BrokenPipe.into()).report(&mut told);
        assert!(told.is_empty());
    }

    #[test]
    fn what_is_told_is_two_lines_in_one_write() {
        let mut told = Vec::new();
        of_order(Order::Timeout).report(&mut told);
        assert_eq!(
            String::from_utf8_lossy(&told),
            "codex: stopped: the time of --timeout is over\ncodex: hint: raise --timeout\n"
        );
        assert_eq!(of_order(Order::Signal(2)).outcome().exit_code(), 130);
    }
}
