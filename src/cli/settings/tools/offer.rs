//! The tools to offer: the built-in ones and the user's own, as selected by `--tools` (pure).

use std::ffi::OsStr;

use super::manifests::UserTool;
use crate::cli::nearest::unknown;
use crate::failure::Failure;
use crate::tools::builtin::offered::tool;
use crate::tools::builtin::table::{TOOLS, find_tool};
use crate::tools::tool::Tool;

/// The tools to offer. `list` is the value of `--tools` and `flag` its name in messages; without a list, the tools that
/// need not be requested are offered.
pub(super) fn offer(
    list: Option<&OsStr>,
    flag: &str,
    own: Vec<UserTool>,
) -> Result<Vec<Tool>, Failure> {
    let Some(list) = list else {
        let built_in = TOOLS.iter().filter(|tool| !tool.on_request).map(tool);
        return Ok(built_in
            .chain(own.into_iter().map(|own| own.tool))
            .collect());
    };
    let mut known: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
    known.extend(own.iter().map(|own| &*own.tool.name));
    let mut names = Vec::new();
    for name in list.to_string_lossy().split(',').map(str::trim) {
        if !known.contains(&name) {
            let otherwise = format!("use any of {}", known.join(", "));
            let what = format!("value for {flag}:");
            return Err(unknown(&what, name, &known, &otherwise));
        }
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    // A tool named by `--tool` is offered even if it is not in the list.
    let is_meant = |own: &UserTool| own.is_named || names.contains(&own.tool.name);
    let built_in = names.iter().filter_map(|name| find_tool(name)).map(tool);
    let chosen = built_in.chain(own.into_iter().filter(is_meant).map(|own| own.tool));
    Ok(chosen.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tools::function;

    fn check(list: Option<&str>, expected: Result<&str, &str>) {
        let own = [("deploy", false), ("lint", true)].map(|(name, is_named)| UserTool {
            tool: function::tool(name, "", json!({}), Box::new(|_| Ok(String::new()))),
            is_named,
        });
        let offered = offer(list.map(OsStr::new), "--tools", own.into());
        let names = |tools: Vec<Tool>| {
            let names: Vec<String> = tools.into_iter().map(|tool| tool.name).collect();
            names.join(" ")
        };
        let offered = offered.map(names);
        match (&offered, expected) {
            (Ok(offered), Ok(expected)) => assert_eq!(offered, expected, "{list:?}"),
            (Err(failure), Err(expected)) => assert_eq!(failure.what(), expected, "{list:?}"),
            _ => panic!("{list:?}: {offered:?}"),
        }
    }

    #[test]
    fn a_list_selects_tools_in_addition_to_those_named_by_a_flag() {
        let usual = TOOLS.iter().filter(|tool| !tool.on_request);
        let usual: Vec<&str> = usual.map(|tool| tool.name).collect();
        check(None, Ok(&format!("{} deploy lint", usual.join(" "))));
        check(Some("read"), Ok("read lint"));
        check(Some("deploy, read ,read"), Ok("read deploy lint"));
        check(Some("lint"), Ok("lint"));
        let unknown = "unknown value for --tools: \"raed\"; did you mean read?";
        check(Some("raed"), Err(unknown));
    }
}
