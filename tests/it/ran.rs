//! What a command did, and what a test wants of it. A failing check prints the command and both of its streams.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use serde_json::Value;

use crate::home::KEY;
use crate::lines;

/// What a command did.
pub(crate) struct Ran {
    pub(crate) said: String,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ran {
    /// Also checks what holds for every run: no key and no token is shown, and no panic; and the
    /// JSON lines, where it prints some, are those of the schema.
    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "{}", self.told());
        self.lines_fit();
        let text = self.text();
        // The address to sign in at is full of random letters, among which anything may turn up.
        let told = self
            .stderr
            .lines()
            .filter(|line| !line.contains("/oauth/authorize?"));
        let told: String = told.map(|line| format!("{line}\n")).collect();
        for shown in [&*text, &*told] {
            assert!(
                !shown.contains(KEY) && !shown.contains("eyJ") && !shown.contains("rt_"),
                "a secret is shown: {}",
                self.told()
            );
            assert!(!shown.contains("panicked"), "{}", self.told());
        }
        self
    }

    #[track_caller]
    pub(crate) fn ends_by(&self, signal: i32) -> &Self {
        assert_eq!(self.status.signal(), Some(signal), "{}", self.told());
        self.lines_fit();
        self
    }

    /// Checks what holds for the JSON lines of every run.
    #[track_caller]
    fn lines_fit(&self) {
        let wrong = lines::wrong(self);
        assert_eq!(wrong, None, "{}", self.told());
    }

    /// Every JSON line.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(serde_json::from_str);
        lines
            .collect::<Result<_, _>>()
            .unwrap_or_else(|error| panic!("{error}: {}", self.told()))
    }

    #[track_caller]
    pub(crate) fn stdout(&self, expected: &str) -> &Self {
        assert_eq!(self.text(), expected, "{}", self.told());
        self
    }

    #[track_caller]
    pub(crate) fn stderr(&self, expected: &str) -> &Self {
        assert_eq!(self.stderr, expected, "{}", self.told());
        self
    }

    #[track_caller]
    pub(crate) fn says(&self, words: &str) -> &Self {
        assert!(
            self.stderr.contains(words),
            "not said: {words}\n{}",
            self.told()
        );
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    fn told(&self) -> String {
        let Self {
            said,
            status,
            stderr,
            ..
        } = self;
        format!(
            "\n$ {said}\n{status}\n--- stdout\n{}\n--- stderr\n{stderr}",
            self.text()
        )
    }
}
