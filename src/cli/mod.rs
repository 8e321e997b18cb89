//! The command line: argv and the environment in, an exit code or a failure in words out. Nothing below
//! `command` reads the environment or prints, so this is where both happen.

mod account;
mod choosing;
mod complete;
mod config;
mod credentials;
mod decisive;
mod ending;
mod exec;
mod fitting;
mod flags;
mod help;
mod hidden;
mod homes;
mod inputs;
mod keys;
mod limits;
mod listing;
mod man;
mod named;
mod network;
mod origins;
mod outputs;
mod own_tools;
mod parse;
mod paths;
mod resuming;
mod settings;
mod terminal;
mod tooling;
mod trust;
mod values;
mod variables;
mod writable;

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::auth::Found;
use crate::auth::critical::Critical;
use crate::command;
use crate::command::run::Host;
use crate::command::stdout::Stdout;
use crate::failure::{self, Failure, Used, with_credential};
use crate::outcome::Outcome;
use crate::output::lines::EVENTS;
use crate::output::paint::Paint;
use crate::stdin;
use crate::tools::order;
use crate::tools::sandbox::confine;

use ending::{die, force, force_in_lines, tell, tell_in_lines};
use flags::Args;
use limits::{patience, room};
use parse::Invocation;
use paths::{checked, environment, own};
use settings::Environment;
use tooling::Tooling;

/// How long whoever writes to standard input may pause while what it writes is thrown away.
const DRAIN: Duration = Duration::from_millis(500);

/// Where the first panic was.
static PANICKED: OnceLock<String> = OnceLock::new();

/// Runs the command line that these arguments, without the program's name, make up; the exit code. A failure is
/// reported here, and a run that a signal has ended does not return.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let seen = Seen::default();
    seen.glance(&arguments);
    match guard(|| invoke(parse::parse(arguments, &seen)?, &seen)) {
        Ok(code) => code,
        Err(failure) => {
            if seen.of_sdk.get() {
                // The SDK does not survive a pipe that nobody reads, and ends us as soon as it is told.
                stdin::drain(DRAIN);
            }
            let is_killed = seen.of_sdk.get() && failure.outcome() == Outcome::Terminated;
            if seen.lines.get() && !is_killed {
                tell_in_lines(&failure);
            }
            let color = seen.color.borrow();
            let paint = terminal::paint(color.as_deref(), &environment());
            tell(&failure, paint, Duration::from_secs(1));
            die(&failure);
            failure.outcome().exit_code().into()
        }
    }
}

/// What is known of how things are to be told, as soon as it is.
#[derive(Debug, Default)]
struct Seen {
    /// What `--color` says.
    color: RefCell<Option<OsString>>,
    /// Standard output gets JSON lines.
    lines: Cell<bool>,
    /// The same, by the mere look of the arguments.
    glanced: Cell<bool>,
    /// How many arguments stand behind --, if it is there.
    behind: Cell<Option<usize>>,
    /// The official SDK asks.
    of_sdk: Cell<bool>,
}

impl Seen {
    /// Whether lines are asked for, also where the arguments before that cannot be read.
    fn glance(&self, arguments: &[OsString]) {
        let is_run = arguments
            .first()
            .is_some_and(|name| name == "run" || name == "exec");
        let mut flags = arguments.iter().take_while(|word| *word != "--");
        let end = arguments.iter().position(|word| word == "--");
        self.behind.set(end.map(|end| arguments.len() - end - 1));
        let lines = |word: &OsString| word == "--json" || word == "--experimental-json";
        self.glanced.set(is_run && flags.any(lines));
        self.lines.set(self.glanced.get());
    }

    fn look(&self, args: &Args) {
        self.color.borrow_mut().clone_from(&args.color);
        self.lines
            .set((args.json && args.is_run) || self.glanced.get());
        self.of_sdk.set(args.of_sdk);
    }
}

/// Turns a panic into a failure like any other. What a panic says may hold a part of what the program was
/// working on, so only its place is kept.
fn guard(work: impl FnOnce() -> Result<ExitCode, Failure>) -> Result<ExitCode, Failure> {
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

fn invoke(invocation: Invocation, seen: &Seen) -> Result<ExitCode, Failure> {
    let begun = Instant::now();
    // What else runs for this user, tools before all, shall not find a credential in our memory. A tool's own process
    // has none, and puts up its walls first.
    if !matches!(invocation, Invocation::HeldTool(_)) {
        confine::shut();
    }
    command::signals::survive_file_limit();
    command::signals::heed(|signal| process::exit(128 + signal))
        .map_err(|error| failure::of_thread(&error))?;
    match invocation {
        Invocation::Run(args) => ask(args, begun, seen),
        Invocation::Login(args) => manage(args, "login", account::login, |settings, critical| {
            command::login::run(&settings, critical)
        }),
        Invocation::Logout(args) => {
            manage(args, "logout", account::logout, |settings, critical| {
                command::logout::run(&settings, critical)
            })
        }
        Invocation::Status(args) => {
            manage(args, "status", account::status, |settings, critical| {
                let used = Used::of(
                    &settings.found,
                    settings.keeper.as_ref().map(|keeper| &keeper.store),
                );
                with_credential(used, command::status::run(settings, critical))
            })
        }
        Invocation::Token(args) => manage(args, "token", account::token, |settings, critical| {
            let tokens: Vec<Found> = command::token::tokens(&settings.found);
            let used = Used::of(
                &tokens,
                settings.keeper.as_ref().map(|keeper| &keeper.store),
            );
            with_credential(used, command::token::run(settings, critical))
        }),
        Invocation::Models(args) => {
            manage(args, "models", listing::models, |settings, critical| {
                let used = Used::of(
                    &settings.found,
                    settings.keeper.as_ref().map(|keeper| &keeper.store),
                );
                with_credential(used, command::models::run(settings, critical))
            })
        }
        Invocation::Sessions(args) => {
            let stdout = stdout()?;
            let home = own()?;
            command::sessions::list(home.as_deref(), args.json, stdout)
                .map_err(|error| failure::of_output(&error))?;
            Ok(ExitCode::SUCCESS)
        }
        Invocation::RemoveSessions(ids) => {
            let home = own()?;
            let ids: Vec<String> = ids
                .iter()
                .map(|id| id.to_string_lossy().into_owned())
                .collect();
            command::sessions::remove(home.as_deref(), &ids)
                .map_err(|error| failure::of_session(&error))?;
            Ok(ExitCode::SUCCESS)
        }
        Invocation::Schema => print(EVENTS),
        Invocation::Tool(name, args) => {
            let stdout = stdout()?;
            room()?;
            let environment = checked()?;
            let args = configured(args, "tool", &environment)?;
            let Tooling {
                setup,
                offered,
                warnings,
                notes,
                ..
            } = tooling::of_tool(&name, &args, &environment)?;
            for warning in warnings.iter().chain(&notes) {
                let _ = writeln!(io::stderr(), "codex: {warning}");
            }
            tool(&name, command::tool::run(setup, offered, &name, stdout))
        }
        Invocation::HeldTool(order) => {
            let for_tools = order::arrived(&environment().0);
            tool(
                &order.name,
                command::tool::run_held(&order, &for_tools, stdout()?),
            )
        }
        Invocation::Completion(shell) => print(&complete::script(&shell)),
        Invocation::Help(name, long) => print(&help::text(name, long)),
        Invocation::ExitCodes => print(&help::exit_codes()),
        Invocation::Version => print(&format!(
            "codex-run {} (independent client, not OpenAI's Codex CLI)\n",
            env!("CARGO_PKG_VERSION")
        )),
        Invocation::Generate(what) if what == "man" => print(&man::page()),
        Invocation::Generate(shell) if flags::SHELLS.contains(&&*shell) => {
            print(&complete::script(&shell))
        }
        Invocation::Generate(what) => {
            Err(Failure::usage(format!("there is no {what:?} to generate")))
        }
    }
}

/// Runs a command that works with the credentials and asks no model.
fn manage<S, E>(
    args: Box<Args>,
    name: &str,
    settings: impl FnOnce(&Args, &Environment) -> Result<S, Failure>,
    run: impl FnOnce(S, &Critical) -> Result<(), E>,
) -> Result<ExitCode, Failure>
where
    Failure: From<E>,
{
    room()?;
    let environment = checked()?;
    let args = configured(args, name, &environment)?;
    let settings = settings(&args, &environment)?;
    run(settings, &shielded()?)?;
    Ok(ExitCode::SUCCESS)
}

/// `codex run`, in any of its spellings.
fn ask(args: Box<Args>, begun: Instant, seen: &Seen) -> Result<ExitCode, Failure> {
    room()?;
    let environment = checked()?;
    let args = configured(args, "run", &environment)?;
    seen.look(&args);
    let patience = patience(&args, seen.lines.get())?;
    let settings = settings::run(&args, &environment, begun)?;
    drop(patience);
    let host = Host {
        setup: environment.setup(),
        force: if seen.lines.get() && !seen.of_sdk.get() {
            force_in_lines
        } else {
            force
        },
    };
    let used = Used::of(
        &settings.found,
        settings.keeper.as_ref().map(|keeper| &keeper.store),
    );
    with_credential(used, command::run::run(settings, host))?;
    Ok(ExitCode::SUCCESS)
}

/// The arguments with what the configuration adds to them.
fn configured(
    mut args: Box<Args>,
    command: &str,
    environment: &Environment,
) -> Result<Box<Args>, Failure> {
    match config::apply(&mut args, command, environment) {
        // Whoever signs out is not kept from it.
        Err(failure) if command == "logout" => tell(&failure, Paint::default(), Duration::ZERO),
        applied => applied?,
    }
    Ok(args)
}

/// From here on a signal waits while a refresh token is being spent.
fn shielded() -> Result<Critical, Failure> {
    let critical = Critical::default();
    let paint = terminal::paint(None, &environment());
    command::shield::raise(&critical, move |order| force(order, paint))
        .map_err(|error| failure::of_thread(&error))?;
    Ok(critical)
}

/// How a tool's run ends as a process.
fn tool(name: &str, ran: Result<bool, command::tool::Error>) -> Result<ExitCode, Failure> {
    use command::tool::Error;
    match ran {
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(Outcome::Failed.exit_code().into()),
        Err(Error::Walls(error)) => {
            Err(Failure::usage(format!("cannot confine the tool: {error}"))
                .hint("-s danger-full-access lets it do whatever you may do")
                .for_want_of(error.exhausted()))
        }
        Err(Error::Ordered(order)) => Err(failure::of_order(order)),
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

/// This program. On Linux by a name that leads to it even if its file was replaced meanwhile; where neither
/// that nor its path is known, by the name it has on the PATH.
fn program() -> PathBuf {
    let own = PathBuf::from("/proc/self/exe");
    if own.exists() {
        own
    } else {
        std::env::current_exe().unwrap_or_else(|_| "codex".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_exit_70_and_tells_its_place_but_not_its_words() {
        let failure = guard(|| panic!("sk-secret")).expect_err("it panics");
        assert_eq!(failure.outcome().exit_code(), 70);
        let words = failure.words();
        assert!(
            words.contains("mod.rs:") && !words.contains("sk-secret"),
            "{words}"
        );
    }
}
