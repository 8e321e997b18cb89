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
    "notify",
    "hooks",
];

/// Flags of the official client that are refused, each with the reason and the hint.
const REFUSED: &[(&[&str], &str, &str)] = &[
    (
        &["--oss", "--local-provider"],
        "a local server is a provider in models.json",
        "add it there, and name its model: -m PROVIDER/MODEL",
    ),
    (
        &["--profile", "-p"],
        "codex-run does not read the official client's configuration",
        "use flags, or `codex run --config-file FILE`",
    ),
    (
        &["--remote", "--remote-auth-token-env"],
        "codex-run does not use an app server",
        "omit it",
    ),
    (
        &["--worktree"],
        "codex-run does not create worktrees",
        "create one with `git worktree add`, and name it with --cd",
    ),
    (
        &["--all"],
        "--last is the newest conversation of this directory",
        "`codex sessions` lists the ids of all; `codex exec resume ID` resumes one",
    ),
];

/// Translates the arguments to those of `run`.
pub(super) fn translate(args: &mut Args) -> Result<(), Failure> {
    let first = args.words.first().filter(|_| !args.ended_flags);
    if first.is_some_and(|word| word == "review") {
        return Err(Failure::usage("`codex exec review` is not supported")
            .hint("put a prompt that begins with this word after --"));
    }
    let is_resumed = first.is_some_and(|word| word == "resume");
    if is_resumed && args.last {
        args.words.remove(0);
    } else if is_resumed {
        continue_conversation(args, "resume", "an id, or --last")?;
    } else if args.last {
        return Err(Failure::usage("--last works only with `codex exec resume`")
            .hint("put `resume` before it"));
    } else if first.is_some_and(|word| word == "fork") {
        continue_conversation(args, "fork", "an id")?;
    }
    // The official client continues a conversation without storing more of it.
    if args.ephemeral && (args.last || args.resume.is_some() || args.fork.is_some()) {
        (args.ephemeral, args.is_copy) = (false, true);
        args.given.retain(|given| given.long != "ephemeral");
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

/// Sets the flag of `run` that continues a conversation: the first word is its name, the second one the id.
fn continue_conversation(args: &mut Args, long: &str, wanted: &str) -> Result<(), Failure> {
    args.words.remove(0);
    if args.words.is_empty() {
        return Err(
            Failure::usage(format!("`codex exec {long}` needs {wanted}"))
                .hint("`codex sessions` lists the ids"),
        );
    }
    let id = args.words.remove(0);
    if let Some(flag) = flags_of("run").find(|flag| flag.long == long) {
        flag.set_value(args, id, FlagOrigin::Flag);
    }
    Ok(())
}

/// The refusal of a flag of the official client; `None` if it has no such flag.
pub(super) fn refusal(spelled: &str) -> Option<Failure> {
    let found = REFUSED.iter().find(|(flags, ..)| flags.contains(&spelled));
    found.map(|(_, why, hint)| {
        Failure::usage(format!("{spelled} is not supported: {why}")).hint(*hint)
    })
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
                "effort {value} runs several agents in the official client; using max"
            ));
            put(&mut args.effort, "max");
        }
        "model_reasoning_effort" if EFFORTS.contains(&&*value) => put(&mut args.effort, &value),
        "model_reasoning_effort" => return Err(wrong(&format!("one of {}", EFFORTS.join(", ")))),
        "model_reasoning_summary" => put(&mut args.summary, &value),
        "model_verbosity" => put(&mut args.verbosity, &value),
        "model_auto_compact_token_limit" => put(&mut args.compact, &value),
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
            "codex-run never asks for approval: what the sandbox does not allow fails".to_owned(),
        ),
        "web_search" => match &*value {
            "disabled" => args.search = None,
            "cached" | "live" => put(&mut args.search, &value),
            _ => return Err(wrong("disabled, cached or live")),
        },
        key if key.starts_with("mcp_servers") => {
            return Err(Failure::usage(format!(
                "-c {key} is not supported: it would run a program outside the sandbox"
            ))
            .hint("declare the server in mcp.json, or use `codex run --mcp COMMAND`: both start it in the sandbox"));
        }
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
    fn fork_takes_an_id_and_then_the_prompt() {
        let args = translated(&["fork", "id", "go", "on"], &[]).expect("arguments");
        assert_eq!(args.fork, Some("id".into()));
        assert_eq!(args.words, ["go", "on"]);
        assert!(translated(&["fork"], &[]).is_err_and(|words| words.contains("needs an id")));
        let refused = translated(&["review"], &[]);
        assert!(refused.is_err_and(|words| words.contains("is not supported")));
    }

    #[test]
    fn refused_flags_are_not_in_the_table() {
        for flag in REFUSED.iter().flat_map(|(flags, ..)| *flags) {
            let is_taken = |known: &&super::super::flags::Flag| {
                flag.strip_prefix("--") == Some(known.long)
                    || known
                        .short
                        .is_some_and(|short| **flag == format!("-{short}"))
            };
            assert!(!flags_of("exec").any(|known| is_taken(&known)), "{flag}");
            assert!(refusal(flag).is_some_and(|failure| failure.words().contains(flag)));
        }
        assert!(refusal("--nonsense").is_none());
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
