//! The result of a tool call, as facts. They are turned into text last: for the model in this file, for standard error
//! and JSON lines in `output`.

use std::fmt::Write as _;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallResult {
    /// How the call ended.
    pub status: Status,
    /// The program's output or the tool's message, without the parts that were cut out.
    pub output: String,
    /// The cuts, ordered by position.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<Cut>,
    /// Present if a program ran and its end is reported; `output` is then the program's output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<Footer>,
    /// Which rules of the sandbox may have caused the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox_note: Option<String>,
    /// What the model can do about the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// Images for the model, as data URLs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// The answer of an MCP server, as a program reads it.
    #[serde(skip)]
    pub server_content: Option<Box<ServerContent>>,
}

/// The answer of an MCP server to a call. What is too large is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerContent {
    /// Its blocks of content.
    pub content: Option<serde_json::Value>,
    /// Its structured content.
    pub structured: Option<serde_json::Value>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The tool succeeded.
    Done,
    /// The program exited with this code.
    Exited(i32),
    /// This signal ended the program.
    Signalled(i32),
    /// The call exceeded its time limit.
    TimedOut {
        /// The time limit.
        limit: Duration,
    },
    /// The call was stopped from outside.
    Stopped,
    /// The sandbox denied it.
    Denied,
    /// The arguments do not fit the tool.
    BadArguments,
    /// The call could not be started.
    NotRun,
    /// No tool has this name.
    UnknownTool,
    /// The tool failed; `output` says why.
    Failed,
}

/// A part omitted from the output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Position in `output`, in bytes.
    pub at: usize,
    /// Length of the part, in bytes of the original output.
    pub left_out: u64,
    /// Length of the whole original output, in bytes.
    pub of: u64,
    /// Where the full output is kept.
    pub kept: KeptOutput,
}

/// Where the full output is kept. Files are relative to the tools' temporary directory, which differs for
/// each run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptOutput {
    /// The file contains the full output.
    Whole {
        /// The file's name.
        file: String,
    },
    /// The file has only the beginning.
    Beginning {
        /// The file's name.
        file: String,
        /// Length of the beginning, in bytes.
        bytes: u64,
    },
    /// It could not be saved.
    Nowhere {
        /// The error.
        reason: String,
    },
}

/// Facts about a program besides its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footer {
    /// How long the program ran.
    pub took: Duration,
}

/// Whether text includes how long programs ran. Text for the model does not, or its requests would differ from run to
/// run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durations {
    /// Without durations.
    Hidden,
    /// With durations in seconds, next to the exit code.
    Shown,
}

impl Status {
    /// Whether the call succeeded.
    #[must_use]
    pub fn is_ok(self) -> bool {
        matches!(self, Self::Done | Self::Exited(0))
    }
}

impl KeptOutput {
    /// The path of a kept file, as the model and its commands can use it.
    #[must_use]
    pub fn path(file: &str) -> String {
        format!("$TMPDIR/{file}")
    }
}

impl CallResult {
    /// Creates a result with a status and a message.
    #[must_use]
    pub fn new(status: Status, output: impl Into<String>) -> Self {
        Self {
            status,
            output: output.into(),
            cuts: Vec::new(),
            footer: None,
            sandbox_note: None,
            advice: None,
            images: Vec::new(),
            server_content: None,
        }
    }

    /// Creates the result of a tool that succeeded.
    #[must_use]
    pub fn done(output: impl Into<String>) -> Self {
        Self::new(Status::Done, output)
    }

    /// Creates the result of a tool that failed, with the reason.
    #[must_use]
    pub fn failed(output: impl Into<String>) -> Self {
        Self::new(Status::Failed, output)
    }

    /// The text for the model. Equal calls with equal effects give equal text.
    #[must_use]
    pub fn for_model(&self) -> String {
        self.text(Durations::Hidden)
    }

    /// The result as text: the output with a line for each cut, then how it ended.
    #[must_use]
    pub fn text(&self, durations: Durations) -> String {
        let mut text = String::with_capacity(self.output.len());
        let mut from = 0;
        for cut in &self.cuts {
            text.push_str(self.output.get(from..cut.at).unwrap_or_default());
            let _ = write!(text, "\n{}\n", cut_line(cut));
            from = cut.at;
        }
        text.push_str(self.output.get(from..).unwrap_or_default());
        let end = self.end(durations).map(|end| format!("[{end}]"));
        let note = self.sandbox_note.as_ref().map(|note| format!("[{note}]"));
        let advice = self.advice.as_ref().map(|advice| format!("[{advice}]"));
        let lines: Vec<String> = [end, note, advice].into_iter().flatten().collect();
        if !lines.is_empty() && !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&lines.join("\n"));
        text
    }

    /// How it ended, unless the output already says that.
    fn end(&self, durations: Durations) -> Option<String> {
        let took = self.footer.filter(|_| durations == Durations::Shown);
        let took = took.map(|footer| format!("{:.1} s", footer.took.as_secs_f64()));
        let with_time = |end: String| match &took {
            Some(took) => format!("{end}, {took}"),
            None => end,
        };
        match self.status {
            Status::TimedOut { limit } => {
                let with = match self.footer {
                    Some(_) => "; all its processes were terminated",
                    None => "",
                };
                let limit = limit.as_secs_f64();
                Some(format!("timed out after {limit} s{with}"))
            }
            Status::Stopped => Some(match &took {
                Some(took) => format!("interrupted after {took}"),
                None => "interrupted".to_owned(),
            }),
            Status::Exited(code) if self.footer.is_some() => {
                Some(with_time(format!("exit code {code}")))
            }
            Status::Signalled(signal) if self.footer.is_some() => {
                Some(with_time(format!("killed by signal {signal}")))
            }
            _ => None,
        }
    }
}

/// The line that replaces a cut.
fn cut_line(cut: &Cut) -> String {
    let place = match &cut.kept {
        KeptOutput::Whole { file } => format!("the full output is in {}", KeptOutput::path(file)),
        KeptOutput::Beginning { file, bytes } => {
            format!(
                "the first {} MiB are in {}",
                bytes >> 20,
                KeptOutput::path(file)
            )
        }
        KeptOutput::Nowhere { reason } => format!("the full output could not be saved: {reason}"),
    };
    let (left_out, of) = (cut.left_out, cut.of);
    format!("[{left_out} of {of} bytes omitted; {place}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(status: Status, output: &str) -> CallResult {
        CallResult {
            footer: Some(Footer {
                took: Duration::from_millis(1240),
            }),
            ..CallResult::new(status, output)
        }
    }

    #[test]
    fn the_text_has_the_exit_status_and_for_people_the_duration() {
        let check = |result: CallResult, model: &str, people: &str| {
            assert_eq!(result.for_model(), model);
            assert_eq!(result.text(Durations::Shown), people);
        };
        let limit = Duration::from_millis(1500);
        check(
            ran(Status::Exited(0), "hi"),
            "hi\n[exit code 0]",
            "hi\n[exit code 0, 1.2 s]",
        );
        check(
            ran(Status::Signalled(9), ""),
            "[killed by signal 9]",
            "[killed by signal 9, 1.2 s]",
        );
        check(
            ran(Status::Stopped, "a\n"),
            "a\n[interrupted]",
            "a\n[interrupted after 1.2 s]",
        );
        let late = "[timed out after 1.5 s; all its processes were terminated]";
        check(ran(Status::TimedOut { limit }, ""), late, late);
        let late = CallResult {
            advice: Some("narrow it down".to_owned()),
            ..CallResult::new(Status::TimedOut { limit }, "a\n")
        };
        let text = "a\n[timed out after 1.5 s]\n[narrow it down]";
        check(late, text, text);
        // A tool that is not a program has no more to report.
        check(CallResult::new(Status::Exited(0), "hi"), "hi", "hi");
        check(CallResult::done("hi"), "hi", "hi");
        check(CallResult::failed("no"), "no", "no");
    }

    #[test]
    fn cuts_and_notes_are_placed_correctly() {
        let cut = |at, kept| Cut {
            at,
            left_out: 7,
            of: 99,
            kept,
        };
        let file = || "output-3.txt".to_owned();
        let result = CallResult {
            cuts: vec![
                cut(1, KeptOutput::Whole { file: file() }),
                cut(
                    2,
                    KeptOutput::Beginning {
                        file: file(),
                        bytes: 64 << 20,
                    },
                ),
                cut(
                    3,
                    KeptOutput::Nowhere {
                        reason: "no space".to_owned(),
                    },
                ),
            ],
            sandbox_note: Some("this may be the sandbox".to_owned()),
            ..ran(Status::Exited(1), "abc")
        };
        let text = "a\n[7 of 99 bytes omitted; the full output is in $TMPDIR/output-3.txt]\nb\n\
             [7 of 99 bytes omitted; the first 64 MiB are in $TMPDIR/output-3.txt]\nc\n\
             [7 of 99 bytes omitted; the full output could not be saved: no space]\n\
             [exit code 1]\n[this may be the sandbox]";
        assert_eq!(result.for_model(), text);
    }

    #[test]
    fn a_result_round_trips_and_is_never_parsed_from_its_text() {
        let result = CallResult {
            cuts: vec![Cut {
                at: 1,
                left_out: 1,
                of: 2,
                kept: KeptOutput::Whole {
                    file: "x".to_owned(),
                },
            }],
            images: vec!["data:".to_owned()],
            ..ran(
                Status::TimedOut {
                    limit: Duration::from_secs(1),
                },
                "[12 of 3456 bytes omitted; x]\n[exit code 7, 9.9 s]",
            )
        };
        let json = serde_json::to_string(&result).expect("JSON");
        assert_eq!(serde_json::from_str::<CallResult>(&json).ok(), Some(result));
        for status in [
            Status::Done,
            Status::Exited(7),
            Status::Signalled(9),
            Status::Stopped,
            Status::Denied,
            Status::UnknownTool,
        ] {
            let result = CallResult::new(status, "x");
            let json = serde_json::to_string(&result).expect("JSON");
            assert_eq!(serde_json::from_str::<CallResult>(&json).ok(), Some(result));
        }
    }
}
