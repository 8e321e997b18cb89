//! Every error in words: what happened, why, and what to do, with the outcome that gives the exit code.
//! The modules report facts; the wording is here, in one file, so that it can be reviewed in one place.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::agent::{End, Order};
use crate::api;
use crate::command::run::Error;
use crate::outcome::Outcome;
use crate::output::text::visible;
use crate::wire::answer::Trouble;
use crate::wire::fault::{Fault, Kind};
use crate::{auth, http, prompt, stdin};

/// A run that did not end well.
#[derive(Debug)]
pub struct Failure {
    outcome: Outcome,
    what: String,
    hint: Option<String>,
    /// The process ends by this signal, so that shells see it and loops stop.
    signal: Option<i32>,
}

impl Failure {
    pub(super) fn new(outcome: Outcome, what: impl Into<String>) -> Self {
        Self {
            outcome,
            what: what.into(),
            hint: None,
            signal: None,
        }
    }

    pub(super) fn usage(what: impl Into<String>) -> Self {
        Self::new(Outcome::Usage, what)
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
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
        let mut text = format!("codex: {}\n", visible(&self.what).replace('\n', " "));
        if let Some(hint) = &self.hint {
            text.push_str(&format!("codex: hint: {}\n", visible(hint)));
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
            Error::Credential(error) => of_credential(error),
            Error::Late => {
                Self::usage("input began after 3 s and was not part of the question; use -")
                    .hint("with - among the arguments, the run waits for standard input")
            }
            Error::Output(error) => of_output(&error),
            Error::Temporary(place, error) => Self::new(
                Outcome::Io,
                format!(
                    "cannot make a temporary directory in {}: {error}",
                    place.display()
                ),
            )
            .hint("tools need one; TMPDIR says where"),
            Error::Thread(error) => of_thread(&error),
            Error::Random(error) => Self::new(
                Outcome::Io,
                format!("the system gives no random numbers: {error}"),
            ),
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

fn of_stdin(error: &stdin::Error) -> Failure {
    match error {
        stdin::Error::Timeout => timeout(),
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

fn of_credential(error: auth::Error) -> Failure {
    match error {
        auth::Error::Missing => Failure::new(Outcome::SignIn, "no credentials: nobody is signed in and no key is set").hint(
            "set CODEX_ACCESS_TOKEN (ChatGPT subscription) or OPENAI_API_KEY (API), or use --api-key-file FILE",
        ),
        auth::Error::NotAKey(..) | auth::Error::Empty(_) => Failure::usage(format!("cannot use the credential: {error}"))
            .hint("it is the text of the key or token alone, without quotes or blanks"),
        auth::Error::NotAToken(..) => Failure::new(Outcome::SignIn, format!("cannot use the credential: {error}"))
            .hint("an API key belongs in CODEX_API_KEY or OPENAI_API_KEY"),
    }
}

fn of_thread(error: &io::Error) -> Failure {
    Failure::new(Outcome::Io, format!("the system gives no thread: {error}"))
        .hint("too many processes may be running; `ulimit -u` tells how many may")
}

fn of_output(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::new(Outcome::Closed, "");
    }
    Failure::new(
        Outcome::Io,
        format!("cannot write to standard output: {error}"),
    )
    .hint("free some space, or send the output elsewhere; what is on it is not whole")
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
        End::Refused(error) => of_api(*error),
        End::Trouble(trouble, error) => of_trouble(*trouble, error.map(|error| *error)),
    }
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

fn of_api(error: api::Error) -> Failure {
    match error {
        api::Error::Fault(fault) => of_fault(&fault),
        api::Error::TooLong(error) => Failure::new(
            Outcome::Incomplete,
            format!("cannot read the answer: {error}"),
        ),
        api::Error::Cut(error) => {
            Failure::new(Outcome::Incomplete, format!("the answer was cut: {error}"))
        }
        api::Error::Http(error) => {
            let failure = Failure::new(
                Outcome::Unreachable,
                format!("cannot reach the service: {error}"),
            );
            match error {
                http::Error::NoSuchHost => {
                    failure.hint("check the network, and the address if you set one")
                }
                http::Error::Connect(_) | http::Error::ConnectTimeout(_) => {
                    failure.hint("check the network, and the address and port if you set them")
                }
                http::Error::Tls(_) => failure.hint("a proxy or a wrong clock may be in the way"),
                http::Error::Silent(_) | http::Error::Broken(_) | http::Error::Protocol(_) => {
                    failure.hint("try again later")
                }
            }
        }
    }
}

fn of_trouble(trouble: Trouble, error: Option<api::Error>) -> Failure {
    let incomplete = |what: &str| {
        Failure::new(
            Outcome::Incomplete,
            format!("the answer is incomplete: {what}"),
        )
    };
    match (trouble, error) {
        (Trouble::Cut, Some(error)) => {
            of_api(error).hint("what was printed is a part of the answer; try again")
        }
        (Trouble::Cut, None) => {
            incomplete("the stream ended before the service said that it is complete")
                .hint("try again")
        }
        (Trouble::Differs, _) => {
            incomplete("what was printed is not the message that the service sent in the end")
                .hint("try again")
        }
        (Trouble::Unfinished, _) => {
            incomplete("a message or a call in it has no end").hint("try again")
        }
        (Trouble::Empty, _) => {
            incomplete("it holds no text").hint("try again, or put the question differently")
        }
        (Trouble::Incomplete(reason), _) => match &*reason {
            "max_output_tokens" => {
                incomplete("it reached the model's output limit").hint("ask for less at once")
            }
            "content_filter" => {
                incomplete("the content filter stopped it").hint("put the question differently")
            }
            "" => incomplete("the service stopped it").hint("try again"),
            other => incomplete(&format!("the service stopped it ({other})")).hint("try again"),
        },
        (Trouble::Refused(words), _) => {
            Failure::new(Outcome::Failed, format!("the model declined: {words}"))
                .hint("put the question differently")
        }
        (Trouble::Waits(kind), _) => Failure::new(
            Outcome::Failed,
            format!("the answer waits for something that codex-run cannot give ({kind})"),
        )
        .hint("ask without hosted tools that need it"),
        (Trouble::Failed(fault), _) => of_fault(&fault),
    }
}

fn of_fault(fault: &Fault) -> Failure {
    let outcome = match fault.kind {
        Kind::Failed => Outcome::Failed,
        Kind::SignIn => Outcome::SignIn,
        Kind::Forbidden => Outcome::Forbidden,
        Kind::UsageLimit => Outcome::UsageLimit,
        Kind::Unreachable => Outcome::Unreachable,
    };
    let words = match (&*fault.message, &*fault.code) {
        ("", "") => "it gave no reason".to_owned(),
        ("", code) => code.to_owned(),
        (message, "") => message.to_owned(),
        (message, code) => format!("{message} ({code})"),
    };
    let mut marks = Vec::new();
    if let Some(status) = fault.status {
        marks.push(format!("HTTP {status}"));
    }
    if let Some(id) = &fault.request_id {
        marks.push(format!("request {id}"));
    }
    let marks = if marks.is_empty() {
        String::new()
    } else {
        format!(" [{}]", marks.join(", "))
    };
    let what = match fault.kind {
        Kind::Failed => "the service did not answer this request",
        Kind::SignIn => "the service refused the credential",
        Kind::Forbidden => "the service does not allow this",
        Kind::UsageLimit => "the usage limit is reached",
        Kind::Unreachable => "the service cannot answer now",
    };
    let failure = Failure::new(outcome, format!("{what}: {words}{marks}"));
    match (fault.kind, fault.status) {
        _ if fault.page => {
            return failure
                .hint("look at what stands between: a proxy, a firewall, a sign-in page");
        }
        (_, Some(300..=399)) => {
            return failure
                .hint("redirects are not followed; set the address where the service really is");
        }
        (Kind::Failed, Some(404)) => {
            return failure.hint("is the address right? OPENAI_BASE_URL commonly ends in /v1");
        }
        _ => {}
    }
    match fault.kind {
        Kind::Failed => failure.hint("change the request; trying again will not help"),
        Kind::SignIn => failure.hint("renew the token or key; it may have expired or been revoked"),
        Kind::Forbidden => failure.hint("use another model (-m) or another account"),
        Kind::UsageLimit => failure.hint(reset(fault.resets_at)),
        Kind::Unreachable => failure.hint("try again later"),
    }
}

/// When to come back, as far as the service said.
fn reset(at: Option<u64>) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    match at.map(|at| at.saturating_sub(now).div_ceil(60)) {
        Some(minutes @ 1..) if minutes >= 60 => {
            format!("it ends in {} h {} min", minutes / 60, minutes % 60)
        }
        Some(minutes @ 1..) => format!("it ends in {minutes} min"),
        _ => "wait, raise the limit, or use another account".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fault;

    #[test]
    fn a_service_message_carries_status_and_request() {
        let body = br#"{"error":{"message":"No such thing.","code":"x"}}"#;
        let failure = of_fault(&fault::of_answer(404, Some("req_1"), body));
        assert_eq!(
            failure.what,
            "the service did not answer this request: No such thing. (x) [HTTP 404, request req_1]"
        );
    }

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
