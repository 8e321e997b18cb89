//! Tests of complete, truncated and damaged session files.

use super::*;

const HEAD: &str = r#"{"type":"codex.session","version":2,"id":"0198a2f4-7c1e-7a3b-9d2c-5e6f708192a3","created_at":5,"cwd":"/w"}"#;
const TURN: &str = r#"{"type":"codex.turn","at":6,"model":"m","cwd":"/x"}"#;
const USER: &str =
    r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}"#;
const THOUGHT: &str = r#"{"type":"reasoning","id":"rs_1","encrypted_content":"g"}"#;
const CALL: &str = r#"{"type":"function_call","call_id":"c","name":"t","arguments":"{}"}"#;

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
    let read =
        |lines: &[&str]| StoredConversation::read(file(lines).as_bytes()).map(|(stored, _)| stored);
    let new = read(&[HEAD, TURN, USER]).expect("a session");
    // A line in the other format can only come from the service; it changes nothing.
    let old = read(&[&head, &turn, USER, &TURN.replace("\"m\"", "\"x\"")]).expect("a session");
    assert_eq!(
        (old.line_format, old.turns, &*old.model),
        (LineFormat::Bare, 1, "m")
    );
    assert_eq!(old.items.len(), 1);
    let old = read(&[&head, &turn, USER]).expect("a session");
    let as_new = StoredConversation {
        line_format: LineFormat::Prefixed,
        ..old
    };
    assert_eq!(as_new, new);
    // In a file with the prefix, a line without it is an item.
    let new = read(&[HEAD, &turn, USER]).expect("a session");
    assert_eq!((new.turns, new.items.len()), (0, 2));
}

#[test]
fn a_metadata_line_of_an_unknown_kind_is_ignored_anywhere() {
    let lines = [TURN, USER, THOUGHT, CALL];
    let all = [&[HEAD][..], &lines].concat();
    let (without, _) = StoredConversation::read(file(&all).as_bytes()).expect("a session");
    let future = [
        r#"{"type":"codex.future","items":[{"type":"message","role":"user"}]}"#,
        r#"{"role":"user","content":[{"text":"x"}],"type":"codex.","version":"x","cwd":7,"model":{},"id":[]}"#,
    ];
    for place in 1..=all.len() {
        for line in future {
            let mut all = all.clone();
            all.insert(place, line);
            let text = file(&all);
            assert_eq!(
                StoredConversation::read(text.as_bytes()),
                Ok((without.clone(), text.len())),
                "{place}"
            );
        }
    }
    // Other unknown types are items from the service.
    let brand_new = r#"{"type":"brand_new","id":{"odd":1},"model":7}"#;
    let (stored, _) =
        StoredConversation::read(file(&[HEAD, brand_new]).as_bytes()).expect("a session");
    assert_eq!(stored.items, [brand_new.as_bytes()]);
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
    assert_eq!(stored.models, ["box/small"]);
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
        let (mut stored, _) = StoredConversation::read(file(lines).as_bytes()).expect("a session");
        let added = stored.settle();
        (stored.items.len(), added.len())
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
