//! The output and exit status of a command, and checks of both. A failing check prints the command and both streams.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use serde_json::Value;

use crate::home::KEY;
use crate::lines;

/// The output of a command.
pub(crate) struct CommandOutput {
    pub(crate) command: String,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl CommandOutput {
    /// Checks the exit code, and what holds for every run: no key, no token and no panic is shown, and JSON lines, if there
    /// are any, match the schema.
    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "{}", self.report());
        self.check_json_lines();
        let text = self.text();
        // The sign-in address contains random letters that may happen to look like a secret.
        let shown = self
            .stderr
            .lines()
            .filter(|line| !line.contains("/oauth/authorize?"));
        let shown: String = shown.map(|line| format!("{line}\n")).collect();
        for text in [&*text, &*shown] {
            assert!(
                !text.contains(KEY) && !text.contains("eyJ") && !text.contains("rt_"),
                "a secret is shown: {}",
                self.report()
            );
            assert!(!text.contains("panicked"), "{}", self.report());
        }
        self
    }

    #[track_caller]
    pub(crate) fn ends_by(&self, signal: i32) -> &Self {
        assert_eq!(self.status.signal(), Some(signal), "{}", self.report());
        self.check_json_lines();
        self
    }

    /// Checks what holds for the JSON lines of every run.
    #[track_caller]
    fn check_json_lines(&self) {
        let wrong = lines::wrong(self);
        assert_eq!(wrong, None, "{}", self.report());
    }

    /// Every JSON line.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(serde_json::from_str);
        lines
            .collect::<Result<_, _>>()
            .unwrap_or_else(|error| panic!("{error}: {}", self.report()))
    }

    #[track_caller]
    pub(crate) fn stdout(&self, expected: &str) -> &Self {
        assert_eq!(self.text(), expected, "{}", self.report());
        self
    }

    #[track_caller]
    pub(crate) fn stderr(&self, expected: &str) -> &Self {
        assert_eq!(self.stderr, expected, "{}", self.report());
        self
    }

    #[track_caller]
    pub(crate) fn says(&self, words: &str) -> &Self {
        assert!(
            self.stderr.contains(words),
            "missing: {words}\n{}",
            self.report()
        );
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    fn report(&self) -> String {
        let Self {
            command,
            status,
            stderr,
            ..
        } = self;
        format!(
            "\n$ {command}\n{status}\n--- stdout\n{}\n--- stderr\n{stderr}",
            self.text()
        )
    }
}
