//! The edges of `codex chat`: without a terminal or a sign-in, signals, Ctrl+Z, other programs on its terminal, and what is left
//! when it has ended.

use std::time::Duration;

use serde_json::json;

use crate::home::{Home, until, wait};
use crate::needs::{Need, lacks};
use crate::on_screen::{Chat, ESCAPE, chat, home, messages};
use crate::standin::{Reply, Server};
use crate::stops::{TERM, calls};

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
    chat.signal(crate::stops::TERM);
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
    until("the other screen is left", || {
        chat.screen();
        !chat.emulator.on_alternate_screen()
    });
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
    chat.enters("/login");
    until("there is a code", || {
        !server.issuer().user_codes().is_empty()
    });
    let code = server.issuer().user_codes().remove(0);
    chat.shows(&code);
    chat.types(ESCAPE);
    chat.waits("it is cancelled", |screen| !screen.contains(&code));
    until("it can begin again", || {
        chat.enters("/login");
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
fn a_sign_in_that_ends_during_a_conversation_loses_nothing_that_was_typed() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let server = Server::start([Reply::text("an answer"), Reply::text("hello Ada")]);
    server.issuer().interval(1);
    let (home, tokens) = Home::signed_in(&server);
    let home = home.env("TERM", "xterm").env("LANG", "C.UTF-8");
    let mut chat = Chat::start(home.codex(&server).args(["chat", "first"]), None);
    chat.shows("an answer");
    chat.waits("the end", |screen| !screen.contains("working"));
    // From now on the access token is refused, and so is its renewal.
    server.issuer().end(&tokens.refresh);
    chat.enters("second");
    chat.shows("/login signs in here and sends your message");
    chat.shows("held: second");
    chat.enters("third");
    chat.waits("both are held", |screen| {
        !screen.contains("working") && screen.contains("held: third")
    });
    chat.enters("/login");
    until("there is a code", || {
        !server.issuer().user_codes().is_empty()
    });
    let code = server.issuer().user_codes().remove(0);
    chat.shows(&code);
    chat.types("a draft");
    chat.shows("› a draft");
    server.push(Reply::text("and on"));
    assert!(server.issuer().approve(&code));
    chat.shows("hello Ada");
    let screen = chat.shows("and on");
    assert!(screen.contains("› a draft"), "{screen}");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.types("\u{15}");
    chat.waits("an empty question", |screen| !screen.contains("a draft"));
    chat.leaves().exits(0);
    let requests = server.requests();
    let last = requests
        .iter()
        .rfind(|request| request.bare_path().ends_with("/responses"));
    assert_eq!(
        messages(last.expect("a request")),
        ["first", "second", "third"]
    );
}

#[test]
fn a_refused_key_is_named_and_no_sign_in_is_offered() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let refusal = json!({"error": {"message": "Bad \u{1b}[2Jkey.", "code": "invalid_api_key"}});
    let (home, server) = (home(), Server::start([Reply::json(401, &refusal)]));
    let mut chat = chat(&home, &server, ["hello"]);
    let screen = chat.shows("check OPENAI_API_KEY");
    assert!(screen.contains("Bad ^[[2Jkey."), "{screen}");
    let screen = chat.shows("held: hello");
    assert!(
        !screen.contains("/login") && !screen.contains("not signed in"),
        "{screen}"
    );
    server.push(Reply::text("an answer"));
    chat.types("\r");
    chat.shows("an answer");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.leaves().exits(0);
}

#[test]
fn what_a_pager_prints_stays_and_ctrl_c_in_it_is_no_failure() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let (home, server) = (home(), Server::start([Reply::text("an answer")]));
    let pager = "f() { if [ -e slow ]; then echo in the pager; exec sleep 60; fi; cat \"$1\"; }; f";
    let cmd = home.codex(&server).args(["chat", "hello"]);
    let mut chat = Chat::start(cmd.env("PAGER", pager), None);
    chat.shows("an answer");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.types("\u{f}");
    let screen = chat.shows("(press a key to return to the chat)");
    assert!(
        screen.contains("an answer") && !chat.emulator.on_alternate_screen(),
        "{screen}"
    );
    // Any key, also one that is a signal elsewhere.
    chat.types("\u{3}");
    chat.shows("›");
    assert!(chat.emulator.on_alternate_screen());
    home.file("slow", "");
    // Ctrl+C and Ctrl+\ are for the pager.
    for (count, key) in [(1, "\u{3}"), (2, "\u{1c}")] {
        chat.types("\u{f}");
        chat.waits("the pager", |screen| {
            screen.matches("in the pager").count() == count
        });
        chat.types(key);
        let screen = chat.shows("›");
        assert!(!screen.contains("cannot be used"), "{screen}");
    }
    // A home that cannot be written is not the fault of the pager.
    let kept = home.root().join(".codex-run");
    std::fs::rename(&kept, home.root().join("kept")).expect("it is there");
    std::fs::write(&kept, "").expect("a file");
    chat.types("\u{f}");
    chat.shows("the file for the pager");
    chat.types("\u{4}");
    let ran = wait(&mut chat.child, chat.said.clone());
    ran.exits(0).stdout("");
}

#[test]
fn a_conversation_that_is_open_elsewhere_can_be_copied() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let home = home();
    let server = Server::start([Reply::text("an answer"), Reply::text("of the copy")]);
    let mut first = chat(&home, &server, ["hello"]);
    first.shows("an answer");
    first.waits("the end", |screen| !screen.contains("working"));
    let sessions = home.codex(&server).args(["sessions"]).run();
    let id = sessions.text().split(' ').next().expect("an id").to_owned();
    let mut second = chat(&home, &server, []);
    second.enters(&format!("/resume {id}"));
    second.shows("/fork ID");
    second.enters(&format!("/fork {id}"));
    second.shows("an answer");
    second.enters("go on");
    second.shows("of the copy");
    second.waits("the end", |screen| !screen.contains("working"));
    second.leaves().exits(0);
    first.leaves().exits(0);
    assert_eq!(messages(&server.requests()[1]), ["hello", "go on"]);
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

#[test]
fn the_pager_and_the_editor_get_the_terminal_and_no_secret() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let home = home();
    let server = Server::start([Reply::text("a\u{1b}[2Jb"), Reply::text("second")]);
    let pager = "f() { cat \"$1\" > shown; echo \"[${OPENAI_API_KEY-none}]\" > secret; \
                 stty -a > modes; printf 'in the pager '; read -r line; echo \"$line\" > typed; sleep 1; }; f";
    let editor = "f() { printf 'from\\nthe editor\\n' > \"$1\"; ls -l \"$1\" > listed; }; f";
    let cmd = home.codex(&server).args(["chat", "hello"]);
    let mut chat = Chat::start(cmd.env("PAGER", pager).env("EDITOR", editor), None);
    chat.shows("a^[[2Jb");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.types("\u{f}");
    let screen = chat.shows("in the pager");
    assert!(!chat.emulator.on_alternate_screen(), "{screen}");
    // Ctrl+C is for the pager alone.
    chat.types("a line\n");
    chat.shows("a^[[2Jb");
    assert!(chat.emulator.on_alternate_screen());
    assert_eq!(
        (home.read("typed"), home.read("secret")),
        ("a line\n".into(), "[none]\n".into())
    );
    let shown = home.read("shown");
    assert!(
        shown.contains("hello") && shown.contains("a^[[2Jb"),
        "{shown}"
    );
    assert!(home.read("modes").contains(" icanon "));
    chat.types("\u{7}");
    chat.shows("the editor");
    assert!(home.read("listed").starts_with("-rw-------"));
    chat.types("\r");
    chat.shows("second");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.types("\u{4}");
    chat.ends_over("in the pager a line").exits(0);
    assert_eq!(
        messages(&server.requests()[1]),
        ["hello", "from\nthe editor"]
    );
    let left = crate::home::names(&home.root().join(".codex-run"));
    let is_private =
        |name: &String| name.starts_with("transcript-") || name.starts_with("question-");
    assert!(!left.iter().any(is_private), "{left:?}");
}

#[test]
fn nothing_is_kept_of_an_ephemeral_chat() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let (home, server) = (home(), Server::start([Reply::text("an answer")]));
    let mut chat = chat(&home, &server, ["--ephemeral", "hello"]);
    chat.shows("an answer");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.enters("/resume 0190");
    chat.shows("--ephemeral");
    chat.leaves().exits(0).stderr("");
    for folder in ["sessions", "history"] {
        assert!(!home.root().join(".codex-run").join(folder).exists());
    }
}
