//! Joins arguments and standard input into one prompt. Nothing in them has a special meaning.

use std::error::Error as StdError;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;

use crate::input::without_mark;

/// The argument for standard input.
const STDIN: &str = "-";

/// Why there is no prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// No text.
    Empty,
    /// The text from this source is not UTF-8 at this byte, counted from 0.
    NotUtf8(String, usize),
    /// Standard input is named more than once.
    Twice,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::NotUtf8(place, at) => write!(f, "invalid UTF-8 in {place} at byte {at}"),
            Self::Twice => f.write_str("`-` occurs more than once"),
        }
    }
}

impl StdError for Error {}

/// A text file that is added to the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptFile {
    /// Its path as the user named it.
    pub path: String,
    /// The contents of the file.
    pub text: String,
}

impl PromptFile {
    /// The text in a block labelled with the path.
    fn block(&self) -> String {
        let path = self.path.replace('&', "&amp;").replace('"', "&quot;");
        block("file", &format!(" path=\"{path}\""), &self.text)
    }
}

/// Text between an opening and a closing tag, each on its own line.
fn block(name: &str, more: &str, text: &str) -> String {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("<{name}{more}>\n{text}{end}</{name}>")
}

/// The validated arguments of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptWords(Vec<String>);

impl PromptWords {
    /// Validates the arguments.
    ///
    /// # Errors
    /// When one is not UTF-8, or `-` occurs twice.
    pub fn new(arguments: &[OsString]) -> Result<Self, Error> {
        let check = |(n, argument): (usize, &OsString)| {
            text(argument, || format!("argument {} of the prompt", n + 1))
        };
        let words: Vec<String> = arguments
            .iter()
            .enumerate()
            .map(check)
            .collect::<Result<_, _>>()?;
        if words.iter().filter(|word| *word == STDIN).count() > 1 {
            return Err(Error::Twice);
        }
        Ok(Self(words))
    }

    /// Whether standard input is required: it is named, or there is nothing else.
    #[must_use]
    pub fn want_stdin(&self) -> bool {
        self.0.is_empty() || self.0.iter().any(|word| word == STDIN)
    }

    /// The prompt: the arguments, with `-` replaced by the input, then the files. Without a `-`, the input follows
    /// last, in a separate block.
    ///
    /// # Errors
    /// When there is no text, or the input is not UTF-8.
    pub fn compose(&self, files: &[PromptFile], input: Option<&[u8]>) -> Result<String, Error> {
        let input = match input.map(std::str::from_utf8) {
            Some(Err(error)) => {
                return Err(Error::NotUtf8(
                    "standard input".to_owned(),
                    error.valid_up_to(),
                ));
            }
            Some(Ok(input)) => without_mark(input),
            None => "",
        };
        let words: Vec<&str> = self
            .0
            .iter()
            .map(|word| if word == STDIN { input } else { word })
            .collect();
        let message = match words.join(" ") {
            _ if self.0.is_empty() => input.to_owned(),
            words => words,
        };
        let block_of_input = !self.want_stdin() && !input.trim().is_empty();
        if message.trim().is_empty() && !block_of_input {
            return Err(Error::Empty);
        }
        let mut parts = vec![message];
        parts.extend(files.iter().map(PromptFile::block));
        if block_of_input {
            parts.push(block("stdin", "", input));
        }
        Ok(parts.join("\n\n"))
    }
}

/// Who reads the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Often another program.
    Program,
    /// A person who can answer.
    Person,
}

/// The built-in instructions, with a sentence about the tools' environment. They are short, and `--dry-run` shows them.
#[must_use]
pub fn instructions(audience: Audience, tools: bool, around: Option<&str>) -> String {
    let (text, with_tools) = match audience {
        Audience::Program => (
            "You answer on a command line. Your text goes to standard output, often into another program: \
             give what was asked for, without preamble.",
            " Use the tools to look into the working directory, change files and run commands. Nobody can answer \
             questions: decide by yourself, check what you did, and say briefly what came of it.",
        ),
        Audience::Person => (
            "You talk with a person at a terminal, who sees your text as it arrives and every tool call. Be brief; \
             simple Markdown is shown as such.",
            " Use the tools to look into the working directory, change files and run commands. Ask only if the answer \
             changes what you do; check what you did, and say briefly what came of it.",
        ),
    };
    let mut text = text.to_owned();
    if tools {
        text.push_str(with_tools);
    }
    if let Some(around) = around {
        text.push(' ');
        text.push_str(around);
    }
    text
}

/// A message with text files after it, each in a block labelled with its path.
#[must_use]
pub fn with_files(message: &str, files: &[PromptFile]) -> String {
    let parts = std::iter::once(message.to_owned()).chain(files.iter().map(PromptFile::block));
    parts.collect::<Vec<String>>().join("\n\n")
}

/// The text of an argument; `place` names it in errors.
///
/// # Errors
/// When it is not UTF-8.
pub fn text(argument: &OsStr, place: impl FnOnce() -> String) -> Result<String, Error> {
    match std::str::from_utf8(argument.as_bytes()) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(Error::NotUtf8(place(), error.valid_up_to())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[&str], input: Option<&[u8]>, expected: Result<&str, Error>) {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let prompt = PromptWords::new(&words).and_then(|words| words.compose(&[], input));
        assert_eq!(prompt, expected.map(str::to_owned), "{words:?}");
    }

    #[test]
    fn words_and_input_become_one_text() {
        check(&["explain", "this"], None, Ok("explain this"));
        check(&[], Some(b"all of it\n"), Ok("all of it\n"));
        check(
            &["why?"],
            Some(b"log\n"),
            Ok("why?\n\n<stdin>\nlog\n</stdin>"),
        );
        check(
            &["why?"],
            Some(b"log"),
            Ok("why?\n\n<stdin>\nlog\n</stdin>"),
        );
        check(&["why?"], Some(b"\n"), Ok("why?"));
        check(&["review", "-"], Some(b"diff\n"), Ok("review diff\n"));
        check(&["a", "-", "b"], Some(b"x"), Ok("a x b"));
        check(&["-"], Some(b"x"), Ok("x"));
        check(&["a", "-"], Some(b"\xef\xbb\xbfx"), Ok("a x"));
        check(
            &["a"],
            Some(b"\xef\xbb\xbfx"),
            Ok("a\n\n<stdin>\nx\n</stdin>"),
        );
        check(&["a"], Some(b"\xef\xbb\xbf"), Ok("a"));
        check(&[], Some(b"\xef\xbb\xbf"), Err(Error::Empty));
        check(&["a - b"], Some(b"x"), Ok("a - b\n\n<stdin>\nx\n</stdin>"));
    }

    #[test]
    fn files_follow_the_arguments_and_precede_the_input() {
        let file = |path: &str, text: &str| PromptFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let files = [file("a.rs", "fn a() {}\n"), file("b \"&\".md", "")];
        let words = PromptWords::new(&["why?".into()]).expect("words");
        assert_eq!(
            words.compose(&files, Some(b"log")),
            Ok("why?\n\n<file path=\"a.rs\">\nfn a() {}\n</file>\n\n<file path=\"b &quot;&amp;&quot;.md\">\n\n\
                </file>\n\n<stdin>\nlog\n</stdin>"
                .to_owned())
        );
        let none = PromptWords::new(&[]).expect("words");
        assert!(
            none.compose(&files, Some(b"all"))
                .is_ok_and(|all| all.starts_with("all\n\n<file"))
        );
        assert_eq!(none.compose(&files, None), Err(Error::Empty));
    }

    #[test]
    fn an_empty_prompt_is_an_error() {
        check(&[], None, Err(Error::Empty));
        check(&["", " "], None, Err(Error::Empty));
        check(&["-"], Some(b" \n"), Err(Error::Empty));
        check(&[], Some(b""), Err(Error::Empty));
        check(&["-", "-"], Some(b"x"), Err(Error::Twice));
    }

    #[test]
    fn the_position_of_invalid_utf8_is_reported() {
        check(
            &[],
            Some(b"ab\xffc"),
            Err(Error::NotUtf8("standard input".into(), 2)),
        );
        check(
            &[],
            Some(b"\xef\xbb\xbfb\xff"),
            Err(Error::NotUtf8("standard input".into(), 4)),
        );
        let words = [OsString::from("a"), OsStr::from_bytes(b"b\xff").to_owned()];
        assert_eq!(
            PromptWords::new(&words),
            Err(Error::NotUtf8("argument 2 of the prompt".into(), 1))
        );
    }
}
