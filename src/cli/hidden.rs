//! Where credentials are kept, and that tools stay away from there.

use std::path::{Path, PathBuf};

use super::credentials;
use super::failure::Failure;
use super::flags::Args;
use super::settings::Environment;
use super::writable::Guarded;
use crate::tools::places::{links, real, real_once};
use crate::tools::walls::Walls;

/// Where credentials are kept, ours and those of the programs whose files we can use.
pub(super) struct Hidden {
    /// The home that is ours.
    own: Option<PathBuf>,
    /// All places, as they really are.
    pub(super) places: Vec<PathBuf>,
    /// The links that lead to them: whoever changes one decides what the next run believes.
    links: Vec<PathBuf>,
}

/// Where mounts show these places once more. Where that cannot be told, no walls can be put up either.
#[cfg(target_os = "linux")]
pub(super) fn seen_twice(places: &[PathBuf]) -> Vec<PathBuf> {
    use crate::tools::mounts::{aliases, table};
    table()
        .map(|table| aliases(&table, places))
        .unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn seen_twice(_: &[PathBuf]) -> Vec<PathBuf> {
    Vec::new()
}

impl Hidden {
    pub(super) fn find(args: &Args, environment: &Environment) -> Self {
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
        let mut all = real_once(named);
        all.extend(seen_twice(&all));
        for place in all {
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
    pub(super) fn keep_apart(&self, walls: &Walls) -> Result<(), Failure> {
        let with_links = Walls {
            hidden: self.guarded_places(),
            ..walls.clone()
        };
        // A place that is not there holds nothing; but in ours tools could leave what the next run believes.
        let matters = |hidden: &Path| hidden.symlink_metadata().is_ok() || self.is_own(hidden);
        if let Some(conflict) = with_links
            .conflicts()
            .find(|conflict| matters(&conflict.hidden))
        {
            let hint = if self.is_own(&conflict.hidden) {
                "work in another directory (-C), a project's own for example, or move CODEX_RUN_HOME"
            } else {
                "work in another directory (-C), or keep it elsewhere"
            };
            return Err(Failure::usage(format!(
                "cannot let tools write in {}: {} is where credentials are kept",
                conflict.root.display(),
                conflict.hidden.display()
            ))
            .hint(hint));
        }
        Ok(())
    }

    /// The places, and the links that lead to them.
    pub(super) fn guarded_places(&self) -> Vec<PathBuf> {
        [&self.places[..], &self.links].concat()
    }

    /// All of it, as what tools must not replace.
    pub(super) fn guarded(&self) -> Vec<Guarded> {
        let places = self.guarded_places();
        let guarded = |place: &PathBuf| Guarded {
            places: vec![place.clone()],
            what: format!("credentials are kept in {}", place.display()),
        };
        places.iter().map(guarded).collect()
    }

    /// The walls without places that are not there and could be made by tools: what leads there would be theirs too.
    pub(super) fn there(walls: Walls) -> Walls {
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
