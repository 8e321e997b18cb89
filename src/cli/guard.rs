//! Turns a panic into a failure.

use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::OnceLock;

use crate::failure::{self, Failure};
use crate::outcome::Outcome;

/// The place of the first panic.
static PANICKED: OnceLock<String> = OnceLock::new();

/// Turns a panic into a failure. Only the place of the panic is kept, because its message may contain data that the program
/// was working on.
pub(super) fn guard(work: impl FnOnce() -> Result<ExitCode, Failure>) -> Result<ExitCode, Failure> {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(
            || "somewhere".to_owned(),
            |at| format!("{}:{}", at.file(), at.line()),
        );
        let _ = PANICKED.set(place);
    }));
    let ended = catch_unwind(AssertUnwindSafe(work));
    match (ended, PANICKED.get()) {
        (Ok(Err(failure)), Some(place)) if failure.outcome() == Outcome::Bug => {
            Err(failure::bug(place))
        }
        (Ok(ended), _) => ended,
        (Err(_), place) => Err(failure::bug(place.map_or("somewhere", String::as_str))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_exit_70_with_its_place_but_not_its_message() {
        let failure = guard(|| panic!("sk-secret")).expect_err("it panics");
        assert_eq!(failure.outcome().exit_code(), 70);
        let words = failure.words();
        assert!(
            words.contains("guard.rs:") && !words.contains("sk-secret"),
            "{words}"
        );
    }
}
