//! Translates globs to regular expressions: those of gitignore(5), and those of `find` and `grep`, which also have
//! alternatives in braces.

use regex_lite::Regex;

/// Compiles a glob of the tools: gitignore(5) with alternatives in braces. `None` if it is invalid.
pub(super) fn glob(glob: &str) -> Option<Regex> {
    let closed = |open, close| glob.matches(open).count() == glob.matches(close).count();
    if glob.is_empty() || !closed('[', ']') || !closed('{', '}') {
        return None;
    }
    Regex::new(&translate(glob, true)?).ok()
}

/// Translates a glob. A glob with a slash matches from the top, one without a slash any name.
pub(super) fn translate(glob: &str, braces: bool) -> Option<String> {
    let mut regex = if glob.contains('/') {
        "^".to_owned()
    } else {
        "(?:^|/)".to_owned()
    };
    let mut depth = 0;
    let mut rest = glob.strip_prefix('/').unwrap_or(glob);
    while let Some(c) = rest.chars().next() {
        let ends_name = regex.ends_with(['^', '/']) || regex.ends_with("/)?");
        if ends_name && let Some(after) = rest.strip_prefix("**/") {
            regex.push_str("(?:.*/)?");
            rest = after;
        } else if ends_name && rest == "**" {
            regex.push_str(".+");
            rest = "";
        } else if c == '*' {
            regex.push_str("[^/]*");
            rest = rest.trim_start_matches('*');
        } else if c == '?' {
            regex.push_str("[^/]");
            rest = &rest[1..];
        } else if c == '['
            && let Some((class, after)) = class(rest)
        {
            regex.push_str(&class);
            rest = after;
        } else if braces && (c == '{' || depth > 0 && (c == '}' || c == ',')) {
            depth = match c {
                '{' => depth + 1,
                '}' => depth - 1,
                _ => depth,
            };
            regex.push_str(match c {
                '{' => "(?:",
                '}' => ")",
                _ => "|",
            });
            rest = &rest[1..];
        } else {
            let literal = if c == '\\' {
                rest[1..].chars().next()?
            } else {
                c
            };
            rest = &rest[usize::from(c == '\\') + literal.len_utf8()..];
            regex.push_str(&regex_lite::escape(literal.encode_utf8(&mut [0; 4])));
        }
    }
    regex.push('$');
    Some(format!("(?s){regex}"))
}

/// Translates a bracket expression; also returns the rest of the glob.
fn class(glob: &str) -> Option<(String, &str)> {
    let inner = &glob[1..];
    let negated = inner.starts_with(['!', '^']);
    let inner = &inner[usize::from(negated)..];
    // A bracket in first place is a member of the set.
    let end = 1 + inner.get(1..)?.find(']')?;
    let set = inner[..end]
        .replace('\\', "\\\\")
        .replace('[', "\\[")
        .replace(']', "\\]");
    let mut set = set.replace('&', "\\&").replace('~', "\\~");
    if set.starts_with('-') {
        // After the backslash it would be a range.
        set.insert(0, '\\');
    }
    let class = if negated {
        format!("[^/{set}]")
    } else {
        format!("[{set}]")
    };
    Some((class, &inner[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_of_tools_have_alternatives() {
        let matches = |pattern: &str, path: &str| glob(pattern).map(|glob| glob.is_match(path));
        for (pattern, path, expected) in [
            ("*.{rs,txt}", "a/b.rs", Some(true)),
            ("*.{rs,txt}", "b.txt", Some(true)),
            ("*.{rs,txt}", "b.tx", Some(false)),
            ("{a,b{c,d}}", "bd", Some(true)),
            ("{a,b{c,d}}", "b", Some(false)),
            ("src/**/*.{rs,c}", "src/x/y.c", Some(true)),
            ("[!-a]", "-", Some(false)),
            ("[!-a]", "9", Some(true)),
            ("a,b", "a,b", Some(true)),
            ("{a", "a", None),
            ("[", "[", None),
            ("", "", None),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }
}
