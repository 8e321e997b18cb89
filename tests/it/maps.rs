//! The maps of `src/README.md` and `tests/README.md` name every folder and file, and type names are unique.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::tidy::{root, sources};

/// The names in the first column of the first table of a README.
fn names_in_map(readme: &str) -> BTreeSet<String> {
    let rows = readme
        .lines()
        .skip_while(|line| !line.starts_with("| --- |"))
        .skip(1)
        .take_while(|line| line.starts_with("| "));
    let first = rows.filter_map(|row| row.split('|').nth(1));
    let names: Vec<&str> = first
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    let set: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(set.len(), names.len(), "a name has two rows: {names:?}");
    set
}

/// The folders and files in a folder, without its README.
fn listed(folder: &Path) -> BTreeSet<String> {
    let names = fs::read_dir(folder)
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    names
        .filter(|name| name != "README.md" && !name.starts_with('.') && name != "__pycache__")
        .collect()
}

#[test]
fn the_maps_name_every_folder_and_file() {
    for folder in ["src", "tests"] {
        let folder = root().join(folder);
        let readme = fs::read_to_string(folder.join("README.md")).expect("a README");
        assert_eq!(
            names_in_map(&readme),
            listed(&folder),
            "{}",
            folder.display()
        );
    }
}

/// Every path in the text of `src/README.md` exists, below `src` or below the root.
#[test]
fn the_files_named_by_the_map_of_src_exist() {
    let src = root().join("src");
    let readme = fs::read_to_string(src.join("README.md")).expect("a README");
    let names = readme.split('`').skip(1).step_by(2);
    let paths = names.filter(|name| {
        let is_pattern = name.contains(['*', '…', ' ']) || name.contains("NAME");
        name.contains('/') && !is_pattern
    });
    let missing: Vec<&str> = paths
        .filter(|path| !src.join(path).exists() && !root().join(path).exists())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The names of the types that a file defines at its top level, type aliases included.
fn types(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]\nmod tests").next();
    code.unwrap_or_default().lines().filter_map(|line| {
        let visible = line.strip_prefix("pub").unwrap_or(line);
        let item = match visible.strip_prefix('(') {
            Some(scope) => scope.split_once(')')?.1,
            None => visible,
        };
        let kinds = ["struct ", "enum ", "union ", "trait ", "type "];
        let item = item.strip_prefix(' ').unwrap_or(item);
        let name = kinds.iter().find_map(|kind| item.strip_prefix(kind))?;
        name.split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
    })
}

/// `Error` is the name of each module's error; types of tests and those inside a function are not counted.
#[test]
fn type_names_are_unique() {
    let mut places: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for path in sources(&root().join("src")) {
        if path.to_string_lossy().ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        for name in types(&text).filter(|name| *name != "Error") {
            places
                .entry(name.to_owned())
                .or_default()
                .push(path.clone());
        }
    }
    assert!(places.len() > 300, "types are found: {}", places.len());
    places.retain(|_, paths| paths.len() > 1);
    assert!(places.is_empty(), "{places:#?}");
}

#[test]
fn types_are_recognised_by_their_definitions() {
    let text = "struct A;\npub struct B<T>(T);\npub(super) enum C {}\npub(in crate::x) trait D: E {}\n    struct F;\ntype G = u8;\n// struct H\n#[cfg(test)]\nmod tests {\nstruct I;\n";
    assert_eq!(types(text).collect::<Vec<_>>(), ["A", "B", "C", "D", "G"]);
}
