//! Why a run failed, and the failure to report.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::PathBuf;

use super::last_message;
use super::server_notes;
use crate::auth::sign_in;
use crate::failure::{self, Failure, Stop, Used};
use crate::format::Unmatched;
use crate::outcome::Outcome;
use crate::tools::sandbox::confine;
use crate::tools::server::servers::UnstartedServer;
use crate::{auth, prompt, session, stdin};

/// Why a run failed.
#[derive(Debug)]
pub enum Error {
    /// There is no usable prompt.
    Prompt(prompt::Error),
    /// Standard input could not be read to its end.
    Stdin(stdin::Error),
    /// A missing or unusable credential.
    Credential(auth::Error),
    /// The sign-in has expired and cannot be renewed.
    SignIn(sign_in::Error),
    /// Standard input arrived after the run had stopped waiting for it.
    LateInput,
    /// Standard output could not be written.
    Output(io::Error),
    /// The last message could not be written to its file.
    LastMessage(last_message::Error),
    /// The stored conversation cannot be continued.
    Session(session::Error),
    /// There is no directory to store conversations in.
    NoHome,
    /// The last message does not match the schema.
    Schema(Unmatched),
    /// No temporary directory can be created here.
    Temporary(PathBuf, io::Error),
    /// The sandbox is not available here.
    Sandbox(confine::Error),
    /// An MCP server did not start; whether the run allows the network.
    Server(Box<UnstartedServer>, bool),
    /// The system provided no thread.
    Thread(io::Error),
    /// The system provides no random numbers.
    Random(getrandom::Error),
    /// The request is too long for the model; its parts with their estimated tokens, the longest first.
    TooLong(Stop, Vec<(String, u64)>),
    /// The model answered, but this many calls failed and `--fail-on tool-error` is set.
    ToolsFailed(usize),
    /// The turn stopped without an answer.
    Stop(Stop),
    /// The run failed with the service of a substitute, which this credential is for.
    OtherService(Box<Error>, Box<Used>),
    /// The run failed while no turn was running.
    BetweenTurns(Box<Error>),
    /// Standard input could not be read.
    Input(io::Error),
    /// Standard input requested no turn.
    NoTurn,
    /// This many lines of standard input could not be used.
    UnusableLines(u64),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prompt(error) => error.fmt(f),
            Self::Stdin(error) => error.fmt(f),
            Self::Credential(error) => error.fmt(f),
            Self::SignIn(error) => error.fmt(f),
            Self::BetweenTurns(error) | Self::OtherService(error, _) => error.fmt(f),
            Self::NoTurn => f.write_str("no turn was requested"),
            Self::UnusableLines(lines) => write!(f, "{lines} lines were unusable"),
            Self::LateInput => {
                f.write_str("standard input arrived after the run had stopped waiting for it")
            }
            Self::Output(error)
            | Self::Input(error)
            | Self::Temporary(_, error)
            | Self::Thread(error) => error.fmt(f),
            Self::LastMessage(error) => write!(f, "{error:?}"),
            Self::Session(error) => write!(f, "{error:?}"),
            Self::NoHome => f.write_str("there is no home directory"),
            Self::Schema(unmatched) => unmatched.fmt(f),
            Self::Sandbox(error) => error.fmt(f),
            Self::Server(server, _) => server.fmt(f),
            Self::Random(error) => error.fmt(f),
            Self::ToolsFailed(calls) => write!(f, "{calls} tool calls failed"),
            Self::Stop(stop) | Self::TooLong(stop, _) => stop.fmt(f),
        }
    }
}

impl StdError for Error {}

impl Error {
    /// The same, while no turn was running.
    pub(super) fn between_turns(self) -> Self {
        Self::BetweenTurns(Box::new(self))
    }

    /// The same with the credential for the service of a substitute, if that was asked.
    pub(super) fn about_service(self, used: Option<&Used>) -> Self {
        match used {
            Some(used) => Self::OtherService(Box::new(self), Box::new(used.clone())),
            None => self,
        }
    }

    /// The failure of a command that used this credential.
    pub(crate) fn failure(self, used: Option<&Used>) -> Failure {
        match self {
            Error::Prompt(error) => failure::of_prompt(&error),
            Error::Stdin(error) => failure::of_stdin(&error),
            Error::Credential(error) => failure::of_credential(&error),
            Error::SignIn(error) => failure::of_sign_in(&error, used),
            Error::OtherService(error, used) => error.failure(Some(&used)),
            Error::BetweenTurns(error) => error.failure(used).between_turns(),
            Error::Input(error) => {
                Failure::new(Outcome::Io, format!("cannot read standard input: {error}"))
                    .hint("check what writes to it")
                    .because_of(&error)
            }
            Error::NoTurn => Failure::usage("standard input contained no message")
                .hint(r#"send {"type": "user", "text": "..."} as a line"#),
            Error::UnusableLines(lines) => Failure::usage(match lines {
                1 => "one line of standard input could not be used".to_owned(),
                lines => format!("{lines} lines of standard input could not be used"),
            })
            .hint("the input_error lines on standard output say which and why"),
            Error::LateInput => {
                Failure::usage("input began after 3 s and was not part of the question; use -")
                    .hint("with - as an argument, the run waits for standard input")
            }
            Error::Output(error) => failure::of_output(&error),
            Error::Temporary(place, error) => failure::of_temporary(&place, &error),
            Error::Sandbox(error) => {
                Failure::usage(format!("cannot confine tools: {error}"))
                    .hint(
                        "--no-tools runs without tools; -s danger-full-access runs them without a sandbox",
                    )
                    .for_want_of(error.exhausted())
            }
            Error::Server(server, network) => server_notes::failure(&server, network),
            Error::Thread(error) => failure::of_thread(&error),
            Error::Random(error) => failure::of_random(error),
            Error::LastMessage(error) => of_last_message(&error),
            Error::Session(error) => failure::of_session(&error),
            Error::NoHome => Failure::usage("there is no directory to store conversations in")
                .hint("set HOME, or CODEX_RUN_HOME"),
            Error::Schema(unmatched) => Failure::new(
                Outcome::Schema,
                format!("the answer does not match the schema: {unmatched}"),
            )
            .hint("try again; descriptions in the schema may help the model"),
            Error::TooLong(stop, parts) => {
                let parts: Vec<String> = parts
                    .iter()
                    .filter(|(_, tokens)| *tokens >= 1000)
                    .take(3)
                    .map(|(what, tokens)| format!("{what}: about {} tokens", failure::grouped(*tokens)))
                    .collect();
                let failure = failure::of_stop(&stop, used);
                match (parts.len(), failure.advice().map(str::to_owned)) {
                    (1.., Some(hint)) => failure.hint(format!("{hint}; {}", parts.join(", "))),
                    _ => failure,
                }
            }
            Error::ToolsFailed(calls) => {
                let calls = match calls {
                    1 => "a tool call".to_owned(),
                    calls => format!("{calls} tool calls"),
                };
                Failure::new(
                    Outcome::Failed,
                    format!("{calls} failed, and --fail-on tool-error is set"),
                )
                .hint("the answer is complete; without -q, standard error shows how each call ended")
            }
            Error::Stop(stop) => failure::of_stop(&stop, used),
        }
    }
}

/// A last message that could not be written to its file.
fn of_last_message(error: &last_message::Error) -> Failure {
    use last_message::Error;
    const FLAG: &str = "named by --output-last-message";
    match error {
        Error::Unwritable(path, error) => Failure::new(
            Outcome::Io,
            format!("cannot write {}, {FLAG}: {error}", path.display()),
        )
        .hint("choose a file in a directory that you can write to and that tools do not remove")
        .because_of(error),
        Error::OwnHome(path) => Failure::usage(format!(
            "cannot write {}, {FLAG}: it is in the directory of codex-run's own files",
            path.display()
        ))
        .hint("name a file elsewhere; if it is a link, check where it points"),
        Error::LeadsOut(named, found) => Failure::usage(format!(
            "cannot write {}, {FLAG}: it resolves to {}, through a directory that tools can change",
            named.display(),
            found.display()
        ))
        .hint(format!(
            "if that is what you want, name {} itself",
            found.display()
        )),
        Error::Misplaced(named, found) => Failure::new(
            Outcome::Io,
            format!(
                "the last message is in {}, and {}, {FLAG}, no longer resolves to it",
                found.display(),
                named.display()
            ),
        )
        .hint(
            "a tool or another program replaced a directory or a link in that path during the run",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::table::check_rows;

    #[test]
    fn messages_and_hints_of_a_run() {
        let last = |name: &str| PathBuf::from(name);
        let full = || io::ErrorKind::StorageFull.into();
        let parts = vec![("the prompt".to_owned(), 290_000)];
        let stop = Stop::TooLong {
            tokens: 300_000,
            window: 272_000,
        };
        let rows = [
            Error::LateInput,
            Error::BetweenTurns(Box::new(Error::NoTurn)),
            Error::UnusableLines(1),
            Error::UnusableLines(3),
            Error::Input(io::ErrorKind::BrokenPipe.into()),
            Error::Sandbox(confine::Error::Unavailable),
            Error::Server(
                Box::new(server_notes::tests::unstarted("npx x", "--mcp npx x", true)),
                false,
            ),
            Error::Server(
                Box::new(server_notes::tests::unstarted("x", "mcp.json:2:9", false)),
                true,
            ),
            Error::NoHome,
            Error::Schema(Unmatched {
                at: "/name".to_owned(),
                why: "it is not a string".to_owned(),
            }),
            Error::TooLong(stop, parts),
            Error::ToolsFailed(1),
            Error::ToolsFailed(3),
            Error::LastMessage(last_message::Error::Unwritable(last("a.txt"), full())),
            Error::LastMessage(last_message::Error::OwnHome(last("a.txt"))),
            Error::LastMessage(last_message::Error::LeadsOut(last("a.txt"), last("/b.txt"))),
            Error::LastMessage(last_message::Error::Misplaced(
                last("a.txt"),
                last("/b.txt"),
            )),
        ];
        check_rows("codex run", &rows.map(|error| error.failure(None)));
    }
}
