//! The inside of `codex tool NAME`: each takes its arguments as one JSON object and says how it went in
//! words for the model. A mistake in a call is such an answer too.

mod bash;
mod edit;
mod find;
mod glob;
mod grep;
mod ignore;
mod lines;
mod ls;
pub mod program;
mod read;
mod replace;
mod rg;
mod walk;
mod wild;
mod write;

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::answer::Answer;
use super::child::capture::Capture;
use super::child::supervise::End;
use super::sandbox::confine::{Inner, Reach};
use super::sandbox::explanation::Failed;
use super::sandbox::places::program_on;
use super::sandbox::policy::Walls;

/// What a tool knows of where it runs.
pub struct Context<'a> {
    /// How long a command may take.
    pub timeout: Duration,
    /// What is around it.
    pub walls: Option<&'a Walls>,
    /// How far that reaches.
    pub reach: Reach,
    /// What programs find in their environment, the temporary directory aside.
    pub environment: &'a [(OsString, OsString)],
}

impl Context<'_> {
    /// What is around the programs that it starts.
    fn inner(&self) -> Inner<'_> {
        let sockets = self.walls.and_then(|walls| walls.sockets.as_ref());
        Inner {
            reach: self.reach,
            sockets: sockets.map(|root| root.path.as_path()),
        }
    }

    /// A program with its environment: the tool's, not ours.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let name = program.as_ref();
        let found = self.found(name);
        let mut command = Command::new(found.as_deref().unwrap_or(Path::new(name)));
        command
            .arg0(name)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("TMPDIR", std::env::temp_dir());
        command
    }

    /// Where a program of this name is, which is cheaper to look up than to try. A list of directories that depends on
    /// the working directory is left to the system.
    fn found(&self, name: &OsStr) -> Option<PathBuf> {
        let (_, list) = self.environment.iter().find(|(name, _)| name == "PATH")?;
        let is_plain = Path::new(name).components().count() == 1;
        let is_absolute = std::env::split_paths(list).all(|directory| directory.is_absolute());
        (is_plain && is_absolute).then(|| program_on(list, name))?
    }
}

/// Runs a built-in tool in this process, which leads its own session. `None` where there is no tool of this name.
#[must_use]
pub fn run(name: &str, arguments: &[u8], context: &Context<'_>) -> Option<Answer> {
    let run = match name {
        "bash" => |arguments: &[u8], context| parse(arguments).map(|a| bash::run(&a, context)),
        "read" => |arguments: &[u8], context| parse(arguments).map(|a| read::run(&a, context)),
        "edit" => |arguments: &[u8], context| parse(arguments).map(|a| edit::run(&a, context)),
        "write" => |arguments: &[u8], context| parse(arguments).map(|a| write::run(&a, context)),
        "grep" => |arguments: &[u8], context| parse(arguments).map(|a| grep::run(&a, context)),
        "find" => |arguments: &[u8], context| parse(arguments).map(|a| find::run(&a, context)),
        "ls" => |arguments: &[u8], context| parse(arguments).map(|a| ls::run(&a, context)),
        _ => return None,
    };
    Some(run(arguments, context).unwrap_or_else(|words| Answer::not(words, "bad arguments")))
}

/// Reads the arguments; where they are wrong, the words that tell the model so.
fn parse<T: DeserializeOwned>(arguments: &[u8]) -> Result<T, String> {
    // A list of the right values in the right order would be taken for an object.
    if arguments.trim_ascii_start().starts_with(b"[") {
        return Err("the arguments do not fit: they are an array. Send one JSON object as the tool's schema has it.".to_owned());
    }
    serde_json::from_slice(arguments).map_err(|error| {
        let what = if error.is_data() {
            "do not fit"
        } else {
            "are not JSON"
        };
        format!("the arguments {what}: {error}. Send one JSON object as the tool's schema has it.")
    })
}

/// A place for what a program prints, of which the model gets so much. The directory is the tool's own, and so is the name in it.
fn keep(name: &str, most: usize) -> Capture {
    let path = std::env::temp_dir().join(format!("{name}-{}.txt", std::process::id()));
    Capture::new(path, most)
}

/// What a program printed and how it ended, as an answer.
fn ended(
    mut text: String,
    end: &End,
    limit: Duration,
    took: Duration,
    context: &Context<'_>,
) -> Answer {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let took = took.as_secs_f64();
    let code = match end {
        End::Exited(status) => status.exit_status(),
        _ => None,
    };
    let result = match end {
        End::Exited(status) => match (status.exit_status(), status.terminating_signal()) {
            (Some(0), _) => {
                // What failed inside a pipeline shows only in what it printed; a file that speaks of it does not end so.
                let refused = |line: &str| {
                    line.ends_with("ermission denied")
                        || line.ends_with("not permitted")
                        || line.ends_with("(os error 13)")
                };
                let said: String = text.lines().filter(|line| refused(line)).collect();
                let _ = write!(text, "[exit code 0, {took:.1} s]");
                explain(&mut text, &said, code, context);
                return Answer::ok(text);
            }
            (Some(code), _) => {
                let _ = write!(text, "[exit code {code}, {took:.1} s]");
                format!("exit {code}")
            }
            (None, signal) => {
                let signal = signal.unwrap_or_default();
                let _ = write!(text, "[killed by signal {signal}, {took:.1} s]");
                format!("signal {signal}")
            }
        },
        End::Timeout => {
            let limit = limit.as_secs_f64();
            let _ = write!(
                text,
                "[ended after {limit} s, its time limit, with all it had started]"
            );
            "timeout".to_owned()
        }
        End::Unwanted | End::Enough => {
            let _ = write!(text, "[ended from outside after {took:.1} s]");
            "ended".to_owned()
        }
    };
    let said = text.clone();
    explain(&mut text, &said, code, context);
    Answer::not(text, result)
}

/// Adds which rule of the sandbox may be behind what was printed.
fn explain(text: &mut String, output: &str, code: Option<i32>, context: &Context<'_>) {
    let failed = Failed { output, code };
    if let Some(words) = context.walls.and_then(|walls| walls.explain(failed)) {
        text.push('\n');
        text.push_str(&words);
    }
}

/// What could not be done to a file, and whether that was the walls.
fn not_done(
    what: &str,
    path: &Path,
    error: &io::Error,
    writing: bool,
    context: &Context<'_>,
) -> Answer {
    use io::ErrorKind::{CrossesDevices, PermissionDenied};
    let refused = context
        .walls
        .filter(|_| matches!(error.kind(), PermissionDenied | CrossesDevices))
        .and_then(|walls| {
            let hidden = walls.refuse_read(path);
            hidden.or_else(|| walls.refuse_write(path).filter(|_| writing))
        });
    match refused {
        Some(words) => Answer::not(
            format!("cannot {what} {}: {words}", path.display()),
            "denied",
        ),
        None => Answer::failed(format!("cannot {what} {}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_arguments_are_answered_in_words() {
        let context = Context {
            timeout: Duration::from_secs(1),
            walls: None,
            reach: Reach::default(),
            environment: &[],
        };
        let check = |name: &str, arguments: &str, expected: &str| {
            let answer = run(name, arguments.as_bytes(), &context).expect("a tool");
            assert!(
                !answer.ok && answer.text.contains(expected) && answer.result == "bad arguments",
                "{name} {arguments}: {answer:?}"
            );
        };
        check("read", "{\"path\":", "are not JSON");
        check("read", "{}", "missing field `path`");
        check(
            "bash",
            "{\"cmd\":\"ls\"}",
            "unknown field `cmd`, expected one of `command`",
        );
        check("edit", "{\"path\":\"x\",\"edits\":7}", "do not fit");
        check("write", "[\"a\", \"b\"]", "they are an array");
        check("grep", "{\"pattern\":7}", "do not fit");
        assert_eq!(run("rm", b"{}", &context), None);
    }
}
