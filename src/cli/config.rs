//! `config.json`: defaults for the flags of `run`, typed by the table of flags. A value in it applies if neither
//! a flag nor a variable overrides it; a mistake is reported with its line and column.

use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_json::value::RawValue;

use super::environment::Environment;
use super::flags::{Args, Complete, Flag, FlagOrigin, Takes, flags_of};
use super::named_files;
use super::nearest::unknown;
use crate::failure::Failure;
use crate::jsonc::{self, Mistake, PositionReader};

/// Variables that take precedence over the defaults of these flags.
const VARIABLES: &[(&str, &[&str])] = &[
    ("model", &["CODEX_MODEL"]),
    ("color", &["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR"]),
    ("auth-file", &["CODEX_RUN_AUTH_FILE"]),
    ("api-key-file", &["CODEX_ACCESS_TOKEN", "CODEX_API_KEY"]),
];

/// Flags that name a credentials file. Tools cannot read it, even if a flag or a variable names a different one.
const CREDENTIALS: &[&str] = &["api-key-file", "auth-file"];

/// The flag that names another file. It cannot be set in one.
const FLAG: &str = "config-file";

/// Fills in the values of the file for flags of this command that are not given on the command line.
pub(super) fn apply(
    args: &mut Args,
    command: &str,
    environment: &Environment,
) -> Result<(), Failure> {
    let usual = environment.home().map(|home| home.join("config.json"));
    let (file, text) = match (args.config_file.clone(), usual) {
        (Some(named), usual) => {
            if let Some(usual) = usual {
                hide_credentials_of(&usual, args, environment);
            }
            let text = named_files::text(args, FLAG, &named)?;
            (PathBuf::from(named), text)
        }
        (None, Some(usual)) => match read_settings(&usual)? {
            Some(text) => (usual, text),
            None => return Ok(()),
        },
        (None, None) => return Ok(()),
    };
    let home = directory_of(&file);
    let found = parse(&jsonc::plain(&text))
        .map_err(|mistake| invalid("invalid setting in", &file, &mistake))?;
    let given: Vec<&str> = args.given.iter().map(|given| given.long).collect();
    for (flag, place, values) in found {
        let overrides = |other: &&Flag| {
            other.conflicts_with(flag)
                || other.long == flag.long
                || other.overrides.contains(&flag.long)
        };
        let open = !flags_of(command)
            .filter(overrides)
            .any(|other| given.contains(&other.long))
            && !VARIABLES
                .iter()
                .filter(|(long, _)| *long == flag.long)
                .any(|(_, names)| names.iter().any(|name| environment.get(name).is_some()));
        if CREDENTIALS.contains(&flag.long) {
            let files = values.iter().map(|file| resolved(file, &home, environment));
            args.credential_files.extend(files);
        }
        if !open || !flag.commands.contains(&command) {
            continue;
        }
        for value in values {
            let value = match flag.complete {
                Complete::Files | Complete::Directories => {
                    resolved(&value, &home, environment).into_os_string()
                }
                _ => value.into(),
            };
            let place = format!("{}:{}:{}", file.display(), place.0, place.1);
            flag.set_value(args, value, FlagOrigin::Config(place));
        }
    }
    Ok(())
}

/// The directory of a settings file.
fn directory_of(file: &Path) -> PathBuf {
    let parent = file.parent().filter(|parent| *parent != Path::new(""));
    parent.unwrap_or(Path::new(".")).to_owned()
}

/// Hides the credentials files that a settings file names from tools, although another file is used instead. If it cannot be
/// read, it names none.
fn hide_credentials_of(file: &Path, args: &mut Args, environment: &Environment) {
    let Ok(Some(text)) = read_settings(file) else {
        return;
    };
    for (flag, _, values) in parse(&jsonc::plain(&text)).unwrap_or_default() {
        if CREDENTIALS.contains(&flag.long) {
            let home = directory_of(file);
            let files = values.iter().map(|file| resolved(file, &home, environment));
            args.credential_files.extend(files);
        }
    }
}

/// The text of a settings file in codex-run's home, if it exists.
pub(super) fn read_settings(file: &Path) -> Result<Option<String>, Failure> {
    let wrong = |why: String| {
        let shown = file.display();
        Failure::usage(format!("cannot read {shown}: {why}"))
            .hint("make it a readable text file, or remove it")
    };
    let Some(bytes) = named_files::settings(file).map_err(wrong)? else {
        return Ok(None);
    };
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        wrong(format!("it is not UTF-8 at byte {at}"))
    })?;
    Ok(Some(text))
}

/// A path in the file; a relative one is relative to the file's directory.
fn resolved(value: &str, home: &Path, environment: &Environment) -> PathBuf {
    home.join(environment.expand(value.as_ref()))
}

/// A flag with its place in the file and its values; no values if it is set to false.
type ConfigEntry = (&'static Flag, (usize, usize), Vec<String>);

/// Parses the file.
fn parse(text: &str) -> Result<Vec<ConfigEntry>, Mistake> {
    let known = flags_of("run").map(|flag| flag.long);
    let known: Vec<&'static str> = known.filter(|long| *long != FLAG).collect();
    let reader = PositionReader::new(text);
    let mut found = Vec::new();
    for (key, raw) in reader.fields(&known)? {
        let Some(flag) = flags_of("run").find(|flag| flag.long == key) else {
            continue;
        };
        let values = values(&reader, flag, raw)?;
        let place = reader.mistake(raw.get(), String::new());
        found.push((flag, (place.line, place.column), values));
    }
    Ok(found)
}

/// The values of a flag, checked against its type.
fn values(
    reader: &PositionReader<'_>,
    flag: &Flag,
    raw: &RawValue,
) -> Result<Vec<String>, Mistake> {
    let wrong = |wanted: &str| {
        let example = match flag.complete {
            Complete::Words(words) => format!(", such as {:?}", words[0]),
            _ => String::new(),
        };
        let what = format!("{:?} must be {wanted}{example}", flag.long);
        reader.mistake(raw.get(), what)
    };
    let value: Value = reader.typed(raw, "JSON")?;
    match (&flag.takes, value) {
        (Takes::Nothing, Value::Bool(true)) => Ok(vec![String::new()]),
        (Takes::Nothing | Takes::Optional(..), Value::Bool(false)) => Ok(Vec::new()),
        (Takes::Nothing, _) => Err(wrong("true or false")),
        (Takes::Optional(_, default), Value::Bool(true)) => Ok(vec![(*default).to_owned()]),
        (Takes::Value(_) | Takes::Values(_) | Takes::Optional(..), Value::String(text)) => {
            Ok(vec![text])
        }
        (Takes::Optional(..), _) => Err(wrong("true, false or a string")),
        (Takes::Value("N" | "DUR" | "USD" | "LIMIT"), Value::Number(number)) => {
            Ok(vec![number.to_string()])
        }
        (Takes::Value("USD"), _) => Err(wrong("a number of US dollars")),
        (Takes::Value("N"), _) => Err(wrong("a whole number")),
        (Takes::Value("DUR"), _) => Err(wrong("a duration, such as \"90s\"")),
        (Takes::Value(_), _) => Err(wrong("a string")),
        (Takes::Values(_), Value::Array(list)) => list
            .into_iter()
            .map(|value| match value {
                Value::String(text) => Ok(text),
                _ => Err(wrong("an array of strings")),
            })
            .collect(),
        (Takes::Values(_), _) => Err(wrong("a string, or an array of strings")),
    }
}

/// The failure for an invalid settings file.
pub(super) fn invalid(what: &str, file: &Path, mistake: &Mistake) -> Failure {
    let place = format!("{}:{}:{}", file.display(), mistake.line, mistake.column);
    if let Some((word, known)) = &mistake.known {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let otherwise = format!("known fields: {}", known.join(", "));
        return unknown(&format!("field in {place}:"), word, &known, &otherwise);
    }
    let topic = match file.file_name() {
        Some(name) if name == "models.json" => "models",
        _ => "config",
    };
    Failure::usage(format!("{what} {place}: {}", mistake.what)).hint(format!(
        "correct it; `codex help {topic}` describes the format"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_against_the_flag_table() {
        let entries = |text: &str| match parse(text) {
            Ok(found) => found
                .iter()
                .map(|(flag, _, values)| format!("{} {}", flag.long, values.join("+")))
                .collect::<Vec<_>>()
                .join(", "),
            Err(mistake) => mistake.to_string(),
        };
        let check = |text: &str, expected: &str| assert_eq!(entries(text), expected, "{text}");
        check("{}", "");
        check(r#"{"model": "m", "max-turns": 3}"#, "model m, max-turns 3");
        check(
            r#"{"timeout": 90, "retries": "2"}"#,
            "timeout 90, retries 2",
        );
        check(r#"{"network": true, "quiet": false}"#, "network , quiet ");
        check(
            r#"{"add-dir": ["a", "b"], "env": "X"}"#,
            "add-dir a+b, env X",
        );
        check(
            "{\n  \"network\": \"yes\"}",
            "2:14: \"network\" must be true or false",
        );
        check(
            r#"{"effort": 3}"#,
            "1:12: \"effort\" must be a string, such as \"none\"",
        );
        check(
            r#"{"add-dir": [1]}"#,
            "1:13: \"add-dir\" must be an array of strings",
        );
        check(
            r#"{"max-turns": []}"#,
            "1:15: \"max-turns\" must be a whole number",
        );
        check(r#"{"modle": "m"}"#, "1:2: unknown field \"modle\"");
        check(
            r#"{"model": "a", "model": "b"}"#,
            "1:25: duplicate field \"model\"",
        );
        check("[]", "1:1: invalid type: sequence, expected a JSON object");
        check("", "1:1: the file is empty");
    }

    #[test]
    fn flags_named_in_constants_are_in_the_table() {
        for name in CREDENTIALS {
            assert!(flags_of("run").any(|flag| flag.long == *name), "{name}");
        }
        for (name, _) in VARIABLES {
            assert!(flags_of("run").any(|flag| flag.long == *name), "{name}");
        }
    }
}
