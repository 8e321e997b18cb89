//! `edit`: exact replacements in a text file, all or nothing.

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

use super::context::{Context, file_error};
use super::replace::replace;
use crate::result::CallResult;

/// Largest file that can be edited, in bytes: it is held in memory.
const MAX_FILE_BYTES: u64 = 64 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "one JSON object")]
pub(super) struct EditArguments {
    path: PathBuf,
    edits: Vec<TextReplacement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextReplacement {
    old_text: String,
    new_text: String,
}

pub(super) fn run(arguments: &EditArguments, context: &Context<'_>) -> CallResult {
    let path = arguments.path.display();
    let old = match fs::metadata(&arguments.path) {
        Ok(found) if !found.is_file() => {
            return CallResult::failed(format!("{path} is not a regular file"));
        }
        Ok(found) if found.len() > MAX_FILE_BYTES => {
            let most = MAX_FILE_BYTES >> 20;
            return CallResult::failed(format!(
                "{path} is larger than {most} MiB; use bash to change it"
            ));
        }
        Ok(_) => fs::read(&arguments.path),
        Err(error) => Err(error),
    };
    let old = match old.map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => {
            return CallResult::failed(format!("{path} is not UTF-8 text; use bash to change it"));
        }
        Err(error) => return file_error("read", &arguments.path, &error, false, context),
    };
    let new = match apply(&old, &arguments.edits) {
        Ok(new) => new,
        Err(words) => return CallResult::failed(format!("{path} is unchanged: {words}")),
    };
    match replace(&arguments.path, new.as_bytes()) {
        Ok(()) => match arguments.edits.len() {
            1 => CallResult::done(format!("changed {path} in 1 place")),
            places => CallResult::done(format!("made {places} changes in {path}")),
        },
        Err(error) => file_error("write", &arguments.path, &error, true, context),
    }
}

/// Applies the edits in order, each to the result of the one before, or returns what is wrong with one of them. Edits
/// without effect are errors too: the model expects a change.
fn apply(old: &str, edits: &[TextReplacement]) -> std::result::Result<String, String> {
    if edits.is_empty() {
        return Err("the call contains no edits".to_owned());
    }
    let mut text = old.to_owned();
    for (n, TextReplacement { old_text, new_text }) in edits.iter().enumerate() {
        let n = n + 1;
        if old_text.is_empty() {
            return Err(format!(
                "old_text of edit {n} is empty; use write for a new file"
            ));
        }
        if old_text == new_text {
            return Err(format!(
                "edit {n} changes nothing: old_text and new_text are the same"
            ));
        }
        // Models write LF. A file with CRLF line ends is matched, and written, with CRLF.
        let crlf = text.contains("\r\n") && !old_text.contains('\r');
        let (from, to) = if crlf && (all_crlf(&text) || !text.contains(old_text.as_str())) {
            (
                old_text.replace('\n', "\r\n"),
                new_text.replace("\r\n", "\n").replace('\n', "\r\n"),
            )
        } else {
            (old_text.clone(), new_text.clone())
        };
        if from == to {
            return Err(format!(
                "edit {n} changes nothing: old_text and new_text differ in their line ends only, and those stay as \
                 they are in the file (CRLF)"
            ));
        }
        let found = places(&text, &from);
        match found[..] {
            [at] => text.replace_range(at..at + from.len(), &to),
            [] => {
                let near = match alike(&text, &from) {
                    Some(line) => format!(
                        ", but text that differs from it only in white space begins at line {line}"
                    ),
                    None if n > 1 => " (after the preceding edits)".to_owned(),
                    None => String::new(),
                };
                return Err(format!(
                    "old_text of edit {n} does not occur{near}; read the file and copy the text exactly, with its white space"
                ));
            }
            _ => {
                let times = found.len();
                let line = |at: &usize| (1 + text[..*at].matches('\n').count()).to_string();
                let lines: Vec<String> = found.iter().take(9).map(line).collect();
                let more = if times > lines.len() { ", ..." } else { "" };
                return Err(format!(
                    "old_text of edit {n} occurs {times} times, at lines {}{more}; add lines around it until it occurs once",
                    lines.join(", ")
                ));
            }
        }
    }
    if text == old {
        return Err("together the edits change nothing".to_owned());
    }
    Ok(text)
}

/// Whether every line ends with CRLF.
fn all_crlf(text: &str) -> bool {
    text.matches('\n').count() == text.matches("\r\n").count()
}

/// The positions of a string, including overlapping ones.
fn places(text: &str, wanted: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(wanted) {
        found.push(from + at);
        from += at + text[from + at..].chars().next().map_or(1, char::len_utf8);
    }
    found
}

/// The number, from 1, of the first line where the text matches, ignoring white space at the ends of lines.
fn alike(text: &str, wanted: &str) -> Option<usize> {
    let wanted: Vec<&str> = wanted.trim().lines().map(str::trim).collect();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut windows = lines.windows(wanted.len().max(1));
    let at = windows.position(|lines| *lines == wanted[..])?;
    Some(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, edits: &[(&str, &str)], expected: std::result::Result<&str, &str>) {
        let edits: Vec<TextReplacement> = edits
            .iter()
            .map(|(old, new)| TextReplacement {
                old_text: (*old).to_owned(),
                new_text: (*new).to_owned(),
            })
            .collect();
        match (apply(text, &edits), expected) {
            (Ok(new), Ok(expected)) => assert_eq!(new, expected),
            (Err(words), Err(expected)) => assert!(words.contains(expected), "{words}"),
            (result, expected) => panic!("{result:?} is not {expected:?}"),
        }
    }

    #[test]
    fn each_text_must_occur_once() {
        check("a b c", &[("b", "B")], Ok("a B c"));
        check("a b c", &[("b", "B"), ("B c", "")], Ok("a "));
        check(
            "a b b",
            &[("b", "B")],
            Err("edit 1 occurs 2 times, at lines 1, 1;"),
        );
        check(
            "x\n\ty\nz\n",
            &[("x\ny\nz", "")],
            Err("white space begins at line 1"),
        );
        check(
            "a b c",
            &[("a", "b"), ("b", "x")],
            Err("edit 2 occurs 2 times"),
        );
        check(
            "a b c",
            &[("a", "A"), ("x", "y")],
            Err("edit 2 does not occur"),
        );
        check("aaa", &[("aa", "b")], Err("edit 1 occurs 2 times"));
        check(
            "\u{e9}\u{e9}",
            &[("\u{e9}", "b")],
            Err("edit 1 occurs 2 times"),
        );
        check("a", &[("a", "a")], Err("edit 1 changes nothing"));
        check(
            "a b",
            &[("a", "c"), ("c", "a")],
            Err("together the edits change nothing"),
        );
        check("a", &[("", "y")], Err("is empty"));
        check("a", &[], Err("no edit"));
    }

    #[test]
    fn line_ends_and_the_last_line_are_preserved() {
        check(
            "a\r\nb\r\nc",
            &[("a\nb", "x\ny\nz")],
            Ok("x\r\ny\r\nz\r\nc"),
        );
        check("a\r\nb\r\n", &[("b", "c")], Ok("a\r\nc\r\n"));
        check("a\r\nb\r\n", &[("b", "b\nc")], Ok("a\r\nb\r\nc\r\n"));
        check("a\r\nb\nc\n", &[("b", "b\nc")], Ok("a\r\nb\nc\nc\n"));
        check("a\nb", &[("b", "c")], Ok("a\nc"));
        let line_ends = Err("differ in their line ends only");
        check("a\r\nb\r\n", &[("a\nb", "a\r\nb")], line_ends);
        check("a\r\nb\r\n", &[("a\r\nb", "a\nb")], Ok("a\nb\r\n"));
        check("a\r\nb\nc", &[("a\nb", "a\r\nb")], line_ends);
        check("a\nb\n", &[("a\nb", "a\r\nb")], Ok("a\r\nb\n"));
    }
}
