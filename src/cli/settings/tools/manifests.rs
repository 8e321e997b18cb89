//! The user's own tools: finds and checks their manifests.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::trust::{Trust, world_writable_parent};
use super::variable_guard::is_own;
use crate::cli::config;
use crate::cli::environment::Environment;
use crate::cli::flags::Args;
use crate::cli::named_files;
use crate::cli::values::duration;
use crate::failure::Failure;
use crate::jsonc::{self, Mistake};
use crate::tools::manifest::{Manifest, ManifestContext};
use crate::tools::program;
use crate::tools::sandbox::paths::{is_program, program_on, real};
use crate::tools::sandbox::policy::SandboxPolicy;
use crate::tools::tool::Tool;

/// The user's own tools.
#[derive(Default)]
pub(super) struct UserTools {
    /// The tools, those in the home first.
    pub(super) tools: Vec<UserTool>,
    /// Warnings about ignored manifests in the folder.
    pub(super) warnings: Vec<String>,
}

/// One of the user's own tools.
pub(super) struct UserTool {
    pub(super) tool: Tool,
    /// It is named by `--tool`.
    pub(super) is_named: bool,
}

/// The manifests in the tools folder of this home.
pub(super) fn manifests(home: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(home.join("tools")).into_iter().flatten();
    let mut files: Vec<PathBuf> = found
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    files
}

/// The names of the tools in the tools folder of this home, and their descriptions. An unreadable manifest is left out.
pub(crate) fn names(home: &Path) -> Vec<(String, String)> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
        #[serde(default)]
        description: String,
    }
    let named = |file: PathBuf| {
        let text = config::read_settings(&file).ok()??;
        let named: Named = serde_json::from_str(&jsonc::plain(&text)).ok()?;
        Some((named.name, named.description))
    };
    manifests(home).into_iter().filter_map(named).collect()
}

/// Finds the user's own tools.
pub(super) fn find(args: &Args, environment: &Environment) -> Result<UserTools, Failure> {
    let home = environment.home().map(|home| real(&home));
    let folder = home.as_ref().map(|home| home.join("tools"));
    let mut files: Vec<PathBuf> = home.iter().flat_map(|home| manifests(home)).collect();
    let trust = Trust::of(args.directory.as_deref().map_or(Path::new("."), Path::new));
    let mut warnings = Vec::new();
    files.retain(|file| match distrusted(file, &trust) {
        Some((why, _)) => {
            let file = file.display();
            warnings.push(format!("the manifest {file} is ignored: {why}"));
            false
        }
        None => true,
    });
    let of_home = files.len();
    files.extend(args.tool.iter().map(PathBuf::from));
    let mut own: Vec<UserTool> = Vec::new();
    for (n, file) in files.iter().enumerate() {
        let flag = if n < of_home {
            "the tools folder".to_owned()
        } else {
            args.named("tool")
        };
        // Only regular files are read: the ones in the tools folder were not named explicitly, and a pipe would block.
        let regular = fs::metadata(file).map(|found| found.is_file());
        if regular.is_ok_and(|regular| !regular) {
            let file = file.display();
            return Err(Failure::usage(format!(
                "cannot use {file}, named by {flag}: it is not a manifest"
            ))
            .hint("a manifest is a JSON file of 1 MiB at most"));
        }
        if let Some((why, hint)) = distrusted(file, &trust) {
            let file = file.display();
            return Err(
                Failure::usage(format!("cannot use {file}, named by {flag}: {why}")).hint(hint),
            );
        }
        let text = named_files::text_of("tool", &flag, file.as_os_str(), args.quiet)?;
        let directory = file.parent().filter(|parent| *parent != Path::new(""));
        let taken: Vec<&str> = own.iter().map(|own| &*own.tool.name).collect();
        // Only this folder is made readable inside a hidden place, and only if it is a real directory there.
        let in_home = folder
            .as_deref()
            .filter(|folder| n < of_home && real(folder) == **folder);
        let context = ManifestContext {
            directory: directory.unwrap_or(Path::new(".")),
            readable: in_home,
            duration: |text| duration("timeout", Some(OsStr::new(text))).ok().flatten(),
            is_executable: &|name| is_executable(name, environment),
            is_reserved: is_own,
            taken: &taken,
        };
        let manifest =
            Manifest::parse(&text, &context).map_err(|mistake| invalid(file, &mistake))?;
        own.push(UserTool {
            tool: program::tool(manifest),
            is_named: n >= of_home,
        });
    }
    Ok(UserTools {
        tools: own,
        warnings,
    })
}

/// Returns why this manifest is not trusted and the hint, or `None` if it is.
pub(super) fn distrusted(file: &Path, trust: &Trust) -> Option<(String, &'static str)> {
    let owner = fs::metadata(file).ok()?.uid();
    if let Some(open) = world_writable_parent(file) {
        return Some((
            format!("{} is world-writable", open.display()),
            "move it to a directory that only its owner can write to",
        ));
    }
    (!trust.trusts(owner)).then(|| {
        let why = format!(
            "it belongs to user {owner}, who is neither root nor the owner of the working directory"
        );
        (
            why,
            "as root, take ownership (chown), or work in a directory of its owner (-C)",
        )
    })
}

/// Whether the shell would find a program of this name, or can run the file at this path.
fn is_executable(name: &OsStr, environment: &Environment) -> bool {
    if Path::new(name).components().count() > 1 {
        return is_program(Path::new(name));
    }
    let path = environment.get("PATH").unwrap_or_default();
    program_on(path, name).is_some()
}

/// The failure for an invalid manifest.
fn invalid(file: &Path, mistake: &Mistake) -> Failure {
    let failure = config::invalid("cannot use the tool in", file, mistake);
    match mistake.known {
        Some(_) => failure,
        None => failure.hint("correct the manifest, or remove it"),
    }
}

/// Rejects tools whose program cannot be read inside the sandbox.
pub(super) fn readable(policy: &SandboxPolicy, offered: &[Tool]) -> Result<(), Failure> {
    for offer in offered {
        let Some(manifest) = offer.runner.manifest() else {
            continue;
        };
        let Some(program) = manifest.command.first().map(Path::new) else {
            continue;
        };
        let policy = manifest.policy(policy);
        if program.is_absolute() && policy.refuse_read(program).is_some() {
            return Err(Failure::usage(format!(
                "cannot use the tool {}: {} is a credentials directory, which tools cannot read",
                manifest.name,
                program.display()
            ))
            .hint("move it elsewhere, or to the tools folder of CODEX_RUN_HOME"));
        }
    }
    Ok(())
}
