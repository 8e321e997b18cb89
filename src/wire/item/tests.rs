//! Items as the service sends them.

use super::super::fingerprint::fingerprint;
use super::*;
use crate::wire::raw_text::TextPiece;

fn check(json: &str, expected: Option<ItemKind>) {
    let raw: Box<RawValue> = serde_json::from_str(json).expect("JSON");
    let item = Item::parse(&raw);
    assert_eq!(
        item.as_ref().map(|item| item.kind.clone()),
        expected,
        "{json}"
    );
    if let Some(item) = item {
        assert_eq!(item.raw(), json.as_bytes());
    }
}

fn message(text: &str, refusal: &str) -> Message {
    Message {
        has_text: false,
        fingerprint: fingerprint(text),
        refusal: Some(refusal.to_owned()).filter(|words| !words.is_empty()),
        unfinished: false,
    }
}

#[test]
fn items_are_classified_and_kept_byte_for_byte() {
    check(
        r#"{"type":"message", "content":[{"type":"output_text","text":"a\n"},{"type":"output_text","text":"b"},7,{"type":"x"}]}"#,
        Some(ItemKind::Message(Message {
            has_text: true,
            ..message("a\nb", "")
        })),
    );
    check(
        r#"{"type":"message","content":[{"type":"refusal","refusal":"no"}]}"#,
        Some(ItemKind::Message(message("", "no"))),
    );
    check(
        r#"{"type":"message","content":null}"#,
        Some(ItemKind::Message(message("", ""))),
    );
    check(
        r#"{"type":"reasoning","encrypted_content":"gA=="}"#,
        Some(ItemKind::Reasoning { sealed: true }),
    );
    check(
        r#"{"type":"reasoning","encrypted_content":null}"#,
        Some(ItemKind::Reasoning { sealed: false }),
    );
    let json =
        r#"{"type":"reasoning","summary":[{"type":"summary_text","text":"a"},7,{"text":"b"}]}"#;
    let raw: Box<RawValue> = serde_json::from_str(json).expect("JSON");
    let summary = Item::parse(&raw).and_then(|item| item.summary());
    assert_eq!(summary.as_deref(), Some("a\n\nb"));
    check(
        r#"{"type":"apply_patch_call"}"#,
        PendingItem::read(Some("apply_patch_call"), None, None).map(ItemKind::Waiting),
    );
    check(
        r#"{"type":"brand_new_call","call_id":"c","execution":"client"}"#,
        PendingItem::read(Some("brand_new_call"), Some("c".into()), Some("client"))
            .map(ItemKind::Waiting),
    );
    check(
        r#"{"type":"shell_call_output","call_id":"c"}"#,
        Some(ItemKind::Result(Some("c".into()))),
    );
    check(r#"{"type":"new","call_id":null}"#, Some(ItemKind::Other));
    check(r#"{"type":"compaction"}"#, Some(ItemKind::Other));
    check(r#"{"type":7}"#, Some(ItemKind::Other));
    check("[1]", None);
}

#[test]
fn a_message_with_undecodable_text_is_rejected() {
    check(
        r#"{"type":"message","content":[{"type":"output_text","text":7}]}"#,
        None,
    );
    check(r#"{"type":"message","content":{}}"#, None);
}

#[test]
fn a_call_needs_a_name_and_an_id() {
    let call = |arguments: &str, unfinished| {
        Some(ItemKind::Call(Call {
            call_id: "c".into(),
            name: "n".into(),
            arguments: arguments.into(),
            unfinished,
        }))
    };
    check(
        r#"{"type":"function_call","call_id":"c","name":"n","arguments":"{\"a\":1}"}"#,
        call(r#"{"a":1}"#, false),
    );
    check(
        r#"{"type":"function_call","call_id":"c","name":"n","arguments":{"a":1},"status":"incomplete"}"#,
        call(r#"{"a":1}"#, true),
    );
    check(
        r#"{"type":"function_call","call_id":"c","name":"n"}"#,
        call("", false),
    );
    check(r#"{"type":"function_call","call_id":"","name":"n"}"#, None);
    check(r#"{"type":"function_call","call_id":"c"}"#, None);
}

#[test]
fn the_raw_text_of_a_message_is_its_text() {
    let check = |content: &str| {
        let raw = format!(r#"{{"type":"message","role":"assistant","content":{content}}}"#);
        let item = serde_json::from_str::<Box<RawValue>>(&raw).expect("JSON");
        let item = Item::parse(&item).expect("a message");
        let mut text = String::new();
        let pieces = item.raw_text().each(|piece| {
            match piece {
                TextPiece::Plain(plain) => text.push_str(plain),
                TextPiece::Escaped(character) => text.push(character),
            }
            Ok::<(), ()>(())
        });
        assert_eq!((pieces, &*text), (Ok(()), &*item.text()), "{content}");
    };
    check("[]");
    check(
        r#"[{"type":"output_text","text":"a"},{"type":"refusal","refusal":"no"},{"type":"text","text":"\n\u00e9\"\\"}]"#,
    );
    check(r#"[{"type":"output_text","text":"\ud83d\ude00 \ud83d \/"}]"#);
}
