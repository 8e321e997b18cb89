//! Builds the result of a call that ran a program.

use std::time::{Duration, Instant};

use super::context::Context;
use crate::result::{CallResult, Cut, Footer, Status};
use crate::tools::child::capture::Capture;
use crate::tools::child::supervise::End;
use crate::tools::sandbox::failure_note::FailedCommand;

/// A program's start time and time limit.
#[derive(Clone, Copy)]
pub(super) struct Started {
    pub(super) at: Instant,
    pub(super) limit: Duration,
}

impl Started {
    pub(super) fn now(limit: Duration) -> Self {
        let at = Instant::now();
        Self { at, limit }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.at + self.limit
    }
}

/// Captures a program's output in the tools' temporary directory; the model gets at most `most` bytes.
pub(super) fn capture(name: &str, most: usize, context: &Context<'_>) -> Capture {
    let name = format!("{name}-{}.txt", context.number);
    Capture::new(std::env::temp_dir(), name, most)
}

/// The result of a program with this output, these cuts and this end.
pub(super) fn program_result(
    output: String,
    cuts: Vec<Cut>,
    end: &End,
    started: Started,
    context: &Context<'_>,
) -> CallResult {
    let status = match end {
        End::Exited(status) => match status.exit_status() {
            Some(code) => Status::Exited(code),
            None => Status::Signalled(status.terminating_signal().unwrap_or_default()),
        },
        End::Timeout => Status::TimedOut {
            limit: started.limit,
        },
        End::Unwanted | End::Enough => Status::Stopped,
    };
    let sandbox_note = sandbox_note_of(&output, status, context);
    CallResult {
        cuts,
        footer: Some(Footer {
            took: started.at.elapsed(),
        }),
        sandbox_note,
        ..CallResult::new(status, output)
    }
}

/// The sandbox rules that may have caused the failure.
fn sandbox_note_of(output: &str, status: Status, context: &Context<'_>) -> Option<String> {
    let policy = context.policy?;
    let code = match status {
        Status::Exited(code) => Some(code),
        _ => None,
    };
    if code != Some(0) {
        return policy.explain(FailedCommand { output, code });
    }
    let refusals: Vec<&str> = output.lines().filter(|line| is_refusal(line)).collect();
    let output = &refusals.join("\n");
    policy.explain(FailedCommand { output, code })
}

/// Whether a line looks like a program's report that something was refused, inside a command that succeeded as a
/// whole, such as a pipeline: the program's name and what it was working on come before the reason. Text from a file
/// or an `echo` that merely mentions such a reason does not count.
fn is_refusal(line: &str) -> bool {
    let reasons = [
        "Permission denied",
        "permission denied",
        "Operation not permitted",
        "operation not permitted",
        "Permission denied (os error 13)",
    ];
    let before = reasons.iter().find_map(|reason| line.strip_suffix(reason));
    before.is_some_and(|before| {
        before.len() > 2 && (before.ends_with(": ") || before.ends_with(" - "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_inside_a_successful_command_names_its_program() {
        let check = |line: &str, expected: bool| assert_eq!(is_refusal(line), expected, "{line}");
        check("touch: cannot touch '/etc/x': Permission denied", true);
        check("sh: 1: cannot create /etc/x: permission denied", true);
        check("Error: Permission denied (os error 13)", true);
        check("kill: (1) - Operation not permitted", true);
        check(
            "chown: changing ownership of 'x': Operation not permitted",
            true,
        );
        check("Permission denied", false);
        check(": Permission denied", false);
        check("grep says that permission denied is common", false);
        check("what it said was permission denied", false);
    }
}
