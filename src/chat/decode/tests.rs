//! Tests of the decoder.

use super::*;

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// What bytes are that arrive at this time and are followed by the silence that ends a burst.
fn feed(decoder: &mut KeyDecoder, bytes: &[u8], at: Duration) -> Vec<Input> {
    let mut inputs = decoder.feed(bytes, at);
    inputs.extend(decoder.flush(at + BURST_TIMEOUT));
    inputs
}

/// What these pieces are, which arrive a millisecond after each other and are followed by silence.
pub(super) fn decode(pieces: &[&[u8]]) -> Vec<Input> {
    let mut decoder = KeyDecoder::new();
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

pub(super) fn key(key: Key, modifiers: &str) -> Input {
    Input::Key(KeyPress {
        key,
        ctrl: modifiers.contains('c'),
        alt: modifiers.contains('a'),
        shift: modifiers.contains('s'),
    })
}

pub(super) fn char_key(c: char, modifiers: &str) -> Input {
    key(Key::Char(c), modifiers)
}

fn pasted(text: &str) -> Input {
    Input::Paste(text.to_owned())
}

#[test]
fn every_cut_of_a_paste_is_the_same_paste() {
    let check = |bytes: &str, expected: &[Input]| {
        let bytes = bytes.as_bytes();
        for i in 0..=bytes.len() {
            for j in i..=bytes.len() {
                let pieces = [&bytes[..i], &bytes[i..j], &bytes[j..]];
                assert_eq!(decode(&pieces), expected, "cut at {i} and {j}");
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

/// The inputs with text in one piece: a character that arrives alone is typed, and what follows it may be pasted.
fn joined(inputs: &[Input]) -> Vec<Input> {
    let mut joined: Vec<Input> = Vec::new();
    for input in inputs {
        let text = match input {
            Input::Key(press) => match press.key {
                Key::Char(c) if *press == KeyPress::plain(press.key) => c.to_string(),
                _ => String::new(),
            },
            Input::Paste(text) => text.clone(),
        };
        match joined.last_mut() {
            Some(Input::Paste(last)) if !text.is_empty() => last.push_str(&text),
            _ if text.is_empty() => joined.push(input.clone()),
            _ => joined.push(Input::Paste(text)),
        }
    }
    joined
}

#[test]
fn a_character_that_arrives_alone_shows_at_once() {
    let mut decoder = KeyDecoder::new();
    assert_eq!(decoder.feed(b"a", ms(10)), [char_key('a', "")]);
    assert_eq!(decoder.deadline(), None);
    // A line end needs the silence before and after it.
    assert_eq!(decoder.feed(b"\r", ms(16)), []);
    assert_eq!(decoder.flush(ms(21)), [key(Key::Enter, "")]);
    assert_eq!(decoder.feed("é".as_bytes(), ms(30)), [char_key('é', "")]);
    assert_eq!(decoder.feed(b"\r", ms(34)), []);
    assert_eq!(decoder.flush(ms(39)), [pasted("\n")]);
    assert_eq!(decoder.feed(b"b", ms(50)), [char_key('b', "")]);
    assert_eq!(decoder.feed(b"c\rd", ms(51)), []);
    assert_eq!(decoder.flush(ms(56)), [pasted("c\nd")]);
}

#[test]
fn a_burst_of_text_is_a_paste() {
    let check = |bytes: &str, expected: &[Input]| {
        let bytes = bytes.as_bytes();
        for i in 0..=bytes.len() {
            for j in i..=bytes.len() {
                let pieces = [&bytes[..i], &bytes[i..j], &bytes[j..]];
                let inputs = joined(&decode(&pieces));
                assert_eq!(inputs, joined(expected), "cut at {i} and {j}");
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
        &[
            char_key('a', ""),
            char_key('b', ""),
            key(Key::Backspace, ""),
            char_key('c', ""),
        ],
    );
}

#[test]
fn text_without_marks_is_a_paste_after_a_marked_one_as_well() {
    let mut decoder = KeyDecoder::new();
    assert_eq!(decoder.feed(b"\x1b[200~x\x1b[201~", ms(10)), [pasted("x")]);
    assert_eq!(decoder.feed(b"a\rb\r", ms(1000)), []);
    assert_eq!(decoder.flush(ms(1005)), [pasted("a\nb\n")]);
}

#[test]
fn a_burst_ends_after_five_milliseconds() {
    let mut decoder = KeyDecoder::new();
    assert_eq!(decoder.feed(b"ab", ms(100)), []);
    assert_eq!(decoder.deadline(), Some(ms(105)));
    assert_eq!(decoder.flush(ms(104)), []);
    let typed = [char_key('a', ""), char_key('b', "")];
    assert_eq!(decoder.flush(ms(105)), typed);
    assert_eq!(decoder.deadline(), None);
    assert_eq!(decoder.feed(b"b", ms(200)), [char_key('b', "")]);
    assert_eq!(decoder.feed(b"\r", ms(204)), []);
    assert_eq!(decoder.feed(b"\r", ms(209)), [pasted("\n")]);
    assert_eq!(decoder.flush(ms(214)), [key(Key::Enter, "")]);
}

#[test]
fn escape_is_escape_after_a_silence() {
    let mut decoder = KeyDecoder::new();
    assert_eq!(decoder.feed(b"\x1b", ms(100)), []);
    assert_eq!(decoder.deadline(), Some(ms(130)));
    assert_eq!(decoder.flush(ms(129)), []);
    assert_eq!(decoder.flush(ms(130)), [key(Key::Escape, "")]);
    assert_eq!(decoder.deadline(), None);
    // `flush` was not called.
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
        decode(&[b"\x1b\x1bx"]),
        [key(Key::Escape, ""), char_key('x', "a")]
    );
    assert_eq!(
        decode(&[b"\x1b\xff"]),
        [key(Key::Escape, ""), char_key('\u{fffd}', "")]
    );
}

#[test]
fn a_sequence_may_be_slow() {
    let mut decoder = KeyDecoder::new();
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
        assert_eq!(feed(&mut decoder, late.as_bytes(), ms(1200)), [input]);
    }
    for typed in ["[", "[A]", "OHM", "O"] {
        decoder.feed(b"\x1b", ms(1000));
        decoder.flush(ms(1050));
        let expected: Vec<Input> = typed.chars().map(|c| char_key(c, "")).collect();
        assert_eq!(feed(&mut decoder, typed.as_bytes(), ms(1200)), expected);
    }
    decoder.feed(b"\x1b", ms(1000));
    decoder.flush(ms(1050));
    assert_eq!(
        feed(&mut decoder, b"[A", ms(1600)),
        [char_key('[', ""), char_key('A', "")]
    );
}

#[test]
fn what_never_ends_is_given_up_after_a_silence() {
    let check = |bytes: &[u8], expected: &[Input]| {
        let mut decoder = KeyDecoder::new();
        assert_eq!(decoder.feed(bytes, ms(100)), []);
        assert_eq!(decoder.deadline(), Some(ms(600)));
        assert_eq!(decoder.flush(ms(599)), []);
        assert_eq!(decoder.flush(ms(600)), expected);
        assert_eq!(feed(&mut decoder, b"a", ms(601)), [char_key('a', "")]);
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
    let mut decoder = KeyDecoder::new();
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
fn the_last_line_end_of_a_long_burst_does_not_send() {
    let text = [&*vec![b'x'; MAX_PASTE_BYTES], b"\r"].concat();
    let expected = [pasted(&"x".repeat(MAX_PASTE_BYTES)), pasted("\n")];
    assert!(decode(&[&text]) == expected);
}

#[test]
fn bytes_that_are_not_utf_8_are_replaced() {
    let check = |bytes: &[u8], expected: &str| {
        let expected: Vec<Input> = expected.chars().map(|c| char_key(c, "")).collect();
        for cut in 0..=bytes.len() {
            assert_eq!(decode(&[&bytes[..cut], &bytes[cut..]]), expected);
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
    for _ in 0..30_000 {
        let bytes: Vec<u8> = (0..below(12))
            .flat_map(|_| PIECES[below(PIECES.len())])
            .copied()
            .collect();
        let length = below(7) + 1;
        let expected = decode(&[&bytes]);
        let pieces: Vec<&[u8]> = bytes.chunks(length).collect();
        let text = String::from_utf8_lossy(&bytes);
        let inputs = joined(&decode(&pieces));
        assert_eq!(inputs, joined(&expected), "{text:?} in pieces of {length}");
    }
}
