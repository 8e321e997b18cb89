//! Lists, notes and tool calls in the width of a terminal, and whole elsewhere; conversations found by parts of their ids.

use std::fs;
use std::os::fd::OwnedFd;

use serde_json::{Value, json};

use crate::home::{Cmd, Home, wait};
use crate::pty::Terminal;
use crate::standin::{Reply, Server};
use crate::stops::calls;

/// Runs the command on a terminal of this width; returns the lines that it shows.
fn shown(cmd: Cmd, columns: u16, code: i32) -> Vec<String> {
    let terminal = Terminal::open();
    terminal.resize(columns, 24);
    let mut cmd = cmd;
    let stream = || -> OwnedFd { terminal.line() };
    cmd.command.stdout(stream()).stderr(stream());
    let said = format!("{:?} in {columns} columns", cmd.command);
    let mut child = cmd.command.spawn().expect("it starts");
    drop(cmd);
    wait(&mut child, said).exits(code);
    let screen = terminal.screen();
    screen.lines().map(str::to_owned).collect()
}

fn fit(lines: &[String], columns: usize) {
    for line in lines {
        let wide = |c: char| if c >= '\u{2e80}' { 2 } else { 1 };
        let width: usize = line.chars().map(wide).sum();
        assert!(width <= columns, "{columns}: {lines:#?}");
    }
}

/// Stores a conversation.
fn store(home: &Home, id: &str, directory: &str, prompt: &str) {
    let folder = home.own().join("sessions/2026/11/20");
    fs::create_dir_all(&folder).expect("a directory");
    let lines = [
        json!({"type": "codex.session", "version": 2, "id": id, "created_at": 1_795_195_600, "cwd": directory}),
        json!({"type": "codex.turn", "at": 1_795_195_600, "model": "gpt-5.5", "cwd": directory}),
        json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": prompt}]}),
    ];
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(folder.join(format!("{id}.jsonl")), text).expect("a file");
}

#[test]
fn conversations_are_listed_shown_and_found_by_parts_of_their_ids() {
    let home = Home::with_key().env("TZ", "CET-1CEST,M3.5.0,M10.5.0/3");
    let (one, two) = (
        "019ac5b1-0000-7000-8000-00000012ab34",
        "019ac5b2-0000-7000-8000-00000012ab35",
    );
    let directory = home.work().display().to_string();
    store(
        &home,
        one,
        &directory,
        "fix the build of the whole workspace, with all features",
    );
    store(
        &home,
        two,
        "/elsewhere",
        "日本語 日本語 日本語 日本語 日本語",
    );
    let sessions = |args: &[&str]| {
        let mut cmd = home.offline().args(["sessions"]);
        cmd.command.args(args);
        cmd
    };
    for columns in [40, 80] {
        let lines = shown(sessions(&[]), columns, 0);
        fit(&lines, columns.into());
        assert!(lines[0].starts_with("id       last used"), "{lines:#?}");
        assert!(
            lines.iter().any(|line| line.starts_with("…12ab34  ")),
            "{lines:#?}"
        );
        assert!(lines[1].contains(" CE"), "{lines:#?}");
        assert_eq!(shown(sessions(&["--here"]), columns, 0).len(), 2);
        assert_eq!(shown(sessions(&["--limit", "1"]), columns, 0).len(), 2);
    }
    let whole = sessions(&[]).run().exits(0).text();
    assert!(whole.contains(&format!(
        "Z  {directory}  fix the build of the whole workspace, with all features\n"
    )));
    let listed: Value = serde_json::from_str(&sessions(&["--json"]).run().text()).expect("JSON");
    assert!(listed[0]["used_at"].is_u64() && listed.as_array().is_some_and(|all| all.len() == 2));

    for part in [one, "019ac5b1", "12ab34", "…12ab34"] {
        let text = sessions(&["show", part]).run().exits(0).text();
        assert!(
            text.starts_with(&format!(
                "id        {one}\ncreated   2026-11-20 18:26 CET\n"
            )),
            "{text}"
        );
        assert!(text.ends_with("\n> fix the build of the whole workspace, with all features\n"));
    }
    let ambiguous = sessions(&["show", "019ac5b"]).run();
    ambiguous.exits(2).says(one).says(two);
    sessions(&["rm", "12ab34", "9"]).run().exits(2).says("id 9");
    sessions(&["rm", "12ab34", "019ac5b"]).run().exits(2);
    sessions(&["rm"]).run().exits(2).says("needs an id");
    sessions(&["show", "--json", one])
        .run()
        .exits(2)
        .says("--json");
    let server = Server::start([Reply::text("ok"), Reply::text("ok"), Reply::text("ok")]);
    for args in [
        ["run", "--resume", "12ab34"],
        ["run", "--fork", "12ab34"],
        ["exec", "resume", "12ab34"],
    ] {
        let ran = home.codex(&server).args(args).args(["more"]);
        ran.run().exits(0).stdout("ok\n");
    }
    let ran = home
        .codex(&server)
        .args(["run", "--resume", "019ac5b", "x"])
        .run();
    ran.exits(2).says(one).says(two);
    sessions(&["rm", "12ab34", "019ac5b1"]).run().exits(0);
    sessions(&["show", one])
        .run()
        .exits(2)
        .says("no stored conversation");
}

#[test]
fn tool_calls_notes_and_failures_fit_and_a_pipe_gets_them_whole() {
    let home = Home::with_key().env("TERM", "xterm").env("NO_COLOR", "1");
    let command = format!("true {} end", "日本 word ".repeat(20));
    let arguments = |server: &Server| {
        let args = ["run", "-s", "danger-full-access", "--verbosity", "low", "x"];
        home.codex(server).args(args)
    };
    for columns in [40, 80] {
        let server = Server::start([
            calls(&command),
            Reply::status(
                400,
                &[],
                "a long explanation of what is wrong with this request, in many words",
            ),
        ]);
        let lines = shown(arguments(&server), columns, 1);
        fit(&lines, columns.into());
        let call = lines
            .iter()
            .find(|line| line.contains("codex: bash: true 日本 word"));
        assert!(
            call.is_some_and(|line| line.contains("… (ok, ")),
            "{lines:#?}"
        );
        assert!(
            lines.iter().any(|line| line.starts_with("       ")),
            "{lines:#?}"
        );
    }
    let server = Server::start([calls(&command), Reply::text("done")]);
    let ran = arguments(&server).run();
    ran.exits(0).says(&format!("codex: bash: {command} (ok, "));
    for columns in [40, 80] {
        fit(
            &shown(home.offline().args(["models", "--all"]), columns, 0),
            columns.into(),
        );
        fit(
            &shown(home.offline().args(["status"]), columns, 0),
            columns.into(),
        );
    }
}
