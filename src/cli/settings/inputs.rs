//! Inputs in addition to the prompt: text files, images, and the instructions of a project.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::tools::trust::{Project, Trust, open_directory};
use crate::cli::flags::Args;
use crate::cli::named_files;
use crate::failure::Failure;
use crate::file::{NotRegular, regular};
use crate::input::without_mark;
use crate::prompt::PromptFile;
use crate::text::first_bytes;
use crate::tools::sandbox::paths::open_real;
use crate::wire::input::data_url;

/// The maximum size of all pictures together, in bytes.
const MAX_IMAGES_BYTES: u64 = 50 << 20;

/// The maximum size of all AGENTS.md together, in bytes.
const MAX_AGENTS_BYTES: usize = 32 << 10;

/// The text files that flags name. A file in one of the `hidden` places must be named by its own path.
pub(super) fn files(args: &Args, hidden: &[PathBuf]) -> Result<Vec<PromptFile>, Failure> {
    args.file
        .iter()
        .map(|path| {
            let (flag, shown) = (args.named("file"), path.to_string_lossy());
            if path == "-" {
                return Err(
                    Failure::usage(format!("{flag} takes a file, and - is not one"))
                        .hint("with - as an argument, standard input becomes part of the prompt"),
                );
            }
            Ok(PromptFile {
                path: shown.into_owned(),
                text: named_files::sent(args, "file", path, hidden)?,
            })
        })
        .collect()
}

/// The images that flags name, as data URLs.
pub(super) fn images(args: &Args) -> Result<Vec<String>, Failure> {
    let flag = args.named("image");
    let mut left = MAX_IMAGES_BYTES;
    args.image
        .iter()
        .map(|path| {
            let bytes = named_files::bytes(args, "image", path)?;
            let shown = path.to_string_lossy();
            left = left.checked_sub(bytes.len() as u64).ok_or_else(|| {
                Failure::usage(format!("cannot use {shown}, named by {flag}: all pictures together have more than 50 MiB"))
                    .hint("send fewer, or smaller ones")
            })?;
            data_url(&bytes).ok_or_else(|| {
                Failure::usage(format!(
                    "cannot use {shown}, named by {flag}: it is not a PNG, JPEG, GIF or WebP image"
                ))
                .hint("convert it to one of them; a text file is sent with -f")
            })
        })
        .collect()
}

/// The instructions of a project.
#[derive(Debug, Default)]
pub(super) struct Agents {
    /// Each file with its text, from the root of the repository down.
    pub(super) found: Vec<(PathBuf, String)>,
    /// Notes about them, to be printed.
    pub(super) warnings: Vec<String>,
}

/// Finds `AGENTS.md` from the root of the git repository down to this directory; without a repository, only in it. A
/// repository is not trusted: links that lead out of it and files of another user are ignored. `hidden` lists the
/// places of credentials.
pub(super) fn agents(directory: &Path, hidden: &[PathBuf]) -> Agents {
    let trust = Trust::of(directory);
    let project = Project::around(directory, &trust);
    let mut agents = Agents {
        found: Vec::new(),
        warnings: project.warnings,
    };
    let root = project.root;
    let mut left = MAX_AGENTS_BYTES;
    for folder in project.folders {
        let file = folder.join("AGENTS.md");
        let Ok(real) = file.canonicalize() else {
            continue;
        };
        let shown = file.display().to_string();
        if !real.starts_with(&root) || hidden.iter().any(|hidden| real.starts_with(hidden)) {
            agents.warnings.push(format!(
                "{shown} leads out of {} and is ignored",
                root.display()
            ));
            continue;
        }
        if let Some(open) = open_directory(&file) {
            agents.warnings.push(format!(
                "{shown} is left out: it leads to {}, and everybody may write in {}",
                real.display(),
                open.display()
            ));
            continue;
        }
        let bytes = match open_regular(&real) {
            Ok(Some((open, owner))) if trust.takes_words(owner) => {
                let mut bytes = Vec::new();
                match open
                    .take(MAX_AGENTS_BYTES as u64 + 4)
                    .read_to_end(&mut bytes)
                {
                    Ok(_) => bytes,
                    Err(error) => {
                        agents
                            .warnings
                            .push(format!("{shown} cannot be read and is left out: {error}"));
                        continue;
                    }
                }
            }
            Ok(Some(_)) => {
                agents
                    .warnings
                    .push(format!("{shown} belongs to another user and is left out"));
                continue;
            }
            // A directory, a pipe or a device of that name is not text.
            Ok(None) => continue,
            Err(error) => {
                agents
                    .warnings
                    .push(format!("{shown} cannot be read and is left out: {error}"));
                continue;
            }
        };
        let text = match std::str::from_utf8(&bytes) {
            Ok(text) => without_mark(text),
            // The last character may be cut off by the limit.
            Err(error) if error.error_len().is_none() && bytes.len() > MAX_AGENTS_BYTES => {
                without_mark(std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default())
            }
            Err(error) => {
                let at = error.valid_up_to();
                agents
                    .warnings
                    .push(format!("{shown} is not UTF-8 at byte {at} and is left out"));
                continue;
            }
        };
        let kept = first_bytes(text, left);
        if kept.len() < text.len() {
            agents.warnings.push(format!(
                "only {} bytes of {shown} are used: AGENTS.md may have 32 KiB in all",
                kept.len()
            ));
        }
        left -= kept.len();
        if !kept.trim().is_empty() {
            agents.found.push((file, kept.to_owned()));
        }
    }
    agents
}

/// The regular file at a real path, and its owner. Opening never blocks on anything else, and follows no link
/// that tools of another run may create on the way in the meantime.
fn open_regular(path: &Path) -> std::io::Result<Option<(fs::File, u32)>> {
    let file = fs::File::from(open_real(path, OFlags::RDONLY | OFlags::NONBLOCK)?);
    match regular(file) {
        Ok(file) => {
            let owner = file.metadata()?.uid();
            Ok(Some((file, owner)))
        }
        Err(error) if NotRegular::is(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
