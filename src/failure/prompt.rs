//! Failures of the prompt and of standard input.

use super::value::Failure;
use crate::{prompt, stdin};

pub(crate) fn of_prompt(error: &prompt::Error) -> Failure {
    let failure = Failure::usage(format!("cannot use the prompt: {error}"));
    match error {
        prompt::Error::Empty => failure.hint("pass it as arguments, or on standard input"),
        prompt::Error::NotUtf8(..) => {
            failure.hint("the service accepts only text; convert it, for example with iconv")
        }
        prompt::Error::Twice => failure.hint("use it once: standard input can be read only once"),
    }
}

pub(crate) fn of_stdin(error: &stdin::Error) -> Failure {
    match error {
        stdin::Error::Unreadable(_) => {
            Failure::usage(format!("cannot read standard input: {error}"))
                .hint("redirect it from a file or a pipe, or use --no-stdin")
        }
        stdin::Error::Silent(_) => Failure::usage(format!("cannot use standard input: {error}"))
            .hint("another program is keeping it open: close it there"),
        stdin::Error::TooLarge(_) => Failure::usage(format!("cannot use standard input: {error}"))
            .hint("no model accepts that much text: send less"),
    }
}
