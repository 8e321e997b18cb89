//! A chat on a pseudo terminal: what is typed, what an emulator of a terminal shows, and that the terminal is afterwards what it
//! was. Standard output gets nothing.

use std::process::{Child, Stdio};
use std::time::Duration;

use crate::command_output::CommandOutput;
use crate::emulator::Emulator;
use crate::home::{Cmd, Home, until, wait};
use crate::pty::Terminal;
use crate::standin::{Recorded, Server};

pub(crate) const ESCAPE: &str = "\u{1b}";
const COLUMNS: u16 = 80;
const ROWS: u16 = 24;

/// A chat that runs.
pub(crate) struct Chat {
    pub(crate) terminal: Terminal,
    pub(crate) child: Child,
    pub(crate) emulator: Emulator,
    fed: usize,
    pub(crate) modes: String,
    pub(crate) said: String,
}

impl Chat {
    /// Starts it on a terminal of its own, with this program before it, if any.
    pub(crate) fn start(cmd: Cmd, script: Option<&str>) -> Self {
        let terminal = Terminal::open();
        terminal.resize(COLUMNS, ROWS);
        let modes = terminal.modes();
        let said = format!("{:?}", cmd.command);
        let cmd = match script {
            Some(script) => cmd.within("setsid", ["--ctty", "sh", "-c", script]),
            None => cmd.within("setsid", ["--ctty"]),
        };
        let mut cmd = cmd.stdin(terminal.line());
        cmd.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = cmd.command.spawn().expect("it starts");
        let emulator = Emulator::new(usize::from(COLUMNS), usize::from(ROWS));
        let mut chat = Self {
            terminal,
            child,
            emulator,
            fed: 0,
            modes,
            said,
        };
        chat.shows("network");
        chat
    }

    pub(crate) fn types(&self, keys: &str) {
        self.terminal.types(keys);
    }

    /// Types a question and sends it. Enter is pressed alone: text and a line end at once are a paste.
    #[track_caller]
    pub(crate) fn enters(&mut self, question: &str) {
        self.types(question);
        let shown = format!("› {question}");
        self.shows(&shown);
        self.types("\r");
        self.waits("it is taken", |screen| !screen.contains(&shown));
    }

    /// What is on the screen now.
    pub(crate) fn screen(&mut self) -> String {
        let bytes = self.terminal.written(self.fed);
        self.fed += bytes.len();
        self.emulator.feed(&bytes);
        assert_eq!(self.emulator.unknown, [""; 0]);
        self.emulator.text()
    }

    /// Waits until this is on the screen, which is returned.
    #[track_caller]
    pub(crate) fn shows(&mut self, words: &str) -> String {
        self.waits(words, |screen| screen.contains(words))
    }

    #[track_caller]
    pub(crate) fn waits(&mut self, what: &str, so: impl Fn(&str) -> bool) -> String {
        let begun = std::time::Instant::now();
        loop {
            let screen = self.screen();
            if so(&screen) {
                return screen;
            }
            let ended = self.child.try_wait().expect("a child");
            assert!(
                ended.is_none() && begun.elapsed() <= Duration::from_secs(30),
                "{}: {what:?} is never shown ({ended:?}):\n{screen}",
                self.said
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.screen();
        self.emulator
            .resize(usize::from(columns), usize::from(rows));
        self.terminal.resize(columns, rows);
    }

    pub(crate) fn signal(&self, signal: i32) {
        crate::home::signal_process(self.child.id(), signal).expect("it runs");
    }

    /// Waits for its end, with the terminal as it was before.
    #[track_caller]
    pub(crate) fn ends(self) -> CommandOutput {
        self.ends_over("")
    }

    /// The same on a terminal on which this was shown before.
    #[track_caller]
    pub(crate) fn ends_over(mut self, before: &str) -> CommandOutput {
        let ran = wait(&mut self.child, self.said.clone());
        // What was written last may still be on its way.
        until("the other screen is left", || {
            self.screen();
            !self.emulator.on_alternate_screen()
        });
        assert!(self.emulator.has_default_look() && self.emulator.cursor().is_some());
        assert!(!self.emulator.mode(2004) && self.emulator.mode(7));
        assert_eq!(self.terminal.modes(), self.modes);
        assert_eq!(self.emulator.text().trim(), before, "{}", ran.stderr);
        ran.stdout("");
        ran
    }

    /// Leaves it.
    #[track_caller]
    pub(crate) fn leaves(self) -> CommandOutput {
        self.types("\u{4}");
        self.ends()
    }
}

pub(crate) fn home() -> Home {
    Home::with_key().env("TERM", "xterm").env("LANG", "C.UTF-8")
}

pub(crate) fn chat<const N: usize>(home: &Home, server: &Server, args: [&str; N]) -> Chat {
    let cmd = home
        .codex(server)
        .args(["chat", "-s", "danger-full-access"]);
    Chat::start(cmd.args(args), None)
}

/// The texts of the user's messages in a request.
pub(crate) fn messages(request: &Recorded) -> Vec<String> {
    let body = request.json();
    let items = body["input"].as_array().expect("items").iter();
    let items = items.filter(|item| item["role"] == "user");
    let texts = items.map(|item| {
        item["content"][0]["text"]
            .as_str()
            .expect("a text")
            .to_owned()
    });
    texts.collect()
}
