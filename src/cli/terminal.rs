//! What the terminal supports, by the flag, the environment and standard error itself: colours and a
//! spinner.

use std::ffi::OsStr;
use std::io::{self, IsTerminal};

use super::environment::Environment;
use crate::output::paint::Paint;
use crate::output::spinner::Frames;

/// The colours of standard error, by `--color` if it is known.
pub(super) fn paint(color: Option<&OsStr>, environment: &Environment) -> Paint {
    Paint::new(wanted(color, environment, io::stderr().is_terminal()))
}

/// Whether a full screen on the terminal has colours.
pub(super) fn has_colors(color: Option<&OsStr>, environment: &Environment) -> bool {
    wanted(color, environment, true)
}

/// Whether the terminal can show a full screen.
pub(super) fn has_screen(environment: &Environment) -> bool {
    !dumb(environment)
}

/// The spinner for standard error, if that is a terminal that can erase a line.
pub(super) fn frames(environment: &Environment) -> Option<Frames> {
    let turns = io::stderr().is_terminal() && !dumb(environment);
    turns.then(|| of_locale(environment))
}

/// The flag takes precedence, then `NO_COLOR` (no-color.org), then `CLICOLOR_FORCE` and `CLICOLOR`
/// (bixense.com/clicolors), then whether standard error is a terminal.
fn wanted(color: Option<&OsStr>, environment: &Environment, terminal: bool) -> bool {
    let is_off = |value: &OsStr| value == "0";
    match color.and_then(OsStr::to_str) {
        Some("always") => true,
        Some("never") => false,
        _ if environment.get("NO_COLOR").is_some() => false,
        _ => match environment.get("CLICOLOR_FORCE") {
            Some(value) if !is_off(value) => true,
            _ if environment.get("CLICOLOR").is_some_and(is_off) => false,
            _ => terminal && !dumb(environment),
        },
    }
}

/// A terminal without TERM is assumed to support plain text only.
fn dumb(environment: &Environment) -> bool {
    environment.get("TERM").is_none_or(|term| term == "dumb")
}

/// The first variable set names the character set (POSIX, XBD 8.2).
fn of_locale(environment: &Environment) -> Frames {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(|name| environment.get(name));
    let locale = locale.into_iter().flatten().next().unwrap_or_default();
    let set = locale.to_string_lossy().to_lowercase().replace('-', "");
    if set.contains("utf8") {
        Frames::Dots
    } else {
        Frames::Bar
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &str) -> Environment {
        let pairs = variables.split_whitespace();
        let pairs = pairs.filter_map(|pair| pair.split_once('='));
        Environment::new(
            pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    #[test]
    fn the_flag_and_variables_decide_on_colours_in_order() {
        let check = |color: Option<&str>, variables: &str, terminal: bool, expected: bool| {
            let is = wanted(color.map(OsStr::new), &environment(variables), terminal);
            assert_eq!(is, expected, "{color:?} {variables} {terminal}");
        };
        for color in [None, Some("auto"), Some("mauve")] {
            check(color, "TERM=xterm", true, true);
            check(color, "TERM=xterm", false, false);
            check(color, "TERM=dumb", true, false);
            check(color, "", true, false);
            check(color, "TERM=xterm NO_COLOR=", true, true);
            check(color, "TERM=xterm NO_COLOR=0", true, false);
            check(color, "CLICOLOR_FORCE=1", false, true);
            check(color, "CLICOLOR_FORCE=0", false, false);
            check(color, "CLICOLOR_FORCE=1 NO_COLOR=1", true, false);
            check(color, "TERM=xterm CLICOLOR=0", true, false);
            check(color, "TERM=xterm CLICOLOR=1", false, false);
            check(color, "CLICOLOR=0 CLICOLOR_FORCE=1", false, true);
        }
        check(Some("always"), "NO_COLOR=1 TERM=dumb", false, true);
        check(Some("never"), "CLICOLOR_FORCE=1 TERM=xterm", true, false);
    }

    #[test]
    fn the_spinner_uses_dots_if_the_character_set_has_them() {
        let check = |variables: &str, expected| {
            assert_eq!(of_locale(&environment(variables)), expected, "{variables}");
        };
        check("LANG=de_DE.UTF-8", Frames::Dots);
        check("LANG=C LC_ALL=C.utf8", Frames::Dots);
        check("LANG=en_US.UTF-8 LC_CTYPE=POSIX", Frames::Bar);
        check("LANG=en_US.UTF-8 LC_ALL=", Frames::Dots);
        check("", Frames::Bar);
    }
}
