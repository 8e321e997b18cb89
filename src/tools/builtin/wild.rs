//! Matches gitignore(5) globs against paths without compiling regular expressions: a file may hold a hundred thousand
//! globs, and each needs no memory besides its text.

/// Whether a glob matches a path, relative to the directory of the pattern file. A glob without a slash matches any
/// name, one with a slash from the top; neither may be empty.
pub(super) fn matches(glob: &str, path: &str) -> bool {
    if glob.contains('/') {
        return walk(glob.strip_prefix('/').unwrap_or(glob), path, true);
    }
    walk(glob, path.rsplit('/').next().unwrap_or(path), false)
}

/// Matches from left to right. On a mismatch the last `*` takes one more character of its name and, if it cannot, the
/// last `**/` one more directory. Earlier wildcards need no second try, since what follows them has matched as early
/// as possible. `starts` is true at the beginning of a name, the only place where `**` differs from `*`.
fn walk(mut glob: &str, mut path: &str, mut starts: bool) -> bool {
    // For each: the glob after it, and the path it has not consumed.
    let mut star: Option<(&str, &str)> = None;
    let mut below: Option<(&str, &str)> = None;
    loop {
        if starts && let Some(rest) = glob.strip_prefix("**/") {
            (glob, star, below) = (rest, None, Some((rest, path)));
            continue;
        }
        if starts && glob == "**" && !path.is_empty() {
            return true;
        }
        if glob.starts_with('*') {
            glob = glob.trim_start_matches('*');
            (star, starts) = (Some((glob, path)), false);
            continue;
        }
        if glob.is_empty() && path.is_empty() {
            return true;
        }
        if let Some((rest, ends_directory)) = step(glob, path) {
            glob = rest;
            path = after(path);
            starts = ends_directory;
            continue;
        }
        if let Some((rest, left)) =
            star.filter(|(_, left)| !left.is_empty() && !left.starts_with('/'))
        {
            (glob, path, starts) = (rest, after(left), false);
            star = Some((rest, path));
        } else if let Some((rest, left)) = below
            && let Some((_, deeper)) = left.split_once('/')
        {
            (glob, path, starts) = (rest, deeper, true);
            (star, below) = (None, Some((rest, deeper)));
        } else {
            return false;
        }
    }
}

/// The text after the first character.
fn after(text: &str) -> &str {
    let mut chars = text.chars();
    chars.next();
    chars.as_str()
}

/// Matches the first character of a path with the first element of a glob, which is not `*`. Returns the rest of the
/// glob and whether the character was a slash; `None` on a mismatch.
fn step<'a>(glob: &'a str, path: &str) -> Option<(&'a str, bool)> {
    let (wanted, c) = (glob.chars().next()?, path.chars().next()?);
    match wanted {
        '?' => (c != '/').then(|| (after(glob), false)),
        '[' => match class(glob) {
            Some((class, rest)) => (c != '/' && class.holds(c)).then_some((rest, false)),
            None => (c == '[').then(|| (after(glob), false)),
        },
        '\\' => {
            let literal = after(glob);
            (literal.starts_with(c)).then(|| (after(literal), c == '/'))
        }
        literal => (literal == c).then(|| (after(glob), c == '/')),
    }
}

/// A bracket expression.
struct Class<'a> {
    negated: bool,
    set: &'a str,
}

impl Class<'_> {
    fn holds(&self, c: char) -> bool {
        let mut chars = self.set.chars().peekable();
        let mut found = false;
        while let Some(first) = chars.next() {
            let mut range = chars.clone();
            let last = match (range.next(), range.next()) {
                (Some('-'), Some(last)) => {
                    chars = range;
                    last
                }
                _ => first,
            };
            found |= (first..=last).contains(&c);
        }
        found != self.negated
    }
}

/// Parses the bracket expression at the start of a glob; also returns the rest. `None` if it is not closed.
fn class(glob: &str) -> Option<(Class<'_>, &str)> {
    let inner = &glob[1..];
    let negated = inner.starts_with(['!', '^']);
    let inner = &inner[usize::from(negated)..];
    // A bracket in first place is a member of the set.
    let first = inner.chars().next()?.len_utf8();
    let end = first + inner[first..].find(']')?;
    let class = Class {
        negated,
        set: &inner[..end],
    };
    Some((class, &inner[end + 1..]))
}

#[cfg(test)]
mod tests {
    use regex_lite::Regex;

    use super::super::glob::translate;
    use super::*;

    /// All texts of up to `most` of these characters.
    fn all(alphabet: &str, most: usize) -> Vec<String> {
        let mut texts = vec![String::new()];
        let mut last = texts.clone();
        for _ in 0..most {
            last = last
                .iter()
                .flat_map(|text| alphabet.chars().map(move |c| format!("{text}{c}")))
                .collect();
            texts.extend(last.iter().cloned());
        }
        texts
    }

    /// The reference is the regular expression that `find` and `grep` use for the same glob.
    #[test]
    fn every_short_glob_matches_what_its_regular_expression_does() {
        let check = |globs: Vec<String>, paths: &[String]| {
            // A set that begins with a range from `-` is not a valid regular expression.
            let is_asked = |glob: &&String| !glob.is_empty() && !glob.contains("--");
            for glob in globs.iter().filter(is_asked) {
                let Some(regex) = translate(glob, false).and_then(|text| Regex::new(&text).ok())
                else {
                    continue;
                };
                for path in paths {
                    let expected = regex.is_match(path);
                    assert_eq!(matches(glob, path), expected, "{glob} {path}");
                }
            }
        };
        let is_path = |path: &String| {
            !path.is_empty()
                && !path.starts_with('/')
                && !path.ends_with('/')
                && !path.contains("//")
        };
        let paths: Vec<String> = all("ab/", 5).into_iter().filter(is_path).collect();
        check(all("a*/", 6), &paths);
        check(all("ab*?/", 4), &paths);
        let paths: Vec<String> = all("a-]!\\", 3).into_iter().filter(is_path).collect();
        check(all("a-[]!\\", 5), &paths);
    }

    #[test]
    fn a_set_contains_characters_and_ranges_and_never_a_slash() {
        let check = |glob: &str, path: &str, expected: bool| {
            assert_eq!(matches(glob, path), expected, "{glob} {path}");
        };
        check("[\u{e9}]x", "\u{e9}x", true);
        check("[!\u{e9}]x", "\u{e9}x", false);
        check("a[+-9]b", "a/b", false);
        check("a[!x]b", "a/b", false);
        check("/a[/]b", "a/b", false);
        check("[a-]", "-", true);
        check("\\", "\\", false);
    }

    #[test]
    fn many_stars_are_matched_quickly() {
        let path = "a/".repeat(2000) + "b";
        assert!(!matches(&("a*".repeat(1000) + "c"), &"a".repeat(4000)));
        assert!(!matches(&("**/a*/".repeat(500) + "c"), &path));
        assert!(matches(&("**/".repeat(100_000) + "b"), &path));
    }
}
