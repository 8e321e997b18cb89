//! The settings of a run, and of the conversation of a chat: every value of the arguments and the environment is validated
//! here.

use std::time::Instant;

use super::clamping;
use super::credentials::Credentials;
use super::inputs::{self, Agents};
use super::instructions::instructions;
use super::limits::RunLimits;
use super::model::{self, ModelSettings, ScopeInputs};
use super::model_switch::{check_price, model_switch};
use super::outputs;
use super::resumed_session;
use super::setting_origins;
use super::substitutes::{SubstituteInputs, Substitutes};
use super::tools::tool_settings::{self, Tooling};
use super::tools::variable_guard::KnownSecrets;
use crate::cli::environment::Environment;
use crate::cli::flags::{Args, COLORS, SEARCHES};
use crate::cli::terminal;
use crate::cli::values::{exclusive, tool_timeout, word_of};
use crate::command::run::{RunInput, RunSettings};
use crate::failure::{self, Failure};
use crate::output::text::Level;
use crate::prompt::PromptWords;
use crate::wire::request::WebSearch;

/// The settings of `codex run`, and those of `codex chat` that are the same.
#[allow(clippy::too_many_lines, reason = "one value after another")]
pub(crate) fn run(
    args: &Args,
    environment: &Environment,
    begun: Instant,
) -> Result<RunSettings, Failure> {
    // Each flag is validated before combinations are, so that a flag that took the next flag as its value is reported for
    // that.
    let limits = RunLimits::of(args)?;
    tool_timeout(args)?;
    word_of(args, "color", args.color.as_deref(), COLORS)?;
    exclusive(args, if args.is_chat { "chat" } else { "run" })?;
    let input = outputs::input(args)?;
    let mut tooling = tool_settings::of_run(args, environment)?;
    let (words, level) = (words(args)?, level(args));
    let files = inputs::files(args, || tooling.hidden(args, environment))?;
    let mut images = inputs::images(args)?;
    let agents = agents(args, &tooling, environment);
    let instructions = instructions(args, &tooling, environment, &agents)?;
    let schema = outputs::schema(args)?;
    let search = search(args)?;
    let (session, resumed) = resumed_session::read(
        outputs::session_choice(args)?,
        args.is_copy,
        &tooling.setup.directory,
        environment,
    );
    let resumed = resumed.as_ref();
    let ModelSettings {
        chosen,
        credentials,
        providers,
        scope,
    } = model::find(args, environment, resumed, search.is_some())?;
    let Credentials {
        found,
        sign_in_source,
        read,
        mut warnings,
    } = credentials;
    let (count, can_switch) = (images.len(), args.is_chat || input == RunInput::Lines);
    let clamped = clamping::clamped(args, &chosen.choice, resumed, count)?;
    check_price(args, &chosen.choice)?;
    let inputs = ScopeInputs {
        found: found.clone(),
        providers,
        search: search.is_some(),
    };
    let of_first = SubstituteInputs {
        scope: &scope,
        inputs: &inputs,
        images: count,
        can_switch,
    };
    let substitutes = Substitutes::find(args, environment, chosen.substitute.clone(), &of_first)?;
    let known = KnownSecrets {
        found: &substitutes.all_credentials(&found),
        read: read.as_deref(),
        providers: &inputs.providers,
    };
    tooling.fill_environment(args, environment, &known)?;
    warnings.extend(chosen.notes.iter().map(ToString::to_string));
    warnings.extend(substitutes.notes);
    if args.dry_run && level == Level::Verbose {
        let kept = clamping::kept_effort(args, &chosen.choice, resumed).is_some();
        let origins = setting_origins::lines(args, &chosen, &found, &clamped, kept);
        warnings.extend(origins.into_iter().chain(agents.lines()));
    }
    warnings.extend(tooling.warnings.into_iter().chain(agents.warnings));
    warnings.extend(clamped.note());
    if chosen.choice.model.text_only {
        images.clear();
    }
    let model_switch = can_switch.then(|| model_switch(args, scope, inputs));
    Ok(RunSettings {
        input,
        model_switch: model_switch.transpose()?,
        words,
        no_stdin: args.no_stdin,
        files,
        images,
        search,
        choice: chosen.choice,
        clamped,
        substitutes: substitutes.models,
        instructions,
        tools: tooling.setup,
        offered: tooling.offered,
        servers: tooling.servers,
        home: environment.home(),
        session,
        form: outputs::form(args)?,
        schema,
        last_message: outputs::last_message(args),
        policy: limits.policy,
        fail_on_tool_error: limits.fail_on_tool_error,
        idle_timeout: limits.idle_timeout,
        deadline: limits.timeout.map(|time| begun + time),
        dry_run: args.dry_run,
        level,
        paint: terminal::paint(args.color.as_deref(), environment),
        spinner: terminal::frames(environment).filter(|_| level > Level::Quiet),
        found,
        sign_in_source,
        notes: [args.notes.clone(), tooling.notes].concat(),
        warnings,
        endpoints: chosen.endpoints,
    })
}

/// The words of the prompt.
fn words(args: &Args) -> Result<PromptWords, Failure> {
    let words = PromptWords::new(&args.words).map_err(|error| failure::of_prompt(&error))?;
    if args.no_stdin && words.want_stdin() {
        return Err(Failure::usage("--no-stdin leaves no prompt")
            .hint("pass the prompt as arguments, without -"));
    }
    Ok(words)
}

/// How much is reported in addition to the answer.
fn level(args: &Args) -> Level {
    match (args.quiet, args.verbose) {
        (true, _) => Level::Quiet,
        (_, true) => Level::Verbose,
        _ => Level::Normal,
    }
}

/// How the service searches the web, if requested.
fn search(args: &Args) -> Result<Option<WebSearch>, Failure> {
    let mode = word_of(args, "search", args.search.as_deref(), SEARCHES)?;
    Ok(mode.map(|mode| match mode {
        "cached" => WebSearch::Cached,
        _ => WebSearch::Live,
    }))
}

/// The project's instructions for agents.
fn agents(args: &Args, tooling: &Tooling, environment: &Environment) -> Agents {
    if args.no_agents_md {
        Agents::default()
    } else {
        let hidden = || tooling.hidden(args, environment);
        inputs::agents(&tooling.setup.directory, hidden)
    }
}
