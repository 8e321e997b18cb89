//! A panic, in whichever thread: the process ends with exit code 70 and the last line, and leaves nothing behind. The standard
//! library panics when the clock fails, and `data/fail_clock.c` makes it fail.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::home::{
    Cmd, CommandOutput, Home, KEY, Running, finish, names, processes, signal_process, until, wait,
};
use crate::needs::{Need, lacks};
use crate::on_screen::{self, Chat};
use crate::pty::Terminal;
use crate::standin::{Reply, Server};
use crate::stops::{TERM, calls, is_blocked_in_write};
use crate::tools::outputs;

/// The file, in the working directory, that makes the clock fail.
const FILE: &str = "no-clock";

/// The program that makes a clock fail.
fn fail_clock() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let name = format!("fail-clock-{}", std::process::id());
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/data/fail_clock.c");
        let built = Command::new("cc")
            .arg("-o")
            .args([&program, Path::new(source)])
            .status();
        assert!(
            built.is_ok_and(|built| built.success()),
            "cc builds {source}"
        );
        program
    })
}

/// Whether a program can be traced.
pub(crate) fn can_trace() -> bool {
    let mut command = Command::new(fail_clock());
    let status = command
        .args(["main", "none", "true"])
        .stdin(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

fn cannot_trace() -> bool {
    lacks(&Need::C_COMPILER) || lacks(&Need::TRACING)
}

/// The same command, whose clock fails in this thread once the file is there: "main", or "other" for any other one.
fn failing(cmd: Cmd, thread: &str) -> Cmd {
    cmd.within(&fail_clock().to_string_lossy(), [thread, FILE])
}

/// The program that is traced: the only child of its tracer.
fn traced(tracer: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{tracer}/task/{tracer}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// A long answer of which some is sent every few milliseconds.
fn slow() -> Reply {
    Reply::deltas(5000, "word ").event_pause(Duration::from_millis(2))
}

/// Checks the exit code, the message, and that the file was used.
#[track_caller]
fn is_bug<'a>(ran: &'a CommandOutput, home: &Home) -> &'a CommandOutput {
    ran.exits(70)
        .says("codex: internal error in ")
        .says("time.rs:");
    assert!(!home.work().join(FILE).exists());
    ran
}

/// Checks that the processes of this home end, and that no temporary directory is left.
#[track_caller]
fn leaves_nothing(home: &Home) {
    let root = home.root().to_string_lossy().into_owned();
    until("its processes end", || processes(&root).is_empty());
    let left = names(&home.tmp());
    assert!(
        !left.iter().any(|name| name.starts_with("codex-run-")),
        "{left:?}"
    );
}

#[test]
fn the_last_line_is_written_and_the_conversation_goes_on() {
    if cannot_trace() {
        return;
    }
    for thread in ["main", "other"] {
        let home = Home::with_key();
        let server = Server::start([slow(), Reply::text("fine")]);
        let cmd = home
            .codex(&server)
            .args(["run", "--json", "--deltas", "--no-tools", "x"]);
        let running = failing(cmd, thread).start();
        until("a request comes", || !server.requests().is_empty());
        home.file(FILE, "");
        let ran = finish(running, format!("codex run --json, {thread}"));
        let events = is_bug(&ran, &home).events();
        let last = &events[events.len() - 1];
        assert_eq!(
            (&last["type"], &last["error"]["code"]),
            (&"turn.failed".into(), &"bug".into())
        );
        let id = events[0]["thread_id"].as_str().expect("an id");
        let next = home
            .codex(&server)
            .args(["run", "--no-tools", "--resume", id, "go on"]);
        next.run().exits(0).stdout("fine\n");
    }
}

#[test]
fn tools_end_and_their_call_has_a_result_afterwards() {
    if cannot_trace() {
        return;
    }
    let home = Home::with_key();
    // Its command line has the name of this home, so that it can be found.
    let tool = format!(
        ": > {}; while :; do sleep 0.05; done",
        home.work().join("ready").display()
    );
    let server = Server::start([calls(&tool), Reply::text("fine")]);
    let cmd = home
        .codex(&server)
        .args(["run", "-s", "danger-full-access", "--json", "x"]);
    // The thread that watches for signals reads the clock before it stops the run.
    let stop = |running: &Running| {
        signal_process(traced(running.id()).expect("it runs"), TERM).expect("it runs")
    };
    let running = failing(cmd, "other").start();
    until("a tool runs", || home.work().join("ready").exists());
    home.file(FILE, "");
    stop(&running);
    let ran = finish(running, "codex run --json".to_owned());
    let events = is_bug(&ran, &home).events();
    leaves_nothing(&home);
    let id = events[0]["thread_id"].as_str().expect("an id");
    let next = home
        .codex(&server)
        .args(["run", "--no-tools", "--resume", id, "go on"]);
    next.run().exits(0).stdout("fine\n");
    assert_eq!(outputs(&server).len(), 1);

    let arguments = serde_json::json!({"command": tool.replace("ready", "once-more")});
    let cmd = home
        .offline()
        .args(["tool", "bash", "-s", "danger-full-access"]);
    let running = failing(cmd, "other").input(arguments.to_string()).start();
    until("a tool runs", || home.work().join("once-more").exists());
    home.file(FILE, "");
    stop(&running);
    is_bug(&finish(running, "codex tool bash".to_owned()), &home);
    leaves_nothing(&home);
}

#[test]
fn text_ends_with_its_line() {
    if cannot_trace() {
        return;
    }
    let (home, server) = (Home::with_key(), Server::start([slow()]));
    let cmd = home.codex(&server).args(["run", "--no-tools", "x"]);
    let running = failing(cmd, "main").redirected("> out").start();
    until("two words come", || {
        home.work()
            .join("out")
            .metadata()
            .is_ok_and(|out| out.len() >= "word word ".len() as u64)
    });
    home.file(FILE, "");
    is_bug(&finish(running, "codex run > out".to_owned()), &home);
    let out = home.read("out");
    assert!(
        out.starts_with("word word ") && out.ends_with("word \n"),
        "{out:?}"
    );
}

/// What `/proc` says of a process.
fn stat_of(id: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{id}/stat")).ok()
}

#[test]
fn a_reader_that_does_not_read_does_not_keep_it() {
    if cannot_trace() || lacks(&Need::SYSTEM_CALLS) {
        return;
    }
    let (home, server) = (
        Home::with_key(),
        Server::start([Reply::deltas(100_000, "word ")]),
    );
    let args = ["run", "--json", "--deltas", "--no-tools", "x"];
    let mut running = failing(home.codex(&server).args(args), "other").start();
    let tracer = running.id();
    let program = || traced(tracer);
    // Nothing reads, so the pipe fills up and the run blocks in a write.
    until("it is stuck", || {
        // Not in the hands of the tracer.
        let sleeps = |id| Some(stat_of(id)?.contains(") S "));
        program().is_some_and(|id| is_blocked_in_write(id) && sleeps(id) == Some(true))
    });
    home.file(FILE, "");
    // The thread that handles signals asks for the time.
    program().map(|id| signal_process(id, TERM));
    let status = running.wait().expect("a child");
    assert_eq!(status.code(), Some(70));
    is_bug(
        &finish(running, "codex run --json, not read".to_owned()),
        &home,
    );
}

#[test]
fn the_screen_of_a_chat_is_left() {
    if lacks(&Need::CONTROLLING_TERMINAL) || cannot_trace() {
        return;
    }
    for thread in ["main", "other"] {
        let (home, server) = (on_screen::home(), Server::start([slow()]));
        let cmd = home.codex(&server).args(["chat", "x"]);
        let script = format!(
            "exec '{}' {thread} {FILE} \"$0\" \"$@\"",
            fail_clock().display()
        );
        let mut chat = Chat::start(cmd, Some(&script));
        chat.shows("word word");
        home.file(FILE, "");
        is_bug(&chat.ends(), &home);
    }
}

#[test]
fn a_terminal_shows_keys_again_after_a_secret() {
    if lacks(&Need::CONTROLLING_TERMINAL) || cannot_trace() {
        return;
    }
    let (home, terminal) = (Home::new(), Terminal::open());
    let before = terminal.modes();
    let cmd = home.offline().args(["login", "--with-api-key"]);
    let cmd = failing(cmd, "main").within("setsid", ["--ctty"]);
    let mut cmd = cmd.stdin(terminal.line());
    cmd.command.stdout(terminal.line()).stderr(terminal.line());
    let mut child = cmd.command.spawn().expect("it starts");
    drop(cmd);
    until("it asks", || {
        terminal.modes() != before && terminal.shows("(it is not shown)")
    });
    terminal.types(&KEY[..8]);
    home.file(FILE, "");
    wait(&mut child, "codex login".to_owned()).exits(70);
    assert_eq!(terminal.modes(), before);
    let screen = terminal.screen();
    assert!(
        screen.contains("internal error in") && !screen.contains(&KEY[..8]),
        "{screen}"
    );
    let _ = fs::remove_file(home.work().join(FILE));
}
