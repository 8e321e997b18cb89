//! Attempts to escape from the sandbox, in every mode, against the real binary. Each is also made without a sandbox,
//! where it succeeds: an attempt that fails everywhere would prove nothing.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::attempts::{Attempt, Through, attempts};
use crate::home::{Home, KEY};
use crate::needs::{Need, is_root, lacks};
use crate::standin::{Item, Reply, Server};
use crate::tools::{bash, outputs};

/// Must not appear anywhere inside the sandbox.
const SECRET: &str = "rt-kept-in-a-file";

/// A home with credentials, and servers that listen outside.
struct Stage {
    home: Home,
    /// Kept open: the targets of attempts.
    tcp: TcpListener,
    udp: UdpSocket,
    _listening: (UnixListener, UnixDatagram),
    abstract_name: String,
}

impl Stage {
    fn new(owner: Option<u32>) -> Self {
        let mut home = Home::with_key();
        let agent = home.root().join("agent").display().to_string();
        home = home.env("PI_CODING_AGENT_DIR", &agent);
        let root = home.root();
        for place in [
            ".codex-run",
            ".codex",
            ".pi/agent",
            "agent",
            "elsewhere",
            "outside",
        ] {
            fs::create_dir_all(root.join(place)).expect("a directory");
        }
        let login = format!(
            r#"{{"openai-codex":{{"type":"oauth","access":"x","refresh":"{SECRET}","expires":1}}}}"#
        );
        for file in [
            ".codex-run/auth.json",
            ".codex/auth.json",
            ".pi/agent/auth.json",
            "agent/auth.json",
            "elsewhere/login.json",
            "elsewhere/login.json.1-ab.new",
        ] {
            fs::write(root.join(file), format!("{login}\n")).expect("a file");
        }
        fs::write(root.join("outside/victim"), "as it was\n").expect("a file");
        fs::write(root.join("key"), format!("{KEY}\n")).expect("a file");
        fs::copy(intruder(), root.join("intruder")).expect("a program");
        let listening = (
            UnixListener::bind(root.join("outside/docker.sock")).expect("a socket"),
            UnixDatagram::bind(root.join("outside/log.sock")).expect("a socket"),
        );
        if let Some(owner) = owner {
            give(root, owner);
        }
        let abstract_name = format!("codex-run-{}-{}", std::process::id(), owner.unwrap_or(0));
        Self {
            tcp: TcpListener::bind("127.0.0.1:0").expect("a port"),
            udp: UdpSocket::bind("127.0.0.1:0").expect("a port"),
            _listening: listening,
            abstract_name,
            home,
        }
    }

    fn attempts(&self) -> Vec<Attempt> {
        let tcp = self.tcp.local_addr().expect("it is bound").port();
        let udp = self.udp.local_addr().expect("it is bound").port();
        attempts(&self.home, tcp, udp, &self.abstract_name)
    }

    /// Makes these attempts in one run, each in its own call, and returns their results.
    fn make(&self, attempts: &[Attempt], flags: &[&str], as_user: Option<u32>) -> Vec<String> {
        let calls: Vec<Item> = attempts
            .iter()
            .map(|attempt| bash(&attempt.command))
            .collect();
        let server = Server::start([Reply::items(calls), Reply::text("done")]);
        let root = self.home.root().display().to_string();
        let mut cmd = self.home.codex(&server).without("OPENAI_API_KEY");
        cmd = cmd.args([
            "run",
            "--auth-file",
            &format!("{root}/elsewhere/login.json"),
            "--api-key-file",
            &format!("{root}/key"),
        ]);
        cmd.command.args(flags).arg("go");
        if let Some(user) = as_user {
            let ids = [format!("--reuid={user}"), format!("--regid={user}")];
            cmd = cmd.within("setpriv", [&ids[0], &ids[1], "--clear-groups"]);
        }
        cmd.run().exits(0).stdout("done\n");
        outputs(&server)
    }

    /// Restores the state before the first attempt.
    fn reset(&self, owner: Option<u32>) {
        let outside = self.home.root().join("outside");
        for entry in fs::read_dir(&outside).expect("a directory").flatten() {
            let name = entry.file_name();
            if !["docker.sock", "log.sock", "victim"]
                .iter()
                .any(|kept| name == *kept)
            {
                let path = entry.path();
                let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
            }
        }
        let work = self.home.work();
        let _ = fs::remove_dir_all(work.join(".git"));
        let _ = fs::remove_file(work.join("new"));
        fs::write(outside.join("victim"), "as it was\n").expect("a file");
        fs::set_permissions(outside.join("victim"), fs::Permissions::from_mode(0o644))
            .expect("it is ours");
        for file in ["away", "doomed"] {
            fs::write(outside.join(file), "x").expect("a file");
        }
        let _ = fs::remove_file(self.home.root().join(".codex-run/config.json"));
        if let Some(owner) = owner {
            give(self.home.root(), owner);
        }
    }
}

/// The program that makes the attempts, built once.
pub(crate) fn intruder() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let program =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("intruder-{}", std::process::id()));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/data/intruder.c");
        let built = Command::new("cc")
            .args(["-pthread", "-o"])
            .arg(&program)
            .arg(source)
            .status();
        assert!(
            built.is_ok_and(|status| status.success()),
            "cc builds {source}"
        );
        program
    };
    BUILT.get_or_init(build).clone()
}

pub(crate) fn give(path: &Path, owner: u32) {
    chown(path, Some(owner), Some(owner)).expect("we may");
    for entry in fs::read_dir(path).expect("a directory").flatten() {
        let inner = entry.path();
        if inner.is_symlink() {
            continue;
        }
        if inner.is_dir() {
            give(&inner, owner);
        } else {
            chown(&inner, Some(owner), Some(owner)).expect("we may");
        }
    }
}

/// Whether signals can be confined: Landlock's sixth version, in Linux 6.12.
/// Makes every attempt in every mode, as this user or a different one.
fn escape(user: Option<u32>) {
    let stage = Stage::new(user);
    let _abstract = abstract_listener(&stage.abstract_name);
    let attempts = stage.attempts();
    let modes: [(&[&str], bool, bool, bool); 5] = [
        (&["-s", "danger-full-access"], true, true, true),
        (&[], false, false, false),
        (&["--network"], false, false, true),
        (&["-s", "workspace-write"], false, true, false),
        (&["-s", "workspace-write", "--network"], false, true, true),
    ];
    let mut wrong = Vec::new();
    for (flags, open, writing, network) in modes {
        stage.reset(user);
        let reported = stage.make(&attempts, flags, user);
        assert_eq!(reported.len(), attempts.len());
        for (attempt, output) in attempts.iter().zip(&reported) {
            let expected = match attempt.through {
                Through::Root => open && user.is_none() && is_root(),
                Through::Writing => writing,
                Through::Network => network,
                Through::Everywhere => true,
                Through::Kernel | Through::Files if open => continue,
                Through::Files if writing => continue,
                Through::Scoped if lacks(&Need::SIGNAL_SCOPES) => continue,
                Through::Nowhere | Through::Scoped => open,
                Through::Kernel | Through::Files => false,
            };
            let done = output.lines().any(|line| line == "done");
            if done != expected {
                let through = if done { "got through" } else { "was refused" };
                let (name, command) = (attempt.name, &attempt.command);
                wrong.push(format!(
                    "{flags:?}: {name} {through}\n$ {command}\n{output}"
                ));
            }
            assert!(
                open || !output.contains(SECRET) && !output.contains(KEY),
                "{flags:?}: {}: {output}",
                attempt.name
            );
        }
        if !open {
            let victim =
                fs::read_to_string(stage.home.root().join("outside/victim")).expect("it is there");
            assert_eq!(victim, "as it was\n", "{flags:?}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn abstract_listener(name: &str) -> UnixListener {
    use std::os::linux::net::SocketAddrExt;
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name).expect("a name");
    UnixListener::bind_addr(&address).expect("a socket")
}

#[test]
fn no_attempt_escapes_the_sandbox() {
    escape(None);
}

#[test]
fn no_attempt_of_an_unprivileged_user_escapes_the_sandbox() {
    if lacks(&Need::OTHER_USER) {
        return;
    }
    escape(Some(65534));
}
