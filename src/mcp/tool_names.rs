//! The names under which the tools of servers are offered: `mcp__SERVER__TOOL`, of the characters and the length that
//! the service accepts, no two the same.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

/// The beginning of every name.
pub const PREFIX: &str = "mcp__";

/// Maximum length of a name, in bytes: a limit of the service.
const MAX_NAME_BYTES: usize = 64;

/// Length of the end that tells names apart, in bytes.
const DIGEST_BYTES: usize = 9;

/// The offered name of each tool, given as server and tool; `None` for one that could be mistaken for another.
#[must_use]
pub fn offered_names(tools: &[(&str, &str)]) -> Vec<Option<String>> {
    let plain: Vec<(String, bool)> = tools
        .iter()
        .map(|(server, tool)| plain(server, tool))
        .collect();
    // A name that is taken as it is belongs to one tool only.
    let mut exact: HashMap<&str, usize> = HashMap::new();
    let mut all: HashMap<&str, usize> = HashMap::new();
    for (name, is_exact) in &plain {
        *all.entry(name).or_default() += 1;
        *exact.entry(name).or_default() += usize::from(*is_exact);
    }
    let names: Vec<String> = (plain.iter().zip(tools))
        .map(|((name, is_exact), (server, tool))| {
            let fits = name.len() <= MAX_NAME_BYTES;
            let is_free = match exact[&**name] {
                0 => all[&**name] == 1,
                1 => *is_exact,
                _ => false,
            };
            if fits && is_free {
                return name.clone();
            }
            with_digest(name, server, tool)
        })
        .collect();
    let mut count: HashMap<&str, usize> = HashMap::new();
    for name in &names {
        *count.entry(name).or_default() += 1;
    }
    let is_single = |name: &String| Some(name.clone()).filter(|_| count[&**name] == 1);
    names.iter().map(is_single).collect()
}

/// The name in the characters that the service accepts, and whether it is exact.
fn plain(server: &str, tool: &str) -> (String, bool) {
    let accepted = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let is_exact = tool.chars().all(accepted);
    let tool: String = tool
        .chars()
        .map(|c| if accepted(c) { c } else { '_' })
        .collect();
    (format!("{PREFIX}{server}__{tool}"), is_exact)
}

/// The beginning of the name, and a digest of what it stands for.
fn with_digest(name: &str, server: &str, tool: &str) -> String {
    let digest = Sha256::new()
        .chain_update(server)
        .chain_update([0])
        .chain_update(tool)
        .finalize();
    let begin = &name[..name.len().min(MAX_NAME_BYTES - DIGEST_BYTES)];
    let [a, b, c, d, ..] = digest[..] else {
        return begin.to_owned();
    };
    format!("{begin}_{a:02x}{b:02x}{c:02x}{d:02x}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn names(tools: &[(&str, &str)]) -> Vec<String> {
        let names = offered_names(tools).into_iter();
        names.map(Option::unwrap_or_default).collect()
    }

    #[test]
    fn ordinary_names_are_offered_as_they_are() {
        assert_eq!(
            names(&[("git", "git_log"), ("time", "get-time"), ("a", "x.y z")]),
            ["mcp__git__git_log", "mcp__time__get-time", "mcp__a__x_y_z"]
        );
        assert_eq!(names(&[]), [""; 0]);
    }

    #[test]
    fn names_fit_and_differ() {
        let long = "x".repeat(100);
        let other = format!("{}y", "x".repeat(99));
        let server = "s".repeat(70);
        let tools = [
            ("a", "x.y"),
            ("a", "x_y"),
            ("a", "x y"),
            ("a", &*long),
            ("a", &other),
            // The same words, parted in two ways.
            ("b", "c__d"),
            ("b__c", "d"),
            (&server, "a"),
            (&server, "b"),
            ("a", "é"),
            ("a", "ö"),
        ];
        let names = names(&tools);
        assert_eq!(names[1], "mcp__a__x_y");
        for (name, (server, _)) in names.iter().zip(tools) {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            assert!(name.len() <= 64 && name.chars().all(is_plain), "{name}");
            assert!(name.starts_with(&format!("mcp__{server}")) || server.len() > 60);
        }
        let different: HashSet<&String> = names.iter().collect();
        assert_eq!(different.len(), tools.len(), "{names:?}");
        // A name depends on the set of tools, not on their order.
        let mut reversed = tools;
        reversed.reverse();
        let mut again = super::tests::names(&reversed);
        again.reverse();
        assert_eq!(again, names);
    }

    #[test]
    fn a_name_that_imitates_another_ones_digest_is_left_out() {
        let tools = [("a", "x.y"), ("a", "x z")];
        let clashing = [("a", "x.y"), ("a", "x y")];
        assert_eq!(names(&tools), ["mcp__a__x_y", "mcp__a__x_z"]);
        let imitated = names(&clashing)[0].clone();
        let imitation = imitated.strip_prefix("mcp__a__").expect("a name");
        let all = offered_names(&[("a", "x.y"), ("a", "x y"), ("a", imitation)]);
        let left: HashSet<String> = all.iter().flatten().cloned().collect();
        assert_eq!((all[0].is_none(), left.len()), (true, 1));
    }
}
