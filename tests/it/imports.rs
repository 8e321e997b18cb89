//! A reader of the imports of a source tree: which part uses which, and which files import each other in a circle. It
//! follows `use` trees, paths in the code and re-exports to the file that defines what is used.

use std::collections::{BTreeMap, BTreeSet};

/// A path of names, from the root of the crate.
type Names = Vec<String>;

/// What the files of a crate import.
pub(crate) struct Imports {
    /// The parts (the first names below the root) that each part uses.
    pub(crate) parts: BTreeMap<String, BTreeSet<String>>,
    /// The modules that each module uses.
    modules: BTreeMap<Names, BTreeSet<Names>>,
}

impl Imports {
    /// Reads files, each with its path below the root. The root itself, the binary, the build script and test files are skipped.
    pub(crate) fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut sources: BTreeMap<Names, Source> = files
            .into_iter()
            .map(|(path, text)| (module(path), Source::read(text)))
            .filter(|(module, _)| !matches!(&module[0][..], "lib" | "main" | "build"))
            .collect();
        let tests: Vec<Names> = sources
            .iter()
            .flat_map(|(module, source)| source.tests.iter().map(|name| joined(module, name)))
            .collect();
        sources.retain(|module, _| !tests.iter().any(|tests| module.starts_with(tests)));
        let mut imports = Self {
            parts: BTreeMap::new(),
            modules: sources
                .keys()
                .map(|m| (m.clone(), BTreeSet::new()))
                .collect(),
        };
        let names: BTreeSet<Names> = sources.keys().cloned().collect();
        let mut exports = BTreeMap::new();
        for (module, source) in &sources {
            for (path, name) in &source.exports {
                assert!(name != "*", "{module:?} re-exports everything: name it");
                let absolute = absolute(&names, module, path);
                let path = absolute.unwrap_or_else(|| path.clone());
                exports.insert(joined(module, name), path);
            }
        }
        for (module, source) in &sources {
            let part = &module[0];
            let own = imports.parts.entry(part.clone()).or_default();
            let exported = source.exports.iter().map(|(path, _)| path);
            let paths = source.paths.iter().chain(exported);
            let whole = paths.filter_map(|path| absolute(&names, module, path));
            let first = whole.filter_map(|path| path.into_iter().next());
            own.extend(first.filter(|other| other != part));
            for path in &source.paths {
                let used = absolute(&names, module, path);
                let Some(used) = used.and_then(|path| imports.defining(path, &exports)) else {
                    continue;
                };
                if used != *module {
                    imports
                        .modules
                        .entry(module.clone())
                        .or_default()
                        .insert(used);
                }
            }
        }
        imports
    }

    /// The module whose file defines the item at this path.
    fn defining(&self, mut path: Names, exports: &BTreeMap<Names, Names>) -> Option<Names> {
        for _ in 0..9 {
            let exported = (1..=path.len()).rev().find(|n| {
                !self.modules.contains_key(&path[..*n]) && exports.contains_key(&path[..*n])
            });
            let Some(n) = exported else { break };
            path = [&exports[&path[..n]][..], &path[n..]].concat();
        }
        while !path.is_empty() && !self.modules.contains_key(&path) {
            path.pop();
        }
        (!path.is_empty()).then_some(path)
    }

    /// The files of each import circle, sorted.
    pub(crate) fn circles(&self) -> BTreeSet<String> {
        let reached: BTreeMap<&Names, BTreeSet<&Names>> = self
            .modules
            .keys()
            .map(|module| (module, self.reach(module)))
            .collect();
        let mut circles = BTreeSet::new();
        for (module, reach) in &reached {
            if reach.contains(module) {
                let back = reach
                    .iter()
                    .filter(|other| reached[*other].contains(module));
                let names: Vec<String> = back.map(|module| module.join("/")).collect();
                circles.insert(names.join(" "));
            }
        }
        circles
    }

    /// Every module that can be reached from this one.
    fn reach(&self, module: &Names) -> BTreeSet<&Names> {
        let mut reached = BTreeSet::new();
        let mut left: Vec<&Names> = self.modules[module].iter().collect();
        while let Some(next) = left.pop() {
            if reached.insert(next) {
                left.extend(&self.modules[next]);
            }
        }
        reached
    }
}

/// A path as written in this module, from the root; `None` for one that leads out of the crate.
fn absolute(modules: &BTreeSet<Names>, module: &Names, path: &Names) -> Option<Names> {
    let supers = path.iter().take_while(|name| *name == "super").count();
    let (base, rest) = match path.first()?.as_str() {
        "crate" => (&[][..], &path[1..]),
        "self" => (&module[..], &path[1..]),
        "super" => (
            &module[..module.len().checked_sub(supers)?],
            &path[supers..],
        ),
        child => {
            modules.get(&joined(module, child))?;
            (&module[..], &path[..])
        }
    };
    Some([base, rest].concat())
}

/// The module of a file.
fn module(path: &str) -> Names {
    let path = path.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/').map(str::to_owned).collect()
}

fn joined(module: &Names, name: &str) -> Names {
    let mut path = module.clone();
    path.push(name.to_owned());
    path
}

/// What one file says about others.
#[derive(Default)]
struct Source {
    /// Used paths, as written.
    paths: BTreeSet<Names>,
    /// Re-exported paths and their names.
    exports: Vec<(Names, String)>,
    /// Children that are compiled only for tests.
    tests: Vec<String>,
}

impl Source {
    fn read(text: &str) -> Self {
        let bare = bare(text);
        let tokens = tokens(&bare);
        let mut source = Self::default();
        let mut at = 0;
        while at < tokens.len() {
            if tokens[at..].starts_with(&["#", "[", "cfg", "(", "test", ")", "]"]) {
                let rest = &tokens[at + 7..];
                let here = rest.iter().position(|token| *token == "mod");
                if let Some(here) = here.filter(|here| *here <= 4 && !rest[..*here].contains(&"fn"))
                {
                    source.tests.push(rest[here + 1].to_owned());
                    // Tests come last.
                    if rest.get(here + 2) == Some(&"{") {
                        break;
                    }
                }
            }
            let before = at.checked_sub(1).map(|before| tokens[before]);
            if tokens[at] == "use" {
                at += 1;
                let mut leaves = Vec::new();
                tree(&tokens, &mut at, &[], &mut leaves);
                if matches!(before, Some("pub" | ")")) {
                    source.exports.extend(leaves);
                } else {
                    source
                        .paths
                        .extend(leaves.into_iter().map(|(path, _)| path));
                }
            } else if is_word(tokens[at]) && !matches!(before, Some("::" | ".")) {
                let mut path = vec![tokens[at].to_owned()];
                while tokens.get(at + 1) == Some(&"::")
                    && tokens.get(at + 2).is_some_and(|t| is_word(t))
                {
                    at += 2;
                    path.push(tokens[at].to_owned());
                }
                // A single word is a name of the file itself, or an imported one.
                if path.len() > 1 {
                    source.paths.insert(path);
                }
            }
            at += 1;
        }
        source
    }
}

/// The leaves of a `use` tree: each path with its name in this file.
fn tree(tokens: &[&str], at: &mut usize, prefix: &[String], leaves: &mut Vec<(Names, String)>) {
    let mut path = prefix.to_vec();
    let mut renamed = None;
    while let Some(token) = tokens.get(*at) {
        match *token {
            "," | "}" | ";" => break,
            "{" => {
                while !matches!(tokens.get(*at), None | Some(&("}" | ";"))) {
                    *at += 1;
                    tree(tokens, at, &path, leaves);
                }
                *at += 1;
                return;
            }
            "as" => {
                *at += 1;
                renamed = tokens.get(*at).map(|name| (*name).to_owned());
            }
            "::" => {}
            word => path.push(word.to_owned()),
        }
        *at += 1;
    }
    if path.len() > prefix.len() {
        if path.len() > 1 && path.last().is_some_and(|name| name == "self") {
            path.pop();
        }
        let name = renamed.or_else(|| path.last().cloned());
        leaves.push((path, name.unwrap_or_default()));
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The words, double colons and single marks of a text without literals.
fn tokens(bare: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = bare.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_inner = |c: char| c.is_alphanumeric() || c == '_';
        let length = match first {
            _ if is_inner(first) => rest.find(|c| !is_inner(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        found.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    found
}

/// The text with every comment and quoted literal replaced by a blank.
fn bare(text: &str) -> String {
    let mut bare = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let in_word = bare.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let skipped = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            '"' => quoted(rest),
            '\'' => character(rest),
            'r' | 'b' if !in_word => raw(rest),
            _ => 0,
        };
        if skipped == 0 {
            bare.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            bare.push(' ');
            rest = &rest[skipped..];
        }
    }
    bare
}

/// The length of a quoted string.
fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a quoted character; 0 for a lifetime.
fn character(rest: &str) -> usize {
    let mut characters = rest.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        (Some((_, '\\')), Some((at, escaped))) => {
            let behind = at + escaped.len_utf8();
            rest[behind..].find('\'').map_or(0, |end| behind + end + 1)
        }
        (_, Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// The length of a raw string; 0 for anything else that begins the same way.
fn raw(rest: &str) -> usize {
    let begin = rest.strip_prefix('b').unwrap_or(rest);
    let Some(begin) = begin.strip_prefix('r') else {
        return 0;
    };
    let marks = begin.len() - begin.trim_start_matches('#').len();
    let Some(content) = begin[marks..].strip_prefix('"') else {
        return 0;
    };
    let end = format!("\"{}", "#".repeat(marks));
    let before = rest.len() - content.len();
    content
        .find(&end)
        .map_or(rest.len(), |at| before + at + end.len())
}
