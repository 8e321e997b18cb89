//! Tests of every sequence that the decoder knows, in any pieces.

use super::tests::{char_key, decode, key};
use super::{Input, Key};

/// Sequences, and what each is; none for those that are swallowed.
fn known() -> Vec<(&'static str, Option<Input>)> {
    [legacy_keys(), protocol_keys(), swallowed()].concat()
}

fn legacy_keys() -> Vec<(&'static str, Option<Input>)> {
    vec![
        // Control characters.
        ("\r", Some(key(Key::Enter, ""))),
        ("\n", Some(char_key('j', "c"))),
        ("\t", Some(key(Key::Tab, ""))),
        ("\x7f", Some(key(Key::Backspace, ""))),
        ("\x08", Some(key(Key::Backspace, ""))),
        ("\0", Some(char_key(' ', "c"))),
        ("\x03", Some(char_key('c', "c"))),
        ("\x10", Some(char_key('p', "c"))),
        ("\x1c", Some(char_key('\\', "c"))),
        ("\x1f", Some(char_key('_', "c"))),
        // Text.
        ("a", Some(char_key('a', ""))),
        ("A", Some(char_key('A', ""))),
        ("é", Some(char_key('é', ""))),
        ("日", Some(char_key('日', ""))),
        ("😀", Some(char_key('😀', ""))),
        ("\u{85}", None),
        // Alt.
        ("\x1bb", Some(char_key('b', "a"))),
        ("\x1bé", Some(char_key('é', "a"))),
        ("\x1b\r", Some(key(Key::Enter, "a"))),
        ("\x1b\x7f", Some(key(Key::Backspace, "a"))),
        ("\x1b\x10", Some(char_key('p', "ac"))),
        ("\x1b ", Some(char_key(' ', "a"))),
        ("\x1b\x1b[A", Some(key(Key::Up, "a"))),
        ("\x1b\x1bOD", Some(key(Key::Left, "a"))),
        ("\x1b\x1b[5~", Some(key(Key::PageUp, "a"))),
        // xterm and VT220.
        ("\x1b[A", Some(key(Key::Up, ""))),
        ("\x1bOB", Some(key(Key::Down, ""))),
        ("\x1b[H", Some(key(Key::Home, ""))),
        ("\x1bOF", Some(key(Key::End, ""))),
        ("\x1b[1~", Some(key(Key::Home, ""))),
        ("\x1b[8~", Some(key(Key::End, ""))),
        ("\x1b[3~", Some(key(Key::Delete, ""))),
        ("\x1b[6~", Some(key(Key::PageDown, ""))),
        ("\x1b[1;5A", Some(key(Key::Up, "c"))),
        ("\x1b[1;2B", Some(key(Key::Down, "s"))),
        ("\x1b[1;8C", Some(key(Key::Right, "acs"))),
        ("\x1b[1;3D", Some(key(Key::Left, "a"))),
        ("\x1bO1;5H", Some(key(Key::Home, "c"))),
        ("\x1b[3;5~", Some(key(Key::Delete, "c"))),
        ("\x1b[Z", Some(key(Key::Tab, "s"))),
        ("\x1bOM", Some(key(Key::Enter, ""))),
        ("\x1bOj", Some(char_key('*', ""))),
        ("\x1bOy", Some(char_key('9', ""))),
        // rxvt.
        ("\x1b[a", Some(key(Key::Up, "s"))),
        ("\x1bOb", Some(key(Key::Down, "c"))),
        ("\x1b[5$", Some(key(Key::PageUp, "s"))),
        ("\x1b[7^", Some(key(Key::Home, "c"))),
        ("\x1b[8@", Some(key(Key::End, "cs"))),
    ]
}

fn protocol_keys() -> Vec<(&'static str, Option<Input>)> {
    vec![
        // modifyOtherKeys.
        ("\x1b[27;6;80~", Some(char_key('p', "cs"))),
        ("\x1b[27;6;112~", Some(char_key('p', "cs"))),
        ("\x1b[27;5;13~", Some(key(Key::Enter, "c"))),
        ("\x1b[27;2;65~", Some(char_key('A', ""))),
        ("\x1b[27;5;9~", Some(key(Key::Tab, "c"))),
        // kitty.
        ("\x1b[112;6u", Some(char_key('p', "cs"))),
        ("\x1b[112:80;6u", Some(char_key('p', "cs"))),
        ("\x1b[99;5u", Some(char_key('c', "c"))),
        ("\x1b[112;3u", Some(char_key('p', "a"))),
        ("\x1b[27u", Some(key(Key::Escape, ""))),
        ("\x1b[13;2u", Some(key(Key::Enter, "s"))),
        ("\x1b[13;3u", Some(key(Key::Enter, "a"))),
        ("\x1b[127;3u", Some(key(Key::Backspace, "a"))),
        ("\x1b[57414u", Some(key(Key::Enter, ""))),
        ("\x1b[57419;2u", Some(key(Key::Up, "s"))),
        ("\x1b[57400u", Some(char_key('1', ""))),
        ("\x1b[57413u", Some(char_key('+', ""))),
        ("\x1b[97;2u", Some(char_key('A', ""))),
        ("\x1b[50:34;2u", Some(char_key('"', ""))),
        ("\x1b[97;1:2u", Some(char_key('a', ""))),
        ("\x1b[1;5:1A", Some(key(Key::Up, "c"))),
        ("\x1b[97;129u", Some(char_key('a', ""))),
        ("\x1b[105;5u", Some(key(Key::Tab, ""))),
        ("\x1b[91;5u", Some(key(Key::Escape, ""))),
        ("\x1b[106;5u", Some(char_key('j', "c"))),
        ("\x1b[246;5u", Some(char_key('ö', "c"))),
    ]
}

fn swallowed() -> Vec<(&'static str, Option<Input>)> {
    vec![
        // Releases, keys of the window manager, function keys, reports, and what does not exist.
        ("\x1b[97;1:3u", None),
        ("\x1b[1;1:3B", None),
        ("\x1b[99;9u", None),
        ("\x1b[57358u", None),
        ("\x1b[4294967295u", None),
        ("\x1b[99999999999u", None),
        ("\x1b[55296u", None),
        ("\x1b[2~", None),
        ("\x1b[15~", None),
        ("\x1b[24;5~", None),
        ("\x1bOP", None),
        ("\x1b[[A", None),
        ("\x1b[I", None),
        ("\x1b[12;40R", None),
        ("\x1b[?1;2c", None),
        ("\x1b[>0;276;0c", None),
        ("\x1b[?1u", None),
        ("\x1b[?2004;2$y", None),
        ("\x1b[<35;10;10M", None),
        ("\x1b[M !!", None),
        ("\x1b[201~", None),
        ("\x1b[ q", None),
        ("\x1b[=1;2;3!}", None),
        ("\x1b]11;rgb:0000/0000/0000\x07", None),
        ("\x1b]11;rgb:0000/0000/0000\x1b\\", None),
        ("\x1bP1$r0m\x1b\\", None),
        ("\x1b_Gi=1;OK\x1b\\", None),
    ]
}

/// All of them, each followed by a report of the terminal, which ends a burst.
fn whole(known: &[(&str, Option<Input>)]) -> (String, Vec<Input>) {
    let bytes = known.iter().flat_map(|(bytes, _)| [*bytes, "\x1b[I"]);
    let bytes = bytes.collect();
    (
        bytes,
        known
            .iter()
            .filter_map(|(_, input)| input.clone())
            .collect(),
    )
}

#[test]
fn every_cut_of_every_sequence_is_the_same_key() {
    for (bytes, input) in known() {
        let expected: Vec<Input> = input.into_iter().collect();
        let bytes = bytes.as_bytes();
        for i in 0..=bytes.len() {
            for j in i..=bytes.len() {
                let pieces = [&bytes[..i], &bytes[i..j], &bytes[j..]];
                let text = String::from_utf8_lossy(bytes);
                assert_eq!(decode(&pieces), expected, "{text:?} cut at {i} and {j}");
            }
        }
    }
}

#[test]
fn sequences_follow_each_other_in_any_pieces() {
    let (bytes, expected) = whole(&known());
    let bytes = bytes.as_bytes();
    assert_eq!(decode(&[bytes]), expected);
    for cut in 0..=bytes.len() {
        assert_eq!(
            decode(&[&bytes[..cut], &bytes[cut..]]),
            expected,
            "cut at {cut}"
        );
    }
    for length in 1..80 {
        let pieces: Vec<&[u8]> = bytes.chunks(length).collect();
        assert_eq!(decode(&pieces), expected, "in pieces of {length}");
    }
}

#[test]
fn every_cut_of_a_long_sequence_is_the_same() {
    for count in 50..70 {
        let fill = "1".repeat(count);
        for (before, after) in [
            ("\x1b[", "A"),
            ("\x1b[1;", "A"),
            ("\x1bO", "A"),
            ("\x1b\x1b[", "A"),
            ("\x1b[", "\x1b[A"),
            ("\x1b]", "\x1b\\"),
            ("\x1b]", "\x07"),
            ("\x1bP", "\x1b[A"),
            ("\x1b\x1b]", "\x1b\x1b[A"),
        ] {
            let bytes = format!("{before}{fill}{after}z").into_bytes();
            let expected = decode(&[&bytes]);
            assert_eq!(expected.last(), Some(&char_key('z', "")));
            for i in 0..=bytes.len() {
                for j in [i, (i + 1).min(bytes.len()), bytes.len()] {
                    let pieces = [&bytes[..i], &bytes[i..j], &bytes[j..]];
                    let text = String::from_utf8_lossy(&bytes);
                    assert_eq!(decode(&pieces), expected, "{text:?} cut at {i} and {j}");
                }
            }
        }
    }
}
