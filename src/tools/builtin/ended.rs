//! What a program printed and how it ended, as a result.

use std::fmt::Write as _;
use std::time::Duration;

use super::context::Context;
use crate::tools::answer::Answer;
use crate::tools::child::capture::Capture;
use crate::tools::child::supervise::End;
use crate::tools::sandbox::explanation::Failed;

/// A place for what a program prints, of which the model gets so much. The directory is the tool's own, and so is the name in it.
pub(super) fn keep(name: &str, most: usize) -> Capture {
    let path = std::env::temp_dir().join(format!("{name}-{}.txt", std::process::id()));
    Capture::new(path, most)
}

/// What a program printed and how it ended, as an answer.
pub(super) fn ended(
    mut text: String,
    end: &End,
    limit: Duration,
    took: Duration,
    context: &Context<'_>,
) -> Answer {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let took = took.as_secs_f64();
    let code = match end {
        End::Exited(status) => status.exit_status(),
        _ => None,
    };
    let result = match end {
        End::Exited(status) => match (status.exit_status(), status.terminating_signal()) {
            (Some(0), _) => {
                // What failed inside a pipeline shows only in what it printed; a file that speaks of it does not end so.
                let refused = |line: &str| {
                    line.ends_with("ermission denied")
                        || line.ends_with("not permitted")
                        || line.ends_with("(os error 13)")
                };
                let said: String = text.lines().filter(|line| refused(line)).collect();
                let _ = write!(text, "[exit code 0, {took:.1} s]");
                explain(&mut text, &said, code, context);
                return Answer::ok(text);
            }
            (Some(code), _) => {
                let _ = write!(text, "[exit code {code}, {took:.1} s]");
                format!("exit {code}")
            }
            (None, signal) => {
                let signal = signal.unwrap_or_default();
                let _ = write!(text, "[killed by signal {signal}, {took:.1} s]");
                format!("signal {signal}")
            }
        },
        End::Timeout => {
            let limit = limit.as_secs_f64();
            let _ = write!(
                text,
                "[ended after {limit} s, its time limit, with all it had started]"
            );
            "timeout".to_owned()
        }
        End::Unwanted | End::Enough => {
            let _ = write!(text, "[ended from outside after {took:.1} s]");
            "ended".to_owned()
        }
    };
    let said = text.clone();
    explain(&mut text, &said, code, context);
    Answer::not(text, result)
}

/// Adds which rule of the sandbox may be behind what was printed.
fn explain(text: &mut String, output: &str, code: Option<i32>, context: &Context<'_>) {
    let failed = Failed { output, code };
    if let Some(words) = context.walls.and_then(|walls| walls.explain(failed)) {
        text.push('\n');
        text.push_str(&words);
    }
}
