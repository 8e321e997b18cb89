//! The tools to offer and their sandbox, from flags and the environment.

use std::cell::OnceCell;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::super::model::models_json::providers;
use super::hidden_paths::Hidden;
use super::manifests::UserTools;
use super::offer::offer;
use super::servers::DeclaredServers;
use super::trust::Trust;
use super::trusted_files::TrustedFiles;
use super::variable_guard::KnownSecrets;
use super::{git_directories, manifests, servers, shared_directories, variables};
use crate::cli::environment::Environment;
use crate::cli::flags::{Args, FlagOrigin, SANDBOXES};
use crate::cli::values::{tool_timeout, word_of};
use crate::failure::Failure;
use crate::tools::builtin::offered::tool;
use crate::tools::builtin::table::find_tool;
use crate::tools::sandbox::paths::{Root, real_once};
use crate::tools::sandbox::policy::SandboxPolicy;
use crate::tools::sandbox::writable_reach::{WritableReach, seen_twice};
use crate::tools::scratch::TemporaryParent;
use crate::tools::server::servers::ServerToStart;
use crate::tools::setup::ToolSetup;
use crate::tools::tool::Tool;

/// The tools of a run, how they are launched, and the warnings and notes found while preparing them.
pub(crate) struct Tooling {
    pub(crate) setup: ToolSetup,
    /// The tools that are offered.
    pub(crate) offered: Vec<Tool>,
    /// The MCP servers to start. They are filled in with the environment.
    pub(crate) servers: Vec<ServerToStart>,
    declared: DeclaredServers,
    pub(crate) warnings: Vec<String>,
    /// Notes, which are not warnings.
    pub(crate) notes: Vec<String>,
    /// Where credentials are kept, and the links that lead there, once they are known.
    hidden: OnceCell<Vec<PathBuf>>,
}

impl Tooling {
    /// Where credentials are kept, and the links that lead there. Without tools, they are searched only if a file is read that
    /// must not be there.
    pub(crate) fn hidden(&self, args: &Args, environment: &Environment) -> &[PathBuf] {
        self.hidden
            .get_or_init(|| Hidden::find(args, environment).guarded_places())
    }

    /// Fills in the environment of the tools, given the secrets of the run.
    pub(crate) fn fill_environment(
        &mut self,
        args: &Args,
        environment: &Environment,
        known: &KnownSecrets<'_>,
    ) -> Result<(), Failure> {
        let (setup, offered) = (&mut self.setup, &self.offered);
        let servers = std::mem::take(&mut self.declared);
        let (servers, warnings) =
            variables::fill_environment(setup, offered, servers, (args, environment), known)?;
        self.servers = servers;
        self.warnings.extend(warnings);
        Ok(())
    }
}

/// The tools of `codex run`. Their environment is filled in once the credentials are known.
pub(crate) fn of_run(args: &Args, environment: &Environment) -> Result<Tooling, Failure> {
    let (offered, left_out) = offered(args, environment)?;
    let mut servers = servers::find(args, environment)?;
    let note = servers.note.take();
    let mut tooling = around(args, environment, offered, servers)?;
    tooling.warnings.extend(left_out);
    tooling.notes.extend(note);
    Ok(tooling)
}

/// The tool that `codex tool` runs.
pub(crate) fn of_tool(
    name: &str,
    args: &Args,
    environment: &Environment,
) -> Result<Tooling, Failure> {
    let offered = find_tool(name).map(tool).into_iter().collect();
    let mut tooling = around(args, environment, offered, DeclaredServers::default())?;
    // `models.json` affects which variables are passed on.
    let providers = match args.env[..] {
        [] => Vec::new(),
        _ => providers(environment)?,
    };
    let known = KnownSecrets {
        providers: &providers,
        ..KnownSecrets::default()
    };
    tooling.fill_environment(args, environment, &known)?;
    Ok(tooling)
}

/// The MCP servers that `codex mcp list` starts.
pub(crate) fn of_servers(args: &Args, environment: &Environment) -> Result<Tooling, Failure> {
    let declared = servers::find(args, environment)?;
    let mut tooling = around(args, environment, Vec::new(), declared)?;
    let known = KnownSecrets {
        providers: &providers(environment)?,
        ..KnownSecrets::default()
    };
    tooling.fill_environment(args, environment, &known)?;
    Ok(tooling)
}

/// The sandbox of these tools.
fn around(
    args: &Args,
    environment: &Environment,
    offered: Vec<Tool>,
    declared: DeclaredServers,
) -> Result<Tooling, Failure> {
    let (mut warnings, mut notes) = (Vec::new(), Vec::new());
    variables::check(args)?;
    let sandbox = sandbox(args)?;
    let named = named(args, &mut notes)?;
    let directory = named[0].real.clone();
    let setup = ToolSetup {
        program: program(),
        directory: directory.clone(),
        variables: Vec::new(),
        environment: Vec::new(),
        timeout: tool_timeout(args)?,
        temporary: Vec::new(),
        policy: None,
    };
    if offered.is_empty() && declared.servers.is_empty() {
        // Without tools there is nothing to sandbox.
        return Ok(Tooling {
            setup,
            offered,
            servers: Vec::new(),
            declared,
            warnings,
            notes,
            hidden: OnceCell::new(),
        });
    }
    let hidden = Hidden::find(args, environment);
    let policy = match sandbox {
        "danger-full-access" => None,
        mode => {
            let write = mode == "workspace-write";
            let mut writable = Vec::new();
            if write {
                writable.extend(named.iter().map(|named| named.real.clone()));
            } else if !args.add_dir.is_empty() {
                warnings.push("--add-dir has no effect without -s workspace-write".to_owned());
            }
            hidden.known()?;
            warnings.extend(hidden.warnings.iter().cloned());
            let policy = SandboxPolicy {
                write,
                network: args.network,
                writable: roots(real_once(writable))?,
                hidden: hidden.places.clone(),
                ..SandboxPolicy::default()
            };
            hidden.check(&policy)?;
            warnings.extend(hidden.creatable_homes(&policy));
            manifests::readable(&policy, &offered)?;
            let mut policy = Hidden::there(policy);
            let owner = Trust::of(&directory).acts_for();
            let named_git = git_directories::read(&policy.writable, owner);
            let guarded = hidden.guarded_places();
            let (opened, notes_of_git) =
                git_directories::opened(&policy.writable, &guarded, named_git);
            policy.writable.extend(opened);
            notes.extend(notes_of_git.iter().map(ToString::to_string));
            if write && !args.no_tmp {
                open_shared(&mut policy, &hidden, environment)?;
            }
            let trusted = TrustedFiles {
                args,
                environment,
                hidden: &hidden,
                offered: &offered,
                servers: &declared.servers,
                directory: &directory,
            };
            warnings.extend(trusted.check(&policy)?);
            for named in &named {
                named.check_reach(&policy)?;
            }
            Some(policy)
        }
    };
    let (temporary, policy) = apart(policy, &hidden, environment)?;
    Ok(Tooling {
        setup: ToolSetup {
            temporary,
            policy,
            ..setup
        },
        offered,
        servers: Vec::new(),
        declared,
        warnings,
        notes,
        hidden: OnceCell::from(hidden.guarded_places()),
    })
}

/// These directories with their identities.
fn roots(paths: Vec<PathBuf>) -> Result<Vec<Root>, Failure> {
    let roots: std::io::Result<_> = paths.into_iter().map(Root::of).collect();
    roots.map_err(|error| {
        Failure::usage(format!(
            "cannot inspect a directory that tools may change: {error}"
        ))
    })
}

/// Opens the shared temporary directories, except those that contain something that tools must not change.
fn open_shared(
    policy: &mut SandboxPolicy,
    hidden: &Hidden,
    environment: &Environment,
) -> Result<(), Failure> {
    let mut guarded = hidden.guarded();
    guarded.extend(shared_directories::named_by_variables(environment));
    let shared = shared_directories::shared(&guarded);
    let is_named = |place: &PathBuf| policy.writable.iter().any(|root| root.path == *place);
    let open = shared.open.into_iter().filter(|place| !is_named(place));
    let open = roots(open.collect())?;
    policy.closed = shared.closed;
    policy
        .closed
        .retain(|closed| !policy.writable.iter().any(|root| root.path == closed.place));
    policy.writable.extend(open);
    Ok(())
}

/// A directory that a flag names, which tools may use.
struct NamedDirectory<'a> {
    flag: String,
    path: &'a Path,
    /// Its real path.
    real: PathBuf,
}

/// The working directory, and those of `--add-dir`. One in `config.json` that does not exist, perhaps on this machine, is a note.
fn named<'a>(args: &'a Args, notes: &mut Vec<String>) -> Result<Vec<NamedDirectory<'a>>, Failure> {
    let working = args.directory.as_deref().unwrap_or(OsStr::new("."));
    let further = args.add_dir.iter().map(|path| ("add-dir", &**path));
    let is_optional = matches!(args.origin("add-dir"), FlagOrigin::Config(_));
    let (missing, further): (Vec<_>, Vec<_>) = further.partition(|(_, path)| {
        let found = std::fs::metadata(path);
        is_optional && found.is_err_and(|error| error.kind() == ErrorKind::NotFound)
    });
    for (long, path) in missing {
        let (path, flag) = (Path::new(path).display(), args.named(long));
        notes.push(format!(
            "ignoring {path}, named by {flag}: it does not exist"
        ));
    }
    let all = [("cd", working)].into_iter().chain(further);
    all.map(|(long, path)| {
        let flag = match long {
            "cd" => cd(args),
            long => args.named(long),
        };
        let real = existing(&flag, path)?;
        let path = Path::new(path);
        Ok(NamedDirectory { flag, path, real })
    })
    .collect()
}

impl NamedDirectory<'_> {
    /// Rejects a directory whose path resolves through a place that tools can change: a tool of an earlier run
    /// may have put a link there.
    fn check_reach(&self, policy: &SandboxPolicy) -> Result<(), Failure> {
        let others = policy.writable.iter().filter(|root| root.path != self.real);
        let others = SandboxPolicy {
            writable: others.cloned().collect(),
            ..SandboxPolicy::default()
        };
        let reach = WritableReach::of(&others);
        if !policy.write || reach.holds(&self.real) || reach.root_of(self.path).is_none() {
            return Ok(());
        }
        let found = self.real.display();
        Err(Failure::usage(format!(
            "cannot let tools write to {}, named by {}: it resolves to {found}, through a directory that tools can change",
            self.path.display(),
            self.flag
        ))
        .hint(format!("if that is what you want, name {found} itself")))
    }
}

/// Where the run's temporary directory may be created, and the sandbox that keeps other runs out of it.
fn apart(
    policy: Option<SandboxPolicy>,
    hidden: &Hidden,
    environment: &Environment,
) -> Result<(Vec<TemporaryParent>, Option<SandboxPolicy>), Failure> {
    let writable = policy.iter().flat_map(|policy| &policy.writable);
    let roots: Vec<PathBuf> = writable.map(|root| root.path.clone()).collect();
    // A place may also be mounted below a writable directory, and be writable there.
    let reached = |place: &Path| {
        if roots.is_empty() {
            return false;
        }
        let mut names = seen_twice(&[place.to_owned()]);
        names.push(place.to_owned());
        let below = |name: &PathBuf| roots.iter().any(|root| name.starts_with(root));
        names.iter().any(below)
    };
    let is_hidden = |place: &Path| hidden.places.iter().any(|hidden| place.starts_with(hidden));
    let temporary = shared_directories::temporary(environment, reached, is_hidden);
    if temporary.is_empty() {
        return Err(Failure::usage(format!(
            "cannot create the tools' temporary directory in {}: credentials are kept there",
            std::env::temp_dir().display()
        ))
        .hint("set TMPDIR to a different directory"));
    }
    let private = temporary.iter().filter(|parent| parent.private);
    let private: Vec<PathBuf> = private.map(|parent| parent.path.clone()).collect();
    let policy = policy.map(|mut policy| {
        policy.hidden.extend(private);
        policy
    });
    Ok((temporary, policy))
}

/// The sandbox mode.
fn sandbox(args: &Args) -> Result<&'static str, Failure> {
    let mode = word_of(args, "sandbox", args.sandbox.as_deref(), SANDBOXES)?;
    Ok(mode.unwrap_or(SANDBOXES[0]))
}

/// The flag of the working directory, as messages name it.
fn cd(args: &Args) -> String {
    match args.origin("cd") {
        FlagOrigin::Flag => "-C".to_owned(),
        elsewhere @ FlagOrigin::Config(_) => elsewhere.named("cd"),
    }
}

/// The description of the sandbox for the model; `None` without a sandbox.
pub(crate) fn notice(setup: &ToolSetup) -> Option<String> {
    setup
        .policy
        .as_ref()
        .map(|policy| policy.notice(&setup.directory))
}

/// The real path of a directory that a flag names, which must exist.
fn existing(flag: &str, path: &OsStr) -> Result<PathBuf, Failure> {
    let path = Path::new(path);
    let wrong = |why: String| {
        Failure::usage(format!("cannot work in {}: {why}", path.display()))
            .hint(format!("{flag} must name an existing directory"))
    };
    match path.canonicalize() {
        Ok(real) if real.is_dir() => Ok(real),
        Ok(_) => Err(wrong("it is not a directory".to_owned())),
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// The tools to offer, the built-in ones and the user's own; and the warnings about ignored ones.
fn offered(args: &Args, environment: &Environment) -> Result<(Vec<Tool>, Vec<String>), Failure> {
    if args.no_tools {
        return Ok((Vec::new(), Vec::new()));
    }
    let UserTools { tools, warnings } = manifests::find(args, environment)?;
    let offered = offer(args.tools.as_deref(), &args.named("tools"), tools)?;
    Ok((offered, warnings))
}

/// The path of this program: on Linux, one that resolves to it even if its file is replaced; otherwise its path, or if that is
/// unknown, its name on the PATH.
fn program() -> PathBuf {
    let own = PathBuf::from("/proc/self/exe");
    if own.exists() {
        own
    } else {
        std::env::current_exe().unwrap_or_else(|_| "codex".into())
    }
}
