//! Every frame that is read by its form gives what the general parser gives.

use super::super::event::{Event, parse};
use super::*;

/// What the general parser reads: the output index and the text.
fn general(frame: &[u8]) -> Option<(Option<u64>, String)> {
    match parse(frame) {
        Some(Event::Text(place, text)) => Some((place.index, text.into_owned())),
        _ => None,
    }
}

fn learned(frame: &str) -> DeltaForm {
    let mut form = DeltaForm::default();
    form.learn(
        frame.as_bytes(),
        general(frame.as_bytes())
            .and_then(|(index, _)| index)
            .expect("a delta"),
    );
    form
}

const OPENAI: &str = r#"{"type":"response.output_text.delta","content_index":0,"delta":"a","item_id":"msg_1","logprobs":[],"obfuscation":"x","output_index":1,"sequence_number":9}"#;
const OTHERS: &[&str] = &[
    OPENAI,
    r#"{"delta": "\n", "item_id": "m\"", "output_index": 0, "sequence_number": 10, "type": "response.output_text.delta"}"#,
    r#"{"type":"response.output_text.delta","output_index":7,"delta":"","logprobs":[{"token":"a","delta":"b"}],"x":1.5,"y":-1,"z":null}"#,
];

#[test]
fn a_plain_text_is_borrowed_and_other_values_may_differ() {
    let (mut form, mut decoded) = (learned(OPENAI), String::new());
    let next = OPENAI
        .replace("\"a\"", "\"caf\u{e9} and more text\"")
        .replace("msg_1", "msg_22")
        .replace(":9}", ":10}")
        .replace("\"x\"", "\"\"");
    let range = next.as_bytes().as_ptr_range();
    let delta = form.read(next.as_bytes(), &mut decoded).expect("a delta");
    assert_eq!(
        (delta.output_index, delta.text),
        (1, "caf\u{e9} and more text")
    );
    assert!(range.contains(&delta.text.as_ptr()));
    for other in [
        "\"output_index\":2",
        "\"content_index\":x",
        "\"logprobs\":[1]",
    ] {
        let (key, _) = other.split_once(':').expect("a key");
        let frame = OPENAI.replace(
            &format!(
                "{key}:{}",
                if key.contains("log") {
                    "[]"
                } else if key.contains("con") {
                    "0"
                } else {
                    "1"
                }
            ),
            other,
        );
        assert_ne!(frame, OPENAI);
        assert_eq!(
            form.read(frame.as_bytes(), &mut String::new()),
            None,
            "{frame}"
        );
    }
}

/// Every byte of a frame is replaced, removed or repeated: what is read agrees with the general parser.
#[test]
fn whatever_is_read_is_what_the_general_parser_reads() {
    let bytes: &[&[u8]] = &[
        b"",
        b"\"",
        b"\\",
        b"\\n",
        b"\\u00e9",
        b"\\ud83d\\ude00",
        b"\\ud83d",
        b"\\u12",
        b"\\x",
        b"\n",
        b"0",
        b"01",
        b"{",
        b"}",
        b"]",
        b",",
        b":",
        b" ",
        b"\xc3\xa9",
        b"\xff",
        b"\x7f",
        b"e5",
        b".5",
        b"-",
    ];
    let (mut read, mut refused) = (0, 0);
    for learned_from in OTHERS {
        let mut form = learned(learned_from);
        for frame in OTHERS {
            for at in 0..frame.len() {
                for replacement in bytes {
                    for keep in [0, 1] {
                        let (before, after) = frame.as_bytes().split_at(at);
                        let changed = [before, replacement, &after[1 - keep..]].concat();
                        match form.read(&changed, &mut String::new()) {
                            Some(delta) => {
                                read += 1;
                                let found = (Some(delta.output_index), delta.text.to_owned());
                                // Text beside the delta may be invalid; the general parser gets it replaced then.
                                let text = String::from_utf8_lossy(&changed);
                                assert_eq!(Some(found), general(text.as_bytes()), "{text}");
                            }
                            None => refused += 1,
                        }
                    }
                }
            }
        }
    }
    assert!(read > 500 && refused > 500, "{read} {refused}");
}

#[test]
fn escapes_are_decoded_as_the_general_parser_does() {
    for text in [
        r"\n",
        r#"\"\\\/\b\f\n\r\t"#,
        r"\u0041\u00e9\u20ac",
        r"\ud83d\ude00!",
        r"\ud83d",
        r"\ude00\ud83d",
        r"\ud83d\u0041",
        r"plain text before \u0000 and after",
        r"a\u00e9\u00e9",
        "\u{e9}\\n\u{1f980}\\t",
        r"\ud83dé",
    ] {
        let frame = OPENAI.replace("\"a\"", &format!("\"{text}\""));
        let (mut form, mut decoded) = (learned(OPENAI), String::new());
        let delta = form.read(frame.as_bytes(), &mut decoded).expect(text);
        assert_eq!(
            Some((Some(1), delta.text.to_owned())),
            general(frame.as_bytes()),
            "{text}"
        );
    }
}

#[test]
fn forms_that_never_come_again_are_not_learned_forever() {
    let mut form = DeltaForm::default();
    for n in 0..20 {
        let frame = OPENAI.replace("content_index", &format!("content_index_{n}"));
        assert_eq!(form.read(frame.as_bytes(), &mut String::new()), None);
        form.learn(frame.as_bytes(), 1);
    }
    assert_eq!(form.misses, MAX_MISSES);
}

#[test]
fn special_bytes_are_found_at_every_offset() {
    for special in [b'"', b'\\', b'\n', 0, 0x1f] {
        for at in 0..40 {
            let mut bytes = vec![b'\xc3'; 40];
            bytes[at] = special;
            assert_eq!(plain_length(&bytes), at);
        }
    }
    assert_eq!(plain_length(b"\x20\x21\x23\x5b\x5d\x7f\x80\xff\x20"), 9);
}
