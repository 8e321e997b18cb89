//! The result of a call of a tool: facts with names. They become words at the end: the text for the model here, the line
//! on standard error and the JSON lines where `output` writes them.

use std::fmt::Write as _;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallResult {
    /// How the call ended.
    pub status: Status,
    /// What the program printed, or what the tool says, without what was cut out of it.
    pub output: String,
    /// The cuts, in the order of their places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<Cut>,
    /// Present where a program ran of which the end is reported; `output` is then what that program printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<Footer>,
    /// Which rules of the sandbox may be behind the end of the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox_note: Option<String>,
    /// What the model can do about the end of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// A picture for the model, as a data URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The tool did what it was asked to.
    Done,
    /// The program ended with this exit code.
    Exited(i32),
    /// This signal ended the program.
    Signalled(i32),
    /// The call took longer than it may.
    TimedOut {
        /// Its time limit.
        limit: Duration,
    },
    /// The call was ended from outside.
    Stopped,
    /// The sandbox refused it.
    Denied,
    /// The arguments are not those of the tool.
    BadArguments,
    /// The call could not be started.
    NotRun,
    /// No such tool was offered.
    UnknownTool,
    /// The tool did not do what it was asked to; `output` says why.
    Failed,
}

/// A part of the output that is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// The place in `output`, in bytes.
    pub at: usize,
    /// The length of the part, in bytes as they were printed.
    pub left_out: u64,
    /// The length of what was printed, in bytes.
    pub of: u64,
    /// Where it can be read.
    pub kept: KeptOutput,
}

/// Where output can be read that is not in a result. Files are named in the temporary directory of the tools, which is
/// another one in every run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptOutput {
    /// All of it.
    Whole {
        /// The name of the file.
        file: String,
    },
    /// Its beginning.
    Beginning {
        /// The name of the file.
        file: String,
        /// The length of the beginning, in bytes.
        bytes: u64,
    },
    /// It could not be kept.
    Nowhere {
        /// The error.
        because: String,
    },
}

/// What is reported of a program beside its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footer {
    /// How long the program ran.
    pub took: Duration,
}

/// Whether a text says how long programs ran. The model is not shown that: its requests would differ from run to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durations {
    /// They are left out.
    Hidden,
    /// They stand beside the exit code, in seconds.
    Shown,
}

impl Status {
    /// Whether the tool did what it was asked to.
    #[must_use]
    pub fn is_ok(self) -> bool {
        matches!(self, Self::Done | Self::Exited(0))
    }
}

impl KeptOutput {
    /// The path of a kept file, as the model and its commands can name it.
    #[must_use]
    pub fn path(file: &str) -> String {
        format!("$TMPDIR/{file}")
    }
}

impl CallResult {
    /// A result with this status, in which the tool says this.
    #[must_use]
    pub fn new(status: Status, output: impl Into<String>) -> Self {
        Self {
            status,
            output: output.into(),
            cuts: Vec::new(),
            footer: None,
            sandbox_note: None,
            advice: None,
            image: None,
        }
    }

    /// The result of a tool that did what it was asked to.
    #[must_use]
    pub fn done(output: impl Into<String>) -> Self {
        Self::new(Status::Done, output)
    }

    /// The result of a tool that did not, for this reason.
    #[must_use]
    pub fn failed(output: impl Into<String>) -> Self {
        Self::new(Status::Failed, output)
    }

    /// The text for the model. Equal calls with equal effects have equal texts.
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

    /// How it ended, where the output does not say so itself.
    fn end(&self, durations: Durations) -> Option<String> {
        let took = self.footer.filter(|_| durations == Durations::Shown);
        let took = took.map(|footer| format!("{:.1} s", footer.took.as_secs_f64()));
        let beside = |end: String| match &took {
            Some(took) => format!("{end}, {took}"),
            None => end,
        };
        match self.status {
            Status::TimedOut { limit } => {
                let with = match self.footer {
                    Some(_) => ", with all it had started",
                    None => "",
                };
                let limit = limit.as_secs_f64();
                Some(format!("ended after {limit} s, its time limit{with}"))
            }
            Status::Stopped => Some(match &took {
                Some(took) => format!("ended from outside after {took}"),
                None => "ended from outside".to_owned(),
            }),
            Status::Exited(code) if self.footer.is_some() => {
                Some(beside(format!("exit code {code}")))
            }
            Status::Signalled(signal) if self.footer.is_some() => {
                Some(beside(format!("killed by signal {signal}")))
            }
            _ => None,
        }
    }
}

/// The line that stands in the place of a cut.
fn cut_line(cut: &Cut) -> String {
    let place = match &cut.kept {
        KeptOutput::Whole { file } => format!("all of it is in {}", KeptOutput::path(file)),
        KeptOutput::Beginning { file, bytes } => {
            format!(
                "its first {} MiB are in {}",
                bytes >> 20,
                KeptOutput::path(file)
            )
        }
        KeptOutput::Nowhere { because } => format!("it could not be kept in a file: {because}"),
    };
    let (left_out, of) = (cut.left_out, cut.of);
    format!("[{left_out} of {of} bytes are left out here; {place}]")
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
    fn the_text_says_how_a_program_ended_and_for_people_how_long_it_ran() {
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
            "a\n[ended from outside]",
            "a\n[ended from outside after 1.2 s]",
        );
        let late = "[ended after 1.5 s, its time limit, with all it had started]";
        check(ran(Status::TimedOut { limit }, ""), late, late);
        let late = CallResult {
            advice: Some("narrow it down".to_owned()),
            ..CallResult::new(Status::TimedOut { limit }, "a\n")
        };
        let text = "a\n[ended after 1.5 s, its time limit]\n[narrow it down]";
        check(late, text, text);
        // A tool that is no program says all there is to say.
        check(CallResult::new(Status::Exited(0), "hi"), "hi", "hi");
        check(CallResult::done("hi"), "hi", "hi");
        check(CallResult::failed("no"), "no", "no");
    }

    #[test]
    fn cuts_and_notes_stand_in_their_places() {
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
                        because: "no space".to_owned(),
                    },
                ),
            ],
            sandbox_note: Some("this may be the sandbox".to_owned()),
            ..ran(Status::Exited(1), "abc")
        };
        let text = "a\n[7 of 99 bytes are left out here; all of it is in $TMPDIR/output-3.txt]\nb\n\
             [7 of 99 bytes are left out here; its first 64 MiB are in $TMPDIR/output-3.txt]\nc\n\
             [7 of 99 bytes are left out here; it could not be kept in a file: no space]\n\
             [exit code 1]\n[this may be the sandbox]";
        assert_eq!(result.for_model(), text);
    }

    #[test]
    fn a_result_is_read_back_as_it_was_written_and_never_read_out_of_its_text() {
        let result = CallResult {
            cuts: vec![Cut {
                at: 1,
                left_out: 1,
                of: 2,
                kept: KeptOutput::Whole {
                    file: "x".to_owned(),
                },
            }],
            image: Some("data:".to_owned()),
            ..ran(
                Status::TimedOut {
                    limit: Duration::from_secs(1),
                },
                "[12 of 3456 bytes are left out here; x]\n[exit code 7, 9.9 s]",
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
