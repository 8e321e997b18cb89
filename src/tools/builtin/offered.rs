//! A built-in tool as a run offers it: each call runs as `codex tool NAME` in its own process.

use std::io;
use std::sync::Arc;

use super::table::BuiltIn;
use crate::result::CallResult;
use crate::tools::launch::Launch;
use crate::tools::tool::{CallContext, Runner, Tool};
use crate::tools::tool_request::ToolRequest;

/// Creates the tool.
#[must_use]
pub fn tool(built_in: &'static BuiltIn) -> Tool {
    Tool {
        name: built_in.name.to_owned(),
        description: built_in.description.to_owned(),
        parameters: built_in.parameters.to_owned(),
        changes_files: built_in.changes_files,
        topic: built_in.topic,
        runner: Arc::new(SeparateProcess(built_in.name)),
    }
}

/// Runs a built-in tool, which validates its arguments itself.
#[derive(Debug)]
struct SeparateProcess(&'static str);

impl Runner for SeparateProcess {
    fn run(&self, arguments: &str, call: CallContext<'_>) -> io::Result<CallResult> {
        let setup = call.launcher.setup();
        let launch = Launch {
            request: ToolRequest {
                name: self.0.to_owned(),
                number: call.number,
                timeout: setup.timeout,
                live: call.follower.is_some(),
                serves: false,
                inherits_rules: false,
                policy: setup.policy.clone(),
                program: None,
            },
            own_variables: &[],
            variables: &[],
            is_code_for_python: false,
        };
        let follower = call.follower;
        call.launcher.run(launch, arguments.as_bytes(), follower)
    }
}
