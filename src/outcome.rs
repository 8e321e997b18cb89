//! How a run ended. One table gives each outcome its exit code, its word in JSON, when it happens and how a script
//! should respond; `codex help exit-codes` prints it.

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The response is complete, and its whole text was delivered.
    Answered,
    /// The model or the service refused this task.
    Failed,
    /// The command line, a file it names, or the prompt is wrong.
    Usage,
    /// Not signed in, or the service refused the credential.
    SignIn,
    /// The credential is valid but not allowed to do this.
    Forbidden,
    /// The plan's usage limit, quota or credits are used up.
    UsageLimit,
    /// The service could not be reached or did not respond.
    Unreachable,
    /// The text is partial or empty.
    Incomplete,
    /// A budget of the run is used up.
    Budget,
    /// The final text does not match the requested schema.
    Schema,
    /// A bug in this program.
    Bug,
    /// Standard output or a file could not be written.
    Io,
    /// The `--timeout` expired.
    Timeout,
    /// Stopped by SIGHUP.
    Hangup,
    /// Stopped by SIGINT.
    Interrupted,
    /// Stopped by SIGTERM.
    Terminated,
    /// The reader of standard output closed it.
    Closed,
}

/// A row of the table of exit codes.
pub struct Row {
    /// The outcome.
    pub outcome: Outcome,
    /// The exit code of the process.
    pub code: u8,
    /// The outcome's name in JSON; empty for success.
    pub word: &'static str,
    /// When it happens.
    pub when: &'static str,
    /// How a script should respond.
    pub advice: &'static str,
}

impl Row {
    /// When it happens and how a script should respond, in one line.
    #[must_use]
    pub fn words(&self) -> String {
        match self.advice {
            "" => self.when.to_owned(),
            advice => format!("{} -> {advice}", self.when),
        }
    }
}

/// All outcomes, ordered by exit code. The codes are an interface and do not change.
pub const TABLE: &[Row] = &[
    row(Outcome::Answered, 0, "", "answered", "continue"),
    row(
        Outcome::Failed,
        1,
        "failed",
        "model error, policy, refusal, context too long, an unsupported item, --fail-on, 4xx not named below",
        "change the task",
    ),
    row(
        Outcome::Usage,
        2,
        "usage",
        "flags, files, configuration, prompt, no sandbox",
        "fix the command",
    ),
    row(
        Outcome::SignIn,
        4,
        "sign_in",
        "not signed in; sign-in expired, revoked or refused (as in gh)",
        "sign in again",
    ),
    row(
        Outcome::Forbidden,
        5,
        "forbidden",
        "403, model not on this plan or not found, workspace policy",
        "change model or account",
    ),
    row(
        Outcome::UsageLimit,
        6,
        "usage_limit",
        "plan window, quota or credits used up; retry_at",
        "wait until then",
    ),
    row(
        Outcome::Unreachable,
        7,
        "unreachable",
        "DNS, connect, TLS, proxy, 5xx, rate limit after all retries; the lock of the sign-in held for 130 s",
        "retry later",
    ),
    row(
        Outcome::Incomplete,
        8,
        "incomplete",
        "stream lost despite retries, output cap, content filter, empty answer; text is partial",
        "retry, or raise the cap",
    ),
    row(
        Outcome::Budget,
        9,
        "budget",
        "a budget of the run is used up",
        "raise it, or --resume",
    ),
    row(
        Outcome::Schema,
        10,
        "schema",
        "the final text does not match --output-schema",
        "retry",
    ),
    row(
        Outcome::Bug,
        70,
        "bug",
        "a panic; asks for a report (never 101)",
        "report",
    ),
    row(
        Outcome::Io,
        74,
        "io",
        "disk full, output closed at the start, file not writable",
        "fix the machine",
    ),
    row(
        Outcome::Timeout,
        124,
        "timeout",
        "--timeout",
        "raise it, or --resume",
    ),
    row(Outcome::Hangup, 129, "hangup", "by SIGHUP", ""),
    row(Outcome::Interrupted, 130, "interrupted", "by SIGINT", ""),
    row(
        Outcome::Closed,
        141,
        "closed",
        "the reader closed standard output",
        "",
    ),
    row(Outcome::Terminated, 143, "terminated", "by SIGTERM", ""),
];

const fn row(
    outcome: Outcome,
    code: u8,
    word: &'static str,
    when: &'static str,
    advice: &'static str,
) -> Row {
    Row {
        outcome,
        code,
        word,
        when,
        advice,
    }
}

impl Outcome {
    /// The exit code of the process for this outcome.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        self.row().code
    }

    fn row(self) -> &'static Row {
        TABLE
            .iter()
            .find(|row| row.outcome == self)
            .unwrap_or(&TABLE[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_words_are_unique_and_no_row_is_missing() {
        for (i, row) in TABLE.iter().enumerate() {
            assert!(
                TABLE[..i]
                    .iter()
                    .all(|other| other.code < row.code && other.word != row.word)
            );
            assert_eq!(row.outcome.exit_code(), row.code);
        }
        // The last variant's discriminant gives the number of variants.
        assert_eq!(TABLE.len(), Outcome::Closed as usize + 1);
        assert!(
            TABLE.iter().all(|row| row.code != 101),
            "101 is the exit code of a Rust panic"
        );
    }
}
