//! What is drawn at which size.

use super::super::event::{
    ChatEvent, ModelEntry, OpenedConversation, Said, SessionEntry, Setup, SignInEvent, Size,
    TurnEnd, TurnEvent, UsageWindow,
};
use super::super::key::{Input, Key, KeyPress};
use super::*;

fn state(sandbox: &str) -> ChatState {
    let mut state = ChatState::new(Setup {
        model: ModelEntry {
            id: "gpt-5.2-codex".into(),
            efforts: Vec::new(),
            effort: None,
            window: Some(272_000),
        },
        effort: Some("high".into()),
        sandbox: sandbox.into(),
        directory: "~/work/some/where".into(),
        ..Setup::default()
    });
    let said = vec![Said::User("hello".into()), Said::Model("good day".into())];
    state.step(ChatEvent::Opened(OpenedConversation { id: None, said }));
    let window = |name: &str, used_percent| UsageWindow {
        name: name.into(),
        used_percent,
        resets: Some("14:05".into()),
    };
    let limits = vec![window("5h", 40.4), window("week", 91.0)];
    state.step(ChatEvent::Turn(TurnEvent::Limits(limits)));
    state.step(ChatEvent::Turn(TurnEvent::Usage {
        context: 13_600,
        cost: Some(0.125),
    }));
    state
}

fn screen(state: &mut ChatState, columns: u16, rows: u16) -> Vec<String> {
    state.step(ChatEvent::Resized(Size { columns, rows }));
    draw(state).text().lines().map(str::to_owned).collect()
}

fn types(state: &mut ChatState, text: &str) {
    for c in text.chars() {
        let key = if c == '\n' { Key::Enter } else { Key::Char(c) };
        state.step(ChatEvent::Input(Input::Key(KeyPress::plain(key))));
    }
}

#[test]
fn the_status_line_drops_its_parts_in_order() {
    let check = |sandbox, columns, expected: &str| {
        let line = screen(&mut state(sandbox), columns, 10).pop();
        assert_eq!(line.as_deref(), Some(expected), "{columns} columns");
    };
    let all = "gpt-5.2-codex · high · 13k of 272k (5%) · $0.12 · 5h 40% · week 91% until 14:05 · read-only · no network · ~/work/some/where";
    check("read-only", 200, all);
    check(
        "read-only",
        113,
        "gpt-5.2-codex · high · 13k of 272k (5%) · $0.12 · 5h 40% · week 91% until 14:05 · read-only · no network",
    );
    check(
        "read-only",
        117,
        "gpt-5.2-codex · high · 13k of 272k (5%) · $0.12 · 5h 40% · week 91% until 14:05 · read-only · no network · …/where",
    );
    check(
        "read-only",
        80,
        "gpt-5.2-codex · high · 13k of 272k (5%) · 5h 40% · read-only · no network",
    );
    check(
        "read-only",
        50,
        "gpt-5.2-codex · high · read-only · no network",
    );
    check("workspace-write", 40, "gpt-5.2-codex high rw -net");
    check("workspace-write", 25, "gpt-5.2-codex rw -net");
    check("read-only", 20, "gpt-5.2-cod… ro -net");
    check("danger-full-access", 20, "gpt-5.2-c… FULL -net");
    check("danger-full-access", 1, "…");
}

#[test]
fn a_large_and_a_small_screen_show_what_matters() {
    let mut state = state("read-only");
    types(&mut state, "one\ntwo\nthree\nask more");
    let shown = screen(&mut state, 60, 12);
    let expected = [
        "queued: two",
        "queued: three",
        "─ working, Esc ends it ─ 2 queued ─",
        "› ask more",
        "gpt-5.2-codex",
    ];
    assert_eq!(shown.len(), 12);
    for (line, expected) in shown[7..].iter().zip(expected) {
        assert!(line.starts_with(expected), "{line:?} {expected:?}");
    }
    let shown = screen(&mut state, 20, 5);
    assert!(
        shown[..3].iter().any(|line| line.contains("good day")),
        "{shown:?}"
    );
    assert_eq!(shown[3], "› ask more");
    assert_eq!(shown[4], "gpt-5.2-cod… ro -net");
    assert_eq!(screen(&mut state, 20, 2)[0], "› ask more");
    assert_eq!(screen(&mut state, 20, 1), ["› ask more"]);
}

#[test]
fn the_rule_leaves_out_what_does_not_fit() {
    let mut state = state("read-only");
    let check = |state: &ChatState, columns: usize, expected: &str| {
        let line = rule::rule(state, columns);
        let text: String = line.0.iter().map(|span| &*span.text).collect();
        assert_eq!(width(&text), columns.max(1), "{text}");
        assert_eq!(text.trim_end_matches('─').trim_end(), expected);
    };
    types(&mut state, "one\ntwo\n");
    state.step(ChatEvent::Clock(2));
    state.step(ChatEvent::Clock(4));
    state.raw = true;
    check(
        &state,
        100,
        "─ working 3 s, Esc ends it ─ 1 queued: Ctrl+S steers, Up takes back ─ raw",
    );
    check(
        &state,
        70,
        "─ working 3 s, Esc ends it ─ 1 queued: Ctrl+S steers ─ raw",
    );
    check(
        &state,
        56,
        "─ working 3 s, Esc ends it ─ 1 queued: Ctrl+S steers",
    );
    check(&state, 40, "─ working 3 s, Esc ends it ─ 1 queued");
    check(&state, 30, "─ working 3 s ─ 1 queued");
    check(&state, 20, "─ working 3 s");
    check(&state, 9, "");
    let key = KeyPress::plain(Key::Escape);
    state.step(ChatEvent::Input(Input::Key(key)));
    check(&state, 30, "─ stopping ─ 1 queued");
    state.step(ChatEvent::TurnEnded(TurnEnd::Interrupted));
    state.raw = false;
    check(&state, 40, "─ 1 held: Enter sends it, Up edits it");
    check(&state, 30, "─ 1 held: Enter sends it");
    for columns in 0..100 {
        let line = rule::rule(&state, columns);
        let text: String = line.0.iter().map(|span| &*span.text).collect();
        assert_eq!(width(&text), columns.max(1));
    }
}

#[test]
fn a_search_that_fails_says_so_as_a_whole_or_not_at_all() {
    let mut state = state("read-only");
    state.step(ChatEvent::Input(Input::Key(KeyPress::ctrl('f'))));
    types(&mut state, "nothing like this is there");
    let row = |state: &mut ChatState, columns| screen(state, columns, 5)[3].clone();
    assert_eq!(
        row(&mut state, 60),
        "find: nothing like this is there  (not found)"
    );
    assert_eq!(row(&mut state, 30), "find: s is there  (not found)");
    assert_eq!(row(&mut state, 20), "find: this is there");
}

#[test]
fn a_long_question_scrolls_within_a_third_of_the_screen() {
    let mut state = state("read-only");
    let text: Vec<String> = (0..20).map(|n| format!("row {n}")).collect();
    state.step(ChatEvent::Input(Input::Paste(text.join("\n"))));
    let shown = screen(&mut state, 40, 12);
    assert_eq!(
        shown[7..11],
        ["  row 16", "  row 17", "  row 18", "  row 19"]
    );
    assert_eq!(draw(&mut state).cursor(), Some((10, 8)));
    for _ in 0..5 {
        state.step(ChatEvent::Input(Input::Key(KeyPress::plain(Key::Up))));
    }
    let shown = screen(&mut state, 40, 12);
    assert_eq!(
        shown[7..11],
        ["  row 14", "  row 15", "  row 16", "  row 17"]
    );
    assert_eq!(draw(&mut state).cursor(), Some((7, 8)));
}

#[test]
fn wide_characters_and_the_cursor_stay_inside_at_every_width() {
    let mut state = state("workspace-write");
    types(
        &mut state,
        "日本語 and e\u{301} 👩\u{200d}💻 words that are long",
    );
    for columns in 1..=80 {
        for rows in 1..=12 {
            state.step(ChatEvent::Resized(Size { columns, rows }));
            let (row, column) = draw(&mut state).cursor().expect("a cursor");
            assert!(row < rows && column < columns);
        }
    }
}

#[test]
fn a_code_to_enter_and_its_address_are_whole_on_a_small_screen() {
    let mut state = state("read-only");
    types(&mut state, "/login\n");
    assert!(screen(&mut state, 60, 10)[6].starts_with("sign-in: requesting"));
    state.step(ChatEvent::SignIn(SignInEvent::Code {
        address: "https://auth.openai.com/codex/device".into(),
        code: "ABCD-12345".into(),
    }));
    let shown = screen(&mut state, 20, 7);
    assert!(shown.concat().contains("ABCD-12345"), "{shown:#?}");
    let shown = screen(&mut state, 60, 8);
    assert!(shown.contains(&"at https://auth.openai.com/codex/device".to_owned()));
}

#[test]
fn a_list_keeps_the_selected_entry_in_view() {
    let mut state = state("read-only");
    let session = |n: usize| SessionEntry {
        id: n.to_string(),
        used: format!("day {n}"),
        model: "m".into(),
        first: "word ".repeat(50),
    };
    state.step(ChatEvent::Sessions((0..40).map(session).collect()));
    for _ in 0..30 {
        state.step(ChatEvent::Input(Input::Key(KeyPress::plain(Key::Down))));
    }
    for rows in 3..40 {
        let shown = screen(&mut state, 40, rows);
        let line = shown.iter().find(|line| line.starts_with("› day 30"));
        let line = line.unwrap_or_else(|| panic!("{rows} rows: {shown:#?}"));
        assert!(line.ends_with('…') && width(line) <= 40);
        assert_eq!(draw(&mut state).cursor(), None);
    }
}

#[test]
fn model_sandbox_and_network_stay_at_every_width() {
    for (sandbox, short) in [
        ("read-only", "ro"),
        ("workspace-write", "rw"),
        ("danger-full-access", "FULL"),
    ] {
        let mut state = state(sandbox);
        for network in [false, true] {
            state.network = network;
            for columns in 20..=200 {
                let line = status::status(&state, columns);
                let text: String = line.0.iter().map(|span| &*span.text).collect();
                assert!(width(&text) <= columns, "{columns}: {text}");
                assert!(text.starts_with("gpt-5.2-c"), "{columns}: {text}");
                let long = text.contains(sandbox)
                    && text.contains("network")
                    && text.contains("no network") != network;
                let short = text.contains(&format!(" {short} "))
                    && text.ends_with(if network { "+net" } else { "-net" });
                assert!(long || short, "{columns}: {text}");
            }
        }
    }
}

#[test]
fn everything_at_once_is_drawn_at_every_size() {
    let mut state = state("danger-full-access");
    types(&mut state, "one\ntwo\nthree\n/mod");
    for (columns, rows) in (1..=200).zip((1..=60).cycle()) {
        assert_eq!(screen(&mut state, columns, rows).len(), usize::from(rows));
    }
    types(&mut state, "el\n");
    for (columns, rows) in (1..=200).zip((1..=60).cycle()) {
        assert_eq!(screen(&mut state, columns, rows).len(), usize::from(rows));
    }
}
