//! `codex chat` on a pseudo terminal: what is typed, what an emulator of a terminal shows, and that the terminal is afterwards what
//! it was. Standard output gets nothing in any of them.

use std::process::{Child, Stdio};
use std::time::Duration;

use crate::emulator::Emulator;
use crate::ends::{TERM, calls};
use crate::home::{Cmd, Home, Ran, until, wait};
use crate::needs::{Need, lacks};
use crate::pty::Terminal;
use crate::standin::{Reply, Server};

/// The answer of a terminal that marks pastes: without it, text that arrives at once is taken for one.
const MARKS_PASTES: &str = "\u{1b}[?2004;1$y";

const ESCAPE: &str = "\u{1b}";
const COLUMNS: u16 = 80;
const ROWS: u16 = 24;

/// A chat that runs.
struct Chat {
    terminal: Terminal,
    child: Child,
    emulator: Emulator,
    fed: usize,
    modes: String,
    said: String,
}

impl Chat {
    /// Starts it on a terminal of its own, with this program before it, if any.
    fn start(cmd: Cmd, script: Option<&str>) -> Self {
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
        chat.types(MARKS_PASTES);
        chat
    }

    fn types(&self, keys: &str) {
        self.terminal.types(keys);
    }

    /// What is on the screen now.
    fn screen(&mut self) -> String {
        let bytes = self.terminal.written(self.fed);
        self.fed += bytes.len();
        self.emulator.feed(&bytes);
        assert_eq!(self.emulator.unknown, [""; 0]);
        self.emulator.text()
    }

    /// Waits until this is on the screen, which is returned.
    #[track_caller]
    fn shows(&mut self, words: &str) -> String {
        self.waits(words, |screen| screen.contains(words))
    }

    #[track_caller]
    fn waits(&mut self, what: &str, so: impl Fn(&str) -> bool) -> String {
        let begun = std::time::Instant::now();
        loop {
            let screen = self.screen();
            if so(&screen) {
                return screen;
            }
            let ended = self.child.try_wait().expect("a child");
            if ended.is_some() || begun.elapsed() > Duration::from_secs(30) {
                panic!(
                    "{}: {what:?} is never shown ({ended:?}):\n{screen}",
                    self.said
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        self.screen();
        self.emulator
            .resize(usize::from(columns), usize::from(rows));
        self.terminal.resize(columns, rows);
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args([signal, &id])
            .status();
        assert!(sent.is_ok_and(|sent| sent.success()));
    }

    /// Waits for its end, with the terminal as it was before.
    #[track_caller]
    fn ends(mut self) -> Ran {
        let ran = wait(&mut self.child, self.said.clone());
        self.screen();
        assert!(!self.emulator.on_alternate_screen());
        assert!(self.emulator.has_default_look() && self.emulator.cursor().is_some());
        assert!(!self.emulator.mode(2004) && self.emulator.mode(7));
        assert_eq!(self.terminal.modes(), self.modes);
        assert_eq!(self.emulator.text().trim(), "", "{}", ran.stderr);
        ran.stdout("");
        ran
    }

    /// Leaves it.
    #[track_caller]
    fn leaves(self) -> Ran {
        self.types("\u{4}");
        self.ends()
    }
}

fn home() -> Home {
    Home::with_key().env("TERM", "xterm").env("LANG", "C.UTF-8")
}

fn chat<const N: usize>(home: &Home, server: &Server, args: [&str; N]) -> Chat {
    let cmd = home
        .codex(server)
        .args(["chat", "-s", "danger-full-access"]);
    Chat::start(cmd.args(args), None)
}

/// The texts of the user's messages in a request.
fn messages(request: &crate::standin::Recorded) -> Vec<String> {
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

#[test]
fn the_words_are_the_first_question_and_the_answer_streams() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let home = home();
    let slowly = Reply::deltas(4, "word ").event_pause(Duration::from_millis(300));
    let server = Server::start([slowly, Reply::text("**second** answer")]);
    let mut chat = chat(&home, &server, ["say", "words"]);
    chat.shows("> say words");
    let part = chat.shows("word");
    assert!(part.contains("working"), "{part}");
    assert!(!part.contains("word word word word"), "{part}");
    chat.shows("word word word word");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.types("and more\r");
    chat.shows("second answer");
    chat.waits("the end", |screen| !screen.contains("working"));
    let ran = chat.leaves();
    ran.exits(0);
    let id = ran
        .stderr
        .strip_prefix("codex chat --resume ")
        .expect("a line");
    assert_eq!(id.trim_end().len(), 36, "{id:?}");
    let requests = server.requests();
    assert_eq!(messages(&requests[1]), ["say words", "and more"]);

    // The line does what it says, and what was typed comes back.
    server.push(Reply::text("third"));
    let cmd = home
        .codex(&server)
        .args(["chat", "--resume", id.trim_end()]);
    let mut chat = Chat::start(cmd, None);
    let screen = chat.shows("second answer");
    assert!(screen.contains("> say words"), "{screen}");
    chat.types("\u{1b}[A");
    chat.shows("› and more");
    chat.types("\r");
    chat.shows("third");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.leaves().exits(0);
}

#[test]
fn a_chat_without_a_turn_leaves_nothing_behind() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let (home, server) = (home(), Server::start([]));
    chat(&home, &server, []).leaves().exits(0).stderr("");
    assert!(!home.root().join(".codex-run/sessions").exists());
    // Nobody needs a standard output.
    let cmd = home.codex(&server).args(["chat"]).redirected(">&-");
    let chat = Chat::start(cmd, None);
    chat.types("\u{3}");
    chat.types("\u{3}");
    chat.ends().exits(0).stderr("");
}

#[test]
fn a_tool_call_is_folded_and_tab_unfolds_it() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let (home, server) = (
        home(),
        Server::start([calls("seq 101 120"), Reply::text("done")]),
    );
    let mut chat = chat(&home, &server, ["count"]);
    let screen = chat.shows("done");
    assert!(
        screen.contains("seq 101 120") && screen.contains("120\n"),
        "{screen}"
    );
    assert!(!screen.contains(" 105\n"), "{screen}");
    chat.types("\t");
    chat.shows(" 105\n");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.leaves().exits(0);
}

#[test]
fn escape_ends_the_turn_and_its_tools_and_keeps_what_was_said() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let home = home();
    let server = Server::start([calls("echo $$ > pid; exec sleep 60"), Reply::text("go on")]);
    let mut chat = chat(&home, &server, ["wait"]);
    until("a tool runs", || home.work().join("pid").exists());
    chat.shows("sleep 60");
    chat.types("a draft");
    chat.shows("a draft");
    chat.types(ESCAPE);
    chat.shows("interrupted");
    let pid = home.read("pid");
    let pid = std::path::Path::new("/proc").join(pid.trim());
    until("the tool has ended", || !pid.exists());
    // The text that was being typed is still there.
    chat.types("\r");
    chat.shows("go on");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.leaves().exits(0);
    let requests = server.requests();
    assert_eq!(messages(&requests[1]), ["wait", "a draft"]);
}

#[test]
fn a_message_steers_the_turn_and_another_one_waits_for_its_end() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let home = home();
    let server = Server::start([
        calls("while [ ! -e go ]; do sleep 0.05; done"),
        Reply::text("first"),
        Reply::text("second"),
    ]);
    let mut chat = chat(&home, &server, ["begin"]);
    chat.shows("while [");
    chat.types("steer\u{13}");
    chat.types("queued\r");
    chat.shows("queued");
    home.file("go", "");
    chat.shows("second");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.leaves().exits(0);
    let requests = server.requests();
    assert_eq!(messages(&requests[1]), ["begin", "steer"]);
    assert_eq!(messages(&requests[2]), ["begin", "steer", "queued"]);
}

#[test]
fn models_are_cycled_through() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let (home, server) = (
        home(),
        Server::start([Reply::text("one"), Reply::text("two")]),
    );
    let args = ["-m", "gpt-5.5", "--models", "gpt-5.5,gpt-5.4:high", "hello"];
    let mut chat = chat(&home, &server, args);
    chat.shows("one");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.types("\u{10}");
    chat.shows("gpt-5.4 · high");
    chat.types("again\r");
    chat.shows("two");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.leaves().exits(0);
    let requests = server.requests();
    let models: Vec<_> = requests
        .iter()
        .map(|request| request.json()["model"].clone())
        .collect();
    assert_eq!(models, ["gpt-5.5", "gpt-5.4"]);
    assert_eq!(requests[1].json()["reasoning"]["effort"], "high");
}

#[test]
fn a_paste_of_200_lines_is_sent_by_enter_alone() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let (home, server) = (home(), Server::start([Reply::text("read")]));
    let mut chat = chat(&home, &server, []);
    let lines: Vec<String> = (1..=200).map(|n| format!("line {n}\t\u{1f600}")).collect();
    chat.types(&format!("\u{1b}[200~{}\u{1b}[201~", lines.join("\r")));
    chat.shows("line 200");
    assert!(server.requests().is_empty());
    chat.types("\r");
    chat.shows("read");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.leaves().exits(0);
    assert_eq!(messages(&server.requests()[0]), [lines.join("\n")]);
}

#[test]
fn the_terminal_may_be_resized_while_text_streams() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let home = home();
    let slowly = Reply::deltas(40, "some words 日本語 ").event_pause(Duration::from_millis(20));
    let server = Server::start([slowly]);
    let mut chat = chat(&home, &server, ["go"]);
    chat.shows("some words");
    for (columns, rows) in [(40, 10), (20, 5), (100, 40), (31, 12), (80, 24)] {
        chat.resize(columns, rows);
        std::thread::sleep(Duration::from_millis(60));
    }
    let screen = chat.waits("the end", |screen| !screen.contains("working"));
    assert_eq!(screen.matches("some").count(), 40, "{screen}");
    chat.leaves().exits(0);
}

#[test]
fn a_signal_restores_the_terminal_ends_the_tools_and_the_process() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let (home, server) = (
        home(),
        Server::start([calls("echo $$ > pid; exec sleep 60")]),
    );
    let mut chat = chat(&home, &server, ["wait"]);
    until("a tool runs", || home.work().join("pid").exists());
    chat.shows("sleep 60");
    chat.signal("-TERM");
    let ran = chat.ends();
    ran.ends_by(TERM)
        .says("codex chat --resume ")
        .says("codex: terminated\n");
    let pid = home.read("pid");
    assert!(!std::path::Path::new("/proc").join(pid.trim()).exists());
}

#[test]
fn the_shell_can_stop_and_continue_it() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let (home, server) = (home(), Server::start([Reply::text("an answer")]));
    let cmd = home.codex(&server).args(["chat", "hello"]);
    let script = "set -m; \"$0\" \"$@\"; echo back in the shell > /dev/tty; touch stopped; \
                  while [ ! -e go ]; do sleep 0.05; done; fg > /dev/null";
    let mut chat = Chat::start(cmd, Some(script));
    chat.shows("an answer");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.types("draft");
    chat.shows("draft");
    chat.types("\u{1a}");
    until("it is stopped", || home.work().join("stopped").exists());
    let screen = chat.shows("back in the shell");
    assert!(
        !screen.contains("an answer") && !chat.emulator.on_alternate_screen(),
        "{screen}"
    );
    assert_eq!(chat.terminal.modes(), chat.modes);
    home.file("go", "");
    let screen = chat.shows("an answer");
    assert!(screen.contains("draft"), "{screen}");
    // A second Ctrl+C leaves.
    chat.types("\u{3}\u{3}\u{3}");
    let ran = wait(&mut chat.child, chat.said.clone());
    ran.exits(0).stdout("");
    chat.screen();
    assert!(!chat.emulator.on_alternate_screen());
    assert_eq!(chat.terminal.modes(), chat.modes);
}

#[test]
fn without_a_sign_in_the_screen_says_how_and_signs_in() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let home = Home::new().env("TERM", "xterm").env("LANG", "C.UTF-8");
    let server = Server::start([Reply::text("hello Ada")]);
    server.issuer().interval(1);
    let cmd = home.codex(&server).args(["chat", "hello"]);
    let mut chat = Chat::start(cmd, None);
    chat.shows("/login signs in here");
    chat.types("/login\r");
    until("there is a code", || {
        !server.issuer().user_codes().is_empty()
    });
    let code = server.issuer().user_codes().remove(0);
    chat.shows(&code);
    chat.types(ESCAPE);
    chat.waits("it is cancelled", |screen| !screen.contains(&code));
    until("it can begin again", || {
        chat.types("/login\r");
        std::thread::sleep(Duration::from_millis(300));
        server.issuer().user_codes().len() > 1
    });
    let code = server.issuer().user_codes().remove(1);
    chat.shows(&code);
    assert!(server.issuer().approve(&code));
    chat.shows("signed in as ada@example.com");
    // What waited is held since the sign-in was cancelled.
    chat.waits("the queue", |screen| screen.contains("hello"));
    chat.types("\r");
    chat.shows("hello Ada");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.leaves().exits(0);
    home.is_private();
}

#[test]
fn what_needs_no_screen_is_sent_to_run() {
    let home = home();
    for args in [
        "--json",
        "-o x",
        "--output-schema x",
        "--input jsonl",
        "--buffer",
        "-",
    ] {
        let mut cmd = home.offline().args(["chat"]);
        cmd.command.args(args.split(' '));
        cmd.run().exits(2).stdout("").says("codex run");
    }
    for term in ["dumb", ""] {
        let cmd = home.offline().args(["chat"]).env("TERM", term);
        cmd.run().exits(2).stdout("").says("codex run");
    }
    // A new session has no terminal.
    let cmd = home.offline().args(["chat"]).within("setsid", ["--wait"]);
    cmd.run()
        .exits(2)
        .stdout("")
        .says("/dev/tty")
        .says("codex run");
}
