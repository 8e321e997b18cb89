//! Dispatch: runs the requested command with its settings, and turns its error into a failure.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};

use super::ending::{exit_now, exit_now_with_json_line, print_failure};
use super::environment::{Environment, checked, environment, own};
use super::flags::{self, Args};
use super::limits::{check_descriptors, start_deadline};
use super::manual::pages::PAGES;
use super::output_form::ReportingFlags;
use super::parse::Invocation;
use super::settings::{self, Tooling};
use super::{complete, config, help, network, terminal, time_zone, version};
use crate::auth::FoundCredential;
use crate::auth::critical_section::Critical;
use crate::command::mcp_list::ServerListSettings;
use crate::command::run::Host;
use crate::command::stdout::Stdout;
use crate::command::{self, SignInSource};
use crate::failure::{self, Failure, Used};
use crate::outcome::Outcome;
use crate::output::json_lines::EVENTS;
use crate::output::paint::Paint;
use crate::tools::sandbox::confine;
use crate::tools::tool_request;

/// Runs the invocation.
pub(super) fn invoke(invocation: Invocation, seen: &ReportingFlags) -> Result<ExitCode, Failure> {
    let begun = Instant::now();
    // Other processes of this user, tools above all, must not read credentials from this process's memory. The process
    // of a tool call holds none, and enters its sandbox first.
    if !matches!(invocation, Invocation::HeldTool(_)) {
        confine::prevent_inspection();
    }
    command::signals::survive_file_limit();
    command::signals::end_first_process_on_signal(|signal| process::exit(128 + signal))
        .map_err(|error| failure::of_thread(&error))?;
    time_zone::use_for(&invocation, &environment());
    match invocation {
        Invocation::Run(args) => ask(args, begun, seen),
        Invocation::Chat(args) => talk(args, begun),
        Invocation::Login(args) => manage(args, "login", settings::login, |settings, critical| {
            command::login::run(&settings, critical)
        }),
        Invocation::Logout(args) => {
            manage(args, "logout", settings::logout, |settings, critical| {
                command::logout::run(&settings, critical)
            })
        }
        Invocation::Status(args) => {
            manage(args, "status", settings::status, |settings, critical| {
                let host = settings
                    .limits
                    .as_ref()
                    .map(|at| settings::host(&settings.found, at));
                let used = used(&settings.found, settings.sign_in_source.as_ref(), host);
                command::status::run(settings, critical)
                    .map_err(|error| error.failure(used.as_ref()))
            })
        }
        Invocation::Token(args) => manage(args, "token", settings::token, |settings, critical| {
            let tokens: Vec<FoundCredential> = command::token::tokens(&settings.found);
            let used = used(&tokens, settings.sign_in_source.as_ref(), None);
            command::token::run(settings, critical).map_err(|error| error.failure(used.as_ref()))
        }),
        Invocation::Models(args) => {
            manage(args, "models", settings::models, |settings, critical| {
                let host = settings::host(&settings.found, &settings.endpoints);
                let used = used(
                    &settings.found,
                    settings.sign_in_source.as_ref(),
                    Some(host),
                );
                command::models::run(settings, critical)
                    .map_err(|error| error.failure(used.as_ref()))
            })
        }
        Invocation::Sessions(args) => {
            command::sessions::list(&settings::sessions(&args)?, stdout()?)?;
            Ok(ExitCode::SUCCESS)
        }
        Invocation::ShowSession(id) => {
            let home = own()?;
            command::sessions::show(home.as_deref(), &id.to_string_lossy(), stdout()?)?;
            Ok(ExitCode::SUCCESS)
        }
        Invocation::RemoveSessions(ids) => remove_sessions(&ids),
        Invocation::ListServers(args) => list_servers(args),
        Invocation::Schema => print(EVENTS),
        Invocation::Tool(name, args) => {
            let stdout = stdout()?;
            check_descriptors()?;
            let environment = checked()?;
            let args = configured(args, "tool", &environment)?;
            let Tooling {
                setup,
                offered,
                warnings,
                notes,
                ..
            } = settings::of_tool(&name, &args, &environment)?;
            for warning in warnings.iter().chain(&notes) {
                command::warn(warning);
            }
            tool(&name, command::tool::run(setup, offered, &name, stdout))
        }
        Invocation::HeldTool(request) => {
            let for_tools = tool_request::tool_variables(&environment().0);
            tool(
                &request.name,
                command::tool::run_held(&request, &for_tools, stdout()?),
            )
        }
        Invocation::Completion(shell) => print(&complete::script(&shell)),
        Invocation::Complete(kind, word) => {
            // A failure would be shown in the middle of the line that is typed.
            let _ = print(&settings::candidates(&kind, &word, &environment()));
            Ok(ExitCode::SUCCESS)
        }
        Invocation::Help(name, long) => print(&help::text(name, long)),
        Invocation::Topic(topic) => print(&help::of_topic(topic)),
        Invocation::Version => print(&version::text()),
        Invocation::Generate(what) => generate(&what),
    }
}

/// Prints a file that is committed: a completion script, or a page of the manual. `pages` lists the pages.
fn generate(what: &str) -> Result<ExitCode, Failure> {
    if what == "pages" {
        let files = PAGES.iter().map(|page| page.file.to_owned() + "\n");
        return print(&files.collect::<String>());
    }
    if flags::SHELLS.contains(&what) {
        return print(&complete::script(what));
    }
    match PAGES.iter().find(|page| page.file == what) {
        Some(page) => print(&page.text()),
        None => Err(Failure::usage(format!("cannot generate {what:?}"))),
    }
}

/// `codex sessions rm`.
fn remove_sessions(ids: &[OsString]) -> Result<ExitCode, Failure> {
    let home = own()?;
    let ids = ids.iter().map(|id| id.to_string_lossy().into_owned());
    let ids: Vec<String> = ids.collect();
    command::sessions::remove(home.as_deref(), &ids)?;
    Ok(ExitCode::SUCCESS)
}

/// `codex mcp list`.
fn list_servers(args: Box<Args>) -> Result<ExitCode, Failure> {
    let stdout = stdout()?;
    check_descriptors()?;
    let environment = checked()?;
    let args = configured(args, "mcp", &environment)?;
    let mut tooling = settings::of_servers(&args, &environment)?;
    tooling.warnings.append(&mut tooling.notes);
    let settings = ServerListSettings {
        setup: tooling.setup,
        servers: tooling.servers,
        warnings: tooling.warnings,
        json: args.json,
    };
    command::mcp_list::run(settings, stdout)?;
    Ok(ExitCode::SUCCESS)
}

/// Runs a command that uses credentials but sends no request to a model.
fn manage<S, E>(
    args: Box<Args>,
    name: &str,
    settings: impl FnOnce(&Args, &Environment) -> Result<S, Failure>,
    run: impl FnOnce(S, &Critical) -> Result<(), E>,
) -> Result<ExitCode, Failure>
where
    Failure: From<E>,
{
    check_descriptors()?;
    let environment = checked()?;
    let args = configured(args, name, &environment)?;
    let settings = settings(&args, &environment)?;
    run(settings, &delaying_signals()?)?;
    Ok(ExitCode::SUCCESS)
}

/// `codex run` and `codex exec`.
fn ask(args: Box<Args>, begun: Instant, seen: &ReportingFlags) -> Result<ExitCode, Failure> {
    check_descriptors()?;
    let environment = checked()?;
    seen.note(&args);
    let early = start_deadline(&args, seen.has_lines(), begun)?;
    let args = configured(args, "run", &environment)?;
    seen.note(&args);
    let deadline = start_deadline(&args, seen.has_lines(), begun)?;
    drop(early);
    let settings = settings::run(&args, &environment, begun)?;
    drop(deadline);
    let host_of_service = settings::host(&settings.found, &settings.endpoints);
    let used = used(
        &settings.found,
        settings.sign_in_source.as_ref(),
        Some(host_of_service),
    );
    let host = Host {
        setup: network::setup(&environment),
        used: used.clone(),
        exit_now: if seen.has_lines() && !seen.is_of_sdk() {
            exit_now_with_json_line
        } else {
            exit_now
        },
    };
    let outcome =
        command::run::run(settings, host).map_err(|error| error.failure(used.as_ref()))?;
    Ok(outcome.exit_code().into())
}

/// `codex chat`.
fn talk(args: Box<Args>, begun: Instant) -> Result<ExitCode, Failure> {
    check_descriptors()?;
    let environment = checked()?;
    let early = start_deadline(&args, false, begun)?;
    let args = configured(args, "chat", &environment)?;
    let deadline = start_deadline(&args, false, begun)?;
    drop(early);
    let host = Host {
        setup: network::setup(&environment),
        exit_now,
        used: None,
    };
    let settings = settings::chat(args, environment, begun)?;
    drop(deadline);
    command::chat::run(settings, host)?;
    Ok(ExitCode::SUCCESS)
}

/// The credential that a command uses, for its failures; `host` is the service that receives it.
fn used(
    found: &[FoundCredential],
    source: Option<&SignInSource>,
    host: Option<String>,
) -> Option<Used> {
    Used::of(found, source.map(|source| &source.store), host)
}

/// The arguments, with the defaults from the configuration.
fn configured(
    mut args: Box<Args>,
    command: &str,
    environment: &Environment,
) -> Result<Box<Args>, Failure> {
    match config::apply(&mut args, command, environment) {
        // A broken configuration must not prevent a sign-out.
        // The check reports it, with everything else.
        Err(_) if command == "status" && args.check => {}
        Err(failure) if command == "logout" => {
            print_failure(&failure, Paint::default(), Duration::ZERO)
        }
        applied => applied?,
    }
    Ok(args)
}

/// Defers signals from now on while a refresh token is being used.
fn delaying_signals() -> Result<Critical, Failure> {
    let critical = Critical::default();
    let paint = terminal::paint(None, &environment());
    command::signal_shield::delay_signals(&critical, move |request| exit_now(request, paint))
        .map_err(|error| failure::of_thread(&error))?;
    Ok(critical)
}

/// The exit code of `codex tool`.
fn tool(name: &str, ran: Result<bool, command::tool::Error>) -> Result<ExitCode, Failure> {
    use command::tool::Error;
    match ran {
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(Outcome::Failed.exit_code().into()),
        Err(Error::Sandbox(error)) => {
            Err(Failure::usage(format!("cannot confine the tool: {error}"))
                .hint("-s danger-full-access runs it without a sandbox")
                .for_want_of(error.exhausted()))
        }
        Err(Error::Stopped(request)) => Err(failure::of_order(request)),
        Err(Error::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Outcome::Closed, ""))
        }
        Err(Error::Io(error)) => Err(Failure::new(
            Outcome::Io,
            format!("cannot run the tool {name}: {error}"),
        )
        .because_of(&error)),
    }
}

fn print(text: &str) -> Result<ExitCode, Failure> {
    let written = stdout()?.write_all(text.as_bytes());
    written.map_err(|error| failure::of_output(&error))?;
    Ok(ExitCode::SUCCESS)
}

fn stdout() -> Result<Stdout, Failure> {
    Stdout::open().map_err(|error| failure::of_output(&error))
}
