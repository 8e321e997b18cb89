//! What tests need of the machine. A test with an unmet requirement asks here, which prints its name and is the only way to
//! skip. `tests/README.md` has the table; `CODEX_TESTS_STRICT`, described there, makes a skip a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::net::{Ipv6Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::fixtures::FOLDER;
use crate::home::BINARY;
use crate::stops::{INT, ignored};

/// A requirement of a test.
pub(crate) struct Need {
    /// Its name, as printed and listed.
    name: &'static str,
    /// Whether it is met: what the tests rely on.
    works: fn() -> bool,
    /// Whether it appears to be available. If it is, but is never met, a test has hidden a failure.
    ought: fn() -> bool,
}

macro_rules! needs {
    ($($constant:ident = $name:literal, $works:expr, $ought:expr;)*) => {
        impl Need {
            $(pub(crate) const $constant: Self = Self { name: $name, works: $works, ought: $ought };)*
            const ALL: &[(&str, Self)] = &[$((stringify!($constant), Self::$constant)),*];
        }
    };
}

needs! {
    ROOT = "root", is_root, is_root;
    OTHER_USER = "other-user", is_executable_by_others, || is_root() && on_path("setpriv");
    MOUNTS = "mounts",
        || succeeds("unshare", &["-m", "mount", "--bind", "/etc/passwd", "/etc/passwd"]),
        || is_administrator() && on_path("unshare");
    OWN_MOUNTS = "own-mounts",
        || succeeds("unshare", &["-rm", "mount", "-t", "tmpfs", "none", "/tmp"]),
        || is_administrator() && on_path("unshare");
    PID_NAMESPACE = "pid-namespace",
        || succeeds("unshare", &["-pf", "--mount-proc", "true"]),
        || is_administrator() && on_path("unshare");
    SIGNAL_SCOPES = "signal-scopes", || kernel() >= (6, 12), || kernel() >= (6, 12);
    THREAD_DESCRIPTORS = "thread-descriptors", || kernel() >= (6, 9), || kernel() >= (6, 9);
    SYSTEM_CALLS = "system-calls",
        || is_root() && fs::read_to_string("/proc/self/syscall").is_ok(),
        || Path::new("/proc/self/syscall").exists() && is_administrator();
    INTERRUPTS = "interrupts", || !ignored(INT), || !ignored(INT);
    CONTROLLING_TERMINAL = "controlling-terminal", has_ctty, has_ctty;
    C_COMPILER = "cc", || succeeds("cc", &["--version"]), || on_path("cc");
    TRACING = "ptrace", can_trace, || cfg!(target_os = "linux") && on_path("cc");
    IPV6 = "ipv6",
        || TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok(),
        || fs::read_to_string("/proc/net/if_inet6").is_ok_and(|text| text.contains(" lo\n"));
    VAR_TMP = "var-tmp", || Path::new("/var/tmp").is_dir(), || Path::new("/var/tmp").exists();
    DEV_SHM = "dev-shm", || Path::new("/dev/shm").is_dir(), || Path::new("/dev/shm").exists();
    NO_RUN_USER = "no-run-user", has_no_run_user, has_no_run_user;
    PYTHON = "python3", || succeeds("python3", &["--version"]), || on_path("python3");
    PYTHON_SAFE_PATH = "python3.11",
        || succeeds("python3", &["-c", "import sys; sys.exit(sys.version_info < (3, 11))"]),
        || false;
    MAKE = "make", || succeeds("make", &["--version"]), || on_path("make");
    GIT = "git", || succeeds("git", &["--version"]), || on_path("git");
    ZSH = "zsh", || succeeds("zsh", &["-fc", "zmodload zsh/zpty"]), || on_path("zsh");
    FISH = "fish", || succeeds("fish", &["--version"]), || on_path("fish");
    RG = "rg", || succeeds("rg", &["--version"]), || on_path("rg");
    MANDOC = "mandoc", || on_path("mandoc"), || on_path("mandoc");
    GROFF = "groff", || on_path("groff"), || on_path("groff");
    FLOCK = "flock", || succeeds("flock", &["--version"]), || on_path("flock");
    TASK_PROGRAMS = "task-programs", || false, || false;
    RECORDED_STREAMS = "recorded-streams",
        || Path::new(FOLDER).join("index.jsonl").is_file(),
        || Path::new(FOLDER).exists();
    RECORDED_REFUSALS = "recorded-refusals",
        || Path::new(FOLDER).join("errors").is_dir(),
        || Path::new(FOLDER).exists();
}

impl Need {
    /// Its name. For a program, that is what it is called.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}

/// Whether a requirement is not met. Prints its name then, and fails the test if strictness demands it.
#[track_caller]
pub(crate) fn lacks(need: &Need) -> bool {
    let works = (need.works)();
    if !works {
        skip(need, (need.ought)(), "");
    }
    !works
}

/// The same for one of several things under one name: this one is missing for this purpose.
#[track_caller]
pub(crate) fn lacks_program(need: &Need, purpose: &str, program: &str) -> bool {
    let works = on_path(program);
    if !works {
        skip(need, false, &format!(": {purpose} needs {program}"));
    }
    !works
}

#[track_caller]
fn skip(need: &Need, ought: bool, what: &str) {
    let name = need.name;
    let wanted = std::env::var("CODEX_TESTS_STRICT").unwrap_or_default();
    let names: Vec<&str> = wanted.split(',').map(str::trim).collect();
    let is_strict = !matches!(&*wanted, "" | "0");
    assert!(
        !(is_strict && ought),
        "{name} is here and cannot be used{what}"
    );
    assert!(
        !names.contains(&name),
        "{name} is wanted and not here{what}"
    );
    let _ = writeln!(std::io::stderr(), "skipped ({name}){what}");
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether this process may mount and create namespaces: `CAP_SYS_ADMIN`, number 21 of capability.h.
fn is_administrator() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << 21) != 0)
}

/// The version of the kernel; 0.0 if it is not Linux.
fn kernel() -> (u32, u32) {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut parts = release
        .split(['.', '-'])
        .map(|part| part.trim().parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// Whether there is a program that gives a command a controlling terminal.
fn has_ctty() -> bool {
    let help = Command::new("setsid").arg("--help").output();
    help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--ctty"))
}

/// Whether a program can be traced, on a system where tests do that.
fn can_trace() -> bool {
    #[cfg(target_os = "linux")]
    return crate::panics::can_trace();
    #[cfg(not(target_os = "linux"))]
    false
}

fn has_no_run_user() -> bool {
    let user = rustix::process::geteuid().as_raw();
    !Path::new(&format!("/run/user/{user}")).exists()
}

/// Whether root can become an unprivileged user that can execute the command under test.
fn is_executable_by_others() -> bool {
    let user = [
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        &BINARY,
        "--version",
    ];
    is_root() && succeeds("setpriv", &user)
}

fn succeeds(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|place| place.join(program).exists())
}

/// What mentions each requirement, by its name: files of this folder, of the tests in Python, the Makefile and `size.sh`.
fn mentions() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut note = |name: &str, file: &str| {
        found
            .entry(name.to_owned())
            .or_default()
            .insert(file.to_owned());
    };
    for (file, text) in texts(&root.join("tests/it")) {
        for (constant, need) in Need::ALL {
            let is_inner = |c: char| c.is_alphanumeric() || c == '_';
            let words = format!("Need::{constant}");
            let mut after = text.split(&words).skip(1);
            if after.any(|rest| !rest.starts_with(is_inner)) {
                note(need.name, file.trim_end_matches(".rs"));
            }
        }
    }
    for folder in ["browser", "dist", "peers", "tools"] {
        for (file, text) in texts(&root.join("tests").join(folder)) {
            for call in text.split("skip(\"").skip(1) {
                note(
                    call.split('"').next().unwrap_or_default(),
                    &format!("{folder}/{file}"),
                );
            }
        }
    }
    let make = fs::read_to_string(root.join("Makefile")).expect("the Makefile");
    for call in make.split("$(call skip,").skip(1) {
        note(call.split(',').next().unwrap_or_default(), "Makefile");
    }
    let size = fs::read_to_string(root.join("tests/size.sh")).expect("size.sh");
    for words in size.split("skipped (").skip(1) {
        note(words.split(')').next().unwrap_or_default(), "size.sh");
    }
    found
}

/// The text files of a folder, with their names.
fn texts(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let read = |entry: fs::DirEntry| {
        let text = fs::read_to_string(entry.path()).ok()?;
        Some((entry.file_name().to_string_lossy().into_owned(), text))
    };
    entries.filter_map(read).collect()
}

#[test]
fn every_need_and_its_tests_are_listed_in_the_readme() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("tests/README.md")).expect("tests/README.md");
    let table = readme
        .split("## What tests need")
        .nth(1)
        .expect("the table of needs");
    let mut listed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let tests = cells[3].split(", ").map(str::to_owned).collect();
        let twice = listed.insert(cells[1].trim_matches('`').to_owned(), tests);
        assert!(twice.is_none(), "{row}");
    }
    assert_eq!(listed, mentions());
    let names: BTreeSet<&str> = Need::ALL.iter().map(|(_, need)| need.name).collect();
    assert_eq!(names.len(), Need::ALL.len(), "two have one name");
    assert!(
        names.iter().all(|name| listed.contains_key(*name)),
        "{names:?}"
    );
    // And none is mentioned in any other way.
    for folder in ["it", "browser", "dist", "peers", "tools"] {
        for (file, text) in texts(&root.join("tests").join(folder)) {
            let says = text.contains("\"skipped (") && file != "needs.rs";
            assert!(!says, "{folder}/{file} skips by itself");
        }
    }
}
