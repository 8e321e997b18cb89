//! What tools are offered and what is around them, from flags and the environment.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::credentials::{self, SECRETS};
use super::failure::Failure;
use super::flags::{Args, SANDBOXES};
use super::parse::unknown;
use super::program;
use super::settings::{Environment, duration, one_of, read, tool_timeout};
use crate::tools::manifest::{Around, Manifest, Mistake};
use crate::tools::offer::Offer;
use crate::tools::process::Setup;
use crate::tools::walls::{Root, Walls, links, real, real_once};
use crate::tools::{TOOLS, environment};

/// How tools are started, and what is to be told about that.
pub(super) struct Tooling {
    pub(super) setup: Setup,
    pub(super) warnings: Vec<String>,
}

/// What `codex run` offers.
pub(super) fn of_run(args: &Args, environment: &Environment) -> Result<Tooling, Failure> {
    let offered = offered(args, environment)?;
    around(args, environment, offered)
}

/// The one tool that `codex tool` runs.
pub(super) fn of_tool(
    name: &str,
    args: &Args,
    environment: &Environment,
) -> Result<Tooling, Failure> {
    around(
        args,
        environment,
        Offer::built_in(name).into_iter().collect(),
    )
}

/// What is around these tools.
fn around(args: &Args, environment: &Environment, offered: Vec<Offer>) -> Result<Tooling, Failure> {
    let mut warnings = Vec::new();
    let sandbox = sandbox(args)?;
    let directory = existing("-C", args.directory.as_deref().unwrap_or(OsStr::new(".")))?;
    let mut further = Vec::new();
    for path in &args.add_dir {
        further.push(existing("--add-dir", path)?);
    }
    let temporary = real(&std::env::temp_dir());
    let hidden = Hidden::find(args, environment);
    let walls = match sandbox {
        // What is offered to nobody needs no walls.
        _ if offered.is_empty() => None,
        "danger-full-access" => None,
        mode => {
            let write = mode == "workspace-write";
            if !write && !further.is_empty() {
                warnings.push("--add-dir has no effect without -s workspace-write".to_owned());
                further.clear();
            }
            if write {
                further.push(directory.clone());
            }
            let writable = real_once(further).into_iter().map(Root::of);
            let walls = Walls {
                write,
                network: args.network,
                writable: writable.collect::<Result<_, _>>().map_err(|error| {
                    Failure::usage(format!(
                        "cannot look at a directory that tools may change: {error}"
                    ))
                })?,
                hidden: hidden.places.clone(),
                readable: Vec::new(),
            };
            hidden.keep_apart(&walls, &temporary)?;
            readable(&walls, &offered)?;
            Some(hidden.there(walls))
        }
    };
    let mut for_tools = environment::for_tools(&environment.0);
    if args.network || walls.is_none() {
        for_tools.extend(environment::proxies(&environment.0));
    }
    for name in &args.env {
        match named(name, environment)? {
            Some(variable) => for_tools.push(variable),
            None => warnings.push(format!("--env {}: it is not set", name.to_string_lossy())),
        }
    }
    let wanted = offered.iter().flat_map(Offer::variables);
    let variables = wanted.filter_map(|name| {
        let value = environment.get(name)?;
        Some((name.into(), value.to_owned()))
    });
    Ok(Tooling {
        setup: Setup {
            program: program(),
            directory,
            variables: variables.collect(),
            environment: for_tools,
            timeout: tool_timeout(args)?,
            temporary,
            offered,
            walls,
        },
        warnings,
    })
}

/// What the tools may touch.
fn sandbox(args: &Args) -> Result<&'static str, Failure> {
    match &args.sandbox {
        Some(mode) => one_of("--sandbox", mode, SANDBOXES),
        None => Ok(SANDBOXES[0]),
    }
}

/// What the model is told about the sandbox; nothing where there is none.
pub(super) fn notice(setup: &Setup) -> Option<String> {
    setup
        .walls
        .as_ref()
        .map(|walls| Walls::notice(walls.write, walls.network))
}

/// Where credentials are kept, ours and those of the programs whose files we can use.
struct Hidden {
    /// The home that is ours.
    own: Option<PathBuf>,
    /// All places, as they really are.
    places: Vec<PathBuf>,
    /// The links that lead to them: whoever changes one decides what the next run believes.
    links: Vec<PathBuf>,
}

impl Hidden {
    fn find(args: &Args, environment: &Environment) -> Self {
        let of_user = |name: &str| {
            environment
                .get("HOME")
                .map(|home| Path::new(home).join(name))
        };
        let variable = |name: &str| environment.get(name).map(PathBuf::from);
        let own = credentials::home(environment);
        let directories = [
            own.clone(),
            of_user(".codex"),
            of_user(".pi"),
            of_user(".pi/agent"),
            variable("CODEX_HOME"),
            variable("PI_CODING_AGENT_DIR"),
        ];
        let directories: Vec<PathBuf> = directories.into_iter().flatten().collect();
        let mut named: Vec<PathBuf> = directories.clone();
        // The file itself may be a link to somewhere else.
        named.extend(
            directories
                .iter()
                .map(|directory| directory.join("auth.json")),
        );
        named.extend(credentials::foreign(args, environment));
        // A pipe that a shell has made is no place.
        let key = args.api_key_file.as_ref().map(PathBuf::from);
        named.extend(key.filter(|path| path.is_file()));
        let links = named.iter().flat_map(|path| links(path)).collect();
        // What lies in a place is hidden with it.
        let mut places: Vec<PathBuf> = Vec::new();
        for place in real_once(named) {
            if !places.iter().any(|known| place.starts_with(known)) {
                places.push(place);
            }
        }
        Self {
            own: own.map(|own| real(&own)),
            places,
            links,
        }
    }

    /// Whether this place is our own home, or a link to it.
    fn is_own(&self, place: &Path) -> bool {
        self.own
            .as_ref()
            .is_some_and(|own| own.starts_with(place) || real(place) == *own)
    }

    /// Refuses a run whose tools could write where credentials are kept.
    fn keep_apart(&self, walls: &Walls, temporary: &Path) -> Result<(), Failure> {
        let with_links = Walls {
            hidden: [&self.places[..], &self.links].concat(),
            ..walls.clone()
        };
        // A place that is not there holds nothing; but in ours tools could leave what the next run believes.
        let matters = |hidden: &Path| hidden.symlink_metadata().is_ok() || self.is_own(hidden);
        if let Some(conflict) = with_links
            .conflicts()
            .find(|conflict| matters(&conflict.hidden))
        {
            let hint = if self.is_own(&conflict.hidden) {
                "use -C with a directory beside it, or move CODEX_RUN_HOME"
            } else {
                "use -C with a directory beside it, or keep it elsewhere"
            };
            return Err(Failure::usage(format!(
                "cannot let tools write in {}: {} is where credentials are kept",
                conflict.root.display(),
                conflict.hidden.display()
            ))
            .hint(hint));
        }
        if self
            .places
            .iter()
            .any(|hidden| temporary.starts_with(hidden))
        {
            return Err(Failure::usage(format!(
                "cannot make the tools' temporary directory in {}: credentials are kept there",
                temporary.display()
            ))
            .hint("set TMPDIR to another directory"));
        }
        Ok(())
    }

    /// The walls without places that are not there and could be made by tools: what leads there would be theirs too.
    fn there(&self, walls: Walls) -> Walls {
        let made_by_tools: Vec<PathBuf> =
            walls.conflicts().map(|conflict| conflict.hidden).collect();
        let kept = |place: &PathBuf| !made_by_tools.contains(place);
        Walls {
            hidden: walls
                .hidden
                .iter()
                .filter(|place| kept(place))
                .cloned()
                .collect(),
            ..walls
        }
    }
}

/// Refuses programs of the user's own that tools could not read.
fn readable(walls: &Walls, offered: &[Offer]) -> Result<(), Failure> {
    for offer in offered {
        let Some((manifest, program)) = offer.program() else {
            continue;
        };
        let walls = manifest.walls(walls);
        if program.is_absolute() && walls.refuse_read(program).is_some() {
            return Err(Failure::usage(format!(
                "cannot use the tool {}: {} is where credentials are kept, which tools cannot read",
                manifest.name,
                program.display()
            ))
            .hint("keep it elsewhere, or in the folder tools of CODEX_RUN_HOME"));
        }
    }
    Ok(())
}

/// A directory that a flag names, which must be there.
fn existing(flag: &str, path: &OsStr) -> Result<PathBuf, Failure> {
    let path = Path::new(path);
    let wrong = |why: String| {
        Failure::usage(format!("cannot work in {}: {why}", path.display()))
            .hint(format!("{flag} takes a directory that exists"))
    };
    match path.canonicalize() {
        Ok(real) if real.is_dir() => Ok(real),
        Ok(_) => Err(wrong("it is no directory".to_owned())),
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// A variable that tools are to find, if it is set.
fn named(name: &OsStr, environment: &Environment) -> Result<Option<(OsString, OsString)>, Failure> {
    let text = name.to_string_lossy();
    if let Some((name, _)) = text.split_once('=') {
        // What follows may be a secret.
        return Err(
            Failure::usage(format!("--env takes a name only, and got {name}=...")).hint(format!(
                "write {name}=VALUE before the command, and --env {name}"
            )),
        );
    }
    if SECRETS.contains(&&*text) {
        return Err(Failure::usage(format!(
            "cannot hand {text} to tools: they get no credential of ours"
        ))
        .hint("put it into a variable of another name, if a tool is to have it"));
    }
    Ok(environment
        .get(&text)
        .map(|value| (name.to_owned(), value.to_owned())))
}

/// The tools to offer: the built-in ones, and the user's own.
fn offered(args: &Args, environment: &Environment) -> Result<Vec<Offer>, Failure> {
    for (flag, given) in [
        ("--tools", args.tools.is_some()),
        ("--tool", !args.tool.is_empty()),
    ] {
        if args.no_tools && given {
            return Err(
                Failure::usage(format!("{flag} and --no-tools exclude each other"))
                    .hint("use one of them"),
            );
        }
    }
    if args.no_tools {
        return Ok(Vec::new());
    }
    let own = own(args, environment)?;
    let Some(list) = &args.tools else {
        let built_in = TOOLS
            .iter()
            .filter(|tool| !tool.on_request)
            .map(Offer::BuiltIn);
        return Ok(built_in
            .chain(own.into_iter().map(|(offer, _)| offer))
            .collect());
    };
    let mut known: Vec<&str> = TOOLS.iter().map(|tool| tool.function.name).collect();
    known.extend(own.iter().map(|(offer, _)| offer.name()));
    let mut names = Vec::new();
    for name in list.to_string_lossy().split(',').map(str::trim) {
        if !known.contains(&name) {
            let otherwise = format!("--tools takes {}", known.join(", "));
            return Err(unknown("value of --tools:", name, &known, &otherwise));
        }
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    // What was named by a flag of its own is meant, whatever the list says.
    let meant = |(offer, explicit): &(Offer, bool)| {
        *explicit || names.iter().any(|name| name == offer.name())
    };
    let built_in = names.iter().filter_map(|name| Offer::built_in(name));
    Ok(built_in
        .chain(own.into_iter().filter(meant).map(|(offer, _)| offer))
        .collect())
}

/// The user's own tools, and whether a flag names them: what is in the home first.
fn own(args: &Args, environment: &Environment) -> Result<Vec<(Offer, bool)>, Failure> {
    let home = credentials::home(environment).map(|home| real(&home));
    let folder = home.as_ref().map(|home| home.join("tools"));
    let found = folder.iter().flat_map(fs::read_dir).flatten().flatten();
    let mut files: Vec<PathBuf> = found
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    let of_home = files.len();
    files.extend(args.tool.iter().map(PathBuf::from));
    let mut own: Vec<(Offer, bool)> = Vec::new();
    for (n, file) in files.iter().enumerate() {
        let flag = if n < of_home {
            "the folder of tools"
        } else {
            "--tool"
        };
        let text = read(flag, file.as_os_str())?;
        let directory = file.parent().filter(|parent| *parent != Path::new(""));
        let taken: Vec<&str> = own.iter().map(|(offer, _)| offer.name()).collect();
        // Only this folder is opened inside a place that is hidden, and only as a folder of its own.
        let in_home = folder
            .as_deref()
            .filter(|folder| n < of_home && real(folder) == **folder);
        let around = Around {
            directory: directory.unwrap_or(Path::new(".")),
            readable: in_home,
            duration: |text| duration("timeout", Some(OsStr::new(text))).ok().flatten(),
            runs: &|name| runs(name, environment),
            secrets: SECRETS,
            taken: &taken,
        };
        let manifest = Manifest::parse(&text, &around).map_err(|mistake| wrong(file, &mistake))?;
        own.push((Offer::own(manifest), n >= of_home));
    }
    Ok(own)
}

/// Whether the shell would find a program of this name; or what is at this path, if it can be run.
fn runs(name: &OsStr, environment: &Environment) -> bool {
    let can_run = |path: &Path| {
        fs::metadata(path)
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    if Path::new(name).components().count() > 1 {
        return can_run(Path::new(name));
    }
    let path = environment.get("PATH").unwrap_or_default();
    std::env::split_paths(path).any(|directory| can_run(&directory.join(name)))
}

/// A manifest with a mistake.
fn wrong(file: &Path, mistake: &Mistake) -> Failure {
    let place = format!("{}:{}:{}", file.display(), mistake.line, mistake.column);
    match &mistake.known {
        Some((word, known)) => {
            let otherwise = format!("there are {}", known.join(", "));
            unknown(&format!("field in {place}:"), word, known, &otherwise)
        }
        None => Failure::usage(format!("cannot use the tool in {place}: {}", mistake.what))
            .hint("mend the manifest there, or leave the tool out"),
    }
}
