//! `codex chat`: questions and answers, tool calls, keys and commands, as the screen shows them.

use std::time::Duration;

use crate::home::until;
use crate::needs::{Need, lacks};
use crate::on_screen::{Chat, ESCAPE, chat, home, messages};
use crate::standin::{Reply, Server};
use crate::stops::calls;

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
    chat.enters("and more");
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
fn the_conversation_is_compacted_on_request() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let summary = Reply::text("It was counted.");
    let (home, server) = (
        home(),
        Server::start([
            calls("seq 3"),
            Reply::text("done"),
            summary,
            Reply::text("yes"),
        ]),
    );
    let mut chat = chat(&home, &server, ["count"]);
    chat.shows("done");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.enters("/compact");
    chat.shows("was compacted with a summary by the model");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.enters("/compact");
    let screen = chat.shows("there is nothing to compact yet");
    assert!(!screen.contains("It was counted."), "{screen}");
    chat.enters("and now?");
    chat.shows("yes");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.leaves().exits(0);
    let requests = server.requests();
    let asked = messages(requests.last().expect("a request"));
    assert_eq!((asked.len(), &*asked[2]), (3, "and now?"), "{asked:?}");
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
fn what_a_tool_prints_is_shown_while_it_runs_and_when_it_was_stopped() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let home = home();
    let tool = "trap 'echo caught; exit 3' TERM; seq 101 105; while :; do sleep 0.05; done";
    let server = Server::start([calls(tool)]);
    let mut chat = chat(&home, &server, ["count"]);
    let screen = chat.shows("  105\n");
    assert!(
        screen.contains("running") && screen.contains("  103\n") && !screen.contains("  102\n"),
        "{screen}"
    );
    chat.types(ESCAPE);
    let screen = chat.shows("interrupted");
    assert!(
        screen.contains("stopped") && screen.contains("  caught\n"),
        "{screen}"
    );
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
    chat.enters("queued");
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
        Server::start([Reply::text("one"), Reply::text("second")]),
    );
    let args = ["-m", "gpt-5.5", "--models", "gpt-5.5,gpt-5.4:high", "hello"];
    let mut chat = chat(&home, &server, args);
    chat.shows("one");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.types("\u{10}");
    chat.shows("gpt-5.4 · high");
    chat.enters("again");
    chat.shows("second");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.enters("/effort");
    chat.shows("› high (current)");
    chat.types(ESCAPE);
    chat.waits("no list", |screen| !screen.contains("(current)"));
    chat.enters("/model nosuch");
    chat.shows("nosuch is not in a list of models; it is sent unchanged");
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
fn another_model_is_asked_and_shown_where_one_is_too_busy() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let busy = || Reply::status(503, &[], "");
    let replies = [busy(), busy(), busy(), Reply::text("answer")];
    let (home, server) = (home(), Server::start(replies));
    let args = [
        "-m",
        "gpt-5.5",
        "--fallback-model",
        "gpt-5.4",
        "--retries",
        "0",
        "hello",
    ];
    let mut chat = chat(&home, &server, args);
    chat.shows("; asking gpt-5.4 instead");
    // Neither answers: the conversation stays with the first one.
    let is_first = |screen: &str| screen.contains("gpt-5.5 ·") && !screen.contains("working");
    chat.waits("the first model", is_first);
    chat.enters("again");
    chat.shows("answer");
    let is_shown = |screen: &str| screen.contains("gpt-5.4 ·") && !screen.contains("working");
    chat.waits("the model in the status line", is_shown);
    chat.leaves().exits(0);
    let models: Vec<_> = server
        .requests()
        .iter()
        .map(|one| one.json()["model"].clone())
        .collect();
    assert_eq!(models, ["gpt-5.5", "gpt-5.4", "gpt-5.5", "gpt-5.4"]);
}

#[test]
fn another_model_compacts_on_request_where_one_is_too_busy() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let busy = Reply::status(503, &[], "");
    let [done, summary, yes] = ["done", "It was counted.", "yes"].map(Reply::text);
    let replies = [calls("seq 3"), done, busy, summary, yes];
    let (home, server) = (home(), Server::start(replies));
    let first = home.codex(&server).args(["run", "-m", "gpt-5.5", "count"]);
    first.run().exits(0);
    let args = "--last -m gpt-5.5 --fallback-model gpt-5.4 --retries 0";
    let args: Vec<&str> = args.split(' ').collect();
    let args: [&str; 7] = args.try_into().expect("seven");
    let mut chat = chat(&home, &server, args);
    chat.shows("done");
    chat.enters("/compact");
    chat.shows("was compacted with a summary by the model");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.enters("and now?");
    chat.shows("yes");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.leaves().exits(0);
    let requests = server.requests();
    let models = requests.iter().map(|one| one.json()["model"].clone());
    let models: Vec<_> = models.skip(2).collect();
    assert_eq!(models, ["gpt-5.5", "gpt-5.4", "gpt-5.4"]);
    // The conversation is stored with the model that has compacted it.
    let cmd = home
        .codex(&server)
        .args(["run", "--last", "--dry-run", "x"]);
    let dry = cmd.run();
    assert!(dry.text().contains("gpt-5.4"), "{}", dry.text());
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
    assert_eq!(
        screen.matches("some w").count() + screen.matches("some\n").count(),
        40,
        "{screen}"
    );
    chat.leaves().exits(0);
}

#[test]
fn an_answer_is_copied_and_conversations_are_listed_forked_and_left() {
    if lacks(&Need::CONTROLLING_TERMINAL) {
        return;
    }
    let home = home();
    let server = Server::start([Reply::text("an answer"), Reply::text("of a copy")]);
    let mut chat = chat(&home, &server, ["hello"]);
    chat.shows("an answer");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.enters("/copy");
    chat.shows("copied");
    assert_eq!(chat.emulator.commands, ["52;c;YW4gYW5zd2Vy"]);
    chat.enters("/fork");
    chat.enters("go on");
    chat.shows("of a copy");
    chat.waits("the end", |screen| !screen.contains("working"));
    chat.enters("/new");
    chat.waits("a new one", |screen| !screen.contains("an answer"));
    chat.enters("/resume");
    let screen = chat.shows("conversations");
    assert_eq!(screen.matches("hello").count(), 2, "{screen}");
    chat.types("\r");
    let screen = chat.shows("of a copy");
    assert!(screen.contains("> hello"), "{screen}");
    chat.leaves().exits(0).says("codex chat --resume ");
    assert_eq!(messages(&server.requests()[1]), ["hello", "go on"]);
}
