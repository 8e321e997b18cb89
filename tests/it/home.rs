//! A fresh home, a clean environment, and the command under test. A failing check prints the command, both
//! streams and the requests that the stand-in received.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

pub(crate) use crate::command_output::CommandOutput;
use crate::standin::{self, Server};

/// The key that tests use. It must not be printed anywhere.
pub(crate) const KEY: &str = "sk-invented-0123456789";

/// The command under test: what Cargo has built for the tests, or the file that `CODEX_TESTS_PROGRAM` names.
pub(crate) static BINARY: LazyLock<String> = LazyLock::new(|| {
    let given = std::env::var("CODEX_TESTS_PROGRAM").ok();
    let given = given.filter(|file| !file.is_empty());
    given.unwrap_or_else(|| env!("CARGO_BIN_EXE_codex").to_owned())
});

/// A command under test that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(180);

/// A unique directory, removed with the last user of it.
pub(crate) struct Home {
    root: Arc<Root>,
    environment: Vec<(String, String)>,
}

struct Root(PathBuf);

impl Home {
    /// Without a sign-in.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "codex-run-test-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        // Not below /tmp, which tools can write to if no home is there: that is the case to be tested.
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(root.join("tmp")).expect("a temporary directory");
        fs::create_dir_all(root.join("work")).expect("a temporary directory");
        let root = root.canonicalize().expect("it was made");
        Self {
            root: Arc::new(Root(root)),
            environment: Vec::new(),
        }
    }

    /// With an API key.
    pub(crate) fn with_key() -> Self {
        Self::new().env("OPENAI_API_KEY", KEY)
    }

    /// With an access token of the subscription.
    pub(crate) fn with_token() -> Self {
        let token = standin::jwt("acct-test", standin::now_unix() + 864_000);
        Self::new().env("CODEX_ACCESS_TOKEN", &token)
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// `HOME` of the command.
    pub(crate) fn root(&self) -> &Path {
        &self.root.0
    }

    /// The working directory of commands and tools.
    pub(crate) fn work(&self) -> PathBuf {
        self.root.0.join("work")
    }

    /// The directory for temporary files.
    pub(crate) fn tmp(&self) -> PathBuf {
        self.root.0.join("tmp")
    }

    /// Creates a file below the working directory.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work().join(name);
        fs::write(&path, content).expect("a file");
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.work().join(name)).expect("a file")
    }

    /// The command under test, with both backends set to this server.
    pub(crate) fn codex(&self, server: &Server) -> Cmd {
        let mut cmd = self.offline();
        cmd.command.env("OPENAI_BASE_URL", server.api_url());
        cmd.command
            .env("CODEX_RUN_BASE_URL", server.subscription_url())
            .env("CODEX_RUN_ISSUER", server.url());
        cmd
    }

    /// The command under test, with backends that refuse every connection.
    pub(crate) fn offline(&self) -> Cmd {
        let mut command = Command::new(&*BINARY);
        command
            .env_clear()
            .current_dir(self.work())
            .stdin(Stdio::null());
        command.env("HOME", &self.root.0).env("TMPDIR", self.tmp());
        command.env("TZ", "UTC0");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        for (name, value) in [
            ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1"),
            ("CODEX_RUN_BASE_URL", "http://127.0.0.1:9"),
            ("CODEX_RUN_ISSUER", "http://127.0.0.1:9"),
        ] {
            command.env(name, value);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Cmd {
            command,
            input: Vec::new(),
            root: Arc::clone(&self.root),
        }
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A command about to be run.
pub(crate) struct Cmd {
    pub(crate) command: Command,
    input: Vec<u8>,
    /// Kept so that the home outlives the command.
    root: Arc<Root>,
}

impl Cmd {
    pub(crate) fn args<const N: usize>(mut self, args: [&str; N]) -> Self {
        self.command.args(args);
        self
    }

    /// Starts the command by this program, followed by its name and arguments: a shell, `nohup`.
    pub(crate) fn within<const N: usize>(mut self, program: &str, args: [&str; N]) -> Self {
        let mut outer = Command::new(program);
        outer
            .args(args)
            .arg(self.command.get_program())
            .args(self.command.get_args())
            .env_clear()
            .stdin(Stdio::null());
        if let Some(directory) = self.command.get_current_dir() {
            outer.current_dir(directory);
        }
        let set = self.command.get_envs();
        outer.envs(set.filter_map(|(name, value)| Some((name, value?))));
        self.command = outer;
        self
    }

    /// Makes standard input a pipe with this content.
    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self.command.stdin(Stdio::piped());
        self
    }

    pub(crate) fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.command.stdin(stdin);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// The same command with a descriptor closed or redirected, in shell syntax.
    pub(crate) fn redirected(self, redirection: &str) -> Self {
        let words = format!(r#"exec "$0" "$@" {redirection}"#);
        self.within("sh", ["-c", &words])
    }

    /// Makes standard input a pipe that stays open.
    pub(crate) fn piped(mut self) -> Self {
        self.command.stdin(Stdio::piped());
        self
    }

    /// Starts the command with both streams piped, to be inspected while it runs.
    pub(crate) fn start(mut self) -> Running {
        let mut child = self
            .command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        if !self.input.is_empty() {
            child
                .stdin
                .take()
                .expect("a pipe")
                .write_all(&self.input)
                .expect("it reads its input");
        }
        Running {
            child,
            _root: self.root,
        }
    }

    pub(crate) fn run(mut self) -> CommandOutput {
        let said = format!("{:?}", self.command);
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the command starts");
        let input = self.input;
        let feed = child
            .stdin
            .take()
            .map(|mut stdin| thread::spawn(move || drop(stdin.write_all(&input))));
        let ran = wait(&mut child, said);
        if let Some(feed) = feed {
            feed.join().expect("it does not panic");
        }
        ran
    }
}

/// A running command. Its home exists as long as this does.
pub(crate) struct Running {
    child: Child,
    _root: Arc<Root>,
}

impl Running {
    pub(crate) fn signal(&self, signal: i32) {
        signal_process(self.child.id(), signal).expect("it runs");
    }
}

/// Sends a signal to a process. Without the program `kill`, which small systems do not have.
pub(crate) fn signal_process(process: u32, signal: i32) -> rustix::io::Result<()> {
    let (process, signal) = (pid(process), Signal::from_named_raw(signal));
    rustix::process::kill_process(process, signal.expect("a signal"))
}

/// Sends a signal to every process of a group, as a terminal does.
pub(crate) fn signal_group(leader: u32, signal: i32) -> rustix::io::Result<()> {
    let (leader, signal) = (pid(leader), Signal::from_named_raw(signal));
    rustix::process::kill_process_group(leader, signal.expect("a signal"))
}

fn pid(process: u32) -> Pid {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    process.expect("a process")
}

impl Running {
    /// Waits until the command prints these words to standard error, which is consumed.
    #[track_caller]
    pub(crate) fn wait_for_message(&mut self, words: &str) {
        let stderr = self.child.stderr.take().expect("a pipe");
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let (begun, mut said) = (Instant::now(), String::new());
        while !said.contains(words) {
            let left = PATIENCE.saturating_sub(begun.elapsed());
            let line = lines.recv_timeout(left);
            said += &line.unwrap_or_else(|_| panic!("it never says {words:?}, but {said:?}"));
        }
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.child
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.child
    }
}

/// Waits for the end of a command that was started.
pub(crate) fn finish(mut running: Running, said: String) -> CommandOutput {
    wait(&mut running.child, said)
}

/// Waits for the end of a command, up to a limit.
pub(crate) fn wait(child: &mut Child, said: String) -> CommandOutput {
    fn take(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut pipe) = pipe {
                let _ = pipe.read_to_end(&mut bytes);
            }
            bytes
        })
    }
    let (stdout, stderr) = (take(child.stdout.take()), take(child.stderr.take()));
    let begun = Instant::now();
    let status = loop {
        match child.try_wait().expect("a child") {
            Some(status) => break status,
            None if begun.elapsed() > PATIENCE => {
                let _ = child.kill();
                panic!("{said} hangs");
            }
            None => thread::sleep(Duration::from_millis(2)),
        }
    };
    let text = |bytes: thread::JoinHandle<Vec<u8>>| bytes.join().expect("it does not panic");
    CommandOutput {
        command: said,
        status,
        stdout: text(stdout),
        stderr: String::from_utf8_lossy(&text(stderr)).into_owned(),
    }
}

/// Processes each of these things, this many at the same time.
pub(crate) fn each<T: Send>(things: Vec<T>, at_once: usize, work: impl Fn(T) + Sync) {
    let things = Mutex::new(things);
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let Some(thing) = things.lock().expect("no thread panicked").pop() else {
                        return;
                    };
                    work(thing);
                }
            });
        }
    });
}

/// The names in a directory, sorted.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory").flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Waits until the condition holds. Panics with its description if it never does.
#[track_caller]
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The processes whose command line contains this text.
pub(crate) fn processes(text: &str) -> Vec<u32> {
    let own = std::process::id();
    fs::read_dir("/proc")
        .expect("/proc")
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != own && command_line(*pid).contains(text))
        .collect()
}

fn command_line(pid: u32) -> String {
    let bytes =
        fs::read(Path::new("/proc").join(pid.to_string()).join("cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}
