//! Arguments and environment to settings: every value is judged here, so that what follows need not.

use std::ffi::{OsStr, OsString};
use std::time::{Duration, Instant};

use super::credentials::{self, Credentials};
use super::failure::Failure;
use super::flags::{Args, COLORS, EFFORTS, FAILURES};
use super::parse::unknown;
use super::terminal;
use super::tooling::{self, Tooling};
use crate::agent::Policy;
use crate::command::run::Settings;
use crate::http::{AddressError, BaseUrl, SILENCE};
use crate::id::ModelId;
use crate::output::text::Level;
use crate::prompt::{self, Words};
use crate::secret::Secret;
use crate::tools::process::Setup;

const MODEL: &str = "gpt-5.5";

/// How long a tool call may take if nobody says otherwise.
const TOOL_TIMEOUT: Duration = Duration::from_secs(120);

/// The most requests of a run if nobody says otherwise.
const MAX_TURNS: usize = 100;

/// How often a request that failed is made again if nobody says otherwise.
const RETRIES: usize = 5;

/// The environment as it was at the start. An empty variable counts as unset.
pub(super) struct Environment(pub(super) Vec<(OsString, OsString)>);

impl Environment {
    pub(super) fn get(&self, name: &str) -> Option<&OsStr> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.as_os_str())
            .filter(|value| !value.is_empty())
    }

    pub(super) fn secret(&self, name: &str) -> Option<Secret> {
        // What is not UTF-8 is kept recognisable as wrong, and no secret of ours is.
        let text = self.get(name)?.to_string_lossy().into_owned();
        Some(Secret::new(text))
    }

    /// The address that this variable names. If it is not used it may be meant for other programs, and is not judged.
    pub(super) fn address(
        &self,
        name: &str,
        default: &str,
        used: bool,
    ) -> Result<BaseUrl, Failure> {
        let named = self.get(name).filter(|_| used);
        let text = named.map_or(default.into(), OsStr::to_string_lossy);
        BaseUrl::parse(&text).map_err(|error| {
            let failure = Failure::usage(format!("cannot use the address in {name}: {error}"));
            match error {
                AddressError::InTheClear => failure.hint("use an https:// address"),
                _ => failure.hint(format!("it looks like {default}")),
            }
        })
    }
}

/// The settings of `codex run`.
pub(super) fn run(
    args: &Args,
    environment: &Environment,
    begun: Instant,
) -> Result<Settings, Failure> {
    // What each flag says is judged before what they say together: a flag that swallowed the next one is told as such.
    let policy = policy(args)?;
    let silence = duration("--idle-timeout", args.idle_timeout.as_deref())?;
    let timeout = duration("--timeout", args.timeout.as_deref())?;
    tool_timeout(args)?;
    if let Some(color) = &args.color {
        one_of("--color", color, COLORS)?;
    }
    let Tooling {
        setup,
        warnings: of_tools,
    } = tooling::of_run(args, environment)?;
    let words = Words::new(&args.words)
        .map_err(|error| Failure::from(crate::command::run::Error::Prompt(error)))?;
    if args.no_stdin && words.want_stdin() {
        return Err(Failure::usage("--no-stdin leaves no prompt")
            .hint("give the prompt as arguments, without -"));
    }
    if args.quiet && args.verbose {
        return Err(
            Failure::usage("--quiet and --verbose exclude each other").hint("use one of them")
        );
    }
    let level = match (args.quiet, args.verbose) {
        (true, _) => Level::Quiet,
        (_, true) => Level::Verbose,
        _ => Level::Normal,
    };
    let Credentials {
        found,
        keeper,
        mut warnings,
    } = credentials::find(args, environment, false, !args.dry_run)?;
    warnings.extend(of_tools);
    let endpoints = credentials::endpoints(&found, environment)?;
    Ok(Settings {
        words,
        no_stdin: args.no_stdin,
        model: model(args, environment)?,
        effort: effort(args)?,
        instructions: instructions(args, &setup)?,
        tools: setup,
        policy,
        silence: silence.unwrap_or(SILENCE),
        deadline: timeout.map(|time| begun + time),
        dry_run: args.dry_run,
        level,
        paint: terminal::paint(args.color.as_deref(), environment),
        spinner: terminal::frames(environment).filter(|_| level > Level::Quiet),
        found,
        keeper,
        warnings,
        endpoints,
    })
}

fn policy(args: &Args) -> Result<Policy, Failure> {
    Ok(Policy {
        max_turns: count("--max-turns", args.max_turns.as_deref(), 1)?.unwrap_or(MAX_TURNS),
        retries: count("--retries", args.retries.as_deref(), 0)?.unwrap_or(RETRIES),
        wait_for_reset: duration("--wait-for-reset", args.wait_for_reset.as_deref())?,
        buffer: args.buffer,
        fail_on_tool_error: args
            .fail_on
            .as_ref()
            .map(|what| one_of("--fail-on", what, FAILURES))
            .transpose()?
            .is_some(),
    })
}

/// The time limit of a tool call.
pub(super) fn tool_timeout(args: &Args) -> Result<Duration, Failure> {
    Ok(duration("--tool-timeout", args.tool_timeout.as_deref())?.unwrap_or(TOOL_TIMEOUT))
}

fn model(args: &Args, environment: &Environment) -> Result<ModelId, Failure> {
    let (source, text) = match (args.model.as_deref(), environment.get("CODEX_MODEL")) {
        (Some(text), _) => ("--model", text),
        (None, Some(text)) => ("CODEX_MODEL", text),
        (None, None) => ("the default", OsStr::new(MODEL)),
    };
    let text = prompt::text(text, || format!("the model id of {source}")).map_err(|error| {
        Failure::usage(format!("{error}")).hint(format!("it looks like {MODEL}"))
    })?;
    text.parse().map_err(|error| {
        Failure::usage(format!("cannot use the model id of {source}: {error}"))
            .hint(format!("it looks like {MODEL}"))
    })
}

fn effort(args: &Args) -> Result<Option<&'static str>, Failure> {
    args.effort
        .as_ref()
        .map(|level| one_of("--effort", level, EFFORTS))
        .transpose()
}

fn instructions(args: &Args, setup: &Setup) -> Result<String, Failure> {
    let mut text = match &args.instructions {
        Some(path) => read("--instructions", path)?,
        None => prompt::instructions(!setup.offered.is_empty(), tooling::notice(setup).as_deref()),
    };
    for more in &args.append_instructions {
        let more = prompt::text(more, || "the text of --append-instructions".to_owned()).map_err(
            |error| Failure::usage(error.to_string()).hint("the service takes text only"),
        )?;
        if more.trim().is_empty() {
            continue;
        }
        text = format!("{}\n\n{more}", text.trim_end());
    }
    if text.trim().is_empty() {
        return Err(Failure::usage("the instructions are empty").hint("the service wants some"));
    }
    Ok(text)
}

/// A whole number, which is `least` or more.
fn count(flag: &str, value: Option<&OsStr>, least: usize) -> Result<Option<usize>, Failure> {
    let Some(text) = value else { return Ok(None) };
    let number = text.to_str().and_then(|text| text.parse().ok());
    match number.filter(|number| *number >= least) {
        Some(number) => Ok(Some(number)),
        None => Err(
            Failure::usage(format!("{flag} does not take {:?}", text.to_string_lossy()))
                .hint(format!("it takes a whole number from {least} on")),
        ),
    }
}

/// A text file that a flag names.
pub(super) fn read(flag: &str, path: &OsStr) -> Result<String, Failure> {
    let shown = path.to_string_lossy();
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::usage(format!("cannot read {shown}, named by {flag}: {error}"))
            .hint("name a file that is there and that you may read")
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::usage(format!(
            "cannot use {shown}, named by {flag}: it is not UTF-8 at byte {at}"
        ))
        .hint("it must be a text file; convert it, for example with iconv")
    })
}

pub(super) fn one_of(
    flag: &str,
    value: &OsStr,
    known: &[&'static str],
) -> Result<&'static str, Failure> {
    let value = value.to_string_lossy();
    known
        .iter()
        .find(|word| **word == value)
        .copied()
        .ok_or_else(|| {
            unknown(
                &format!("value of {flag}:"),
                &value,
                known,
                &format!("{flag} takes {}", known.join(", ")),
            )
        })
}

/// The longest time, in milliseconds: ten years are as good as for ever, and keep every later sum in range.
const MOST: u64 = 315_360_000_000;

/// A time as people write it.
pub(super) fn duration(flag: &str, value: Option<&OsStr>) -> Result<Option<Duration>, Failure> {
    let Some(value) = value else { return Ok(None) };
    let wrong = || {
        Failure::usage(format!(
            "{flag} does not take {:?}",
            value.to_string_lossy()
        ))
        .hint("a time above 0 is written 300ms, 90s, 15m, 2h, or as plain seconds")
    };
    let text = value.to_str().ok_or_else(wrong)?;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "s" | "" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    let number: u64 = if digits.bytes().all(|b| b.is_ascii_digit()) {
        digits.parse().map_err(|_| wrong())?
    } else {
        0
    };
    match number.checked_mul(unit) {
        Some(0) | None => Err(wrong()),
        Some(millis) => Ok(Some(Duration::from_millis(millis.min(MOST)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_do() {
        let check = |text: &str, millis: Option<u64>| {
            let time = duration("--timeout", Some(OsStr::new(text))).ok().flatten();
            assert_eq!(time, millis.map(Duration::from_millis), "{text}");
        };
        check("300ms", Some(300));
        check("90s", Some(90_000));
        check("15m", Some(900_000));
        check("2h", Some(7_200_000));
        check("7", Some(7000));
        check("99999999999999999h", None);
        check("999999999h", Some(315_360_000_000));
        for text in [
            "",
            "0",
            "0s",
            "s",
            "-1",
            "+1",
            "1.5",
            "1 s",
            "1d",
            "1S",
            "\u{e9}",
            "99999999999999999999",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let environment = Environment(vec![("A".into(), "".into()), ("B".into(), "b".into())]);
        assert!(environment.get("A").is_none() && environment.get("C").is_none());
        assert_eq!(environment.get("B"), Some(OsStr::new("b")));
    }

    #[test]
    fn a_value_that_is_none_of_them_is_answered_with_the_nearest() {
        let words =
            |value: &str| one_of("--effort", OsStr::new(value), EFFORTS).map_err(|f| f.words());
        assert_eq!(words("low"), Ok("low"));
        assert_eq!(
            words("hihg"),
            Err("unknown value of --effort: \"hihg\"; did you mean high?\nhint: ".to_owned())
        );
    }
}
