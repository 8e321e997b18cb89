//! Tests of the decoder.

use super::*;

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A decoder whose terminal has shown that it marks pastes, or has not.
fn decoder(marks_pastes: bool) -> Decoder {
    let mut decoder = Decoder::new();
    if marks_pastes {
        assert_eq!(decoder.feed(b"\x1b[?2004;2$y", ms(0)), []);
    }
    decoder
}

/// What these pieces are, which arrive a millisecond after each other and are followed by silence.
fn decode(pieces: &[&[u8]], marks_pastes: bool) -> Vec<Input> {
    let mut decoder = decoder(marks_pastes);
    let mut inputs = Vec::new();
    let mut at = ms(10);
    for piece in pieces {
        at += ms(1);
        inputs.extend(decoder.feed(piece, at));
        assert!(decoder.pending.len() < MAX_SEQUENCE_BYTES);
    }
    inputs.extend(decoder.flush(at + ms(10_000)));
    assert_eq!(decoder.deadline(), None);
    assert_eq!(decoder.flush(at + ms(20_000)), []);
    inputs
}

fn key(key: Key, modifiers: &str) -> Input {
    Input::Key(KeyPress {
        key,
        ctrl: modifiers.contains('c'),
        alt: modifiers.contains('a'),
        shift: modifiers.contains('s'),
    })
}

fn char_key(c: char, modifiers: &str) -> Input {
    key(Key::Char(c), modifiers)
}

fn pasted(text: &str) -> Input {
    Input::Paste(text.to_owned())
}

/// Sequences, and what each is; none for those that are swallowed.
fn known() -> Vec<(&'static str, Option<Input>)> {
    let mut known = vec![
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
        // modifyOtherKeys.
        ("\x1b[27;6;80~", Some(char_key('p', "cs"))),
        ("\x1b[27;6;112~", Some(char_key('p', "cs"))),
        ("\x1b[27;5;13~", Some(key(Key::Enter, "c"))),
        ("\x1b[27;2;65~", Some(char_key('A', ""))),
        ("\x1b[27;5;9~", Some(key(Key::Tab, "c"))),
    ];
    known.extend([
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
        // Swallowed: releases, keys of the window manager, function keys, reports, and what does not exist.
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
        ("\x1b[<35;10;10M", None),
        ("\x1b[M !!", None),
        ("\x1b[201~", None),
        ("\x1b[ q", None),
        ("\x1b[=1;2;3!}", None),
        ("\x1b]11;rgb:0000/0000/0000\x07", None),
        ("\x1b]11;rgb:0000/0000/0000\x1b\\", None),
        ("\x1bP1$r0m\x1b\\", None),
        ("\x1b_Gi=1;OK\x1b\\", None),
    ]);
    known
}

fn whole(known: &[(&str, Option<Input>)]) -> (String, Vec<Input>) {
    let bytes = known.iter().map(|(bytes, _)| *bytes).collect();
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
        for marks_pastes in [false, true] {
            for i in 0..=bytes.len() {
                for j in i..=bytes.len() {
                    let pieces = [&bytes[..i], &bytes[i..j], &bytes[j..]];
                    let text = String::from_utf8_lossy(bytes);
                    assert_eq!(
                        decode(&pieces, marks_pastes),
                        expected,
                        "{text:?} cut at {i} and {j}"
                    );
                }
            }
        }
    }
}

#[test]
fn sequences_follow_each_other_in_any_pieces() {
    let (bytes, expected) = whole(&known());
    let bytes = bytes.as_bytes();
    assert_eq!(decode(&[bytes], true), expected);
    for cut in 0..=bytes.len() {
        assert_eq!(
            decode(&[&bytes[..cut], &bytes[cut..]], true),
            expected,
            "cut at {cut}"
        );
    }
    for length in 1..80 {
        let pieces: Vec<&[u8]> = bytes.chunks(length).collect();
        assert_eq!(decode(&pieces, true), expected, "in pieces of {length}");
    }
}

#[test]
fn every_cut_of_a_paste_is_the_same_paste() {
    let check = |bytes: &str, expected: &[Input]| {
        let bytes = bytes.as_bytes();
        for i in 0..=bytes.len() {
            for j in i..=bytes.len() {
                let pieces = [&bytes[..i], &bytes[i..j], &bytes[j..]];
                assert_eq!(decode(&pieces, false), expected, "cut at {i} and {j}");
            }
        }
    };
    let text = "\x1b[200~fn é() {\r\n\tx\r}\n\x1b[31m日\x03\u{9b}\x7f\x1b[20~\x1b[201~";
    let inputs = [pasted("fn é() {\n\tx\n}\n[31m日[20~")];
    check(text, &inputs);
    check(
        "a\x1b[200~\r\x1b[201~\r",
        &[char_key('a', ""), pasted("\n"), key(Key::Enter, "")],
    );
    check("\x1b[200~\x1b[201~", &[]);
    check(
        "\x1b[200~a\x1b[201~\x1b[200~b\x1b[201~",
        &[pasted("a"), pasted("b")],
    );
    // What follows an Escape is not part of it.
    check(
        "\x1b\x1b[200~a\x1b[201~",
        &[key(Key::Escape, ""), pasted("a")],
    );
    check("\x1b[200~never ended\r", &[pasted("never ended\n")]);
}

#[test]
fn a_burst_of_text_is_a_paste_where_pastes_are_not_marked() {
    let check = |bytes: &str, expected: &[Input]| {
        let bytes = bytes.as_bytes();
        for i in 0..=bytes.len() {
            for j in i..=bytes.len() {
                let pieces = [&bytes[..i], &bytes[i..j], &bytes[j..]];
                assert_eq!(decode(&pieces, false), expected, "cut at {i} and {j}");
            }
        }
    };
    check("ls\r", &[pasted("ls\n")]);
    check("é\r\n日", &[pasted("é\n日")]);
    check("\r\r", &[pasted("\n\n")]);
    check("\ta\tb", &[pasted("\ta\tb")]);
    check("\r\n", &[key(Key::Enter, "")]);
    check("\r", &[key(Key::Enter, "")]);
    check("a\t", &[char_key('a', ""), key(Key::Tab, "")]);
    check("\t\t", &[key(Key::Tab, ""), key(Key::Tab, "")]);
    check(
        "a\x1b[A\r\x05b",
        &[
            char_key('a', ""),
            key(Key::Up, ""),
            key(Key::Enter, ""),
            char_key('e', "c"),
            char_key('b', ""),
        ],
    );
    check(
        "ab\x7fc",
        &[pasted("ab"), key(Key::Backspace, ""), char_key('c', "")],
    );
}

#[test]
fn where_pastes_are_marked_text_is_typed_and_reported_at_once() {
    let mut decoder = decoder(true);
    assert_eq!(
        decoder.feed(b"a\r", ms(10)),
        [char_key('a', ""), key(Key::Enter, "")]
    );
    assert_eq!(decoder.deadline(), None);
    let mut decoder = Decoder::new();
    assert_eq!(
        decoder.feed(b"\x1b[200~x\x1b[201~a\r", ms(10)),
        [pasted("x"), char_key('a', ""), key(Key::Enter, "")]
    );
}

#[test]
fn a_burst_ends_after_five_milliseconds() {
    let mut decoder = Decoder::new();
    assert_eq!(decoder.feed(b"a", ms(100)), []);
    assert_eq!(decoder.deadline(), Some(ms(105)));
    assert_eq!(decoder.flush(ms(104)), []);
    assert_eq!(decoder.flush(ms(105)), [char_key('a', "")]);
    assert_eq!(decoder.deadline(), None);
    assert_eq!(decoder.feed(b"b", ms(200)), []);
    assert_eq!(decoder.feed(b"\r", ms(204)), []);
    assert_eq!(decoder.feed(b"\r", ms(209)), [pasted("b\n")]);
    assert_eq!(decoder.flush(ms(214)), [key(Key::Enter, "")]);
}

#[test]
fn escape_is_escape_after_a_silence() {
    let mut decoder = Decoder::new();
    assert_eq!(decoder.feed(b"\x1b", ms(100)), []);
    assert_eq!(decoder.deadline(), Some(ms(130)));
    assert_eq!(decoder.flush(ms(129)), []);
    assert_eq!(decoder.flush(ms(130)), [key(Key::Escape, "")]);
    assert_eq!(decoder.deadline(), None);
    // Nobody called `flush`.
    assert_eq!(decoder.feed(b"\x1b", ms(1000)), []);
    assert_eq!(
        decoder.feed(b"\x03", ms(1030)),
        [key(Key::Escape, ""), char_key('c', "c")]
    );
    assert_eq!(
        decoder.feed(b"\x1b\x1b\x1b", ms(2000)),
        [key(Key::Escape, "")]
    );
    assert_eq!(
        decoder.flush(ms(2030)),
        [key(Key::Escape, ""), key(Key::Escape, "")]
    );
    assert_eq!(
        decode(&[b"\x1b\x1bx"], true),
        [key(Key::Escape, ""), char_key('x', "a")]
    );
    assert_eq!(
        decode(&[b"\x1b\xff"], true),
        [key(Key::Escape, ""), char_key('\u{fffd}', "")]
    );
}

#[test]
fn a_sequence_may_be_slow() {
    let mut decoder = decoder(true);
    assert_eq!(decoder.feed(b"\x1b[1", ms(100)), []);
    assert_eq!(decoder.deadline(), Some(ms(600)));
    assert_eq!(decoder.feed(b";5A", ms(500)), [key(Key::Up, "c")]);
    // Its ESC was taken for the Escape key.
    for (late, input) in [
        ("[A", key(Key::Up, "")),
        ("OH", key(Key::Home, "")),
        ("[200~x\r\x1b[201~", pasted("x\n")),
    ] {
        assert_eq!(decoder.feed(b"\x1b", ms(1000)), []);
        assert_eq!(decoder.flush(ms(1050)), [key(Key::Escape, "")]);
        assert_eq!(decoder.feed(late.as_bytes(), ms(1200)), [input]);
    }
    for typed in ["[", "[A]", "OHM", "O"] {
        decoder.feed(b"\x1b", ms(1000));
        decoder.flush(ms(1050));
        let expected: Vec<Input> = typed.chars().map(|c| char_key(c, "")).collect();
        assert_eq!(decoder.feed(typed.as_bytes(), ms(1200)), expected);
    }
    decoder.feed(b"\x1b", ms(1000));
    decoder.flush(ms(1050));
    assert_eq!(
        decoder.feed(b"[A", ms(1600)),
        [char_key('[', ""), char_key('A', "")]
    );
}

#[test]
fn what_never_ends_is_given_up_after_a_silence() {
    let check = |bytes: &[u8], expected: &[Input]| {
        let mut decoder = decoder(true);
        assert_eq!(decoder.feed(bytes, ms(100)), []);
        assert_eq!(decoder.deadline(), Some(ms(600)));
        assert_eq!(decoder.flush(ms(599)), []);
        assert_eq!(decoder.flush(ms(600)), expected);
        assert_eq!(decoder.feed(b"a", ms(601)), [char_key('a', "")]);
    };
    check(b"\x1b[", &[char_key('[', "a")]);
    check(b"\x1bO", &[char_key('O', "a")]);
    check(b"\x1bP", &[char_key('P', "a")]);
    check(b"\x1b]", &[char_key(']', "a")]);
    check(b"\x1b[1;", &[]);
    check(b"\x1b]11;", &[]);
    check(b"\xf0\x9f\x98", &[char_key('\u{fffd}', "")]);
    check(b"\x1b\xc3", &[]);
    check(&[b"\x1b]52;c;".as_slice(), &[b'A'; 5000]].concat(), &[]);
    check(&[b"\x1b[".as_slice(), &[b'1'; 5000]].concat(), &[]);
}

#[test]
fn a_paste_without_an_end_ends_after_a_silence_and_its_rest_never_sends() {
    let mut decoder = decoder(true);
    assert_eq!(decoder.feed(b"\x1b[200~a\r", ms(100)), []);
    assert_eq!(decoder.deadline(), Some(ms(1100)));
    assert_eq!(decoder.flush(ms(1099)), []);
    assert_eq!(decoder.flush(ms(1100)), [pasted("a\n")]);
    assert_eq!(decoder.feed(b"b\r\x1b[201~", ms(1300)), [pasted("b\n")]);
}

#[test]
fn a_long_paste_comes_in_parts_that_are_the_text() {
    let line = "日本 \r\n";
    let text = line.repeat(MAX_PASTE_BYTES / line.len() * 2 + 9);
    let marked = format!("\x1b[200~{text}\x1b[201~\x0e");
    for (bytes, cut) in [
        (&marked, 4096),
        (&marked, 1 << 20),
        (&marked, usize::MAX),
        (&text, 4095),
        (&text, usize::MAX),
    ] {
        let mut inputs = decode(
            &bytes
                .as_bytes()
                .chunks(cut.min(bytes.len()))
                .collect::<Vec<_>>(),
            false,
        );
        if bytes == &marked {
            assert_eq!(inputs.pop(), Some(char_key('n', "c")));
        }
        assert_eq!(inputs.len(), 3);
        let parts: String = inputs
            .iter()
            .map(|input| match input {
                Input::Paste(part) => part.as_str(),
                Input::Key(press) => panic!("{press:?}"),
            })
            .collect();
        assert!(parts == text.replace("\r\n", "\n"));
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_replaced() {
    let check = |bytes: &[u8], expected: &str| {
        let expected: Vec<Input> = expected.chars().map(|c| char_key(c, "")).collect();
        for cut in 0..=bytes.len() {
            assert_eq!(decode(&[&bytes[..cut], &bytes[cut..]], true), expected);
        }
    };
    check(b"a\xffb", "a\u{fffd}b");
    check(b"\xc3(", "\u{fffd}(");
    check(b"\xe6\x97\xe6\x97\xa5", "\u{fffd}日");
    check(b"\xc0\x80", "\u{fffd}\u{fffd}");
    check(b"\x9b\xed\xa0\x80", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}");
    check(b"\xf0\x9f", "\u{fffd}");
}

#[test]
fn random_bytes_in_random_pieces_are_the_same_inputs() {
    const PIECES: [&[u8]; 30] = [
        b"\x1b",
        b"\x1b",
        b"\x1b[",
        b"\x1bO",
        b"\x1b]",
        b"\x1bP",
        b"[",
        b"O",
        b"1",
        b"27",
        b";",
        b":",
        b"~",
        b"u",
        b"A",
        b"M",
        b"$",
        b"^",
        b"\r",
        b"\n",
        b"\t",
        b"a",
        b"\xc3",
        b"\xa9",
        b"\xff",
        b"\x07",
        b"\\",
        b"\x1b[200~",
        b"\x1b[201~",
        b"1111111111111111111111",
    ];
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |limit: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 33).expect("31 bits") % limit
    };
    for round in 0..30_000 {
        let bytes: Vec<u8> = (0..below(12))
            .flat_map(|_| PIECES[below(PIECES.len())])
            .copied()
            .collect();
        let (marks_pastes, length) = (round % 2 == 0, below(7) + 1);
        let expected = decode(&[&bytes], marks_pastes);
        let pieces: Vec<&[u8]> = bytes.chunks(length).collect();
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(
            decode(&pieces, marks_pastes),
            expected,
            "{text:?} in pieces of {length}"
        );
    }
}
