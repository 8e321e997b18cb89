//! `codex exec`, `run` with the official client's syntax: translates its arguments and settings to those of `run`.

use std::ffi::OsString;

use super::flags::{Args, EFFORTS, FlagOrigin, flags_of};
use crate::failure::Failure;

/// The official client's approval policies.
const POLICIES: &[&str] = &["never", "on-request", "on-failure", "untrusted"];

/// Settings that would send requests to a different service.
const ELSEWHERE: &[&str] = &["model_provider", "chatgpt_base_url", "oss_provider"];

/// Settings that would weaken the sandbox, or run programs outside it.
const UNSAFE: &[&str] = &[
    "sandbox",
    "permissions",
    "default_permissions",
    "shell_environment_policy",
    "mcp_servers",
    "notify",
    "hooks",
];

/// Translates the arguments to those of `run`.
pub(super) fn translate(args: &mut Args) -> Result<(), Failure> {
    let first = args.words.first().filter(|_| !args.ended_flags);
    if let Some(word) = first.filter(|word| **word == "fork" || **word == "review") {
        let word = word.to_string_lossy();
        return Err(
            Failure::usage(format!("`codex exec {word}` is not supported")).hint(
                "put a prompt that begins with this word after --; `codex run --fork ID` continues a copy",
            ),
        );
    }
    if first.is_some_and(|word| word == "resume") {
        args.words.remove(0);
        if !args.last {
            if args.words.is_empty() {
                return Err(Failure::usage("`codex exec resume` needs an id, or --last")
                    .hint("`codex sessions` lists the ids"));
            }
            let id = args.words.remove(0);
            if let Some(flag) = flags_of("run").find(|flag| flag.long == "resume") {
                flag.set_value(args, id, FlagOrigin::Flag);
            }
        }
    } else if args.last {
        return Err(Failure::usage("--last works only with `codex exec resume`")
            .hint("put `resume` before it"));
    }
    let images = std::mem::take(&mut args.image);
    args.image = images.iter().flat_map(split).collect();
    let (model, effort, summary, verbosity) = (
        args.model.take(),
        args.effort.take(),
        args.summary.take(),
        args.verbosity.take(),
    );
    // The last value of a key takes effect.
    for setting in std::mem::take(&mut args.config) {
        let text = setting.to_string_lossy().into_owned();
        let Some((key, value)) = text
            .split_once('=')
            .map(|(key, value)| (key.trim().replace('"', ""), value))
        else {
            return Err(
                Failure::usage(format!("invalid value for -c: {text:?} is not KEY=VALUE"))
                    .hint("for example: -c model_reasoning_effort=high"),
            );
        };
        apply(args, &key, plain(value))?;
    }
    // A separate flag takes precedence over -c.
    args.model = model.or(args.model.take());
    args.effort = effort.or(args.effort.take());
    args.summary = summary.or(args.summary.take());
    args.verbosity = verbosity.or(args.verbosity.take());
    if !args.ignored.is_empty() {
        let flags: Vec<String> = args
            .ignored
            .iter()
            .map(|long| format!("--{long}"))
            .collect();
        args.notes
            .push(format!("ignored flags: {}", flags.join(", ")));
    }
    Ok(())
}

/// Splits a comma-separated list of files.
fn split(list: &OsString) -> Vec<OsString> {
    match list.to_str() {
        Some(text) if !std::path::Path::new(text).exists() => {
            text.split(',').map(OsString::from).collect()
        }
        _ => vec![list.clone()],
    }
}

/// A TOML value without its quotes.
fn plain(value: &str) -> String {
    let value = value.trim();
    let quoted = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
    match serde_json::from_str::<String>(value) {
        Ok(text) if quoted => text,
        _ => value.trim_matches('\'').to_owned(),
    }
}

/// Applies one setting of the official client.
fn apply(args: &mut Args, key: &str, value: String) -> Result<(), Failure> {
    let wrong = |wanted: &str| {
        Failure::usage(format!("invalid value for -c {key}: {value:?}"))
            .hint(format!("use {wanted}"))
    };
    let put = |to: &mut Option<OsString>, value: &str| *to = Some(value.into());
    match key {
        "model" => put(&mut args.model, &value),
        "model_reasoning_effort" if value == "ultra" || value == "persistent" => {
            args.notes.push(format!(
                "effort {value} means several agents at once in the official client; using max"
            ));
            put(&mut args.effort, "max");
        }
        "model_reasoning_effort" if EFFORTS.contains(&&*value) => put(&mut args.effort, &value),
        "model_reasoning_effort" => return Err(wrong(&format!("one of {}", EFFORTS.join(", ")))),
        "model_reasoning_summary" => put(&mut args.summary, &value),
        "model_verbosity" => put(&mut args.verbosity, &value),
        "openai_base_url" => args.base_url = Some(value),
        "sandbox_workspace_write.exclude_slash_tmp" => match &*value {
            "true" => args.no_tmp = true,
            "false" => args.no_tmp = false,
            _ => return Err(wrong("true or false")),
        },
        "sandbox_workspace_write.network_access" => match &*value {
            "true" => args.network = true,
            "false" => args.network = false,
            _ => return Err(wrong("true or false")),
        },
        "approval_policy" if value == "never" => {}
        "approval_policy" if !POLICIES.contains(&&*value) => {
            return Err(wrong(&format!("one of {}", POLICIES.join(", "))));
        }
        "approval_policy" => args.notes.push(
            "codex-run never asks for approval: what the sandbox does not allow, fails".to_owned(),
        ),
        "web_search" => match &*value {
            "disabled" => args.search = None,
            "cached" | "live" => put(&mut args.search, &value),
            _ => return Err(wrong("disabled, cached or live")),
        },
        key if UNSAFE.iter().any(|unsafe_key| key.starts_with(unsafe_key)) => {
            return Err(Failure::usage(format!(
                "-c {key} is not supported: it could weaken the sandbox"
            ))
            .hint("use --sandbox, --add-dir and the other flags of `codex run`"));
        }
        "" => {
            return Err(Failure::usage(format!("-c ={value} has no key"))
                .hint("for example: -c model_reasoning_effort=high"));
        }
        key if ELSEWHERE.iter().any(|elsewhere| key.starts_with(elsewhere)) => {
            return Err(Failure::usage(format!(
                "-c {key} is not supported: codex-run does not send requests to the service that it names"
            ))
            .hint("use -c openai_base_url=..., or a provider in models.json"));
        }
        key => args.notes.push(format!("-c {key} is ignored")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(words: &[&str], config: &[&str]) -> Result<Args, String> {
        let mut args = Args {
            words: words.iter().map(OsString::from).collect(),
            config: config.iter().map(OsString::from).collect(),
            ..Args::default()
        };
        translate(&mut args).map_err(|failure| failure.words())?;
        Ok(args)
    }

    #[test]
    fn resume_takes_an_id_and_then_the_prompt() {
        let args = translated(&["resume", "id", "go", "on"], &[]).expect("arguments");
        assert_eq!(args.resume, Some("id".into()));
        assert_eq!(args.words, ["go", "on"]);
        assert!(translated(&["resume"], &[]).is_err_and(|words| words.contains("needs an id")));
        assert_eq!(
            translated(&["hi", "resume"], &[])
                .expect("words")
                .words
                .len(),
            2
        );
    }

    #[test]
    fn settings_become_flags() {
        let args = translated(
            &["hi"],
            &[
                "model=\"m\"",
                "model_reasoning_effort='high'",
                "openai_base_url=\"http://127.0.0.1:1/v1\"",
                "sandbox_workspace_write.network_access=true",
                "hide_agent_reasoning=true",
            ],
        )
        .expect("arguments");
        assert_eq!(
            (args.model, args.effort),
            (Some("m".into()), Some("high".into()))
        );
        assert_eq!(args.base_url.as_deref(), Some("http://127.0.0.1:1/v1"));
        assert!(args.network);
        assert_eq!(args.notes, ["-c hide_agent_reasoning is ignored"]);
        for bad in [
            "x",
            "sandbox_mode=\"danger-full-access\"",
            "notify=[\"sh\"]",
            "sandbox_workspace_write.network_access=1",
        ] {
            assert!(translated(&["hi"], &[bad]).is_err(), "{bad}");
        }
    }
}
