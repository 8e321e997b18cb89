//! The review table of messages: prints rows of message, hint and exit code, and checks what holds for all of them.

use std::fmt::Write as _;

use super::Failure;

/// Words that mark a sentence to be rewritten.
const BANNED: &[&str] = &[
    "whoever",
    "is none",
    "of ours",
    "nobody is",
    "told",
    "gone on with",
    "asked for again",
    "whose",
    "shall",
    "beside",
    "look at",
    "left out",
    "has no home",
    "nobody",
    "everybody",
    "is no regular",
    "so many",
    "goes on",
];

/// Failures without a hint, each with the reason.
const WITHOUT_HINT: &[(&str, &str)] = &[
    (
        "",
        "the reader of the output has gone away, so nothing is printed",
    ),
    ("interrupted", "the user did it"),
    ("the turn was interrupted", "the user did it"),
    ("hung up", "a signal from outside; the message is its cause"),
    (
        "terminated",
        "a signal from outside; the message is its cause",
    ),
    (
        "ended by SIG",
        "a signal from outside; the message is its cause",
    ),
    (
        "cannot get random numbers",
        "no setting of the program changes it",
    ),
];

/// Prints the rows of a table and checks what is true of every message and hint.
pub(crate) fn check_rows(title: &str, rows: &[Failure]) {
    let mut table = format!("{title}\n");
    for failure in rows {
        let code = failure.outcome().exit_code();
        let hint = failure.advice().unwrap_or("(none)");
        let _ = writeln!(table, "{code:>3}  {}\n       {hint}", failure.what());
    }
    #[allow(clippy::print_stdout, reason = "the table is printed for review")]
    {
        println!("{table}");
    }
    for failure in rows {
        let reason = WITHOUT_HINT.iter().find(|(what, _)| match *what {
            "" => failure.what().is_empty(),
            what => failure.what().starts_with(what),
        });
        assert!(
            failure.advice().is_some() || reason.is_some(),
            "no hint: {failure:?}"
        );
        for text in [failure.what(), failure.advice().unwrap_or_default()] {
            check_text(text);
        }
    }
}

/// Prints messages that have neither hint nor exit code, such as warnings, and checks what is true of every message.
pub(crate) fn check_texts(title: &str, texts: &[String]) {
    #[allow(clippy::print_stdout, reason = "the table is printed for review")]
    {
        println!("{title}\n     {}\n", texts.join("\n     "));
    }
    for text in texts {
        check_text(text);
    }
}

fn check_text(text: &str) {
    assert!(!text.contains('\n'), "more than one line: {text}");
    assert!(!text.ends_with('.'), "a full stop: {text}");
    assert!(!text.contains("  "), "two spaces: {text}");
    for phrase in BANNED {
        assert!(
            !text.to_lowercase().contains(phrase),
            "{phrase:?} in {text:?}"
        );
    }
}

/// A list with one value, or more, for each variant of an enum. A variant without a value does not compile.
macro_rules! every {
    ($type:ty: $($variant:ident $(($($value:expr),+ $(,)?))? $({$($field:ident: $named:expr),+ $(,)?})?),+ $(,)?) => {{
        type Listed = $type;
        #[allow(unreachable_patterns, reason = "a variant may be listed with several values")]
        fn _covered(value: &Listed) {
            match value {
                $(Listed::$variant { .. } => (),)+
            }
        }
        [$(Listed::$variant $(($($value),+))? $({$($field: $named),+})?),+]
    }};
}
pub(crate) use every;
