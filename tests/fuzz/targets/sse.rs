//! The decoder of event streams: the same frames wherever a stream is split, no line end that the stream did not contain,
//! and no more bytes than came in.
#![no_main]

use codex_run::wire::sse::Decoder;
use libfuzzer_sys::fuzz_target;

fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let (mut decoder, mut frames) = (Decoder::default(), Vec::new());
    for piece in pieces {
        let fed = decoder.feed(piece, |frame| frames.push(frame.to_owned()));
        fed.expect("no input is that long");
    }
    frames
}

/// The same by the letter of the standard: the whole text, line by line.
fn by_the_letter(stream: &[u8]) -> Vec<Vec<u8>> {
    let stream = stream.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stream);
    let mut lines = vec![Vec::new()];
    let mut bytes = stream.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' | b'\n' => {
                if byte == b'\r' && bytes.peek() == Some(&b'\n') {
                    bytes.next();
                }
                lines.push(Vec::new());
            }
            _ => lines.last_mut().expect("one").push(byte),
        }
    }
    lines.pop(); // it has no end
    let (mut frames, mut data): (Vec<Vec<u8>>, Option<Vec<u8>>) = (Vec::new(), None);
    for line in lines {
        if line.is_empty() {
            frames.extend(data.take());
            continue;
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        if name == b"data" {
            let value = value.strip_prefix(b":").unwrap_or(value);
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match &mut data {
                Some(data) => data.extend([b"\n", value].concat()),
                None => data = Some(value.to_owned()),
            }
        }
    }
    frames
}

fuzz_target!(|input: &[u8]| {
    // The first two bytes say where it is split.
    let [one, two, stream @ ..] = input else {
        return;
    };
    let place = |byte: u8| usize::from(byte) * stream.len() / 255;
    let (i, j) = (place(*one.min(two)), place(*one.max(two)));
    let whole = decode([stream]);
    assert_eq!(whole, by_the_letter(stream));
    assert_eq!(whole, decode([&stream[..i], &stream[i..j], &stream[j..]]));
    assert_eq!(whole, decode(stream.chunks(usize::from(one % 8) + 1)));
});
