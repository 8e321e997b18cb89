//! Globs for the names of tools: `*` matches any characters, `?` one.

/// Whether a glob matches the whole name.
#[must_use]
pub fn matches(glob: &str, name: &str) -> bool {
    let (mut glob, mut name) = (glob.chars(), name.chars());
    // After the last `*`: the rest of the glob, and the rest of the name that it has not taken.
    let mut star = None;
    loop {
        let (before, mut next) = (name.clone(), glob.clone());
        match (next.next(), name.next()) {
            (Some('*'), _) => {
                name = before.clone();
                star = Some((next.clone(), before));
                glob = next;
            }
            (None, None) => return true,
            (Some(wanted), Some(c)) if wanted == '?' || wanted == c => glob = next,
            _ => {
                let Some((rest, mut from)) = star.take() else {
                    return false;
                };
                if from.next().is_none() {
                    return false;
                }
                (glob, name) = (rest.clone(), from.clone());
                star = Some((rest, from));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_matches_the_whole_name() {
        let check = |glob: &str, name: &str, expected: bool| {
            assert_eq!(matches(glob, name), expected, "{glob} {name}");
        };
        for (glob, name) in [
            ("*", ""),
            ("*", "git_log"),
            ("git_*", "git_"),
            ("git_*", "git_log"),
            ("*_log", "git_log_log"),
            ("g*_*g", "git_log"),
            ("?it", "git"),
            ("git", "git"),
            ("**a", "aaa"),
            ("", ""),
        ] {
            check(glob, name, true);
        }
        for (glob, name) in [
            ("", "git"),
            ("git", "git_log"),
            ("git_*", "git"),
            ("*_log", "git_logs"),
            ("?", ""),
            ("*?*?*", "a"),
            ("Git", "git"),
        ] {
            check(glob, name, false);
        }
        // Many stars take no more than the product of the lengths.
        check(&"*a".repeat(50), &"a".repeat(2000), true);
        check(&format!("{}b", "*a".repeat(50)), &"a".repeat(2000), false);
    }
}
