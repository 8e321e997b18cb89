//! Arguments and environment to settings: every value is judged here, so that what follows need not.

use std::time::Instant;

use super::choosing::{self, Choosing};
use super::fitting;
use super::inputs::{self, Agents};
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
use crate::cli::values::{count, duration, one_of, tool_timeout};
use crate::command::run::Settings;
use crate::failure::{self, Failure};
use crate::http::SILENCE;
use crate::models::choice::Choice;
use crate::output::text::Level;
use crate::prompt::{self, Words};
use crate::wire::request::Search;

/// The most requests of a run if nobody says otherwise.
const MAX_TURNS: usize = 100;

/// How often a request that failed is made again if nobody says otherwise.
const RETRIES: usize = 5;

/// The settings of `codex run`.
pub(crate) fn run(
    args: &Args,
    environment: &Environment,
    begun: Instant,
) -> Result<Settings, Failure> {
    // What each flag says is judged before what they say together: a flag that swallowed the next one is told as such.
    let mut policy = policy(args)?;
    let silence = duration(&args.named("idle-timeout"), args.idle_timeout.as_deref())?;
    let timeout = duration(&args.named("timeout"), args.timeout.as_deref())?;
    tool_timeout(args)?;
    if let Some(color) = &args.color {
        one_of(&args.named("color"), color, COLORS)?;
    }
    let mut tooling = around::of_run(args, environment)?;
    let words = Words::new(&args.words).map_err(|error| failure::of_prompt(&error))?;
    if args.no_stdin && words.want_stdin() {
        return Err(Failure::usage("--no-stdin leaves no prompt")
            .hint("give the prompt as arguments, without -"));
    }
    let level = level(args)?;
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
    let chosen = choosing::choose(args, environment, resumed, search)?;
    let handed = variables::hand_on(&mut tooling.setup, args, environment, &chosen.found)?;
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
    let told = if args.dry_run && level == Level::Verbose {
        {
            let found = agents.found.iter();
            let read =
                found.map(|(file, _)| format!("{}: added to the instructions", file.display()));
            let kept = fitting::kept_effort(args, &chosen.choice, resumed).is_some();
            let lines = origins::lines(args, environment, &chosen, &fitted, kept);
            lines.into_iter().chain(read).collect()
        }
    } else {
        Vec::new()
    };
    let mut warnings = chosen.warnings;
    warnings.extend(told);
    warnings.extend(tooling.warnings);
    warnings.extend(agents.warnings);
    warnings.extend(fitted.note.clone());
    let Choosing {
        choice,
        found,
        keeper,
        endpoints,
        ..
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

fn policy(args: &Args) -> Result<Policy, Failure> {
    Ok(Policy {
        max_turns: count(&args.named("max-turns"), args.max_turns.as_deref(), 1)?
            .unwrap_or(MAX_TURNS),
        max_tokens: count(&args.named("max-tokens"), args.max_tokens.as_deref(), 1)?
            .map(|count| count as u64),
        max_calls: count(
            &args.named("max-tool-calls"),
            args.max_tool_calls.as_deref(),
            0,
        )?,
        window: None,
        price: None,
        retries: count(&args.named("retries"), args.retries.as_deref(), 0)?.unwrap_or(RETRIES),
        wait_for_reset: duration(
            &args.named("wait-for-reset"),
            args.wait_for_reset.as_deref(),
        )?,
        buffer: args.buffer,
        fail_on_tool_error: args
            .fail_on
            .as_ref()
            .map(|what| one_of(&args.named("fail-on"), what, FAILURES))
            .transpose()?
            .is_some(),
    })
}

/// How much is told beside the answer.
fn level(args: &Args) -> Result<Level, Failure> {
    if args.quiet && args.verbose {
        return Err(Failure::usage(format!(
            "{} and {} exclude each other",
            args.named("quiet"),
            args.named("verbose")
        ))
        .hint("use one of them"));
    }
    Ok(match (args.quiet, args.verbose) {
        (true, _) => Level::Quiet,
        (_, true) => Level::Verbose,
        _ => Level::Normal,
    })
}

/// How the service is to search the web, if it is to.
fn search(args: &Args) -> Result<Option<Search>, Failure> {
    let Some(mode) = &args.search else {
        return Ok(None);
    };
    Ok(Some(match one_of(&args.named("search"), mode, SEARCHES)? {
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
