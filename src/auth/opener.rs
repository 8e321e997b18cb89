//! Opens a URL in the user's browser: decides whether one can be opened and with which programs (pure), and starts
//! them.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use crate::exhausted::at_start;

/// The environment that decides whether a browser can open.
#[allow(clippy::struct_excessive_bools)] // each is an independent fact
#[derive(Clone, Debug, Default)]
pub struct BrowserEnvironment {
    /// The value of `BROWSER`, if set.
    pub browser: Option<OsString>,
    /// This is an SSH session.
    pub ssh: bool,
    /// This is a container.
    pub container: bool,
    /// `CI` is set.
    pub ci: bool,
    /// A graphical display is available.
    pub display: bool,
    /// Windows Subsystem for Linux, where the browsers of Windows can be used.
    pub wsl: bool,
    /// macOS.
    pub mac: bool,
}

/// The reason no browser can open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoBrowser {
    /// The browser would open on another machine.
    Ssh,
    /// This is a container.
    Container,
    /// This is CI.
    Ci,
    /// There is no display.
    NoDisplay,
}

/// A program that opens a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opener {
    /// The user's shell command. The URL is its first parameter.
    Shell(OsString),
    /// A program and its arguments before the URL.
    Program(&'static str, &'static [&'static str]),
}

/// Returns the programs to try in order, or the reason no browser can open.
///
/// # Errors
/// If no browser can open.
pub fn openers(here: &BrowserEnvironment) -> Result<Vec<Opener>, NoBrowser> {
    const WINDOWS: [Opener; 2] = [
        Opener::Program("wslview", &[]),
        Opener::Program("rundll32.exe", &["url.dll,FileProtocolHandler"]),
    ];
    const LINUX: [Opener; 4] = [
        Opener::Program("xdg-open", &[]),
        Opener::Program("gio", &["open"]),
        Opener::Program("sensible-browser", &[]),
        Opener::Program("x-www-browser", &[]),
    ];
    if let Some(list) = &here.browser {
        return Ok(commands(list));
    }
    if here.ssh {
        return Err(NoBrowser::Ssh);
    }
    if here.ci {
        return Err(NoBrowser::Ci);
    }
    if here.container {
        return Err(NoBrowser::Container);
    }
    if here.mac {
        return Ok(vec![Opener::Program("open", &[])]);
    }
    match (here.wsl, here.display) {
        (true, true) => Ok(WINDOWS.into_iter().chain(LINUX).collect()),
        (true, false) => Ok(WINDOWS.to_vec()),
        (false, true) => Ok(LINUX.to_vec()),
        (false, false) => Err(NoBrowser::NoDisplay),
    }
}

/// Parses `BROWSER`: colon-separated commands, in which `%s` stands for the URL.
fn commands(list: &OsStr) -> Vec<Opener> {
    let list = list.to_string_lossy();
    list.split(':')
        .filter(|command| !command.trim().is_empty())
        .map(|command| {
            let command = if command.contains("%s") {
                command
                    .replace("\"%s\"", "%s")
                    .replace("'%s'", "%s")
                    .replace("%s", "\"$1\"")
            } else {
                format!("{command} \"$1\"")
            };
            Opener::Shell(command.into())
        })
        .collect()
}

impl Opener {
    /// Returns its name, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Shell(_) => "the command in BROWSER".to_owned(),
            Self::Program(name, _) => (*name).to_owned(),
        }
    }

    /// Starts it, without these variables, which hold secrets, and without the terminal.
    ///
    /// # Errors
    /// If the program cannot be started.
    pub fn open(&self, address: &str, without: &[&str]) -> io::Result<Child> {
        let mut command = match self {
            Self::Shell(text) => {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(text).arg("sh");
                shell
            }
            Self::Program(name, before) => {
                let mut program = Command::new(name);
                program.args(*before);
                program
            }
        };
        for name in without {
            command.env_remove(name);
        }
        command
            .arg(address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0) // Ctrl-C must not reach the browser
            .spawn()
            .map_err(at_start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_opens_only_on_the_users_machine() {
        let check = |change: fn(&mut BrowserEnvironment), expected: Result<&str, NoBrowser>| {
            let mut here = BrowserEnvironment {
                display: true,
                ..BrowserEnvironment::default()
            };
            change(&mut here);
            let found = openers(&here).map(|openers| openers[0].name());
            assert_eq!(found, expected.map(str::to_owned), "{here:?}");
        };
        check(|_| {}, Ok("xdg-open"));
        check(|here| here.display = false, Err(NoBrowser::NoDisplay));
        check(|here| here.ssh = true, Err(NoBrowser::Ssh));
        check(|here| here.ci = true, Err(NoBrowser::Ci));
        check(|here| here.container = true, Err(NoBrowser::Container));
        check(|here| here.wsl = true, Ok("wslview"));
        check(
            |here| (here.wsl, here.display) = (true, false),
            Ok("wslview"),
        );
        check(|here| (here.mac, here.display) = (true, false), Ok("open"));
        check(
            |here| {
                here.browser = Some("w3m".into());
                (here.ssh, here.ci, here.container, here.display) = (true, true, true, false);
            },
            Ok("the command in BROWSER"),
        );
    }

    #[test]
    fn the_address_is_a_parameter_and_never_part_of_the_command() {
        let check = |list: &str, expected: &[&str]| {
            let found = commands(OsStr::new(list));
            let expected = expected.iter().map(|text| Opener::Shell((*text).into()));
            assert!(found.iter().cloned().eq(expected), "{list}: {found:?}");
        };
        check("firefox", &["firefox \"$1\""]);
        check("curl -sL", &["curl -sL \"$1\""]);
        check("a:b %s &", &["a \"$1\"", "b \"$1\" &"]);
        check("open '%s'", &["open \"$1\""]);
        check("", &[]);
    }
}
