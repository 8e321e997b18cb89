//! The columns that text takes in a terminal, and the clusters of characters that a cell holds. A cluster is a character with
//! the combining characters after it, an emoji with its modifiers and joiners, or the two letters of a flag. This is less than
//! the grapheme clusters of UAX 29, and what terminals do: the marks that have a width of their own get a cell of their own.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The bytes of a cluster; what goes beyond it is a cluster without width. The longest emoji sequences have 35.
const MAX_CLUSTER_BYTES: usize = 64;

const JOINER: char = '\u{200d}';

/// The number of columns of a text. Control characters take none: they are not for the screen.
#[must_use]
pub fn width(text: &str) -> usize {
    if is_plain(text.as_bytes()) {
        return text.len();
    }
    clusters(text).map(|(_, width)| width).sum()
}

/// The clusters of a text, each with its width: 0, 1 or 2. Together they are the text.
pub fn clusters(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let simple = first_simple(rest);
        let (cluster, after) = rest.split_at(match simple {
            Some((bytes, _)) => bytes,
            None => first_cluster(rest)?,
        });
        rest = after;
        let width = simple.map_or_else(|| cluster_width(cluster), |(_, width)| width);
        Some((cluster, width))
    })
}

/// Whether all bytes are printable ASCII. Eight bytes are looked at together: this is done for all text.
#[must_use]
pub fn is_plain(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    let chunks = bytes.chunks_exact(8);
    let rest = chunks.remainder();
    let plain = |chunk: &[u8]| {
        let bytes = chunk.try_into().map_or(0, u64::from_ne_bytes);
        // The highest bit of a byte of one of these is set if a byte is not ASCII, less than a blank, or DEL.
        let odd = bytes | bytes.wrapping_sub(ONES * 0x20) | bytes.wrapping_add(ONES);
        odd & (ONES * 0x80) == 0
    };
    chunks.into_iter().all(plain) && rest.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// The longest beginning of a text that fits into these columns, at the boundary of a cluster.
#[must_use]
pub fn clip(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let mut end = 0;
    for (cluster, width) in clusters(text) {
        used += width;
        if used > columns {
            break;
        }
        end += cluster.len();
    }
    &text[..end]
}

/// Whether terminals disagree about the width of a cluster: those that know emoji sequences, and those that add up the widths
/// of the characters or have older tables.
#[must_use]
pub fn is_disputed(cluster: &str) -> bool {
    if cluster.len() < 3 {
        return false; // U+0800 and above have three bytes
    }
    let sum: usize = cluster.chars().filter_map(UnicodeWidthChar::width).sum();
    sum != cluster_width(cluster) || cluster.chars().any(is_late_emoji)
}

/// The first cluster, in bytes and columns, if that takes no tables: a frequent character before another one.
fn first_simple(text: &str) -> Option<(usize, usize)> {
    let simple = |c: char| match c {
        ' '..='~' | 'À'..='ɏ' | 'А'..='я' => Some(1),
        // Kana, Chinese characters, Hangul syllables, full-width forms.
        'ぁ'..='ゖ' | 'ァ'..='ヺ' | '、'..='〃' | '〈'..='】' => Some(2),
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '가'..='힣' | '！'..='～' => {
            Some(2)
        }
        _ => None,
    };
    let mut chars = text.chars();
    let first = chars.next()?;
    let width = simple(first)?;
    let alone = chars.next().is_none_or(|next| simple(next).is_some());
    alone.then_some((first.len_utf8(), width))
}

/// The length of the first cluster in bytes.
fn first_cluster(text: &str) -> Option<usize> {
    let mut chars = text.char_indices();
    let (_, first) = chars.next()?;
    let mut previous = first;
    let mut flag = is_flag_letter(first);
    for (at, c) in chars {
        let joins = match c {
            ' '..='~' => false,
            _ if c.is_control() || first.is_control() => false,
            _ if is_flag_letter(c) => std::mem::take(&mut flag),
            '\u{1f3fb}'..='\u{1f3ff}' => is_pictograph(first) && !is_flag_letter(first),
            _ if previous == JOINER => is_pictograph(first) && is_pictograph(c) || no_width(c),
            _ => no_width(c),
        };
        if !joins || at + c.len_utf8() > MAX_CLUSTER_BYTES {
            return Some(at);
        }
        flag = flag && is_flag_letter(c);
        previous = c;
    }
    Some(text.len())
}

fn cluster_width(cluster: &str) -> usize {
    match cluster.as_bytes() {
        [b' '..=b'~'] => 1,
        // The control characters, and the separators of lines and paragraphs.
        [0..b' ' | 0x7f, ..] | [0xc2, 0x80..=0x9f, ..] | [0xe2, 0x80, 0xa8 | 0xa9, ..] => 0,
        _ => UnicodeWidthStr::width(cluster).min(2),
    }
}

fn no_width(c: char) -> bool {
    UnicodeWidthChar::width(c) == Some(0)
}

/// One of the letters whose pairs are flags.
fn is_flag_letter(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

/// Whether a joiner or a modifier makes one emoji of this character and others: the blocks in which emoji are.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{a9}' | '\u{ae}' | '\u{203c}'..='\u{3299}') || is_late_emoji(c)
}

/// The planes of emoji that every version of Unicode adds to.
fn is_late_emoji(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_of_text() {
        let check = |text: &str, expected: usize| assert_eq!(width(text), expected, "{text:?}");
        check("", 0);
        check("plain ~", 7);
        check("naïve", 5);
        check("e\u{301}e\u{301}\u{302}", 2);
        check("日本語", 6);
        check("ｱﾞ", 2);
        check("각", 2);
        check("\u{1100}\u{1161}\u{11a8}", 2);
        check("👩‍👩‍👧‍👦", 2);
        check("👍🏽", 2);
        check("❤\u{fe0f}", 2);
        check("1\u{fe0f}\u{20e3}", 2);
        check("🇩🇪🇫🇷", 4);
        check("🇩🇪🇫", 3);
        check("\u{301}", 0);
        check("\u{200b}a\u{200b}", 1);
        check("\u{1b}[1m\t\u{9b}", 3);
        check("لا", 2);
        check("\u{17d8}", 2);
        check("a\u{2028}b", 2);
        check("ก\u{e33}", 2);
        check("━│└…", 4);
    }

    #[test]
    fn the_clusters_of_text() {
        let check = |text: &str, expected: &[&str]| {
            let found: Vec<&str> = clusters(text).map(|(cluster, _)| cluster).collect();
            assert_eq!(found, expected);
        };
        check("a\u{301}b", &["a\u{301}", "b"]);
        check("👩‍👧x👍🏽👍", &["👩‍👧", "x", "👍🏽", "👍"]);
        check("🇩🇪🇫🇷🇮", &["🇩🇪", "🇫🇷", "🇮"]);
        check("🇩\u{301}🇪", &["🇩\u{301}", "🇪"]);
        check("a\u{200d}b", &["a\u{200d}", "b"]);
        check("क\u{94d}\u{200d}ष", &["क\u{94d}\u{200d}", "ष"]);
        check("\n\u{301}\r\n", &["\n", "\u{301}", "\r", "\n"]);
        check("x🏽", &["x", "🏽"]);
        check(
            "🏴\u{e0067}\u{e0062}\u{e007f}.",
            &["🏴\u{e0067}\u{e0062}\u{e007f}", "."],
        );
        let long = format!("a{}", "\u{301}".repeat(1000));
        assert!(clusters(&long).all(|(cluster, _)| cluster.len() <= MAX_CLUSTER_BYTES));
        assert_eq!(width(&long), 1);
    }

    #[test]
    fn every_character_has_a_width_and_clusters_are_the_text() {
        for c in ('\0'..='\u{1ffff}').chain('\u{e0000}'..='\u{e01ff}') {
            let text = format!("👩\u{200d}{c}🇩{c}");
            let whole: String = clusters(&text).map(|(cluster, _)| cluster).collect();
            assert_eq!(whole, text);
            assert!(clusters(&text).all(|(_, width)| width <= 2), "{text:?}");
        }
    }

    #[test]
    fn what_is_simple_has_the_width_of_the_tables() {
        for c in '\0'..=char::MAX {
            for text in [format!("{c}"), format!("a{c}"), format!("{c}語")] {
                if let Some((bytes, width)) = first_simple(&text) {
                    let cluster = &text[..bytes];
                    assert_eq!(first_cluster(&text), Some(bytes), "{text:?}");
                    assert_eq!(cluster_width(cluster), width, "{text:?}");
                }
            }
        }
    }

    #[test]
    fn plain_text_is_printable_ascii() {
        for byte in 0..=u8::MAX {
            let printable = matches!(byte, b' '..=b'~');
            for at in 0..20 {
                let mut bytes = *b"plain ~~ text of 20.";
                bytes[at] = byte;
                assert_eq!(is_plain(&bytes), printable, "{byte} at {at}");
            }
        }
        assert!(is_plain(b""));
    }

    #[test]
    fn text_is_clipped_between_clusters() {
        let text = "a日\u{301}e\u{301}👩‍👧\u{200b}x";
        let cuts = [
            "",
            "a",
            "a",
            "a日\u{301}",
            "a日\u{301}e\u{301}",
            "a日\u{301}e\u{301}",
        ];
        for (columns, expected) in cuts.into_iter().enumerate() {
            assert_eq!(clip(text, columns), expected, "{columns}");
        }
        assert_eq!(clip(text, 6), "a日\u{301}e\u{301}👩‍👧\u{200b}");
        assert_eq!(clip(text, 7), text);
        assert_eq!(clip(text, usize::MAX), text);
    }

    #[test]
    fn what_terminals_disagree_about() {
        for agreed in ["a", "e\u{301}", "日", "é", "━", "각"] {
            assert!(!is_disputed(agreed), "{agreed}");
        }
        for disputed in ["👩‍👧", "👍", "❤\u{fe0f}", "🇩🇪", "1\u{fe0f}\u{20e3}"] {
            assert!(is_disputed(disputed), "{disputed}");
        }
    }
}
