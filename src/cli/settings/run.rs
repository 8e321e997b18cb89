//! Arguments and environment to settings: every value is judged here, so that what follows need not.

use std::ffi::OsString;
use std::time::Instant;

use super::credentials::Credentials;
use super::fitting;
use super::inputs::{self, Agents};
use super::model::{self, Choosing, ModelSettings};
use super::origins;
use super::outputs;
use super::resuming;
use super::tools::around::{self, Tooling};
use super::tools::variables;
use crate::agent::Policy;
use crate::cli::environment::Environment;
use crate::cli::flags::{Args, COLORS, FAILURES, SEARCHES};
use crate::cli::named;
use crate::cli::terminal;
use crate::cli::values::{count_of, duration_of, exclusive, tool_timeout, word_of};
use crate::command::run::Settings;
use crate::failure::{self, Failure};
use crate::http::SILENCE;
use crate::models::choice::Choice;
use crate::output::text::Level;
use crate::prompt::{self, Words};
use crate::wire::request::Search;

/// The settings of `codex run`.
pub(crate) fn run(
    args: &Args,
    environment: &Environment,
    begun: Instant,
) -> Result<Settings, Failure> {
    // What each flag says is judged before what they say together: a flag that swallowed the next one is told as such.
    let mut policy = policy(args)?;
    let silence = duration_of(args, "idle-timeout", args.idle_timeout.as_deref())?;
    let timeout = duration_of(args, "timeout", args.timeout.as_deref())?;
    tool_timeout(args)?;
    word_of(args, "color", args.color.as_deref(), COLORS)?;
    exclusive(args, "run")?;
    let mut tooling = around::of_run(args, environment)?;
    let words = Words::new(&args.words).map_err(|error| failure::of_prompt(&error))?;
    if args.no_stdin && words.want_stdin() {
        return Err(Failure::usage("--no-stdin leaves no prompt")
            .hint("give the prompt as arguments, without -"));
    }
    let level = level(args);
    let (files, mut pictures) = (
        inputs::files(args, &tooling.hidden)?,
        inputs::pictures(args)?,
    );
    let agents = if args.no_agents_md {
        Agents::default()
    } else {
        inputs::agents(&tooling.setup.directory, &tooling.hidden)
    };
    let instructions = instructions(args, &tooling, &agents)?;
    let schema = outputs::schema(args)?;
    let search = search(args)?;
    let (keep, resumed) =
        resuming::look(outputs::keep(args)?, &tooling.setup.directory, environment);
    let resumed = resumed.as_ref();
    let ModelSettings {
        chosen,
        credentials,
        providers,
    } = model::find(args, environment, resumed, search.is_some())?;
    let Credentials {
        found,
        keeper,
        mut warnings,
    } = credentials;
    let handed = variables::hand_on(&mut tooling.setup, args, environment, &found, &providers)?;
    tooling.warnings.extend(handed);
    let fitted = fitting::fitted(args, &chosen.choice, resumed, pictures.len())?;
    // What was asked for with pictures is not asked without them.
    let sees = |choice: &Choice| pictures.is_empty() || !choice.model.text_only;
    let instead = match chosen.instead.clone().filter(sees) {
        Some(choice) => {
            let fitted = fitting::fitted(args, &choice, None, pictures.len())?;
            Some((choice, fitted))
        }
        None => None,
    };
    let origins = if args.dry_run && level == Level::Verbose {
        let kept = fitting::kept_effort(args, &chosen.choice, resumed).is_some();
        let read = agents.found.iter().map(|(file, _)| file);
        let read = read.map(|file| format!("{}: added to the instructions", file.display()));
        let lines = origins::lines(args, &chosen, &found, &fitted, kept);
        lines.into_iter().chain(read).collect()
    } else {
        Vec::new()
    };
    warnings.extend(chosen.notes.iter().map(ToString::to_string));
    warnings.extend(origins);
    warnings.extend(tooling.warnings);
    warnings.extend(agents.warnings);
    warnings.extend(fitted.note.clone());
    let Choosing {
        choice, endpoints, ..
    } = chosen;
    if choice.model.text_only {
        pictures.clear();
    }
    policy.window = choice.model.window();
    policy.price = choice.model.price;
    Ok(Settings {
        words,
        no_stdin: args.no_stdin,
        files,
        pictures,
        search,
        choice,
        fitted,
        instead,
        instructions,
        tools: tooling.setup,
        home: environment.home(),
        keep,
        form: outputs::form(args)?,
        schema,
        last_message: outputs::last_message(args),
        policy,
        silence: silence.unwrap_or(SILENCE),
        deadline: timeout.map(|time| begun + time),
        dry_run: args.dry_run,
        level,
        paint: terminal::paint(args.color.as_deref(), environment),
        spinner: terminal::frames(environment).filter(|_| level > Level::Quiet),
        found,
        keeper,
        notes: [args.notes.clone(), tooling.notes].concat(),
        warnings,
        endpoints,
    })
}

/// What the run may do. A limit that the table has no default of does not hold unless it is given.
fn policy(args: &Args) -> Result<Policy, Failure> {
    let count =
        |long: &str, given: &Option<OsString>, least| count_of(args, long, given.as_deref(), least);
    Ok(Policy {
        max_turns: count("max-turns", &args.max_turns, 1)?.unwrap_or(usize::MAX),
        max_tokens: count("max-tokens", &args.max_tokens, 1)?.map(|count| count as u64),
        max_calls: count("max-tool-calls", &args.max_tool_calls, 0)?,
        window: None,
        price: None,
        retries: count("retries", &args.retries, 0)?.unwrap_or_default(),
        wait_for_reset: duration_of(args, "wait-for-reset", args.wait_for_reset.as_deref())?,
        buffer: args.buffer,
        fail_on_tool_error: word_of(args, "fail-on", args.fail_on.as_deref(), FAILURES)?.is_some(),
    })
}

/// How much is reported beside the answer.
fn level(args: &Args) -> Level {
    match (args.quiet, args.verbose) {
        (true, _) => Level::Quiet,
        (_, true) => Level::Verbose,
        _ => Level::Normal,
    }
}

/// How the service is to search the web, if it is to.
fn search(args: &Args) -> Result<Option<Search>, Failure> {
    let mode = word_of(args, "search", args.search.as_deref(), SEARCHES)?;
    Ok(mode.map(|mode| match mode {
        "cached" => Search::Cached,
        _ => Search::Live,
    }))
}

fn instructions(args: &Args, tooling: &Tooling, agents: &Agents) -> Result<String, Failure> {
    let setup = &tooling.setup;
    let mut text = match &args.instructions {
        Some(path) => named::sent(args, "instructions", path, &tooling.hidden)?,
        None => prompt::instructions(!setup.offered.is_empty(), around::notice(setup).as_deref()),
    };
    for more in &args.append_instructions {
        let more = prompt::text(more, || {
            format!("the text of {}", args.named("append-instructions"))
        })
        .map_err(|error| Failure::usage(error.to_string()).hint("the service takes text only"))?;
        if more.trim().is_empty() {
            continue;
        }
        text = format!("{}\n\n{more}", text.trim_end());
    }
    for (file, words) in &agents.found {
        let (text_of_run, file) = (text.trim_end(), file.display());
        text = format!("{text_of_run}\n\nFrom {file}:\n\n{}", words.trim());
    }
    if text.trim().is_empty() {
        return Err(Failure::usage("the instructions are empty").hint("the service wants some"));
    }
    Ok(text)
}
