//! The built-in tools. `table` lists them, `offered` is what a run offers to the model, and the rest runs inside
//! `codex tool NAME`. Each takes its arguments as one JSON object; invalid arguments are reported as a result.

mod arguments;
mod bash;
mod context;
mod edit;

mod find;
mod glob;
mod grep;
mod ignore;
mod line_blocks;
mod lines;
mod literal;
mod ls;
pub mod offered;
pub mod program;
mod program_result;
pub(in crate::tools) mod read;
mod replace;
mod rg;
pub mod server;
pub mod table;
mod walk;
mod wild;
mod write;

pub use context::Context;

use crate::result::CallResult;

/// Runs a built-in tool in this process, which must lead its own session. `None` if there is no tool of this name.
#[must_use]
pub fn run(name: &str, arguments: &[u8], context: &Context<'_>) -> Option<CallResult> {
    let tool = table::find_tool(name)?;
    Some((tool.work)(arguments, context))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::result::Status;
    use crate::tools::sandbox::confine::SandboxScope;

    #[test]
    fn invalid_arguments_get_an_error_message() {
        let context = Context {
            timeout: Duration::from_secs(1),
            number: 1,
            policy: None,
            reach: SandboxScope::default(),
            report: None,
            environment: &[],
        };
        let check = |name: &str, arguments: &str, expected: &str| {
            let result = run(name, arguments.as_bytes(), &context).expect("a tool");
            assert!(
                result.status == Status::BadArguments && result.output.contains(expected),
                "{name} {arguments}: {result:?}"
            );
        };
        check("read", "{\"path\":", "are not JSON");
        check("read", "{}", "missing field `path`");
        check(
            "bash",
            "{\"cmd\":\"ls\"}",
            "unknown field `cmd`, expected one of `command`",
        );
        check("edit", "{\"path\":\"x\",\"edits\":7}", "do not match");
        check("write", "[\"a\", \"b\"]", "they are an array");
        check("grep", "{\"pattern\":7}", "do not match");
        assert_eq!(run("rm", b"{}", &context), None);
    }
}
