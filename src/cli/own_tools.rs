//! The user's own tools: where their manifests lie, and what may be wrong with them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::config;
use super::credentials;
use super::failure::Failure;
use super::flags::Args;
use super::settings::Environment;
use super::values::{duration, read};
use super::variables;
use crate::placed::Mistake;
use crate::tools::manifest::{Around, Manifest};
use crate::tools::offer::Offer;
use crate::tools::places::{is_program, program_on, real};
use crate::tools::walls::Walls;

/// The largest manifest, in bytes.
const MANIFEST: u64 = 1 << 20;

/// The user's own tools, and whether a flag names them: what is in the home first.
pub(super) fn find(args: &Args, environment: &Environment) -> Result<Vec<(Offer, bool)>, Failure> {
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
            "the folder of tools".to_owned()
        } else {
            args.named("tool")
        };
        let small = fs::metadata(file).map(|found| found.is_file() && found.len() <= MANIFEST);
        if small.is_ok_and(|small| !small) {
            let file = file.display();
            return Err(Failure::usage(format!(
                "cannot use {file}, named by {flag}: it is not a manifest"
            ))
            .hint("a manifest is a JSON file of 1 MiB at most"));
        }
        let text = read(&flag, file.as_os_str())?;
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
            is_own: variables::is_own,
            taken: &taken,
        };
        let manifest = Manifest::parse(&text, &around).map_err(|mistake| wrong(file, &mistake))?;
        own.push((Offer::own(manifest), n >= of_home));
    }
    Ok(own)
}

/// Whether the shell would find a program of this name; or what is at this path, if it can be run.
fn runs(name: &OsStr, environment: &Environment) -> bool {
    if Path::new(name).components().count() > 1 {
        return is_program(Path::new(name));
    }
    let path = environment.get("PATH").unwrap_or_default();
    program_on(path, name).is_some()
}

/// A manifest with a mistake.
fn wrong(file: &Path, mistake: &Mistake) -> Failure {
    let failure = config::wrong("cannot use the tool in", file, mistake);
    match mistake.known {
        Some(_) => failure,
        None => failure.hint("correct it there, or leave the tool out"),
    }
}

/// Refuses programs of the user's own that tools could not read.
pub(super) fn readable(walls: &Walls, offered: &[Offer]) -> Result<(), Failure> {
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
