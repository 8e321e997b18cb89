//! Real work in the sandbox: those scripts of tests/tools/tasks that need no more than a machine for this project's own
//! tests provides, and say `part: test`. `make test-tools` runs all of them, also in the official client's sandbox;
//! tests/tools/run.py explains the header of a script.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use serde_json::json;

use crate::home::{Home, each};
use crate::needs::{Need, lacks, lacks_program};

/// Variables of a person's shell that programs need, besides `PATH`, which every command under test has.
const KEPT: &[&str] = &[
    "HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "PYENV_ROOT",
];

/// The time limit of a task, in seconds: less than that of a command under test.
const LIMIT: u32 = 50;

/// Number of tasks that run at the same time.
const AT_ONCE: usize = 2;

/// A script, as its header describes it.
struct Script {
    path: PathBuf,
    text: String,
}

/// A script with one of its variants, in one place.
struct Task<'a> {
    script: &'a Script,
    variant: String,
    /// Below `/tmp`, not in the test's own directory.
    in_tmp: bool,
}

impl Script {
    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/tasks");
        let entries = fs::read_dir(folder).expect("a folder").flatten();
        let script = |path: PathBuf| Self {
            text: fs::read_to_string(&path).expect("a script"),
            path,
        };
        entries.map(|entry| script(entry.path())).collect()
    }

    /// The values of this name in the header.
    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let start = format!("# {name}: ");
        let head = self.text.lines().take_while(|line| line.starts_with('#'));
        head.filter_map(move |line| line.strip_prefix(&start))
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    fn name(&self) -> String {
        let stem = self.path.file_stem().expect("a name");
        stem.to_string_lossy().into_owned()
    }

    /// Whether one of its requirements is not met.
    fn lacks_requirement(&self) -> bool {
        if let Some(version) = self.value("linux") {
            assert_eq!(version, "6.12", "no other version is known here");
            if lacks(&Need::SIGNAL_SCOPES) {
                return true;
            }
        }
        let mut needs = self.value("needs").unwrap_or_default().split_whitespace();
        needs.any(|program| lacks_program(&Need::TASK_PROGRAMS, &self.name(), program))
    }

    fn tasks(&self) -> Vec<Task<'_>> {
        let variants = self.value("variants").unwrap_or_default().split(' ');
        let mut tasks = Vec::new();
        for variant in variants {
            for place in self.value("places").unwrap_or("work").split(' ') {
                tasks.push(Task {
                    script: self,
                    variant: variant.to_owned(),
                    in_tmp: place == "tmp",
                });
            }
        }
        tasks
    }
}

impl Task<'_> {
    fn name(&self) -> String {
        let place = if self.in_tmp { "in /tmp" } else { "" };
        format!("{} {} {place}", self.script.name(), self.variant)
    }

    /// Runs the task with these flags of `codex tool`, or without a sandbox; returns what went wrong, if anything.
    fn failure(&self, flags: Option<&[&str]>) -> Option<String> {
        let home = Home::new();
        let here = if self.in_tmp {
            let name = home.root().file_name().expect("a name");
            let here = Path::new("/tmp").join(name);
            fs::create_dir(&here).expect("a directory");
            here
        } else {
            home.work()
        };
        let reported = self.work(&home, &here, flags);
        if self.in_tmp {
            let _ = fs::remove_dir_all(&here);
        }
        reported
            .err()
            .map(|reported| format!("{} {flags:?}: {reported}", self.name()))
    }

    fn work(&self, home: &Home, here: &Path, flags: Option<&[&str]>) -> Result<(), String> {
        if self.script.text.contains("\nprepare() {\n") {
            let done = self.shell(here).arg("prepare").output();
            let done = done.expect("bash starts");
            if !done.status.success() {
                return Err(format!("prepare: {}", text(&done)));
            }
        }
        let inside = here.join(self.script.value("in").unwrap_or_default());
        let (status, printed) = match flags {
            None => {
                let mut shell = self.shell(&inside);
                let done = shell.args(["work", &self.variant]).output();
                let done = done.expect("bash starts");
                (done.status, text(&done))
            }
            Some(flags) => {
                let script = self.script.path.display();
                let command = format!("bash '{script}' work {}", self.variant);
                let arguments = json!({"command": command, "timeout": LIMIT}).to_string();
                let mut cmd = home.offline().args(["tool", "-s", "workspace-write"]);
                cmd.command.args(flags).arg("bash").current_dir(&inside);
                cmd.command.envs(self.environment(here));
                cmd.command.env("CODEX_RUN_HOME", home.root().join("home"));
                let ran = cmd.input(arguments).run();
                (ran.status, format!("{}{}", ran.text(), ran.stderr))
            }
        };
        let proof = self.script.value("proof").expect("every task has one");
        let proof = proof.replace("{}", &self.variant);
        let proved = printed.lines().any(|line| line == proof);
        (proved && status.success()).then_some(()).ok_or(printed)
    }

    fn environment(&self, here: &Path) -> Vec<(String, String)> {
        let kept = KEPT.iter().filter_map(|name| {
            let value = std::env::var(name).ok()?;
            Some(((*name).to_owned(), value))
        });
        let own = self.script.values("env").map(|pair| {
            let (name, value) = pair.split_once('=').expect("NAME=VALUE");
            let value = value.replace("$HERE", &here.display().to_string());
            (name.to_owned(), value)
        });
        kept.chain(own).collect()
    }

    /// A shell outside, before the words of a command.
    fn shell(&self, directory: &Path) -> Command {
        let mut command = Command::new("bash");
        command
            .arg(&self.script.path)
            .current_dir(directory)
            .stdin(Stdio::null())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.environment(directory));
        command
    }
}

fn text(done: &Output) -> String {
    let text = [&done.stdout[..], &done.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

/// Runs all tasks in this way. A task that fails without a sandbox proves nothing, and counts as a failure.
fn check(flags: &[&str]) {
    let scripts: Vec<Script> = Script::all();
    let mut tasks = Vec::new();
    for script in &scripts {
        assert!(script.value("proof").is_some(), "{}", script.path.display());
        let ours = script.value("part") == Some("test") && script.value("differs").is_none();
        let online = script.value("network") == Some("yes");
        if !ours || online && flags.is_empty() {
            continue;
        }
        if script.lacks_requirement() {
            continue;
        }
        tasks.extend(script.tasks());
    }
    let wrong = Mutex::new(Vec::new());
    each(tasks, AT_ONCE, |task| {
        if let Some(reported) = task.failure(Some(flags)) {
            let reported = match task.failure(None) {
                Some(without) => format!("{without}\nand in the sandbox {reported}"),
                None => reported,
            };
            wrong.lock().expect("no thread panicked").push(reported);
        }
    });
    let wrong = wrong.into_inner().expect("no thread panicked");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn tasks_succeed_without_the_network() {
    check(&[]);
}

#[test]
fn tasks_succeed_with_the_network() {
    check(&["--network"]);
}
