//! Files that later runs trust, or that a tool with more rights than others runs. They must be where tools cannot write:
//! otherwise, a tool could change what runs later with more rights than its own.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::hidden_paths::Hidden;
use super::manifests::manifests;
use super::servers;
use super::shared_directories::is_shared;
use super::trust::world_writable_parent;
use crate::cli::environment::Environment;
use crate::cli::flags::Args;
use crate::failure::Failure;
use crate::file::open_regular;
use crate::mcp::server_settings::{ServerSettings, Transport};
use crate::tools::sandbox::paths::is_program;
use crate::tools::sandbox::policy::SandboxPolicy;
use crate::tools::sandbox::writable_reach::{WritableReach, named_in};
use crate::tools::tool::Tool;

/// The maximum depth of interpreters named in each other's first line (execve(2)).
const MAX_INTERPRETERS: usize = 5;

/// The longest first line that names a program, in bytes (execve(2)).
const MAX_LINE_BYTES: u64 = 256;

/// The inputs of the check.
pub(super) struct TrustedFiles<'a> {
    pub(super) args: &'a Args,
    pub(super) environment: &'a Environment,
    pub(super) hidden: &'a Hidden,
    /// The tools of this run.
    pub(super) offered: &'a [Tool],
    /// The MCP servers of this run.
    pub(super) servers: &'a [ServerSettings],
    /// Their working directory.
    pub(super) directory: &'a Path,
}

/// A file that tools must not be able to change.
struct TrustedFile {
    path: PathBuf,
    /// What it is, worded to follow "it is".
    what: String,
    /// The alternative to moving it, for the hint.
    otherwise: &'static str,
    /// It is a program that was found on the PATH.
    is_found: bool,
}

impl TrustedFiles<'_> {
    /// Rejects a run whose tools could change such a file; otherwise returns warnings. Add new kinds of such files to
    /// `files`.
    pub(super) fn check(&self, policy: &SandboxPolicy) -> Result<Vec<String>, Failure> {
        if !policy.write {
            return Ok(Vec::new());
        }
        let reach = WritableReach::of(policy);
        let mut warnings = Vec::new();
        for file in self.files() {
            check(&file, &reach)?;
            warnings.extend(linked_twice(&file, policy));
        }
        let tools = self.offered.iter().filter_map(|tool| self.of_tool(tool));
        let servers = self
            .servers
            .iter()
            .filter_map(|server| self.of_server(server));
        for program in tools.chain(servers) {
            for file in self.words(&program) {
                check(&file, &reach)?;
                warnings.extend(linked_twice(&file, policy));
            }
            warnings.extend(self.narrowed(&program, &reach));
        }
        Ok(warnings)
    }

    /// The user's files that determine what a run does.
    fn files(&self) -> Vec<TrustedFile> {
        let flag = self.args.named("tool");
        let named = self.args.tool.iter().map(|path| TrustedFile {
            path: path.into(),
            what: format!("a manifest, named by {flag}"),
            otherwise: "or use -s read-only",
            is_found: false,
        });
        let flag = self.args.named("mcp");
        let of_servers = servers::files(self.args)
            .into_iter()
            .map(|path| TrustedFile {
                path,
                what: format!("a file of MCP servers, named by {flag}"),
                otherwise: "or use -s read-only",
                is_found: false,
            });
        let flag = self.args.named("config-file");
        let configuration = self.args.config_file.iter().map(|path| TrustedFile {
            path: path.into(),
            what: format!("the settings file, named by {flag}"),
            otherwise: "or use -s read-only",
            is_found: false,
        });
        // A missing home has no tools folder.
        let homes = self.hidden.run_homes().filter(|home| home.exists());
        let own = [
            ("tools", "codex-run's tools folder"),
            (servers::FILE, "codex-run's file of MCP servers"),
        ];
        let in_home = |home: &PathBuf| {
            own.map(|(name, what)| TrustedFile {
                path: home.join(name),
                what: what.to_owned(),
                otherwise: "or use -s read-only",
                is_found: false,
            })
        };
        let folders = homes.flat_map(in_home);
        let in_folders = self.hidden.run_homes().flat_map(|home| manifests(home));
        // A manifest that every run ignores does not matter.
        let taken = in_folders.filter(|file| world_writable_parent(file).is_none());
        let in_folders = taken.map(|path| TrustedFile {
            what: format!("a manifest that {} resolves to", path.display()),
            path,
            otherwise: "or use -s read-only",
            is_found: false,
        });
        let named = named.chain(of_servers).chain(configuration);
        named.chain(folders).chain(in_folders).collect()
    }

    /// The program of a tool that receives additional variables.
    fn of_tool(&self, tool: &Tool) -> Option<PrivilegedProgram> {
        let manifest = tool.runner.manifest()?;
        (!manifest.env.is_empty()).then(|| PrivilegedProgram {
            whose: format!("the tool {}", manifest.name),
            command: manifest.command.clone(),
            variables: manifest.env.join(" and "),
            directory: self.directory.to_owned(),
            otherwise: "use -s read-only, or remove \"env\" from the manifest",
        })
    }

    /// The program of an MCP server that receives additional variables.
    fn of_server(&self, server: &ServerSettings) -> Option<PrivilegedProgram> {
        let Transport::Stdio { command, env, .. } = &server.transport else {
            return None;
        };
        let names: Vec<&str> = env.iter().map(|(name, _)| &**name).collect();
        let directory = server.directory(self.directory);
        (!names.is_empty()).then(|| PrivilegedProgram {
            whose: format!("the MCP server {}", server.name),
            command: command.iter().map(OsString::from).collect(),
            variables: names.join(" and "),
            directory: directory.unwrap_or_else(|| self.directory.to_owned()),
            otherwise: "use -s read-only, or remove \"env\" from the server",
        })
    }

    /// The files that the command of such a program names.
    fn words(&self, privileged: &PrivilegedProgram) -> Vec<TrustedFile> {
        let mut paths = Vec::new();
        for (n, word) in privileged.command.iter().enumerate() {
            let program = match n {
                0 => self.program(word, &privileged.directory),
                _ => None,
            };
            if let Some(program) = program {
                paths.extend(interpreters(&program).into_iter().map(|path| (path, true)));
                let is_found = !word.as_bytes().contains(&b'/');
                paths.push((program, is_found));
            } else {
                let named = named_in(word, &privileged.directory).into_iter();
                paths.extend(named.map(|path| (path, false)));
            }
        }
        let trusted = |(path, is_found): (PathBuf, bool)| TrustedFile {
            what: format!(
                "part of the command of {}, which receives {}",
                privileged.whose, privileged.variables
            ),
            path,
            otherwise: privileged.otherwise,
            is_found,
        };
        paths.into_iter().map(trusted).collect()
    }

    /// The program that this name starts, found as the tool's process finds it.
    fn program(&self, name: &OsStr, directory: &Path) -> Option<PathBuf> {
        if name.as_bytes().contains(&b'/') {
            return Some(directory.join(name));
        }
        let path = self.environment.get("PATH")?;
        std::env::split_paths(path)
            .map(|listed| directory.join(listed).join(name))
            .find(|program| is_program(program))
    }

    /// A warning if directories are removed from the PATH of such a tool.
    fn narrowed(&self, privileged: &PrivilegedProgram, reach: &WritableReach) -> Option<String> {
        let path = self.environment.get("PATH")?;
        let left = reach.narrowed("PATH".as_ref(), path, self.directory);
        (left.as_deref() != Some(path)).then(|| {
            format!(
                "the PATH of {} omits directories that tools can write to, because it receives {}",
                privileged.whose, privileged.variables
            )
        })
    }
}

/// A program that receives variables which other tools do not.
struct PrivilegedProgram {
    /// What it is, in messages.
    whose: String,
    command: Vec<OsString>,
    /// The names of the variables.
    variables: String,
    /// Its working directory.
    directory: PathBuf,
    /// The alternatives to moving its files.
    otherwise: &'static str,
}

fn check(file: &TrustedFile, reach: &WritableReach) -> Result<(), Failure> {
    let Some(root) = reach.root_of(&file.path) else {
        return Ok(());
    };
    let close = if is_shared(root) {
        ", close this directory with --no-tmp"
    } else {
        ""
    };
    Err(Failure::usage(format!(
        "cannot let tools write to {}: they could change {}, which is {}",
        root.display(),
        file.path.display(),
        file.what
    ))
    .hint(format!(
        "move it to where tools cannot write{close}, {}",
        file.otherwise
    )))
}

/// A warning about a file of the user with several hard links, one of which may be where tools can write.
fn linked_twice(file: &TrustedFile, policy: &SandboxPolicy) -> Option<String> {
    let found = fs::metadata(&file.path).ok()?;
    let is_own = found.is_file() && found.uid() == rustix::process::geteuid().as_raw();
    let mut devices = policy.writable.iter().map(|root| root.identity.0);
    let near = devices.any(|device| device == found.dev());
    (!file.is_found && is_own && near && found.nlink() > 1).then(|| {
        format!(
            "{} has {} hard links, and tools can change it through any that they can write to; it is {}",
            file.path.display(),
            found.nlink(),
            file.what
        )
    })
}

/// The interpreters of a script, from its first line and from the first lines of the interpreters.
fn interpreters(program: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut at = program.to_owned();
    while found.len() < MAX_INTERPRETERS {
        let Some(next) = interpreter(&at) else { break };
        found.push(next.clone());
        at = next;
    }
    found
}

fn interpreter(script: &Path) -> Option<PathBuf> {
    let mut line = Vec::new();
    let file = open_regular(script, OFlags::RDONLY).ok()?;
    file.take(MAX_LINE_BYTES).read_to_end(&mut line).ok()?;
    let line = line
        .strip_prefix(b"#!")?
        .split(|byte| *byte == b'\n')
        .next()?;
    let name = line.trim_ascii().split(u8::is_ascii_whitespace).next()?;
    Some(OsStr::from_bytes(name))
        .filter(|name| !name.is_empty())
        .map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_names_a_program() {
        let top = std::env::temp_dir().join(format!("codex-run-lines-{}", std::process::id()));
        fs::create_dir_all(&top).expect("a directory");
        let check = |text: &str, expected: &[&str]| {
            let script = top.join("script");
            let text = text.replace("SELF", &script.display().to_string());
            fs::write(&script, text).expect("a file");
            let found = interpreters(&script);
            let expected: Vec<PathBuf> = expected
                .iter()
                .map(|path| path.replace("SELF", &script.display().to_string()).into())
                .collect();
            assert_eq!(found, expected);
        };
        check("#!/gone/python3 -E\nx", &["/gone/python3"]);
        check("#! /gone/env python3", &["/gone/env"]);
        check("#!SELF\n", &["SELF"; MAX_INTERPRETERS]);
        check("#!\n", &[]);
        check("", &[]);
        check("echo #!/x", &[]);
        let _ = fs::remove_dir_all(top);
    }
}
