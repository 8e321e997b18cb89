//! Inputs in addition to the prompt: text files, images, and the instructions of a project.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::tools::trust::{Project, Trust, world_writable_parent};
use crate::cli::flags::Args;
use crate::cli::named_files;
use crate::failure::Failure;
use crate::file::{NotRegular, regular};
use crate::input::without_mark;
use crate::prompt::PromptFile;
use crate::text::first_bytes;
use crate::tools::sandbox::paths::open_real;
use crate::wire::input::data_url;

/// The maximum total size of images, in bytes.
const MAX_IMAGES_BYTES: u64 = 50 << 20;

/// The maximum total size of AGENTS.md files, in bytes.
const MAX_AGENTS_BYTES: usize = 32 << 10;

/// The text files that flags name. A link must not lead into one of the `hidden` places.
pub(super) fn files<'h>(
    args: &Args,
    hidden: impl Fn() -> &'h [PathBuf],
) -> Result<Vec<PromptFile>, Failure> {
    args.file
        .iter()
        .map(|path| {
            let (flag, shown) = (args.named("file"), path.to_string_lossy());
            if path == "-" {
                return Err(
                    Failure::usage(format!("invalid value for {flag}: - is not a file"))
                        .hint("use - as an argument to add standard input to the prompt"),
                );
            }
            Ok(PromptFile {
                path: shown.into_owned(),
                text: named_files::sent(args, "file", path, hidden())?,
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
                Failure::usage(format!("cannot use {shown}, named by {flag}: the images are larger than 50 MiB in total"))
                    .hint("send fewer or smaller images")
            })?;
            data_url(&bytes).ok_or_else(|| {
                Failure::usage(format!(
                    "cannot use {shown}, named by {flag}: it is not a PNG, JPEG, GIF or WebP image"
                ))
                .hint("convert it to one of these formats; to send a text file, use -f")
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

impl Agents {
    /// A line for each file that was found.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        let files = self.found.iter().map(|(file, _)| file);
        files.map(|file| format!("{}: added to the instructions", file.display()))
    }
}

/// Finds `AGENTS.md` in each directory from the root of the git repository down to this one, or only in this one without a
/// repository. A repository is not trusted: links that lead out of it and files of another user are ignored. `hidden`
/// lists the places of credentials.
pub(super) fn agents<'h>(directory: &Path, hidden: impl Fn() -> &'h [PathBuf]) -> Agents {
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
        if !real.starts_with(&root) || hidden().iter().any(|hidden| real.starts_with(hidden)) {
            agents.warnings.push(format!(
                "{shown} is ignored: it resolves to a path outside {}",
                root.display()
            ));
            continue;
        }
        if let Some(open) = world_writable_parent(&file) {
            agents.warnings.push(format!(
                "{shown} is ignored: it resolves to {}, and {} is world-writable",
                real.display(),
                open.display()
            ));
            continue;
        }
        let bytes = match open_regular(&real) {
            Ok(Some((open, owner))) if trust.trusts_instructions(owner) => {
                let mut bytes = Vec::new();
                match open
                    .take(MAX_AGENTS_BYTES as u64 + 4)
                    .read_to_end(&mut bytes)
                {
                    Ok(_) => bytes,
                    Err(error) => {
                        agents
                            .warnings
                            .push(format!("{shown} is ignored: it cannot be read: {error}"));
                        continue;
                    }
                }
            }
            Ok(Some(_)) => {
                agents
                    .warnings
                    .push(format!("{shown} is ignored: it belongs to another user"));
                continue;
            }
            // A directory, a pipe or a device of that name is not text.
            Ok(None) => continue,
            Err(error) => {
                agents
                    .warnings
                    .push(format!("{shown} is ignored: it cannot be read: {error}"));
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
                    .push(format!("{shown} is ignored: it is not UTF-8 at byte {at}"));
                continue;
            }
        };
        let kept = first_bytes(text, left);
        if kept.len() < text.len() {
            agents.warnings.push(format!(
                "only {} bytes of {shown} are used: AGENTS.md files are limited to 32 KiB in total",
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

/// The regular file at a real path, and its owner; `None` if it is not a regular file. Opening never blocks, and follows no
/// link that tools of another run may put into the path in the meantime.
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
