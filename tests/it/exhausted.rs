//! Limits of this machine that are reached: descriptors, threads and processes, file sizes. A run succeeds or ends with
//! exit 74 and the name of the limit, and never blames the network, a file or a defect.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::escapes::give;
use crate::home::{Cmd, CommandOutput, Home, each};
use crate::needs::{Need, lacks};
use crate::standin::{Item, Reply, Server};
use crate::tools::{bash, outputs};

/// The work of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Job {
    Text,
    /// A request to a host name, which has to be resolved.
    Name,
    Tool,
    /// Eight concurrent calls.
    Tools,
    /// A refusal by the service, whose message is read.
    Refused,
    List,
    OneTool,
}

impl Job {
    const ALL: [Self; 7] = [
        Self::Text,
        Self::Name,
        Self::Tool,
        Self::Tools,
        Self::Refused,
        Self::List,
        Self::OneTool,
    ];

    fn server(self) -> Server {
        let calls = |count: usize| Reply::items((0..count).map(|_| bash("echo hi")));
        let error = r#"{"error":{"message":"No.","code":"x"}}"#;
        match self {
            Self::Text | Self::Name => Server::start([Reply::text("done")]),
            Self::Tool => Server::start([calls(1), Reply::text("done")]),
            Self::Tools => Server::start([calls(8), Reply::text("done")]),
            Self::Refused => Server::start([Reply::status(400, &[], error)]),
            Self::List | Self::OneTool => Server::start([]),
        }
    }

    fn command(self, home: &Home, server: &Server) -> Cmd {
        let cmd = home.codex(server);
        match self {
            Self::Text | Self::Refused => cmd.args(["run", "--no-tools", "go"]),
            Self::Name => {
                let named = server.api_url().replace("127.0.0.1", "localhost");
                cmd.env("OPENAI_BASE_URL", &named)
                    .args(["run", "--no-tools", "go"])
            }
            Self::Tool | Self::Tools => cmd.args(["run", "-s", "workspace-write", "go"]),
            Self::List => cmd.args(["models"]),
            Self::OneTool => cmd.args(["tool", "bash"]),
        }
    }

    /// The same, started by this program with these arguments.
    fn run<const N: usize>(
        self,
        home: &Home,
        server: &Server,
        by: &str,
        args: [&str; N],
    ) -> CommandOutput {
        let cmd = self.command(home, server).within(by, args);
        match self {
            Self::OneTool => cmd.input(r#"{"command": "echo hi"}"#).run(),
            _ => cmd.run(),
        }
    }

    /// The exit code of a run that hit no limit.
    fn code(self) -> i32 {
        i32::from(self == Self::Refused)
    }
}

/// Checks a run under a limit; returns whether it was reached before a tool was started.
fn check(job: Job, server: &Server, ran: &CommandOutput, limit: &str) -> bool {
    let ended = ran.status.code();
    if ended == Some(74) {
        ran.exits(74).says(limit).says("codex: hint: raise RLIMIT_");
        assert!(
            !ran.stderr.contains("trying again"),
            "{job:?}: {}",
            ran.stderr
        );
        return true;
    }
    // The last process to be started is the command itself; the model gets an error as its result.
    if job == Job::OneTool && ended == Some(1) {
        assert!(ran.text().contains(limit), "{}", ran.text());
    } else {
        ran.exits(job.code());
    }
    if matches!(job, Job::Tool | Job::Tools) {
        for output in outputs(server) {
            assert!(
                output.starts_with("hi\n") || output.contains(limit),
                "{job:?}: {output}"
            );
        }
    }
    false
}

#[test]
fn exhausted_descriptors_are_exit_74_and_named() {
    let things: Vec<(Job, u32)> = Job::ALL
        .into_iter()
        .flat_map(|job| {
            (6..40)
                .chain([44, 48, 56, 64, 100])
                .map(move |most| (job, most))
        })
        .collect();
    each(things, 4, |(job, most)| {
        let (server, home) = (job.server(), Home::with_key());
        let limit = format!("--nofile={most}:{most}");
        let ran = job.run(&home, &server, "prlimit", [&*limit]);
        let reached = check(job, &server, &ran, "RLIMIT_NOFILE");
        assert!(!reached || most < 100, "{job:?} with {most} descriptors");
        assert!(reached || most > 24, "{job:?} with {most} descriptors");
        assert_eq!(
            fs::read_dir(home.tmp()).expect("a directory").count(),
            0,
            "{job:?} {most}"
        );
    });
}

#[test]
fn descriptors_exhausted_later_are_not_reported_as_a_network_failure() {
    // The run's own process id is the fourth field about its child, which is the parent of the command.
    let command = "prlimit --nofile=5:5 --pid $(cut -d' ' -f4 /proc/$PPID/stat) && echo lowered";
    for host in ["127.0.0.1", "localhost"] {
        let home = Home::with_key();
        let server = Server::start([
            Reply::items([bash(command)]).header("connection", "close"),
            Reply::text("done"),
        ]);
        let named = server.api_url().replace("127.0.0.1", host);
        let args = ["run", "--ephemeral", "-s", "danger-full-access", "go"];
        let cmd = home.codex(&server).env("OPENAI_BASE_URL", &named);
        let ran = cmd.args(args).run();
        ran.exits(74)
            .says("cannot reach the service")
            .says("RLIMIT_NOFILE (currently 5)");
        assert_eq!(server.requests().len(), 1);
        assert!(!ran.stderr.contains("trying again"), "{}", ran.stderr);
    }
}

#[test]
fn exhausted_threads_are_exit_74_and_named() {
    if lacks(&Need::OTHER_USER) {
        return;
    }
    let things: Vec<(Job, u32)> = Job::ALL
        .into_iter()
        .flat_map(|job| {
            (1..12)
                .chain([16, 24, 32, 200])
                .map(move |most| (job, most))
        })
        .collect();
    each(things, 4, |(job, most)| {
        let (server, home) = (job.server(), Home::with_key());
        // A user id for each: the limit of a user counts everything that this user runs.
        let place = Job::ALL
            .iter()
            .position(|other| *other == job)
            .unwrap_or_default();
        let user = 64_000 + u32::try_from(place).expect("a few") * 300 + most;
        give(home.root(), user);
        let (user, group) = (format!("--reuid={user}"), format!("--regid={user}"));
        let limit = format!("--nproc={most}:{most}");
        let args = [&*limit, "setpriv", &user, &group, "--clear-groups"];
        let ran = job.run(&home, &server, "prlimit", args);
        let reached = check(job, &server, &ran, "RLIMIT_NPROC");
        assert!(!reached || most < 200, "{job:?} with {most} processes");
        assert!(reached || most > 1, "{job:?} with {most} processes");
    });
}

#[test]
fn a_sign_in_without_threads_or_descriptors_does_not_blame_the_ports() {
    if lacks(&Need::OTHER_USER) {
        return;
    }
    each((1..12).collect(), 4, |most: u32| {
        let (server, home) = (Server::start([]), Home::new());
        let user = 63_000 + most;
        give(home.root(), user);
        let (user, group) = (format!("--reuid={user}"), format!("--regid={user}"));
        let limit = format!("--nproc={most}:{most}");
        let args = [&*limit, "setpriv", &user, &group, "--clear-groups"];
        let cmd = home.codex(&server).args(["login", "--no-browser"]);
        let ran = cmd.within("prlimit", args).run();
        ran.exits(74).says("RLIMIT_NPROC");
        assert!(!ran.stderr.contains("taken"), "{}", ran.stderr);
    });
}

#[test]
fn exhaustion_is_not_recorded_as_a_failure_of_the_issuer() {
    if lacks(&Need::OTHER_USER) {
        return;
    }
    let server = Server::start([Reply::text("done")]);
    let (home, old) = Home::expired(&server);
    give(home.root(), 62_000);
    let issuer = server.url().replace("127.0.0.1", "localhost");
    let ask = |most: u32| {
        let limit = format!("--nproc={most}:{most}");
        let args = [
            &*limit,
            "setpriv",
            "--reuid=62000",
            "--regid=62000",
            "--clear-groups",
        ];
        let cmd = home.codex(&server).env("CODEX_RUN_ISSUER", &issuer);
        cmd.args(["token"]).within("prlimit", args).run()
    };
    // The thread that handles signals exists, and the one that resolves the name does not.
    ask(2).exits(74).says("RLIMIT_NPROC");
    assert_eq!(server.issuer().refreshes(), 0);
    assert_eq!(home.refresh_token(), old.refresh);
    // So the next run does not have to wait.
    let noted = fs::read_to_string(home.own().join("auth.json.lock")).unwrap_or_default();
    assert!(!noted.contains("failed"), "{noted}");
    let ran = ask(100);
    assert_eq!(ran.status.code(), Some(0), "{}", ran.stderr);
    assert_eq!(server.issuer().refreshes(), 1);
}

/// The command with files limited to this many bytes.
fn with_small_files(cmd: Cmd, bytes: u32) -> CommandOutput {
    let limit = format!("--fsize={bytes}:{bytes}");
    cmd.within("prlimit", [&*limit]).run()
}

#[test]
fn a_file_size_limit_is_a_warning_or_exit_74_and_no_signal() {
    let long = "word ".repeat(2000);
    let home = Home::with_key();
    let server = Server::start([Reply::text(&long), Reply::text(&long)]);
    let run = || home.codex(&server).args(["run", "--no-tools"]);
    let ran = with_small_files(run().args(["go"]), 2000);
    ran.exits(0).stdout(&format!("{long}\n"));
    ran.says("no longer being stored");
    home.file("out", "before");
    let ran = with_small_files(run().args(["--ephemeral", "-o", "out", "go"]), 2000);
    ran.exits(74)
        .says("cannot write out, named by --output-last-message");
    assert_eq!(home.read("out"), "before");
    assert_eq!(fs::read_dir(home.work()).expect("a directory").count(), 1);
}

#[test]
fn tools_have_the_default_action_of_signals_that_codex_catches() {
    let home = Home::with_key();
    let command = "grep -E '^Sig(Ign|Cgt)' /proc/self/status; head -c 9000 /dev/zero > f; echo $?";
    let server = Server::start([
        Reply::items([
            bash(command),
            Item::call(
                "write",
                serde_json::json!({"path": "g", "content": "x".repeat(9000)}),
            ),
        ]),
        Reply::text("done"),
    ]);
    let cmd = home
        .codex(&server)
        .args(["run", "--ephemeral", "-s", "workspace-write", "go"]);
    with_small_files(cmd, 4096).exits(0).stdout("done\n");
    let outputs = outputs(&server);
    let mask = |name: &str| {
        let line = outputs[0].lines().find_map(|line| line.strip_prefix(name));
        u64::from_str_radix(line.unwrap_or("none").trim(), 16).expect("a mask")
    };
    // SIGXFSZ has the number 25. Programs that catch it would have to report it.
    for name in ["SigIgn:", "SigCgt:"] {
        assert_eq!(mask(name) & (1 << 24), 0, "{}", outputs[0]);
    }
    // 128 plus the signal number, as the shell reports it.
    assert!(outputs[0].contains("\n153\n"), "{}", outputs[0]);
    // A write by codex itself in a tool fails, and the model gets an error.
    assert!(outputs[1].contains("File too large"), "{}", outputs[1]);
    let written = fs::metadata(home.work().join("f")).expect("a file");
    assert!(written.permissions().mode() & 0o400 != 0 && written.len() <= 4096);
}
