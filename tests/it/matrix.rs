//! Every kind of standard input, every way to give a prompt and every way in which a service can fail: each combination
//! ends in time, with the documented exit code.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use crate::home::{Cmd, Home, Running, each, finish};
use crate::pty::Terminal;
use crate::standin::{Reply, Script, Server};

/// Number of cells that run at the same time. They mostly wait.
const AT_ONCE: usize = 12;

/// The contents of standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Closed,
    Null,
    Terminal,
    Silent,
    Slow,
    File,
    Large,
}

/// How the prompt is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prompt {
    Argument,
    Nothing,
    Dash,
}

/// The behaviour of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Silent,
    HeadersOnly,
    Comments,
    OneDelta,
    NeverCloses,
    Refuses,
}

/// The time limit that ends what does not end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    Idle,
    Whole,
}

/// The other end of standard input.
#[allow(dead_code, reason = "it is held open, and nothing else")]
enum Held {
    Nothing,
    Pipe(UnixStream),
    Terminal(Terminal),
}

#[derive(Clone, Copy, Debug)]
struct Cell(Input, Prompt, Service, Clock);

fn cells() -> Vec<Cell> {
    use {Input as I, Prompt as P, Service as S};
    let mut cells = Vec::new();
    for input in [
        I::Closed,
        I::Null,
        I::Terminal,
        I::Silent,
        I::Slow,
        I::File,
        I::Large,
    ] {
        for prompt in [P::Argument, P::Nothing, P::Dash] {
            for service in [
                S::Silent,
                S::HeadersOnly,
                S::Comments,
                S::OneDelta,
                S::NeverCloses,
                S::Refuses,
            ] {
                for clock in [Clock::Idle, Clock::Whole] {
                    cells.push(Cell(input, prompt, service, clock));
                }
            }
        }
    }
    cells
}

impl Cell {
    /// The documented exit code.
    fn code(self) -> i32 {
        let Self(input, prompt, service, clock) = self;
        match (input, prompt) {
            // There is no prompt.
            (Input::Closed | Input::Null, Prompt::Nothing | Prompt::Dash) => return 2,
            // The prompt never ends.
            (Input::Silent | Input::Terminal, Prompt::Nothing | Prompt::Dash) => return 124,
            // It is ignored after 3 s.
            (Input::Silent, Prompt::Argument) if clock == Clock::Whole => return 124,
            _ => {}
        }
        match (service, clock) {
            (Service::NeverCloses, _) => 0,
            (Service::Refuses, _) | (Service::Silent, Clock::Idle) => 7,
            (_, Clock::Whole) | (Service::Comments, _) => 124,
            (Service::HeadersOnly | Service::OneDelta, Clock::Idle) => 8,
        }
    }

    /// The time limits. A limit that must not expire leaves time for a busy machine; the stand-in, which is not fast, needs
    /// some to read 10 MiB.
    fn flags(self) -> [&'static str; 4] {
        let Self(input, _, service, clock) = self;
        let (idle, whole) = match (self.code(), clock) {
            (124, Clock::Whole) => ("1m", "1s"),
            // Bytes without meaning are a sign of life, and so is a prompt that is waited for.
            (124, Clock::Idle) if input == Input::Large => ("10s", "12s"),
            (124, Clock::Idle) => ("3s", "6s"),
            (7 | 8, _) if input == Input::Large => ("10s", "40s"),
            (7 | 8, _) if service != Service::Refuses => ("3s", "40s"),
            _ => ("30s", "40s"),
        };
        ["--idle-timeout", idle, "--timeout", whole]
    }

    fn reply(self) -> Option<Reply> {
        let one = r#"data: {"type":"response.output_text.delta","output_index":0,"delta":"Hel"}"#;
        let one = format!("{one}\n\n");
        let comments = ": nothing\n\n".repeat(10_000);
        Some(match self.2 {
            Service::Silent => Reply::text("x").pause_before_headers(Duration::from_secs(600)),
            Service::HeadersOnly => Reply::text("x").stall_at(0),
            Service::Comments => Reply::sse(comments).event_pause(Duration::from_millis(50)),
            Service::OneDelta => Reply::sse(one.clone()).stall_at(one.len()),
            Service::NeverCloses => Reply::text("Hello").hold_open(),
            Service::Refuses => return None,
        })
    }

    /// Runs it; returns what is wrong, if anything.
    fn run(self) -> Option<String> {
        let home = Home::with_key();
        let server = self
            .reply()
            .map(|reply| Server::start(Script::from(reply).unchecked()));
        let cmd = match &server {
            Some(server) => home.codex(server),
            None => home.offline(),
        };
        let cmd = cmd
            .args(["run", "--no-tools", "--retries", "0", "-m", "any"])
            .args(self.flags());
        let cmd = match self.1 {
            Prompt::Argument => cmd.args(["say hello"]),
            Prompt::Nothing => cmd,
            Prompt::Dash => cmd.args(["-"]),
        };
        let (running, _held) = self.start(cmd, &home);
        let ran = finish(running, format!("{self:?}"));
        let expected = match (self.code(), self.2) {
            (0, _) => "Hello\n",
            (8, Service::OneDelta) => "Hel\n",
            // Its time limit may expire before anything arrives.
            (124, Service::OneDelta) if !ran.text().is_empty() => "Hel\n",
            _ => "",
        };
        let is = (ran.status.code(), ran.text());
        let shall = (Some(self.code()), expected.to_owned());
        (is != shall).then(|| format!("{self:?}: {is:?}, not {shall:?}: {}", ran.stderr))
    }

    /// Starts the command. The return value must be held until it ends.
    fn start(self, cmd: Cmd, home: &Home) -> (Running, Held) {
        let mut held = Held::Nothing;
        let cmd = match self.0 {
            Input::Closed => cmd.redirected("<&-"),
            Input::Null => cmd,
            Input::Terminal => {
                let terminal = Terminal::open();
                let line = terminal.line();
                held = Held::Terminal(terminal);
                cmd.stdin(line)
            }
            Input::Silent => {
                let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
                held = Held::Pipe(ours);
                cmd.stdin(OwnedFd::from(theirs))
            }
            Input::Slow | Input::Large => cmd.piped(),
            Input::File => cmd.stdin(File::open(home.file("question", "why?\n")).expect("a file")),
        };
        let mut running = cmd.start();
        let stdin = running.stdin.take();
        if let Some(mut stdin) = stdin {
            let slow = self.0 == Input::Slow;
            thread::spawn(move || {
                let (piece, times) = if slow { (1, 5) } else { (10 << 20, 1) };
                for _ in 0..times {
                    // The command may have exited.
                    let _ = stdin.write_all(&vec![b'a'; piece]);
                    if slow {
                        thread::sleep(Duration::from_millis(50));
                    }
                }
            });
        }
        (running, held)
    }
}

#[test]
fn every_cell_ends_in_time_with_its_exit_code() {
    let wrong = Mutex::new(Vec::new());
    each(cells(), AT_ONCE, |cell| {
        let found = cell.run();
        wrong.lock().expect("no thread panicked").extend(found);
    });
    let wrong = wrong.into_inner().expect("no thread panicked");
    assert!(
        wrong.is_empty(),
        "{} cells:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
