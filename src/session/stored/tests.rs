//! Tests of complete, truncated and damaged session files.

use std::convert::Infallible;

use super::*;

const HEAD: &str = r#"{"type":"codex.session","version":2,"id":"0198a2f4-7c1e-7a3b-9d2c-5e6f708192a3","created_at":5,"cwd":"/w"}"#;
const TURN: &str = r#"{"type":"codex.turn","at":6,"model":"m","cwd":"/x"}"#;
const USER: &str =
    r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}"#;
const THOUGHT: &str = r#"{"type":"reasoning","id":"rs_1","encrypted_content":"g"}"#;
const CALL: &str = r#"{"type":"function_call","call_id":"c","name":"t","arguments":"{}"}"#;

/// The conversation in this text, and the bytes of its items.
fn read(text: &str) -> (StoredConversation, Vec<&str>) {
    let (stored, _) = StoredConversation::read(text.as_bytes()).expect("a session");
    let at = |place: u64| usize::try_from(place).expect("a small file");
    let items = stored.items.iter();
    let items = items.map(|item| &text[at(item.range.start)..at(item.range.end)]);
    let items = items.collect();
    (stored, items)
}

fn file(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_cut_keeps_the_complete_items() {
    let all = file(&[HEAD, TURN, USER, THOUGHT, CALL]);
    let mut whole_lines = 0;
    for cut in 0..=all.len() {
        let bytes = &all.as_bytes()[..cut];
        whole_lines += usize::from(cut > 0 && bytes[cut - 1] == b'\n');
        match StoredConversation::read(bytes) {
            Err(damage) => assert!(whole_lines == 0 && damage.line == 1, "{cut}: {damage}"),
            Ok((stored, whole)) => {
                assert_eq!(stored.items.len(), whole_lines.saturating_sub(2), "{cut}");
                let whole = usize::try_from(whole).expect("a small file");
                assert!(whole <= cut && all[..whole].ends_with('\n'), "{cut}");
            }
        }
    }
}

#[test]
fn the_metadata_of_a_conversation_is_read() {
    let (stored, _) =
        StoredConversation::read(file(&[HEAD, TURN, USER]).as_bytes()).expect("a session");
    assert_eq!(
        (stored.id.as_str(), stored.created_at, &*stored.cwd),
        ("0198a2f4-7c1e-7a3b-9d2c-5e6f708192a3", 5, "/x")
    );
    assert_eq!(
        (&*stored.model, stored.turns, &*stored.first),
        ("m", 1, "hi")
    );
}

#[test]
fn a_file_of_version_1_reads_the_same_without_the_prefix() {
    let bare = |line: &str| {
        line.replace("codex.", "")
            .replace("\"version\":2", "\"version\":1")
    };
    let (head, turn) = (bare(HEAD), bare(TURN));
    let read = |lines: &[&str]| read(&file(lines)).0;
    let new = read(&[HEAD, TURN, USER]);
    // A line in the other format can only come from the service; it changes nothing.
    let old = read(&[&head, &turn, USER, &TURN.replace("\"m\"", "\"x\"")]);
    assert_eq!(
        (old.line_format, old.turns, &*old.model),
        (LineFormat::Bare, 1, "m")
    );
    assert_eq!(old.items.len(), 1);
    let old = read(&[&head, &turn, USER]);
    let as_new = StoredConversation {
        line_format: LineFormat::Prefixed,
        items: new.items.clone(),
        ..old
    };
    assert_eq!(as_new, new);
    // In a file with the prefix, a line without it is an item.
    let new = read(&[HEAD, &turn, USER]);
    assert_eq!((new.turns, new.items.len()), (0, 2));
}

#[test]
fn a_metadata_line_of_an_unknown_kind_is_ignored_anywhere() {
    let lines = [TURN, USER, THOUGHT, CALL];
    let all = [&[HEAD][..], &lines].concat();
    let text = file(&all);
    let (without, items) = read(&text);
    let future = [
        r#"{"type":"codex.future","items":[{"type":"message","role":"user"}]}"#,
        r#"{"role":"user","content":[{"text":"x"}],"type":"codex.","version":"x","cwd":7,"model":{},"id":[]}"#,
    ];
    for place in 1..=all.len() {
        for line in future {
            let mut all = all.clone();
            all.insert(place, line);
            let text = file(&all);
            let (mut with, with_items) = read(&text);
            assert_eq!(with_items, items, "{place}");
            with.items.clone_from(&without.items);
            assert_eq!(with, without, "{place}");
        }
    }
    // Other unknown types are items from the service.
    let brand_new = r#"{"type":"brand_new","id":{"odd":1},"model":7}"#;
    let text = file(&[HEAD, brand_new]);
    assert_eq!(read(&text).1, [brand_new]);
}

#[test]
fn the_reasoning_effort_is_read() {
    let turn = |model: &str, effort: &str| {
        format!(
            r#"{{"type":"codex.turn","at":6,"model":"{model}","cwd":"/x","effort":"{effort}"}}"#
        )
    };
    let change = r#"{"type":"configuration_update","reasoning":{"effort":"high"}}"#;
    let check = |lines: &[&str], current: Option<&str>, head: Option<&str>, since| {
        let all = [&[HEAD][..], lines].concat();
        let (stored, _) = StoredConversation::read(file(&all).as_bytes()).expect("a session");
        let effort = &stored.effort;
        assert_eq!(
            (effort.current(), effort.head.as_deref(), effort.since),
            (current, head, since),
            "{lines:?}"
        );
    };
    let (low, other) = (turn("m", "low"), turn("other", "medium"));
    check(&[TURN, USER], None, None, 0);
    check(&[&low, USER], Some("low"), Some("low"), 0);
    check(
        &[&low, USER, &low, change, USER],
        Some("high"),
        Some("low"),
        0,
    );
    check(
        &[&low, USER, change, &other, USER],
        Some("medium"),
        Some("medium"),
        2,
    );
    check(
        &[&low, change, USER, &other, USER, &low, USER],
        Some("low"),
        Some("low"),
        3,
    );
}

#[test]
fn the_model_name_includes_its_provider() {
    let turn = r#"{"type":"codex.turn","model":"small","provider":"box"}"#;
    let (stored, _) =
        StoredConversation::read(file(&[HEAD, turn, USER]).as_bytes()).expect("a session");
    assert_eq!(
        (&*stored.model, stored.provider.as_deref()),
        ("box/small", Some("box"))
    );
    assert_eq!(stored.model_of(&stored.items[0]), "box/small");
}

#[test]
fn damage_in_the_middle_is_reported() {
    let check = |lines: &[&str], line| {
        let damage = StoredConversation::read(file(lines).as_bytes()).map(drop);
        assert_eq!(damage.map_err(|damage| damage.line), Err(line), "{lines:?}");
    };
    check(&[HEAD, "{", USER], 2);
    check(&[HEAD, "[]", USER], 2);
    check(&[USER], 1);
    check(&[HEAD, "{}", USER], 2);
    check(&[&HEAD.replace("\"version\":2", "\"version\":9")], 1);
    check(&[&HEAD.replace("\"id\":\"", "\"id\":\"x")], 1);
    check(&[&HEAD.replace("\"id\"", "\"name\"")], 1);
    assert!(StoredConversation::read(file(&[HEAD, TURN, "{"]).as_bytes()).is_ok());
}

#[test]
fn incomplete_items_are_removed_or_answered() {
    let settled = |lines: &[&str]| {
        let text = file(lines);
        let (mut stored, _) = read(&text);
        let added = stored.settle(|item| {
            let at = |place: u64| usize::try_from(place).expect("a small file");
            let bytes = &text.as_bytes()[at(item.range.start)..at(item.range.end)];
            Ok::<_, Infallible>(bytes.to_vec())
        });
        let Ok(added) = added;
        let output = call_output(
            "c",
            &CallOutput {
                text: ABORTED.to_owned(),
                ..CallOutput::default()
            },
            ImageSupport::Bare,
        );
        assert!(added.iter().all(|added| *added == output));
        (stored.items.len() + added.len(), added.len())
    };
    assert_eq!(settled(&[HEAD, TURN, USER, THOUGHT]), (1, 0));
    assert_eq!(settled(&[HEAD, TURN, USER, THOUGHT, THOUGHT, USER]), (2, 0));
    assert_eq!(settled(&[HEAD, TURN, USER, THOUGHT, CALL]), (4, 1));
    let output = r#"{"type":"function_call_output","call_id":"c","output":"x"}"#;
    assert_eq!(settled(&[HEAD, TURN, USER, CALL, output]), (3, 0));
    let change = r#"{"type":"configuration_update","reasoning":{"effort":"high"}}"#;
    assert_eq!(settled(&[HEAD, TURN, USER, THOUGHT, change, USER]), (3, 0));
    // Any other call without an output is removed, together with the reasoning that led only to it.
    let custom = r#"{"type":"custom_tool_call","call_id":"d","name":"t","input":""}"#;
    assert_eq!(settled(&[HEAD, TURN, USER, THOUGHT, custom, USER]), (2, 0));
    let output = r#"{"type":"custom_tool_call_output","call_id":"d","output":"x"}"#;
    let all = [HEAD, TURN, USER, THOUGHT, custom, output];
    assert_eq!(settled(&all), (4, 0));
}

#[test]
fn the_ends_of_a_long_file_say_what_all_of_it_says() {
    let overview = OverviewLine {
        turns: 7,
        model: "small".to_owned(),
        provider: Some("box".to_owned()),
        cwd: "/y".to_owned(),
        first: "hi".to_owned(),
        ..OverviewLine::default()
    };
    let kind = LineFormat::Prefixed.overview().expect("a type");
    let overview = overview.line(&kind);
    let check = |lines: &[&str], expected: Option<(usize, &str, &str)>| {
        let tail = file(&[&["the end of an item"], lines].concat());
        let stored = StoredConversation::from_ends(HEAD.as_bytes(), tail.as_bytes());
        assert!(stored.is_none(), "a first line without its end");
        let head = file(&[HEAD, "the beginning of an item"]);
        let stored = StoredConversation::from_ends(head.as_bytes(), tail.as_bytes());
        let found = stored.as_ref();
        let found = found.map(|stored| (stored.turns, &*stored.model, &*stored.cwd));
        assert_eq!(found, expected, "{lines:?}");
        let first = stored.map(|stored| (stored.first, stored.created_at, stored.items.len()));
        assert_eq!(first, expected.map(|_| ("hi".to_owned(), 5, 0)));
    };
    check(&[&overview], Some((7, "box/small", "/y")));
    check(
        &[TURN, &overview, USER, "{", CALL],
        Some((7, "box/small", "/y")),
    );
    check(&[&overview, TURN, USER], Some((8, "m", "/x")));
    check(&[&overview, r#"{"type":"codex.turn","cwd":7}"#], None);
    check(&[TURN, USER], None);
    check(&[], None);
}

#[test]
fn a_file_read_without_its_items_says_the_same() {
    let lines = [HEAD, TURN, THOUGHT, USER, CALL, TURN, THOUGHT, USER];
    let text = file(&lines);
    let mut parser = StoredParser::without_items();
    for line in text.split_inclusive('\n') {
        parser.take(line.as_bytes()).expect("a line");
    }
    let (skimmed, whole) = parser.finish().expect("a session");
    let (mut stored, _) = read(&text);
    stored.items.clear();
    stored.models.clear();
    let skimmed = StoredConversation {
        models: Vec::new(),
        effort: Effort::default(),
        ..skimmed
    };
    let stored = StoredConversation {
        effort: Effort::default(),
        ..stored
    };
    assert_eq!((skimmed, whole), (stored, text.len() as u64));
}
