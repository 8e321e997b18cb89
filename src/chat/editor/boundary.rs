//! The places in a text where a cursor can stand: between clusters, and at the beginnings and ends of words. Each of these
//! functions reads a text at most once, so that a long line stays quick.

use crate::chat::width::clusters;

/// The beginning of the line that contains this place.
#[must_use]
pub fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// The end of the line that contains this place, before its line end.
#[must_use]
pub fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end)
}

/// The place one cluster before this one.
#[must_use]
pub fn previous(text: &str, at: usize) -> usize {
    let start = line_start(text, at);
    let last = clusters(&text[start..at]).last();
    at - last.map_or(usize::from(start > 0), |(cluster, _)| cluster.len())
}

/// The place one cluster after this one.
#[must_use]
pub fn next(text: &str, at: usize) -> usize {
    let first = clusters(&text[at..]).next();
    at + first.map_or(0, |(cluster, _)| cluster.len())
}

/// The first place from here on that is not inside a cluster.
#[must_use]
pub fn settled(text: &str, at: usize) -> usize {
    let mut place = line_start(text, at);
    for (cluster, _) in clusters(&text[place..]) {
        if place >= at {
            break;
        }
        place += cluster.len();
    }
    place
}

/// What belongs to a word for Alt+B, Alt+F and Alt+Backspace: letters, digits and `_`.
#[must_use]
pub fn in_name(cluster: &str) -> bool {
    cluster.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// What belongs to a word for Ctrl+W: all but white space.
#[must_use]
pub fn in_word(cluster: &str) -> bool {
    !cluster.starts_with(char::is_whitespace)
}

/// The beginning of the word before this place.
#[must_use]
pub fn word_start(text: &str, mut at: usize, belongs: fn(&str) -> bool) -> usize {
    loop {
        let line = line_start(text, at);
        let (mut found, mut inside, mut place) = (None, false, line);
        for (cluster, _) in clusters(&text[line..at]) {
            let belongs = belongs(cluster);
            if belongs && !inside {
                found = Some(place);
            }
            inside = belongs;
            place += cluster.len();
        }
        match (found, line) {
            (Some(found), _) => return found,
            (None, 0) => return 0,
            (None, line) => at = line - 1,
        }
    }
}

/// The end of the word after this place.
#[must_use]
pub fn word_end(text: &str, at: usize, belongs: fn(&str) -> bool) -> usize {
    let (mut inside, mut place) = (false, at);
    for (cluster, _) in clusters(&text[at..]) {
        let belongs = belongs(cluster);
        if inside && !belongs {
            break;
        }
        inside = belongs;
        place += cluster.len();
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_moves_by_clusters_and_over_line_ends() {
        let text = "ae\u{301}\n\n👩\u{200d}💻b";
        let mut places = vec![0];
        while places[places.len() - 1] < text.len() {
            places.push(next(text, places[places.len() - 1]));
        }
        assert_eq!(places, [0, 1, 4, 5, 6, 17, 18]);
        for pair in places.windows(2) {
            assert_eq!(previous(text, pair[1]), pair[0]);
        }
        assert_eq!(previous(text, 0), 0);
        assert_eq!(settled(text, 2), 4);
        assert_eq!(settled(text, 10), 17);
        assert_eq!(settled(text, 5), 5);
    }

    #[test]
    fn words_begin_and_end_where_readline_says() {
        let text = "let x_1 = f(ab);\n  next";
        let back = |at, belongs: fn(&str) -> bool| word_start(text, at, belongs);
        assert_eq!(back(23, in_name), 19);
        assert_eq!(back(19, in_name), 12, "over a line end");
        assert_eq!(back(12, in_name), 10);
        assert_eq!(back(16, in_word), 10);
        assert_eq!(back(3, in_name), 0);
        assert_eq!(back(0, in_name), 0);
        assert_eq!(word_end(text, 0, in_name), 3);
        assert_eq!(word_end(text, 3, in_name), 7);
        assert_eq!(word_end(text, 14, in_name), 23);
        assert_eq!(word_end(text, 23, in_name), 23);
        assert_eq!(word_start("  \n  ", 5, in_name), 0);
    }
}
